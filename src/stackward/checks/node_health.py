"""Whether a node is well as a whole."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.plan import CheckResult, Holds, Refuted, Unverified
from stackward.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIsWell:
    """A look at the node, as that of `node check`, finds nothing wrong."""

    kind: ClassVar[str] = "node-is-well"

    node: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"`stackward node check` finds `{self.node}` well"

    def ask(self, world: World, /) -> CheckResult:
        """Look at it."""
        look = f"see `stackward node check {self.node}`"
        if world.health is None:
            return Unverified(self.node, "nothing here looks at it as a whole", look)
        found = world.health.of_node(self.node)
        if not found:
            return Holds("the look found nothing wrong, as far as it could ask")
        ill = next((each for each in found if each.is_known), None)
        if ill is None:
            return Unverified(self.node, found[0].says, found[0].remedy or look, passes=True)
        return Refuted(self.node, f"is not well: {ill.says}", ill.remedy or look)
