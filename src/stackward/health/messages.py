"""Whether messages get through: connections, queues, heartbeats, and calls over RPC."""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from stackward.anatomy import LISTED, Anatomy, Component
from stackward.health import symptoms
from stackward.health.gaps import ADMIN
from stackward.health.presence import Presence, log_of, restart_of, units_named
from stackward.health.processes import Present
from stackward.model.claim import read_claim
from stackward.model.cloud_state import NO_TIME, CloudState, Heartbeat, Rpc, RpcAnswer
from stackward.model.health import Finding, Gap, Kept, Note
from stackward.model.identity import Likeness, compare, queue_names
from stackward.model.service import BY_ITSELF, NOVA_COMPUTE
from stackward.model.survey import FAILED, Broker, Link, Listener, Queue, Survey, Unseen
from stackward.wording import count_of

End: TypeAlias = tuple[str, int, str, int]  # near address and port, far address and port

SHOWN = 5
STILL_HANGS_S = 60.0  # Nova's own `rpc_response_timeout`, usually
RPC = "rpc"
NOVA_API = "nova-api"
# Its host's mapping goes with its record, by nova/api/openstack/compute/services.py of 2025.1.
MAPPED = ", and `nova-manage cell_v2 discover_hosts` maps its host to its cell again"
TOO_MANY = 429
BROKER = "rabbitmq"
_NETWORK = LISTED["neutron"]
_REPLY, _FANOUT = "reply_", "_fanout_"  # vanish by themselves, half an hour after their reader
_FANOUT_STREAM, _STREAM = "_fanout", "stream"  # keeps messages also after they are read


# --- connections --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSide:
    """What others must be connected to at all times, as its own nodes see it."""

    nodes: frozenset[str]
    ports: frozenset[int]
    addresses: frozenset[str]  # of its ends
    ends: frozenset[End]  # of the connections that it knows: from there, to here
    agrees: bool  # with others on some: addresses are not translated on the way


def other_sides(present: Present, anatomy: Anatomy) -> dict[str, OtherSide]:
    """Return all that anybody holds a connection to; read once, for all who do."""
    names = {needed for one in anatomy.components.values() for needed in one.holds}
    # All that a node has is of one look at it.
    surveys = {id(one.survey): one.survey for one in present.values()}
    all_ends = {_end(link) for survey in surveys.values() for link in survey.links}
    sides = {}
    for name in names:
        there = [one for (each, _), one in present.items() if each == name]
        own = [link for one in there for link in one.survey.links if link.owner in one.owners]
        ends = frozenset((one.far, one.far_port, one.near, one.near_port) for one in own)
        sides[name] = OtherSide(
            nodes=frozenset(one.node for one in there),
            ports=frozenset(anatomy[name].ports)
            | frozenset(one.port for each in there for one in listening(each)),
            addresses=frozenset(one.near for one in own),
            ends=ends,
            agrees=not all_ends.isdisjoint(ends),
        )
    return sides


def judge_connections(here: Presence, sides: Mapping[str, OtherSide]) -> Iterator[Finding]:
    """Judge whether it is connected to what it needs at all times."""
    if not here.runs or not here.survey.sees_owners:
        return
    for needed in here.component.holds:
        side = sides[needed]
        # A database on the same machine may be reached by a socket file.
        if needed == "ovn-databases" and here.node in side.nodes:
            continue
        links = links_to(here, side.ports)
        if not links:
            expected = ", ".join(map(str, sorted(side.ports)))
            yield symptoms.CONNECTION_MISSING.found(
                here.component.name,
                here.node,
                [f"no established connection of `{here.main}` to a port of {needed}: {expected}"],
                to=needed,
                restart=here.restart,
                log=here.log,
            )
        elif are_half_open(links, side):
            yield symptoms.CONNECTION_HALF_OPEN.found(
                here.component.name,
                here.node,
                list(map(_ends, links[:SHOWN])),
                count=count_of(len(links), "connection"),
                to=needed,
                restart=here.restart,
            )


def _end(one: Link) -> End:
    return (one.near, one.near_port, one.far, one.far_port)


def _ends(one: Link) -> str:
    return f"{one.near}:{one.near_port} to {one.far}:{one.far_port}"


def listening(here: Presence) -> list[Listener]:
    """Return where a component listens on its node."""
    return [one for one in here.survey.listeners if one.owner in here.owners]


