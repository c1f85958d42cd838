"""What the steps of a chain may ask of the runs that it begins; the engine answers."""

from collections.abc import Mapping
from typing import Any, Protocol

from stackward.model.run import Run


class Children(Protocol):
    """The runs of one chain, as the worker sees them that has the chain."""

    def newest(self, item: str, /) -> Run | None:
        """Return the last run that was begun for an item; None: there is none yet."""
        ...

    def see_to(self, run: Run, /) -> None:
        """Have a run carried on that nobody carries out, as when its worker has died."""
        ...

    def begin(self, item: str, asked: Mapping[str, Any], decisions: Mapping[str, str], /) -> None:
        """Plan a run of the item from fresh facts and begin it; or go on with one that stopped.

        `decisions` are those of its plan that was approved with the chain.
        Raises `StepFailed` where more than was approved would be needed, `Locked` where another
        run has its node.
        """
        ...
