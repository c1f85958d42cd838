"""Whether RabbitMQ and MariaDB are well, by the rules of a check: before a node is given up.

If one of their members is broken, healthy nodes fall silent. The node to fence is not asked: its
own members are no sign that anything else is broken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from stackward.anatomy import Anatomy, read_anatomy
from stackward.facts.fence import read_fence_beside
from stackward.facts.named import nodes_of_hosts
from stackward.facts.observed import read_remembered
from stackward.facts.survey import survey_node
from stackward.health.presence import Presence, present
from stackward.health.processes import judge_tools, judge_units, own_tool, takes_clients
from stackward.health.proofs import proved
from stackward.model.cloud_state import CloudState
from stackward.model.health import Finding, State
from stackward.model.service import NOVA_COMPUTE
from stackward.model.survey import Broker, Queue, Survey, Unseen
from stackward.model.unread import Unread
from stackward.ports.clock import Clock
from stackward.ports.journal import Journal
from stackward.ports.shell import Shell
from stackward.ports.together import Together
from stackward.ports.world import World
from stackward.requests.fence_compute_node import FenceRequest
from stackward.status.fence import FenceFacts

PARTS = ("rabbitmq", "mariadb")
_ASK_S, _WHOLE_S = 10.0, 12.0  # for a node, and for all of them side by side
_LATE = Unseen("it did not answer in time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """What is known of the members of RabbitMQ and MariaDB."""

    broken: tuple[Finding, ...] = ()
    unread: tuple[str, ...] = ()  # of what it is not known, and why


def read_fence_with_members(
    world: World, journal: Journal, asked: FenceRequest, run_id: str | None
) -> FenceFacts:
    """Return the node to fence with what is known of them; `run_id` is the run that asks."""

    def members(name: str) -> Members:
        nodes = [*_controllers(world, journal, name)]
        return read_members(world.shell, world.clock, world.together, nodes)

    fence, found = read_fence_beside(world, journal, asked, run_id, members)
    return replace(fence, broken_members=found.broken, unread_members=found.unread)


def read_queues(world: World, journal: Journal, but: str, name: str) -> tuple[Queue, ...] | Unread:
    """Return the queues of this name, of all virtual hosts of RabbitMQ; only if all are known."""
    nodes = [*_controllers(world, journal, but)]
    surveys = _surveys(world.shell, world.clock, world.together, nodes, read_anatomy())
    if unseen := sorted(name for name, one in surveys.items() if not isinstance(one, Survey)):
        return Unread(f"`{unseen[0]}` may have a member of RabbitMQ, and was not seen")
    brokers = [one.broker for one in surveys.values() if isinstance(one, Survey)]
    known = [one for one in brokers if isinstance(one, Broker)]
    if not known:
        return Unread("no node shows its queues")
    if any(one is not None and not isinstance(one, Broker) for one in brokers):
        return Unread("a member of RabbitMQ was not read")
    for one in known:
        if one.partitions or one.odd_queues or {*one.running} != {*one.members}:
            return Unread("RabbitMQ is not whole: a request may wait in another part of it")
        if one.queues is None or one.queues_unread or one.vhosts is None or one.vhosts_down:
            return Unread("RabbitMQ does not show all its queues")
    return tuple(queue for one in known for queue in one.queues or () if queue.name == name)


def _controllers(world: World, journal: Journal, but: str) -> Iterator[str]:
    """Return the nodes that may have a member: all, without those that are compute nodes alone."""
    services = world.nova.services()
    hosts = list(dict.fromkeys(one.host for one in services))
    remembered = read_remembered(world, journal)
    nodes = {host: one.node for host, one in nodes_of_hosts(world, hosts, remembered).items()}
    control = {nodes[one.host] for one in services if one.binary != NOVA_COMPUTE}
    alone = {*nodes.values()} - control
    for node in world.shell.directory().names:
        if node not in alone and node != but:
            yield node


def read_members(shell: Shell, clock: Clock, together: Together, nodes: Sequence[str]) -> Members:
    """Look at these nodes side by side, and judge what they have of RabbitMQ and MariaDB."""
    anatomy = read_anatomy()
    surveys = _surveys(shell, clock, together, nodes, anatomy)
    return judge_members(CloudState(read_at=clock.now(), surveys=surveys), anatomy)


def _surveys(
    shell: Shell, clock: Clock, together: Together, nodes: Sequence[str], anatomy: Anatomy
) -> dict[str, Survey | Unseen]:
    told = together.ask(
        {
            ("members", node): partial(survey_node, shell, clock, anatomy, node, within_s=_ASK_S)
            for node in nodes
        },
        within_s=_WHOLE_S,
    )
    return {node: told["members", node] or _LATE for node in nodes}


def judge_members(state: CloudState, anatomy: Anatomy) -> Members:
    """Return what is broken, and what is not known: neither is taken for well."""
    here = present(state, anatomy)
    works = proved(state, here, anatomy)
    own = {place: one for place, one in here.items() if place[0] in PARTS}
    findings = [
        finding
        for place, one in own.items()
        for finding in (
            *judge_units(one, answers=place in works),
            *judge_tools(one, here, has_seen_all=state.has_seen_all),
        )
        if finding.component in PARTS
    ]
    broken = tuple(each for each in findings if each.state is State.BROKEN)
    said = {each.where for each in findings}
    unread = [
        *(f"`{node}`: {one.why}" for node, one in state.surveys.items() if isinstance(one, Unseen)),
        *(
            f"`{node}`: {one.units.why}"
            for node, one in state.surveys.items()
            if isinstance(one, Survey) and isinstance(one.units, Unseen)
        ),
        *(each for one in own.values() for each in _unread(one, said)),
        *(f"{part} was seen on no node" for part in PARTS if part not in {each for each, _ in own}),
    ]
    return Members(broken=broken, unread=tuple(unread))


def _unread(one: Presence, said: set[str]) -> Iterator[str]:
    """Say why its own tool did not report how it is; if it has a finding, that is known."""
    name = one.component.name
    tool = own_tool(one)
    if f"{name} on {one.node}" in said or tool is None or not isinstance(tool.answer, Unseen):
        return
    if not takes_clients(one):
        yield f"{name} on `{one.node}`: {tool.answer.why}"
