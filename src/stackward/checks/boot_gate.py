"""Whether the boot gate of a compute node is open or closed."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.model.unread import Unread
from stackward.plan import CheckResult, Holds, Refuted, Unverified
from stackward.ports.login import way_to
from stackward.ports.world import World
from stackward.status.boot_gate import read_gate


@dataclass(frozen=True, slots=True, kw_only=True)
class GateStands:
    """The gate is there as it was shipped, or there is none; and systemd uses that."""

    kind: ClassVar[str] = "gate-stands"

    node: str
    is_there: bool

    @property
    def summary(self) -> str:
        """Say the statement."""
        how = (
            "has a boot gate, and it is open for this boot" if self.is_there else "has no boot gate"
        )
        return f"`{self.node}` {how}"

    def ask(self, world: World, /) -> CheckResult:
        """Read the files, and ask systemd what it would run before nova-compute."""
        gate = read_gate(world.shell, self.node)
        if isinstance(gate, Unread):
            return Unverified(self.node, gate.why, f"{way_to(gate)}; then look again")
        if gate.is_any != self.is_there or (self.is_there and not gate.is_whole):
            return Refuted(
                self.node,
                f"its boot gate is {gate.words}",
                "see `systemctl cat nova-compute` there: another drop-in may reset "
                "`ExecCondition`; then plan it again",
            )
        if self.is_there and not gate.is_open:
            way = f"`stackward node gate open {self.node}`"
            return Refuted(self.node, "its boot gate is shut", way)
        return Holds(f"its boot gate is {gate.words}, as its files and systemd have it")
