"""How the processes of a node are: units, ports, and what their own tools say of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stackward.anatomy import MACHINE, Anatomy
from stackward.health import symptoms
from stackward.health.booting import not_at_boot
from stackward.health.clustered import is_left_to_cluster
from stackward.health.gaps import gap_of
from stackward.health.presence import Presence, engine_of, masked
from stackward.model import boot_gate
from stackward.model.blind import Blind
from stackward.model.cluster import Cluster
from stackward.model.health import Finding, Gap, Note, State
from stackward.model.maintenance import MAINTENANCE
from stackward.model.service import NOVA_COMPUTE
from stackward.model.survey import (
    ACTIVE,
    FAILED,
    PAUSED,
    Broker,
    Cache,
    DatabaseServer,
    Survey,
    Unit,
    Unseen,
)
from stackward.wording import count_of

FLAPS, FLAPS_WITHIN_S = 3, 300.0  # restarts, and how long ago the last one counts
SETTLED_S = 60.0  # up for so long, an answer shows that it has come to stay
TOLD_S = 600.0  # how long a restart is worth a note
TRIGGERS = (".socket", ".timer", ".path")  # units that have no process, and start one
ELAPSED = "elapsed"  # what systemd calls a timer that is over
NEAR_LIMIT = 0.9
SHOWN = 5
LOCKED_S = 5  # a backup holds such a lock for a moment
TABLE_LOCKED_S = 30
OFTEN_PAUSED = 0.1
NO_WRITES = 4  # from this `innodb_force_recovery` on
# What MariaDB and MySQL call a wait that stops all statements that write, on any table.
_OF_ALL = {
    "Waiting for backup lock",
    "Waiting for global read lock",
    "Waiting for commit lock",
    "Waiting for table flush",
    "Waiting for disk space",
}
_SYNCED = "Synced"
BALANCER = "haproxy"

_SAID_OF_MACHINE = {"process-silent", "off-the-bus"}  # of its network

Present = Mapping[tuple[str, str], Presence]


# --- units, ports -------------------------------------------------------------------------------


def judge_units(here: Presence, *, answers: bool = False) -> Iterator[Finding]:
    """Judge whether what belongs on a node runs there, and stays.

    `answers`: it has proved in this look that it works.
    """
    down: list[Unit] = []
    for unit in here.units:
        is_off = unit.active in {"inactive", FAILED}
        if is_off and is_left_to_cluster(here.component, here.survey, unit):
            continue  # Pacemaker runs it elsewhere, or says why it does not
        match unit.active:
            case "active" if unit.has_ended:
                yield symptoms.UNIT_ENDED.found(
                    here.component.name, here.node, unit.last_words, unit=unit.name, log=here.log
                )
            case "active" if falls(unit, answers=answers):
                yield _restarting(here, unit)
            case "active":
                yield from _judge_running(here, unit)
            case "activating" | "failed" if unit.load == "masked":
                yield symptoms.MASKED_AND_FALLEN.found(
                    here.component.name,
                    here.node,
                    unit.last_words,
                    unit=unit.name,
                    state=f"{unit.active} ({unit.sub})",
                    log=here.log,
                )
            case "activating" | "reloading" if unit.restarts >= FLAPS:
                yield _restarting(here, unit)
            case "activating" | "reloading":
                yield symptoms.UNIT_STARTING.found(
                    here.component.name, here.node, unit=unit.name, state=unit.sub
                )
            case "inactive" if starts_on_demand(here, unit) or not unit.is_condition_met:
                yield from _judge_gate(here, unit)
            case _:
                down.append(unit)
    yield from _judge_down(here, down)


def judge_stopped(here: Presence, told: Collection[Finding]) -> Iterator[Finding]:
    """Judge whether the kernel still runs what systemd calls active.

    What answers nobody by that has its finding already, by what it was asked for.
    """
    is_machine = here.component.name == MACHINE
    known = {one.rule for one in told if one.state is State.BROKEN}
    if known & _SAID_OF_MACHINE if is_machine else known:
        return
    for unit in here.units:
        if unit.is_stopped and unit.active == ACTIVE:
            name = unit.name.removesuffix(".service")
            yield symptoms.PROCESS_STOPPED.found(here.component.name, here.node, unit=name)


def falls(unit: Unit, *, answers: bool) -> bool:
    """Say whether a unit that is up does not stay up: it fell often, and was started just now.

    One that has been up for a minute and answers has come to stay.
    """
    up_s = unit.up_s or 0.0
    within_s = SETTLED_S if answers else FLAPS_WITHIN_S
    return unit.restarts >= FLAPS and up_s < within_s


def starts_on_demand(here: Presence, unit: Unit) -> bool:
    """Say whether a unit need not run: a socket that is listened on starts it.

    So does a timer, until it has elapsed: it has started it then, and starts it no more. And so
    does the message bus.
    """
    if here.component.started_by_bus and unit.load != "masked":
        return True
    units = here.survey.units
    known = {} if isinstance(units, Unseen) else units
    starters = [known[name] for name in unit.triggered_by if name in known]
    up = {one.sub for one in starters if one.active == ACTIVE}
    if up:
        return up != {ELAPSED}
    is_asked_for = bool(unit.wanted_by) or unit.enabled.startswith("enabled")
    return bool(unit.triggered_by) and not is_asked_for


def _judge_running(here: Presence, unit: Unit) -> Iterator[Finding]:
    name, node = here.component.name, here.node
    if unit.result == "unhealthy":
        yield symptoms.CONTAINER_ILL.found(
            name, node, unit=unit.name, log=here.log, engine=engine_of([unit])
        )
    if unit.load == "masked":
        yield symptoms.MASKED_BUT_RUNS.found(name, node, unit=unit.name)
    elif here.component.started_by_bus or is_left_to_cluster(here.component, here.survey, unit):
        return  # the message bus starts it, or Pacemaker
    elif cure := not_at_boot(here.survey, unit):
        yield symptoms.NOT_AT_BOOT.found(name, node, unit=unit.name, cure=cure)


def _restarting(here: Presence, unit: Unit) -> Finding:
    since = f"{ago(unit.up_s)} ago" if unit.up_s is not None else "just now"
    return symptoms.UNIT_RESTARTING.found(
        here.component.name,
        here.node,
        unit.last_words,
        unit=unit.name,
        restarts=count_of(unit.restarts, "restart"),
        ago=since,
        log=here.log,
    )


def ago(seconds: float) -> str:
    """Say how long ago something was."""
    return f"{seconds:.0f} s" if seconds < 2 * SETTLED_S else f"{seconds / 60:.0f} min"


def _container_down(here: Presence, unit: Unit) -> Finding:
    symptom = symptoms.HELPER_DOWN if here.is_helper(unit) else symptoms.CONTAINER_DOWN
    return symptom.found(
        here.component.name,
        here.node,
        unit=unit.name,
        state=unit.sub,
        engine=engine_of([unit]),
        start="unpause" if unit.active == PAUSED else "start",
    )


def _judge_down(here: Presence, down: Collection[Unit]) -> Iterator[Finding]:
    """Judge the units that do not run: those of a component are one finding.

    A service and the sockets that it listens on are stopped together, and started together: the
    sockets first, for systemd starts no socket of a service that runs.
    """
    by_state: dict[str, list[str]] = {}
    units = [one for one in down if not one.is_container]
    yield from (_container_down(here, one) for one in down if one.is_container)
    for unit in units:
        by_state.setdefault(_state_of(unit), []).append(unit.name)
    triggers = [one.name for one in units if one.name.endswith(TRIGGERS)]
    services = [one.name for one in units if one.name not in triggers]
    running = [one.name for one in here.units if one.active == ACTIVE and one.triggered_by]
    symptom = symptoms.UNIT_DOWN
    if not services:
        symptom = symptoms.SOCKET_DOWN if running else symptoms.TRIGGER_DOWN
    if units:
        yield symptom.found(
            here.component.name,
            here.node,
            [words for one in units for words in one.last_words],
            how="; ".join(_are(names, state) for state, names in by_state.items()),
            units=" ".join([*triggers, *services]),
            services=" ".join(running),
            user=here.deployed.user,
            command=here.deployed.command,
        )


def _are(names: Sequence[str], state: str) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f"{listed} {'is' if len(names) == 1 else 'are'} {state}"


def _state_of(unit: Unit) -> str:
    state = f"failed ({unit.result})" if unit.active == FAILED else f"{unit.active} ({unit.sub})"
    if not unit.is_assertion_met:
        state += ": something that it asserts is missing"
    return state


def _judge_gate(here: Presence, unit: Unit) -> Iterator[Finding]:
    if _waits_at_gate(here, unit):
        yield symptoms.GATE_SHUT.found(
            here.component.name, here.node, unit.last_words, unit=unit.name, node=here.node
        )


def _waits_at_gate(here: Presence, unit: Unit) -> bool:
    """Say whether only its boot gate keeps a nova-compute off: a drain is no crash."""
    paths = here.survey.paths
    is_shut = boot_gate.DROP_IN in paths and boot_gate.OPENED not in paths
    is_kept_off = MAINTENANCE in paths or unit.load == "masked"
    return here.component.name == NOVA_COMPUTE and is_shut and not is_kept_off


def notes_of_units(here: Presence, *, answers: bool = False) -> Iterator[Note]:
    """Report what fell and was started again, and what is kept off on purpose.

    What is kept off is named only if it reports to the cloud, where it is missed.
    """
    for unit in here.units:
        up_s = unit.up_s
        if unit.active != ACTIVE or not unit.restarts or up_s is None or up_s >= TOLD_S:
            continue
        if not falls(unit, answers=answers):
            times = count_of(unit.restarts, "time")
            says = f"`{unit.name}` has fallen {times}; systemd started it again {ago(up_s)} ago"
            yield Note(where=here.node, says=says)
    for unit in here.units if here.component.heartbeat else ():
        is_kept_off = unit.active == "inactive" and not unit.is_condition_met
        if is_kept_off and not _waits_at_gate(here, unit):
            yield Note(
                where=here.node,
                says=f"`{unit.name}` is not started: a condition of its own is not met",
            )


def notes_of_masks(
    survey: Survey, anatomy: Anatomy, found: Collection[tuple[str, str]] = ()
) -> Iterator[Note]:
    """Report what somebody has masked, except the units that are a finding: by node and name."""
    if isinstance(survey.units, Unseen):
        return
    for component in anatomy.components.values():
        for unit in masked(component, survey.units):
            if unit.active == ACTIVE or (survey.node, unit.name) in found:
                continue  # that is a finding
            yield Note(where=survey.node, says=f"`{unit.name}` is masked")


def judge_ports(here: Presence) -> Iterator[Finding]:
    """Judge whether what serves requests listens at all; on which port, its configuration says."""
    expected = here.component.ports
    is_way_in = here.component.probe.kind == "node"  # the port that we came through
    if not expected or is_way_in or not here.runs or not here.survey.sees_owners:
        return
    if not any(one.owner in here.owners for one in here.survey.listeners):
        ports = ", ".join(map(str, expected))
        yield symptoms.PORT_CLOSED.found(here.component.name, here.node, ports=ports, log=here.log)


# --- what their own tools say -------------------------------------------------------------------


def judge_tools(here: Presence, present: Present, *, has_seen_all: bool) -> Iterator[Finding]:
    """Judge what a component's own tool says of it; a process that does not run has said enough.

    That no other does its work can be said only by who `has_seen_all` nodes of the cloud.
    """
    match here.component.probe.kind:
        case "rabbitmq" if here.runs:
            yield from _judge_broker(here)
        case "mariadb" if here.runs:
            yield from _judge_database(here, present, has_seen_all=has_seen_all)
        case "memcached" if here.runs:
            yield from _judge_cache(here)
        case "libvirt":
            yield from _judge_libvirt(here)
        case _:
            pass


def _judge_libvirt(here: Presence) -> Iterator[Finding]:
    answer = here.survey.libvirt
    if isinstance(answer, Unseen) and is_silent(here, answer):
        yield symptoms.LIBVIRT_SILENT.found(
            here.component.name,
            here.node,
            why=answer.why,
            command=here.deployed.command,
            restart=here.restart,
        )


def _judge_broker(here: Presence) -> Iterator[Finding]:
    name, node, broker = here.component.name, here.node, here.survey.broker
    match broker:
        case Unseen(why=why) if is_silent(here, broker):
            yield symptoms.BROKER_SILENT.found(
                name, node, why=why, log=here.log, restart=here.restart
            )
        case Broker():
            if broker.alarms:
                yield symptoms.BROKER_ALARM.found(name, node, alarms=", ".join(broker.alarms))
            if broker.partitions:
                split = "; ".join(broker.partitions)
                yield symptoms.BROKER_PARTITION.found(name, node, partitions=split)
            if missing := sorted(set(broker.members) - set(broker.running)):
                yield symptoms.BROKER_SHORT.found(name, node, missing=", ".join(missing))
            for vhost in broker.vhosts_down:
                yield symptoms.VHOST_DOWN.found(name, node, vhost=vhost, log=here.log)
            yield from _judge_clients(here)
        case _:
            yield from _judge_clients(here)


def _judge_clients(here: Presence) -> Iterator[Finding]:
    """Judge whether RabbitMQ takes clients: it was asked by the first words of one."""
    survey, why = here.survey, ""
    silent = {
        place: one.why for place, one in survey.amqp.items() if one and one.kind is Blind.SILENT
    }
    if not survey.amqp and is_shut(here):
        expected = ", ".join(map(str, sorted(client_ports(here))))
        why = f"it does not listen where they come ({expected})"
    elif silent and (survey.sees_owners or len(silent) == len(survey.amqp)):
        # Without root, another there may be meant, such as a load balancer.
        why = "; ".join(f"`{place}`: {said}" for place, said in silent.items())
    if why:
        yield symptoms.BROKER_TAKES_NONE.found(
            here.component.name, here.node, why=why, log=here.log
        )


def client_ports(here: Presence) -> frozenset[int]:
    """Return where RabbitMQ is to take clients: by its own word, else where it usually does."""
    broker = here.survey.broker
    named = broker.client_ports if isinstance(broker, Broker) else frozenset()
    return named or frozenset(here.component.ports)


def is_shut(here: Presence) -> bool:
    """Say whether RabbitMQ listens, but on no port for clients; only root sees whose a port is."""
    survey = here.survey
    own = [one for one in survey.listeners if one.owner in here.owners]
    taking = survey.listeners if here.is_in_container else own
    return (
        survey.sees_owners
        and bool(own or here.is_in_container)
        and not any(one.port in client_ports(here) for one in taking)
    )


def _greets_nobody(here: Presence) -> str:
    """Say why MariaDB greets nobody at its own sockets; empty where it does, or was not asked."""
    came = here.survey.greeting
    silent = {place: one.why for place, one in came.items() if one and one.kind is Blind.SILENT}
    if not silent or len(silent) < len(came):
        return ""
    return "; ".join(f"`{place}`: {why}" for place, why in silent.items())


def takes_clients(here: Presence) -> bool:
    """Say whether RabbitMQ or MariaDB itself has answered as it does its clients.

    Without root nobody sees whose a port is: a load balancer on its node may have answered.
    """
    survey = here.survey
    if here.component.probe.kind == "mariadb":
        return None in survey.greeting.values()
    if here.component.probe.kind != "rabbitmq":
        return False
    units = {} if isinstance(survey.units, Unseen) else survey.units
    balanced = any(BALANCER in name and one.active == ACTIVE for name, one in units.items())
    return None in survey.amqp.values() and (survey.sees_owners or not balanced)


def is_silent(here: Presence, unseen: Unseen) -> bool:
    """Say whether a service was asked by its own tool, and gave no answer: that is a finding.

    What might not be asked, or had no time, is none. Late only counts where it also has no
    connection at all.
    """
    if unseen.kind is Blind.LATE:
        ports = {one.port for one in here.survey.listeners if one.owner in here.owners}
        return not any(
            one.near_port in ports and one.owner in here.owners for one in here.survey.links
        )
    return unseen.kind is Blind.SILENT


def gaps_of_tools(here: Presence) -> Iterator[Gap]:
    """Name components that serve, but whose own tool was missing or did not report in time."""
    own = own_tool(here)
    if own is None or not here.runs:
        return
    if here.component.probe.kind == "rabbitmq":
        yield from _gaps_of_clients(here)
    name, survey = here.component.name, here.survey
    match own.answer:
        case None:
            what, why = own_words(name), "its tool is not on the node"
            is_proof = not takes_clients(here)  # which proves less
            yield gap_of(survey, what, Unseen(why, Blind.USELESS), name, is_proof=is_proof)
        case Unseen(kind=Blind.ODD):
            return  # that is a finding
        case Unseen() if here.component.probe.kind == "pacemaker":
            return  # `clustered.py` says that
        case Unseen() as unseen if not is_silent(here, unseen):
            yield gap_of(survey, own_words(name), unseen, name)
        case Broker() as broker:
            yield from _gaps_of_broker(survey, broker, name)
        case _:
            return


def _gaps_of_clients(here: Presence) -> Iterator[Gap]:
    """Name where RabbitMQ could not be asked as its clients do."""
    survey, name = here.survey, here.component.name
    for place, unseen in survey.amqp.items():
        if unseen and (unseen.kind is not Blind.SILENT or not survey.sees_owners):
            yield gap_of(survey, f"whether {name} takes clients at `{place}`", unseen, name)
    if not survey.amqp and not is_shut(here):
        kind = Blind.USELESS if survey.sees_owners else Blind.REFUSED
        nowhere = Unseen("where it listens is not seen", kind)
        yield gap_of(survey, f"whether {name} takes clients", nowhere, name)


def own_words(name: str) -> str:
    """Return what a component's own tool would report."""
    return f"what {name} says of itself"


