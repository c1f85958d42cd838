"""Carry chains of yards out, as a worker or as a command: PLACE URL NAME [SIGNAL POINT].

A command is given the id of a chain in place of a name. A worker called `timer...` works once.
With a signal the process sends that to itself at that point: each write and each change.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

from engine.chains import Place, context_of  # noqa: E402  # found by the line above
from engine.fakes import YardWorld  # noqa: E402
from engine.killed import PACE, Watch  # noqa: E402
from engine.yard_worker import RHYTHM, say  # noqa: E402
from killing import DyingJournal, Fate  # noqa: E402
from stackward.app.carrying import carry_on  # noqa: E402
from stackward.app.workers import work  # noqa: E402
from stackward.engine import Brakes, WorkerContext  # noqa: E402
from stackward.errors import StackwardError  # noqa: E402
from stackward.report.errors import render_error  # noqa: E402
from stackward.settings import Settings  # noqa: E402


def main(place: str, url: str, name: str, how: str = "", point: str = "0") -> int:
    here, fate = Path(place), Fate(int(point), signal.Signals[how] if how else 0)
    try:
        if name.startswith("01"):
            return command(here, url, name, fate)
        be_a_worker(here, url, name, fate)
    except StackwardError as error:
        sys.stderr.write(render_error(error))
        return error.exit_code
    return 0


def command(here: Path, url: str, chain: str, fate: Fate) -> int:
    there = Place(here, database=url)
    run = there.journal.run(chain)
    ended = carry_on(run.id, there.context(fate), there.brakes, seen=run.epoch)
    there.close()
    return ended.state.exit_code


def be_a_worker(here: Path, url: str, name: str, fate: Fate) -> None:
    settings = Settings(state_dir=here, cache_dir=here, inventory=here, database=url)

    @contextmanager
    def open_context(journal: Any) -> Iterator[WorkerContext[YardWorld]]:
        yield context_of(
            here,
            DyingJournal(journal, fate),
            Watch(),
            fate,
            name,
            PACE,
        )

    is_once = name.startswith("timer")
    brakes = Brakes(leaves_to_others=True)
    signal.signal(signal.SIGTERM, lambda *_: brakes.press())
    work(settings, name, open_context, brakes, say, at_once=1, once=is_once, rhythm=RHYTHM)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
