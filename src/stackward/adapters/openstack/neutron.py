"""Neutron's API as the port `Neutron`, and its JSON as values."""

from collections.abc import Sequence

from stackward.adapters.openstack.answers import Json, text
from stackward.adapters.openstack.http import Api
from stackward.adapters.openstack.paths import at
from stackward.model.network import HostedAgent, Network, NetworkAgent, OwnedPort, Port

# Neutron's own policy says so (`neutron/conf/policies/port_bindings.py`, seen in 2025.1).
SERVICE_ROLE = (
    "Neutron lets only the role `service` remove a binding: give it to this login, `openstack role "
    "add --user USER --project PROJECT service`, and log in again"
)
_SERVERS = "compute:"  # how the owner of a port of a server begins; its zone follows
_CONTAINER = "compute:kuryr"  # the owner of a port of a container: zun/network/kuryr_network.py
_CHUNK = 50  # ids in one query: some proxies cut URLs at 8 KiB


class NeutronApi:
    """Neutron, behind openstacksdk."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def ports_of(self, servers: Sequence[str], /) -> tuple[Port, ...]:
        """Return the ports of some servers."""
        return tuple(
            port
            for chunk in _chunks(servers)
            for port in self._api.every(
                "/ports", "ports", to_port, [("device_id", each) for each in chunk]
            )
        )

    def ports_on(self, host: str, /) -> tuple[Port, ...]:
        """Return the ports of servers that have a binding on a host, an inactive one too.

        Neutron's filter looks at all bindings of a port: `_ml2_port_result_filter_hook` in
        `neutron/plugins/ml2/plugin.py`, seen in 2025.1.
        """
        found = self._api.every("/ports", "ports", to_owned_port, [("binding:host_id", host)])
        return tuple(port for port, owner in found if is_of_server(owner))

    def bindings_of(self, port: str, /) -> tuple[tuple[str, str], ...]:
        """Return a port's bindings, (host, status); a port that is gone has none."""
        return self._api.every(
            at("/ports/{}/bindings", port),
            "bindings",
            to_binding,
            missing_ok=lambda: self._is_gone(port),
        )

    def every_port(self) -> tuple[OwnedPort, ...]:
        """Return the ports of all servers, of all projects."""
        found = self._api.every("/ports", "ports", to_port_of_project)
        return tuple(port for port, owner in found if is_of_server(owner))

    def port(self, port: str, /) -> OwnedPort | None:
        """Return one port, with the server that it names; None where there is none."""
        return self._api.find(at("/ports/{}", port), to_one_port)

    def every_agent(self) -> tuple[HostedAgent, ...]:
        """Return all of Neutron's agents."""
        return self._api.every("/agents", "agents", to_hosted_agent)

    def network_agents_on(self, host: str, /) -> tuple[NetworkAgent, ...]:
        """Return Neutron's agents on a host."""
        found = self._api.every("/agents", "agents", to_agent, [("host", host)])
        return tuple(sorted(found, key=lambda agent: agent.kind))

    def networks_called(self, word: str, /) -> tuple[Network, ...]:
        """Return the networks whose name or id it is."""
        return self._networks([("id", word)]) or self._networks([("name", word)])

    # --- changing ---

    def remove_binding(self, port: str, host: str, /) -> str | None:
        """Remove a port's binding on a host."""
        path = at("/ports/{}/bindings/{}", port, host)
        return self._api.change("DELETE", path, right=SERVICE_ROLE)

    def delete_port(self, port: str, /) -> str | None:
        """Delete a port."""
        return self._api.change("DELETE", at("/ports/{}", port))

    def delete_agent(self, agent: str, /) -> str | None:
        """Delete the record of an agent.

        It may be alive: `delete_agent` in `neutron/db/agents_db.py`, and for OVN in
        `neutron/plugins/ml2/drivers/ovn/mech_driver/mech_driver.py`, seen in 2025.1.
        """
        return self._api.change("DELETE", at("/agents/{}", agent))

    def _networks(self, query: list[tuple[str, str]]) -> tuple[Network, ...]:
        return self._api.every("/networks", "networks", to_network, query)

    def _is_gone(self, port: str) -> bool:
        # Without the extension `binding-extended` there are no bindings to read, and that is said.
        return self._api.find(at("/ports/{}", port), to_port_id) is None


def to_port(given: Json) -> Port:
    """Read an element of `GET /ports`."""
    return Port(
        id=given["id"],
        server=given["device_id"],
        vnic_type=given["binding:vnic_type"],
        status=given["status"],
        host=given["binding:host_id"] or None,
        vif_type=given["binding:vif_type"],
        is_wanted_up=given.get("admin_state_up", True),
    )


def to_owned_port(given: Json) -> tuple[Port, str]:
    """Read an element of `GET /ports`, with what kind of thing owns it."""
    return to_port(given), text(given["device_owner"])


def is_of_server(owner: str) -> bool:
    """Say whether the owner of a port is Nova, for a server; a container is none."""
    return owner.startswith(_SERVERS) and owner != _CONTAINER


def to_port_of_project(given: Json) -> tuple[OwnedPort, str]:
    """Read an element of `GET /ports`: whose it is, and what kind of thing owns it."""
    port = OwnedPort(
        id=text(given["id"]),
        name=text(given["name"]),
        server=text(given["device_id"]),
        host=given["binding:host_id"] or None,
        project=text(given["project_id"]),
        changed=given.get("updated_at"),
    )
    return port, text(given["device_owner"])


def to_one_port(given: Json) -> OwnedPort:
    """Read `GET /ports/{id}`: whose it is."""
    port, _ = to_port_of_project(given["port"])
    return port


def to_port_id(given: Json) -> str:
    """Read `GET /ports/{id}`: which it is."""
    return text(given["port"]["id"])


def to_binding(given: Json) -> tuple[str, str]:
    """Read an element of `GET /ports/{id}/bindings`: (host, status)."""
    return text(given["host"]), text(given["status"])


def to_agent(given: Json) -> NetworkAgent:
    """Read an element of `GET /agents`."""
    return NetworkAgent(kind=given["agent_type"], is_alive=given["alive"])


def to_hosted_agent(given: Json) -> HostedAgent:
    """Read an element of `GET /agents`, with its host and when it was last heard of."""
    return HostedAgent(
        id=text(given["id"]),
        kind=text(given["agent_type"]),
        host=text(given["host"]),
        is_alive=given["alive"],
        heard=given.get("heartbeat_timestamp"),
    )


def to_network(given: Json) -> Network:
    """Read an element of `GET /networks`."""
    return Network(id=given["id"], name=given["name"])


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]
