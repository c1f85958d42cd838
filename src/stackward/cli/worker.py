"""`stackward worker`: a process that takes and carries out what was queued."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stackward.cli.options import InventoryChoice, grouped
from stackward.cli.outside import open_world, settings_here
from stackward.cli.subjects import example, subject
from stackward.errors import StepFailed
from stackward.report.times import in_words

if TYPE_CHECKING:
    from stackward.engine import Brakes, WorkerContext
    from stackward.ports.journal import Journal

app = subject("A process that carries out what was queued.")


@app.command(
    epilog=example(
        "stackward worker",
        "stackward worker --database postgresql://stackward@db.example/stackward",
        "stackward --os-cloud north worker --name north-1 --at-once 4",
        "stackward worker --once",
    )
)
@grouped
def worker(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where the runs are, without a password; by default STACKWARD_DATABASE, or the "
            "SQLite file of this machine.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="No two workers have the same; by default that of the machine."
        ),
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, max=20, metavar="N", help="Runs at a time.")] = 2,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="Leave when nothing is due any more; for a timer, where no worker runs."
        ),
    ] = False,
    choice: InventoryChoice,
) -> None:
    """Carry out the runs that `--queue` has left to the workers, until it is stopped.

    Any number of workers share a database; each takes the runs of its own cloud. If a worker
    dies, another continues its runs within a minute. SIGTERM or Ctrl-C: starts no new run,
    waits for the running moves and leaves the rest to others; again: exits at once.
    With `--once` it ends by itself, with 0; with 8 where its cloud could not be reached.
    """
    from stackward.app.carrying import worker_context
    from stackward.app.journal import with_database
    from stackward.app.workers import work
    from stackward.engine import Brakes

    settings = settings_here()
    if database is not None:
        settings = with_database(settings, database)

    @contextmanager
    def open_context(journal: "Journal") -> "Iterator[WorkerContext[Any]]":
        with open_world(context, choice) as world:
            yield worker_context(world, journal)

    brakes = Brakes(leaves_to_others=True)
    with _told_to_stop(brakes):
        work(settings, name, open_context, brakes, _say, at_once=at_once, once=once)
    if brakes.is_leaving:
        raise StepFailed(
            "exited at once, without waiting for the running moves",
            hint="another worker finishes them; `stackward run list` shows the runs",
        )


def _say(line: str) -> None:
    sys.stderr.write(f"{in_words(line)}\n")
    sys.stderr.flush()


@contextmanager
def _told_to_stop(brakes: "Brakes") -> Iterator[None]:
    """Let a signal press the brakes; the worker says what that means."""

    def press(_signal: int, _frame: object) -> None:
        brakes.press()

    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    former = {each: signal.signal(each, press) for each in signals}
    try:
        yield
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)