@dataclass(frozen=True, slots=True)
class OwnTool:
    """What a component's own tool reported."""

    answer: Broker | DatabaseServer | Cache | Cluster | str | Unseen | None


def own_tool(here: Presence) -> OwnTool | None:
    """Return what a component's own tool reported of it; None: it has no such tool."""
    survey = here.survey
    match here.component.probe.kind:
        case "rabbitmq":
            return OwnTool(survey.broker)
        case "mariadb":
            return OwnTool(survey.database)
        case "memcached":
            return OwnTool(survey.cache)
        case "libvirt":
            return OwnTool(survey.libvirt)
        case "pacemaker":
            return OwnTool(survey.cluster)
        case _:
            return None


def _gaps_of_broker(survey: Survey, broker: Broker, name: str) -> Iterator[Gap]:
    late = Unseen("no answer in time", Blind.LATE)
    if survey.sudo_refused:
        late = Unseen(survey.sudo_refused, Blind.REFUSED)
    unread = {"queues": broker.queues_unread, "bindings": broker.bound_unread}
    for what, vhosts in unread.items():
        if vhosts:
            named = ", ".join(f"`{vhost}`" for vhost in vhosts)
            yield gap_of(survey, f"RabbitMQ's {what} of the virtual host {named}", late, name)
    if broker.vhosts is None:
        yield gap_of(survey, "which virtual hosts RabbitMQ has besides `/`", late, name)


