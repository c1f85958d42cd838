"""Whose log an event is in, where the name of its file is not that of a component."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

from stackward.diagnosis.code_places import has_form
from stackward.logs.event import Event

# What devstack and older packages call a component.
OTHER_NAMES = {
    "n-api": "nova-api", "n-api-meta": "nova-metadata", "n-cond": "nova-conductor",
    "n-cond-cell1": "nova-conductor", "n-super-cond": "nova-conductor", "n-cpu": "nova-compute",
    "n-sch": "nova-scheduler", "n-novnc": "nova-novncproxy", "n-cauth": "nova-consoleauth",
    "c-api": "cinder-api", "c-sch": "cinder-scheduler", "c-vol": "cinder-volume",
    "c-bak": "cinder-backup", "g-api": "glance-api", "g-reg": "glance-registry",
    "q-svc": "neutron-api", "q-agt": "neutron-openvswitch-agent", "q-dhcp": "neutron-dhcp-agent",
    "q-l3": "neutron-l3-agent", "q-meta": "neutron-metadata-agent", "neutron-server": "neutron-api",
    "placement": "placement-api", "nova-placement-api": "placement-api",
    "nova-api-metadata": "nova-metadata", "key": "keystone", "apache-keystone": "keystone",
    "s-proxy": "swift-proxy", "openvswitch-agent": "neutron-openvswitch-agent",
    "dhcp-agent": "neutron-dhcp-agent", "l3-agent": "neutron-l3-agent",
    "metadata-agent": "neutron-metadata-agent", "key-admin": "keystone",
    "keystone": "keystone", "nova-placement": "placement-api",
    "nova-api-os-compute": "nova-api", "nova-api-wsgi": "nova-api",
    "nova-osapi-compute": "nova-api", "nova-metadata-api": "nova-metadata",
    "nova-super-conductor": "nova-conductor", "nova-cell-conductor": "nova-conductor",
    "n-net": "nova-network", "n-crt": "nova-cert", "n-obj": "nova-objectstore",
    "n-cell-region": "nova-cells", "n-cell-child": "nova-cells",
    "n-spice": "nova-spicehtml5proxy", "n-sproxy": "nova-serialproxy",
    "linuxbridge-agent": "neutron-linuxbridge-agent", "metering-agent": "neutron-metering-agent",
    "q-metering": "neutron-metering-agent", "ovn-metadata-agent": "neutron-ovn-metadata-agent",
    "q-ovn-metadata-agent": "neutron-ovn-metadata-agent", "h-eng": "heat-engine",
    "h-api": "heat-api", "h-api-cfn": "heat-api-cfn",
}  # fmt: skip
# Files named by the part that a service's process plays, in a folder named by the service.
IN_FOLDERS = {
    ("cinder", "api"): "cinder-api", ("cinder", "volume"): "cinder-volume",
    ("cinder", "scheduler"): "cinder-scheduler", ("cinder", "backup"): "cinder-backup",
    ("glance", "api"): "glance-api", ("glance", "registry"): "glance-registry",
    ("neutron", "server"): "neutron-api", ("nova", "api"): "nova-api",
    ("nova", "compute"): "nova-compute", ("nova", "conductor"): "nova-conductor",
    ("nova", "scheduler"): "nova-scheduler",
}  # fmt: skip
# Who runs a module; the first that fits. What several processes run is not here.
OF_MODULES = (
    ("nova/api/metadata/*", "nova-metadata"),
    ("nova/api/openstack/placement/*", "placement-api"),
    ("nova/api/*", "nova-api"),
    ("nova/compute/manager.py", "nova-compute"),
    ("nova/compute/resource_tracker.py", "nova-compute"),
    ("nova/compute/claims.py", "nova-compute"),
    ("nova/compute/api.py", "nova-api"),
    ("nova/virt/*", "nova-compute"),
    ("nova/conductor/manager.py", "nova-conductor"),
    ("nova/conductor/tasks/*", "nova-conductor"),
    ("nova/scheduler/manager.py", "nova-scheduler"),
    ("nova/scheduler/filter*", "nova-scheduler"),
    ("nova/scheduler/host_manager.py", "nova-scheduler"),
    ("nova/scheduler/weights/*", "nova-scheduler"),
    ("nova/console/*", "nova-novncproxy"),
    ("nova/network/manager.py", "nova-network"),
    ("nova/network/floating_ips.py", "nova-network"),
    ("nova/cells/*", "nova-cells"),
    ("cinder/api/*", "cinder-api"),
    ("cinder/volume/api.py", "cinder-api"),
    ("cinder/volume/flows/api/*", "cinder-api"),
    ("cinder/volume/manager.py", "cinder-volume"),
    ("cinder/volume/flows/manager/*", "cinder-volume"),
    ("cinder/volume/drivers/*", "cinder-volume"),
    ("cinder/volume/targets/*", "cinder-volume"),
    ("cinder/brick/*", "cinder-volume"),
    ("cinder/scheduler/*", "cinder-scheduler"),
    ("cinder/backup/manager.py", "cinder-backup"),
    ("cinder/backup/*", "cinder-backup"),
    ("neutron/agent/dhcp/*", "neutron-dhcp-agent"),
    ("neutron/agent/linux/dhcp.py", "neutron-dhcp-agent"),
    ("neutron/agent/l3/*", "neutron-l3-agent"),
    ("neutron/agent/metadata/*", "neutron-metadata-agent"),
    ("neutron/agent/ovn/*", "neutron-ovn-metadata-agent"),
    ("neutron/plugins/ml2/drivers/openvswitch/agent/*", "neutron-openvswitch-agent"),
    ("neutron/plugins/ml2/drivers/linuxbridge/agent/*", "neutron-linuxbridge-agent"),
    ("neutron/plugins/ml2/drivers/agent/*", "neutron-openvswitch-agent"),
    ("neutron/api/*", "neutron-api"),
    ("neutron/db/*", "neutron-api"),
    ("neutron/plugins/*", "neutron-api"),
    ("neutron/services/*", "neutron-api"),
    ("neutron/ipam/*", "neutron-api"),
    ("neutron/scheduler/*", "neutron-api"),
    ("neutron/server/*", "neutron-api"),
    ("neutron/quota/*", "neutron-api"),
    ("neutron/pecan_wsgi/*", "neutron-api"),
    ("glance/*", "glance-api"),
    ("keystone/*", "keystone"),
    ("placement/*", "placement-api"),
    ("openstack_dashboard/*", "horizon"),
)
# How deep in a request a component is: a higher one is called by a lower one.
DEPTH = {
    "horizon": 0, "nova-api": 1, "cinder-api": 2, "nova-conductor": 2, "nova-scheduler": 3,
    "nova-compute": 4, "cinder-scheduler": 4, "neutron-api": 5, "neutron-rpc-server": 5,
    "glance-api": 5, "placement-api": 5, "nova-network": 5, "cinder-volume": 6, "cinder-backup": 6,
    "neutron-openvswitch-agent": 6, "neutron-l3-agent": 6, "neutron-dhcp-agent": 6,
    "neutron-metadata-agent": 6, "neutron-ovn-metadata-agent": 6, "keystone": 7, "libvirtd": 7,
    "openvswitch": 7, "ovn-controller": 7, "rabbitmq": 8, "mariadb": 8, "memcached": 8,
    "dbus": 8, "machine": 9,
}  # fmt: skip
USUAL_DEPTH = 4
MIXED = ""  # means a file in which several components log
ALL_NAMES = frozenset({*OTHER_NAMES.values(), *IN_FOLDERS.values(), *DEPTH})

_AROUND = re.compile(r"^(?:screen-|devstack[@-]|apache2?-|httpd-)+")
_OF_APACHE = re.compile(r"(?:-wsgi)?(?:-main|-admin)?-error$")  # what a service has printed there
_NAME = re.compile(r"[A-Za-z0-9_@-]+?(?=\.|$|-\d{6,}|_\d{6,})")
_LEVEL_OF_PATH = "/"


@cache
def component_of_module(module: str) -> str | None:
    """Return whose process runs this module; None where several do."""
    return next((name for form, name in OF_MODULES if has_form(module, form)), None)


@cache
def named(file: str, component: str) -> str | None:
    """Return the component that a file's name means."""
    parts = file.strip(_LEVEL_OF_PATH).split(_LEVEL_OF_PATH)
    found = _NAME.match(_AROUND.sub("", parts[-1]))
    name = found[0].replace("_", "-") if found else parts[-1]
    name = _OF_APACHE.sub("", name)
    if len(parts) > 1 and (known := IN_FOLDERS.get((parts[-2], name))):
        return known
    return OTHER_NAMES.get(name) or OTHER_NAMES.get(_AROUND.sub("", component))


def components_of(events: Iterable[Event], known: frozenset[str]) -> Mapping[tuple[str, str], str]:
    """Return whose log each file of each node is, where the reader of logs did not know it.

    Of a file whose name says nothing, such as `syslog`, the loggers in it decide, event by event.
    """
    voted: dict[tuple[str, str], Counter[str]] = {}
    found: dict[tuple[str, str], str] = {}
    for one in events:
        key = (one.node, one.file)
        if one.component in known or key in found:
            continue
        if name := named(one.file, one.component):
            found[key] = name
        elif owner := component_of_module(f"{one.module.replace('.', '/')}.py"):
            voted.setdefault(key, Counter())[owner] += 1
    for key, votes in voted.items():
        if key not in found:
            found[key] = next(iter(votes)) if len(votes) == 1 else MIXED
    return found