def links_to(here: Presence, ports: Container[int]) -> list[Link]:
    """Return the connections of a component to some ports, wherever."""
    owners = here.owners
    return [one for one in here.survey.links if one.owner in owners and one.far_port in ports]


def are_half_open(links: Sequence[Link], side: OtherSide) -> bool:
    """Say whether the other side knows none of these connections, though it knows others.

    A connection to a node that was not looked at proves nothing: only one side is known.
    """
    return (
        side.agrees
        and all(one.far in side.addresses for one in links)
        and not any(_end(one) in side.ends for one in links)
    )


# --- queues -------------------------------------------------------------------------------------


def brokers(present: Present) -> list[Broker]:
    """Return what each node of RabbitMQ reported."""
    told = [one.survey.broker for (name, _), one in present.items() if name == BROKER]
    return [one for one in told if isinstance(one, Broker)]


def queues_of(present: Present) -> dict[str, Queue]:
    """Return a queue of each name: of those of several virtual hosts, one that is read."""
    found: dict[str, Queue] = {}
    for queue in _all_queues(present):
        known = found.get(queue.name)
        if known is None or queue.consumers > known.consumers:
            found[queue.name] = queue
    return found


def is_shared_name(present: Present, name: str) -> bool:
    """Say whether several virtual hosts have a queue of a name, as the cells of one node have."""
    return len({one.vhost for one in _all_queues(present) if one.name == name}) > 1


def _all_queues(present: Present) -> list[Queue]:
    """Return all queues; every node of RabbitMQ reports the same ones."""
    told = (queue for broker in brokers(present) for queue in broker.queues or ())
    return list({(queue.vhost, queue.name): queue for queue in told}.values())


def knows_all_queues(present: Present) -> bool:
    """Say whether in each cluster of RabbitMQ a node reported the queues of all virtual hosts."""
    told = [
        {*one.members}
        for one in brokers(present)
        if one.queues is not None and not one.queues_unread and one.vhosts is not None
    ]
    own = [one for (name, _), one in present.items() if name == BROKER]
    return bool(told) and all(any(_is_member(one, each) for each in told) for one in own)


def _is_member(here: Presence, members: Collection[str]) -> bool:
    """Say whether a node of RabbitMQ is of a cluster: by its own word, else by its name."""
    if isinstance(here.survey.broker, Broker):
        return not {*members}.isdisjoint(here.survey.broker.members)
    names = (here.node, *here.survey.itself.names)
    hosts = [one.partition("@")[2] for one in members]  # a member is `rabbit@HOST`
    return any(
        compare(name, host) in {Likeness.SAME, Likeness.ALIKE} for name in names for host in hosts
    )


def _may_lack_a_member(present: Present) -> bool:
    """Say whether a member of RabbitMQ is down or was not heard: its queues have no figures."""
    own = [one for (name, _), one in present.items() if name == BROKER]
    return any(
        not one.runs
        or not isinstance(one.survey.broker, Broker)
        or bool({*one.survey.broker.members} - {*one.survey.broker.running})
        or bool(one.survey.broker.vhosts_down)
        for one in own
    )


def judge_own_queues(state: CloudState, present: Present, anatomy: Anatomy) -> Iterator[Finding]:
    """Judge whether what is sent to a process reaches it."""
    queues = queues_of(present)
    knows_all, (bound, told_of) = knows_all_queues(present), _bindings(present)
    unsure = {(component.name, node) for component, node, _ in _unsure(state, present, anatomy)}
    for component, node, host in own_queues(state, present, anatomy):
        name = f"{component.topic}.{host}"
        here = present.get((component.name, node))
        restart = restart_of(here, component.name)
        if here and not here.runs:
            continue  # that has been said
        queue = queues.get(name)
        if queue is None:
            # Another cell may have it: only where its like are here.
            if (component.name, node) in unsure:
                continue
            if knows_all and any(each.startswith(f"{component.topic}.") for each in queues):
                yield symptoms.QUEUE_MISSING.found(
                    component.name, node, queue=name, restart=restart
                )
        elif queue.is_down and _may_lack_a_member(present):
            continue  # that has been said
        elif queue.is_down:
            yield symptoms.QUEUE_DOWN.found(component.name, node, queue=name, vhost=queue.vhost)
        elif not queue.consumers and (knows_all or queue.messages):
            yield symptoms.QUEUE_UNREAD.found(
                component.name, node, queue=name, messages=queue.messages, restart=restart
            )
        elif queue.vhost in told_of and (queue.vhost, name) not in bound:
            yield symptoms.QUEUE_UNBOUND.found(
                component.name,
                node,
                [f"`rabbitmqctl list_bindings` leads nothing to `{name}`"],
                queue=name,
                restart=restart,
            )


