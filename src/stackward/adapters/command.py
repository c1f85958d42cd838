"""A command of the operator, run here: its output is shown, and kept to be read.

It has our terminal: it may ask for a password there, and Ctrl-C reaches it too.
"""

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from stackward.errors import BadInput
from stackward.ports.command import Ran

_PIECE = 1 << 16
_KEPT = 1 << 20  # bytes of its output: what it says of a failure is at the end
_TO_END_S = 5.0  # after SIGTERM


def run_here(words: Sequence[str], within_s: float, show: Callable[[bytes], None]) -> Ran:
    """Run a command to its end, or until its time is over or Ctrl-C is pressed.

    Raises BadInput where it cannot be started.
    """
    began = datetime.now(UTC)
    try:
        process = subprocess.Popen(  # noqa: S603  # the operator's own words, without a shell
            list(words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(
            f"cannot start `{words[0]}`: {why or error}",
            hint="name a program of this machine; a shell's own words need `sh -c '...'`",
        ) from None
    said = bytearray()
    try:
        is_over = _listen(process, time.monotonic() + within_s, said, show)
    except KeyboardInterrupt:  # it has it too; a second one leaves at once
        is_over = False
    finally:
        _end(process)
    return Ran(
        program=words[0],
        began=began,
        ended=datetime.now(UTC),
        code=process.returncode if is_over else None,
        said=said.decode("utf-8", "replace"),
    )


def _listen(
    process: "subprocess.Popen[bytes]",
    ends: float,
    said: bytearray,
    show: Callable[[bytes], None],
) -> bool:
    """Show and keep what it writes; say whether it has ended in time."""
    if process.stdout is None:
        return False
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        while (left := ends - time.monotonic()) > 0:
            if not ready.select(left):
                continue
            piece = os.read(process.stdout.fileno(), _PIECE)
            if not piece:
                break
            show(piece)
            said += piece
            del said[:-_KEPT]
    try:
        process.wait(max(0.0, ends - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End what has not ended by itself."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_TO_END_S)
    if process.poll() is None:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
