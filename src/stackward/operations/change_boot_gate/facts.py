"""Read a compute node whose boot gate is to change."""

from dataclasses import dataclass
from datetime import datetime

from stackward.facts.compute import read_ha_hosts
from stackward.facts.evacuations import read_open
from stackward.facts.maintenance import read_holders, read_marks
from stackward.facts.named import find_node
from stackward.facts.observed import read_remembered
from stackward.model.boot_gate import BootGate
from stackward.model.compute_process import RunningAs
from stackward.model.evacuation import OpenEvacuation
from stackward.model.instance_ha import HaHost
from stackward.model.maintenance import Holder, Marks
from stackward.model.service import ComputeService
from stackward.model.unread import Hindrance, Unread
from stackward.ports.compute_process import read_running_as
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.change_boot_gate import GateRequest
from stackward.status.boot_gate import read_gate, read_systemd


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedNode:
    """A node and all that a change of its gate has to know; read once."""

    name: str  # as the inventory calls the machine
    host: str  # as Nova calls its service
    read_at: datetime
    service: ComputeService
    gate: BootGate | Unread
    marks: Marks | Unread  # what else keeps its nova-compute off
    running_as: RunningAs | Unread
    systemd: int | Unread
    ha_hosts: tuple[HaHost, ...] | Unread = ()  # its entries in the instance-HA service
    holders: tuple[Holder, ...] = ()
    identified_at: datetime | None = None  # when it last said who it is, where it says nothing now
    evacuations: tuple[OpenEvacuation, ...] | Unread = ()  # open ones, from here


def read_gated_node(
    world: World, journal: Journal, asked: GateRequest, run_id: str | None
) -> GatedNode:
    """Return the node as it is now; `run_id` is the run that asks: it does not hold itself up."""
    found = find_node(world, world.nova.services(), asked.node, read_remembered(world, journal))
    host, node, shell = found.service.host, found.match.node, world.shell
    unnamed = Unread(found.match.why, Hindrance.UNNAMED)
    return GatedNode(
        name=node or host,
        host=host,
        read_at=world.clock.now(),
        service=found.service,
        gate=read_gate(shell, node) if node else unnamed,
        marks=read_marks(shell, node) if node else unnamed,
        running_as=read_running_as(shell, node) if node else unnamed,
        systemd=read_systemd(shell, node) if node else unnamed,
        ha_hosts=read_ha_hosts(world.masakari, host),
        holders=read_holders(journal, world.cloud.identity().id, host, but=run_id),
        identified_at=found.match.seen_at,
        evacuations=read_open(world, host) if asked.to == "open" else (),
    )