def _unsure(
    state: CloudState, present: Present, anatomy: Anatomy
) -> Iterator[tuple[Component, str, str]]:
    """Return each process whose queue may be one that nobody else's name explains.

    Its settings may have another `host`, and could not be read: component, node, that queue.
    """
    queues, own = queues_of(present), list(own_queues(state, present, anatomy))
    explained = {f"{component.topic}.{host}" for component, _, host in own}
    for component, node, host in own:
        here = present.get((component.name, node))
        if here is None or component.heartbeat or f"{component.topic}.{host}" in queues:
            continue
        if any(path in here.survey.hosts for path in here.deployed.settings):
            continue
        strange = (
            queue.name
            for queue in queues.values()
            if queue.name.startswith(f"{component.topic}.")
            and queue.consumers
            and queue.name not in explained
        )
        if first := next(strange, None):
            yield component, node, first


def gaps_of_queues(state: CloudState, present: Present, anatomy: Anatomy) -> Iterator[Gap]:
    """Name the processes of which it is not known by which name they have their queues."""
    for component, node, queue in _unsure(state, present, anatomy):
        yield Gap(
            kind=Kept.RIGHTS,
            component=component.name,
            where=node,
            what=f"whether {component.name} reads its own queue",
            why=f"it has none of the node's name, and `{queue}` is nobody else's; `host` in its "
            "settings cannot be read",
            cure="add the login to the service's own group",
        )


def _bindings(present: Present) -> tuple[set[tuple[str, str]], set[str]]:
    """Return the queues to which exchanges lead, and the virtual hosts that all have reported."""
    told = brokers(present)
    bound = {one for broker in told for one in broker.bound or ()}
    knows = [
        set() if one.bound is None else {*(one.vhosts or ("/",))} - {*one.bound_unread}
        for one in told
    ]
    return bound, set.intersection(*knows) if knows else set()


def own_queues(
    state: CloudState, present: Present, anatomy: Anatomy
) -> Iterator[tuple[Component, str, str]]:
    """Return each process that has its own queue: its component, node and name there."""
    hosts: dict[str, list[str]] = {}
    for host, node in state.nodes.items():
        if node:
            hosts.setdefault(node, []).append(host)
    queues = queues_of(present)
    for component in anatomy.components.values():
        if component.topic and component.heartbeat:
            for one in _reporting(state, present, component):
                yield component, node_of(state, one), one.name
        elif component.topic:
            for (name, node), here in present.items():
                if name == component.name:
                    names = _names_there(here, hosts.get(node, ()))
                    yield component, node, _read_or_first(component.topic, names, queues)


def _reporting(state: CloudState, present: Present, component: Component) -> Iterator[Heartbeat]:
    for one in state.heartbeats:
        if (
            one.binary == component.heartbeat
            and one.is_up
            and is_asked(state, one)
            and not _is_kept_off(state, one, present, component)
        ):
            yield one


def _names_there(here: Presence, reported: Sequence[str]) -> list[str]:
    """Return what a process may call its host, the likeliest first.

    That is `[DEFAULT] host` of its settings, and without it the node's own host name.
    """
    hosts = here.survey.hosts
    configured = [hosts[path] for path in here.deployed.settings if path in hosts]
    own = [*configured[-1:], *here.survey.itself.names, *reported, here.node]
    return list(dict.fromkeys(own))


def _read_or_first(topic: str, names: Sequence[str], queues: Mapping[str, Queue]) -> str:
    """Return the name by which the process has its queue; the likeliest where it has none."""
    there = (queue for queue in queue_names(topic, names) if queue in queues)
    return next(there, f"{topic}.{names[0]}").removeprefix(f"{topic}.")


