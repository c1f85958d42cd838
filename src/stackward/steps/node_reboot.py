"""Reboot a compute node with its servers on it: running servers are listed, stopped, restarted.

The list on the node is the memory of all this. A resumed step follows the list. So a node that has
booted since is not rebooted a second time, and no server is stopped for a boot that is over. The
requests in the journal show what this run has stopped. The account does not: colleagues may have
the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from stackward.answers import lines
from stackward.errors import StackwardError, StepFailed, Uncertain, Unreachable
from stackward.model.server import IN_DOWN_CELL, Server, ServerAction
from stackward.model.unread import Unread
from stackward.model.who_ran import STARTS, STOPS, WHO_RAN, Listed, Torn, newer_than
from stackward.plan import VOLATILE, Json, Look, Mark, Standing
from stackward.plan.step import CUT_OFF, SET_ASIDE
from stackward.ports import root
from stackward.ports.shell import VIRSH
from stackward.ports.world import World
from stackward.status.booted import read_boot, read_jobs
from stackward.status.downtime import down_since
from stackward.status.listed import is_on, newest_requests, read_listed, written
from stackward.status.lookups import cell_down, servers_on
from stackward.status.signs import gone
from stackward.steps.as_root import must_all
from stackward.steps.bringing_up import BringUpServer
from stackward.steps.server_power import StopServer
from stackward.wording import first_of, in_utc

_SHUTTING_DOWN_S = 20.0  # after the order; by then systemd says that it is stopping
_UP = {"running", "degraded"}
_SHOWN = 3
_PLAN_AGAIN = "`stackward run cancel` this run, `stackward node return` the node, then plan again"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWhoRuns:
    """Write on a node who runs on it, before anything is stopped there."""

    kind: ClassVar[str] = "list-who-runs"

    node: str
    host: str
    known: tuple[str, ...] = field(default=(), metadata=VOLATILE)  # servers of the plan
    runs: tuple[str, ...] = field(default=(), metadata=VOLATILE)  # of them, those that it stops

    @property
    def as_root(self) -> tuple[root.Words, ...]:
        """Return what it runs as root, in order."""
        return root.WRITE_WHO_RAN

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"write down on `{self.node}` who runs there"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"not needed: `{WHO_RAN}` there is only read"

    def mark(self, world: World, /) -> Mark:
        """Note which list is there."""
        found = read_listed(world.shell, self.node)
        return {"run": found.run if isinstance(found, Listed) else None}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002 # the node shows it
        """Done when the list there is this run's; it is written only for servers of the plan.

        A list that is not understood, as a full disk may leave it, is written again.
        """
        found = read_listed(world.shell, self.node)
        if isinstance(found, Unread):
            return Look(Standing.UNKNOWN, reason=found.why)
        if isinstance(found, Listed) and found.run == _own_run(world):
            seen: dict[str, Json] = {"ran": tuple(sorted(found.ran)), "off": len(found.off)}
            return Look(Standing.DONE, saw=seen)
        servers = servers_on(world.nova, self.host)
        if (why := self._has_changed(servers)) is not None:
            return Look(Standing.FAILED, reason=why, remedy=_PLAN_AGAIN)
        busy = [one for one in servers if one.id not in self.runs and one.task_state is not None]
        if busy:
            # It may be its owner's start: how that ends shows whether it must run again.
            why = f"Nova is at work on {_names(busy)} ({busy[0].task_state})"
            return Look(Standing.UNDERWAY, reason=why, is_over=True)
        return Look(Standing.TODO)

    def _has_changed(self, servers: Sequence[Server]) -> str | None:
        """Say who is there that the plan would neither stop nor start again."""
        came = [one for one in servers if one.id not in self.known and one.vm_state != "stopped"]
        if came:
            return f"came to the node since it was planned: {_names(came)}"
        begun = [one for one in servers if one.id not in self.runs and is_on(one)]
        if begun:
            return f"was started since the reboot was planned: {_names(begun)}"
        return None

    def start(self, world: World, /) -> None:
        """Write it; it may be repeated."""
        boot = read_boot(world.shell, self.node)
        if isinstance(boot, Unread):
            raise StepFailed(f"which boot of `{self.node}` runs cannot be read: {boot.why}")
        servers = servers_on(world.nova, self.host)
        if (why := self._has_changed(servers)) is not None:
            raise StepFailed(why, stands="nothing was stopped", hint=_PLAN_AGAIN)
        newest = newest_requests(world.nova, servers)
        listed = Listed(
            run=_own_run(world),
            user=world.cloud.user(),
            at=world.clock.now(),
            boot=boot,
            ran={one.id: newest[one.id] for one in servers if is_on(one)},
            off={one.id: newest[one.id] for one in servers if not is_on(one)},
        )
        must_all(world, self.node, self.as_root, note=written(listed))


@dataclass(frozen=True, slots=True, kw_only=True)
class StopForReboot:
    """Stop a server that runs, before its node reboots; one that is off by then is left off."""

    kind: ClassVar[str] = "stop-for-reboot"

    server: str
    name: str
    host: str
    node: str

    @property
    def _stop(self) -> StopServer:
        return StopServer(server=self.server, name=self.name, host=self.host)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return self._stop.summary

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return self._stop.undo

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now."""
        return self._stop.mark(world)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when Nova and libvirt call it off; then it also reports how its guest ended."""
        if mark is not None:
            look = self._stop.look(world, mark)
            is_done = look.standing is Standing.DONE and not look.saw.get("gone")
            return self._with_end(world, look) if is_done else look
        return self._other_boot(world) or self._unbegun(world)

    def _unbegun(self, world: World) -> Look:
        server = world.nova.server(self.server)
        if server is None:
            return gone(world.nova, self.server)
        if server.status == IN_DOWN_CELL:
            raise cell_down(f"`{self.name}`")
        if server.host != self.host:
            return _aside(f"it is on `{server.host}` by now")
        if server.task_state is not None:
            # It is not our doing, and may never end: patience bounds it.
            why = f"Nova is at work on it ({server.task_state})"
            look = f"see `openstack server event list {self.server}`; once it has ended, resume"
            return Look(Standing.UNDERWAY, reason=why, remedy=look, is_over=True)
        if server.vm_state in {"stopped", "suspended"}:
            return _aside(f"it is {server.status} by now, and not by this run")
        return self._stop.look(world, None)

    def _other_boot(self, world: World) -> Look | None:
        """Say that the reboot has no more use: the node has booted since the list was written."""
        boot, listed = read_boot(world.shell, self.node), read_listed(world.shell, self.node)
        if isinstance(boot, Unread):
            return Look(Standing.UNKNOWN, reason=boot.why)
        if isinstance(listed, Unread):
            return Look(Standing.UNKNOWN, reason=listed.why)
        if not isinstance(listed, Listed) or listed.run != _own_run(world):
            return _of_another(listed)
        if boot == listed.boot:
            return None
        return Look(
            Standing.FAILED,
            reason=f"`{self.node}` has booted since who runs was written down, and not by this run",
            remedy="`stackward run cancel` this run, `stackward node return` the node, then "
            f"`stackward node recover {self.host}` starts those that ran before",
        )

    def _with_end(self, world: World, look: Look) -> Look:
        """Separate a guest that has shut down from one that was cut off."""
        ended = self._ended(world)
        seen = {**look.saw, "ended": ended}
        if ended != "destroyed":
            return replace(look, saw=seen)
        why = "its guest did not shut down in time: Nova cut it off"
        return replace(look, reason=why, saw={**seen, CUT_OFF: why})

    def _ended(self, world: World) -> str:
        try:
            answer = world.shell.run(self.node, (*VIRSH, "domstate", "--reason", self.server))
        except (Unreachable, Uncertain) as error:
            return f"not known: {error.message}"
        if answer.code != 0 or not answer.out.strip():
            return f"not known: {answer.err.strip() or answer.code}"
        return lines(answer.out)[0].partition("(")[2].rstrip(") ") or "not known"

    def start(self, world: World, /) -> str | None:
        """Ask Nova to stop it."""
        return self._stop.start(world)

    def examine(self, world: World, mark: Mark | None, quiet_s: float, /) -> Look | None:
        """Say who is to stop it, and is not there."""
        return self._stop.examine(world, mark, quiet_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebootNode:
    """Reboot a node, and see it answer after a new boot."""

    kind: ClassVar[str] = "reboot-node"

    node: str
    host: str
    within_s: float  # from the order until it has booted

    @property
    def as_root(self) -> tuple[root.Words, ...]:
        """Return what it runs as root."""
        return (root.REBOOT,)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"reboot `{self.node}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all: it has booted"

    def mark(self, world: World, /) -> Mark:
        """Note the time just before the order to reboot."""
        return {"at": world.clock.now().isoformat()}

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when it has booted since the list there was written, and is up."""
        boot, listed = read_boot(world.shell, self.node), read_listed(world.shell, self.node)
        if isinstance(boot, Unread):
            return self._silent(world, mark, boot)
        if isinstance(listed, Unread):
            return self._silent(world, mark, listed)
        if not isinstance(listed, Listed) or listed.run != _own_run(world):
            return _of_another(listed)
        seen: dict[str, Json] = {
            "boot": boot.id,
            "booted": boot.at.isoformat(timespec="seconds"),
            "booted before": listed.boot.at.isoformat(timespec="seconds"),
        }
        state = self._state(world)
        if boot == listed.boot:
            return self._not_yet(world, mark, state)
        if state in _UP:
            return Look(Standing.DONE, saw=seen)
        waits = read_jobs(world.shell, self.node) if state == "starting" else ""
        why = f"it has booted at {in_utc(boot.at)}, and systemd there is {state or 'not heard'}"
        why += f"; it waits for {waits}" if waits else ""
        return self._waited_for(world, mark, why, seen)

    def _state(self, world: World) -> str:
        try:
            return world.shell.run(self.node, ["systemctl", "is-system-running"]).out.strip()
        except (Unreachable, Uncertain):
            return ""

    def _not_yet(self, world: World, mark: Mark | None, state: str) -> Look:
        """Say how it is in the boot of before: has it the order to reboot, or not."""
        passed = _passed_s(world, mark)
        if passed is None or (state and state != "stopping" and passed >= _SHUTTING_DOWN_S):
            return Look(Standing.TODO)
        return self._waited_for(world, mark, "it is shutting down")

    def _silent(self, world: World, mark: Mark | None, unread: Unread) -> Look:
        if mark is None or not unread.may_be_dead:
            return Look(Standing.UNKNOWN, reason=unread.why)
        return self._waited_for(world, mark, f"it does not answer yet ({unread.why})")

    def _waited_for(
        self, world: World, mark: Mark | None, why: str, seen: dict[str, Json] | None = None
    ) -> Look:
        """Wait for as long as was said; then say how its power is, and the ways on."""
        passed = _passed_s(world, mark)
        if passed is None:
            # Found so by a run that was resumed: it has waited for as long as was said already.
            remedy = f"see `systemctl list-jobs` on `{self.node}`; once it is up, resume the run"
            saw = seen or {}
            return Look(Standing.UNDERWAY, reason=why, remedy=remedy, saw=saw, is_over=True)
        if passed < self.within_s:
            return Look(Standing.UNDERWAY, reason=why, saw=seen or {})
        power, console = _power(world, self.node), _console(world, self.node)
        run, whole = _own_run(world), _own_chain(world) or _own_run(world)
        after = f"{self.within_s:.0f} s after the order to reboot"
        return Look(
            Standing.FAILED,
            reason=f"not back {after}: {why}; {power}; {console}",
            remedy=f"look at its console; `stackward node fence {self.host} --check` reads its "
            f"power again; once it has booted, `stackward run resume {whole}` goes on, and does "
            f"not reboot it again; if it is dead, `stackward run cancel {run}`, then "
            f"`stackward node evacuate {self.host} --reason 'died in a reboot'`",
            saw={**(seen or {}), "power": power, "console": console},
        )

    def start(self, world: World, /) -> None:
        """Send the order; the connection may end before the answer comes."""
        must_all(world, self.node, self.as_root)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAgain:
    """Start a server that was stopped for a reboot; prove that it boots, or set it aside."""

    kind: ClassVar[str] = "start-again"

    server: str
    name: str
    host: str
    node: str
    within_s: float  # from the request to the proof; after it the server is set aside

    @property
    def _bring_up(self) -> BringUpServer:
        return BringUpServer(
            server=self.server, name=self.name, host=self.host, within_s=self.within_s
        )

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"start `{self.name}` again on `{self.host}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return self._bring_up.undo

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now, and when that is."""
        return self._bring_up.mark(world)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when each row of the proof holds, or once it is set aside.

        It is started where this run has stopped it: it ran then. It is not where others have
        stopped it since, or where it was off before.
        """
        if mark is not None:
            look = self._bring_up.look(world, mark)
            runs = look.standing is Standing.DONE and "up_since" in look.saw
            return replace(look, saw={**look.saw, **self._was_off(world)}) if runs else look
        listed = read_listed(world.shell, self.node)
        if isinstance(listed, Unread):
            return Look(Standing.UNKNOWN, reason=listed.why)
        if not isinstance(listed, Listed) or listed.run != _own_run(world):
            return _of_another(listed)
        server = world.nova.server(self.server)
        if server is not None and (why := _why_not(world, listed, server)) is not None:
            return _aside(why)
        return self._bring_up.look(world, None)

    def _was_off(self, world: World) -> dict[str, Json]:
        """Say since when it was off, by Nova's own time."""
        actions = world.nova.actions_of(self.server)
        stop = next((each for each in actions if each.action == "stop"), None)
        return {"down_since": down_since(world, self.server, stop)}

    def start(self, world: World, /) -> str | None:
        """Ask Nova to start it."""
        return self._bring_up.start(world)

    def examine(self, world: World, mark: Mark | None, quiet_s: float, /) -> Look | None:
        """Set it aside where Nova does not bring it to where it could be started."""
        return self._bring_up.examine(world, mark, quiet_s)


