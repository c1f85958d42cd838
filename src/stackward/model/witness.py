"""What others hear of a machine: at which of its addresses it answers, at which it does not."""

from dataclasses import dataclass
from enum import StrEnum


class Sign(StrEnum):
    """Whether something was seen; what could not be asked is no sign either way."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """What came of calling a machine at its addresses, from other nodes."""

    heard: tuple[str, ...] = ()  # in words, each with who heard it
    silent: tuple[str, ...] = ()  # addresses that were called, and where nothing answered
    unknown: tuple[str, ...] = ()  # addresses that nobody could call, each with the reason
    asked: tuple[str, ...] = ()  # the nodes that called
    why: str = ""  # why nobody called

    @property
    def sign(self) -> Sign:
        """Say whether the machine is heard; it is not only where some address is known silent."""
        if self.heard:
            return Sign.YES
        return Sign.NO if self.silent and not self.unknown else Sign.UNKNOWN

    @property
    def text(self) -> str:
        """Say what came of it."""
        if self.heard:
            return "; ".join(self.heard)
        by = ", ".join(f"`{each}`" for each in self.asked)
        if self.unknown or not self.silent:
            return "; ".join(self.unknown) or self.why or "it has no address that is known"
        return f"no answer at {', '.join(self.silent)} (asked from {by})"
