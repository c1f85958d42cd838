"""Runs carried out as the product does it: by a command, with its own journal."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from platform import node

import pytest

from builders import a_server, asking
from engine.fakes import FakeClock, House
from fakes.cloud import FakeCloud
from fakes.world import a_world
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.app.carrying import carry_on, worker_context
from stackward.app.journal import open_journal
from stackward.engine import Brakes, approve, carry_out
from stackward.errors import Locked, Refused
from stackward.kinds import read_plan
from stackward.model.run import Approval, RunState, Said
from stackward.operations import plan_request
from stackward.plan import to_json
from stackward.settings import Settings
from stackward.status.run import refuse_a_living_worker


def test_a_run_is_carried_out_durably_and_remembered(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, cache_dir=tmp_path, inventory=tmp_path / "inventory")
    house = House(tmp_path)
    run = house.approved()

    ended = carry_on(run.id, house.context(), house.brakes)

    house.close()
    with open_journal(settings) as journal:
        assert journal.run(run.id) == ended
    assert ended.state is RunState.SUCCEEDED
    assert house.yard.changes == ["carry a", "seal a", "carry b", "seal b"]


def test_a_run_that_cannot_be_taken_up_says_so(tmp_path: Path) -> None:
    house = House(tmp_path)
    run = house.carry_out(house.approved())

    with pytest.raises(Refused, match="is over"):
        carry_on(run.id, house.context(), house.brakes)

    house.close()


def test_a_run_that_stopped_can_be_carried_on(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.yard.set(trouble="no wax")
    stopped = carry_on(house.approved().id, house.context(), house.brakes)

    house.yard.set(trouble="")
    ended = carry_on(stopped.id, house.context(), house.brakes, seen=stopped.epoch)

    house.close()
    assert (stopped.state, ended.state) == (RunState.STOPPED, RunState.SUCCEEDED)


def test_who_waits_for_a_run_looks_meanwhile_and_once_when_it_has_ended(tmp_path: Path) -> None:
    house = House(tmp_path)
    run = house.approved()
    seen: list[RunState] = []

    carry_on(
        run.id, house.context(), house.brakes, lambda: seen.append(house.journal.run(run.id).state)
    )

    house.close()
    assert seen[-1] is RunState.SUCCEEDED


@pytest.mark.parametrize(
    ("worker", "is_refused"),
    [
        pytest.param(f"{node()}:1", True, id="a process of this machine lives"),
        pytest.param(f"{node()}:4194304", False, id="no such process here"),
        pytest.param("elsewhere:1", True, id="another machine's worker beat a moment ago"),
    ],
)
def test_a_run_is_not_taken_from_a_living_worker(
    tmp_path: Path, worker: str, *, is_refused: bool
) -> None:
    house = House(tmp_path)
    run = house.approved()
    taken = house.journal.take_up(run.id, worker, house.clock.now())

    with pytest.raises(Locked) if is_refused else nullcontext():
        refuse_a_living_worker(taken, node(), house.clock.now())

    house.close()


def test_a_drain_is_carried_out_as_planned_and_stored(tmp_path: Path) -> None:
    servers = [a_server(name="db-01"), a_server("SHUTOFF", name="db-02")]
    cloud = FakeCloud()
    cloud.nova.add(*servers)
    world = replace(a_world(cloud), clock=FakeClock(on_wait=[cloud.nova.pass_time]))
    journal = SqlJournal(open_database(url_of(tmp_path)))
    plan = read_plan(to_json(plan_request(world, journal, asking())))
    approval = Approval(by="ann", at=world.clock.now(), how="--yes")

    run = approve(plan, approval, journal)
    ended = carry_out(run.id, worker_context(world, journal), Brakes())

    told = [(event.step, event.what, event.says) for event in journal.events(run.id)]
    journal.close()
    assert (ended.state, ended.ending) == (RunState.SUCCEEDED, Said()), told