def judge_all_queues(state: CloudState, present: Present, anatomy: Anatomy) -> Iterator[Finding]:
    """Judge whether messages pile up where nobody reads; a process's own queue is its finding."""
    own = {
        f"{component.topic}.{host}" for component, _, host in own_queues(state, present, anatomy)
    }
    # Another finding says which process is down; what waits for it is no second finding.
    own |= {
        f"{component.topic}.{one.name}"
        for one in state.heartbeats
        if (component := anatomy.of_heartbeat(one.binary))
    }
    read = queues_of(present)
    left: dict[str, list[Queue]] = {}  # by the component that should read them
    for queue in _all_queues(present):
        if (
            queue.messages
            and not queue.consumers
            and not _passes(queue)
            # One of another cell has the same name: that its like is read says nothing of it.
            and (queue.name not in own or read[queue.name].consumers)
        ):
            left.setdefault(_reader_of(queue, anatomy), []).append(queue)
    for reader, queues in left.items():
        most = sorted(queues, key=lambda queue: -queue.messages)[:SHOWN]
        evidence = [
            f"`{queue.name}`{_where(queue)}: {count_of(queue.messages, 'message')}"
            for queue in most
        ]
        count = count_of(len(queues), "queue holds", "queues hold")
        yield symptoms.QUEUES_UNREAD.found(BROKER, None, evidence, count=count, reader=reader)


def _reader_of(queue: Queue, anatomy: Anatomy) -> str:
    """Return the component that reads a queue, by its topic; empty where none is known to."""
    names = (
        component.name
        for component in anatomy.components.values()
        for topic in component.topics
        if queue.name == topic or queue.name.startswith(f"{topic}.")
    )
    return next(names, "")


def _passes(queue: Queue) -> bool:
    return (
        queue.name.startswith(_REPLY)
        or _FANOUT in queue.name
        or queue.name.endswith(_FANOUT_STREAM)
        or queue.type == _STREAM
    )


def _where(queue: Queue) -> str:
    return "" if queue.vhost == "/" else f" of virtual host `{queue.vhost}`"


# --- heartbeats ---------------------------------------------------------------------------------


def node_of(state: CloudState, heartbeat: Heartbeat) -> str:
    """Return the node that a heartbeat comes from, else the host that it names."""
    return state.nodes.get(heartbeat.host) or heartbeat.host


def is_asked(state: CloudState, heartbeat: Heartbeat) -> bool:
    """Say whether this look is at the node that a heartbeat comes from."""
    return state.only is None or node_of(state, heartbeat) == state.only


def judge_heartbeats(state: CloudState, present: Present, anatomy: Anatomy) -> Iterator[Finding]:
    """Judge what the APIs say of the processes that report to them."""
    yield from _judge_cells(state)
    down = {name for answer in state.calls.values() for name in answer.down}
    old = _of_old_names(state)
    for one in state.heartbeats:
        component = anatomy.of_heartbeat(one.binary)
        name, node = component.name if component else one.binary, node_of(state, one)
        if not is_asked(state, one) or _is_off_on_purpose(one):
            continue
        if not one.is_known:
            yield symptoms.HOST_UNKNOWN.found(name, node, binary=one.binary)
        elif one.is_forced_down:
            yield symptoms.FORCED_DOWN.found(name, node, host=one.host)
        elif today := old.get(one):
            yield symptoms.OLD_NAME_DOWN.found(
                name,
                node,
                [age_of(one)],
                binary=one.binary,
                host=one.name,
                today=today.name,
                removal=_removal_of(one),
            )
        elif not one.is_up:
            yield symptoms.HEARTBEAT_LOST.found(
                name,
                node,
                [age_of(one)],
                binary=f"{one.binary} of `{one.name}`",
                log=log_of(component),
                restart=restart_of(present.get((name, node)), one.binary),
            )
        if not one.is_enabled and (one.reason or "").startswith(BY_ITSELF):
            restart = restart_of(present.get((name, node)), one.binary)
            yield symptoms.AUTO_DISABLED.found(name, node, reason=one.reason, restart=restart)
        if one.is_known and {one.name, one.cluster} & down:
            yield symptoms.BACKEND_DOWN.found(name, node, name=one.name, log=log_of(component))


def judge_records(state: CloudState, present: Present, anatomy: Anatomy) -> Iterator[Finding]:
    """Find what runs on a node without a record of it in the list that its API has.

    A record whose host leads to no node may be the one. Agents of Neutron need not be in use: of
    theirs, one of the same kind must be listed.
    """
    nodes: dict[str, set[str | None]] = {}
    for one in state.heartbeats:
        nodes.setdefault(one.binary, set()).add(state.nodes.get(one.host))
    for (name, node), here in present.items():
        component = here.component
        kind = component.heartbeat
        if kind is None or not here.runs or not is_listed(state, component, anatomy):
            continue
        known = nodes.get(kind, set())
        if not known and LISTED[component.service] == _NETWORK:
            continue
        if node not in known and None not in known:
            yield symptoms.RECORD_MISSING.found(
                name,
                node,
                binary=kind,
                log=here.log,
                restart=here.restart,
                mapped=MAPPED if name == NOVA_COMPUTE else "",
            )


