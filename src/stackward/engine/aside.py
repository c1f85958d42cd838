"""Do what may take long in a thread of its own, and show signs of life in the meantime."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

Done = TypeVar("Done")


def aside(work: Callable[[], Done], every_s: float, beat: Callable[[], None]) -> Done:
    """Return what `work` returns, or raise what it raises; call `beat` until it has ended.

    An error of `beat` ends the wait. The thread goes on by itself then, so `work` must only read.
    """
    ended = threading.Event()
    came: list[Done] = []
    failed: list[BaseException] = []
    context = copy_context()

    def run() -> None:
        try:
            came.append(context.run(work))
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that waits
            failed.append(error)
        finally:
            ended.set()

    # A daemon: a process that must exit does not wait for a slow answer.
    threading.Thread(target=run, name="aside", daemon=True).start()
    while not ended.wait(every_s):
        beat()
    if failed:
        raise failed[0]
    return came[0]
