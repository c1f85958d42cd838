"""What we may ask of an OpenStack cloud; steps, checks and facts ask nothing else of it."""

from typing import Protocol


class Cloud(Protocol):
    """An OpenStack cloud."""
