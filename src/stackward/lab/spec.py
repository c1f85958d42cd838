"""What one lab is: its name, its nodes with their addresses, and where its files lie.

Frozen values, stored as `lab.json` in the lab's folder; the stored file is also the claim on the
lab's name, its number and its network.
"""

import hashlib
import ipaddress
import json
import uuid
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from stackward.errors import BadInput
from stackward.lab.declared import Role, declared

STORED_FORMAT = 1
DATA_NETWORK = ipaddress.IPv4Network("10.78.0.0/24")  # the same in every lab: it never leaves it
BMC_PORT = 8000
BMC_USER = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine of the lab."""

    name: str
    role: str
    address: str
    data_address: str | None
    host_interface: str
    host_data_interface: str | None
    bmc_address: str

    @property
    def kind(self) -> Role:
        """The declared role."""
        return declared().roles[self.role]

    @property
    def machine_id(self) -> str:
        """The machine id: fixed by the name, so that baked database records stay true."""
        return hashlib.sha256(f"stackward-lab-{self.name}".encode()).hexdigest()[:32]

    @property
    def compute_id(self) -> str:
        """Nova's id of the compute node: fixed by the name, for the same reason."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}.lab.stackward"))

    @property
    def system_uuid(self) -> str:
        """The id under which the node's BMC knows it."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}.bmc.lab.stackward"))

    @property
    def macs(self) -> tuple[str, ...]:
        """The addresses of its network cards, in the order of its cables: fixed by the name."""
        cables = (self.host_interface, self.host_data_interface)
        return tuple(_mac(f"{self.name}-{n}") for n, cable in enumerate(cables) if cable)


def _mac(seed: str) -> str:
    """Return an address that no maker of network cards gives away."""
    return "52:54:00:" + ":".join(
        f"{byte:02x}" for byte in hashlib.sha256(seed.encode()).digest()[:3]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """One lab, as it was asked for."""

    name: str
    number: int
    profile: str
    computes: int
    fake_computes: int
    shared_instances: bool
    release: str
    network: str
    folder: Path
    cache: Path

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, the controller first."""
        return tuple(
            self._node(role, name, role.first_address + offset)
            for role, count in self._counts()
            for offset, name in enumerate(role.node_names(count))
        )

    @property
    def control(self) -> Node:
        """The controller."""
        return self.node("ctl")

    @property
    def compute_nodes(self) -> tuple[Node, ...]:
        """The nodes that run real guests."""
        return tuple(node for node in self.nodes if node.role == "compute")

    def node(self, name: str) -> Node:
        """Return the node called `name`.

        Raises BadInput when there is none.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        raise BadInput(
            f"there is no node `{name}` in the lab `{self.name}`",
            hint="nodes: " + ", ".join(f"`{node.name}`" for node in self.nodes),
        )

    def _counts(self) -> list[tuple[Role, int]]:
        counts = dict(declared().profiles[self.profile].nodes)
        counts["compute"] = self.computes
        return [(declared().roles[name], count) for name, count in counts.items()]

    def _node(self, role: Role, name: str, last: int) -> Node:
        return Node(
            name=name,
            role=role.name,
            address=str(ipaddress.IPv4Network(self.network)[last]),
            data_address=str(DATA_NETWORK[last]) if role.data_network else None,
            host_interface=f"sw{self.number}-{name}",
            host_data_interface=f"sw{self.number}d-{name}" if role.data_network else None,
            bmc_address=f"127.77.{self.number}.{last}",
        )

    @property
    def gateway(self) -> str:
        """The host's own address in the lab."""
        return str(ipaddress.IPv4Network(self.network)[1])

    @property
    def bridge(self) -> str:
        """The host bridge of the management network."""
        return f"swbr{self.number}"

    @property
    def data_bridge(self) -> str:
        """The host bridge of the guests' tunnels; the host has no address on it."""
        return f"swbr{self.number}d"

    @property
    def auth_url(self) -> str:
        """Keystone's address."""
        return f"http://{self.control.address}:5000/v3"

    @property
    def clouds_yaml(self) -> Path:
        """The credentials file."""
        return self.folder / "clouds.yaml"

    @property
    def inventory(self) -> Path:
        """The inventory file."""
        return self.folder / "inventory.yaml"

    @property
    def inventory_with_agent(self) -> Path:
        """The same, with a fence agent in place of each BMC."""
        return self.folder / "inventory-agent.yaml"

    @property
    def bmc_logins(self) -> Path:
        """The file with the login of the BMCs."""
        return self.folder / "bmc" / "logins"

    @property
    def ssh_config(self) -> Path:
        """The OpenSSH configuration that knows the nodes, their keys and their host keys."""
        return self.folder / "ssh" / "config"

    def node_folder(self, name: str) -> Path:
        """Where a node's disk and console log lie."""
        return self.folder / "nodes" / name

    def to_json(self) -> str:
        """Return the stored form."""
        stored = {"format": STORED_FORMAT, **asdict(self)}
        stored["folder"], stored["cache"] = str(self.folder), str(self.cache)
        return json.dumps(stored, indent=1) + "\n"


def from_json(text: str) -> Lab:
    """Read the stored form.

    Raises ValueError when the text is not one, or is of another format.
    """
    stored = json.loads(text)
    if not isinstance(stored, dict) or stored.pop("format", None) != STORED_FORMAT:
        msg = f"not a lab of format {STORED_FORMAT}"
        raise ValueError(msg)
    try:
        lab = Lab(**{**stored, "folder": Path(stored["folder"]), "cache": Path(stored["cache"])})
    except (KeyError, TypeError) as broken:
        raise ValueError(str(broken)) from broken
    wrong = [
        f"`{field.name}` is {getattr(lab, field.name)!r}"
        for field in fields(Lab)
        if isinstance(field.type, type) and not isinstance(getattr(lab, field.name), field.type)
    ]
    if lab.profile not in list(declared().profiles):
        wrong.append(f"there is no profile `{lab.profile}`")
    if wrong:
        raise ValueError("; ".join(wrong))
    ipaddress.IPv4Network(lab.network)
    return lab
