"""The services of one cloud, each opened when it is first asked, at the microversions we know.

Each version is the newest whose answers we read. An older cloud is asked at the newest that it has,
down to the oldest named here; what that hides is unknown:

    Nova      2.98   a server's image properties (else unknown)
              2.96   the zone that a server was asked for (else unknown)
              2.95   an evacuated server is left stopped (else none is evacuated)
              2.89   which of Cinder's attachments a server's volume has (else unknown)
              2.88   a nova-compute's uptime with its hypervisor (else at a path of its own)
              2.87   the last with `cpu_info` of a hypervisor
              2.84   why an event of an action failed, in words (else none)
              2.80   who asked for a migration (else none)
              2.79   the oldest: Train
    Cinder    3.49   the state of a backend; the oldest
    placement 1.39   the newest; 1.36, of Train, is the oldest
    Masakari  1.0
"""

from functools import partial
from typing import TYPE_CHECKING

from stackward.adapters.openstack.http import Api
from stackward.adapters.openstack.patience import Patience
from stackward.adapters.openstack.regions import region_of

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter
    from openstack.connection import Connection

NOVA = "2.96"
NOVA_OLDEST = "2.79"
NOVA_WITH_IMAGE_PROPERTIES = "2.98"
NOVA_LEAVES_STOPPED = "2.95"  # what it evacuates; before, it starts it
NOVA_HYPERVISORS = "2.87"  # `cpu_info` is gone later, where `uptime` makes it an RPC call
NOVA_UPTIME = "2.88"  # the first at which `uptime` is an RPC call to that nova-compute
PLACEMENT = "1.39"
PLACEMENT_OLDEST = "1.36"
MASAKARI = "1.0"
CINDER = "3.59"
CINDER_OLDEST = "3.49"


class Services:
    """The services that we ask."""

    def __init__(self, connection: "Connection", patience: Patience) -> None:
        def opened(name: str) -> "Adapter":
            # First: of several regions the SDK would take the one that comes first.
            region_of(connection.service_catalog, connection.config.get_region_name())
            adapter: Adapter = getattr(connection, name)
            return adapter

        def api(
            name: str, service: str, version: str | None = None, oldest: str | None = None
        ) -> Api:
            return Api(
                partial(opened, name),
                service=service,
                patience=patience,
                version=version,
                oldest=oldest,
            )

        self.keystone = api("identity", "Keystone")
        self.nova = api("compute", "Nova", NOVA, NOVA_OLDEST)
        self.placement = api("placement", "placement", PLACEMENT, PLACEMENT_OLDEST)
        self.neutron = api("network", "Neutron")
        self.glance = api("image", "Glance")
        self.cinder = api("block_storage", "Cinder", CINDER, CINDER_OLDEST)
        self.masakari = api("instance_ha", "Masakari", MASAKARI)