def _why_not(world: World, listed: Listed, server: Server) -> str | None:
    """Say why a server is left off; None where this run has stopped it, and nobody else since."""
    actions = world.nova.actions_of(server.id)
    asked = world.acting.asked() if world.acting else frozenset()
    ours = next(
        (one for one in actions if one.action == "stop" and one.request_id in asked),
        None,
    )
    if ours is not None:
        # It ran when this run stopped it; who starts it since wants what is done here.
        newest = next(_by_users(newer_than(ours.request_id, actions) or ()), None)
        return _said(newest) if newest is not None and newest.action in STOPS else None
    if server.id not in listed.ran:
        return "it was off when who ran was written down"
    newer = newer_than(listed.ran[server.id], actions)
    if newer is None:
        return "its action log does not go back to when who ran was written down"
    newest = next(_by_users(newer), None)
    if newest is not None and newest.action in STOPS:
        return _said(newest)
    if server.vm_state == "stopped":
        return "its guest had ended before it was stopped"
    return None


def _names(servers: Sequence[Server]) -> str:
    return first_of((one.label for one in servers), _SHOWN)


def _by_users(actions: Iterable[ServerAction]) -> Iterator[ServerAction]:
    """Return what decides whether a server is on, by others than Nova itself; newest first."""
    return (one for one in actions if one.user is not None and one.action in STARTS | STOPS)


