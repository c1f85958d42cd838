"""Whether a server works, as Nova and libvirt see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from stackward.answers import why
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.hypervisor import Hypervisor
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.plan import VOLATILE, CheckResult, Holds, NotApplicable, Refuted, Unverified
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
    """A server runs, Nova does nothing with it, and its guest was started since the plan."""

    kind: ClassVar[str] = "runs-anew"

    server: str
    name: str
    # The boot that ran when it was planned. No decision: a guest that others have rebooted since
    # then has another boot already. None: its hypervisor has no domains.
    before: str | None = field(default=None, metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"`{self.name}` runs, by a new boot, and Nova has no task for it"

    def ask(self, world: World, /) -> CheckResult:
        """Ask Nova, then libvirt on its node."""
        server = world.nova.server(self.server)
        if server is None:
            return NotApplicable(self.name, "deleted in the meantime")
        if server.status == IN_DOWN_CELL:
            raise cell_down(f"`{self.name}`")
        return _wrong_in_nova(server) or self._in_libvirt(world, server)

    def _in_libvirt(self, world: World, server: Server) -> CheckResult:
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
            return Refuted(self.name, reason, f"look at its console, then at the log {where}")
        if unread := guest.unread or row.unread:
            return Unverified(self.name, unread, f"see `virsh domid {server.id}` {where}")
        was = f"boot {self.before}" if self.before and self.before.isdigit() else "none"
        return Holds(
            f"Nova calls it ACTIVE, with no task; libvirt {where} runs boot {now} of its guest; "
            f"{was} ran before"
        )


def _wrong_in_nova(server: Server) -> Refuted | None:
    see = f"`openstack server event list {server.id}` has what was asked for"
    if server.task_state is not None:
        reason = f"Nova is still at work on it ({server.task_state})"
        return Refuted(server.label, reason, see, passes=True)
    if (server.status, server.power_state) != ("ACTIVE", _RUNNING):
        reason = f"it is {server.status}, and its power state is {server.power_state}"
        return Refuted(server.label, reason, see)
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

    def ask(self, world: World, /) -> CheckResult:
        """Look at each: a server that does not run comes first, then what could not be read."""
        return _all_run(world, self.host, dict.fromkeys(self.servers, self.host))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunElsewhere:
    """These servers run, each where Nova has it, and none on a host that is known to be dead."""

    kind: ClassVar[str] = "run-elsewhere"

    # No decision of its own: it follows the moves, of which one fewer refuses no plan.
    servers: tuple[str, ...] = field(metadata=VOLATILE)
    but_for: str  # that host

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"each server that ran on `{self.but_for}`, and had to start, runs elsewhere"

    def ask(self, world: World, /) -> CheckResult:
        """Look at each: a server that does not run comes first, then what could not be read."""
        found = {each: world.nova.server(each) for each in self.servers}
        hosts = {each: server.host if server else None for each, server in found.items()}
        left = [each for each, host in hosts.items() if host == self.but_for]
        if left:
            return Refuted(
                self.but_for,
                f"{count_of(len(left), 'server is', 'servers are')} on it still",
                "see `run show` for why it was not evacuated",
            )
        return _all_run(world, self.but_for, {each: host or "" for each, host in hosts.items()})


def _all_run(world: World, thing: str, hosts: Mapping[str, str]) -> CheckResult:
    """Look at each server on its host."""
    wrong, unread, booted, gone = [], [], 0, 0
    for each, host in hosts.items():
        server = world.nova.server(each)
        if server is None:
            gone += 1
            continue
        if server.status == IN_DOWN_CELL:
            raise cell_down(f"`{server.label}`")
        running = prove_running(world, server, host)
        booted += running.boot is Boot.BOOTED
        if why := running.wrong:
            wrong.append(f"`{server.label}` ({why})")
        elif why := running.unread:
            unread.append(f"`{server.label}` ({why})")
    if wrong:
        return Refuted(
            thing,
            f"{count_of(len(wrong), 'server does', 'servers do')} not run as it should: "
            f"{'; '.join(wrong)}",
            "see `run audit` for why each was set aside, and its console; then start it again",
        )
    if unread:
        return Unverified(thing, "; ".join(unread), "make that readable, then look again")
    return Holds(
        f"{count_of(len(hosts) - gone, 'server')}: ACTIVE, Nova at work on none, guests "
        f"running, ports and volumes there; {booted} ask for a login, {gone} deleted since"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OneGuestEach:
    """Each of these servers has exactly one guest in the cloud, on the node where Nova has it."""

    kind: ClassVar[str] = "one-guest-each"

    # No decision of its own: it follows the moves, of which one fewer refuses no plan.
    servers: tuple[str, ...] = field(metadata=VOLATILE)
    but_for: str  # a host that is known to be dead
    also_off: tuple[str, ...] = ()  # other hosts that have no power

    @property
    def summary(self) -> str:
        """Say the statement."""
        return (
            f"each evacuated server has exactly one guest, on its own node; {self._dead} not count"
        )

    @property
    def _dead(self) -> str:
        if not self.also_off:
            return f"`{self.but_for}`, which is dead, does"
        named = " and ".join(f"`{each}`" for each in (self.but_for, *self.also_off))
        return f"{named}, which are dead, do"

    def ask(self, world: World, /) -> CheckResult:
        """Ask libvirt on every compute node for all of its guests."""
        seen: dict[str, list[str]] = {each: [] for each in self.servers}
        unread: list[str] = []
        without: set[str] = set()  # hosts without a libvirt to ask
        for hypervisor in world.nova.hypervisors():
            if hypervisor.host in {self.but_for, *self.also_off}:
                continue
            if not hypervisor.has_domains:
                without.add(hypervisor.host)
                continue
            found = _guests_on(world, hypervisor)
            if isinstance(found, str):
                unread.append(f"`{hypervisor.host}`: {found}")
                continue
            for each in set(found) & seen.keys():
                seen[each].append(hypervisor.host)
        known = {each: world.nova.server(each) for each in seen}
        # A server with two guests is reported first: each minute counts.
        for each, hosts in sorted(seen.items(), key=lambda one: -len(one[1])):
            wrong = _not_one(each, known[each], hosts, without, is_sure=not unread)
            if wrong is not None:
                return wrong
        if unread:
            return Unverified(
                self.but_for,
                f"not every libvirt was asked: {'; '.join(unread[:_SHOWN])}",
                "make it answer, then verify again",
            )
        gone = sum(each is None for each in known.values())
        apart = sum(each is not None and each.host in without for each in known.values())
        return Holds(
            f"libvirt on all nodes was asked for {len(self.servers)} of them; {gone} deleted "
            f"since, {apart} on hypervisors without libvirt"
        )


def _not_one(
    server_id: str, server: Server | None, hosts: list[str], without: set[str], *, is_sure: bool
) -> Refuted | None:
    """Say what is wrong with the guests of a server; `is_sure`: every libvirt was read."""
    name = server.label if server else server_id
    where = " and ".join(f"`{host}`" for host in hosts)
    if len(hosts) > 1:
        return Refuted(
            name,
            f"it has guests on {where}",
            "two guests of one server destroy its disks: end the one that Nova does not "
            "have, at once",
        )
    if server is None:
        return None
    if server.status == IN_DOWN_CELL:
        raise cell_down(f"`{server.label}`")
    see = f"see `virsh list --all` on `{server.host}` and its nova-compute's log"
    if hosts and hosts != [server.host]:
        return Refuted(name, f"its guest is on {where}, and Nova has it on `{server.host}`", see)
    if not hosts and is_sure and server.host not in without:
        return Refuted(name, "no libvirt has a guest of it", see)
    return None


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
