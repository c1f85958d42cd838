"""Neutron's JSON as values."""

from stackward.adapters.openstack.answers import Json, text
from stackward.model.network import Network, NetworkAgent, Port


def to_port(given: Json) -> Port:
    """Read an element of `GET /ports`."""
    return Port(
        id=given["id"],
        server=given["device_id"],
        vnic_type=given["binding:vnic_type"],
        status=given["status"],
        host=given["binding:host_id"] or None,
        vif_type=given["binding:vif_type"],
    )


def to_port_id(given: Json) -> str:
    """Read `GET /ports/{id}`: which it is."""
    return text(given["port"]["id"])


def to_binding(given: Json) -> tuple[str, str]:
    """Read an element of `GET /ports/{id}/bindings`: (host, status)."""
    return text(given["host"]), text(given["status"])


def to_agent(given: Json) -> NetworkAgent:
    """Read an element of `GET /agents`."""
    return NetworkAgent(kind=given["agent_type"], is_alive=given["alive"])


def to_network(given: Json) -> Network:
    """Read an element of `GET /networks`."""
    return Network(id=given["id"], name=given["name"])
