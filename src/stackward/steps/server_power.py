"""Stop a server so that it can be moved cold, and start it again where it is then; or reboot it.

All are for servers that ran before; what was off stays off. Each finds its own request by what is
newer than its mark, and asks libvirt too before it is done.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from stackward.errors import Unreachable
from stackward.model.server import IN_DOWN_CELL, Server, ServerAction
from stackward.plan import Look, Mark, Standing
from stackward.ports.world import World
from stackward.status.definition import compared, marked
from stackward.status.downtime import down_since, is_being_written, up_since
from stackward.status.lookups import cell_down, hypervisor_of, service_of
from stackward.status.proof import Row, boot_of, domain_on_target, new_boot
from stackward.status.signs import (
    Signs,
    asked_by,
    failed,
    foreign,
    gone,
    in_other_hands,
    mark_of,
    read_signs,
    under_way,
)

OFF = ("stopped", 4)  # vm_state and power_state (nova/objects/fields.py InstancePowerState)
_ON = ("active", 1)

# From which vm_state it may be asked for. A hard reboot of Nova would also start a stopped server
# (nova 31.0 compute/vm_states.py, ALLOW_HARD_REBOOT): a user who stopped it wants it off.
SOFT_FROM = ("active",)
HARD_FROM = ("active", "paused", "suspended", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopServer:
    """Stop a running server: Nova lets its guest shut down, and switches it off in the end."""

    kind: ClassVar[str] = "stop-server"

    server: str
    name: str
    host: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"stop `{self.name}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`openstack server start {self.server}`"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now."""
        return mark_of(world.nova, self.server)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when Nova and libvirt call it off, by our own request."""
        signs = read_signs(world.nova, self.server, mark, kinds=(), ours=("stop",))
        server = signs.server
        if server is None:
            return gone(world.nova, self.server)
        if signs.foreign:
            return foreign(signs.foreign)
        if mark is None:
            return self._unbegun(world, server)
        if (settled := _not_settled(world, signs, server)) is not None:
            return settled
        if (server.vm_state, server.power_state) != OFF:
            return _without_effect(signs, "it still runs")
        saw = {"down_since": down_since(world, server.id, signs.action)}
        return asked_by(signs, _with_domain(world, server, "shut off", saw))

    def _unbegun(self, world: World, server: Server) -> Look:
        if server.vm_state == "error":
            return Look(Standing.FAILED, reason="it is in ERROR")
        if (others := in_other_hands(server, self.host)) is not None:
            return others
        if (server.vm_state, server.power_state) != _ON:
            # A user who stopped it wants it off: it would be wrong to start it in the end.
            now = f"it is {server.status}; Stackward did not stop it"
            return Look(Standing.FOREIGN, reason=f"{now}; start it, or drain its node again")
        # Nova may believe it here while its guest runs on a target that it was moved to.
        seen = _with_domain(world, server, "running", {})
        return Look(Standing.TODO) if seen.standing is Standing.DONE else seen

    def start(self, world: World, /) -> str | None:
        """Ask Nova to stop it."""
        return world.nova.stop_server(self.server)

    def examine(self, world: World, _: Mark | None, _quiet_s: float, /) -> Look | None:
        """Say who is to stop it, and is not there."""
        return _without_compute(world, self.server)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartServer:
    """Start a server that was stopped for its move, on the node where it is now."""

    kind: ClassVar[str] = "start-server"

    server: str
    name: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"start `{self.name}` again"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`openstack server stop {self.server}`"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now."""
        return mark_of(world.nova, self.server)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when Nova and libvirt call it running; anybody may have started it."""
        signs = read_signs(world.nova, self.server, mark, kinds=(), ours=("start",))
        server = signs.server
        if server is None:
            return gone(world.nova, self.server)
        if signs.foreign:
            return foreign(signs.foreign)
        is_on = (server.vm_state, server.power_state) == _ON and server.task_state is None
        if not is_on and mark is None:
            return self._unbegun(server)
        if not is_on:
            settled = _not_settled(world, signs, server)
            return settled or _without_effect(signs, "it is still off")
        action = signs.action or _newest_start(world, server.id)
        if is_being_written(world, server.id, action):
            return under_way(signs, "it runs, and Nova is about to say since when")
        saw = {"target": server.host, "up_since": up_since(world, server.id, action)}
        return asked_by(signs, _with_domain(world, server, "running", saw))

    @staticmethod
    def _unbegun(server: Server) -> Look:
        if (others := in_other_hands(server)) is not None:
            return others
        if server.vm_state == "stopped":
            return Look(Standing.TODO)
        return Look(Standing.FAILED, reason=f"it is {server.status}, and cannot be started")

    def start(self, world: World, /) -> str | None:
        """Ask Nova to start it."""
        return world.nova.start_server(self.server)

    def examine(self, world: World, _: Mark | None, _quiet_s: float, /) -> Look | None:
        """Say who is to start it, and is not there."""
        return _without_compute(world, self.server)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebootServer:
    """Reboot a server where it is: Nova lets its guest shut down first, or not."""

    kind: ClassVar[str] = "reboot-server"

    server: str
    name: str
    host: str
    is_hard: bool
    # What Nova deletes by it, as approved: Cinder's attachments, and volumes that only Nova has.
    deletes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say what it does."""
        what = f"{'hard-reboot' if self.is_hard else 'reboot'} `{self.name}`"
        lost = ", ".join(f"`{each}`" for each in self.deletes)
        return f"{what}; Nova deletes its attachment {lost}" if lost else what

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all: what the guest had in memory is gone"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now, and which boot of the guest runs: this proves a later boot new.

        Raises `Unreachable` if that cannot be read: then nothing is started.
        """
        boot = boot_of(world, self.server, hypervisor_of(world.nova, self.host))
        if isinstance(boot, Row) and boot.applies:
            raise Unreachable(f"which boot of `{self.name}` runs is not known: {boot.unread}")
        return {
            **mark_of(world.nova, self.server),
            "boot": None if isinstance(boot, Row) else boot,
            # A soft reboot starts the same guest again.
            **(marked(world, self.server, self.host) if self.is_hard else {}),
        }

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when Nova has ended our own request, and libvirt runs another boot than before.

        Nova's word is not enough: a reboot that failed while the guest goes on to run ends well in
        its log (nova 31.0 compute/manager.py, _reboot_instance).
        """
        signs = read_signs(world.nova, self.server, mark, kinds=(), ours=("reboot",))
        server = signs.server
        if server is None:
            return gone(world.nova, self.server)
        if server.status == IN_DOWN_CELL:
            raise cell_down(f"`{self.name}`")
        if signs.foreign:
            return foreign(signs.foreign)
        if mark is None:
            return self._unbegun(server)
        return self._begun(world, signs, server, mark)

    def _unbegun(self, server: Server) -> Look:
        if (others := in_other_hands(server, self.host)) is not None:
            return others
        if server.vm_state not in (HARD_FROM if self.is_hard else SOFT_FROM):
            reason = f"it is {server.status} by now; plan again"
            return Look(Standing.FOREIGN, reason=reason)
        return Look(Standing.TODO)

    def _begun(self, world: World, signs: Signs, server: Server, mark: Mark) -> Look:
        if signs.action is None and server.task_state is None:
            return Look(Standing.TODO)  # also if it is in ERROR: that is from before
        if (settled := _not_settled(world, signs, server)) is not None:
            return settled
        if (server.vm_state, server.power_state) != _ON:
            return _without_effect(signs, "it does not run")
        return asked_by(signs, self._proved(world, server, mark))

    @staticmethod
    def _proved(world: World, server: Server, mark: Mark) -> Look:
        hypervisor = hypervisor_of(world.nova, server.host or "")
        before = mark.get("boot")
        runs = _with_domain(world, server, "running", {})
        row, now = new_boot(
            world, server.id, hypervisor, before if isinstance(before, str) else None
        )
        saw = {**runs.saw, "new boot": row.standing, "boot": now}
        if runs.standing is not Standing.DONE:
            return replace(runs, saw=saw)
        if row.wrong:
            why = f"not proved: Nova has ended `reboot`, and {row.wrong}"
            return Look(Standing.UNDERWAY, reason=why, saw=saw, is_over=True)
        if row.unread:
            return Look(Standing.UNKNOWN, reason=f"cannot be read: {row.unread}", saw=saw)
        differs = compared(world, server.id, server.host or "", mark)
        return Look(Standing.DONE, saw={**saw, **differs})

    def start(self, world: World, /) -> str | None:
        """Ask Nova to reboot it."""
        return world.nova.reboot_server(self.server, is_hard=self.is_hard)

    def examine(self, world: World, _: Mark | None, _quiet_s: float, /) -> Look | None:
        """Say who is to reboot it, and is not there."""
        return _without_compute(world, self.server)


