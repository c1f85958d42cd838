"""Be a worker of the yard: python yard_worker.py PLACE URL NAME [SIGNAL POINT].

With a signal it sends that to itself at that point of its first run: each write and each change.
"""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

from engine.fakes import TidyOperation, Yard, YardWorld  # noqa: E402  # found by the line above
from engine.killed import PACE, Watch  # noqa: E402
from killing import DyingJournal, Fate  # noqa: E402
from stackward.app.workers import work  # noqa: E402
from stackward.engine import Brakes, Rhythm, WorkerContext  # noqa: E402
from stackward.errors import StackwardError  # noqa: E402
from stackward.report.errors import render_error  # noqa: E402
from stackward.settings import Settings  # noqa: E402

RHYTHM = Rhythm(look_s=0.05, hears_s=0.3, beat_s=0.2, silent_s=2.0, gap_s=1.0, retry_s=0.5)


def main(place: str, url: str, name: str, how: str = "", point: str = "0") -> int:
    here = Path(place)
    fate = Fate(int(point), signal.Signals[how] if how else 0)
    settings = Settings(state_dir=here, cache_dir=here, inventory=here, database=url)

    @contextmanager
    def open_context(journal: Any) -> Iterator[WorkerContext[YardWorld]]:
        world = YardWorld(Watch(), Yard(here / "yard", fate))
        yield WorkerContext(
            journal=DyingJournal(journal, fate),
            operations={"tidy": TidyOperation()},
            kinds=TidyOperation.kinds,
            clock=world.clock,
            world_of=lambda run: replace(world, yard=Yard(here / run.holds[0], fate), run=run),
            worker=name,
            pace=replace(PACE, poll_s=0.05, grace_s=0.2, patience_s=20),
        )

    brakes = Brakes(leaves_to_others=True)
    signal.signal(signal.SIGTERM, lambda *_: brakes.press())
    try:
        work(settings, name, open_context, brakes, say, at_once=3, rhythm=RHYTHM)
    except StackwardError as error:
        sys.stderr.write(render_error(error))
        return error.exit_code
    return 0


def say(line: str) -> None:
    print(f"{time.monotonic():.2f} {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
