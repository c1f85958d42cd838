"""`override`, which only checkers read: loading the real one takes 2 ms of every command."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # until Python 3.12 is the oldest
    from typing_extensions import override as override  # noqa: PLC0414  # for others
else:

    def override(method):  # noqa: ANN001, ANN201  # as above
        """Return the method as it is."""
        return method
