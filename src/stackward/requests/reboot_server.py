"""What is asked of a reboot."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class RebootRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "reboot-server"

    server: str  # its name or its id; in a plan its id
    is_hard: bool = False  # switch it off and on without asking its guest
    # Of what Nova would delete by it: Cinder's attachments, and volumes that only Nova has.
    delete_attachments: tuple[str, ...] = ()
