"""A repair of disagreements, planned from facts alone."""

from dataclasses import replace
from typing import Any

import pytest

from builders import a_port, a_server, an_id
from stackward.checks.agreement import GuestEnded
from stackward.health.agreement import Agreement
from stackward.health.disagreements import BY_NAME, find_cases
from stackward.model.placement import Account
from stackward.model.testimony import CloudTestimony
from stackward.model.unread import Unread
from stackward.operations.reconcile_cloud.facts import KILLS, ReconcileFacts
from stackward.operations.reconcile_cloud.plan import plan_reconcile
from stackward.operations.reconcile_cloud.stages import REPAIRS
from stackward.requests.reconcile_cloud import ReconcileRequest
from stackward.steps.allocations import RemoveAllocations
from stackward.steps.network import RemoveBinding
from stackward.steps.stale_guest import KillDomain
from testimonies import (
    HOSTS,
    LONG_AGO,
    a_record,
    agreeing,
    guest_of,
    holding,
    on_host,
    volume_of,
    with_guest,
    with_volumes,
)

AWAY = Unread("no answer")
SERVER = a_server()
NOBODY = an_id("nobody")
KILLING = f"compute-08/{SERVER.id}"
ASKED = ReconcileRequest(classes=tuple(REPAIRS))
STALE = with_guest(agreeing(SERVER), "compute-08", guest_of(SERVER, "shut off"))
TWICE = with_guest(agreeing(SERVER), "compute-08", guest_of(SERVER))
GONE = a_server(name="gone")
OF_DELETED = with_guest(agreeing(SERVER), "compute-08", guest_of(GONE))
DOUBLE = holding(agreeing(SERVER), "compute-08", SERVER.id)
ORPHAN = holding(agreeing(SERVER), "compute-08", NOBODY)
LEFT = on_host(agreeing(SERVER), "compute-08", ports=(a_port(),))


def facts(
    testimony: CloudTestimony,
    account: Account | Unread | None = None,
    **more: Any,  # noqa: ANN401  # any field
) -> ReconcileFacts:
    """Return what two looks have seen."""
    found = Agreement(testimony=testimony, cases=find_cases(testimony), looks=2)
    accounts = {each: account for each in (NOBODY, SERVER.id) if account is not None}
    return ReconcileFacts(found=found, accounts=accounts, **more)


def killing(name: str, *named: str) -> ReconcileRequest:
    """Return the request to end guests of a class."""
    return ReconcileRequest(classes=(name,), kill_domain=named)


def account(consumer: str, *providers: str) -> Account:
    """Return what a consumer of Nova holds."""
    return Account(
        consumer=consumer,
        generation=1,
        project="p",
        user="u",
        kind="INSTANCE",
        allocations={each: {"VGPU": 1} for each in providers},
    )


def test_what_a_server_holds_elsewhere_is_removed() -> None:
    plan = plan_reconcile(facts(DOUBLE), ASKED)

    [(_, move)] = plan.moves()
    assert move.steps == (
        RemoveAllocations(
            consumer=SERVER.id,
            name="db-01",
            providers=(an_id("compute-08"),),
            hosts=("compute-08",),
            host="compute-07",
            keep=an_id("compute-07"),
        ),
    )
    assert plan.holds == ("compute-07", "compute-08")
    assert [each.kind for each in plan.verify] == ["allocated-where-they-are"]


def test_what_nobody_holds_is_removed() -> None:
    plan = plan_reconcile(facts(ORPHAN), ASKED)

    [(_, move)] = plan.moves()
    assert move.steps == (
        RemoveAllocations(
            consumer=NOBODY, name=NOBODY, providers=(an_id("compute-08"),), hosts=("compute-08",)
        ),
    )
    assert [each.kind for each in plan.verify] == ["hold-nothing"]


