"""What may be asked of placement."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from stackward.model.placement import Account, Candidate, Need, Provider, Resources


class Placement(Protocol):
    """Placement, asked as an administrator."""

    def provider(self, provider: str, /) -> Provider:
        """Return a node's account at placement; a call for each of its four parts."""
        ...

    def allocations_of(self, consumer: str, /) -> frozenset[str]:
        """Return the providers on which a server, or a migration, holds allocations."""
        ...

    def allocations_on(self, provider: str, /) -> Mapping[str, Resources]:
        """Return what each consumer holds of one provider."""
        ...

    def account_of(self, consumer: str, /) -> Account | None:
        """Return all that a consumer holds; None where it holds nothing."""
        ...

    def keep_allocations(self, account: Account, providers: Collection[str], /) -> str | None:
        """Let a consumer hold only what it has on some providers, if it is as it was read.

        Raises `Uncertain` where it has changed since: look again.
        """
        ...

    def candidates(
        self, need: Need, /, *, member_of: Sequence[str], limit: int
    ) -> tuple[Candidate, ...]:
        """Return the nodes on which placement sees room for one server of a need.

        `member_of` holds placement's own filters, all of which must be met: `in:UUID,UUID`.
        """
        ...

    def provider_names(self) -> dict[str, str]:
        """Return the name of every resource provider, by its id."""
        ...

    def provider_roots(self) -> dict[str, str]:
        """Return by the id of every resource provider that of its tree's root: a node, mostly.

        A GPU, a PCI device or the bandwidth of a card is a child of its node.
        """
        ...
