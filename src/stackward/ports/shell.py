"""What we may ask of the nodes themselves: commands, as lists, never as one string."""

from typing import Protocol


class Shell(Protocol):
    """The way to run a command on a node."""
