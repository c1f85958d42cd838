"""Take a node's power away, and before that its nova-compute, if the login works; give it back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from stackward.errors import StackwardError, Uncertain, Unreachable
from stackward.model.compute_process import UNIT
from stackward.model.maintenance import MAINTENANCE, MASKED
from stackward.model.power import PowerState
from stackward.model.unread import Unread
from stackward.model.values import Json
from stackward.plan import Look, Mark, Standing
from stackward.plan.stored import VOLATILE
from stackward.ports import root
from stackward.ports.systemd import read_active, read_enabled
from stackward.ports.world import World
from stackward.status.booted import read_booted
from stackward.status.power import says_off_twice
from stackward.wording import in_utc

TRYING_S = 10.0  # after which a fence goes on without it
_CLOCKS = timedelta(minutes=10)  # by which those of a node that has just booted may be behind ours


@dataclass(frozen=True, slots=True, kw_only=True)
class TryKeepOff:
    """Keep nova-compute off for the time when the node has power again; go on if it cannot be.

    A node that is to lose its power may stop answering at any moment: nothing waits for it. Its
    rights are asked for when it is planned, so it is no reason to refuse a plan.
    """

    kind: ClassVar[str] = "try-keep-off"

    node: str
    reason: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"keep nova-compute off on `{self.node}`, if its login works within {TRYING_S:.0f} s"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`stackward node return {self.node}`, once it has power"

    def mark(self, world: World, /) -> Mark:
        """Note when it was started."""
        return {"at": world.clock.now().isoformat()}

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when it is kept off, and also once the time for it is over: it says which."""
        began = str(mark["at"]) if mark else None
        since = datetime.fromisoformat(began) if began else world.clock.now()
        passed_s = (world.clock.now() - since).total_seconds()
        is_over = passed_s >= TRYING_S
        try:
            active = read_active(self._ask(world, "systemctl", "is-active", UNIT))
            is_kept = self._is_noted(world) and self._is_masked(world)
        except (Unreachable, Uncertain) as error:
            if is_over:
                return _went_on(error.message)
            standing = Standing.TODO if mark is None else Standing.UNDERWAY
            return Look(standing, reason=error.message)
        if is_kept and active in {"inactive", "failed"}:
            return Look(Standing.DONE, saw={"kept off": True, "active": active})
        reason = f"its nova-compute is {active}"
        if is_kept and active == "deactivating":
            return _went_on(reason) if is_over else Look(Standing.UNDERWAY, reason=reason)
        # Longer: what was lost on its way there is sent again first. Its disk may have failed.
        return _went_on(reason) if passed_s >= 2 * TRYING_S else Look(Standing.TODO)

    def start(self, world: World, /) -> None:
        """Write the mark and the drop-in, mask the unit, stop it; each may be repeated.

        One that the node does not carry out ends it: what came of that is looked at.
        """
        drop_in = (root.MAKE_DROP_IN, root.FILL_DROP_IN)
        for words in (root.NOTE_MAINTENANCE, *drop_in, root.RELOAD, root.MASK, root.STOP):
            given = f"{self.reason}\n" if words == root.NOTE_MAINTENANCE else ""
            try:
                answer = world.shell.run(
                    self.node, words, as_root=True, given=given, within_s=TRYING_S
                )
            except (Unreachable, Uncertain) as error:
                raise Uncertain(f"{self.summary}: {error.message}", says=error.says) from error
            if answer.code != 0:
                return

    def _is_noted(self, world: World) -> bool:
        answer = world.shell.run(self.node, ["test", "-e", MAINTENANCE], within_s=TRYING_S)
        return answer.code == 0

    def _is_masked(self, world: World) -> bool:
        return read_enabled(self._ask(world, "systemctl", "is-enabled", UNIT)) in MASKED

    def _ask(self, world: World, *words: str) -> str:
        return world.shell.run(self.node, words, within_s=TRYING_S).out


