"""What placement has: accounts of nodes, and the room that it sees."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Resources = Mapping[str, int]
"""How much of each resource class, as placement counts: VCPU, MEMORY_MB, DISK_GB, ..."""

DISABLED = "COMPUTE_STATUS_DISABLED"  # the trait by which placement keeps servers off a node


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceInventory:
    """What a resource provider has of one resource class."""

    total: int
    reserved: int = 0
    ratio: float = 1.0

    @property
    def capacity(self) -> int:
        """Return what placement gives away of it, at most."""
        return int((self.total - self.reserved) * self.ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A resource provider of placement: the node's account."""

    id: str
    inventories: Mapping[str, ResourceInventory] = field(default_factory=dict)
    usages: Resources = field(default_factory=dict)
    allocations: Mapping[str, Resources] = field(default_factory=dict)  # by consumer
    traits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All that one consumer holds; `generation` is what it had when it was read."""

    consumer: str
    generation: int | None
    project: str
    user: str
    allocations: Mapping[str, Resources] = field(default_factory=dict)  # by provider
    kind: str | None = None  # INSTANCE, MIGRATION, ...; None: placement is too old to say


@dataclass(frozen=True, slots=True)
class Need:
    """What one kind of server asks of a node; servers of equal needs share one question."""

    resources: tuple[tuple[str, int], ...]  # sorted
    required: tuple[str, ...] = ()  # traits
    forbidden: tuple[str, ...] = ()
    zone: str | None = None
    further: tuple[
        tuple[str, str], ...
    ] = ()  # granular groups, as placement is asked: `resources1`

    @property
    def amounts(self) -> Resources:
        """Return the resources by class."""
        return dict(self.resources)

    @property
    def all_required(self) -> frozenset[str]:
        """Return the traits that are required, those of granular groups among them."""
        granular = (
            trait
            for name, traits in self.further
            if name.startswith("required")
            for trait in traits.split(",")
            if not trait.startswith("!")
        )
        return frozenset((*self.required, *granular))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A node on which placement sees room for one server of a need."""

    provider: str
    name: str  # of the provider, which is the hypervisor's
    capacity: Resources
    used: Resources
    traits: frozenset[str] = frozenset()
    host: str | None = None  # Nova's service there; None where none is known
    is_usable: bool = True  # its service is enabled and up
