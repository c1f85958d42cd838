"""What a warning of a repair advises settles it: every rule that it can raise."""

from dataclasses import dataclass

import pytest

from builders import an_id
from operations.reconcile_cloud.test_plan import ASKED, DOUBLE, NOBODY, ORPHAN, SERVER, facts
from raising import raised_by
from stackward.model.placement import Account
from stackward.model.unread import Unread
from stackward.operations.reconcile_cloud.facts import ReconcileFacts
from stackward.operations.reconcile_cloud.plan import plan_reconcile
from testimonies import guest_of, on_host, with_guest

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
}
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"
NOT_FOLLOWED = {
    "evacuation/lives-on-source": "it is shown, and has no repair",
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
    "reconcile/other-consumer": "whoever runs that service decides",
    "reconcile/stranger": "whoever has made it decides; its removal is a command of OpenStack's",
    "reconcile/no-undo": "it is said of a run that is over: nothing is to be done",
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_a_warning_advises_settles_it(name: str) -> None:
    case = FOLLOWED[name]

    before, after = plan_reconcile(case.before, ASKED), plan_reconcile(case.after, ASKED)

    [warning] = before.warnings
    assert (warning.worry, before.stages) == (name, ())
    assert case.advice in warning.remedy
    assert (after.warnings, len(after.stages)) == ((), 1)


def test_a_server_without_its_guest_is_left_alone() -> None:
    plan = plan_reconcile(facts(on_host(DOUBLE, "compute-07", domains=())), ASKED)

    assert (plan.stages, [one.worry for one in plan.warnings]) == ((), ["reconcile/guest-first"])


def test_a_consumer_of_another_service_is_left_alone() -> None:
    plan = plan_reconcile(facts(ORPHAN, held("CONTAINER")), ASKED)

    [warning] = plan.warnings
    assert (warning.worry, plan.stages) == ("reconcile/other-consumer", ())
    assert "CONTAINER" in warning.reason


def test_every_rule_is_followed_or_says_why_not() -> None:
    assert sorted([*FOLLOWED, *NOT_FOLLOWED]) == sorted(raised_by("reconcile_cloud"))