def test_a_binding_that_is_left_is_removed() -> None:
    plan = plan_reconcile(facts(LEFT), ASKED)

    [(_, move)] = plan.moves()
    assert move.steps == (RemoveBinding(port=a_port().id, name="db-01", host="compute-08"),)
    assert [each.kind for each in plan.verify] == ["bound-once"]


def test_the_plan_is_of_the_cases_that_were_seen() -> None:
    plan = plan_reconcile(facts(ORPHAN), ASKED)

    assert plan.request == replace(
        ASKED, cases=(f"allocation-orphan {NOBODY}",), hosts=("compute-08",)
    )


def test_what_others_have_repaired_since_is_proved_and_not_done() -> None:
    asked = plan_reconcile(facts(ORPHAN), ASKED).request
    assert isinstance(asked, ReconcileRequest)

    plan = plan_reconcile(facts(agreeing(SERVER)), asked)

    assert (plan.stages, plan.request) == ((), asked)
    assert [each.kind for each in plan.verify] == ["hold-nothing"]


def test_a_class_that_was_not_named_is_left_alone() -> None:
    plan = plan_reconcile(facts(DOUBLE), replace(ASKED, classes=("binding-left",)))

    assert (plan.stages, plan.verify, plan.warnings) == ((), (), ())


@pytest.mark.parametrize("name", BY_NAME)
def test_each_class_that_says_so_has_a_repair_and_no_other(name: str) -> None:
    assert bool(BY_NAME[name].repair) is (name in {*REPAIRS, *KILLS})


def test_a_server_whose_guest_is_on_both_nodes_keeps_all() -> None:
    seen = with_guest(DOUBLE, "compute-08", guest_of(SERVER, "shut off"))

    plan = plan_reconcile(facts(seen), ASKED)

    assert (plan.stages, [one.worry for one in plan.blockers]) == ((), ["reconcile/guest-first"])


# --- nested providers -----------------------------------------------------------------------------

GPU_07, GPU_08, NAS = an_id("gpu-07"), an_id("gpu-08"), an_id("nas")
ROOTS = {
    **{an_id(host): an_id(host) for host in HOSTS},
    GPU_07: an_id("compute-07"),
    GPU_08: an_id("compute-08"),
    NAS: NAS,
}


def test_what_a_server_holds_of_a_gpu_elsewhere_goes_with_the_rest_and_its_own_stays() -> None:
    held = account(SERVER.id, an_id("compute-07"), GPU_07, an_id("compute-08"), GPU_08, NAS)

    [(_, move)] = plan_reconcile(facts(DOUBLE, held, roots=ROOTS), ASKED).moves()

    [step] = move.steps
    assert isinstance(step, RemoveAllocations)
    assert (step.providers, step.keep) == ((an_id("compute-08"), GPU_08), an_id("compute-07"))


def test_all_that_nobody_holds_goes_also_of_a_gpu_and_of_shared_storage() -> None:
    held = account(NOBODY, an_id("compute-08"), GPU_08, NAS)

    [(_, move)] = plan_reconcile(facts(ORPHAN, held), ASKED).moves()

    [step] = move.steps
    assert isinstance(step, RemoveAllocations)
    assert set(step.providers) == {an_id("compute-08"), GPU_08, NAS}


def test_where_the_trees_of_providers_are_not_known_nothing_is_repaired() -> None:
    plan = plan_reconcile(facts(DOUBLE, roots=Unread("no answer")), ASKED)

    assert (plan.stages, [one.worry for one in plan.blockers]) == ((), ["reconcile/account-unread"])


# --- what nothing is done about -------------------------------------------------------------------


def test_where_each_case_is_left_alone_the_plan_is_refused_with_the_reasons() -> None:
    plan = plan_reconcile(facts(on_host(DOUBLE, "compute-09", domains=AWAY)), ASKED)

    assert ([one.worry for one in plan.blockers], plan.warnings) == (["reconcile/unread"], ())
    assert plan.facts["cases"] == "1, nothing is repaired"