def judge_on_source(state: CloudState, anatomy: Anatomy) -> Iterator[Finding]:
    """Name each server that the next start of its nova-compute destroys."""
    for one in state.on_source:
        node = state.nodes.get(one.host) or one.host
        if state.only in {None, node}:
            yield symptoms.LIVES_ON_SOURCE.found(
                anatomy[NOVA_COMPUTE].name,
                node,
                server=f"`{one.name}` ({one.server})",
                record=one.record,
                status=one.status,
                host=one.host,
            )


def is_listed(state: CloudState, component: Component, anatomy: Anatomy) -> bool:
    """Say whether the list was read in which an API has the processes of a component's project."""
    api = anatomy.of_catalog(LISTED.get(component.service, ""))
    if api is None or state.catalog is None or api.name in state.heartbeats_unread:
        return False
    return state.catalog.endpoint(api.catalog_types) is not None


def _removal_of(one: Heartbeat) -> str:
    """Return the command that removes a record of its API."""
    if one.binary.startswith("cinder-"):
        return f"`cinder-manage service remove {one.binary} {one.name}`"
    kind = "compute service" if one.binary.startswith("nova-") else "network agent"
    listed = f"`openstack {kind} list --host {one.name}`"
    return f"`openstack {kind} delete`, with its id of {listed}"


def _of_old_names(state: CloudState) -> dict[Heartbeat, Heartbeat]:
    """Return what is down of a machine that was renamed, each with what reports from it today."""
    up: dict[tuple[str, str], Heartbeat] = {}
    for one in state.heartbeats:
        if one.is_up and (node := state.nodes.get(one.host)):
            up[one.binary, node] = one
    found = {}
    for one in state.heartbeats:
        today = up.get((one.binary, state.nodes.get(one.host) or ""))
        if today and one.is_known and not one.is_up and today.host != one.host:
            found[one] = today
    return found


def _judge_cells(state: CloudState) -> Iterator[Finding]:
    """Say that a cell is down: its hosts are not known, and nobody can manage its servers."""
    lost = sorted({one.host for one in state.heartbeats if not one.is_known})
    if lost and state.only is None:
        most = SHOWN if len(lost) > SHOWN + 1 else len(lost)
        shown = [f"`{host}`" for host in lost[:most]]
        more = [f"and {len(lost) - most} more"] if len(lost) > most else []
        yield symptoms.CELL_DOWN.found(NOVA_API, None, [*shown, *more], count=len(lost))


def _is_off_on_purpose(one: Heartbeat) -> bool:
    return not one.is_enabled and not (one.reason or "").startswith(BY_ITSELF)


def _is_kept_off(state: CloudState, one: Heartbeat, present: Present, component: Component) -> bool:
    """Say whether it is disabled, and its node says that it does not run: its record is an old one.

    Its API calls it up for half a minute after it was stopped.
    """
    node = node_of(state, one)
    survey = state.surveys.get(node)
    if not _is_off_on_purpose(one) or not isinstance(survey, Survey):
        return False
    here = present.get((component.name, node))
    return not isinstance(survey.units, Unseen) and (here is None or not here.runs)


def is_kept_off(state: CloudState, component: Component, node: str, present: Present) -> bool:
    """Say whether all that a component has reported from a node is an old record: it is off."""
    own = [
        one
        for one in state.heartbeats
        if one.binary == component.heartbeat and node_of(state, one) == node
    ]
    return bool(own) and all(_is_kept_off(state, one, present, component) for one in own)


def _is_stopped(
    state: CloudState, one: Heartbeat, here: Presence | None, component: Component
) -> bool:
    """Say whether its node says that nothing of it runs, even if its last record differs."""
    if here is not None:
        return all(unit.active in {FAILED, "inactive"} for unit in here.units)
    survey = state.surveys.get(node_of(state, one))
    if not isinstance(survey, Survey) or isinstance(survey.units, Unseen):
        return False
    # Switched off, it belongs nowhere by its units alone; that it is there says that it is off.
    return any(name in survey.units for name in units_named(component, survey))


