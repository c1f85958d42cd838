"""A cloud small enough to hold in the head; it refuses what the real one refuses."""

from collections import Counter
from dataclasses import dataclass, field

from fakes.cinder import FakeCinder
from fakes.glance import FakeGlance
from fakes.health import FakeHealth
from fakes.keystone import FakeKeystone
from fakes.masakari import FakeMasakari
from fakes.neutron import FakeNeutron
from fakes.nova import FakeNova
from fakes.placement import FakePlacement
from stackward.model.cloud import CloudIdentity


@dataclass
class FakeCloud:
    """Its services, which know of one another; `calls` counts what all of them are asked."""

    nova: FakeNova = field(default_factory=FakeNova)
    placement: FakePlacement = field(default_factory=FakePlacement)
    neutron: FakeNeutron = field(default_factory=FakeNeutron)
    cinder: FakeCinder = field(default_factory=FakeCinder)
    glance: FakeGlance = field(default_factory=FakeGlance)
    keystone: FakeKeystone = field(default_factory=FakeKeystone)
    masakari: FakeMasakari = field(default_factory=FakeMasakari)
    catalog: frozenset[str] = frozenset({"compute"})
    place: str = "http://ctl:5000 RegionOne"
    service_id: str = ""  # in the catalog; else each place is another cloud
    health: FakeHealth = field(default_factory=FakeHealth)  # as a look at all of it finds it
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        services = (self.nova, self.placement, self.neutron, self.cinder, self.masakari)
        for each in services:
            each.calls = self.calls
        for one in (self.placement, self.neutron, self.cinder):
            one.nova = self.nova
        self.nova.placement = self.placement
        self.masakari.cloud = self

    def identity(self) -> CloudIdentity:
        id_ = self.service_id or f"nova of {self.place}"
        return CloudIdentity(id=id_, name=self.place, formerly=(self.place,))

    def user(self) -> str:
        return "ops"

    def has_service(self, kind: str, /) -> bool:
        return kind in self.catalog
