"""Put a boot gate on a compute node, take it away, open it for this boot.

Each begins and ends with what is on the node: nobody else's gate is like ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from stackward.model.boot_gate import BootGate
from stackward.model.unread import Unread
from stackward.plan import Look, Mark, Standing
from stackward.ports import root
from stackward.ports.world import World
from stackward.status.boot_gate import read_gate
from stackward.steps.as_root import must_all


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallGate:
    """Put the gate there. It is open for this boot: what runs, runs on."""

    kind: ClassVar[str] = "install-gate"

    node: str

    @property
    def as_root(self) -> tuple[root.Words, ...]:
        """Return what it runs as root, in order: it is open before systemd hears of it."""
        return (
            *(root.OPEN_GATE, root.MAKE_GATE, root.FILL_GATE),
            *(root.MAKE_GATE_DROP_IN, root.FILL_GATE_DROP_IN, root.RELOAD),
        )

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"put a boot gate before nova-compute on `{self.node}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`stackward node gate remove {self.node}`"

    def mark(self, world: World, /) -> Mark:
        """Note what was there."""
        return _told(read_gate(world.shell, self.node))

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002 # the node shows it
        """Done when both files read as they should, it is open, and systemd goes by it."""
        return _look(world, self.node, lambda gate: gate.is_whole and gate.is_open)

    def start(self, world: World, /) -> None:
        """Open it, write it, let systemd read it; each may be repeated."""
        must_all(world, self.node, self.as_root)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveGate:
    """Take the gate away: nova-compute starts at boot by itself again."""

    kind: ClassVar[str] = "remove-gate"

    node: str

    @property
    def as_root(self) -> tuple[root.Words, ...]:
        """Return what it runs as root, in order: a drop-in without its script would keep it off."""
        return (root.CLEAR_GATE_DROP_IN, root.RELOAD, root.CLEAR_GATE)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"take the boot gate of `{self.node}` away"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`stackward node gate install {self.node}`"

    def mark(self, world: World, /) -> Mark:
        """Note what was there."""
        return _told(read_gate(world.shell, self.node))

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002 # the node shows it
        """Done when nothing of it is left, and systemd asks none."""
        return _look(world, self.node, lambda gate: not (gate.is_any or gate.is_open))

    def start(self, world: World, /) -> None:
        """Remove the drop-in, let systemd read that, remove the rest; each may be repeated."""
        must_all(world, self.node, self.as_root)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGate:
    """Open the gate for this boot; it is shut again by the next one."""

    kind: ClassVar[str] = "open-gate"

    node: str

    @property
    def as_root(self) -> tuple[root.Words, ...]:
        """Return what it runs as root."""
        return (root.OPEN_GATE,)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"open the boot gate of `{self.node}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "by nothing: the next boot shuts it"

    def mark(self, world: World, /) -> Mark:
        """Note how it was."""
        return _told(read_gate(world.shell, self.node))

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002 # the node shows it
        """Done when it is open, or when there is none any more."""
        return _look(world, self.node, lambda gate: not gate.is_shut)

    def start(self, world: World, /) -> None:
        """Write the file that says so; it is gone with the boot."""
        must_all(world, self.node, self.as_root)


def _look(world: World, node: str, is_done: Callable[[BootGate], bool]) -> Look:
    """Return the state of a step, by the gate as it is."""
    gate = read_gate(world.shell, node)
    if isinstance(gate, Unread):
        return Look(Standing.UNKNOWN, reason=gate.why)
    return Look(Standing.DONE, saw=_told(gate)) if is_done(gate) else Look(Standing.TODO)


def _told(gate: BootGate | Unread) -> dict[str, str]:
    return {"gate": gate.why if isinstance(gate, Unread) else gate.words}
