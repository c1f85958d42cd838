"""Runs that wait for their time: begun in it, never before, never later; on a clock that is set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest

from engine.fakes import House
from killing import Crash, Fate
from postgres import ON_BOTH
from stackward.adapters.store.kept import open_histories
from stackward.engine import Brakes, approve, carry_out_taken
from stackward.engine.invariants import broken_in
from stackward.engine.worker import Rhythm, WorkerConfig, work, worker_named
from stackward.errors import Locked, Refused, StackwardError, Unreachable
from stackward.model.cloud import CloudIdentity
from stackward.model.run import Approval, Run, RunState, Turn
from stackward.model.worker import Worker

HOUR_S = 3600.0
SOON = timedelta(minutes=5)  # two looks and more
# A worker that waits for hours looks seldom, here: each look takes a moment of the machine.
SELDOM = Rhythm(look_s=120, hears_s=120, beat_s=600, silent_s=7200, gap_s=7200, retry_s=600)
BOTH = ["carry a", "seal a", "carry b", "seal b"]


@dataclass
class Idle:
    """What a worker rests on: while nothing is carried out, time passes; else the run passes it."""

    house: House
    is_going: Event = field(default_factory=Event)
    has_ended: Event = field(default_factory=Event)
    on_rest: list[Callable[[], object]] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        if self.is_going.is_set():
            assert self.has_ended.wait(60)
            return
        for each in self.on_rest:
            each()
        self.house.clock.wait(seconds)

    def wake(self) -> None:
        pass


class Site:
    """A house whose runs wait for their time, and its workers."""

    def __init__(self, house: House) -> None:
        self.house, self.journal = house, house.journal
        self.said: list[str] = []

    @property
    def now(self) -> datetime:
        now: datetime = self.house.clock.now()
        return now

    def hours(self, number: float) -> datetime:
        return self.house_began + timedelta(hours=number)

    @property
    def house_began(self) -> datetime:
        return self.now - timedelta(seconds=self.house.clock.passed)

    def window(self, begins: float, ends: float) -> Turn:
        at, until = self.hours(begins), self.hours(ends)
        return Turn(at=at, by=until, until=until, asked="--window 01:00-05:00@UTC")

    def at(self, hour: float) -> Turn:
        begins = self.hours(hour)
        return Turn(at=begins, by=begins + timedelta(hours=1), asked="--at 01:00@UTC")

    def approved(self, turn: Turn | None, **asked: Any) -> Run:
        approval = Approval(by="ann", at=self.now, how="--yes")
        return approve(
            self.house.plan(**asked), approval, self.journal, for_workers=True, turn=turn
        )

    def work(
        self,
        until_s: float = 24 * HOUR_S,
        **config: Any,
    ) -> None:
        """Be a worker: once, or until that time."""
        brakes, clock = Brakes(leaves_to_others=True), self.house.clock
        idle = Idle(self.house)

        def carry(run: Run) -> Run:
            idle.is_going.set()
            idle.has_ended.clear()
            try:
                return carry_out_taken(run, self.house.context(), brakes)
            finally:
                idle.is_going.clear()
                idle.has_ended.set()

        def stop() -> None:
            if clock.passed >= until_s and not brakes.is_stopping:
                brakes.press()

        idle.on_rest.append(stop)
        me = worker_named("one", "here", clock)
        defaults: dict[str, Any] = {
            "why_not": lambda _: None,
            "say": self.said.append,
            "rhythm": Rhythm() if config.get("once") else SELDOM,
        }
        work(
            WorkerConfig(
                me=me,
                journal=self.journal,
                clock=clock,
                carry=carry,
                brakes=brakes,
                wakeup=idle,
                **(defaults | config),
            )
        )

    def once(self, **config: Any) -> None:
        self.work(once=True, **config)

    def run(self, run: Run) -> Run:
        return self.journal.run(run.id)

    def first_start(self, run: Run) -> datetime:
        return min(each.intended_at for each in self.journal.attempts(run.id))

    def pass_hours(self, number: float) -> None:
        self.house.clock.passed += number * HOUR_S


@pytest.fixture
def site(house: House) -> Iterator[Site]:
    site = Site(house)
    yield site
    for run in house.journal.runs(limit=9):
        assert_sound(house, run)


def assert_sound(house: House, run: Run) -> None:
    url = house.database or f"sqlite:///{house.place / 'journal.sqlite'}"
    with open_histories(url, run.id) as histories:
        assert [broken.found for each in histories for broken in broken_in(each)] == []


@ON_BOTH
def test_a_run_is_begun_in_its_window_and_not_before(site: Site) -> None:
    run = site.approved(site.window(2, 6))

    site.work(3 * HOUR_S)

    begun = site.first_start(run)
    assert site.run(run).state is RunState.SUCCEEDED
    assert site.hours(2) <= begun < site.hours(2) + SOON
    assert site.house.yard.changes == BOTH


def test_a_run_is_begun_at_its_time(site: Site) -> None:
    run = site.approved(site.at(5))

    site.work(6 * HOUR_S)

    assert site.run(run).state is RunState.SUCCEEDED
    assert site.hours(5) <= site.first_start(run) < site.hours(5) + SOON


def test_in_a_window_that_is_open_a_run_is_begun_at_once(site: Site) -> None:
    site.pass_hours(3)
    run = site.approved(site.window(2, 6))

    site.once()

    assert site.run(run).state is RunState.SUCCEEDED


def test_a_waiting_run_holds_its_node_only_from_its_start(site: Site) -> None:
    run = site.approved(site.window(2, 6))
    other = site.approved(None, seal=False)

    site.once()
    ended = site.run(other)
    site.house.yard.set(boxes={"a": "old", "b": "old"}, changes=[])
    site.pass_hours(2)
    site.once()

    assert ended.state is RunState.SUCCEEDED
    assert site.run(run).state is RunState.SUCCEEDED


def test_whoever_plans_for_its_node_is_shown_the_waiting_run(site: Site) -> None:
    late = site.approved(site.window(20, 22))
    soon = site.approved(site.at(2))
    other = replace(soon, id="01OTHER", holds=("another",))
    site.journal.add(other)

    waiting = site.journal.waiting(["yard"])

    assert [each.id for each in waiting] == [soon.id, late.id]
    assert site.journal.waiting([]) == []


def test_a_run_whose_plan_holds_no_more_when_its_window_opens_is_refused(site: Site) -> None:
    run = site.approved(site.window(2, 6))
    site.house.yard.set(gate="barred")

    site.work(3 * HOUR_S)

    assert (site.run(run).state, site.house.yard.changes) == (RunState.REFUSED, [])


def test_a_missed_window_is_not_begun_and_never_late(site: Site) -> None:
    run = site.approved(site.window(2, 6))
    site.pass_hours(6)

    site.once()

    ended = site.run(run)
    assert (ended.state, site.house.yard.changes) == (RunState.NOT_BEGUN, [])
    assert ended.ending.reason == (
        "it was not begun in time: its turn passed at 2026-01-01T06:00:00Z[UTC]"
    )
    assert site.house.told(run) == ["approved", "its turn passed"]
    assert any("not begun: it was not begun in time" in line for line in site.said)


def test_what_is_to_begin_at_a_time_is_not_begun_an_hour_later(site: Site) -> None:
    run = site.approved(site.at(2))
    site.pass_hours(3)

    site.once()

    assert (site.run(run).state, site.house.yard.changes) == (RunState.NOT_BEGUN, [])


def test_the_approval_lapses_with_the_window(site: Site) -> None:
    """Also where no worker has come since, to write it down."""
    run = site.approved(site.window(2, 6))
    site.pass_hours(6)

    with pytest.raises(Refused, match="its approval has lapsed"):
        site.house.carry_out(run)
    with pytest.raises(Refused, match="its approval has lapsed"):
        site.journal.queue(run.id, "bob", site.now)


def test_a_run_is_not_begun_before_its_turn_by_whoever_resumes_it(site: Site) -> None:
    run = site.approved(site.window(2, 6))

    with pytest.raises(Refused, match="is approved for a later time") as refused:
        site.house.carry_out(run)

    assert refused.value.hint == (
        f"`stackward run cancel {run.id}`, then plan again without `--window`"
    )
    with pytest.raises(Refused, match="is approved for a later time"):
        site.journal.queue(run.id, "bob", site.now)


def test_a_window_that_passed_before_the_approval_is_refused(site: Site) -> None:
    window = site.window(2, 6)
    site.pass_hours(6)

    with pytest.raises(Refused, match="passed at 2026-01-01T06:00:00Z"):
        site.approved(window)

    assert site.journal.runs(limit=9) == []


def test_a_waiting_run_is_cancelled_at_once(site: Site) -> None:
    run = site.approved(site.window(2, 6))

    site.house.cancel(run)
    site.work(3 * HOUR_S)

    assert (site.run(run).state, site.house.yard.changes) == (RunState.CANCELLED, [])


def at_the_end_of_its_window(site: Site) -> Run:
    """Return a run whose window has ended while its first box was carried."""
    run = site.approved(site.window(0, 1))
    site.house.yard.set(takes=20)

    def late() -> None:
        if site.house.yard.changes == ["carry a"]:
            site.house.clock.passed = max(site.house.clock.passed, HOUR_S)

    site.house.clock.on_wait.append(late)
    site.once()
    site.house.clock.on_wait.clear()
    return site.run(run)


def test_at_the_end_of_its_window_running_moves_finish_and_nothing_new_starts(site: Site) -> None:
    ended = at_the_end_of_its_window(site)

    assert (ended.state, ended.state.exit_code) == (RunState.STOPPED, 4)
    assert site.house.yard.changes == ["carry a", "seal a"]
    assert ended.ending.reason == (
        "its window ended at 2026-01-01T01:00:00Z[UTC]: 1 not begun in stage `carry`"
    )


def test_what_its_window_has_stopped_goes_on_in_the_next(site: Site) -> None:
    run = at_the_end_of_its_window(site)

    site.journal.queue(run.id, "bob", site.now, turn=site.window(24, 28))
    site.work(20 * HOUR_S)
    before = site.house.yard.changes
    site.work(25 * HOUR_S)

    assert before == ["carry a", "seal a"]
    assert (site.run(run).state, site.house.yard.changes) == (RunState.SUCCEEDED, BOTH)


def test_what_was_to_go_on_in_a_window_that_was_missed_is_stopped_and_not_over(
    site: Site,
) -> None:
    run = at_the_end_of_its_window(site)
    site.journal.queue(run.id, "bob", site.now, turn=site.window(24, 28))
    site.pass_hours(40)

    site.once()
    stopped = site.run(run)
    ended = site.house.carry_out(stopped)

    assert stopped.state is RunState.STOPPED
    assert "it did not go on in time" in (stopped.ending.reason or "")
    assert (ended.state, ended.turn, site.house.yard.changes) == (RunState.SUCCEEDED, None, BOTH)


def test_a_window_that_ended_binds_nobody_who_resumes_the_run_now(site: Site) -> None:
    run = at_the_end_of_its_window(site)

    ended = site.house.carry_out(run)

    assert (ended.state, site.house.yard.changes) == (RunState.SUCCEEDED, BOTH)


def test_a_window_binds_the_worker_that_takes_over_from_a_dead_one(site: Site) -> None:
    """What was under way is brought to its end; nothing new is started."""
    run = site.approved(site.window(0, 1))
    site.house.yard.set(takes=3)
    taken = site.journal.take_up(run.id, "dead", site.now, life=dead(site).life)
    with pytest.raises(Crash):
        carry_out_taken(taken, site.house.context(Fate("after carry a")), Brakes())
    site.pass_hours(2)

    site.once()

    ended = site.run(run)
    assert (ended.state, site.house.yard.changes) == (RunState.STOPPED, ["carry a", "seal a"])


def dead(site: Site) -> Worker:
    worker = replace(worker_named("dead", "elsewhere", site.house.clock), life="dead")
    site.journal.enlist(worker)
    return worker


def test_a_window_that_ends_before_anything_was_begun_leaves_it_not_begun(site: Site) -> None:
    run = site.approved(site.window(0, 1))

    taken = site.journal.take_up(run.id, "dead", site.now, life=dead(site).life)
    site.pass_hours(1)
    ended = carry_out_taken(taken, site.house.context(), Brakes())

    assert (ended.state, site.house.yard.changes) == (RunState.NOT_BEGUN, [])
    assert ended.ending.reason == (
        "its window ended at 2026-01-01T01:00:00Z[UTC]: nothing was started"
    )


def test_what_a_worker_gave_back_before_it_began_holds_nothing_and_lapses(site: Site) -> None:
    """Its cloud was away, say: the run waits as before, and its window is the same."""
    run = site.approved(site.window(0, 1))
    worker = dead(site)
    taken = site.journal.take_up(run.id, worker.name, site.now, life=worker.life)

    site.journal.retire(worker, site.now)
    other = site.approved(None)
    site.house.cancel(other)
    site.pass_hours(1)
    site.once()

    ended = site.run(run)
    assert (taken.state, ended.state) == (RunState.RUNNING, RunState.NOT_BEGUN)


def test_who_has_the_node_at_its_time_is_named_where_it_was_not_begun(site: Site) -> None:
    run = site.approved(site.window(1, 2))
    site.house.yard.set(takes=50)
    other = site.house.approved(seal=False)

    site.work(3 * HOUR_S)

    ended = site.run(run)
    assert ended.state is RunState.NOT_BEGUN
    assert ended.ending.details == (f"`yard` is held by run `{other.id}`",)
    assert any(f"`yard` is held by run `{other.id}`" in line for line in site.said)


# --- once -------------------------------------------------------------------------------------


def test_one_that_works_once_leaves_at_once_where_nothing_is_due(site: Site) -> None:
    site.approved(site.window(2, 6))

    site.once()

    assert site.house.clock.passed == 0
    assert site.said[-1] == "worker `one` has left"
    assert site.journal.workers() == []


def test_one_that_works_once_takes_up_all_that_is_due(site: Site) -> None:
    first = site.approved(None)
    site.once()
    site.house.yard.set(boxes={"a": "old", "b": "old"}, sealed=[])
    second = site.approved(site.window(0, 1))

    site.once()

    assert [site.run(each).state for each in (first, second)] == [RunState.SUCCEEDED] * 2


def test_one_that_works_once_takes_up_what_one_left_that_died(site: Site) -> None:
    run = site.approved(None)
    taken = site.journal.take_up(run.id, "dead", site.now, life=dead(site).life)
    with pytest.raises(Crash):
        carry_out_taken(taken, site.house.context(Fate("after carry a")), Brakes())
    site.house.clock.passed += 60

    site.once()

    assert (site.run(run).state, site.house.yard.changes) == (RunState.SUCCEEDED, BOTH)


def test_one_that_works_once_does_not_wait_for_those_who_live(site: Site) -> None:
    dead(site)  # it has just begun

    site.once()

    assert site.house.clock.passed == 0


def test_one_that_works_once_says_where_its_cloud_cannot_be_reached(site: Site) -> None:
    run = site.approved(None)
    cloud = CloudIdentity(id="nova-1 R", name="http://ctl:5000 R")

    def reach() -> CloudIdentity:
        raise Unreachable("no answer from Keystone")

    with pytest.raises(Unreachable, match="runs that are due were not started: no answer"):
        site.once(cloud=cloud, reach=reach)

    assert site.run(run).state is RunState.QUEUED
    assert site.journal.workers() == []


def test_two_timers_at_once_are_told_of_each_other(site: Site) -> None:
    """Two of one name: the second leaves, and what the first does goes on."""
    other = replace(worker_named("one", "elsewhere", site.house.clock), life="other")
    site.journal.enlist(other)
    beats = iter(range(1, 99))
    site.house.clock.on_wait.append(
        lambda: site.journal.show_life(replace(other, beats=next(beats)), site.now)
    )

    with pytest.raises(Locked, match="worker `one` is already running"):
        site.once()


def test_what_this_worker_may_not_carry_out_does_not_keep_it(site: Site) -> None:
    run = site.approved(None)

    site.once(why_not=lambda _: "its plan is of another version of Stackward")

    assert site.run(run).state is RunState.QUEUED
    assert site.house.clock.passed <= 1  # one look more


@pytest.mark.parametrize("died_at", range(1, 26, 2))
def test_killed_at_any_write_it_is_brought_to_its_end_in_its_window(
    site: Site, died_at: int
) -> None:
    run = site.approved(site.window(0, 1))
    worker = dead(site)
    taken = site.journal.take_up(run.id, worker.name, site.now, life=worker.life)
    try:
        carry_out_taken(taken, site.house.context(Fate(died_at)), Brakes())
    except (Crash, StackwardError):
        site.house.clock.passed += 60
    site.once()

    assert (site.run(run).state, site.house.yard.changes) == (RunState.SUCCEEDED, BOTH)
