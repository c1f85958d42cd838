"""Bring a server up where it is, and prove that it runs: after a loss of its node, or once asked.

One that cannot be brought up is set aside, with the reason: the step ends, so that those which come
after it are not held up; that it does not run is then said by the check at the end. It finds its
own request by what is newer than its mark, so no server is started twice.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import ClassVar

from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.unread import Unread
from stackward.plan import VOLATILE, Json, Look, Mark, Standing
from stackward.plan.step import SET_ASIDE
from stackward.ports.together import ask_both
from stackward.ports.world import World
from stackward.status.definition import compared, marked
from stackward.status.downtime import is_being_written, up_since
from stackward.status.lookups import cell_down
from stackward.status.running import Boot, prove_running
from stackward.status.signs import (
    Signs,
    asked_by,
    failed,
    gone,
    mark_of,
    read_signs,
    saw,
    under_way,
)
from stackward.status.stalled import read_guests
from stackward.wording import in_utc

_AT = "at"  # in the mark
START, HARD_REBOOT = "start", "reboot"  # as Nova's action log calls them


@dataclass(frozen=True, slots=True, kw_only=True)
class BringUpServer:
    """Start a server where it is, and prove that its guest boots; without proof, set it aside."""

    kind: ClassVar[str] = "bring-up-server"

    server: str
    name: str
    host: str
    within_s: float  # from the request to the proof; after it the server is set aside
    # The requests of its action log that the plan knows: what is newer is by others, since.
    known: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    ours: tuple[str, ...] = ()  # actions that the same run has asked for before
    # A hard reboot: of one that Nova has as running and libvirt does not have.
    by: str = START

    @property
    def summary(self) -> str:
        """Say what it does."""
        what = f"bring up `{self.name}` on `{self.host}`"
        return f"{what} by a hard reboot" if self.by == HARD_REBOOT else what

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`openstack server stop {self.server}`"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now, and when that is."""
        newest, definition = ask_both(
            world.together,
            f"the mark of {self.server}",
            partial(mark_of, world.nova, self.server),
            partial(marked, world, self.server, self.host),
        )
        return {**newest, _AT: world.clock.now().isoformat(), **definition}

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when each row of the proof holds, or once it is set aside; anybody may start it."""
        signs = read_signs(world.nova, self.server, mark, kinds=(), ours=(self.by,))
        server = signs.server
        if server is None:
            return gone(world.nova, self.server)
        if server.status == IN_DOWN_CELL:
            raise cell_down(f"`{self.name}`")
        if mark is None:
            return self._unbegun(world, server)
        if signs.foreign:
            return self._aside(signs, _stopped_by(signs))
        if signs.action is None and server.task_state is None:
            return Look(Standing.TODO)
        begun = self._begun(world, signs, server)
        is_late = self._is_late(world, mark)  # once: to complete a look takes time too
        look = self._complete(world, signs, begun, mark, is_late=is_late)
        if look.standing is Standing.UNDERWAY and is_late:
            why = f"not proved within {self.within_s:.0f} s: {look.reason or 'Nova is at work'}"
            return self._aside(signs, why, look.saw)
        return asked_by(signs, look)

    def _complete(
        self, world: World, signs: Signs, look: Look, mark: Mark, *, is_late: bool
    ) -> Look:
        """Add what has changed of its definition to a look that is done; others stay as they are.

        Nova writes when it has switched a server on a moment after it has: the look waits for that,
        but no server is set aside for it.
        """
        if look.standing is not Standing.DONE or SET_ASIDE in look.saw:
            return look
        up = look.saw.get("up_since")
        if up is None and not is_late:
            if is_being_written(world, self.server, signs.action):
                return under_way(signs, "it runs, and Nova is about to say since when")
            up = up_since(world, self.server, signs.action)  # it may have been written since then
        changed = compared(world, self.server, self.host, mark)
        return replace(look, saw={**look.saw, "up_since": up, **changed})

    def _unbegun(self, world: World, server: Server) -> Look:
        """Say whether it may be started: what others have done since the plan is left as it is."""
        newer = [one for one in world.nova.actions_of(self.server) if self._is_new(one.request_id)]
        others = (one for one in newer if one.user is not None and one.action not in self.ours)
        by_others = next(others, None)
        if by_others is not None:
            said = f"user {by_others.user} asked for `{by_others.action}`"
            return self._aside(Signs(server), f"{said} at {in_utc(by_others.started)}")
        if server.host != self.host:
            return self._aside(Signs(server), f"it is on `{server.host}` by now")
        if server.task_state is not None:
            why = f"Nova is at work on it ({server.task_state})"
            return Look(Standing.UNDERWAY, reason=why)
        return self._idle(world, server)

    def _idle(self, world: World, server: Server) -> Look:
        """Say the same of one at which Nova is not at work."""
        match server.vm_state:
            case "stopped" if self.by == HARD_REBOOT:
                return self._aside(Signs(server), "Nova has stopped it since: plan again")
            case "stopped":
                return Look(Standing.TODO)
            case "active" if self.by == HARD_REBOOT and self._lacks_guest(world):
                return Look(Standing.TODO)
            case "active":
                # Nova starts some by itself as its node returns, and stops the others: then they
                # can be started. Until it has, it refuses that.
                return self._proved(world, server)
            case _:
                return self._aside(Signs(server), f"it is {server.status} by now")

    def _lacks_guest(self, world: World) -> bool:
        found = read_guests(world, self.server, [self.host])
        return not isinstance(found, Unread) and all(each.state is None for each in found)

    def _is_new(self, request: str) -> bool:
        return bool(self.known) and request not in self.known

    def _begun(self, world: World, signs: Signs, server: Server) -> Look:
        if signs.action and signs.action.message:
            look = failed(world, signs, f"Nova gave up `{self.by}`")
            said = f"{look.reason}: {look.says}" if look.says else str(look.reason)
            return self._aside(signs, said)
        if server.task_state is not None:
            return under_way(signs, f"Nova is at work on it ({server.task_state})")
        if server.vm_state == "error":
            return self._aside(signs, f"it is in ERROR: {server.fault or 'Nova says no more'}")
        return self._proved(world, server, signs)

    def _proved(self, world: World, server: Server, signs: Signs | None = None) -> Look:
        running, up = ask_both(
            world.together,
            f"the proof of {server.id}",
            partial(prove_running, world, server, self.host),
            partial(up_since, world, server.id, signs.action if signs else None),
        )
        seen: dict[str, Json] = {"target": server.host, "up_since": up, **running.saw}
        if running.boot is Boot.FAILED:
            return self._aside(signs or Signs(server), str(running.wrong), seen)
        if why := running.wrong:
            return Look(Standing.UNDERWAY, reason=f"not proved: {why}", saw=seen)
        if why := running.unread:
            return Look(Standing.UNDERWAY, reason=f"cannot be read: {why}", saw=seen)
        return Look(Standing.DONE, saw=seen)

    def _is_late(self, world: World, mark: Mark) -> bool:
        at = mark.get(_AT)
        since = datetime.fromisoformat(at) if isinstance(at, str) else world.clock.now()
        return (world.clock.now() - since).total_seconds() >= self.within_s

    @staticmethod
    def _aside(signs: Signs, reason: str, seen: Json = None) -> Look:
        told = {**saw(signs), **(seen if isinstance(seen, dict) else {}), SET_ASIDE: reason}
        request = signs.action.request_id if signs.action else None
        return Look(Standing.DONE, reason=f"set aside: {reason}", request_id=request, saw=told)

    def start(self, world: World, /) -> str | None:
        """Ask Nova to start it, or to make its guest again."""
        if self.by == HARD_REBOOT:
            return world.nova.reboot_server(self.server, is_hard=True)
        return world.nova.start_server(self.server)

    def examine(self, world: World, mark: Mark | None, quiet_s: float, /) -> Look | None:
        """Set it aside where Nova does not bring it to where it could be started."""
        if mark is not None or quiet_s < self.within_s:
            return None
        look = self.look(world, None)
        if look.standing is not Standing.UNDERWAY:
            return None
        return self._aside(Signs(None), f"for {quiet_s:.0f} s: {look.reason}", look.saw)


def _stopped_by(signs: Signs) -> str:
    action = signs.foreign
    assert action is not None  # noqa: S101  # asked before
    if action.user is None:
        return f"its guest ended again: Nova found it off at {in_utc(action.started)}"
    return f"user {action.user} asked for `{action.action}` at {in_utc(action.started)}"
