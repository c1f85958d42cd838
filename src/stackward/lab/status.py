"""What is there of a lab and how it is, read from the world."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from stackward.errors import ExitCode, StackwardError
from stackward.lab import bmcs, ssh
from stackward.lab.client import connect, lab_cloud
from stackward.lab.declared import StandIn, declared
from stackward.lab.faults import InForce, in_force
from stackward.lab.machine import Machine
from stackward.lab.ready import APIS, answers, tolerant
from stackward.lab.spec import Lab, Node

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """How a node is. What could not be asked is `unknown`."""

    node: str
    role: str
    address: str
    power: str
    ssh: str
    failed_units: tuple[str, ...] | None
    nova_compute: str | None
    disk_used: str
    bmc: str

    @property
    def is_well(self) -> bool:
        """Say whether nothing is wrong with it as far as was asked."""
        return (
            self.power == "on"
            and self.ssh == "answers"
            and self.failed_units == ()
            and self.nova_compute in (None, "up")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabStatus:
    """How a lab is."""

    lab: str
    cloud: str
    profile: str
    release: str
    network: str
    folder: str
    nodes: tuple[NodeStatus, ...]
    apis: dict[str, bool]
    faults: tuple[InForce, ...]
    stand_ins: tuple[StandIn, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Well, degraded, or broken when the controller or every API is gone."""
        control = next(node for node in self.nodes if node.role == "control")
        if control.power != "on" or not any(self.apis.values()):
            return ExitCode.BROKEN
        is_whole = all(self.apis.values()) and not self.faults
        if is_whole and all(node.is_well for node in self.nodes):
            return ExitCode.DONE
        return ExitCode.DEGRADED


def read_status(lab: Lab) -> LabStatus:
    """Ask everything of the lab at the same time."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        apis = {name: pool.submit(answers, lab, port) for name, port in APIS.items()}
        states = pool.submit(nova_states, lab)
        nodes = [pool.submit(read_node, lab, node) for node in lab.nodes]
        known = states.result()
        return LabStatus(
            lab=lab.name,
            cloud=lab_cloud(lab),
            profile=lab.profile,
            release=lab.release,
            network=lab.network,
            folder=str(lab.folder),
            nodes=tuple(with_nova(read.result(), known) for read in nodes),
            apis={name: asked.result() for name, asked in apis.items()},
            faults=tuple(in_force(lab)),
            stand_ins=declared().stand_ins,
        )


def read_node(lab: Lab, node: Node) -> NodeStatus:
    """Ask one node; Nova's word on it is added later."""
    machine = Machine(lab, node)
    is_on = machine.is_on()
    answers_ssh = is_on and machine.answers_ssh()
    failed: tuple[str, ...] | None = None
    disk_used = UNKNOWN
    if answers_ssh:
        try:
            said = ssh.on_node(
                lab, node.name,
                'echo "$(df --output=pcent / | tail -n 1)";'
                " systemctl --failed --plain --no-legend",
                timeout_s=20,
            )  # fmt: skip
            first, _, rest = said.partition("\n")
            disk_used = used_of(first, node.kind.disk_gib)
            failed = tuple(line.split()[0] for line in rest.splitlines() if line.strip())
        except StackwardError:
            answers_ssh = False
    bmc = bmcs.bmc_of(lab, node)
    return NodeStatus(
        node=node.name,
        role=node.role,
        address=node.address,
        power="on" if is_on else "off",
        ssh="answers" if answers_ssh else "silent",
        failed_units=failed,
        nova_compute=UNKNOWN if node.role == "compute" else None,
        disk_used=disk_used,
        bmc=bmc.url,
    )


def used_of(said: str, disk_gib: int) -> str:
    """Return how full a disk is, from what `df` said of it; it says nothing, or `-`, of some."""
    used = said.strip()
    return f"{used} of {disk_gib} GiB" if re.fullmatch(r"\d+%", used) else UNKNOWN


def with_nova(node: NodeStatus, known: dict[str, str]) -> NodeStatus:
    """Return the node's status with Nova's word on it."""
    if node.nova_compute is None:
        return node
    return replace(node, nova_compute=known.get(node.node, UNKNOWN))


def nova_states(lab: Lab) -> dict[str, str]:
    """Return what Nova says of each nova-compute: up, down, and why it is disabled if it is."""
    states: dict[str, str] = {}

    def ask() -> list[str]:
        for service in connect(lab).compute.services(binary="nova-compute"):
            enabled = service.status == "enabled"
            why = "" if enabled else f", disabled: {service.disabled_reason or 'no reason given'}"
            states[service.host] = service.state + why
        return []

    if answers(lab, APIS["nova-api"]):
        tolerant(ask)
    return states
