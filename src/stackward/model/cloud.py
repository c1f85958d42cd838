"""Which cloud: what distinguishes it from all others, and how an operator knows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from stackward.overriding import override

CLOUD = "cloud"  # among the decisions of a plan by its id, among its facts by its name


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudIdentity:
    """One cloud, the same for every user and by each of its URLs; it holds no secret.

    The id is stored: in plans, runs, holds and observations.
    """

    id: str  # of its compute service, and the region; where the catalog has no ids, Nova's URL
    name: str  # where Keystone is, and the region: for people
    formerly: tuple[str, ...] = ()  # what plans of older versions call it

    def is_meant(self, known: "KnownCloud") -> bool | None:
        """Say whether it is the cloud that somebody wrote down; None where nobody did."""
        if known.id is not None:
            return known.id == self.id
        return None if known.name is None else known.name in self.formerly


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCloud:
    """What was written down of a cloud: older versions wrote its name, still older ones nothing."""

    id: str | None = None
    name: str | None = None

    @override
    def __str__(self) -> str:
        """Return what people know it by."""
        return f"`{self.name or self.id}`" if self.name or self.id else "not said"


def known_cloud(decisions: Mapping[str, object], facts: Mapping[str, object]) -> KnownCloud:
    """Return what the decisions and facts of a plan say of its cloud."""
    id_, name = decisions.get(CLOUD), facts.get(CLOUD)
    return KnownCloud(
        id=id_ if isinstance(id_, str) else None, name=name if isinstance(name, str) else None
    )
