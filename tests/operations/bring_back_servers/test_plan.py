"""Who comes home, and who is left where a drain has put it."""

from dataclasses import replace

import pytest

from builders import a_candidate, a_node, a_server, a_service, an_id
from stackward.model.hypervisor import Hypervisor
from stackward.model.maintenance import (
    AwayServer,
    BringBackFacts,
    MovedServer,
    MovedServers,
)
from stackward.model.placement import Provider
from stackward.model.run import RunState
from stackward.model.service import ComputeService
from stackward.operations.bring_back_servers.plan import plan_bring_back
from stackward.plan import differences
from stackward.policy.maintenance import why_it_stays
from stackward.requests.bring_back_servers import BringBackRequest

CLAIM = "stackward 01DRAIN by ada on bastion since 2026-11-22T03:00:00Z: bad DIMM"
HYPERVISOR = Hypervisor(id=an_id("compute-07"), name="compute-07", host="compute-07", kind="QEMU")
DB = MovedServer(id=an_id("db-01"), name="db-01", target="compute-08")


def disabled(reason: str) -> ComputeService:
    return a_service(is_enabled=False, disabled_reason=reason)


def home(*away: AwayServer, service: ComputeService | None = None) -> BringBackFacts:
    return BringBackFacts(
        name="compute-07",
        host="compute-07",
        service=service or a_service(),
        hypervisor=HYPERVISOR,
        drained=MovedServers(run="01DRAIN", servers=(DB,)),
        away=away,
    )


def away(**changes: object) -> AwayServer:
    server = replace(a_server(host="compute-08"), **changes)  # type: ignore[arg-type]  # its fields
    return AwayServer(drained=DB, server=server)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        pytest.param(away(), None, id="where the drain put it: comes home"),
        pytest.param(AwayServer(drained=DB, server=None), "it was deleted", id="deleted"),
        pytest.param(away(host="compute-07"), "it is on `compute-07` already", id="home"),
        pytest.param(
            away(host="compute-09"),
            "it is on `compute-09`, and the drain put it on `compute-08`",
            id="moved by others",
        ),
        pytest.param(away(task_state="resize_prep"), "it is busy (resize_prep)", id="busy"),
    ],
)
def test_who_is_left_alone(one: AwayServer, why: str | None) -> None:
    assert why_it_stays(one, home(one)) == why


def test_nobody_comes_home_to_a_closed_node_until_it_is_returned() -> None:
    asked = BringBackRequest(node="compute-07", run="01DRAIN")

    closed = plan_bring_back(home(service=disabled(CLAIM)), asked)

    assert [each.worry for each in closed.blockers] == ["home-closed"]
    assert plan_bring_back(home(), asked).blockers == ()


def movable(name: str) -> AwayServer:
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
    return AwayServer(
        drained=MovedServer(id=server.id, name=name, target="compute-08"), server=server, node=there
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
            "it is held by run `01DRAIN` of ada, which still goes on",
            id="claimed by a run that goes on",
        ),
        pytest.param(
            {"service": disabled(CLAIM)},
            "run `01DRAIN` of ada on bastion has it since 2026-11-22T03:00:00Z[UTC]; "
            "the database of runs here does not have that run",
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
    one = AwayServer(drained=DB, server=server, node=there)

    plan = plan_bring_back(home(one), BringBackRequest(node="compute-07", run="01DRAIN"))

    assert list(plan.moves()) == []
    assert [each.worry for each in plan.warnings] == ["stays-away"]
