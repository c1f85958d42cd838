"""What may be asked of an OpenStack cloud as a whole; each of its services has its own port.

In those ports, each reading method is one API call, or one per page or chunk of what it reads. A
service that is not in the catalog raises `NotInCatalog`. An answer that makes no sense raises
`NotUnderstood`.
"""

from typing import Protocol

from stackward.model.cloud import CloudIdentity


class Cloud(Protocol):
    """An OpenStack cloud: which it is, and what it offers."""

    def identity(self) -> CloudIdentity:
        """Return what distinguishes this cloud from others, for any user; no call, no secret."""
        ...

    def user(self) -> str:
        """Return the id of the user who asks; no call."""
        ...

    def has_service(self, kind: str, /) -> bool:
        """Say whether the catalog has a service of this type; no call."""
        ...
