"""Who may return to service, and who is left where a drain has put it."""

from dataclasses import replace

import pytest

from builders import NOW, a_candidate, a_node, a_server, a_service, an_id
from fakes.glance import GUEST
from fakes.neutron import LAB_NET
from fakes.nova import TINY
from stackward.model.compute_process import ComputeProcess, RunningAs
from stackward.model.hypervisor import Hypervisor
from stackward.model.maintenance import (
    Away,
    Drained,
    DrainedAway,
    Holder,
    Homecoming,
    Marks,
    ReturningNode,
)
from stackward.model.placement import Provider
from stackward.model.run import RunState
from stackward.model.service import ComputeService
from stackward.model.unread import Unread
from stackward.operations.bring_back_servers.plan import plan_bring_back
from stackward.operations.return_compute_node.plan import plan_return
from stackward.plan import differences
from stackward.policy.maintenance import judge_return, why_it_stays
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.return_compute_node import ReturnRequest

CLAIM = "stackward 01DRAIN by ada on bastion since 2026-11-22T03:00:00Z: bad DIMM"
OF_UNIT = ComputeProcess(pid=7, unit="nova-compute.service")
CONTAINED = ComputeProcess(pid=8, container="docker 4f5e6a7b8c9d")
NONE = Marks(has_file=False, has_drop_in=False, is_masked=False)
HYPERVISOR = Hypervisor(id=an_id("compute-07"), name="compute-07", host="compute-07", kind="QEMU")
DB = Drained(id=an_id("db-01"), name="db-01", target="compute-08")


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
            {"service": disabled("broken fan")}, ["foreign-claim"], id="somebody's: blocks"
        ),
        pytest.param({"service": disabled(None)}, ["foreign-claim"], id="without a reason: blocks"),
        pytest.param(
            {"service": disabled(CLAIM, is_forced_down=True)}, ["forced-down"], id="fenced: blocks"
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


@pytest.mark.parametrize(
    ("blocked", "mended"),
    [
        pytest.param(
            {"service": disabled(CLAIM, is_forced_down=True)},
            {"service": disabled(CLAIM)},
            id="set up",
        ),
        pytest.param({"marks": Unread("x")}, {"marks": NONE}, id="ssh works"),
        pytest.param({"holders": (Holder(run="1", title="t", state="running"),)}, {}, id="waited"),
        pytest.param(
            {"service": disabled("fan")}, {"service": a_service()}, id="enabled by its owner"
        ),
        pytest.param({"service": a_service(), "marks": NONE}, {}, id="drained"),
    ],
)
def test_following_a_remedy_removes_the_blocker(
    blocked: dict[str, object], mended: dict[str, object]
) -> None:
    assert worries_of(drained(**blocked))
    assert worries_of(drained(**mended)) == []


def test_a_claim_that_is_not_known_here_is_lifted_for_who_names_its_run() -> None:
    node = drained(is_claim_known=False)

    [blocker] = plan_return(node, ReturnRequest(node="compute-07")).blockers
    other = plan_return(node, ReturnRequest(node="compute-07", run="01OTHER"))
    named = plan_return(node, ReturnRequest(node="compute-07", run="01DRAIN"))

    assert blocker.reason == (
        "run `01DRAIN` of ada on bastion has it since 2026-11-22T03:00:00Z[UTC]; "
        "the journal here does not know that run"
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
    facts = drained(drained=DrainedAway(run="01DRAIN", servers=(DB,)))

    assert plan_return(facts, ReturnRequest(node="compute-07")).request == ReturnRequest(
        node="compute-07", run="01DRAIN"
    )


# --- coming home ---


def home(*away: Away, service: ComputeService | None = None) -> Homecoming:
    return Homecoming(
        name="compute-07",
        host="compute-07",
        service=service or a_service(),
        hypervisor=HYPERVISOR,
        drained=DrainedAway(run="01DRAIN", servers=(DB,)),
        away=away,
    )


def away(**changes: object) -> Away:
    server = replace(a_server(host="compute-08"), **changes)  # type: ignore[arg-type]  # its fields
    return Away(drained=DB, server=server)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        pytest.param(away(), None, id="where the drain put it: comes home"),
        pytest.param(Away(drained=DB, server=None), "it was deleted", id="deleted"),
        pytest.param(away(host="compute-07"), "it is on `compute-07` already", id="home"),
        pytest.param(
            away(host="compute-09"),
            "it is on `compute-09`, and the drain put it on `compute-08`",
            id="moved by others",
        ),
        pytest.param(away(task_state="resize_prep"), "it is busy (resize_prep)", id="busy"),
    ],
)
def test_who_is_left_alone(one: Away, why: str | None) -> None:
    assert why_it_stays(one, home(one)) == why


