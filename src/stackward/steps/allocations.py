"""Remove allocations at placement that nothing uses."""

from dataclasses import dataclass, field
from typing import ClassVar

from stackward.errors import StepFailed
from stackward.plan import VOLATILE, Look, Mark, Standing
from stackward.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAllocations:
    """Remove what a consumer holds on some nodes; what it holds where it is, it keeps.

    Placement takes the order only if the consumer is as it was read: with `consumer_generation`.
    """

    kind: ClassVar[str] = "remove-allocations"
    is_prompt: ClassVar[bool] = True

    consumer: str
    name: str
    providers: tuple[str, ...]  # on which it holds them for nothing
    hosts: tuple[str, ...] = field(default=(), metadata=VOLATILE)  # the same, for people
    host: str | None = None  # where Nova has the server; None: Nova does not have it
    keep: str | None = None  # the provider of that host

    @property
    def summary(self) -> str:
        """Say what it does."""
        where = ", ".join(f"`{one}`" for one in self.hosts)
        return f"remove the allocations of `{self.name}` on {where}"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all, and it need not be: placement takes room away for what is there"

    def mark(self, world: World, /) -> Mark:
        """Note what it holds now."""
        return {"held": [*self._held(world)]}

    def look(self, world: World, _: Mark | None, /) -> Look:
        """Done when it holds nothing there, and what it had where it is."""
        held = self._held(world)
        if held & {*self.providers}:
            return Look(Standing.TODO)
        if self.keep is not None and self.keep not in held:
            if world.nova.server(self.consumer) is None:
                return Look(Standing.DONE, saw={"held": [*held], "server": "deleted since"})
            return Look(
                Standing.FAILED,
                reason=f"it holds nothing on `{self.host}`, where Nova has it",
                remedy=f"`nova-manage placement heal_allocations --instance {self.consumer}` "
                "writes them",
            )
        return Look(Standing.DONE, saw={"held": [*held]})

    def start(self, world: World, /) -> str | None:
        """Ask placement; Nova must have the server where the plan has it, and nothing goes on."""
        # Read before Nova is asked: what a move changes in between, placement refuses.
        account = world.placement.account_of(self.consumer)
        if why := self._why_not(world):
            raise StepFailed(f"`{self.name}` {why}", stands="its allocations are as they were")
        if account is None:
            return None
        if self.keep is not None and self.keep not in account.allocations:
            raise StepFailed(
                f"`{self.name}` holds nothing on `{self.host}`, where Nova has it",
                stands="its allocations are as they were",
                hint="a move of it may have started; plan again once it is over",
            )
        kept = account.allocations.keys() - {*self.providers}
        return world.placement.keep_allocations(account, kept)

    def _why_not(self, world: World) -> str | None:
        server = world.nova.server(self.consumer)
        if self.host is None:
            return "is a server by now" if server is not None else None
        if server is None:
            return "was deleted since"
        if server.host != self.host or server.task_state is not None:
            task = f", {server.task_state}" if server.task_state else ""
            return f"is on `{server.host}`{task} by now"
        return None

    def _held(self, world: World) -> frozenset[str]:
        return world.placement.allocations_of(self.consumer)
