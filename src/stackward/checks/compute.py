"""Whether a node is empty, and out of the scheduler's sight."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import ClassVar

from stackward.answers import lines, why
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.claim import read_claim
from stackward.model.domain import INSTANCES
from stackward.model.evacuation import is_under_way, is_used_up
from stackward.model.migration import Migration
from stackward.model.placement import DISABLED
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.unread import Unread
from stackward.plan import VOLATILE, CheckResult, Holds, NotApplicable, Refuted, Unverified
from stackward.ports.libvirt import cure_of, read_ids, refused
from stackward.ports.login import way_to
from stackward.ports.shell import VIRSH, Answer
from stackward.ports.world import World
from stackward.status.lookups import cell_down, hypervisor_of, servers_on, service_of
from stackward.status.proof import shared_by
from stackward.status.stalled import read_stalled_move
from stackward.status.stuck import RECORD_ONLY, find_stuck, quiet_s
from stackward.wording import count_of

_DOMAINS = (*VIRSH, "list", "--all", "--uuid")
_ARE_DIRECTORIES = ("-mindepth", "1", "-maxdepth", "1", "-type", "d",
                    "-name", "????????-????-????-????-????????????*")  # fmt: skip
_SHOWN = 5
_HOSTS = 2  # that are asked whether they have the same
_AGAIN = ", then verify again"
_COMING = ("accepted", "queued", "preparing", "pre-migrating", "running", "migrating")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoServersOn:
    """Nova places no server on the host."""

    kind: ClassVar[str] = "no-servers-on"

    host: str
    except_for: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()  # ids: other servers do not count; none: all count

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"no servers are on `{self.host}`{_but(self.except_for, self.projects)}"

    def ask(self, world: World, /) -> CheckResult:
        """Look at all projects' servers."""
        here = servers_on(world.nova, self.host)
        stay = _staying(here, self.except_for, self.projects)
        left = [each for each in here if each.id not in stay]
        if not left:
            return Holds(
                f"Nova lists {count_of(len(here), 'server')} there, {len(stay)} of them to stay"
            )
        names = ", ".join(f"`{each.label}`" for each in left[:_SHOWN])
        return Refuted(
            self.host,
            f"{count_of(len(left), 'server is', 'servers are')} still there: {names}",
            "drain the node again",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AreOn:
    """Nova places these servers on the host; one that was deleted since then needs no place."""

    kind: ClassVar[str] = "are-on"

    host: str
    # No decision of its own: it follows the moves, of which one fewer refuses no plan.
    servers: tuple[str, ...] = field(metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say the statement."""
        count = len(self.servers)
        return f"{count_of(count, 'server is', 'servers are')} home on `{self.host}`"

    def ask(self, world: World, /) -> CheckResult:
        """Look at each."""
        found = {each: world.nova.server(each) for each in self.servers}
        for each in found.values():
            if each and each.status == IN_DOWN_CELL:
                raise cell_down(f"`{each.label}`")
        away = [
            f"`{each.label}` on `{each.host}`"
            for each in found.values()
            if each and each.host != self.host
        ]
        if away:
            what = ", ".join(away[:_SHOWN])
            return Refuted(
                self.host,
                f"{count_of(len(away), 'server is', 'servers are')} elsewhere: {what}",
                "bring them back again",
            )
        if gone := [each for each, server in found.items() if server is None]:
            return NotApplicable(", ".join(gone[:_SHOWN]), "deleted in the meantime")
        here = ", ".join(f"`{each.label}`" for each in found.values() if each)
        return Holds(f"Nova has on `{self.host}`: {here or 'none, and none was to come'}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoArrivals:
    """Nothing is on its way to the host: no build, no incoming migration, no reserved room."""

    kind: ClassVar[str] = "no-arrivals"

    host: str
    # The node's provider at placement. Older plans do not have it, and do not ask there.
    provider: str | None = field(default=None, metadata=VOLATILE)
    # Consumers that the plan has warned of: those that Nova does not know become no servers.
    left_over: tuple[str, ...] = field(default=(), metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"nothing is on its way to `{self.host}`"

    def ask(self, world: World, /) -> CheckResult:
        """Look for builds on the host, for migrations to it, and for room that others have taken.

        A server that the scheduler has just sent here has room at placement before Nova lists it.
        """
        # Placement first: the lists of Nova's that follow have what has taken room by then.
        room = world.placement.provider(self.provider).allocations if self.provider else ()
        here = servers_on(world.nova, self.host)
        building = [each.label for each in here if each.status == "BUILD"]
        coming = [
            f"migration {each.id}"
            for status in _COMING
            for each in world.nova.migrations_of(self.host, status)
            if each.target == self.host and not _is_trace(world, each)
        ]
        making = _in_the_making(world, self.host, {*room} - {each.id for each in here})
        unknown = [each for each, server in making.items() if server is None]
        lost = [each for each in unknown if each not in self.left_over]
        sent = [server.label for server in making.values() if server]
        if not (building or coming or sent or lost):
            service_of(world.nova, self.host)  # a cell that is down lists no migration either
            return Holds("Nova lists no build there, and no migration to it that goes on")
        if not (building or coming or sent):
            return _held_by_nobody(self.host, lost)
        what = ", ".join([*building, *coming, *sent, *lost][:_SHOWN])
        return Refuted(self.host, f"on its way there: {what}", "wait, then resume", passes=True)


def _held_by_nobody(host: str, consumers: Sequence[str]) -> Refuted:
    """Return the finding of room that is held for something that Nova does not know, or not yet."""
    one = consumers[0]
    return Refuted(
        host,
        f"placement holds room there for what Nova does not know: {', '.join(consumers[:_SHOWN])}",
        "wait some minutes, then resume. What was lost keeps its room: look first whether "
        f"{one} is a server (`openstack server show {one}`) or a move that goes on (`openstack "
        f"server migration list --host {host}`); if neither, cancel the run and drain the node "
        "again: the new plan warns of it",
        passes=True,
    )


def _in_the_making(world: World, host: str, consumers: set[str]) -> dict[str, Server | None]:
    """Return those of the consumers that may become servers here, with what Nova knows of them.

    Moves from here and to here are left out: Nova lists them. A server that is at rest elsewhere is
    left out too: a move left behind what it holds here, and the proof of the end finds that.
    """
    found = {each: world.nova.server(each) for each in sorted(consumers)}
    for server in found.values():
        if server and server.status == IN_DOWN_CELL:
            raise cell_down(f"`{server.label}`")
    moves = (
        {each.uuid for each in world.nova.newest_migrations(host)}
        if None in found.values()
        else set()
    )
    return {
        each: server
        for each, server in found.items()
        if (each not in moves if server is None else not _is_at_rest(server, host))
    }


def _is_at_rest(server: Server, host: str) -> bool:
    """Say whether a server is neither here nor on its way anywhere."""
    return server.host != host and server.task_state is None and server.status != "BUILD"


def _is_trace(world: World, migration: Migration) -> bool:
    """Say whether a record is all that is left of a move: nothing more comes of it."""
    server = world.nova.server(migration.server)
    if server is None:
        return True
    if server.task_state is not None:
        return False
    if is_under_way(migration):
        records = world.nova.migrations_of_server(server.id)
        if is_used_up(migration, records, server):
            return True
    quiet = quiet_s(server, migration, world.clock.now())
    stuck = find_stuck(read_stalled_move(world, server, migration.source, migration, quiet))
    return stuck is not None and stuck.state is RECORD_ONLY


@dataclass(frozen=True, slots=True, kw_only=True)
class IsCordoned:
    """The service is disabled by our claim, and placement knows."""

    kind: ClassVar[str] = "is-cordoned"

    host: str
    provider: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"`{self.host}` is cordoned"

    def ask(self, world: World, /) -> CheckResult:
        """Compare the claim with the run, and look for the trait."""
        service = service_of(world.nova, self.host)
        if service is None or service.is_enabled:
            return Refuted(self.host, "its service is not disabled", "drain the node again")
        claim = read_claim(service.disabled_reason)
        if claim is None or (world.acting and claim.run != world.acting.run):
            text = service.disabled_reason or "without a reason"
            return Refuted(self.host, f"it has the claim of somebody else: {text}", "ask them")
        if DISABLED not in world.placement.provider(self.provider).traits:
            return Refuted(
                self.host,
                f"placement does not have the trait {DISABLED}: servers may still be put there",
                "restart its nova-compute, or enable and disable the service again",
            )
        return Holds(f"disabled: {service.disabled_reason}; placement has {DISABLED}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAllocations:
    """Placement has nothing in its books for the node."""

    kind: ClassVar[str] = "no-allocations"

    host: str
    provider: str
    except_for: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say the statement."""
        but = _but(self.except_for, self.projects)
        return f"placement has no allocations on `{self.host}`{but}"

    def ask(self, world: World, /) -> CheckResult:
        """Look at the consumers of the node's provider."""
        stay = _staying_on(world, self.host, self.except_for, self.projects)
        known = set(world.placement.provider(self.provider).allocations)
        consumers = sorted(known - stay)
        each = "so with each of them; " if len(consumers) > 1 else ""
        if not consumers:
            return Holds(f"provider {self.provider} has {count_of(len(known), 'consumer')}")
        return Refuted(
            self.host,
            f"{count_of(len(consumers), 'consumer holds', 'consumers hold')} allocations: "
            f"{', '.join(consumers[:_SHOWN])}",
            "look again in some minutes; then `nova-manage placement audit`. A lost move keeps its "
            f"own while its record has not ended: look first whether {consumers[0]} is a server "
            f"(`openstack server show {consumers[0]}`) or a move that goes on (`openstack server "
            f"migration list --host {self.host}`); if neither, `openstack resource provider "
            f"allocation delete {consumers[0]}`; {each}then drain the node again",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoDomains:
    """libvirt on the node has no guest, running or not."""

    kind: ClassVar[str] = "no-domains"

    host: str
    node: str
    except_for: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"libvirt on `{self.node}` has no guests{_but(self.except_for, self.projects)}"

    def ask(self, world: World, /) -> CheckResult:
        """List the guests."""
        return _ask_node(
            world,
            host=self.host,
            node=self.node,
            command=_DOMAINS,
            what=("guest", "guests"),
            stay=_staying_on(world, self.host, self.except_for, self.projects),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoInstanceDirs:
    """No server's directory is left among Nova's instances, where these are the node's own."""

    kind: ClassVar[str] = "no-instance-dirs"

    host: str
    node: str
    is_shared: bool = False  # then other nodes' servers are there too
    # Where `instances_path` is set; only what runs there shows it, so an empty node shows none.
    other_directories: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    except_for: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say the statement."""
        but = _but(self.except_for, self.projects)
        return f"no server has a directory left on `{self.node}`{but}"

    def ask(self, world: World, /) -> CheckResult:
        """List the directories."""
        # With a slash at its end, `find` follows a directory that is a link.
        places = [f"{each}/" for each in self.other_directories]
        places += [] if self.is_shared else [f"{INSTANCES}/"]
        if not places:
            return NotApplicable(self.node, f"{INSTANCES} is shared with other nodes")
        return _ask_node(
            world,
            host=self.host,
            node=self.node,
            command=("find", *places, *_ARE_DIRECTORIES),
            what=("directory", "directories"),
            stay=_staying_on(world, self.host, self.except_for, self.projects),
            has_too=partial(self._who_has_too, world),
        )

    def _who_has_too(self, world: World, left: Sequence[str]) -> tuple[str, set[str]] | None:
        """Return a host that has the same directories, and which: they are on shared storage.

        Its file system may be of a kind that is not known for that. The hosts are those on which
        the first of these servers are.
        """
        here = hypervisor_of(world.nova, self.host)
        servers = [world.nova.server(PurePosixPath(each).name[:36]) for each in left[:_SHOWN]]
        hosts = [one.host for one in servers if one and one.host not in {None, self.host}]
        tops = sorted({f"{PurePosixPath(one).parent}/" for one in left})  # as above
        for host in filter(None, [*dict.fromkeys(hosts)][:_HOSTS]):
            there = hypervisor_of(world.nova, host)
            shared = shared_by(world, here, there, tops, _ARE_DIRECTORIES)
            if shared:
                return host, shared
        return None


def _ask_node(  # noqa: PLR0913  # the differences between the two questions
    world: World,
    *,
    host: str,
    node: str,
    command: tuple[str, ...],
    what: tuple[str, str],
    stay: set[str],
    has_too: Callable[[Sequence[str]], tuple[str, set[str]] | None] = lambda _left: None,
) -> CheckResult:
    if (hypervisor := hypervisor_of(world.nova, host)) and not hypervisor.has_domains:
        return NotApplicable(node, f"its hypervisor is `{hypervisor.kind}`")
    try:
        answer = world.shell.run(node, command)
    except (Unreachable, Uncertain) as error:
        return Unverified(node, error.message, way_to(Unread.of(error)) + _AGAIN)
    if answer.code != 0:
        return _unanswered(node, command, answer)
    printed = [line.strip() for line in lines(answer.out)]
    if command == _DOMAINS:
        try:
            read_ids(answer.out)
        except NotUnderstood as error:
            return Unverified(node, why(error), f"look at it there{_AGAIN}")
    left = [one for one in printed if not any(kept in one for kept in stay)]
    shared = has_too(left) if left else None
    if shared:
        left = [one for one in left if one not in shared[1]]
    if not left:
        also = f"; they are on storage that `{shared[0]}` has too" if shared else ""
        return Holds(f"`{shlex.join(command)}` printed {count_of(len(printed), *what)}{also}")
    shown = ", ".join(left[:_SHOWN])
    return Refuted(
        node, f"left there: {count_of(len(left), *what)}: {shown}", "find whose they are"
    )


def _unanswered(node: str, command: tuple[str, ...], answer: Answer) -> Unverified:
    if command == _DOMAINS:
        said = refused(answer, command[len(VIRSH)])
        return Unverified(node, said.why, cure_of(said) + _AGAIN)
    says = answer.err.strip() or f"`{command[0]}`: {answer.code}"
    return Unverified(node, says, f"see there why `{shlex.join(command)}` fails{_AGAIN}")


def _staying_on(
    world: World, host: str, except_for: tuple[str, ...], projects: tuple[str, ...]
) -> set[str]:
    here = servers_on(world.nova, host) if projects else ()
    return _staying(here, except_for, projects)


def _staying(
    here: Sequence[Server], except_for: tuple[str, ...], projects: tuple[str, ...]
) -> set[str]:
    """Return the servers that may stay: those named, and those of other projects."""
    return {*except_for} | {each.id for each in here if projects and each.project not in projects}


def _but(except_for: tuple[str, ...], projects: tuple[str, ...]) -> str:
    left = [f"the {len(except_for)} left behind"] if except_for else []
    others = ["those of other projects"] if projects else []
    return f" but {' and '.join([*left, *others])}" if left or others else ""
