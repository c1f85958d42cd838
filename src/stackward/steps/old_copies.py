"""What a node that returns has still of servers that were evacuated from it.

Its nova-compute destroys it as it starts, and settles one record of each server by that.
"""

from dataclasses import dataclass
from typing import ClassVar

from stackward.errors import StackwardError, StepFailed
from stackward.model.compute_process import UNIT
from stackward.model.power import PowerState
from stackward.model.unread import Unread
from stackward.plan import Look, Mark, Standing
from stackward.ports import root
from stackward.ports.systemd import read_active
from stackward.ports.world import World
from stackward.status.evacuations import open_records
from stackward.status.stalled import read_guests
from stackward.steps.as_root import must_all
from stackward.wording import count_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceOldGuests:
    """See that no old guest runs there; where one does, cut the power of the node again."""

    kind: ClassVar[str] = "fence-old-guests"

    node: str
    host: str
    servers: tuple[str, ...]  # they live elsewhere
    has_device: bool

    @property
    def summary(self) -> str:
        """Say what it does."""
        count = count_of(len(self.servers), "server")
        return f"see that `{self.node}` runs no old guest of {count}"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "it changes nothing, unless an old guest runs"

    def mark(self, world: World, /) -> Mark:
        """Note which of them run."""
        running = self._running(world)
        return {"running": [] if isinstance(running, Unread) else [*running]}

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when libvirt has none of them running; failed once the power was cut for it."""
        if mark is not None and self._has_no_power(world):
            names = mark["running"]
            listed = ", ".join(map(str, names)) if isinstance(names, list | tuple) else ""
            return Look(
                Standing.FAILED,
                reason=f"it ran {listed}, whose server lives elsewhere: its power was cut again",
                remedy="see why libvirt starts guests there at boot (`libvirt-guests`, autostart, "
                "`resume_guests_state_on_host_boot`), and end that with its storage of instances "
                "taken away from it; then plan its return again",
            )
        running = self._running(world)
        if isinstance(running, Unread):
            return Look(Standing.UNKNOWN, reason=f"its guests cannot be read: {running.why}")
        return Look(Standing.TODO if running else Standing.DONE)

    def start(self, world: World, /) -> str | None:
        """Cut the power: two guests of one server write to one disk, or have one address."""
        if self.has_device:
            return world.power.order_off(self.node)
        running = self._running(world)
        names = running.why if isinstance(running, Unread) else ", ".join(running)
        raise StepFailed(
            f"`{self.node}` runs {names}, whose server lives elsewhere",
            hint=f"cut the power of `{self.node}` now; then see why libvirt starts guests at boot",
        )

    def _has_no_power(self, world: World) -> bool:
        if not self.has_device:
            return False
        try:
            return world.power.state(self.node) is PowerState.OFF
        except StackwardError:
            return False

    def _running(self, world: World) -> tuple[str, ...] | Unread:
        """Return the servers of which a guest is alive there."""
        found = []
        for server in self.servers:
            guests = read_guests(world, server, [self.host])
            if isinstance(guests, Unread):
                return guests
            found += [server for each in guests if each.is_alive]
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopForRecords:
    """Stop nova-compute once more where records are left that only its next start settles."""

    kind: ClassVar[str] = "stop-for-records"

    node: str
    host: str
    number: int  # of the restarts of a return

    @property
    def as_root(self) -> tuple[root.Words, ...]:
        """Return what it runs as root."""
        return (root.STOP,)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"stop nova-compute on `{self.node}` again if evacuations from it are open"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`systemctl start {UNIT}` there"

    def mark(self, world: World, /) -> Mark:
        """Note which records are left."""
        return {"open": [one.id for one in open_records(world, self.host)]}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002 # the world shows it
        """Done when no record is left, or when nova-compute is off: then it is started next."""
        left = [one.id for one in open_records(world, self.host)]
        if not left:
            return Look(Standing.DONE, saw={"open": []})
        answer = world.shell.run(self.node, ["systemctl", "is-active", UNIT])
        active = read_active(answer.out)
        if active in {"inactive", "failed"}:
            return Look(Standing.DONE, saw={"open": [*left], "active": active})
        if active == "deactivating":
            return Look(Standing.UNDERWAY, reason="nova-compute is stopping")
        return Look(Standing.TODO)

    def start(self, world: World, /) -> None:
        """Stop it."""
        must_all(world, self.node, self.as_root)
