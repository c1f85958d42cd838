"""Whether a server works, as Nova and libvirt see it."""

from dataclasses import dataclass, field
from typing import ClassVar

from stackward.answers import why
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.hypervisor import Hypervisor
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.plan import VOLATILE, Answer, Finding, Holds, NotApplicable, Unverified
from stackward.ports.libvirt import read_ids, refused
from stackward.ports.machines import machine_in, machine_of
from stackward.ports.shell import VIRSH
from stackward.ports.world import World
from stackward.status.lookups import cell_down, hypervisor_of
from stackward.status.proof import domain_on_target, new_boot
from stackward.status.running import Boot, prove_running
from stackward.wording import count_of

_DOMAINS = (*VIRSH, "list", "--all", "--uuid")
_SHOWN = 3
_RUNNING = 1  # nova/objects/fields.py InstancePowerState


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsAnew:
    """A server runs, Nova has no task for it, and its guest has been started since the plan."""

    kind: ClassVar[str] = "runs-anew"

    server: str
    name: str
    # The boot that ran when it was planned. No decision: a guest that was rebooted by others since
    # is another one already. None: its hypervisor has no domains.
    before: str | None = field(default=None, metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"`{self.name}` runs, by a new boot, and Nova has no task for it"

    def ask(self, world: World, /) -> Answer:
        """Ask Nova, then libvirt on its node."""
        server = world.nova.server(self.server)
        if server is None:
            return NotApplicable(self.name, "deleted meanwhile")
        if server.status == IN_DOWN_CELL:
            raise cell_down(f"`{self.name}`")
        return _wrong_in_nova(server) or self._in_libvirt(world, server)

    def _in_libvirt(self, world: World, server: Server) -> Answer:
        hypervisor = hypervisor_of(world.nova, server.host or "")
        if hypervisor is not None and not hypervisor.has_domains:
            return NotApplicable(
                self.name,
                f"Nova calls it ACTIVE; its hypervisor is `{hypervisor.kind}`, and no boot is "
                "proved there",
            )
        guest = domain_on_target(world, server.id, hypervisor, "running")
        row, now = new_boot(world, server.id, hypervisor, self.before)
        where = f"on `{server.host}`"
        if guest.wrong or row.wrong:
            reason = f"its guest {where} {guest.wrong}" if guest.wrong else str(row.wrong)
            return Finding(self.name, reason, f"look at its console, then at the log {where}")
        if unread := guest.unread or row.unread:
            return Unverified(self.name, unread, f"see `virsh domid {server.id}` {where}")
        was = f"boot {self.before}" if self.before and self.before.isdigit() else "none"
        return Holds(
            f"Nova calls it ACTIVE, with no task; libvirt {where} runs boot {now} of its guest; "
            f"{was} ran before"
        )


def _wrong_in_nova(server: Server) -> Finding | None:
    see = f"`openstack server event list {server.id}` has what was asked for"
    if server.task_state is not None:
        reason = f"Nova is still at work on it ({server.task_state})"
        return Finding(server.label, reason, see, passes=True)
    if (server.status, server.power_state) != ("ACTIVE", _RUNNING):
        reason = f"it is {server.status}, and its power state is {server.power_state}"
        return Finding(server.label, reason, see)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllRun:
    """These servers run on the host: in Nova, in libvirt, with their ports and volumes."""

    kind: ClassVar[str] = "all-run"

    host: str
    # No decision of its own: it follows the moves, of which one fewer refuses no plan.
    servers: tuple[str, ...] = field(metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say the statement."""
        count = len(self.servers)
        return f"{count_of(count, 'server runs', 'servers run')} on `{self.host}`"

    def ask(self, world: World, /) -> Answer:
        """Look at each: what does not run comes first, then what could not be read."""
        wrong, unread, booted, gone = [], [], 0, 0
        for each in self.servers:
            server = world.nova.server(each)
            if server is None:
                gone += 1
                continue
            if server.status == IN_DOWN_CELL:
                raise cell_down(f"`{server.label}`")
            running = prove_running(world, server, self.host)
            booted += running.boot is Boot.BOOTED
            if why := running.wrong:
                wrong.append(f"`{server.label}` ({why})")
            elif why := running.unread:
                unread.append(f"`{server.label}` ({why})")
        if wrong:
            return Finding(
                self.host,
                f"{count_of(len(wrong), 'server does', 'servers do')} not run as it should: "
                f"{'; '.join(wrong)}",
                "see `run audit` for why each was set aside, and its console; then start it again",
            )
        if unread:
            return Unverified(self.host, "; ".join(unread), "make that readable, then look again")
        return Holds(
            f"{count_of(len(self.servers) - gone, 'server')}: ACTIVE, Nova at work on none, guests "
            f"running, ports and volumes there; {booted} ask for a login, {gone} deleted since"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OneGuestEach:
    """Each of these servers has one guest in the cloud, on the node where Nova has it."""

    kind: ClassVar[str] = "one-guest-each"

    # No decision of its own: it follows the moves, of which one fewer refuses no plan.
    servers: tuple[str, ...] = field(metadata=VOLATILE)
    but_for: str  # a host that is known to be dead

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"each evacuated server has one guest, and none but on `{self.but_for}` besides"

    def ask(self, world: World, /) -> Answer:
        """Ask libvirt on every compute node for all of its guests."""
        seen: dict[str, list[str]] = {each: [] for each in self.servers}
        unread: list[str] = []
        for hypervisor in world.nova.hypervisors():
            if hypervisor.host == self.but_for or not hypervisor.has_domains:
                continue
            found = _guests_on(world, hypervisor)
            if isinstance(found, str):
                unread.append(f"`{hypervisor.host}`: {found}")
                continue
            for each in set(found) & seen.keys():
                seen[each].append(hypervisor.host)
        for each, hosts in seen.items():
            server = world.nova.server(each)
            if len(hosts) > 1:
                where = " and ".join(f"`{host}`" for host in hosts)
                return Finding(
                    server.label if server else each,
                    f"it has guests on {where}",
                    "two guests of one server destroy its disks: end the one that Nova does not "
                    "have, at once",
                )
        if unread:
            return Unverified(
                self.but_for,
                f"not every libvirt was asked: {'; '.join(unread[:_SHOWN])}",
                "make it answer, then verify again",
            )
        return Holds(f"libvirt on all nodes was asked for {len(self.servers)} of them")


def _guests_on(world: World, hypervisor: Hypervisor) -> list[str] | str:
    """Return the ids of all guests on a node; or why they could not be read."""
    found = machine_in(world, machine_of(hypervisor))
    if found.node is None:
        return found.why
    try:
        answer = world.shell.run(found.node, _DOMAINS)
        if answer.code != 0:
            return refused(answer, "list").why
        return read_ids(answer.out)
    except (Unreachable, Uncertain) as error:
        return error.message
    except NotUnderstood as error:
        return why(error)
