"""What a recorded answer is, and what may come of a changed one."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Came(StrEnum):
    """What came of an answer."""

    READ = "read"  # it is understood: values
    UNKNOWN = "unknown"  # it is not, and that is said
    REFUSED = "error"  # a StackwardError, with what was read


@dataclass(frozen=True, kw_only=True)
class Source:
    """Somebody who answers: a recorded answer, and how Stackward reads it."""

    name: str  # who, and what: "rabbitmqctl cluster_status"
    sample: str
    is_json: bool = False
    read: Callable[[bytes], Came]  # raises AssertionError where a promise is broken
    # Whether an answer that is no answer at all is sure to be found out: free text is not.
    is_strict: bool = True

    @property
    def who(self) -> str:
        """Return who answers."""
        return self.name.partition(" ")[0]
