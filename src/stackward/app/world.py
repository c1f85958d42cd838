"""The cloud and its nodes, to read and to change them."""

from collections.abc import Iterator
from contextlib import contextmanager

from stackward.adapters.clock import SystemClock
from stackward.adapters.openstack import connect
from stackward.adapters.power.logins import Logins
from stackward.adapters.power.named import devices_of
from stackward.adapters.ssh import Ssh
from stackward.adapters.ssh.processes import Processes
from stackward.adapters.together import Threads
from stackward.app.health_check import Looks
from stackward.model.inventory import Inventory
from stackward.ports.world import World
from stackward.settings import Settings


@contextmanager
def open_world(known: Inventory, os_cloud: str | None, settings: Settings) -> Iterator[World]:
    """Connect to the cloud and its nodes; what was opened is closed again."""
    shell, agents = Ssh(known), Processes()
    try:
        cloud = connect(os_cloud)
        yield World(
            clock=SystemClock(),
            cloud=cloud,
            nova=cloud.nova,
            placement=cloud.placement,
            neutron=cloud.neutron,
            cinder=cloud.cinder,
            glance=cloud.glance,
            keystone=cloud.keystone,
            masakari=cloud.masakari,
            shell=shell,
            power=devices_of(known, Logins(settings.bmc_auth), settings.bmc_ca, agents),
            together=Threads(),
            health=Looks(known, os_cloud, settings),
        )
    finally:
        shell.close()
        agents.close()