def test_nobody_comes_home_to_a_closed_node_until_it_is_returned() -> None:
    asked = BringBackRequest(node="compute-07", run="01DRAIN")

    closed = plan_bring_back(home(service=disabled(CLAIM)), asked)

    assert [each.worry for each in closed.blockers] == ["home-closed"]
    assert plan_bring_back(home(), asked).blockers == ()


def movable(name: str) -> Away:
    """Return a server that may come home from `compute-08`, where it is alone."""
    server = a_server(name=name, host="compute-08")
    there = a_node(
        server,
        candidates=(a_candidate("compute-07"),),
        name="compute-08",
        host="compute-08",
        service=a_service("compute-08"),
        provider=Provider(id=an_id("compute-08"), allocations={server.id: {"VCPU": 1}}),
    )
    return Away(
        drained=Drained(id=server.id, name=name, target="compute-08"), server=server, node=there
    )


@pytest.mark.parametrize(
    ("source", "because"),
    [
        pytest.param(
            {"service": disabled(CLAIM), "claiming_run": RunState.STOPPED},
            "run `01DRAIN` of ada has it, and is stopped",
            id="claimed by a run that could go on",
        ),
        pytest.param(
            {"service": disabled(CLAIM), "claiming_run": RunState.RUNNING},
            "run `01DRAIN` of ada has it, and goes on",
            id="claimed by a run that goes on",
        ),
        pytest.param(
            {"service": disabled(CLAIM)},
            "run `01DRAIN` of ada on bastion has it since 2026-11-22T03:00:00Z[UTC]; "
            "the journal here does not know that run",
            id="claimed by a run of another machine",
        ),
        pytest.param(
            {
                "service": a_service(is_enabled=False, is_up=False, disabled_reason=CLAIM),
                "claiming_run": RunState.SUCCEEDED,
            },
            "its nova-compute is down, although the machine answers",
            id="in maintenance, and kept off",
        ),
        pytest.param(
            {"service": a_service(is_up=False)},
            "its nova-compute is down, although the machine answers",
            id="down",
        ),
    ],
)
def test_who_is_on_a_node_that_gives_nobody_away_stays_and_the_others_come(
    source: dict[str, object], because: str
) -> None:
    stays, comes = movable("db-01"), movable("db-02")
    assert stays.node is not None
    there = replace(stays.node, **source)  # type: ignore[arg-type]  # its fields
    asked = BringBackRequest(node="compute-07", run="01DRAIN")

    plan = plan_bring_back(home(replace(stays, node=there), comes), asked)

    assert [move.thing for _, move in plan.moves()] == ["db-02"]
    [warning] = [each for each in plan.warnings if each.worry == "stays-away"]
    assert (warning.thing, warning.reason) == ("db-01", f"stays on `compute-08`: {because}")


def test_who_was_left_on_a_node_in_maintenance_whose_service_runs_comes_home() -> None:
    one = movable("db-01")
    assert one.node is not None
    kept = replace(one.node, service=disabled(CLAIM), claiming_run=RunState.SUCCEEDED)
    asked = BringBackRequest(node="compute-07", run="01DRAIN")

    plan = plan_bring_back(home(replace(one, node=kept)), asked)

    assert [move.thing for _, move in plan.moves()] == ["db-01"]


def test_a_server_that_is_deleted_meanwhile_keeps_nobody_from_coming_home() -> None:
    one, other = movable("db-01"), movable("db-02")
    asked = BringBackRequest(node="compute-07", run="01DRAIN")
    approved = plan_bring_back(home(one, other), asked)

    fresh = plan_bring_back(home(one, replace(other, server=None, node=None)), asked)

    found = differences(approved, fresh)
    assert [move.thing for _, move in approved.moves()] == ["db-01", "db-02"]
    assert (found.against, found.told) == ((), ("`db-02` is gone: nothing to do for it",))


def test_a_server_for_which_there_is_no_room_at_home_stays_away() -> None:
    server = a_server(host="compute-08")
    there = a_node(
        server, candidates=(), name="compute-08", host="compute-08", service=a_service("compute-08")
    )
    one = Away(drained=DB, server=server, node=there)

    plan = plan_bring_back(home(one), BringBackRequest(node="compute-07", run="01DRAIN"))

    assert list(plan.moves()) == []
    assert [each.worry for each in plan.warnings] == ["stays-away"]


def test_a_container_that_nobody_keeps_off_is_not_started_as_a_unit() -> None:
    running = RunningAs(unit_load="not-found", processes=(CONTAINED,))
    kept_on = drained(marks=NONE, running_as=running, service=disabled(CLAIM))

    plan = plan_return(kept_on, ReturnRequest(node="compute-07"))

    assert [stage.name for stage in plan.stages] == ["accept"]