def _said(action: ServerAction) -> str:
    return f"user {action.user} asked for `{action.action}` at {in_utc(action.started)}"


def _of_another(listed: Listed | Torn | None) -> Look:
    match listed:
        case None:
            whose = "is not there"
        case Torn():
            whose = f"is not understood: {listed.why}"
        case _:
            whose = f"is of run {listed.run}"
    return Look(Standing.UNKNOWN, reason=f"`{WHO_RAN}` there {whose}")


def _aside(reason: str) -> Look:
    return Look(Standing.DONE, reason=f"set aside: {reason}", saw={SET_ASIDE: reason})


def _own_run(world: World) -> str:
    return world.acting.run if world.acting else ""


def _own_chain(world: World) -> str | None:
    return world.acting.chain if world.acting else None


def _passed_s(world: World, mark: Mark | None) -> float | None:
    if mark is None:
        return None
    return (world.clock.now() - datetime.fromisoformat(str(mark["at"]))).total_seconds()


def _console(world: World, node: str) -> str:
    """Say why no line of its console is shown: no device that is known here gives any."""
    try:
        device = world.power.device(node)
    except StackwardError as error:
        return f"its console cannot be read: {error.message}"
    if device is None:
        return "its console cannot be read: no device of the inventory gives it"
    return f"its console cannot be read: {device.how} gives no lines of it"


def _power(world: World, node: str) -> str:
    """Say whether it has power, by its device where it has one."""
    try:
        if world.power.device(node) is None:
            return "the inventory names no device that switches its power"
        return f"its device says that its power is {world.power.state(node).value}"
    except StackwardError as error:
        return f"its power cannot be read: {error.message}"
