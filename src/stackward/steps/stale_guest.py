"""End a guest of a server on a node where it must not be: its power is cut, its disk stays.

Only while Nova has the server on a node that is dead. Libvirt is asked with the login's own rights.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from stackward.errors import StepFailed
from stackward.model.unread import Unread
from stackward.plan import VOLATILE, Json, Look, Mark, Standing
from stackward.ports.libvirt import MAY_END
from stackward.ports.world import World
from stackward.status.signs import gone
from stackward.status.stalled import NO_DOMAIN, read_guests
from stackward.steps.in_turn import ask_in_turn

_OFF = "domain is not running"


@dataclass(frozen=True, slots=True, kw_only=True)
class KillDomain:
    """Cut the power of a guest that a move has left, and take its definition away."""

    kind: ClassVar[str] = "kill-domain"
    is_prompt: ClassVar[bool] = True

    node: str  # as the inventory calls it
    host: str  # the same, as Nova calls it
    server: str
    name: str
    source: str  # the dead host, on which Nova has the server
    disks: tuple[str, ...] = field(default=(), metadata=VOLATILE)  # its files, which stay

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
        return {"states": [*states], "disks": [*self.disks]}

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when libvirt there has no such guest; its disks must be there still."""
        if world.nova.server(self.server) is None:
            return gone(world.nova, self.server)
        found = read_guests(world, self.server, [self.host])
        if isinstance(found, Unread):
            return Look(Standing.UNKNOWN, reason=f"its guests cannot be read: {found.why}")
        if any(each.state is not None for each in found):
            return Look(Standing.TODO)
        lost = [each for each in self.disks if not self._has(world, each)] if mark else []
        saw: dict[str, Json] = {"domain": "gone", "disks": [*self.disks]}
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
        """Cut its power, then take its definition away; Nova must have it on the dead node."""
        server = world.nova.server(self.server)
        if server is None or server.host != self.source:
            where = f"on `{server.host}`" if server else "nowhere"
            raise StepFailed(f"`{self.name}` is {where} by Nova, and not on `{self.source}`")
        ask_in_turn(
            [
                lambda: self._must(world, "destroy", self.server),
                lambda: self._must(world, "undefine", "--keep-nvram", self.server),
            ]
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