def age_of(one: Heartbeat) -> str:
    """Say how old a heartbeat is."""
    if one.age_s is None:
        return "its last heartbeat is of no known age"
    if one.age_s <= -1:
        return f"its last heartbeat is {-one.age_s:.0f} s ahead of the clock it is read by"
    return f"its last heartbeat is {max(0.0, one.age_s):.0f} s old"


def notes_of_heartbeats(state: CloudState) -> Iterator[Note]:
    """Report what is disabled on purpose, and who disabled it."""
    for one in state.heartbeats:
        if _is_off_on_purpose(one) and is_asked(state, one):
            claim = read_claim(one.reason)
            whose = f"by {claim.operator}, run `{claim.run}`" if claim else "by others"
            up = "" if one.is_up else ", and down"
            said = claim.reason if claim else one.reason or "no reason given"
            yield Note(
                where=node_of(state, one), says=f"{one.binary} is disabled {whose}{up}: {said}"
            )


# --- RPC ----------------------------------------------------------------------------------------


def worth_asking(state: CloudState, present: Present, anatomy: Anatomy) -> dict[str, str]:
    """Return why the nova-compute of a host need not be called over RPC; empty where it should be.

    A call that stays unanswered holds a worker of nova-api: what is known to be deaf is not called.
    """
    known = why_not_call(state, present, anatomy, anatomy[NOVA_COMPUTE])
    unread = ""
    if state.hypervisors_unread:
        unread = f"Nova's hypervisors cannot be read: {state.hypervisors_unread.says}"
    why: dict[str, str] = {}
    for one, reason in known.items():
        # Of two records of one name the living one decides: the other is of another cell.
        if is_asked(state, one) and why.get(one.host) != "":
            why[one.host] = reason or unread
    return why


def why_not_call(
    state: CloudState, present: Present, anatomy: Anatomy, component: Component
) -> dict[Heartbeat, str]:
    """Return why each process of a component need not be called over RPC; empty where it should be.

    What does not run, does not report, or is known to hear nothing has its finding.
    """
    deaf = {
        finding.node: finding.reason
        for finding in judge_own_queues(state, present, anatomy)
        if finding.component == component.name
    }
    sides = other_sides(present, anatomy)
    for here in present.values():
        if here.component is component:
            deaf |= {one.node: one.reason for one in judge_connections(here, sides)}
    has_broker = [one for (name, _), one in present.items() if name == BROKER]
    is_silent = bool(has_broker) and not any(one.runs for one in has_broker)
    why: dict[Heartbeat, str] = {}
    for one in state.heartbeats:
        if one.binary == component.heartbeat:
            node = node_of(state, one)
            there = present.get((component.name, node))
            reasons = (
                ("its cell is down", not one.is_known),
                ("it does not report", not one.is_up),
                (KEPT_OFF, _is_kept_off(state, one, present, component)),
                ("it does not run", _is_stopped(state, one, there, component)),
                ("RabbitMQ does not run", is_silent),
            )
            known = (reason for reason, is_so in reasons if is_so)
            why[one] = next(known, deaf.get(node, ""))
    return why


def not_asked(
    why: Mapping[str, str],
    hypervisors: Mapping[str, str],
    before: CloudState | None,
    now: datetime,
) -> dict[str, RpcAnswer]:
    """Return what is known without a call: why there is none, or that the last one still hangs."""
    known: dict[str, RpcAnswer] = {}
    for host, reason in why.items():
        if reason or host not in hypervisors:
            because = reason or IRONIC
            known[host] = RpcAnswer(outcome=Rpc.NOT_ASKED, why=because)
        elif before and (last := before.rpc.get(host)) and last.outcome is Rpc.SILENT:
            asked_at = last.asked_at or before.read_at
            if (now - asked_at).total_seconds() < STILL_HANGS_S:
                known[host] = replace(last, asked_at=asked_at)
    return known


