"""Take a node's power away, and before that, where it still lets us in, its nova-compute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from stackward.errors import StackwardError, Uncertain, Unreachable
from stackward.model.compute_process import UNIT
from stackward.model.maintenance import MAINTENANCE, MASKED
from stackward.model.values import Json
from stackward.plan import Look, Mark, Standing
from stackward.plan.stored import VOLATILE
from stackward.ports import root
from stackward.ports.systemd import read_active, read_enabled
from stackward.ports.world import World
from stackward.status.power import says_off_twice

TRYING_S = 10.0  # after which a fence goes on without it


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
        return f"keep nova-compute off on `{self.node}`, if it lets us within {TRYING_S:.0f} s"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`stackward node return {self.node}`, once it has power"

    def mark(self, world: World, /) -> Mark:
        """Note when it was begun."""
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
        return (
            f"not by Stackward: switch `{self.node}` on by its device, then "
            f"`stackward node return {self.host}`"
        )

    def mark(self, world: World, /) -> Mark:
        """Note when the order was about to be given."""
        return {"at": world.clock.now().isoformat()}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002  # the device tells
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
