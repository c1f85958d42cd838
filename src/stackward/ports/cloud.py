"""What may be asked of an OpenStack cloud as a whole; each of its services has a port of its own.

Of those, each reading method is one API call, or one per page or chunk of what it is asked for.
What the catalog does not have raises `NotInCatalog`, an answer that makes no sense `NotUnderstood`.
"""

from typing import Protocol

from stackward.model.cloud import CloudIdentity


class Cloud(Protocol):
    """An OpenStack cloud: which it is, and what it offers."""

    def identity(self) -> CloudIdentity:
        """Return what tells this cloud from others, whoever asks; no call, and no secret."""
        ...

    def user(self) -> str:
        """Return the id of the user by whom all is asked; no call."""
        ...

    def has_service(self, kind: str, /) -> bool:
        """Say whether the catalog has a service of this type; no call."""
        ...
