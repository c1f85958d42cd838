"""What a server's owner wishes for its maintenance, and what the owner has agreed to."""

from dataclasses import dataclass
from enum import StrEnum

WISH = "stackward:maintenance"  # the key in the server's metadata


class Wish(StrEnum):
    """The words that an owner may write under that key."""

    LIVE = "live"  # never stop it
    COLD = "cold"  # stop it for the time of its move
    STOP = "stop"  # move it live, but stop it rather than let that take long
    LEAVE = "leave"  # do not move it
    ASK = "ask"  # ask before it is moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """An owner's word that one server may be moved, and where that word can be read."""

    server: str  # its id
    reference: str  # a ticket, a mail
