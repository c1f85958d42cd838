"""What stands for placement in the fast tests."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from builders import a_candidate, an_id
from fakes.nova import DISABLED, FakeNova
from stackward.errors import Uncertain, Unreachable
from stackward.model.placement import (
    Account,
    Candidate,
    Need,
    Provider,
    ResourceInventory,
    Resources,
)


@dataclass
class FakePlacement:
    """Placement, by what Nova has: its hosts, and where its servers are."""

    traits: dict[str, set[str]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)  # providers whose allocations cannot be read
    unheld: set[str] = field(default_factory=set)  # servers that hold no allocations
    kinds: dict[str, str] = field(default_factory=dict)  # of consumers, where not INSTANCE
    generations: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)  # what was asked
    leftovers: dict[str, set[str]] = field(default_factory=dict)  # allocations of migrations
    inventories: dict[str, ResourceInventory] = field(
        default_factory=lambda: {
            "VCPU": ResourceInventory(total=8),
            "MEMORY_MB": ResourceInventory(total=16384),
        }
    )
    children: dict[str, str] = field(default_factory=dict)  # nested providers, with their roots
    are_roots_unread: bool = False
    unlisted: set[str] = field(default_factory=set)  # hosts of which Nova lists no hypervisor
    calls: Counter[str] = field(default_factory=Counter)
    nova: FakeNova = field(init=False, repr=False)

    def provider(self, provider: str, /) -> Provider:
        self.calls["provider"] += 4
        hosts = (*self.nova.hosts, *self.unlisted)
        host = next(host for host in hosts if an_id(host) == provider)
        held = {server.id for server in self.nova.known.values() if server.host == host}
        held -= self.unheld
        held |= {each for each, providers in self.leftovers.items() if provider in providers}
        return Provider(
            id=provider,
            allocations={each: {"VCPU": 1} for each in held},
            traits=frozenset(self.traits.get(host, set())),
            inventories=self.inventories,
        )

    def allocations_on(self, provider: str, /) -> Mapping[str, Resources]:
        self.calls["allocations on"] += 1
        if provider in self.unread:
            raise Unreachable("placement does not answer")
        return self.provider(provider).allocations

    def allocations_of(self, consumer: str, /) -> frozenset[str]:
        server = self.nova.known.get(consumer)
        self.calls["allocations"] += 1
        held = {an_id(server.host)} if server and server.host else set()
        held = set() if consumer in self.unheld else held
        return frozenset(held | self.leftovers.get(consumer, set()))

    def account_of(self, consumer: str, /) -> Account | None:
        held = self.allocations_of(consumer)
        if not held:
            return None
        return Account(
            consumer=consumer,
            generation=self.generations[consumer],
            project="demo",
            user="eve",
            allocations={each: {"VCPU": 1} for each in held},
            kind=self.kinds.get(consumer, "unknown"),
        )

    def keep_allocations(self, account: Account, providers: Collection[str], /) -> str:
        if account.generation != self.generations[account.consumer]:
            raise Uncertain("placement: the consumer has another generation")
        left = self.leftovers.pop(account.consumer, set()) & {*providers}
        if left:
            self.leftovers[account.consumer] = left
        self.generations[account.consumer] += 1
        self.kept.append((account.consumer, tuple(sorted(providers))))
        return f"req-keep-{len(self.kept)}"

    def candidates(
        self, need: Need, /, *, member_of: Sequence[str], limit: int
    ) -> tuple[Candidate, ...]:
        self.calls["candidates"] += 1
        return tuple(
            replace(a_candidate(host), name="", host=None, is_usable=True)
            for host in self.nova.hosts[:limit]
            if DISABLED not in self.traits.get(host, set())
        )

    def provider_names(self) -> dict[str, str]:
        self.calls["provider names"] += 1
        return {one.id: one.name for one in self.nova.all_hypervisors()} | {
            an_id(host): host for host in self._unlisted
        }

    def provider_roots(self) -> dict[str, str]:
        self.calls["provider roots"] += 1
        if self.are_roots_unread:
            raise Unreachable("placement does not answer")
        roots = {one: one for one in self.provider_names()}
        return roots | self.children

    @property
    def _unlisted(self) -> set[str]:
        """The provider of such a host goes with its service, as all do."""
        return self.unlisted & self.nova.computes.keys()