def _judge_database(here: Presence, present: Present, *, has_seen_all: bool) -> Iterator[Finding]:
    name, node, server = here.component.name, here.node, here.survey.database
    match server:
        case Unseen(why=why) if is_silent(here, server):
            yield symptoms.DATABASE_SILENT.found(name, node, why=why, log=here.log)
        case Unseen() if silent := _greets_nobody(here):
            yield symptoms.DATABASE_SILENT.found(name, node, why=silent, log=here.log)
        case DatabaseServer():
            yield from _judge_galera(here, server, _count_of_galera(name, present))
            yield from _judge_writes(here, server, present, has_seen_all=has_seen_all)
            # What nobody uses, or only reads, rejects nobody.
            if server.rejects_second_writers and server.sessions and not _read_only(server):
                yield symptoms.SECOND_WRITERS.found(name, node)
            if server.connections >= NEAR_LIMIT * server.most_connections > 0:
                yield symptoms.CONNECTIONS_SHORT.found(
                    name, node, used=server.connections, most=server.most_connections
                )
            if server.broken_tables:
                broken = server.broken_tables
                failed = count_of(len(broken), "table fails", "tables fail")
                yield symptoms.TABLES_BROKEN.found(name, node, broken[:SHOWN], count=failed)
        case _:
            pass