def judge_rpc(state: CloudState, present: Present, anatomy: Anatomy) -> Iterator[Finding]:
    """Judge the calls over RPC."""
    component = next(one for one in anatomy.components.values() if one.probe.kind == RPC)
    for host, answer in state.rpc.items():
        if answer.outcome not in {Rpc.SILENT, Rpc.EMPTY} or _knows_no_uptime(state, host, answer):
            continue
        what = f"no answer within {answer.took_s:.0f} s"
        if answer.outcome is Rpc.EMPTY:
            what = "Nova has no uptime of it" + (f": {answer.why}" if answer.why else "")
        heartbeat = next((one for one in state.heartbeats if one.host == host), None)
        evidence = [f"heartbeat: {age_of(heartbeat)}"] if heartbeat else []
        node = state.nodes.get(host) or host
        yield symptoms.RPC_DEAF.found(
            component.name,
            node,
            evidence,
            what=what,
            restart=restart_of(present.get((component.name, node)), component.name),
        )


KEPT_OFF, IRONIC = "it is stopped on purpose", "no hypervisor of it is a machine's: Ironic's?"
NO_RPC = "calls over RPC are switched off by `--no-rpc`"


KEPT_BY = {IRONIC: Kept.NO_QUESTION, NO_TIME: Kept.DEADLINE}
_NO_UPTIME = "its driver has no uptime, so Nova does not show whether it has answered"


def _knows_no_uptime(state: CloudState, host: str, answer: RpcAnswer) -> bool:
    """Say whether its driver may be why there is no uptime; libvirt's always has one."""
    return answer.outcome is Rpc.EMPTY and not answer.why and host in state.other_drivers


def judge_failed_calls(
    api: str, failed: Iterable[tuple[str, RpcAnswer]], log: str
) -> Iterator[Finding]:
    """Judge the calls that an API itself could not make: the process called, and its answer."""
    told: dict[symptoms.Symptom, list[tuple[str, RpcAnswer]]] = {}
    for who, answer in failed:
        if answer.outcome is Rpc.ODD:
            told.setdefault(symptoms.API_ODD, []).append((who, answer))
        elif answer.outcome is Rpc.FAILED:
            is_limited = answer.status == TOO_MANY
            rule = symptoms.RATE_LIMITED if is_limited else symptoms.CALL_FAILED
            told.setdefault(rule, []).append((who, answer))
    for rule, those in told.items():
        yield rule.found(
            api,
            None,
            [f"{who}: {answer.why}" for who, answer in those[:SHOWN]],
            what="answer to a call over RPC",
            count=count_of(len(those), "call"),
            says=those[0][1].why,
            log=log,
        )


def judge_rpc_failed(state: CloudState, anatomy: Anatomy) -> Iterator[Finding]:
    """Judge the calls of nova-computes that Nova's API could not make."""
    failed = [(f"nova-compute of `{host}`", answer) for host, answer in state.rpc.items()]
    yield from judge_failed_calls(NOVA_API, failed, log_of(anatomy[NOVA_API]))


def kept_of(answer: RpcAnswer) -> tuple[Kept, str, str]:
    """Say why a call by an API has shown nothing of the called process, and the cure; or empty."""
    match answer.outcome:
        case Rpc.FORBIDDEN:
            return Kept.RIGHTS, "this login may not have it called", ADMIN
        case Rpc.NO_SUCH_CALL:
            return Kept.NO_QUESTION, "its API has no call for it", ""
        case Rpc.FAILED | Rpc.ODD:
            return Kept.SPARED, "its API did not say what came of the call", ""
        case Rpc.NOT_ASKED if answer.why != KEPT_OFF:
            return KEPT_BY.get(answer.why, Kept.SPARED), answer.why, ""
        case _:
            return Kept.NO_QUESTION, "", ""


def gaps_of_rpc(state: CloudState, anatomy: Anatomy) -> Iterator[Gap]:
    """Name the nova-computes that were not called; one that is kept off on purpose is a note."""
    component = next(one for one in anatomy.components.values() if one.probe.kind == RPC)
    for host, answer in state.rpc.items():
        kind, why, cure = kept_of(answer)
        if _knows_no_uptime(state, host, answer):
            kind, why = Kept.NO_QUESTION, _NO_UPTIME
        if why:
            yield Gap(
                kind=kind,
                component=component.name,
                where=state.nodes.get(host) or host,
                what=f"whether {component.name} answers RPC",
                why=why,
                cure=cure,
                is_proof=True,
            )


def ages(state: CloudState, binary: str) -> list[float]:
    """Return the ages of the heartbeats of one kind."""
    return [
        one.age_s
        for one in state.heartbeats
        if one.binary == binary and one.is_up and one.age_s is not None and is_asked(state, one)
    ]
