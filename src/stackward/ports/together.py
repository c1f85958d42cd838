"""Several questions at once, so that one which hangs delays no other."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

Key = TypeVar("Key")
Told = TypeVar("Told")


class Together(Protocol):
    """Asks side by side."""

    def ask(
        self, questions: Mapping[Key, Callable[[], Told]], *, within_s: float, at_once: int = 100
    ) -> dict[Key, Told | None]:
        """Return each answer under its key; None for what was not answered in time.

        What a question raises is raised here. The deadline is for all of them together.
        """
        ...
