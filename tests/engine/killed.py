"""Kill or freeze a worker at each point of its life, take the run up again, tell what is wrong.

A process of its own, because it forks: python killed.py DIRECTORY POINTS SIGKILL|SIGSTOP
A frozen worker goes on once another has brought the run to its end.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

import compiled  # noqa: E402  # found by the line above
from engine.fakes import House  # noqa: E402
from killing import Fate  # noqa: E402
from stackward.engine import Pace  # noqa: E402
from stackward.errors import StackwardError  # noqa: E402
from stackward.model.run import RunState  # noqa: E402

PACE = Pace(poll_s=0.002, grace_s=0.02, accepted_s=5, patience_s=5, verify_s=1, late_s=0.02)
SUPERSEDED = 3


@dataclass
class Watch:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def house_at(place: Path) -> House:
    return House(place, clock=Watch(), pace=PACE)


def work(place: Path, run_id: str, fate: Fate) -> int:
    """Begin to carry the run out in a process of its own; return its id."""
    worker = os.fork()
    if worker:
        return worker
    house = house_at(place)
    try:
        ended = house.carry_out(house.journal.run(run_id), fate)
    except StackwardError:  # superseded, or over before it began
        os._exit(SUPERSEDED)
    os._exit(0 if ended.state is RunState.SUCCEEDED else 1)


def wait_for(worker: int) -> int:
    """Return how a worker ended, or by which signal it was stopped."""
    _, status = os.waitpid(worker, os.WUNTRACED)
    return os.WSTOPSIG(status) if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)


def wrong_after(point: int, how: signal.Signals, place: Path) -> str | None:
    """Return what is wrong after a death or a freeze at that point; None if nothing is."""
    place.mkdir()
    house = house_at(place)
    run = house.approved()
    house.close()
    first = work(place, run.id, Fate(point, how))
    stopped = wait_for(first)
    house = house_at(place)
    if not house.journal.run(run.id).state.is_over:
        wait_for(work(place, run.id, Fate()))
    ended = 0
    if how is signal.SIGSTOP:
        os.kill(first, signal.SIGCONT)
        ended = wait_for(first)
    state, changes = house.journal.run(run.id).state, house.yard.changes
    house.close()
    is_well = (
        abs(stopped) == how
        and ended in {0, SUPERSEDED}
        and state is RunState.SUCCEEDED
        and changes == ["carry a", "seal a", "carry b", "seal b"]
    )
    return None if is_well else f"{how.name} at {point}: {stopped} {ended} {state} {changes}"


def main(directory: str, points: str, how: str) -> None:
    # Lived through once here: what its statements are compiled to is there for each that is forked.
    compiled.share()
    whole = Path(directory) / "whole"
    whole.mkdir()
    house = house_at(whole)
    house.carry_out(house.approved())
    house.close()
    for point in range(1, int(points) + 1):
        if wrong := wrong_after(point, signal.Signals[how], Path(directory) / str(point)):
            print(wrong)


if __name__ == "__main__":
    main(*sys.argv[1:])
