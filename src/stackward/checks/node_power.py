"""Whether a node is dead: three statements, each on its own evidence.

Its device says Off; the device is this node's; nothing of the node answers. A sign of life while a
device says Off means that it is another machine's device.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from stackward.checks.listening import listen
from stackward.errors import NotUnderstood, Refused, StackwardError, Unreachable
from stackward.model.hardware import Alike, Hardware
from stackward.model.power import PowerState
from stackward.model.witness import Sign
from stackward.plan import CheckResult, Holds, Refuted, Unverified
from stackward.plan.stored import VOLATILE
from stackward.ports.together import ask_beside
from stackward.ports.world import World
from stackward.status.power import AGAIN_S, says_off_twice
from stackward.status.silence import SIGN_OF_LIFE
from stackward.status.witnesses import hail
from stackward.wording import in_utc

_CABLE = (
    "do not evacuate it: its servers may run. Find out which machine that device switches "
    "(its serial number, its cable), switch that one on again, and correct the inventory"
)


_TAKEN_BACK = (
    "its guests may run: find out who has switched it on; end the run that evacuates it "
    "(`stackward run cancel`), and plan again if it is dead again"
)


def _lives(world: World, node: str, sign: str) -> Refuted:
    """Say that a node lives; if its device says Off, that is the device of another machine."""
    if world.power.device(node) is None:
        return Refuted(node, f"{SIGN_OF_LIFE}: {sign}", _TAKEN_BACK)
    try:
        state = world.power.state(node)
    except StackwardError as error:
        return Refuted(node, f"{sign}; and its device does not say: {error.message}", _TAKEN_BACK)
    if state is PowerState.OFF:
        return Refuted(node, f"its device says Off, and {sign}", _CABLE)
    return Refuted(node, f"its device says On, and {sign}", _TAKEN_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsPoweredOff:
    """The device of a node says Off, twice, some seconds apart."""

    kind: ClassVar[str] = "is-powered-off"

    node: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"the device of `{self.node}` says Off, twice, {AGAIN_S:.0f} s apart"

    def ask(self, world: World, /) -> CheckResult:
        """Ask the device, wait, and ask it again."""
        try:
            off = says_off_twice(world, self.node)
        except (Unreachable, NotUnderstood, Refused) as error:
            return Unverified(self.node, error.message, error.hint or "look at its device")
        if off is None:
            return Refuted(
                self.node,
                "its device says On",
                "somebody else, or its own settings, has switched it on: see who, then fence "
                "it again",
            )
        times = [at.strftime("%H:%M:%S") for at in off]
        device = world.power.device(self.node)
        return Holds(f"{device.text if device else 'it'} said Off at {' and '.join(times)} UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class IsConfirmedOff:
    """A node that no device switches has no power, by a person's word on record."""

    kind: ClassVar[str] = "is-confirmed-off"

    node: str
    reference: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"`{self.node}` has no power, by a person's word: {self.reference}"

    def ask(self, world: World, /) -> CheckResult:
        """Quote the person's word, where no device can answer."""
        device = world.power.device(self.node)
        if device is not None:
            return Unverified(
                self.node,
                f"the inventory names a device of it by now ({device.text})",
                "plan again: the new plan asks that device",
            )
        return Holds(f"a person's word: {self.reference}; no device can show it")


@dataclass(frozen=True, slots=True, kw_only=True)
class IsItsDevice:
    """The device that says Off is this node's, and no other machine's."""

    kind: ClassVar[str] = "is-its-device"

    node: str
    by: str  # how that is known: "identity", "boot", "silence", "word"; stored
    # What the node once said of itself; what was heard before the order; a person's word.
    uuid: str | None = field(default=None, metadata=VOLATILE)
    serial: str | None = field(default=None, metadata=VOLATILE)
    macs: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    seen_at: str | None = field(default=None, metadata=VOLATILE)
    heard: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    addresses: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    peers: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    reference: str | None = None

    @property
    def summary(self) -> str:
        """Say the statement."""
        by = f", by a person's word: {self.reference}" if self.by == "word" else ""
        return f"the device that says Off is that of `{self.node}`{by}"

    def ask(self, world: World, /) -> CheckResult:
        """Compare what it says with what the node once said; or see which node fell silent."""
        if self.by == "identity":
            return self._compared(world)
        if self.by == "boot" and self.seen_at:
            return Holds(f"it has switched the node on, which then booted, {in_utc(self.seen_at)}")
        if self.by == "silence":
            return self._fallen_silent(world)
        if self.reference:
            return Holds(f"a person's word: {self.reference}; nothing else proves it")
        return Unverified(self.node, "nothing shows whose device it is", "look at the machine")

    def _compared(self, world: World) -> CheckResult:
        known = Hardware(uuid=self.uuid, serial=self.serial, macs=frozenset(self.macs))
        try:
            told = world.power.describe(self.node).hardware
        except StackwardError as error:
            return Unverified(self.node, error.message, error.hint or "look at its device")
        alike = told.compare(known)
        if alike is Alike.SAME:
            same = ", ".join(told.agreeing(known))
            at = in_utc(self.seen_at) if self.seen_at else "an unknown time"
            return Holds(f"equal to what the node said at {at}: {same}")
        if alike is Alike.DIFFERENT:
            return Refuted(self.node, "its device is that of another machine", _CABLE)
        return Unverified(self.node, "its device says no more which machine it is", "ask it again")

    def _fallen_silent(self, world: World) -> CheckResult:
        now = hail(world, self.addresses, self.peers)
        if now.sign is Sign.YES:
            return _lives(world, self.node, now.text)
        if now.sign is Sign.UNKNOWN:
            return Unverified(self.node, now.text, "make the nodes that called it answer")
        return Holds(f"before the request: {'; '.join(self.heard)}; since then {now.text}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSignOfLife:
    """Nothing of a node answers at any of its addresses, and Nova does not hear from it."""

    kind: ClassVar[str] = "no-sign-of-life"

    node: str
    host: str
    addresses: tuple[str, ...] = field(metadata=VOLATILE)
    peers: tuple[str, ...] = field(metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"nothing of `{self.node}` answers: not 22/tcp, not ping, no heartbeat"

    def ask(self, world: World, /) -> CheckResult:
        """Call it at all of its addresses from other nodes, and listen for its heartbeat."""
        listening = ask_beside(
            world.together, f"the heartbeat of {self.host}", partial(listen, world, self.host)
        )
        called = hail(world, self.addresses, self.peers)
        if called.sign is Sign.YES:
            return _lives(world, self.node, called.text)  # at once: who listens waits for long
        heard = listening()
        if heard.silent is False:
            return _lives(world, self.node, heard.why)
        if called.sign is Sign.UNKNOWN:
            return Unverified(self.node, called.text, "make the nodes that call it answer")
        if heard.silent is None:
            return Unverified(self.node, heard.why, "see `openstack compute service list`")
        return Holds(f"{called.text}; {heard.why}")