def test_where_some_are_left_alone_the_rest_is_repaired() -> None:
    seen = facts(holding(ORPHAN, "compute-09", SERVER.id))
    seen = replace(seen, strangers=frozenset({NOBODY}))

    plan = plan_reconcile(seen, ASKED)

    assert ([one.worry for one in plan.warnings], plan.blockers) == (["reconcile/stranger"], ())
    assert [move.thing for _, move in plan.moves()] == ["db-01"]
    assert plan.facts["cases"] == "2, 1 of them left alone"


def test_what_is_left_alone_once_a_plan_names_it_is_a_warning_still() -> None:
    asked = plan_reconcile(facts(DOUBLE), ASKED).request
    assert isinstance(asked, ReconcileRequest)

    plan = plan_reconcile(facts(on_host(DOUBLE, "compute-09", domains=AWAY)), asked)

    assert (plan.blockers, [one.worry for one in plan.warnings]) == ((), ["reconcile/unread"])


# --- guests that are ended ------------------------------------------------------------------------

ENDED: dict[str, tuple[CloudTestimony, ReconcileRequest, dict[str, Any], str, str, bool]] = {
    "one that is left behind": (
        STALE, killing("domain-elsewhere", KILLING), {}, SERVER.id, "compute-07", False
    ),
    "one of two that run": (
        TWICE, killing("server-twice", KILLING), {}, SERVER.id, "compute-07", False
    ),
    "one of a server that was deleted": (
        OF_DELETED, killing("domain-of-deleted", f"compute-08/{GONE.id}"),
        {"deletions": {GONE.id: True}}, GONE.id, "", True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ENDED)
def test_a_guest_that_is_named_is_ended_and_that_is_warned_of(what: str) -> None:
    seen, asked, more, server, lives, is_deleted = ENDED[what]

    plan = plan_reconcile(facts(seen, **more), asked)

    assert plan.blockers == ()
    [(_, move)] = plan.moves()
    [step] = move.steps
    assert isinstance(step, KillDomain)
    assert (step.node, step.host, step.server) == ("compute-08", "compute-08", server)
    assert (step.source, step.must_run_there, step.is_deleted) == (
        lives,
        not is_deleted,
        is_deleted,
    )
    assert [one.worry for one in plan.warnings] == ["reconcile/guest-ended"]
    assert plan.verify == (GuestEnded(guests=((server, "compute-08"),)),)
    assert "its guest on `compute-08` ends" in plan.notices[0]


MOVED = a_record(SERVER, updated=LONG_AGO)
WITH_VOLUME = with_volumes()
OFF = a_server("SHUTOFF")
NOT_ENDED: dict[str, tuple[CloudTestimony, ReconcileRequest, dict[str, Any], str]] = {
    "not named": (STALE, killing("domain-elsewhere"), {}, "reconcile/not-named"),
    "named, and not of this class": (
        STALE, killing("server-twice", KILLING), {}, "reconcile/no-such-guest"
    ),
    "named by no node": (STALE, killing("domain-elsewhere", "x"), {}, "reconcile/not-named"),
    "where Nova has it": (
        TWICE, killing("server-twice", f"compute-07/{SERVER.id}"), {}, "reconcile/own-guest"
    ),
    "both of two that run": (
        TWICE, killing("server-twice", KILLING, f"compute-07/{SERVER.id}"), {},
        "reconcile/own-guest",
    ),
    "the only one": (
        on_host(STALE, "compute-07", domains=()), killing("domain-elsewhere", KILLING), {},
        "reconcile/not-proved-to-run",
    ),
    "of a server that is off": (
        with_guest(agreeing(OFF), "compute-08", guest_of(OFF, "shut off")),
        killing("domain-elsewhere", KILLING), {}, "reconcile/not-proved-to-run",
    ),
    "of a server whose guest is paused": (
        on_host(STALE, "compute-07", domains=(guest_of(SERVER, "paused"),)),
        killing("domain-elsewhere", KILLING), {}, "reconcile/not-proved-to-run",
    ),
    "of a server that is shelved": (
        with_guest(agreeing(a_server("SHELVED_OFFLOADED", host=None)), "compute-08",
                   guest_of(SERVER)),
        killing("domain-elsewhere", KILLING), {}, "reconcile/not-proved-to-run",
    ),
    "while a node is silent": (
        on_host(STALE, "compute-09", domains=AWAY), killing("domain-elsewhere", KILLING), {},
        "reconcile/unread",
    ),
    "while placement of a node is silent": (
        on_host(STALE, "compute-09", allocations=AWAY), killing("domain-elsewhere", KILLING), {},
        "reconcile/unread",
    ),
    "while Cinder is away": (
        replace(STALE, volumes=AWAY), killing("domain-elsewhere", KILLING), {}, "reconcile/unread"
    ),
    "while a cell is down": (
        replace(STALE, is_whole=False), killing("domain-elsewhere", KILLING), {},
        "reconcile/unread",
    ),
    "whose allocations are on the other node": (
        holding(on_host(STALE, "compute-07", allocations={}), "compute-08", SERVER.id),
        killing("domain-elsewhere", KILLING), {}, "reconcile/witnesses-differ",
    ),
    "whose port is bound on the other node": (
        on_host(on_host(STALE, "compute-07", ports=()), "compute-08",
                ports=(a_port(host="compute-08"),)),
        killing("domain-elsewhere", KILLING), {}, "reconcile/witnesses-differ",
    ),
    "whose volume Cinder has on the other node": (
        replace(
            with_guest(agreeing(WITH_VOLUME), "compute-08", guest_of(WITH_VOLUME, "shut off")),
            volumes={
                an_id("volume"): volume_of(
                    WITH_VOLUME, an_id("volume"), attached=((WITH_VOLUME.id, "compute-08"),)
                )
            },
        ),
        killing("domain-elsewhere", KILLING), {}, "reconcile/witnesses-differ",
    ),
    "with a dead move": (
        with_guest(agreeing(SERVER, records=[MOVED]), "compute-08", guest_of(SERVER)),
        killing("server-twice", KILLING), {}, "reconcile/witnesses-differ",
    ),
    "while the start of nova-compute destroys the other": (
        with_guest(agreeing(SERVER, records=[a_record(SERVER, "done", kind="evacuation")]),
                   "compute-08", guest_of(SERVER, "shut off")),
        killing("domain-elsewhere", KILLING), {}, "reconcile/witnesses-differ",
    ),
    "that nobody is known to have deleted": (
        OF_DELETED, killing("domain-of-deleted", f"compute-08/{GONE.id}"),
        {"deletions": {GONE.id: False}}, "reconcile/not-deleted",
    ),
    "of which Nova does not say who has deleted it": (
        OF_DELETED, killing("domain-of-deleted", f"compute-08/{GONE.id}"),
        {"deletions": {GONE.id: AWAY}}, "reconcile/not-deleted",
    ),
    "that the login may not end": (
        STALE, killing("domain-elsewhere", KILLING), {"may_end": {"compute-08": AWAY}},
        "reconcile/may-not-end",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", NOT_ENDED)
def test_a_guest_is_not_ended_in_any_state_that_is_not_known(what: str) -> None:
    seen, asked, more, worry = NOT_ENDED[what]

    plan = plan_reconcile(facts(seen, **more), asked)

    assert (plan.stages, plan.warnings) == ((), ())
    assert worry in {one.worry for one in plan.blockers}


def test_a_node_may_be_named_as_the_inventory_calls_it() -> None:
    seen = on_host(STALE, "compute-08", node="rack2-n8")
    asked = killing("domain-elsewhere", f"rack2-n8/{SERVER.id}")

    [(_, move)] = plan_reconcile(facts(seen), asked).moves()

    [step] = move.steps
    assert isinstance(step, KillDomain)
    assert (step.node, step.host) == ("rack2-n8", "compute-08")
