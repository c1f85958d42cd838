"""Remove what is left of servers and nodes that are gone: ports, services of Nova, agents.

Not what lives: each looks once more, right before its order, whether the server or node came back.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from stackward.errors import StepFailed
from stackward.model.network import HostedAgent
from stackward.model.service import NOVA_COMPUTE, ComputeService
from stackward.plan import VOLATILE, Look, Mark, Standing
from stackward.ports.world import World
from stackward.wording import count_of

_AS_IT_WAS = "it is as it was"
_AGAIN = "`stackward cloud reconcile --orphans` lists what is left by now"


class _Removal(Protocol):
    """What the three have in common."""

    def look(self, world: World, mark: Mark | None, /) -> Look: ...


def _remove(step: _Removal, world: World, delete: Callable[[], str | None]) -> str | None:
    """Delete what is still left: the look before it may be minutes old.

    What is gone by then, or was since deleted by somebody else, counts as removed too.
    """
    now = step.look(world, None)
    if now.standing is Standing.DONE:
        return None
    if now.standing is not Standing.TODO:
        raise StepFailed(f"it was not removed: {now.reason}", stands=_AS_IT_WAS, hint=_AGAIN)
    try:
        return delete()
    except StepFailed:
        if step.look(world, None).standing is Standing.DONE:
            return None
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePort:
    """Delete a port that names a server which Nova does not have."""

    kind: ClassVar[str] = "remove-port"
    is_prompt: ClassVar[bool] = True

    port: str
    name: str = field(metadata=VOLATILE)  # for people
    server: str  # that it names

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"delete port {self.port} of the server {self.server}, which is gone"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all: its addresses are free, and others may get them"

    def mark(self, world: World, /) -> Mark:
        """Note whose it is now."""
        found = world.neutron.port(self.port)
        return {"server": found.server if found else None}

    def look(self, world: World, _: Mark | None, /) -> Look:
        """Done when Neutron does not have it."""
        found = world.neutron.port(self.port)
        if found is None:
            return Look(Standing.DONE, saw={"neutron": "no such port"})
        if found.server != self.server:
            whose = f"of the server {found.server}" if found.server else "of no server"
            return Look(Standing.FOREIGN, reason=f"it is {whose} by now", remedy=_AGAIN)
        return Look(Standing.TODO)

    def start(self, world: World, /) -> str | None:
        """Ask Neutron; Nova must not have its server."""
        if world.nova.server(self.server) is not None:
            raise StepFailed(
                f"Nova has the server {self.server} of port {self.port} by now",
                stands=_AS_IT_WAS,
                hint=_AGAIN,
            )
        return _remove(self, world, lambda: world.neutron.delete_port(self.port))


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveService:
    """Delete the record of a service of Nova on a node that is gone.

    With that of a nova-compute, Nova deletes its provider at placement and takes the host out of
    all aggregates. It refuses while the host has servers or moves, and does not look at allocations
    that are left: those would keep the provider (nova 31.0 scheduler/client/report.py).
    """

    kind: ClassVar[str] = "remove-service"
    is_prompt: ClassVar[bool] = True

    service: str
    binary: str
    host: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        also = ", and with it its provider at placement" if self.binary == NOVA_COMPUTE else ""
        return f"delete the record of {self.binary} on `{self.host}`{also}"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"not at all: {self.binary} makes a new record when it starts there again"

    def mark(self, world: World, /) -> Mark:
        """Note how it is listed now."""
        found = self._among(world.nova.services())
        return {"updated": found.updated if found else None}

    def look(self, world: World, _: Mark | None, /) -> Look:
        """Done when Nova does not list it; one that is up by now is not touched."""
        services = world.nova.services()
        found = self._among(services)
        if found is None and not all(one.is_known for one in services):
            return Look(Standing.UNKNOWN, reason="a cell is down, and Nova may not list all of it")
        if found is None:
            return Look(Standing.DONE, saw={"nova": "no such service"})
        if found.is_up or not found.is_known:
            how = "is up" if found.is_up else "is in a cell that is down"
            return Look(Standing.FOREIGN, reason=f"it {how} by now", remedy=_AGAIN)
        return Look(Standing.TODO)

    def start(self, world: World, /) -> str | None:
        """Ask Nova; no server may be on the host."""
        if self.binary == NOVA_COMPUTE and (there := world.nova.servers_on(self.host)):
            raise StepFailed(
                f"Nova has {count_of(len(there), 'server')} on `{self.host}` by now",
                stands=_AS_IT_WAS,
                hint=_AGAIN,
            )
        return _remove(self, world, lambda: world.nova.delete_service(self.service))

    def _among(self, services: Iterable[ComputeService]) -> ComputeService | None:
        # A record in a cell that is down has no id: it is found by its host.
        return next(
            (
                one
                for one in services
                if one.id == self.service
                or (not one.is_known and (one.host, one.binary) == (self.host, self.binary))
            ),
            None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAgent:
    """Delete the record of an agent of Neutron on a node that is gone."""

    kind: ClassVar[str] = "remove-agent"
    is_prompt: ClassVar[bool] = True

    agent: str
    name: str  # its kind, as Neutron calls it
    host: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"delete the record of the {self.name} on `{self.host}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all: the agent makes a new record when it starts there again"

    def mark(self, world: World, /) -> Mark:
        """Note when it was last heard of."""
        found = self._listed(world)
        return {"heard": found.heard if found else None}

    def look(self, world: World, _: Mark | None, /) -> Look:
        """Done when Neutron does not list it; one that is alive by now is not touched."""
        found = self._listed(world)
        if found is None:
            return Look(Standing.DONE, saw={"neutron": "no such agent"})
        if found.is_alive:
            return Look(Standing.FOREIGN, reason="it is alive by now", remedy=_AGAIN)
        return Look(Standing.TODO)

    def start(self, world: World, /) -> str | None:
        """Ask Neutron. Two agents of one OVN chassis go together: the second may be gone by now."""
        return _remove(self, world, lambda: world.neutron.delete_agent(self.agent))

    def _listed(self, world: World) -> HostedAgent | None:
        return next((one for one in world.neutron.every_agent() if one.id == self.agent), None)
