"""A worker that is told of what is queued looks rarely, and still loses no time and no beat."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.fakes import FakeClock, House
from engine.killed import Watch
from stackward.adapters.wakeup import SocketWakeup
from stackward.engine import Brakes, approve
from stackward.engine.worker import Rhythm, WorkerConfig, work, worker_named
from stackward.lab.waiting import wait_until
from stackward.model.cloud import CloudIdentity
from stackward.model.run import Approval, Run, RunState, Said
from stackward.plan import of_cloud

WITHIN_S = 60.0  # a guard against hanging, not a measure
NEVER = Rhythm(look_s=600, hears_s=600, beat_s=600)  # who is not woken does nothing in this test
EAST = CloudIdentity(id="nova-1 East", name="https://east.example:5000 East")
pytestmark = pytest.mark.journal_by_hand  # nobody carries the steps out here
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Waking:
    """A wait whose time passes at once; counts what was asked of the journal on the way."""

    def __init__(self, clock: FakeClock, brakes: Brakes, until_s: float, early_s: float) -> None:
        self._clock, self._brakes = clock, brakes
        self._until_s, self._early_s = until_s, early_s

    def wait(self, seconds: float) -> None:
        self._clock.wait(min(seconds, self._early_s))
        if self._clock.passed >= self._until_s:
            self._brakes.press()

    def wake(self) -> None:
        pass


class Counting:
    """A journal that counts what it is asked."""

    def __init__(self, journal: Any, clock: FakeClock) -> None:
        self._journal, self._clock = journal, clock
        self.asked, self.beats = Counter[str](), list[float]()

    def __getattr__(self, name: str) -> Any:
        self.asked[name] += 1
        if name == "show_life":
            self.beats.append(self._clock.monotonic())
        return getattr(self._journal, name)


def carried(house: House) -> Callable[[Run], Run]:
    def carry(run: Run) -> Run:
        return house.journal.end(run.id, run.epoch, RunState.SUCCEEDED, house.clock.now(), Said())

    return carry


def config(house: House, brakes: Brakes, **more: Any) -> WorkerConfig:
    clock = more.pop("clock", house.clock)
    usual: dict[str, Any] = {
        "me": worker_named("one", "here", clock),
        "journal": house.journal,
        "clock": clock,
        "why_not": lambda _: None,
        "carry": carried(house),
        "brakes": brakes,
        "say": lambda _: None,
        "hears": lambda: True,
        "at_once": 1,
        "rhythm": NEVER,
    }
    return WorkerConfig(**{**usual, **more})


@pytest.fixture
def house(tmp_path: Path, database: str) -> Iterator[House]:
    house = House(tmp_path, clock=Watch(), database=database)
    yield house
    house.close()


def queue(house: House, node: str, cloud: CloudIdentity | None = None) -> Run:
    plan = replace(house.plan(), holds=(node,))
    approval = Approval(by="ann", at=house.clock.now(), how="--yes")
    given = of_cloud(plan, cloud) if cloud else plan
    return approve(given, approval, house.journal, for_workers=True)


def at_work(given: WorkerConfig) -> threading.Thread:
    working = threading.Thread(target=work, args=(given,), daemon=True)
    working.start()
    return working


def is_left(working: threading.Thread) -> bool:
    working.join(WITHIN_S)
    return not working.is_alive()


@ON_SQLITE
def test_the_end_of_a_run_frees_its_place_at_once_and_the_brakes_end_a_wait(house: House) -> None:
    runs, brakes = [queue(house, f"c{n}") for n in range(4)], Brakes()
    with closing(SocketWakeup()) as wakeup:
        brakes.when_pressed(wakeup.wake)
        working = at_work(config(house, brakes, wakeup=wakeup))

        are_over = wait_until(
            lambda: all(house.journal.run(each.id).state.is_over for each in runs),
            within_s=WITHIN_S,
            every_s=0.02,
        )
        brakes.press()

        assert (are_over, is_left(working)) == (True, True)


@ON_SQLITE
def test_a_worker_that_is_stopped_while_its_last_run_ends_leaves_with_that(house: House) -> None:
    """Seen: it had been woken for both at once, and rested once more with nothing to wake it."""
    run, brakes = queue(house, "c01"), Brakes()

    def carry(taken: Run) -> Run:
        ended = carried(house)(taken)
        brakes.press()  # wakes nobody: what wakes the worker is the end of the run
        return ended

    with closing(SocketWakeup()) as wakeup:
        working = at_work(replace(config(house, brakes, wakeup=wakeup), carry=carry))
        has_left = is_left(working)
        wakeup.wake()

    assert (house.journal.run(run.id).state.is_over, has_left) == (True, True)


@ON_SQLITE
def test_a_login_that_is_done_is_not_waited_for_any_longer(house: House) -> None:
    run, brakes, reached = queue(house, "c01", EAST), Brakes(), threading.Event()

    def reach() -> CloudIdentity:
        reached.wait(WITHIN_S)
        return EAST

    with closing(SocketWakeup()) as wakeup:
        brakes.when_pressed(wakeup.wake)
        me = replace(worker_named("one", "here", house.clock), cloud=EAST.id)
        working = at_work(config(house, brakes, me=me, wakeup=wakeup, cloud=EAST, reach=reach))
        reached.set()

        is_over = wait_until(
            lambda: house.journal.run(run.id).state.is_over, within_s=WITHIN_S, every_s=0.02
        )
        brakes.press()

        assert (is_over, is_left(working)) == (True, True)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_is_queued_in_postgresql_begins_without_a_look(house: House) -> None:
    brakes, said = Brakes(), list[str]()
    with (
        closing(SocketWakeup()) as wakeup,
        house.journal.heard("one", wakeup.wake, said.append) as hears,
    ):
        assert wait_until(hears, within_s=WITHIN_S, every_s=0.02)
        brakes.when_pressed(wakeup.wake)
        working = at_work(config(house, brakes, wakeup=wakeup, hears=hears))
        assert wait_until(lambda: bool(house.journal.workers()), within_s=WITHIN_S, every_s=0.02)

        run = queue(house, "c01")
        is_over = wait_until(
            lambda: house.journal.run(run.id).state.is_over, within_s=WITHIN_S, every_s=0.02
        )
        brakes.press()

        assert (is_over, is_left(working), said) == (True, True, [])


@ON_SQLITE
@pytest.mark.parametrize(
    ("hears", "early_s", "looks"),
    [
        pytest.param(True, 600.0, range(119, 123), id="told of it: every five seconds"),
        pytest.param(False, 600.0, range(590, 603), id="not told: every second"),
        pytest.param(True, 0.1, range(590, 6100), id="woken all the time"),
    ],
)
def test_a_worker_that_waits_beats_as_usual_however_rarely_or_often_it_looks(
    house: House, early_s: float, looks: range, *, hears: bool
) -> None:
    clock, brakes = FakeClock(), Brakes()
    journal = Counting(house.journal, clock)
    rhythm = Rhythm()

    work(
        config(
            house,
            brakes,
            clock=clock,
            journal=journal,
            wakeup=Waking(clock, brakes, until_s=600, early_s=early_s),
            hears=lambda: hears,
            rhythm=rhythm,
        )
    )

    between = [
        later - earlier for earlier, later in zip(journal.beats, journal.beats[1:], strict=False)
    ]
    assert max(between) <= 2 * rhythm.beat_s
    assert journal.asked["show_life"] in range(100, 121)
    assert journal.asked["queued"] in looks
    assert journal.asked["workers"] <= 600 / rhythm.look_s + 2


def test_dead_workers_are_looked_for_more_often_than_we_would_count_as_away_ourselves() -> None:
    rhythm = Rhythm()

    assert max(rhythm.look_s, rhythm.hears_s) * 1.5 < rhythm.gap_s
    assert rhythm.beat_s + rhythm.silent_s + 2 * rhythm.hears_s < 60
