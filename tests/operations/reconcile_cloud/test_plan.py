"""A repair of disagreements, planned from facts alone."""

from dataclasses import replace

import pytest

from builders import a_port, a_server, an_id
from stackward.health.agreement import Agreement
from stackward.health.disagreements import BY_NAME, find_cases
from stackward.model.placement import Account
from stackward.model.testimony import CloudTestimony
from stackward.model.unread import Unread
from stackward.operations.reconcile_cloud.facts import ReconcileFacts
from stackward.operations.reconcile_cloud.plan import REPAIRS, plan_reconcile
from stackward.requests.reconcile_cloud import ReconcileRequest
from stackward.steps.allocations import RemoveAllocations
from stackward.steps.network import RemoveBinding
from testimonies import agreeing, guest_of, holding, on_host, with_guest

SERVER = a_server()
NOBODY = an_id("nobody")
ASKED = ReconcileRequest(classes=tuple(REPAIRS))
DOUBLE = holding(agreeing(SERVER), "compute-08", SERVER.id)
ORPHAN = holding(agreeing(SERVER), "compute-08", NOBODY)
LEFT = on_host(agreeing(SERVER), "compute-08", ports=(a_port(),))


def facts(testimony: CloudTestimony, account: Account | Unread | None = None) -> ReconcileFacts:
    """Return what two looks have seen."""
    found = Agreement(testimony=testimony, cases=find_cases(testimony), looks=2)
    accounts = {each: account for each in (NOBODY,) if account is not None}
    return ReconcileFacts(found=found, accounts=accounts)


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
    assert bool(BY_NAME[name].repair) is (name in REPAIRS)


def test_a_server_whose_guest_is_on_both_nodes_keeps_all() -> None:
    seen = with_guest(DOUBLE, "compute-08", guest_of(SERVER, "shut off"))

    plan = plan_reconcile(facts(seen), ASKED)

    assert (plan.stages, [one.worry for one in plan.warnings]) == ((), ["reconcile/guest-first"])
