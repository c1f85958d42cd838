"""A compute node that was taken out of service: what keeps it off, who holds it, what left it."""

from dataclasses import dataclass
from datetime import datetime

from stackward.model.boot_gate import NO_GATE, BootGate
from stackward.model.claim import Claim, read_claim
from stackward.model.compute_process import UNIT, RunningAs
from stackward.model.evacuation import OpenEvacuation
from stackward.model.flavor import OfferedFlavor
from stackward.model.hypervisor import Hypervisor
from stackward.model.image import Image
from stackward.model.instance_ha import HaHost
from stackward.model.network import Network
from stackward.model.node import ComputeNode
from stackward.model.power import PowerDevice, PowerState
from stackward.model.server import Server
from stackward.model.service import ComputeService
from stackward.model.unread import Hindrance, Unread
from stackward.model.wish import Consent

MAINTENANCE = "/etc/stackward/maintenance"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/stackward.conf"
HA_OFF, HA_ON = "instance HA off", "instance HA on"  # stages, by which the journal is read
_SILENT = {Hindrance.WAY, Hindrance.LATE}
MASKED = frozenset({"masked", "masked-runtime"})  # what `systemctl is-enabled` says
DROP_IN_TEXT = f"[Unit]\nConditionPathExists=!{MAINTENANCE}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What on the node itself keeps its nova-compute off."""

    has_file: bool
    has_drop_in: bool
    is_masked: bool

    @property
    def is_any(self) -> bool:
        """Say whether anything keeps it off."""
        return self.has_file or self.has_drop_in or self.is_masked


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A run that is going on and has the node for itself."""

    run: str
    title: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedServer:
    """A server that a drain moved away, and where to."""

    id: str
    name: str
    target: str | None  # None: the journal does not say
    source: str | None = None  # where it was; same


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedServers:
    """What one drain moved, as the journal has it."""

    run: str
    servers: tuple[MovedServer, ...]
    by: str = "drain"  # or, where it is not known to be one, "run"
    consents: tuple[Consent, ...] = ()  # of owners: they hold for the way back too


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturningNode:
    """A compute node and all that its return to service has to know; read once."""

    name: str  # as the inventory calls the machine
    host: str  # as Nova calls its service
    read_at: datetime
    service: ComputeService
    hypervisor: Hypervisor
    marks: Marks | Unread
    gate: BootGate | Unread = NO_GATE
    running_as: RunningAs | Unread | None = None  # None: it was not asked for
    is_claim_known: bool = True  # False: another machine's journal has the run that claims it
    holders: tuple[Holder, ...] = ()
    drained: MovedServers | None = None
    images: tuple[Image, ...] = ()
    flavors: tuple[OfferedFlavor, ...] = ()
    networks: tuple[Network, ...] = ()
    ha_hosts: tuple[HaHost, ...] | Unread = ()  # its entries in the instance-HA service
    is_ha_ours: bool = False  # a run of ours reported the maintenance to that service
    identified_at: datetime | None = None  # when it last said who it is, where it says nothing now
    # The run that has opened it last, and has ended without having proved that it works.
    unproved: str | None = None
    left_servers: tuple[str, ...] = ()  # runs that are over, and whose acceptance server is left
    evacuations: tuple[OpenEvacuation, ...] | Unread = ()  # from here: what its start acts on
    # What switches its power, asked where it is silent; None: the inventory names nothing.
    device: PowerDevice | Unread | None = None
    has_device: bool = False  # the inventory names one
    boot_within_s: float = 600.0
    has_cut: bool = False  # a fence of ours has cut its power: nobody has shut it down
    is_foreseen: bool = False  # read as it will be once it was drained, before that

    @property
    def is_silent(self) -> bool:
        """Say whether it does not answer."""
        return isinstance(self.marks, Unread)

    @property
    def is_to_be_switched_on(self) -> bool:
        """Say whether it has no power by its device; or, where none is known, by its fence."""
        if not (isinstance(self.marks, Unread) and self.marks.by in _SILENT):
            return False
        if isinstance(self.device, PowerDevice):
            return self.device.state is PowerState.OFF
        return self.device is None and self.service.is_forced_down

    @property
    def is_discard_asked_for(self) -> bool:
        """Say whether old copies need a word of their own before nova-compute may start.

        Behind a gate it stays off by itself after a fence, and waits for this very return.
        """
        is_gated = isinstance(self.gate, BootGate) and self.gate.is_whole
        return not (is_gated and self.has_cut)

    @property
    def is_gate_shut(self) -> bool:
        """Say whether its boot gate keeps its nova-compute off."""
        return isinstance(self.gate, BootGate) and self.gate.is_shut

    @property
    def claim(self) -> Claim | None:
        """Return Stackward's claim on the node, if it is that which disables its service."""
        return None if self.service.is_enabled else read_claim(self.service.disabled_reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayServer:
    """A server that a drain moved, as it is now."""

    drained: MovedServer
    server: Server | None  # None: it was deleted
    node: ComputeNode | None = None  # where it is, with it alone; None where that was not asked


@dataclass(frozen=True, slots=True, kw_only=True)
class BringBackFacts:
    """A node in service again, and the servers that a drain of it moved away."""

    name: str
    host: str
    service: ComputeService
    hypervisor: Hypervisor
    drained: MovedServers
    away: tuple[AwayServer, ...] = ()
    is_of_one: bool = False  # one server alone was asked for
    way: str | None = None  # how those who must stay can come later; None: by the same again
