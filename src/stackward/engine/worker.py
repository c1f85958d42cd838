"""Be a worker: take queued runs, several at once, and queue the runs of dead workers again.

Each worker beats in the journal. Another worker that has seen no new beat for a while buries it: in
one transaction its runs get another epoch and are queued. So the journal alone says which worker
has a run. A worker that was only frozen finds that it has none any more.
"""

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from secrets import token_hex
from typing import TypeVar

from stackward.engine.brakes import Brakes
from stackward.engine.step import said_of
from stackward.errors import (
    BadInput,
    Locked,
    OtherCloud,
    StackwardError,
    Superseded,
    Unreachable,
)
from stackward.masking import masked
from stackward.model.cloud import CloudIdentity
from stackward.model.run import Run, RunState, Said
from stackward.model.worker import SILENT_S, Worker, is_dead, was_heard
from stackward.ports.clock import Clock
from stackward.ports.journal import Journal
from stackward.ports.wakeup import Wakeup
from stackward.status.run import exists
from stackward.wording import count_of

T = TypeVar("T")

_CHAINS = 8  # that one worker has at a time: they wait for runs, and use no place of a run
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Seconds, all of them. A worker takes a dead worker's runs within `silent_s` and two looks."""

    look_s: float = 1.0  # between two looks at the queue and at the others
    hears_s: float = 5.0  # the same, while the journal itself reports what is queued
    beat_s: float = 5.0  # between two signs of life
    silent_s: float = SILENT_S  # without a new beat, a worker is dead
    gap_s: float = 10.0  # between two looks of our own: after longer, this worker itself was away
    retry_s: float = 60.0  # before a run that could not start here is tried again


@dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """What a worker works with."""

    me: Worker
    journal: Journal
    clock: Clock
    why_not: Callable[[Run], str | None]  # why it is left to others: its version, its cloud
    carry: Callable[[Run], Run]  # a run that was taken, to the point where it ends or must stop
    brakes: Brakes
    say: Callable[[str], None]
    cloud: CloudIdentity | None = None  # whose runs it takes; None: there is only one
    reach: Callable[[], CloudIdentity | None] = lambda: None  # logs in: which cloud is it now?
    wakeup: Wakeup | None = None  # what ends a wait early; None: nothing does
    hears: Callable[[], bool] = lambda: False  # does it wake us when something is queued?
    at_once: int = 2
    once: bool = False  # leave when nothing more is due
    rhythm: Rhythm = field(default_factory=Rhythm)


