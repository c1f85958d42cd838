"""The power of a node, and the device that switches it: a BMC, or outlets of a power strip."""

from dataclasses import dataclass
from enum import StrEnum

from stackward.model.hardware import Hardware
from stackward.model.health import State

# Stages, by which the journal is read: which run cut a node's power, and which switched it on.
CUT, SWITCHED_ON = "fence", "power on"


class PowerState(StrEnum):
    """Whether a node has power, as its device says. On its way between the two it is on."""

    ON = "on"
    OFF = "off"


class PowerReturns(StrEnum):
    """What a node does when power returns after an outage."""

    ON = "it boots"
    OFF = "it stays off"
    AS_BEFORE = "it does what it did before"  # after a fence: it stays off
    UNTOLD = "its device does not say"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceName:
    """Which device switches a node, as the inventory has it; no login is in it."""

    how: str  # "Redfish", or the program: "fence_ipmilan"
    at: tuple[str, ...]  # one for each feed: a URL, or an address

    @property
    def text(self) -> str:
        """Return it as a person reads it."""
        return f"{self.how} at {' and '.join(self.at)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerDevice:
    """What a device says of itself and of the node that it switches."""

    name: DeviceName
    state: PowerState
    hardware: Hardware  # of the node; it holds nothing where the device cannot say
    # In the device's own words; empty where it does not say.
    reset_types: tuple[str, ...] = ()
    # Whether it cuts the power at once; None where it does not say what it can do.
    can_force_off: bool | None = None
    power_returns: PowerReturns = PowerReturns.UNTOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFinding:
    """What keeps a fence of a node from working, or from being proved."""

    name: str  # it never changes its meaning: "power/wrong-machine"
    state: State
    says: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerCheck:
    """What a node's device was found to be."""

    node: str
    name: DeviceName | None
    told: PowerDevice | None  # None: it did not say
    agreeing: tuple[str, ...]  # what proves that it is this node's: "UUID", "2 MAC addresses"
    findings: tuple[PowerFinding, ...]

    @property
    def state(self) -> State:
        """Return the worst of what was found."""
        return min(
            (each.state for each in self.findings), key=lambda one: one.rank, default=State.OK
        )
