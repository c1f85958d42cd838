"""What the steps of a chain may ask of the runs that it begins; the engine answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stackward.model.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class InItem:
    """Where in a chain a run is: of which item, and which of the runs of that."""

    item: str
    part: int = 0
    is_last: bool = True  # False: another run follows, for which the chain keeps the node


class Children(Protocol):
    """The runs of one chain, as the worker sees them that has the chain."""

    def newest(self, place: InItem, /) -> Run | None:
        """Return the last run that was started there; None: there is none yet."""
        ...

    def see_to(self, run: Run, /) -> None:
        """Have a run carried on that nobody carries out, as when its worker has died."""
        ...

    def begin(
        self,
        place: InItem,
        asked: Mapping[str, Any],
        decisions: Mapping[str, str],
        /,
        *,
        needs_well: bool = False,
    ) -> None:
        """Plan a run from fresh facts and start it; or go on with one that stopped.

        `decisions` are those of its plan that was approved with the chain. With `needs_well`, the
        first run of an item is started only while the cloud is well. Raises `StepFailed` if more
        than was approved would be needed, `Locked` if another run has its node.
        """
        ...
