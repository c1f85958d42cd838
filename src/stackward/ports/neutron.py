"""What may be asked of Neutron."""

from collections.abc import Sequence
from typing import Protocol

from stackward.model.network import HostedAgent, Network, NetworkAgent, OwnedPort, Port


class Neutron(Protocol):
    """Neutron, asked as an administrator."""

    def ports_of(self, servers: Sequence[str], /) -> tuple[Port, ...]:
        """Return the ports of some servers."""
        ...

    def ports_on(self, host: str, /) -> tuple[Port, ...]:
        """Return the ports of servers that have a binding on a host, an inactive one too.

        `host` of each is where its active binding is.
        """
        ...

    def bindings_of(self, port: str, /) -> tuple[tuple[str, str], ...]:
        """Return a port's bindings, (host, status); a port that is gone has none."""
        ...

    def every_port(self) -> tuple[OwnedPort, ...]:
        """Return the ports of all servers, of all projects."""
        ...

    def port(self, port: str, /) -> OwnedPort | None:
        """Return one port, with the server that it names; None where there is none."""
        ...

    def every_agent(self) -> tuple[HostedAgent, ...]:
        """Return all of Neutron's agents."""
        ...

    def network_agents_on(self, host: str, /) -> tuple[NetworkAgent, ...]:
        """Return Neutron's agents on a host."""
        ...

    def networks_called(self, word: str, /) -> tuple[Network, ...]:
        """Return the networks whose name or id it is."""
        ...

    # --- changing: each asks once, never waits, and returns the request's id, if it has one ---

    def remove_binding(self, port: str, host: str, /) -> str | None:
        """Remove a port's binding on a host, which must be inactive."""
        ...

    def delete_port(self, port: str, /) -> str | None:
        """Delete a port; its addresses are free for others then."""
        ...

    def delete_agent(self, agent: str, /) -> str | None:
        """Delete the record of an agent. Neutron does not look whether it is alive."""
        ...