def _went_on(why: str) -> Look:
    return Look(Standing.DONE, reason=why, saw={"kept off": False, "why": why})


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOff:
    """Cut a node's power, without a shutdown, and see its device say Off twice.

    What the device answers to the order proves nothing: some say Off once they have taken it.
    """

    kind: ClassVar[str] = "power-off"

    node: str
    host: str
    device: str = field(metadata=VOLATILE)  # in words

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"cut the power of `{self.node}` by {self.device}"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`stackward node return {self.host}` switches `{self.node}` on again"

    def mark(self, world: World, /) -> Mark:
        """Note when the order was about to be given."""
        return {"at": world.clock.now().isoformat()}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002 # the device says it
        """Done when the device says Off, and says so again some seconds later."""
        off = says_off_twice(world, self.node)
        if off is None:
            return Look(Standing.TODO)
        seen: list[Json] = [at.isoformat() for at in off]
        return Look(Standing.DONE, saw={"device": self.device, "off": seen})

    def start(self, world: World, /) -> str | None:
        """Order the device to cut the power."""
        return world.power.order_off(self.node)

    def trace(self, world: World, /) -> Mapping[str, Json]:
        """Say how the power is, where a fresh plan leaves it out."""
        try:
            return {"power": world.power.state(self.node).value}
        except StackwardError as error:
            return {"power": error.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOn:
    """Give a node power, and see it answer after a new boot.

    Where the inventory names no device, somebody at the machine does it, and this waits. A node
    that answers without having booted since is another one than that of the device.
    """

    kind: ClassVar[str] = "power-on"

    node: str
    host: str
    device: str | None  # in words; None: a person switches it on
    within_s: float = 600.0  # until it answers

    @property
    def summary(self) -> str:
        """Say what it does."""
        by = f"by {self.device}" if self.device else "by hand"
        return f"switch `{self.node}` on {by}"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`stackward node fence {self.node}`"

    def mark(self, world: World, /) -> Mark:
        """Note when it was about to be switched on, and whether it had no power then."""
        return {"at": world.clock.now().isoformat(), "off": self._is_off(world)}

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when it answers, and has booted since; what answers already is not switched on."""
        booted = read_booted(world.shell, self.node)
        if not isinstance(booted, Unread):
            return self._answers(booted, mark)
        if booted.by is None:
            why = f"the time of its last boot cannot be read: {booted.why}"
            return Look(Standing.UNKNOWN, reason=why)
        if mark is None or self._is_off(world):
            return Look(Standing.TODO)
        at = datetime.fromisoformat(str(mark["at"]))
        if (world.clock.now() - at).total_seconds() < self.within_s:
            waits = "it has power, and does not answer yet"
            return Look(Standing.UNDERWAY, reason=waits if self.device else _BY_HAND)
        return Look(
            Standing.FAILED,
            reason=f"it does not answer, {self.within_s:.0f} s after the request to switch it on "
            f"({booted.why})",
            remedy="look at its console; once it answers, resume the run",
        )

    def _answers(self, booted: datetime, mark: Mark | None) -> Look:
        saw: dict[str, Json] = {"booted": booted.isoformat(timespec="seconds")}
        if mark is None:
            return Look(Standing.DONE, saw={**saw, "was on": True})
        at = datetime.fromisoformat(str(mark["at"]))
        if mark["off"] and booted < at - _CLOCKS:
            return Look(
                Standing.FAILED,
                reason=f"it answers, and has run since {in_utc(booted)}: it was not switched on by "
                "that device, which is another machine's",
                remedy="find out which machine that device switches (its serial number, its "
                "cable), and correct the inventory; or set the clock of the node, if that is wrong",
                saw=saw,
            )
        proof: dict[str, Json] = {"device": self.device} if self.device and mark["off"] else {}
        return Look(Standing.DONE, saw={**saw, **proof})

    def start(self, world: World, /) -> str | None:
        """Order the device to give it power; without one, somebody has to."""
        return world.power.order_on(self.node) if self.device else None

    def _is_off(self, world: World) -> bool:
        return self.device is not None and world.power.state(self.node) is PowerState.OFF


_BY_HAND = "switch it on now, by hand: it is waited for"
