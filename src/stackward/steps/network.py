"""Remove what a move that was lost has left in Neutron."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.model.network import INACTIVE
from stackward.plan import Look, Mark, Standing
from stackward.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveBinding:
    """Remove an inactive binding of a port; one that is active by now is left alone."""

    kind: ClassVar[str] = "remove-binding"
    is_prompt: ClassVar[bool] = True

    port: str
    name: str  # of its server
    host: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"remove the binding of a port of `{self.name}` that is left on `{self.host}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all, and it need not be: the next move there makes one"

    def mark(self, world: World, /) -> Mark:
        """Note how the port is bound now."""
        bound = world.neutron.bindings_of(self.port)
        return {"bindings": [f"{host} {status}" for host, status in bound]}

    def look(self, world: World, _: Mark | None, /) -> Look:
        """Done when it is gone."""
        status = dict(world.neutron.bindings_of(self.port)).get(self.host)
        if status is None:
            return Look(Standing.DONE)
        if status == INACTIVE:
            return Look(Standing.TODO)
        return Look(Standing.FOREIGN, reason=f"its binding on `{self.host}` is {status} by now")

    def start(self, world: World, /) -> str | None:
        """Ask Neutron to remove it."""
        return world.neutron.remove_binding(self.port, self.host)
