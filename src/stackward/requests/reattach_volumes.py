"""What is asked of a repair of a server's volumes."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.settings import LOGIN_PATTERN


@dataclass(frozen=True, slots=True, kw_only=True)
class ReattachRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "reattach-volumes"

    server: str  # its name or id; in a plan its id
    volumes: tuple[str, ...] = ()  # names or ids; in a plan ids; none: all of the server
    waits_for_prompt: bool = True  # before a volume is detached or attached
    pattern: str = LOGIN_PATTERN  # that the last line of the console has then
