"""Read a node to reboot with its servers on it."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from stackward.facts.bringing_up import read_tags
from stackward.facts.compute import read_compute_node
from stackward.facts.maintenance import read_holders
from stackward.facts.moved import known_run
from stackward.facts.observed import keep_names, read_remembered
from stackward.facts.rebooted import read_rebooted
from stackward.facts.who_ran import stops_of, with_stops
from stackward.model.identity import first_label
from stackward.model.maintenance import Holder
from stackward.model.node import ComputeNode
from stackward.model.run import Run, RunState
from stackward.model.server import Server, ServerGroup
from stackward.model.unread import Unread
from stackward.model.who_ran import STOPS, Listed, Torn, is_left_off
from stackward.plan import Request
from stackward.policy.on_node import foreign_consumers
from stackward.policy.waves import Tags
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.reboot_compute_node import RebootNodeRequest
from stackward.status.booted import read_booted
from stackward.status.evacuations import lives_on_source
from stackward.status.listed import is_on, read_listed
from stackward.status.run import state_now

_ALIVE = {"running", "blocked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDown:
    """A server of a group that keeps it apart from one here; its node is being rebooted."""

    here: Server
    there: str  # its id
    node: str
    run: str  # that reboots the node
    ended: RunState | None = None  # how that run is over, which has left the member off


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersUnseen:
    """A server here whose group has members in a cell that is down: where they run is not known."""

    here: Server
    count: int
    run: str | None = None  # another reboot in place, which may have them off now
    node: str = ""  # of that run


@dataclass(frozen=True, slots=True, kw_only=True)
class RebootFacts:
    """A node to reboot, and what decides how; read once."""

    node: ComputeNode
    booted: datetime | Unread = field(default=Unread("it was not asked"))
    tags: Tags = field(default_factory=dict)
    holders: tuple[Holder, ...] = ()
    apart: tuple[MemberDown, ...] = ()  # members of groups that other reboots have off
    unseen: tuple[MembersUnseen, ...] = ()
    is_own_machine: bool = False  # Stackward runs there
    listed: Listed | Torn | Unread | None = None  # what an earlier reboot has left there
    left_off: tuple[Server, ...] = ()  # that it has stopped, and nobody has started since
    is_foreseen: bool = False  # read as it will be once it is drained

    @property
    def domain(self) -> str | Unread:
        """Return what the node shares with those that fail with it."""
        return self.node.failure_domain

    @property
    def running(self) -> tuple[Server, ...]:
        """Return those that run: they are stopped, and started again."""
        return tuple(each for each in self.node.servers if is_on(each))

    def state_of(self, server: Server) -> str | None:
        """Return how libvirt has its guest there; None: it has none, or was not read."""
        domain = self.node.domain_of(server.id)
        return domain.state if domain else None

    def is_alive(self, server: Server) -> bool:
        """Say whether libvirt runs its guest there."""
        return self.state_of(server) in _ALIVE


def read_reboot(
    world: World,
    journal: Journal,
    asked: RebootNodeRequest,
    run_id: str | None,
    only: str | None = None,
) -> RebootFacts:
    """Return the node as it is now; with `only` what one of its servers has to know."""
    remembered = read_remembered(world, journal)
    node = read_compute_node(world, asked.node, only=only, remembered=remembered)
    if only is not None:
        return RebootFacts(node=node)
    if not isinstance(node.domains, Unread):
        keep_names(world, journal, node.name, node.host)
    node = replace(node, evacuations=lives_on_source(world, node.host, node.servers))
    if (claim := node.claim) and (known := known_run(journal, claim.run)):
        state = state_now(known, platform.node(), world.clock.now())
        node = replace(node, claiming_run=state)
    is_named = node.name in world.shell.directory()
    listed = read_listed(world.shell, node.name) if is_named else None
    if isinstance(listed, Listed):
        listed = None if listed.run == run_id else with_stops(journal, listed)
    groups = () if asked.is_drained else tuple(_kept_apart(node))
    reboots = read_rebooted(journal, world.cloud.identity().id, but=run_id) if groups else {}
    return RebootFacts(
        node=node,
        listed=listed,
        left_off=_left_off(world, listed, node) if isinstance(listed, Listed) else (),
        booted=read_booted(world.shell, node.name) if is_named else Unread("it is not named"),
        apart=tuple(_members_down(world, journal, groups, reboots)),
        unseen=tuple(_members_unseen(groups, reboots)),
        tags=read_tags(world, (each.project for each in node.servers)),
        holders=read_holders(journal, world.cloud.identity().id, node.host, but=run_id),
        is_own_machine=_is_own(world, node.name) if is_named else False,
    )


def _kept_apart(node: ComputeNode) -> Iterator[tuple[Server, ServerGroup]]:
    """Return the servers that run there, and whose group keeps its members apart."""
    for server in node.servers:
        if is_on(server) and server.group is not None and server.group.keeps_apart:
            yield server, server.group


def _members_down(
    world: World,
    journal: Journal,
    groups: Sequence[tuple[Server, ServerGroup]],
    reboots: Mapping[str, Run],
) -> Iterator[MemberDown]:
    """Return members that another reboot in place may have off now, or has left off."""
    for server, group in groups:
        for member, host in group.elsewhere:
            run = reboots.get(host)
            if run is None:
                continue
            down = MemberDown(here=server, there=member, node=host, run=run.id)
            if not run.state.is_over:
                yield down
            elif _is_left_off(world, journal, run, member):
                yield replace(down, ended=run.state)


def _is_left_off(world: World, journal: Journal, run: Run, member: str) -> bool:
    """Say whether a server is off since that run stopped it; a later stop is a user's wish.

    If an answer to a stop was lost, any stop may be that of the run.
    """
    server = world.nova.server(member)
    if server is None or is_on(server):
        return False
    stops, has_all = stops_of(journal, run.id)
    last = next((one for one in world.nova.actions_of(member) if one.action in STOPS), None)
    return last is not None and (last.request_id in stops or not has_all)


def _members_unseen(
    groups: Sequence[tuple[Server, ServerGroup]], reboots: Mapping[str, Run]
) -> Iterator[MembersUnseen]:
    """Return the servers with members of whose cell nothing is known; any reboot may have them."""
    node, run = next(iter(reboots.items()), ("", None))
    for server, group in groups:
        if group.unknown:
            yield MembersUnseen(
                here=server, count=len(group.unknown), run=run.id if run else None, node=node
            )


def _left_off(world: World, listed: Listed, node: ComputeNode) -> tuple[Server, ...]:
    stopped = (each for each in node.servers if each.vm_state == "stopped")
    return tuple(
        each for each in stopped if is_left_off(listed, each.id, world.nova.actions_of(each.id))
    )


def _is_own(world: World, node: str) -> bool:
    """Say whether it calls itself as this machine does."""
    said = world.shell.itself(node)
    own = first_label(platform.node())
    return said is not None and own in {first_label(each) for each in said.names}


def read_reboot_after(
    world: World, journal: Journal, asked: RebootNodeRequest, before: Request
) -> RebootFacts:
    """Return the same as it will be once the node was drained, if that comes before."""
    facts = read_reboot(world, journal, asked, None)
    if not isinstance(before, DrainRequest):
        return facts
    # What its servers hold in placement leaves with them.
    held = facts.node.provider.allocations
    left = {consumer: held[consumer] for consumer in foreign_consumers(facts.node)}
    node = replace(
        facts.node,
        servers=(),
        migrations=(),
        resizing_away=(),
        evacuations=(),
        provider=replace(facts.node.provider, allocations=left),
    )
    node = replace(node, domains=node.domains if isinstance(node.domains, Unread) else ())
    return replace(facts, node=node, is_foreseen=True)
