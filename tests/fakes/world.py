"""The ports over a cloud, whichever it is, and its nodes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, get_type_hints

from fakes.clock import FakeClock
from fakes.cloud import FakeCloud
from fakes.power import FakePower
from fakes.shell import FakeShell
from fakes.together import OneByOne
from stackward.ports.clock import Clock
from stackward.ports.power import Power
from stackward.ports.shell import Shell
from stackward.ports.world import Acting, World

if TYPE_CHECKING:
    from stackward.adapters.openstack import OpenStackCloud

Connected: TypeAlias = "FakeCloud | OpenStackCloud"

NOT_OF_THE_CLOUD = {"clock", "cloud", "shell", "power", "together", "health", "acting", "children"}

SERVICES: Mapping[str, type] = {
    name: port for name, port in get_type_hints(World).items() if name not in NOT_OF_THE_CLOUD
}


def a_world_over(
    cloud: Connected, shell: Shell, clock: Clock | None = None, power: Power | None = None
) -> World:
    """Return the ports over a cloud and its nodes."""
    clock = clock or FakeClock()
    if isinstance(shell, FakeShell) and shell.clock is None:
        shell.clock = clock
    return World(
        clock=clock,
        cloud=cloud,
        nova=cloud.nova,
        placement=cloud.placement,
        neutron=cloud.neutron,
        cinder=cloud.cinder,
        glance=cloud.glance,
        keystone=cloud.keystone,
        masakari=cloud.masakari,
        shell=shell,
        power=power or FakePower(),
        together=OneByOne(),
        health=cloud.health if isinstance(cloud, FakeCloud) else None,
    )


def a_world(
    cloud: FakeCloud,
    shell: FakeShell | None = None,
    run: str = "01J9",
    power: FakePower | None = None,
) -> World:
    """Return the ports over a fake cloud, for one run."""
    acting = Acting(run=run, operator="ada", machine="bastion")
    return replace(a_world_over(cloud, shell or FakeShell(cloud), power=power), acting=acting)
