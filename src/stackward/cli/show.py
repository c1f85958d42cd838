"""What commands print: data to stdout, in the form that was asked for."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stackward.cli.width import width_here
from stackward.report.colour import painted
from stackward.report.tables import Form, Table, render_rows
from stackward.report.text import on_one_line, wrap

if TYPE_CHECKING:
    from stackward.cli.options import Output


def say(text: str) -> None:
    """Write words for people to stderr, in lines that fit its terminal."""
    sys.stderr.write("".join(f"{line}\n" for line in wrap(text, width_here(sys.stderr))))


def say_next(text: str) -> None:
    """Write what can be done next as the last thing of a command that has done its work."""
    sys.stderr.write("\n")
    say(f"hint: {text}")


def refuse_columns(there: Sequence[str], output: "Output") -> None:
    """Refuse a column that will not be there, before anything is done whose rows would have it."""
    Table(columns=tuple(there), rows=()).only(output.columns)


def write(text: str, form: Form) -> None:
    """Print data; what the terminal or the pipe has no letters for is spelled out.

    In YAML, where an escape only means something within quotes, the document is written again.
    """
    if form is Form.YAML and not _can_write(text):
        import yaml

        text = str(yaml.safe_dump(yaml.safe_load(text), sort_keys=False))
    sys.stdout.write(painted(text, sys.stdout) if form is Form.TABLE else text)


def _can_write(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def show(table: Table, output: "Output") -> None:
    """Print the rows, cut to the columns that are named, if any are."""
    write(render_rows(table.only(output.columns), output.form, width_here()), output.form)


@contextmanager
def telling() -> Iterator[Callable[[str], None]]:
    """Show on a terminal what is done at the moment, in one line that goes when it is over."""
    if not sys.stderr.isatty():
        yield lambda _said: None
        return
    width = (width_here(sys.stderr) or 80) - 1
    blank = f"\r{' ' * width}\r"

    def tell(said: str) -> None:
        sys.stderr.write(f"{blank}{on_one_line(said)[:width]}")
        sys.stderr.flush()

    try:
        yield tell
    finally:
        sys.stderr.write(blank)
        sys.stderr.flush()
