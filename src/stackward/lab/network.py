"""The lab's networks on the host: two bridges, and the check that their addresses are free."""

import ipaddress
import json
from pathlib import Path

from stackward.errors import Refused
from stackward.lab.command import run
from stackward.lab.spec import Lab


def links() -> list[dict[str, str]]:
    """Return the host's network interfaces, as `ip` describes them."""
    found: list[dict[str, str]] = json.loads(run(["ip", "-json", "link", "show"]))
    return found


def has_bridges(lab: Lab) -> bool:
    """Say whether both bridges are there and the lab's own."""
    ours = {link["ifname"] for link in links() if link.get("ifalias") == str(lab.folder)}
    return {lab.bridge, lab.data_bridge} <= ours


def interfaces() -> list[str]:
    """Return the names of the host's network interfaces."""
    return [link["ifname"] for link in links()]


def what_uses(network: ipaddress.IPv4Network, *, except_bridge: str = "") -> str | None:
    """Say which route of the host overlaps `network`, or None."""
    for route in json.loads(run(["ip", "-4", "-json", "route", "show", "table", "all"])):
        if route.get("dev") == except_bridge or route["dst"] == "default":
            continue
        used = ipaddress.IPv4Network(route["dst"], strict=False)
        if used.overlaps(network):
            return f"{route['dst']} on `{route.get('dev', '?')}`"
    return None


def require_free(lab: Lab) -> None:
    """Make sure that nothing has taken the lab's network or its bridges since they were claimed.

    Raises Refused otherwise.
    """
    network = ipaddress.IPv4Network(lab.network)
    user = what_uses(network, except_bridge=lab.bridge)
    if user is not None:
        raise Refused(
            f"the network {lab.network} of the lab `{lab.name}` is in use: {user}",
            stands="nothing was started",
            hint="free it, or `stackward lab down --purge` and `lab up --network` with another",
        )
    owners = {link["ifname"]: link.get("ifalias") for link in links()}
    for bridge in (lab.bridge, lab.data_bridge):
        owner = owners.get(bridge, str(lab.folder))
        if owner != str(lab.folder):
            raise Refused(
                f"the bridge `{bridge}` of the lab `{lab.name}` is in use"
                f" by {owner or 'another program'}",
                stands="nothing was started",
                hint="stop what uses it, or `stackward lab down --purge` and build the lab again",
            )


def make_bridges(lab: Lab) -> None:
    """Make the lab's bridges, with the host's address on the management one.

    Raises Refused when something else uses the address.
    """
    require_free(lab)
    present = interfaces()
    for bridge in (lab.bridge, lab.data_bridge):
        if bridge not in present:
            run(["ip", "link", "add", bridge, "type", "bridge"])
        # The alias says whose it is: labs of another state directory count from 1 too.
        run(["ip", "link", "set", bridge, "alias", lab.folder, "up"])
    prefix = ipaddress.IPv4Network(lab.network).prefixlen
    run(["ip", "address", "replace", f"{lab.gateway}/{prefix}", "dev", lab.bridge])


def remove_bridges(folder: Path) -> None:
    """Remove the bridges of the lab whose files are in `folder`, and any cable left in them."""
    present = links()
    ours = [link["ifname"] for link in present if link.get("ifalias") == str(folder)]
    cables = [link["ifname"] for link in present if link.get("master") in ours]
    for name in (*cables, *ours):
        run(["ip", "link", "delete", name], ok=(0, 1))


def unplug(interface: str) -> None:
    """Take a node's cable out of the bridge: nothing passes, the node does not notice."""
    run(["ip", "link", "set", interface, "nomaster"])


def plug(interface: str, bridge: str) -> None:
    """Put a node's cable back."""
    run(["ip", "link", "set", interface, "master", bridge, "up"])
