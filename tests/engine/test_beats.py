"""A run shows signs of life whatever it does: one that is planned anew for minutes is not dead."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from engine.fakes import FakeClock, House, Tidy, TidyOperation, YardWorld
from engine.test_lasting import stopped_half_way
from killing import Fate
from postgres import ON_BOTH
from stackward.engine import Pace, carry_out
from stackward.engine.ticks import Moving, tick
from stackward.lab.waiting import wait_until
from stackward.model.run import RunState
from stackward.model.worker import SILENT_S, is_dead, was_heard
from stackward.plan import Move, Plan
from stackward.status.run import has_living_worker, state_now

ELSEWHERE = "another-machine"
NEVER = datetime.min.replace(tzinfo=UTC)
EAGER = Pace(beat_s=0.01, poll_s=1, grace_s=5, accepted_s=20, patience_s=60, verify_s=5)

SWIFT = replace(EAGER, straggler_s=0.01, late_s=999)  # a tick that waits no longer than a beat


@dataclass
class SlowOperation(TidyOperation):
    """Takes twice as long to plan as a worker may be silent; looks how others see its run."""

    house: House
    takes_s: float = 2 * SILENT_S
    step_s: float = 5.0
    seen: list[RunState] = field(default_factory=list)
    on_way: Callable[[], object] = lambda: None  # what happens in the meantime

    @override
    def plan(self, world: YardWorld, request: Tidy, run_id: str | None) -> Plan[YardWorld]:
        if run_id is not None:
            for _ in range(int(self.takes_s / self.step_s)):
                self.pass_time(run_id)
        return super().plan(world, request, run_id)

    def pass_time(self, run_id: str) -> None:
        """Let time pass, and wait until the run has beaten since, as it would many times."""
        clock, journal = self.house.clock, self.house.journal
        self.on_way()
        clock.passed += self.step_s
        then = clock.now()
        assert wait_until(
            lambda: (journal.run(run_id).beat_at or NEVER) >= then, within_s=10, every_s=0.005
        ), "it no longer beats"
        self.seen.append(state_now(journal.run(run_id), ELSEWHERE, clock.now()))


@ON_BOTH
def test_a_run_that_is_planned_again_for_long_goes_on_to_beat(house: House) -> None:
    """Seen: resumed on a large cloud, it was planned for a minute and was called stopped."""
    run = house.approved()
    slow = SlowOperation(house)
    context = replace(house.context(), operations={Tidy.kind: slow}, pace=EAGER)

    ended = carry_out(run.id, context, house.brakes)

    assert ended.state is RunState.SUCCEEDED
    assert slow.seen == [RunState.RUNNING] * 12


def test_a_run_that_is_cancelled_while_it_is_planned_again_starts_nothing(house: House) -> None:
    run = house.approved()
    slow = SlowOperation(house, takes_s=SILENT_S, on_way=lambda: house.cancel(run))
    context = replace(house.context(), operations={Tidy.kind: slow}, pace=EAGER)

    ended = carry_out(run.id, context, house.brakes)

    assert (ended.state, house.yard.changes) == (RunState.CANCELLED, [])


@dataclass
class SlowAnswer(Fate):
    """Has every change take three times as long as a worker may be silent."""

    house: House = field(kw_only=True)
    run_id: str = field(kw_only=True)
    seen: list[RunState] = field(default_factory=list)
    on_way: Callable[[], object] = lambda: None  # what happens in the meantime

    @override
    def point(self, what: str) -> None:
        waiting = SlowOperation(self.house, seen=self.seen, on_way=self.on_way)
        for _ in range(int(3 * SILENT_S / waiting.step_s)):
            waiting.pass_time(self.run_id)


def test_a_run_that_is_resumed_beats_while_the_request_of_a_repeated_step_is_on_its_way(
    house: House,
) -> None:
    """Seen: to cordon a node again was a PUT of 90 s, and the run was called stopped meanwhile."""
    run = stopped_half_way(house)
    slow = SlowAnswer(house=house, run_id=run.id)
    context = replace(house.context(slow), journal=house.journal, pace=SWIFT)

    ended = carry_out(run.id, context, house.brakes)

    assert ended.state is RunState.SUCCEEDED
    assert house.yard.changes == ["shut", "carry a", "shut", "carry b"]
    assert len(slow.seen) >= 2 * 18
    assert set(slow.seen) == {RunState.RUNNING}


def test_a_run_that_is_cancelled_while_it_repeats_a_step_waits_for_the_request_and_goes_no_further(
    house: House,
) -> None:
    run = stopped_half_way(house)
    slow = SlowAnswer(house=house, run_id=run.id, on_way=lambda: house.cancel(run))
    context = replace(house.context(slow), journal=house.journal, pace=SWIFT)

    ended = carry_out(run.id, context, house.brakes)

    assert ended.state is RunState.CANCELLED
    assert house.yard.changes == ["shut", "carry a", "shut"]
    assert not [each for each in house.journal.attempts(run.id) if each.is_in_flight]


@pytest.mark.parametrize(
    ("silent_s", "lives"),
    [
        pytest.param(0.0, True, id="just heard"),
        pytest.param(SILENT_S - 1, True, id="not yet long"),
        pytest.param(SILENT_S, False, id="long"),
        pytest.param(None, False, id="never heard"),
    ],
)
def test_a_run_and_a_worker_are_dead_by_one_definition(
    house: House, silent_s: float | None, *, lives: bool
) -> None:
    now = FakeClock().now()
    beat_at = None if silent_s is None else now - timedelta(seconds=silent_s)
    run = replace(
        house.approved(), state=RunState.RUNNING, worker="w1", for_workers=True, beat_at=beat_at
    )

    assert has_living_worker(run, ELSEWHERE, now) is lives
    assert was_heard(beat_at, now) is lives
    assert silent_s is None or is_dead(silent_s) is not lives


def test_many_moves_that_are_busy_asking_hold_a_tick_no_longer_than_one() -> None:
    """Else a run of twenty moves would be silent for twenty times as long."""
    hold = threading.Event()
    sorted_out: list[Moving] = []

    def busy() -> Any:
        hold.wait(10)
        yield

    moving = [Moving(Move(thing=str(n), how="", steps=()), str(n), busy()) for n in range(20)]
    watch = threading.Thread(target=tick, args=(moving, 0.2, sorted_out.append), daemon=True)
    watch.start()
    watch.join(2)

    is_over = not watch.is_alive()
    hold.set()
    assert (is_over, sorted_out) == (True, [])
