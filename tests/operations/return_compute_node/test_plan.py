"""Which node may return to service, and how."""

from dataclasses import replace

import pytest

from builders import NOW, a_service, an_id
from fakes.glance import GUEST
from fakes.neutron import LAB_NET
from fakes.nova import TINY
from stackward.model.compute_process import ComputeProcess, RunningAs
from stackward.model.hypervisor import Hypervisor
from stackward.model.maintenance import (
    Holder,
    Marks,
    MovedServer,
    MovedServers,
    ReturningNode,
)
from stackward.model.service import ComputeService
from stackward.model.unread import Unread
from stackward.operations.return_compute_node.plan import plan_return
from stackward.operations.return_compute_node.rules import judge_return
from stackward.plan import differences
from stackward.requests.return_compute_node import ReturnRequest

CLAIM = "stackward 01DRAIN by ada on bastion since 2026-11-22T03:00:00Z: bad DIMM"
OF_UNIT = ComputeProcess(pid=7, unit="nova-compute.service")
CONTAINED = ComputeProcess(pid=8, container="docker 4f5e6a7b8c9d")
NONE = Marks(has_file=False, has_drop_in=False, is_masked=False)
HYPERVISOR = Hypervisor(id=an_id("compute-07"), name="compute-07", host="compute-07", kind="QEMU")
DB = MovedServer(id=an_id("db-01"), name="db-01", target="compute-08")


def drained(**changes: object) -> ReturningNode:
    node = ReturningNode(
        name="compute-07",
        host="compute-07",
        read_at=NOW,
        service=a_service(is_enabled=False, is_up=False, disabled_reason=CLAIM),
        hypervisor=HYPERVISOR,
        marks=Marks(has_file=True, has_drop_in=True, is_masked=True),
        images=(GUEST,),
        flavors=(TINY,),
    )
    return replace(node, **changes)  # type: ignore[arg-type]  # its fields


def disabled(reason: str | None, *, is_forced_down: bool = False) -> ComputeService:
    return a_service(is_enabled=False, disabled_reason=reason, is_forced_down=is_forced_down)


def worries_of(node: ReturningNode) -> list[str]:
    return [verdict.worry for verdict in judge_return(node)]


@pytest.mark.parametrize(
    ("changes", "worries"),
    [
        pytest.param({}, [], id="drained by us: may return"),
        pytest.param({"marks": NONE}, [], id="cordoned only, as with --keep-service: may return"),
        pytest.param(
            {"service": a_service()}, [], id="enabled by hand, still kept off: may return"
        ),
        pytest.param(
            {"service": a_service(), "marks": NONE},
            ["nothing-to-return"],
            id="in service: nothing to return",
        ),
        pytest.param(
            {"service": a_service(), "marks": NONE, "unproved": "01RETURN"},
            [],
            id="opened by a return that has ended without a proof: may return",
        ),
        pytest.param(
            {
                "service": a_service(),
                "marks": NONE,
                "unproved": "01RETURN",
                "holders": (Holder(run="01RETURN", title="return", state="running"),),
            },
            ["held"],
            id="opened by a return that goes on: blocks",
        ),
        pytest.param(
            {"service": disabled("broken fan")}, ["foreign-claim"], id="somebody's: blocks"
        ),
        pytest.param({"service": disabled(None)}, ["foreign-claim"], id="without a reason: blocks"),
        pytest.param(
            {"service": disabled(CLAIM, is_forced_down=True)},
            ["return/forced-down"],
            id="fenced: it is called up once nova-compute is heard: warns",
        ),
        pytest.param(
            {"is_claim_known": False},
            ["claim-unknown"],
            id="drained from another machine, perhaps at this moment: blocks",
        ),
        pytest.param({"marks": Unread("no route")}, ["node-silent"], id="silent: blocks"),
        pytest.param({"running_as": RunningAs()}, [], id="nothing of it runs: may return"),
        pytest.param(
            {"running_as": RunningAs(processes=(OF_UNIT,))},
            ["runs-although-off"],
            id="its unit runs although it is kept off: warns",
        ),
        pytest.param(
            {"running_as": RunningAs(unit_load="masked", processes=(CONTAINED,))},
            ["second-compute"],
            id="a container runs it although the unit is kept off: blocks",
        ),
        pytest.param(
            {"running_as": Unread("`ps` shows no process of others there")},
            ["processes-unseen"],
            id="what runs cannot be seen although it is kept off: warns",
        ),
        pytest.param(
            {"marks": NONE, "running_as": Unread("`ps` shows no process of others there")},
            ["processes-unseen"],
            id="what runs cannot be seen, and the unit may be started all the same: warns",
        ),
        pytest.param(
            {"marks": NONE, "running_as": RunningAs(unit_load="not-found", processes=(CONTAINED,))},
            [],
            id="a container runs it, and nothing keeps it off: may return",
        ),
        pytest.param(
            {"marks": NONE, "running_as": RunningAs(unit_load="not-found")},
            ["no-unit-to-start"],
            id="neither a process nor a unit: blocks",
        ),
        pytest.param(
            {"holders": (Holder(run="01X", title="drain", state="running"),)},
            ["held"],
            id="another run is at work on it: blocks",
        ),
    ],
)
def test_who_may_return(changes: dict[str, object], worries: list[str]) -> None:
    assert worries_of(drained(**changes)) == worries


