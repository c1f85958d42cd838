"""What is asked of an undo."""

from dataclasses import dataclass, field
from typing import ClassVar

from stackward.plan import FLAT
from stackward.requests.how_to_move import HowToMove


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "undo-run"

    run: str
    image: str | None = None  # for the acceptance server, as in a return; so the next two
    flavor: str | None = None
    network: str | None = None
    how: HowToMove = field(default=HowToMove(), metadata=FLAT)  # with the consents of the run
    keep_service: bool = False  # of a return: the drain that undoes it leaves nova-compute running
