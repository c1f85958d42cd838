"""How wide the lines of the command that runs may be."""

import sys
from contextvars import ContextVar
from typing import TextIO

from stackward.report.text import terminal_width

_is_wide: ContextVar[bool] = ContextVar("_is_wide", default=False)  # of the command that runs


def keep_wide(wide: bool) -> bool:  # as typer calls it
    """Let no line of the command that runs be broken, if so."""
    _is_wide.set(wide)
    return wide


def width_here(stream: TextIO | None = None) -> int | None:
    """Return how wide a line on a terminal may be; None for a pipe, a file, or with `--wide`."""
    return None if _is_wide.get() else terminal_width(stream or sys.stdout)