def _count_of_galera(name: str, present: Present) -> int:
    """Return how many servers may be members; one that says that it runs alone is none."""
    servers = [one.survey.database for (each, _), one in present.items() if each == name]
    return sum(1 for one in servers if not isinstance(one, DatabaseServer) or one.is_galera)


def _judge_galera(here: Presence, server: DatabaseServer, nodes: int) -> Iterator[Finding]:
    if not server.is_galera:
        return
    is_primary = (server.cluster_state or "").lower() == "primary"
    if not server.is_ready or not is_primary:
        yield symptoms.GALERA_NOT_READY.found(
            here.component.name,
            here.node,
            cluster=server.cluster_state,
            local=server.local_state,
            log=here.log,
        )
        return
    if server.cluster_size < nodes:
        yield symptoms.GALERA_SHORT.found(
            here.component.name, here.node, size=server.cluster_size, nodes=nodes
        )
    if server.local_state not in {None, _SYNCED} and not server.is_desynced:
        yield symptoms.GALERA_BEHIND.found(
            here.component.name, here.node, local=server.local_state, log=here.log
        )
    if server.paused >= OFTEN_PAUSED:
        yield symptoms.GALERA_SLOWED.found(
            here.component.name, here.node, percent=round(100 * server.paused)
        )


def _judge_writes(
    here: Presence, server: DatabaseServer, present: Present, *, has_seen_all: bool
) -> Iterator[Finding]:
    """Judge whether a server that answers also does what it is asked for."""
    name, node = here.component.name, here.node
    if server.rejects or server.is_offline:
        variable = "wsrep_reject_queries" if server.rejects else "offline_mode"
        yield symptoms.DATABASE_REJECTS.found(name, node, variable=variable)
    own = [one for one in present.values() if one.component.name == name]
    is_used = server.sessions and not server.is_replica
    # Nobody uses it, or it follows another: that is so on purpose only where another takes writes.
    is_last = has_seen_all and not any(map(_may_take_writes, own))
    if (refusing := _read_only(server)) and (is_used or is_last):
        rule = symptoms.DATABASE_READ_ONLY
        if any(map(_takes_writes, own)):
            rule = symptoms.DATABASE_READ_ONLY_HERE
        used = count_of(server.sessions, "session uses", "sessions use")
        yield rule.found(name, node, variable=refusing, used=used)
    elif server.recovery:
        yield symptoms.DATABASE_RECOVERS.found(name, node, level=server.recovery, log=here.log)
    for wait in server.waits:
        words = {"count": count_of(wait.count, "statement"), "state": wait.state}
        if wait.state in _OF_ALL and wait.longest_s >= LOCKED_S:
            yield symptoms.DATABASE_LOCKED.found(name, node, seconds=wait.longest_s, **words)
        elif wait.longest_s >= TABLE_LOCKED_S:
            yield symptoms.TABLE_LOCKED.found(name, node, seconds=wait.longest_s, **words)


