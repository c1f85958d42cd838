"""End a guest of a server on a node where it must not be: its power is cut, its disk stays.

Only while Nova has the server on a dead node, or while its guest is proved to run where Nova has
it. Also while Nova does not have the server any more. Libvirt is asked with the login's own rights.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from stackward.errors import StepFailed
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.plan import VOLATILE, Json, Look, Mark, Standing
from stackward.ports.libvirt import MAY_END
from stackward.ports.world import World
from stackward.status.signs import gone
from stackward.status.stalled import NO_DOMAIN, read_guests
from stackward.steps.in_turn import ask_in_turn

_OFF = "domain is not running"
_RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class KillDomain:
    """Cut the power of a guest that a move has left, and take its definition away."""

    kind: ClassVar[str] = "kill-domain"
    is_prompt: ClassVar[bool] = True

    node: str  # as the inventory calls it
    host: str  # the same, as Nova calls it
    server: str
    name: str
    source: str  # the host on which Nova has the server; empty: on none
    disks: tuple[str, ...] = field(default=(), metadata=VOLATILE)  # its files, which stay
    must_run_there: bool = False  # on that host; False: that host is dead
    is_deleted: bool = False  # Nova has no such server

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"end the guest of `{self.name}` on `{self.host}`: power cut; the disk stays"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all: what was in its memory is lost; its disk is where it was"

    def mark(self, world: World, /) -> Mark:
        """Note how it is there now."""
        found = read_guests(world, self.server, [self.host])
        states = [] if isinstance(found, Unread) else [each.state for each in found]
        # What this login does not see now says nothing later.
        return {
            "states": [*states],
            "disks": [each for each in self.disks if self._has(world, each)],
        }

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when libvirt there has no such guest; its disks must be there still."""
        if not self.is_deleted and world.nova.server(self.server) is None:
            return gone(world.nova, self.server)
        found = read_guests(world, self.server, [self.host])
        if isinstance(found, Unread):
            return Look(Standing.UNKNOWN, reason=f"its guests cannot be read: {found.why}")
        if any(each.state is not None for each in found):
            return Look(Standing.TODO)
        before = mark["disks"] if mark else ()
        disks = [str(each) for each in before] if isinstance(before, list | tuple) else []
        lost = [each for each in disks if not self._has(world, each)]
        saw: dict[str, Json] = {"domain": "gone", "disks": [*disks]}
        if lost:
            return Look(
                Standing.FAILED,
                reason=f"its guest is gone, and so is {', '.join(lost)}",
                remedy=f"find out who has removed it before anything of `{self.name}` is started",
                saw=saw,
            )
        return Look(Standing.DONE, saw=saw)

    def _has(self, world: World, path: str) -> bool:
        return world.shell.run(self.node, ["test", "-e", path]).code == 0

    def start(self, world: World, /) -> str | None:
        """Cut its power, then take its definition away; all must be as it was planned."""
        if (why_not := self._why_not(world)) is not None:
            raise StepFailed(f"`{self.name}` {why_not}", stands="no guest was ended")
        ask_in_turn(
            [
                lambda: self._must(world, "destroy", self.server),
                lambda: self._must(world, "undefine", "--keep-nvram", self.server),
            ]
        )
        return None

    def _why_not(self, world: World) -> str | None:
        """Say why it may not be ended now; None where it may."""
        server = world.nova.server(self.server)
        if self.is_deleted:
            return "is a server of Nova's by now" if server is not None else None
        if server is None or server.host != self.source:
            where = f"on `{server.host}`" if server else "nowhere"
            return f"is {where} by Nova, and not on `{self.source}`"
        return self._why_not_living(world, server) if self.must_run_there else None

    def _why_not_living(self, world: World, server: Server) -> str | None:
        """Say why its guest where Nova has it is not known to run."""
        if server.task_state is not None:
            return f"is busy: Nova is at work on it ({server.task_state})"
        found = read_guests(world, self.server, [self.source])
        if isinstance(found, Unread):
            return f"cannot be seen on `{self.source}`: {found.why}"
        if [each.state for each in found] != [_RUNNING]:
            return (
                f"does not run on `{self.source}`: the guest on `{self.host}` may be the only one"
            )
        return None

    def _must(self, world: World, *words: str) -> None:
        answer = world.shell.run(self.node, [*MAY_END, *words])
        # One that is off has no power; one that was defined nowhere is gone by then.
        if answer.code == 0 or _OFF in answer.err or NO_DOMAIN in answer.err:
            return
        raise StepFailed(
            f"`virsh {words[0]}` failed on `{self.node}`",
            service="libvirt",
            says=answer.err.strip() or f"code {answer.code}",
        )