def worker_named(name: str, machine: str, clock: Clock) -> Worker:
    """Return the worker that this process becomes; its life has its own name."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"`{name}` cannot be the name of a worker",
            hint="use letters, digits, `.`, `_` and `-`, 63 at most; `--name` gives it another",
        )
    return Worker(name=name, life=token_hex(8), machine=machine, pid=os.getpid(), since=clock.now())


def work(config: WorkerConfig) -> None:
    """Take runs and carry them out until the brakes are pressed; then leave none behind.

    With `once`: until nothing more is due. Raises `Locked` if a living worker has the name,
    `Superseded` if this one was taken for dead.
    """
    _enlist(config)
    runs, of = count_of(config.at_once, "run"), f" of `{config.cloud.name}`" if config.cloud else ""
    config.say(f"worker `{config.me.name}`: at most {runs}{of} at a time")
    worker = _Worker(config)
    try:
        threads = config.at_once + _CHAINS
        with ThreadPoolExecutor(threads, thread_name_prefix="run") as pool:
            try:
                worker.work(pool)
            except BaseException:
                # Other workers may have our runs by now: we wait for nothing.
                config.brakes.press()
                config.brakes.press()
                raise
    except (Superseded, Unreachable):
        raise
    except BaseException:
        _retire(config)
        raise
    _retire(config)
    config.say(f"worker `{config.me.name}` has left")
    if worker.failed is not None:
        raise worker.failed


def _retire(config: WorkerConfig) -> None:
    # If the journal is away just now, the other workers bury this one: the effect is the same.
    with suppress(Unreachable):
        config.journal.retire(config.me, config.clock.now())


def _enlist(config: WorkerConfig) -> None:
    """Take the name; if a dead worker has it, bury that one first."""
    clock, sightings = config.clock, Sightings(config.rhythm)
    known = None
    while (other := config.journal.enlist(config.me)) is not None:
        is_gone = other.machine == config.me.machine and not exists(other.pid)
        if is_gone or sightings.missing([other], clock.monotonic()):
            _bury(config, other)
            continue
        if known is None:
            config.say(f"the name is that of {other}: is it alive?")
        elif (other.life, other.beats) != known:
            raise Locked(
                f"worker `{other.name}` is already running: process {other.pid} on "
                f"`{other.machine}`",
                hint="give each worker a name of its own: `--name NAME`",
            )
        known = (other.life, other.beats)
        clock.wait(config.rhythm.look_s)


def _bury(config: WorkerConfig, dead: Worker) -> None:
    for run in config.journal.bury(dead, config.clock.now()):
        config.say(f"worker `{dead.name}` has died: run `{run.id}`, {run.title}, is {run.state}")


class Sightings:
    """Which worker was last seen to beat, and when: by our own watch, only while we could look."""

    def __init__(self, rhythm: Rhythm) -> None:
        self._rhythm = rhythm
        self._since: dict[tuple[str, str, int], float] = {}
        self._looked_at: float | None = None

    def missing(self, workers: Sequence[Worker], now: float) -> list[Worker]:
        """Take note of the workers as they are; return those silent for too long."""
        was_away = self._looked_at is not None and now - self._looked_at > self._rhythm.gap_s
        before = {} if was_away else self._since
        beats = {(each.name, each.life, each.beats): each for each in workers}
        self._since = {beat: before.get(beat, now) for beat in beats}
        self._looked_at = now
        return [
            each
            for beat, each in beats.items()
            if is_dead(now - self._since[beat], self._rhythm.silent_s)
        ]


class _Worker:
    """One life of a worker, from its first look to its last."""

    def __init__(self, config: WorkerConfig) -> None:
        self._config, self._journal, self._clock = config, config.journal, config.clock
        self._rhythm, self._me = config.rhythm, config.me
        self._sightings = Sightings(config.rhythm)
        self._going: dict[str, tuple[Run, Future[Run]]] = {}
        self._not_before: dict[str, float] = {}
        self._reaching: Future[CloudIdentity | None] | None = None
        self._reach_not_before = self._clock.monotonic()
        self._beat_at = self._clock.monotonic()
        self._sought_at: float | None = None
        self._is_told = False
        self._is_due = True  # a run may be left to take, as far as was seen
        self._suspects: set[tuple[str, str, int]] | None = None  # workers that may be dead
        self.failed: StackwardError | None = None  # why a run that is due is not taken, with `once`

    def work(self, pool: ThreadPoolExecutor) -> None:
        while not self._is_over:
            self._beat()
            self._settle()
            if not self._config.brakes.is_stopping:
                self._take(pool)
            elif self._going and not self._is_told:
                self._is_told = True
                going = f"waits for what is under way in {count_of(len(self._going), 'run')}"
                self._config.say(f"takes nothing more up; {going}; again: leaves at once")
            # Last: what was queued does not wait for it. Where the last run has just ended, nothing
            # more would end the rest.
            if not self._look_for_the_dead() and not self._is_over:
                self._rest()

    @property
    def _is_over(self) -> bool:
        """Say whether the worker may leave: nothing goes on, and nothing more may start."""
        return not self._going and (self._config.brakes.is_stopping or self._has_done)

    @property
    def _has_done(self) -> bool:
        """Say whether a worker with `once` may leave: nothing is due, and no worker may be dead."""
        if not self._config.once or self._going:
            return False
        return self.failed is not None or not (self._is_due or self._suspects)

    def _rest(self) -> None:
        """Wait for the next look, or until a run was queued or has ended, or we must stop."""
        wakeup = self._config.wakeup
        if wakeup is None:
            self._clock.wait(self._rhythm.look_s)
            return
        look_s = self._rhythm.hears_s if self._config.hears() else self._rhythm.look_s
        beat_s = self._beat_at + self._rhythm.beat_s - self._clock.monotonic()
        wakeup.wait(min(look_s, max(0.0, beat_s)))

    def _aside(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> Future[T]:
        """Do it in another thread; its end is a reason to look."""
        future = pool.submit(work)
        if (wakeup := self._config.wakeup) is not None:
            future.add_done_callback(lambda _: wakeup.wake())
        return future

    def _beat(self) -> None:
        now = self._clock.monotonic()
        if now - self._beat_at >= self._rhythm.beat_s:
            self._me = replace(self._me, beats=self._me.beats + 1)
            self._journal.show_life(self._me, self._clock.now())
            self._beat_at = now

    def _look_for_the_dead(self) -> bool:
        """Bury those who have died; say whether there were any, whose runs are queued now."""
        now = self._clock.monotonic()
        if self._sought_at is not None and now - self._sought_at < self._rhythm.look_s:
            return False  # woken by what is queued: that says nothing about the others
        self._sought_at = now
        others = [each for each in self._journal.workers() if each.life != self._me.life]
        missing = self._sightings.missing(others, now)
        for dead in missing:
            _bury(self._config, dead)
        self._suspect(others, missing)
        return bool(missing)

    def _suspect(self, others: Sequence[Worker], buried: Sequence[Worker]) -> None:
        """Take note of a worker that was silent before we came, until it beats or is buried."""
        known = {(each.name, each.life, each.beats) for each in others if each not in buried}
        if self._suspects is None:
            now = self._clock.now()
            heard = {each.life for each in others if was_heard(each.beat_at, now)}
            self._suspects = {each for each in known if each[1] not in heard}
        self._suspects &= known
        self._is_due = self._is_due or bool(buried)

    def _take(self, pool: ThreadPoolExecutor) -> None:
        now = self._clock.monotonic()
        waiting = [
            run_id
            for run_id in self._journal.queued(
                self._config.cloud.id if self._config.cloud else None, at=self._clock.now()
            )
            if run_id not in self._going and now >= self._not_before.get(run_id, now)
        ]
        self._is_due = bool(waiting)
        if not waiting or not self._has_reached_its_cloud(pool):
            return
        for run_id in waiting:
            if self._config.brakes.is_stopping:
                return
            run = self._journal.run(run_id)
            if run.state is not RunState.QUEUED:
                continue  # another worker took it since we asked: do not wait for its row
            if not self._has_place(run):
                continue
            if run.is_late(self._clock.now()):
                self._lapse(run)
                continue
            if why := self._config.why_not(run):
                self._put_off(run, why)
                continue
            try:
                taken = self._journal.take_up(
                    run.id, self._me.name, self._clock.now(), life=self._me.life, seen=run.epoch
                )
            except Locked as error:
                if run.awaits_its_turn and self._journal.run(run.id).epoch == run.epoch:
                    self._put_off(run, error.message)  # its node is not free yet
                continue  # if not, another worker was quicker
            self._config.say(f"run `{run.id}`, {run.title}: started")
            self._going[run.id] = (taken, self._aside(pool, partial(self._config.carry, taken)))

    def _has_place(self, run: Run) -> bool:
        """Say whether one more run may go on here: a chain waits for others, and uses no place."""
        alike = sum(one.is_chain is run.is_chain for one, _ in self._going.values())
        return alike < (_CHAINS if run.is_chain else self._config.at_once)

    def _lapse(self, run: Run) -> None:
        """Write down that the turn of a run has passed, and why it was not begun."""
        ended = self._journal.lapse(run.id, self._clock.now())
        why = "; ".join([ended.ending.reason or "", *ended.ending.details])
        self._config.say(f"run `{run.id}`, {run.title}: {ended.state}: {why}")

    def _has_reached_its_cloud(self, pool: ThreadPoolExecutor) -> bool:
        """Log in before a run is taken; in a thread, because this worker must go on to beat.

        A worker that cannot reach its cloud would only take the run from one that can.
        """
        if self._config.cloud is None:
            return True
        if self._reaching is None:
            if self._clock.monotonic() >= self._reach_not_before:
                self._reaching = self._aside(pool, self._config.reach)
            return False
        if not self._reaching.done():
            return False
        reaching, self._reaching = self._reaching, None
        try:
            found = reaching.result()
        except StackwardError as error:
            self._wait_for_the_cloud(error.message)
            return False
        if found is None or found.id != self._config.cloud.id:
            now = f"`{found.name}`" if found else "nowhere"
            self._wait_for_the_cloud(f"its login leads to {now} by now")
            return False
        return True

    def _wait_for_the_cloud(self, why: str) -> None:
        self._reach_not_before = self._clock.monotonic() + self._rhythm.retry_s
        self._config.say(f"starts no runs: {why}")
        if self._config.once:
            self.failed = Unreachable(f"runs that are due were not started: {why}")

    def _settle(self) -> None:
        """Say how runs ended; none is left that nobody carries out."""
        for run, future in list(self._going.values()):
            if not future.done():
                continue
            del self._going[run.id]
            match future.exception():
                case None:
                    ended = future.result()
                    why = f": {ended.ending.reason}" if ended.ending.reason else ""
                    self._config.say(f"run `{run.id}`, {run.title}: {ended.state}{why}")
                case Superseded() as error:
                    self._config.say(error.message)
                case StackwardError() as error:
                    # The plan has no fault: another worker may succeed.
                    is_for_others = isinstance(error, (Unreachable, BadInput, OtherCloud))
                    state = RunState.QUEUED if is_for_others else RunState.STOPPED
                    self._give_up(run, state, said_of(error))
                case error:
                    reason = masked(
                        f"this is a defect of Stackward: {type(error).__name__}: {error}"
                    )
                    self._give_up(run, RunState.STOPPED, Said(reason=reason))

    def _give_up(self, run: Run, state: RunState, said: Said) -> None:
        try:
            self._journal.end(run.id, run.epoch, state, self._clock.now(), said)
        except Superseded:
            return  # another worker has it now, or it has ended
        self._put_off(run, said.reason or "")

    def _put_off(self, run: Run, why: str) -> None:
        self._not_before[run.id] = self._clock.monotonic() + self._rhythm.retry_s
        self._config.say(f"run `{run.id}`, {run.title}, is not carried out here: {why}")
