"""Errors that accuse another component than the one that logs them, and which one they accuse.

A service that gets no answer, is refused a connection, or gets an error from the other side is not
the one that is broken. An answer that a request makes no sense (400, 404, 409) accuses the sender
of the request: that is an error of its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from stackward.diagnosis.code_places import CodePlace, has_form, package_of
from stackward.diagnosis.signs import MOST_READ
from stackward.logs.event import Event, Raised


@dataclass(frozen=True, slots=True, kw_only=True)
class Accused:
    """What an error accuses; both are None where it says only that something else went wrong."""

    component: str | None = None
    place: CodePlace | None = None  # what was called there, where the call says it
    follows: bool = False  # it says only that something went wrong before


# By the last part of an exception's name.
TIMED_OUT = frozenset({"MessagingTimeout"})
AWAY = frozenset(
    {
        "BadGateway", "CinderConnectionFailed", "ConnectFailure", "ConnectTimeout",
        "ConnectionError", "ConnectionFailed", "ConnectionRefused", "ConnectionRefusedError",
        "CommunicationError", "DBConnectionError", "GatewayTimeout", "GlanceConnectionFailed",
        "HTTPBadGateway", "HTTPInternalServerError", "HTTPServiceUnavailable",
        "InternalServerError", "InternalServerException", "MessageDeliveryFailure",
        "NewConnectionError", "OperationalError", "PlacementAPIConnectFailure", "ReadTimeout",
        "RemoteError", "RetriableConnectionFailure", "ServiceUnavailable",
        "TooManyConnections", "UnknownConnectionError",
    }
)  # fmt: skip
# They say that something else went wrong before, and no more than that.
FOLLOWS = frozenset(
    {
        "BuildAbortException", "ExceededMaxRetries", "MaxRetriesExceeded", "NoValidBackend",
        "NoValidHost", "PortBindingFailed", "RescheduledException",
        "VirtualInterfaceCreateException", "VolumeAttachFailed", "VolumeNotCreated",
        "InstanceDeployFailure", "VifPlugTimeout",
    }
)  # fmt: skip
_NOVA_SCHEDULER = ("nova-scheduler", "nova/scheduler/manager.py")
_CINDER_SCHEDULER = ("cinder-scheduler", "cinder/scheduler/filter_scheduler.py")
_OPENVSWITCH = (
    "neutron-openvswitch-agent",
    "neutron/plugins/ml2/drivers/openvswitch/agent/ovs_neutron_agent.py",
)
# Who decides or does that, and where in its code.
_FOLLOWED: dict[str, tuple[str, str | None]] = {
    "NoValidHost": _NOVA_SCHEDULER,
    "NoValidBackend": _CINDER_SCHEDULER,
    "VolumeNotCreated": ("cinder-volume", None),
    "PortBindingFailed": ("neutron-api", None),
    "VirtualInterfaceCreateException": _OPENVSWITCH,
    "VifPlugTimeout": _OPENVSWITCH,
}
# The same without a traceback.
_SAID = (
    (re.compile(r"No valid host was found"), _NOVA_SCHEDULER),
    (re.compile(r"No valid backend was found"), _CINDER_SCHEDULER),
)

# What a module calls: the first that fits the calls of a traceback, the innermost first.
CALLS = (
    ("nova/compute/rpcapi.py", "nova-compute", "nova/compute/manager.py"),
    ("nova/conductor/rpcapi.py", "nova-conductor", "nova/conductor/manager.py"),
    ("nova/conductor/api.py", "nova-conductor", "nova/conductor/manager.py"),
    ("nova/scheduler/rpcapi.py", "nova-scheduler", "nova/scheduler/manager.py"),
    ("nova/scheduler/client/query.py", "nova-scheduler", "nova/scheduler/manager.py"),
    ("nova/scheduler/client/report.py", "placement-api", None),
    ("nova/network/neutron*", "neutron-api", None),
    ("nova/volume/cinder.py", "cinder-api", None),
    ("nova/image/glance.py", "glance-api", None),
    ("nova/virt/libvirt/host.py", "libvirtd", None),
    ("cinder/volume/rpcapi.py", "cinder-volume", "cinder/volume/manager.py"),
    ("cinder/scheduler/rpcapi.py", "cinder-scheduler", "cinder/scheduler/manager.py"),
    ("cinder/backup/rpcapi.py", "cinder-backup", "cinder/backup/manager.py"),
    ("cinder/image/glance.py", "glance-api", None),
    ("cinder/compute/nova.py", "nova-api", None),
    ("neutron/agent/rpc.py", "neutron-api", "neutron/plugins/ml2/rpc.py"),
    ("neutron/agent/dhcp/agent.py", "neutron-api", "neutron/api/rpc/handlers/dhcp_rpc.py"),
    ("neutron/agent/l3/agent.py", "neutron-api", "neutron/api/rpc/handlers/l3_rpc.py"),
    ("neutron/agent/metadata/agent.py", "nova-metadata", None),
    ("neutron/notifiers/nova.py", "nova-api", None),
    ("neutron/api/rpc/agentnotifiers/dhcp*", "neutron-dhcp-agent", "neutron/agent/dhcp/agent.py"),
    ("neutron/api/rpc/agentnotifiers/l3*", "neutron-l3-agent", "neutron/agent/l3/agent.py"),
    ("glance/*keystone*", "keystone", None),
)
# By the package of an exception or of the innermost frame.
_CLIENTS = {
    "amqp": "rabbitmq", "cinderclient": "cinder-api", "glanceclient": "glance-api",
    "keystoneclient": "keystone", "keystonemiddleware": "keystone", "kombu": "rabbitmq",
    "neutronclient": "neutron-api", "novaclient": "nova-api", "pymemcache": "memcached",
    "pymysql": "mariadb", "swiftclient": "swift-proxy",
}  # fmt: skip
# By words, where there is no traceback or its exception has a common name.
LIBVIRT = re.compile(
    r"libvirt.*(?:Failed to connect socket|Connection refused|End of file)|"
    r"Connection to libvirt (?:failed|lost)"
)
BUS = re.compile(r"system bus|[Ff]ailed to connect to bus")
# RabbitMQ says which client has gone: `closing AMQP connection <0.1.0> (... - nova-compute:3117:`.
_CLIENT_GONE = re.compile(r"closing AMQP connection .{0,120} - (?P<client>[a-z]+(?:-[a-z]+)+):\d+:")
WORDS = (
    (BUS, "dbus"),
    (
        re.compile(r"AMQP server|AMQPLAIN|rabbit|oslo_messaging.*heartbeat", re.IGNORECASE),
        "rabbitmq",
    ),
    (re.compile(r"MySQL server|DBConnectionError|pymysql\.err\.OperationalError"), "mariadb"),
    (LIBVIRT, "libvirtd"),
    (
        re.compile(r"[Ff]ailed to bind port|Binding failed for port|\('network-vif-plugged"),
        "neutron-openvswitch-agent",
    ),
    (
        re.compile(
            r"[Ii]dentity (?:server|service).*(?:unavailable|rejected)|"
            r"Unable to (?:validate token|establish connection to .*(?::5000|/identity))"
        ),
        "keystone",
    ),
)
_PORTS = {
    "5000": "keystone", "35357": "keystone", "8774": "nova-api", "8775": "nova-metadata",
    "8776": "cinder-api", "8778": "placement-api", "8780": "placement-api", "9292": "glance-api",
    "9696": "neutron-api", "5672": "rabbitmq", "3306": "mariadb", "11211": "memcached",
    "6640": "openvswitch", "6641": "ovn-databases", "6642": "ovn-databases",
}  # fmt: skip
_PORT = re.compile(r"(?:port=|[\w.\]]:)(\d{4,5})\b")
_PATHS = re.compile(r"https?://[^/\s]+/(identity|compute|volume|image|placement|networking)\b")
_OF_PATHS = {
    "identity": "keystone", "compute": "nova-api", "volume": "cinder-api", "image": "glance-api",
    "placement": "placement-api", "networking": "neutron-api",
}  # fmt: skip
_SAYS_AWAY = re.compile(
    r"ECONNREFUSED|[Cc]onnection refused|\b50[0234] (?:Internal|Bad|Service|Gateway)|"
    r"HTTP 50[0234]\b|timed out waiting for a reply|is unreachable|Unable to establish connection|"
    r"Timed out waiting for a reply|Request Failed: internal server error|Lost connection to MySQL",
)
_FAILURES_OF_SERVER = re.compile(r"\b50[0234]\b|internal server error", re.IGNORECASE)


def short(exception: str) -> str:
    """Return the last part of an exception's name, without the mark of one that came over RPC."""
    return exception.rpartition(".")[2].removesuffix("_Remote")


