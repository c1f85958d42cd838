"""From the intent to start a step to its order, nobody waits: the order would be out of date.

During a wait another worker may take the run over and do the step, or an operator may stop the run.
The engine starts a step within `starting`. There, an adapter gives up instead of waiting, and asks
`confirm_order` just before it sends an order.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_confirm: ContextVar[Callable[[], None] | None] = ContextVar("confirm", default=None)


@contextmanager
def starting(confirm: Callable[[], None]) -> Iterator[None]:
    """Start a step in this thread; `confirm` raises where its orders may not be sent any more."""
    token = _confirm.set(confirm)
    try:
        yield
    finally:
        _confirm.reset(token)


@contextmanager
def with_confirm(confirm: Callable[[], None]) -> Iterator[None]:
    """Have a step's own reason asked too, just before its order is sent."""
    before = _confirm.get()

    def both() -> None:
        if before is not None:
            before()
        confirm()

    with starting(both):
        yield


def is_starting() -> bool:
    """Say whether a step is being started in this thread."""
    return _confirm.get() is not None


def confirm_order() -> None:
    """Make sure that an order may be sent now; raise why not."""
    if (confirm := _confirm.get()) is not None:
        confirm()
