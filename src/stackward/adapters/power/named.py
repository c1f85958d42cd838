"""The devices that an inventory names: each node's BMC, or the outlets that feed it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from stackward.adapters.power import Devices, Feed, Later
from stackward.adapters.power.agent import Agent
from stackward.adapters.power.logins import Logins
from stackward.adapters.ssh.processes import Processes
from stackward.model.inventory import Inventory, Node
from stackward.model.power import DeviceName


def devices_of(
    known: Inventory, logins: Logins, authorities: Path | None, processes: Processes
) -> Devices:
    """Return what switches the nodes; until it is asked, no login of it is read."""

    def feeds(node: Node) -> Sequence[Feed]:
        if node.bmc_url:
            name = DeviceName(how="Redfish", at=(node.bmc_url,))
            bmc = partial(_redfish, node.bmc_url, node.bmc_fingerprint, logins, authorities)
            return (Later(name, bmc),)
        if node.fence_agent is None:
            return ()
        agents = (
            Agent(
                program=node.fence_agent,
                options=dict(options),
                logins=logins,
                processes=processes,
            )
            for options in node.fence_options
        )
        return tuple(agents)

    return Devices({node.name: feeds(node) for node in known.nodes})


def _redfish(url: str, fingerprint: str | None, logins: Logins, authorities: Path | None) -> Feed:
    from stackward.adapters.power.redfish import Redfish  # noqa: PLC0415  # sushy takes 0.4 s

    return Redfish(url=url, logins=logins, authorities=authorities, fingerprint=fingerprint)
