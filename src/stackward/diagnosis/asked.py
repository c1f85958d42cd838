"""What a diagnosis is asked for."""

from enum import Enum, auto


class Asked(Enum):
    """What was asked for."""

    NOW = auto()  # what is wrong now
    THEN = auto()  # a time that is over
    STORY = auto()  # a request, or a server
