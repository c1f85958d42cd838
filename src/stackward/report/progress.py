"""Show what is being done now and how long it took: live on a terminal, as lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress


class Phases:
    """Phases of a long work, several of which may go on at the same time; all goes to stderr.

    Use it as a context manager around the whole work.
    """

    def __init__(self) -> None:
        self._live: Progress | None = None

    def __enter__(self) -> Self:
        """Begin to show."""
        if sys.stderr.isatty():
            # Only a terminal needs rich, and a command that shows nothing live need not load it.
            from rich.console import Console  # noqa: PLC0415
            from rich.progress import (  # noqa: PLC0415
                Progress,
                SpinnerColumn,
                TextColumn,
                TimeElapsedColumn,
            )

            self._live = Progress(
                SpinnerColumn(finished_text="[green]✓[/]"),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave what was shown last."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Show `name` as going on for as long as the block lasts, then how long it took."""
        if self._live is not None:
            task = self._live.add_task(name, total=1)
            yield
            self._live.update(task, completed=1)
            return
        began = time.monotonic()
        sys.stderr.write(f"{name} ...\n")
        yield
        sys.stderr.write(f"{name}: {time.monotonic() - began:.1f} s\n")

    def tell(self, line: str) -> None:
        """Say something that stays."""
        if self._live is not None:
            self._live.console.print(line, highlight=False, markup=False)
        else:
            sys.stderr.write(line + "\n")