def _read_only(server: DatabaseServer) -> str:
    """Return the setting by which a server takes no writes; empty where it takes them."""
    if server.recovery >= NO_WRITES:
        return "innodb_force_recovery"
    return server.read_only[-1] if server.read_only else ""


def _may_take_writes(other: Presence) -> bool:
    """Say whether a server takes writes, or could not be asked."""
    return _takes_writes(other) or not isinstance(other.survey.database, DatabaseServer)


def _takes_writes(other: Presence) -> bool:
    server = other.survey.database
    return (
        other.runs
        and isinstance(server, DatabaseServer)
        and server.is_ready
        and not server.is_replica
        and not _read_only(server)
    )


def notes_of_tools(here: Presence) -> Iterator[Note]:
    """Report a database that takes no writes, and is not there for them."""
    server = here.survey.database
    if here.component.probe.kind == "mariadb" and isinstance(server, DatabaseServer):
        if _read_only(server) and server.is_replica:
            yield Note(where=here.node, says="MariaDB is read-only: it follows another server")
        elif _read_only(server) and not server.sessions:
            yield Note(where=here.node, says="MariaDB is read-only, and no session uses it")
        if server.is_desynced:
            yield Note(where=here.node, says="MariaDB is desynced on purpose (`wsrep_desync`)")


def _judge_cache(here: Presence) -> Iterator[Finding]:
    name, node, cache = here.component.name, here.node, here.survey.cache
    if isinstance(cache, Unseen):
        if is_silent(here, cache):
            yield symptoms.CACHE_SILENT.found(name, node, why=cache.why, restart=here.restart)
    elif isinstance(cache, Cache) and cache.connections >= NEAR_LIMIT * cache.most_connections > 0:
        yield symptoms.CONNECTIONS_SHORT.found(
            name, node, used=cache.connections, most=cache.most_connections
        )
