"""Host aggregates, as Nova has them; some are availability zones."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A host aggregate; one with an `availability_zone` is also a zone."""

    uuid: str
    name: str
    hosts: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def zone(self) -> str | None:
        """Return the availability zone that it makes, if it does."""
        return dict(self.metadata).get("availability_zone")
