"""The cloud and its nodes, to read and to change them."""

from collections.abc import Iterator
from contextlib import contextmanager

from stackward.adapters.clock import SystemClock
from stackward.adapters.openstack import connect
from stackward.adapters.power import Devices
from stackward.adapters.ssh import Ssh
from stackward.adapters.together import Threads
from stackward.model.inventory import Inventory
from stackward.ports.world import World


@contextmanager
def open_world(known: Inventory, os_cloud: str | None) -> Iterator[World]:
    """Connect to the cloud and its nodes; what was opened is closed again."""
    shell = Ssh(known)
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
            power=Devices({}),
            together=Threads(),
        )
    finally:
        shell.close()