def test_a_claim_that_is_not_known_here_is_lifted_for_who_names_its_run() -> None:
    node = drained(is_claim_known=False)

    [blocker] = plan_return(node, ReturnRequest(node="compute-07")).blockers
    other = plan_return(node, ReturnRequest(node="compute-07", run="01OTHER"))
    named = plan_return(node, ReturnRequest(node="compute-07", run="01DRAIN"))

    assert blocker.reason == (
        "run `01DRAIN` of ada on bastion has it since 2026-11-22T03:00:00Z[UTC]; "
        "the database of runs here does not have that run"
    )
    assert blocker.remedy.endswith("`stackward node return compute-07 --run 01DRAIN`")
    assert [each.worry for each in other.blockers] == ["claim-unknown"]
    assert named.blockers == ()
    again = plan_return(node, named.request)  # type: ignore[arg-type]  # it is a ReturnRequest
    assert differences(named, again).against == ()


def test_a_server_without_a_port_is_warned_of_until_a_network_is_named() -> None:

    without = plan_return(drained(), ReturnRequest(node="compute-07"))
    named = plan_return(
        drained(networks=(LAB_NET,)), ReturnRequest(node="compute-07", network="lab-net")
    )

    assert [each.worry for each in without.warnings] == ["no-port"]
    assert named.warnings == ()


def test_the_plan_remembers_which_drain_it_returns_from() -> None:
    facts = drained(drained=MovedServers(run="01DRAIN", servers=(DB,)))

    assert plan_return(facts, ReturnRequest(node="compute-07")).request == ReturnRequest(
        node="compute-07", run="01DRAIN"
    )


def test_a_node_is_uncordoned_for_its_acceptance_server_and_closed_where_that_fails() -> None:
    """The scheduler puts no server on a node that is cordoned."""
    accept = plan_return(drained(), ReturnRequest(node="compute-07")).stages[1].moves[0]

    assert [step.kind for step in accept.steps] == [
        "uncordon",
        "boot-acceptance",
        "remove-acceptance",
    ]
    assert [step.kind for step in accept.on_failed] == ["remove-acceptance", "cordon"]


def test_a_container_that_nobody_keeps_off_is_not_started_as_a_unit() -> None:
    running = RunningAs(unit_load="not-found", processes=(CONTAINED,))
    kept_on = drained(marks=NONE, running_as=running, service=disabled(CLAIM))

    plan = plan_return(kept_on, ReturnRequest(node="compute-07"))

    assert [stage.name for stage in plan.stages] == ["accept"]


def test_a_return_that_is_begun_again_proves_the_node_and_removes_what_the_first_has_left() -> None:
    node = drained(
        service=a_service(), marks=NONE, unproved="01FIRST", left_servers=("01FIRST", "01OLDER")
    )

    plan = plan_return(node, ReturnRequest(node="compute-07"))

    steps = [(stage.name, step.kind) for stage, move in plan.moves() for step in move.steps]
    assert steps == [
        ("start", "bring-up"),
        ("tidy", "remove-acceptance"),
        ("tidy", "remove-acceptance"),
        ("accept", "uncordon"),
        ("accept", "boot-acceptance"),
        ("accept", "remove-acceptance"),
    ]
    assert plan.blockers == ()
    assert "started by run `01FIRST`, which has not proved that the node works" in plan.notices
    assert "the acceptance server that run `01OLDER` has left is removed" in plan.notices
