"""Boot one server on a node to see that the node works, and remove it again.

It is named for the run, so that it is found again after a lost answer.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar

from stackward.errors import Refused
from stackward.model.acceptance import NewServer, acceptance_name
from stackward.model.server import Server
from stackward.plan import Look, Mark, Standing
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of
from stackward.status.proof import domain_on_target, no_domain_on_source
from stackward.steps.in_turn import ask_in_turn

_RUNNING = 1  # nova/objects/fields.py InstancePowerState
_RUN = "stackward_run"  # the metadata that names the run


@dataclass(frozen=True, slots=True, kw_only=True)
class BootAcceptance:
    """Boot a server on that very node: the scheduler, placement and nova-compute must agree."""

    kind: ClassVar[str] = "boot-acceptance"

    host: str
    zone: str
    image: str
    flavor: str
    network: str | None
    within_s: float = 300.0

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"boot an acceptance server on `{self.host}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "the next step removes it; by hand: `openstack server delete`"

    def mark(self, world: World, /) -> Mark:
        """Note the time: a server that is never built must not be waited for without end."""
        return {"at": world.clock.now().isoformat()}

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when it is ACTIVE on this host and its guest runs there."""
        own = _own(world)
        if not own:
            return Look(Standing.TODO)
        server = own[0]
        saw = {"server": server.id, "status": server.status, "host": server.host}
        if (wrong := self._wrong(server)) is not None:
            return Look(Standing.FAILED, reason=wrong, service="Nova", says=server.fault, saw=saw)
        lacking = self._lacking(world, server)
        if lacking is None:
            return Look(Standing.DONE, saw=saw)
        standing = _waited(world, mark, self.within_s)
        after = f"after {self.within_s:.0f} s " if standing is Standing.FAILED else ""
        return Look(standing, reason=f"{after}{lacking}", saw=saw)

    def start(self, world: World, /) -> str | None:
        """Ask Nova for the server."""
        run = _run(world)
        return world.nova.create_server(
            NewServer(
                name=acceptance_name(run),
                host=self.host,
                zone=self.zone,
                image=self.image,
                flavor=self.flavor,
                network=self.network,
                metadata=((_RUN, run),),
            )
        )

    def _wrong(self, server: Server) -> str | None:
        """Say what no waiting will repair."""
        if server.status not in {"BUILD", "ACTIVE"}:
            return f"it ended in {server.status}"
        if server.status == "ACTIVE" and server.host != self.host:
            return f"it was booted on `{server.host}`"
        return None

    def _lacking(self, world: World, server: Server) -> str | None:
        """Say what is not proved of it yet."""
        if server.status != "ACTIVE" or server.task_state is not None:
            return f"it is {server.status} ({server.task_state or 'no task of Nova'})"
        if server.power_state != _RUNNING:
            return f"its power state is {server.power_state}"
        if self.network is not None:
            ports = world.neutron.ports_of([server.id])
            if not [port for port in ports if (port.status, port.host) == ("ACTIVE", self.host)]:
                said = ", ".join(f"{port.status} on {port.host}" for port in ports) or "none"
                return f"its port is not active there: {said}"
        hypervisor = hypervisor_of(world.nova, self.host)
        guest = domain_on_target(world, server.id, hypervisor, "running")
        return guest.standing if guest.wrong or guest.unread else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAcceptance:
    """Remove the acceptance server, in any state."""

    kind: ClassVar[str] = "remove-acceptance"

    host: str
    within_s: float = 300.0
    run: str | None = None  # that has booted it, and is over; None: this run

    @property
    def summary(self) -> str:
        """Say what it does."""
        of = f"run `{self.run}` on " if self.run else ""
        return f"remove the acceptance server of {of}`{self.host}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all, and it need not be"

    def mark(self, world: World, /) -> Mark:
        """Note which servers go, to look for their guests afterwards; and the time."""
        servers = tuple(server.id for server in self._found(world))
        return {"servers": servers, "at": world.clock.now().isoformat()}

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when Nova has no such server and libvirt no such guest."""
        own = self._found(world)
        deleting = [server for server in own if server.task_state == "deleting"]
        if own and not deleting:
            return Look(Standing.TODO)
        lacking = "Nova is deleting it" if deleting else self._guest_left(world, mark)
        if lacking is None:
            return Look(Standing.DONE)
        standing = _waited(world, mark, self.within_s)
        after = f"after {self.within_s:.0f} s: " if standing is Standing.FAILED else ""
        return Look(standing, reason=f"{after}{lacking}")

    def start(self, world: World, /) -> str | None:
        """Ask Nova to delete it."""
        asked = ask_in_turn(
            [partial(world.nova.delete_server, one.id) for one in self._found(world)]
        )
        return ", ".join(filter(None, asked)) or None

    def _found(self, world: World) -> list[Server]:
        return acceptance_servers(world, self.run or _run(world))

    def _guest_left(self, world: World, mark: Mark | None) -> str | None:
        servers = mark["servers"] if mark else ()
        if not isinstance(servers, list | tuple):
            return None
        hypervisor = hypervisor_of(world.nova, self.host)
        rows = [no_domain_on_source(world, str(server), hypervisor) for server in servers]
        return next((row.standing for row in rows if row.wrong or row.unread), None)


def _own(world: World) -> list[Server]:
    """Return the acceptance servers of this run: one, or two where an answer came very late."""
    return acceptance_servers(world, _run(world))


def acceptance_servers(world: World, run: str) -> list[Server]:
    """Return the acceptance servers of a run, by their name and their metadata."""
    named = world.nova.servers_named(acceptance_name(run))
    return [server for server in named if (_RUN, run) in server.metadata]


def _run(world: World) -> str:
    if world.acting is None:
        raise Refused("an acceptance server is booted by a run only")
    return world.acting.run


def _waited(world: World, mark: Mark | None, within_s: float) -> Standing:
    """Return the state of a step that waits for it: underway until it is overdue.

    Without a mark nobody knows since when: that is *unknown*, which the engine's patience ends.
    """
    if mark is None:
        return Standing.UNKNOWN
    since = datetime.fromisoformat(str(mark["at"]))
    is_overdue = (world.clock.now() - since).total_seconds() >= within_s
    return Standing.FAILED if is_overdue else Standing.UNDERWAY
