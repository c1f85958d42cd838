"""What the journal tells of a node that was taken out of service, and of those who left it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from builders import NOW, a_server, an_id
from fakes.cloud import FakeCloud
from fakes.world import a_world
from histories import bring_to, end
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.engine import approve
from stackward.facts.compute import read_compute_node
from stackward.facts.moved import read_drained
from stackward.kinds import KINDS
from stackward.model.claim import Claim
from stackward.model.maintenance import MovedServers
from stackward.model.run import Approval, Event, Run, RunState, Said, Settled
from stackward.operations import plan_request
from stackward.operations.bring_back_servers.facts import read_homecoming
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.plan import CAUGHT_UP, Json, dump_move
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.return_compute_node import ReturnRequest

NODE = "compute-07"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    made = SqlJournal(open_database(url_of(tmp_path)))
    yield made
    made.close()


def approval(journal: SqlJournal) -> Approval:
    """Approve a second later than the run before: ids sort by time."""
    return Approval(by="ada", at=NOW + timedelta(seconds=len(journal.runs(limit=9))), how="--yes")


def claim_of(run: str) -> str:
    return str(Claim(run=run, operator="ada", machine="bastion", since="now", reason="DIMM"))


def begun_drain(journal: SqlJournal, *servers: str, node: str = NODE) -> Run:
    """Begin a drain of a node with these servers; none has moved."""
    cloud = FakeCloud()
    cloud.nova.add(*(a_server(name=name, host=node) for name in servers))
    facts = read_compute_node(a_world(cloud), node)
    plan = plan_drain(facts, DrainRequest(node=node, reason="DIMM"))
    return journal.take_up(approve(plan, approval(journal), journal).id, "worker", NOW)


def moved(journal: SqlJournal, run: Run, stage: str, server: str, target: str) -> None:
    bring_to(journal, run, stage)
    attempt = journal.intend(run.id, run.epoch, f"{stage}/{an_id(server)}/0", {}, NOW)
    saw = {"target": target}
    journal.settle(run.id, run.epoch, attempt, Settled.DONE, NOW, said=Said(), saw=saw)


def a_drain(
    journal: SqlJournal, *servers: str, state: RunState = RunState.SUCCEEDED, node: str = NODE
) -> str:
    """Return the id of a drain that has ended so, and has moved these servers."""
    run = begun_drain(journal, *servers, node=node)
    for server in servers:
        moved(journal, run, "move", server, "compute-08")
    return end(journal, run, state).id


def a_failed_return(journal: SqlJournal, claim: str, run: str | None = None) -> str:
    """Return the id of a return of the node that bore this claim, and that has failed."""
    cloud = FakeCloud()
    cloud.nova.disable_service(cloud.nova.computes[NODE].id, claim)
    plan = plan_request(a_world(cloud), journal, ReturnRequest(node=NODE, run=run))
    taken = journal.take_up(approve(plan, approval(journal), journal).id, "worker", NOW)
    return journal.end(taken.id, taken.epoch, RunState.FAILED, NOW, Said()).id


def drained(journal: SqlJournal, text: str | None = None) -> MovedServers | None:
    return read_drained(journal, KINDS, FakeCloud().identity().id, NODE, run=None, text=text)


# --- which drain ---


def test_after_a_failed_return_it_is_the_drain_that_it_returned_from(journal: SqlJournal) -> None:
    a_drain(journal, "db-01", "db-02")
    stopped = a_drain(journal, "db-03", state=RunState.STOPPED)

    failed = a_failed_return(journal, claim_of(stopped))
    again = a_failed_return(journal, claim_of(failed))

    found = drained(journal, claim_of(again))
    assert found is not None
    assert (found.run, [each.name for each in found.servers]) == (stopped, ["db-03"])


def test_after_a_return_from_a_drain_that_is_not_known_here_there_is_none(
    journal: SqlJournal,
) -> None:
    a_drain(journal, "db-01")

    failed = a_failed_return(journal, claim_of("01ELSEWHERE"), run="01ELSEWHERE")

    assert drained(journal, claim_of(failed)) is None


def test_a_server_that_had_left_before_its_move_was_not_moved_by_the_run(
    journal: SqlJournal,
) -> None:
    run = begun_drain(journal, "db-01", "db-02")
    bring_to(journal, run, "move")
    saw: dict[str, Json] = {"target": "compute-08"}
    journal.found_done(run.id, run.epoch, f"move/{an_id('db-01')}/0", NOW, saw)
    moved(journal, run, "move", "db-02", "compute-08")
    end(journal, run, RunState.SUCCEEDED)

    found = drained(journal)

    assert found is not None
    assert [each.name for each in found.servers] == ["db-02"]


@pytest.mark.parametrize(
    "state", [RunState.SUCCEEDED, RunState.STOPPED, RunState.FAILED, RunState.CANCELLED]
)
def test_without_a_claim_it_is_the_newest_that_moved_anything_however_it_ended(
    journal: SqlJournal, state: RunState
) -> None:
    a_drain(journal, "db-01", "db-02")
    newest = a_drain(journal, "db-03", state=state)
    a_drain(journal)

    found = drained(journal)

    assert found is not None
    assert found.run == newest


# --- whom it moved ---


def test_a_server_that_arrived_during_the_drain_is_remembered_with_the_others(
    journal: SqlJournal,
) -> None:
    drain = begun_drain(journal, "db-01")
    cloud = FakeCloud()
    cloud.nova.add(a_server(name="late"))
    later = plan_drain(
        read_compute_node(a_world(cloud), NODE), DrainRequest(node=NODE, reason="DIMM")
    )
    moves: list[Json] = [dump_move(move) for stage, move in later.moves() if stage.name == "move"]
    said = Event(at=NOW, epoch=drain.epoch, what=CAUGHT_UP, step="arrivals", says={"moves": moves})
    journal.tell(drain.id, said)
    moved(journal, drain, "move", "db-01", "compute-08")
    moved(journal, drain, "arrivals", "late", "compute-09")

    found = drained(journal, claim_of(drain.id))

    assert found is not None
    assert [(each.name, each.target) for each in found.servers] == [
        ("db-01", "compute-08"),
        ("late", "compute-09"),
    ]


# --- where they are now ---


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.SUCCEEDED])
def test_how_the_run_stands_that_claims_the_node_where_a_server_is_now(
    journal: SqlJournal, state: RunState
) -> None:
    drain = a_drain(journal, "db-01")
    other = a_drain(journal, state=state, node="compute-08")
    cloud = FakeCloud()
    cloud.nova.add(a_server(host="compute-08"))
    cloud.nova.disable_service(cloud.nova.computes["compute-08"].id, claim_of(other))

    home = read_homecoming(a_world(cloud), journal, BringBackRequest(node=NODE, run=drain), None)

    assert [each.node and each.node.claiming_run for each in home.away] == [state]