def accused_by(one: Event, raised: Raised | None, frames: Sequence[CodePlace]) -> Accused | None:
    """Return what an error accuses; None where it is an error of its own.

    The frames are those of the exception, the innermost last.
    """
    said = (f"{raised.exception}: {raised.message}" if raised else one.message)[:MOST_READ]
    name = short(raised.exception) if raised else ""
    if name in FOLLOWS:
        return _followed(*_FOLLOWED.get(name, (None, None)))
    if not raised:
        return _by_words(said)
    is_away = name in AWAY | TIMED_OUT or _SAYS_AWAY.search(said) is not None
    if name.endswith("ClientException"):
        is_away = _FAILURES_OF_SERVER.search(said) is not None
    if name in {"libvirtError", "libvirt.libvirtError"}:
        if BUS.search(said):
            return Accused(component="dbus")
        is_away = LIBVIRT.search(f"libvirt {said}") is not None
        return Accused(component="libvirtd") if is_away else None
    if not is_away:
        return None
    return _called(raised, frames) or Accused(
        component=next((whom for form, whom in WORDS if form.search(said)), None)
        or _by_address(said)
    )


def _followed(component: str | None, module: str | None) -> Accused:
    place = CodePlace(module=module) if module else None
    return Accused(component=component, place=place, follows=True)


@lru_cache(maxsize=1024)  # an error that repeats itself says the same words again
def _by_words(said: str) -> Accused | None:
    """Return what an error without a traceback accuses."""
    if gone := _CLIENT_GONE.search(said):
        return Accused(component=gone["client"])
    for form, whom in _SAID:
        if form.search(said):
            return _followed(*whom)
    named = next((whom for form, whom in WORDS if form.search(said)), None)
    if named or _SAYS_AWAY.search(said):
        return Accused(component=named or _by_address(said))
    return None


def _called(raised: Raised, frames: Sequence[CodePlace]) -> Accused | None:
    packages = [package_of(raised.exception), *(one.package for one in reversed(frames))]
    by_client = next((_CLIENTS[each] for each in packages if each in _CLIENTS), None)
    for each in reversed(frames):
        for form, component, module in CALLS:
            if has_form(each.module, form):
                function = each.function if each.module.endswith("rpcapi.py") else None
                place = CodePlace(module=module, function=function) if module else None
                if by_client in {"rabbitmq", "mariadb"}:
                    return Accused(component=by_client)
                return Accused(component=component, place=place)
    return Accused(component=by_client) if by_client else None


def _by_address(said: str) -> str | None:
    if found := _PATHS.search(said):
        return _OF_PATHS[found[1]]
    return next((_PORTS[one] for one in _PORT.findall(said) if one in _PORTS), None)
