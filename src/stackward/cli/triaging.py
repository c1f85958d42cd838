"""Why servers do not boot: asked for by name, and of those that an operation could not bring up."""

from typing import TYPE_CHECKING

import typer

from stackward.cli.options import InventoryChoice
from stackward.cli.outside import open_world
from stackward.cli.reading_logs import reader_here
from stackward.cli.show import say, telling
from stackward.errors import StackwardError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stackward.facts.triage import Read
    from stackward.ports.world import World
    from stackward.triage.verdict import Verdict

    Explain = Callable[[World, Sequence[str]], None]


def triaged(
    context: typer.Context, choice: InventoryChoice, servers: "Sequence[str]"
) -> "tuple[Verdict, ...]":
    """Return why each of these servers does not boot."""
    with open_world(context, choice) as world, reader_here(context, choice) as read:
        return _judged(world, read, servers)


def _judged(world: "World", read: "Read", servers: "Sequence[str]") -> "tuple[Verdict, ...]":
    from stackward.facts.triage import read_triage
    from stackward.signatures import read_signatures
    from stackward.triage.reasoning import triage

    known = read_signatures()
    with telling() as tell:
        return tuple(triage(read_triage(world, read, each, tell), known) for each in servers)


def explaining(context: typer.Context, choice: InventoryChoice) -> "Explain":
    """Return what says why servers were not brought up, each in a line; it fails no operation."""

    def explain(world: "World", servers: "Sequence[str]") -> None:
        from stackward.report.triage import shortly

        try:
            with reader_here(context, choice) as read:
                verdicts = _judged(world, read, servers)
        except StackwardError as error:
            say(f"note: why they did not boot was not read: {error.message}")
            return
        for line in shortly(verdicts):
            say(line)

    return explain
