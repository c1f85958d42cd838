"""Read a node that is back after it was lost: whether it works, and who ran on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from stackward.errors import Uncertain, Unreachable
from stackward.facts.attachments import read_attachments
from stackward.facts.bringing_up import read_tags, read_to_bring_up
from stackward.facts.domains import other_directories, read_domains
from stackward.facts.maintenance import read_holders
from stackward.facts.named import find_node
from stackward.facts.observed import read_remembered
from stackward.facts.who_ran import (
    Logs,
    read_clock,
    read_directories,
    read_guest_logs,
    read_pasts,
    with_stops,
)
from stackward.model.bringing_up import ServerToBringUp
from stackward.model.compute_process import UNIT
from stackward.model.domain import INSTANCES, Domain
from stackward.model.hypervisor import Hypervisor
from stackward.model.maintenance import Holder
from stackward.model.migration import Migration
from stackward.model.network import NetworkAgent
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.service import ComputeService
from stackward.model.unread import Hindrance, Unread, or_unread
from stackward.model.who_ran import Listed, Loss, Past, Torn
from stackward.policy.waves import Tags
from stackward.ports.journal import Journal
from stackward.ports.together import ask_all, ask_both
from stackward.ports.world import World
from stackward.requests.recover_compute_node import RecoverRequest
from stackward.status.booted import read_booted
from stackward.status.evacuations import open_records
from stackward.status.listed import read_listed
from stackward.status.lookups import cell_down, servers_on
from stackward.status.reported import has_reported_since
from stackward.wording import in_utc

_OF_APIS = 5  # calls: the agents, the open records, the servers with the service before and after


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryFacts:
    """A node that is back, its servers, and what shows which of them ran; read once."""

    name: str  # as the inventory calls the machine
    host: str  # as Nova calls its service
    read_at: datetime
    service: ComputeService
    hypervisor: Hypervisor
    is_answering: bool | Unread = True  # its nova-compute, over RPC
    # The unit of nova-compute is active there, and Nova has not heard from it since the boot.
    is_coming_up: bool = False
    domains: tuple[Domain, ...] | Unread = ()
    agents: tuple[NetworkAgent, ...] | Unread = ()
    directories: frozenset[str] | Unread = frozenset()  # of instances, by the ids of servers
    ahead_s: float | Unread = 0.0  # its clock, against ours
    booted: datetime | Unread = field(default=Unread("it was not asked"))
    pasts: tuple[Past, ...] = ()
    logs_unread: str | None = None  # why libvirt's logs are no witness
    list_unread: str | None = None  # why the list of an own reboot is no witness
    to_bring_up: Mapping[str, ServerToBringUp] = field(default_factory=dict)  # by server
    evacuations: tuple[Migration, ...] = ()  # open records of those that were evacuated from here
    holders: tuple[Holder, ...] = ()
    tags: Tags = field(default_factory=dict)
    is_of_one: bool = False  # read for one of its servers: the others are not among the facts

    @property
    def servers(self) -> tuple[Server, ...]:
        """Return those that Nova has on it."""
        return tuple(each.server for each in self.pasts)

    @property
    def loss(self) -> Loss | None:
        """Return when it was lost at the latest; None where that is not known."""
        if isinstance(self.booted, Unread):
            return None
        words = f"`{self.name}` booted at {in_utc(self.booted)}"
        return Loss(not_after=self.booted, words=words)

    def lacks_guest(self, server: Server) -> bool:
        """Say whether Nova has a server as running, and libvirt here does not have it."""
        is_read = not isinstance(self.domains, Unread)
        return is_read and server.vm_state == "active" and self.state_of(server.id) is None

    def state_of(self, server: str) -> str | None:
        """Return how libvirt has a guest here; None: it has none, or was not read."""
        known = () if isinstance(self.domains, Unread) else self.domains
        return next((one.state for one in known if one.server == server), None)


def read_recovery(
    world: World,
    journal: Journal,
    asked: RecoverRequest,
    run_id: str | None,
    only: str | None = None,
) -> RecoveryFacts:
    """Return the node as it is now; with `only` what one of its servers has to know.

    The number of calls grows with the servers on the node.
    """
    remembered = read_remembered(world, journal)
    found = find_node(world, world.nova.services(), asked.node, remembered)
    host, node = found.service.host, found.match.node
    facts = RecoveryFacts(
        name=node or host,
        host=host,
        read_at=world.clock.now(),
        service=found.service,
        hypervisor=found.hypervisor,
        holders=read_holders(journal, world.cloud.identity().id, host, but=run_id),
        is_of_one=only is not None,
    )
    if node is None:
        silent = Unread(found.match.why, Hindrance.UNNAMED)
        return replace(facts, domains=silent, booted=silent)
    there, served = ask_both(
        world.together,
        node,
        partial(_on_node, world, node),
        partial(_of_apis, world, host, only),
        calls=_OF_APIS,
    )
    facts = replace(
        facts,
        domains=there.domains,
        agents=served.agents,
        directories=there.directories,
        ahead_s=there.ahead_s,
        booted=there.booted,
        evacuations=served.evacuations,
    )
    if only is None:
        facts = _as_a_whole(world, facts, node)
    return _of_servers(world, journal, facts, there, served.servers)


@dataclass(frozen=True, slots=True)
class _There:
    """What the node itself reports."""

    domains: tuple[Domain, ...] | Unread
    directories: frozenset[str] | Unread
    ahead_s: float | Unread
    booted: datetime | Unread
    logs: Logs
    listed: Listed | Torn | Unread | None


def _on_node(world: World, node: str) -> _There:
    """Ask the node, one question after the other: its sshd has few sessions for all who ask."""
    domains = read_domains(world.shell, node)
    places = (INSTANCES, *other_directories(domains))
    return _There(
        domains=domains,
        directories=read_directories(world.shell, node, places),
        ahead_s=read_clock(world, node),
        booted=read_booted(world.shell, node),
        logs=read_guest_logs(world.shell, node),
        listed=read_listed(world.shell, node),
    )


@dataclass(frozen=True, slots=True)
class _Served:
    """What the services of the cloud report of the node."""

    agents: tuple[NetworkAgent, ...] | Unread
    evacuations: tuple[Migration, ...]
    servers: tuple[Server, ...]


def _of_apis(world: World, host: str, only: str | None) -> _Served:
    return _Served(
        agents=or_unread(partial(world.neutron.network_agents_on, host)),
        evacuations=open_records(world, host),
        servers=servers_on(world.nova, host) if only is None else _one_on(world, host, only),
    )


def _one_on(world: World, host: str, server: str) -> tuple[Server, ...]:
    """Return this server alone, if it is there; the list of a node may be long."""
    found = world.nova.server(server)
    if found is not None and found.status == IN_DOWN_CELL:
        raise cell_down(f"`{found.name}`")
    return (found,) if found is not None and found.host == host else ()


def _as_a_whole(world: World, facts: RecoveryFacts, node: str) -> RecoveryFacts:
    """Ask what holds for all servers alike: whether nova-compute starts, and answers over RPC."""
    is_coming_up = _is_coming_up(world, facts, node, facts.booted)
    is_answering = True if is_coming_up else _answers(world, facts)
    return replace(facts, is_coming_up=is_coming_up, is_answering=is_answering)


def _is_coming_up(world: World, facts: RecoveryFacts, node: str, booted: datetime | Unread) -> bool:
    """Say whether its nova-compute runs and has not reported since the boot.

    It reports once it has started all guests that it resumes by itself. What Nova heard of it
    before the loss counts as up for a while, and a call would wait for its answer.
    """
    if isinstance(booted, Unread) or facts.service.is_forced_down:
        return False
    if has_reported_since(facts.service, booted) is not False:
        return False
    try:
        return world.shell.run(node, ["systemctl", "is-active", UNIT]).out.strip() == "active"
    except (Unreachable, Uncertain):
        return False


def _answers(world: World, facts: RecoveryFacts) -> bool | Unread:
    if not facts.service.is_up:
        return False
    return or_unread(lambda: world.nova.uptime(facts.hypervisor.id) is not None)


def _of_servers(
    world: World,
    journal: Journal,
    facts: RecoveryFacts,
    there: _There,
    servers: Sequence[Server],
) -> RecoveryFacts:
    listed = with_stops(journal, there.listed) if isinstance(there.listed, Listed) else None
    pasts = read_pasts(world, journal, facts.host, servers, there.domains, there.logs, listed)
    projects = tuple(dict.fromkeys(each.project for each in servers))
    to_bring_up, tags = ask_both(
        world.together,
        f"servers of {facts.host}",
        partial(_all_to_bring_up, world, facts, pasts),
        partial(read_tags, world, projects),
        calls=len(projects),
    )
    return replace(
        facts,
        pasts=pasts,
        logs_unread=there.logs.why if isinstance(there.logs, Unread) else None,
        list_unread=there.listed.why if isinstance(there.listed, Unread | Torn) else None,
        to_bring_up=to_bring_up,
        tags=tags,
    )


def _all_to_bring_up(
    world: World, facts: RecoveryFacts, pasts: Sequence[Past]
) -> Mapping[str, ServerToBringUp]:
    return ask_all(
        world.together,
        {each.server.id: partial(_to_bring_up, world, facts, each) for each in pasts},
    )


def _to_bring_up(world: World, facts: RecoveryFacts, past: Past) -> ServerToBringUp:
    actions = () if isinstance(past.actions, Unread) else past.actions
    return replace(
        read_to_bring_up(world, past.server, [each.request_id for each in actions]),
        made_anew=read_attachments(world, past.server) if facts.lacks_guest(past.server) else None,
    )
