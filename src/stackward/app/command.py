"""Where a command of the operator is run: on this machine."""

import sys
from collections.abc import Sequence

from stackward.adapters.command import run_here
from stackward.ports.command import Ran


def run_command(words: Sequence[str], within_s: float) -> Ran:
    """Run a command; what it writes is shown on stderr, because stdout has the diagnosis."""

    def show(piece: bytes) -> None:
        sys.stderr.write(piece.decode("utf-8", "replace"))
        sys.stderr.flush()

    return run_here(words, within_s, show)
