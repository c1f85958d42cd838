"""What a warning of a repair advises settles it: every rule that it can raise."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from builders import a_service, an_id
from operations.reconcile_cloud import test_orphans as left
from operations.reconcile_cloud.test_plan import (
    ASKED,
    DOUBLE,
    KILLING,
    NOBODY,
    NOT_ENDED,
    ORPHAN,
    SERVER,
    STALE,
    facts,
    killing,
)
from raising import raised_by
from stackward.model.placement import Account
from stackward.model.unread import Unread
from stackward.operations.reconcile_cloud.facts import ReconcileFacts, Tree
from stackward.operations.reconcile_cloud.plan import plan_reconcile
from stackward.requests.reconcile_cloud import ReconcileRequest
from testimonies import a_record, guest_of, on_host, with_guest

AWAY = Unread("no answer")


def held(kind: str) -> Account:
    return Account(
        consumer=NOBODY,
        generation=1,
        project="p",
        user="u",
        kind=kind,
        allocations={an_id("compute-08"): {"VCPU": 1}},
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """A warning, and what witnesses say once its remedy was followed."""

    before: ReconcileFacts
    advice: str  # a part of the remedy
    after: ReconcileFacts
    asked: ReconcileRequest = ASKED
    again: ReconcileRequest = ASKED  # what is asked for then


ENDING = killing("domain-elsewhere", KILLING)


def followed(what: str, advice: str) -> Case:
    """Return the case of a guest that is not ended, and what is so once its remedy was followed."""
    seen, asked, more, _ = NOT_ENDED[what]
    before = facts(seen, **more)
    return Case(before=before, advice=advice, after=facts(STALE), asked=asked, again=ENDING)


FOLLOWED = {
    "reconcile/guest-first": Case(
        before=facts(with_guest(DOUBLE, "compute-08", guest_of(SERVER, "shut off"))),
        advice="where its guest belongs",
        after=facts(DOUBLE),
    ),
    "reconcile/unread": Case(
        before=facts(on_host(DOUBLE, "compute-09", domains=AWAY)),
        advice="make it answer",
        after=facts(DOUBLE),
    ),
    "reconcile/account-unread": Case(
        before=facts(ORPHAN, AWAY),
        advice="why placement does not answer",
        after=facts(ORPHAN, held("INSTANCE")),
    ),
    "reconcile/not-named": Case(
        before=facts(STALE),
        advice=f"--kill-domain {KILLING}",
        after=facts(STALE),
        asked=killing("domain-elsewhere"),
        again=ENDING,
    ),
    "reconcile/no-such-guest": Case(
        before=facts(DOUBLE),
        advice="leave that flag out",
        after=facts(DOUBLE),
        asked=replace(ASKED, kill_domain=("compute-09/x",)),
    ),
    "reconcile/own-guest": followed("where Nova has it", "name the guest on the other node"),
    "reconcile/not-proved-to-run": followed(
        "of a server that is off", "start the server where Nova has"
    ),
    "reconcile/witnesses-differ": followed(
        "whose allocations are on the other node", "settle that first"
    ),
    "reconcile/may-not-end": followed("that the login may not end", "let the login use libvirt"),
}
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"
NOT_FOLLOWED = {
    "evacuation/lives-on-source": "it is shown, and has no repair",
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
    "reconcile/other-consumer": "whoever runs that service decides",
    "reconcile/guest-ended": "it is what `--kill-domain` asks for: nothing is to be done",
    "reconcile/not-deleted": "whoever owned it decides; `virsh` ends it then",
    "reconcile/stranger": "whoever has made it decides; its removal is a command of OpenStack's",
    "reconcile/service-goes": "it is what `--remove` asks for: nothing is to be done",
    "reconcile/port-goes": "it is what `--remove` asks for: nothing is to be done",
    "reconcile/no-undo": "it is said of a run that is over: nothing is to be done",
}


# What is left and is not removed: the state, a part of the remedy, the state once it was followed.
PLACED = {"seen": left.SEEN}
LEFT_ALONE: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "reconcile/no-such-orphan": ("port", {"remove": "port/x"}, "as KIND/ID", {}),
    "reconcile/kind-unread": (
        "port",
        {"left": replace(left.LEFT, ports=AWAY)},
        "why it does not answer",
        {},
    ),
    "reconcile/too-young": (
        "port",
        {"orphan": {"since": left.YOUNG}},
        "a lower `--min-age`",
        {"orphan": {"since": left.YOUNG}, "asked": {"min_age_s": 3600.0}},
    ),
    "reconcile/age-unknown": (
        "port",
        {"orphan": {"since": None}},
        f"`--remove port/{left.PORT}`",
        {"orphan": {"since": None}, "remove": f"port/{left.PORT}"},
    ),
    "reconcile/only-by-id": (
        "volume",
        {},
        f"`--remove volume/{left.VOLUME}`",
        {"remove": f"volume/{left.VOLUME}"},
    ),
    "reconcile/changed": ("agent", {"differing": frozenset({left.AGENT})}, "plan again", {}),
    "reconcile/gone-node-first": (
        "port",
        {"seen": left.WITH_LOST},
        f"--remove service/{left.SERVICE}`",
        {"seen": left.SEEN},
    ),
    "reconcile/node-has-servers": (
        "service",
        {"seen": replace(left.SEEN, servers={SERVER.id: left.HOME})},
        f"--host {left.LOST}`",
        PLACED,
    ),
    "reconcile/node-has-move": (
        "agent",
        {"seen": replace(left.SEEN, records=(a_record(SERVER, source=left.LOST),))},
        f"migration list --host {left.LOST}`",
        PLACED,
    ),
    "reconcile/node-holds": (
        "service",
        {"trees": {left.SERVICE: Tree(providers=("p-1",), consumers=(NOBODY,))}},
        f"--remove allocation/{NOBODY}`",
        {},
    ),
    "reconcile/no-provider": (
        "service",
        {"trees": {left.SERVICE: Tree(is_found=False)}},
        f"`--remove service/{left.SERVICE}`",
        {
            "trees": {left.SERVICE: Tree(is_found=False)},
            "remove": f"service/{left.SERVICE}",
        },
    ),
    "reconcile/node-evacuated": (
        "service",
        {"seen": replace(left.SEEN, records=(left.EVACUATED,))},
        f"`openstack compute service delete {left.SERVICE}`",
        PLACED,
    ),
    "reconcile/api-unread": (
        "service",
        {"trees": {left.SERVICE: AWAY}},
        "why that does not answer",
        {},
    ),
    "reconcile/not-all-named": (
        "agent",
        {
            "left": replace(
                left.LEFT,
                services=(*left.LEFT.services, a_service("rack-5")),
                strangers=frozenset({left.LOST, "rack-5"}),
            )
        },
        "names every compute node",
        {},
    ),
    "reconcile/name-alone": (
        "agent",
        {"left": replace(left.LEFT, services=())},
        f"`--remove agent/{left.AGENT}`",
        {"left": replace(left.LEFT, services=()), "remove": f"agent/{left.AGENT}"},
    ),
    "reconcile/disabled": (
        "service",
        {"left": left.BY_HAND},
        f"`--remove service/{left.SERVICE}`",
        {"left": left.BY_HAND, "remove": f"service/{left.SERVICE}"},
    ),
    "reconcile/claimed": (
        "service",
        {"left": left.CLAIMED},
        f"--enable {left.LOST} nova-compute`",
        {},
    ),
    "reconcile/node-lives": (
        "service",
        {"left": replace(left.LEFT, agents=(replace(left.SILENT, is_alive=True),))},
        "see why its service is down",
        {"left": replace(left.LEFT, agents=())},
    ),
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_advised_of_a_thing_that_is_left_settles_it(name: str) -> None:
    what, before, advice, after = LEFT_ALONE[name]

    alone, removed = left.plan_of(what, **before), left.plan_of(what, **after)

    [blocker] = alone.blockers
    assert (blocker.worry, alone.stages) == (name, ())
    assert advice in blocker.remedy
    assert (removed.blockers, len(removed.stages)) == ((), 1)


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_a_warning_advises_settles_it(name: str) -> None:
    case = FOLLOWED[name]

    before = plan_reconcile(case.before, case.asked)
    after = plan_reconcile(case.after, case.again)

    [blocker] = before.blockers
    assert (blocker.worry, before.stages) == (name, ())
    assert case.advice in blocker.remedy
    assert (after.blockers, len(after.stages)) == ((), 1)


def test_a_server_without_its_guest_is_left_alone() -> None:
    plan = plan_reconcile(facts(on_host(DOUBLE, "compute-07", domains=())), ASKED)

    assert (plan.stages, [one.worry for one in plan.blockers]) == ((), ["reconcile/guest-first"])


def test_a_consumer_of_another_service_is_left_alone() -> None:
    plan = plan_reconcile(facts(ORPHAN, held("CONTAINER")), ASKED)

    [blocker] = plan.blockers
    assert (blocker.worry, plan.stages) == ("reconcile/other-consumer", ())
    assert "CONTAINER" in blocker.reason


def test_every_rule_is_followed_or_says_why_not() -> None:
    assert sorted([*FOLLOWED, *LEFT_ALONE, *NOT_FOLLOWED]) == sorted(raised_by("reconcile_cloud"))