def _newest_start(world: World, server: str) -> ServerAction | None:
    return next((one for one in world.nova.actions_of(server) if one.action == "start"), None)


def _without_compute(world: World, server: str) -> Look | None:
    """Report a nova-compute that is down; when it starts, it carries out its earlier orders.

    nova 31.0 compute/manager.py, _init_instance: powering off and on are resumed. So this ends
    nothing: a guest may take as long to shut down as its image allows.
    """
    now = world.nova.server(server)
    service = service_of(world.nova, now.host) if now and now.host else None
    if now is None or service is None or service.is_up:
        return None
    why = f"it is {now.task_state}, and nova-compute on `{now.host}` is down: start that"
    return Look(Standing.UNDERWAY, reason=why)


def _not_settled(world: World, signs: Signs, server: Server) -> Look | None:
    """Settle a start of ours that Nova has not taken, still works on, or gave up."""
    if signs.action and signs.action.message:
        return failed(world, signs, f"Nova gave up `{signs.action.action}`")
    if server.task_state is not None:
        return under_way(signs)
    if server.vm_state == "error":
        return failed(world, signs, "it is in ERROR")
    return None if signs.action else Look(Standing.TODO)


def _without_effect(signs: Signs, stands: str) -> Look:
    # It may be that Nova was read between the request and its effect; but not for long.
    action = signs.action.action if signs.action else ""
    look = under_way(signs, f"Nova has taken `{action}`, and {stands}")
    return replace(look, is_over=True)


def _with_domain(world: World, server: Server, expected: str, saw: dict[str, str | None]) -> Look:
    """Return *done* only if libvirt agrees; what it cannot say is never taken for done."""
    row = domain_on_target(world, server.id, hypervisor_of(world.nova, server.host or ""), expected)
    seen = {**saw, "host": server.host, "vm_state": server.vm_state, "domain": row.standing}
    if row.wrong:
        why = f"not proved: its guest on `{server.host}` {row.wrong}"
        return Look(Standing.UNDERWAY, reason=why, saw=seen, is_over=True)
    if row.unread:
        return Look(Standing.UNKNOWN, reason=f"cannot be read: {row.unread}", saw=seen)
    return Look(Standing.DONE, saw=seen)
