"""What RabbitMQ, MariaDB, memcached and libvirt on a node say of themselves, by their own tools.

Each reader knows one shape and raises on another: `survey.py` makes an unknown of that.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from stackward.answers import (
    ODD,
    cells,
    document,
    lines,
    mapping,
    one_of,
    rows,
    shortly,
    text,
    text_or_none,
    texts,
    truth,
    whole,
)
from stackward.model.blind import Blind
from stackward.model.cloud_state import NO_TIME
from stackward.model.survey import Broker, Cache, DatabaseServer, Queue, Unseen, Wait
from stackward.ports.shell import Answer, refusal

QUEUES, BINDINGS = "rabbitmq queues", "rabbitmq bindings"  # of `/`; of others, with their names
ALL_VHOSTS = "rabbitmq all"
ROOT_VHOST = "/"
CLIENT_PROTOCOLS = ("amqp", "amqp/ssl")
SPEAKS_TLS = "it speaks TLS, and none of these logins works"  # as the script on the node says it
TIMED_OUT = frozenset({124, 137})  # of timeout(1): it ended, or had to kill
READ_ONLY = ("read_only", "super_read_only", "innodb_read_only")


class Said(TypedDict):
    """What a command on a node wrote, and how it ended; without a code it did not end in time."""

    code: int | None
    out: str
    err: str


# What Docker and Podman say of a container that is not there.
NO_CONTAINER = re.compile(r"[Nn]o such container|no container with name")
# These words say that a login was refused: by the system, Docker, MariaDB, polkit, RabbitMQ.
_DENIED = re.compile(
    r"ERROR (1044|1045|1227|1698)\b|access denied|permission denied|operation not permitted|polkit"
    r"|authentication (failed|unavailable|cancelled)|not authorized|only root|must be root"
    r"|socket '[^']*' \(13\b|docker\.sock.* denied",
    re.IGNORECASE,
)
_GALERA_STATES = ("primary", "non-primary", "disconnected")
_OFF = ("OFF", "0")
_DECIMAL = re.compile(r"\d{1,12}(\.\d{1,12})?([eE][-+]?\d{1,2})?")


def parse_clients(given: Iterable[object]) -> dict[str, Unseen | None]:
    """Read where one was asked as its clients do, and what came of it."""
    found: dict[str, Unseen | None] = {}
    for one in map(mapping, given):
        error = text_or_none(one["error"])
        kind = {None: None, NO_TIME: Blind.NOT_ASKED, SPEAKS_TLS: Blind.USELESS}
        why = kind.get(error, Blind.SILENT)
        address, port = text(one["address"]), whole(one["port"])
        place = f"{address}:{port}" if port else address
        found[place] = Unseen(error, why) if error and why else None
    return found


def hears_clients(asked: Mapping[str, Unseen | None]) -> bool | None:
    """Say whether RabbitMQ answers its clients anywhere; None where that is not known."""
    if None in asked.values():
        return True
    silent = [one is not None and one.kind is Blind.SILENT for one in asked.values()]
    return False if silent and all(silent) else None


def parse_broker(
    commands: Mapping[str, Said], *, hears_amqp: bool | None = None
) -> Broker | Unseen | None:
    """Read `rabbitmqctl cluster_status`, and what it reports of queues and bindings.

    `hears_amqp`: whether RabbitMQ answers its clients. On a busy node that tool alone may be late.
    """
    answer = commands.get("rabbitmq cluster")
    if answer is None or NO_CONTAINER.search(answer["err"]):
        return None
    if answer["code"] != 0:
        unseen = _silent(answer)
        return _as_silent(unseen) if hears_amqp is False else unseen
    told = document(answer["out"])
    members = (*texts(told["disk_nodes"]), *texts(told.get("ram_nodes", ())))
    seen = _of_all_vhosts(commands.get(ALL_VHOSTS)) or _of_each_vhost(commands)
    return Broker(
        alarms=tuple(map(_alarm, rows(told.get("alarms", ())))),
        partitions=tuple(_partitions(told.get("partitions") or {})),
        running=parse_running(told["running_nodes"], members),
        members=members,
        queues=None if set(seen.vhosts or (ROOT_VHOST,)) <= seen.silent else tuple(seen.queues),
        queues_unread=tuple(seen.queues_unread),
        bound=seen.bound,
        bound_unread=seen.bound_unread,
        vhosts=seen.vhosts,
        vhosts_down=seen.vhosts_down,
        odd_queues=tuple(seen.odd),
        client_ports=frozenset(_client_ports(told.get("listeners") or {})),
    )


def _client_ports(given: object) -> Iterable[int]:
    """Read the ports at which members take clients; a version may not report them."""
    for listeners in mapping(given).values():
        for one in map(mapping, rows(listeners)):
            if str(one.get("protocol")) in CLIENT_PROTOCOLS:
                yield whole(one["port"])


def parse_running(given: object, members: Iterable[str]) -> tuple[str, ...]:
    """Return the members that run: a list of names, or all in one text (RabbitMQ 4.1.0 to 4.1.3).

    Raises where it names none, or a node that is no member: at least the node that answers runs.
    """
    running = _in_one_text(given, members) if isinstance(given, str) else texts(given)
    if not running or not set(running) <= set(members):
        raise ValueError(given)
    return running


def _in_one_text(given: str, members: Iterable[str]) -> tuple[str, ...]:
    """Cut a text into the names of members; a name may be the beginning of another."""
    names = {name for name in members if name}
    ways: dict[int, tuple[str, ...]] = {0: ()}  # how the text up to there may be cut
    for at in range(len(given)):
        for name in names if at in ways else ():
            if given.startswith(name, at) and name not in ways[at]:
                ways[at + len(name)] = (*ways[at], name)
    return ways[len(given)]


def _partitions(given: object) -> Iterable[str]:
    for node, lost in mapping(given).items() if given else ():
        yield f"{node} has lost {', '.join(texts(lost))}"


def _alarm(given: object) -> str:
    """Say an alarm; its form differs between versions."""
    if isinstance(given, dict):
        kind = given.get("resource") or given.get("type") or given
        return f"{kind} on {given['node']}" if "node" in given else str(kind)
    return text(given)


@dataclass(kw_only=True)
class _Vhosts:
    """What is known of virtual hosts; a row of an unknown form leaves the others known."""

    vhosts: tuple[str, ...] | None
    vhosts_down: tuple[str, ...] = ()
    queues: list[Queue] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)  # reported nothing of their queues
    queues_unread: list[str] = field(default_factory=list)  # not all of their queues are known
    bound: frozenset[tuple[str, str]] | None = None
    bound_unread: tuple[str, ...] = ()
    odd: list[str] = field(default_factory=list)

    def read(self, vhost: str, row: object, cells_of: Callable[[object], list[str]]) -> None:
        """Read a row of a queue."""
        try:
            self.queues.append(_to_queue(cells_of(row), vhost))
        except ODD:
            self.odd.append(row if isinstance(row, str) else json.dumps(row))
            if vhost not in self.queues_unread:
                self.queues_unread.append(vhost)


def _of_all_vhosts(answer: Said | None) -> _Vhosts | None:
    """Read what one command reported of all virtual hosts; None where it did not."""
    if answer is None or answer["code"] != 0:
        return None
    # A warning may come before it.
    told = next((line for line in lines(answer["out"]) if line.startswith("[")), None)
    if not answer["out"].strip():  # so each was asked by itself
        return None
    if told is None:
        raise ValueError(answer["out"])
    given = [mapping(one) for one in rows(json.loads(told))]
    names = tuple(text(one["vhost"]) for one in given)
    seen = _Vhosts(
        vhosts=names or None,
        vhosts_down=tuple(text(one["vhost"]) for one in given if not truth(one["up"])),
        bound=frozenset(
            (text(one["vhost"]), queue)
            for one in given
            for exchange, queue in map(texts, rows(one["bindings"]))
            if exchange
        ),
    )
    for one in given:
        for row in rows(one["queues"]):
            seen.read(text(one["vhost"]), row, lambda row: [*map(_cell, rows(row))])
    return seen


def _cell(given: object) -> str:
    return given if isinstance(given, str) else str(whole(given))


def _of_each_vhost(commands: Mapping[str, Said]) -> _Vhosts:
    """Read what was reported of each virtual host by itself."""
    vhosts = _vhosts(commands.get("rabbitmq vhosts"))
    names = vhosts or (ROOT_VHOST,)
    bound, bound_unread = _bound(commands, names)
    seen = _Vhosts(vhosts=vhosts, bound=bound, bound_unread=bound_unread)
    for vhost in names:
        answer = commands.get(of_vhost(QUEUES, vhost))
        if answer is None or answer["code"] != 0:
            seen.silent.add(vhost)
            seen.queues_unread.append(vhost)
        for line in lines(answer["out"]) if vhost not in seen.silent and answer else ():
            seen.read(vhost, line, lambda line: cells(text(line), 4))
    return seen


def _vhosts(answer: Said | None) -> tuple[str, ...] | None:
    if answer is None or answer["code"] != 0:
        return None
    return tuple(cells(line, 1)[0] for line in lines(answer["out"])) or None


def of_vhost(what: str, vhost: str) -> str:
    """Return the name of a command about a virtual host."""
    return what if vhost == ROOT_VHOST else f"{what} of {vhost}"


def _to_queue(row: list[str], vhost: str) -> Queue:
    """Read its name, its messages, its consumers, its type."""
    name, messages, consumers, kind = row
    # RabbitMQ has no figures of a queue whose member is down.
    is_down = not messages and not consumers
    return Queue(
        name=name,
        messages=0 if is_down else whole(messages),
        consumers=0 if is_down else whole(consumers),
        type=kind,
        vhost=vhost,
        is_down=is_down,
    )


def _bound(
    commands: Mapping[str, Said], vhosts: Iterable[str]
) -> tuple[frozenset[tuple[str, str]] | None, tuple[str, ...]]:
    """Return the queues to which exchanges lead, and the virtual hosts that nothing is known of."""
    found: set[tuple[str, str]] = set()
    unread = []
    for vhost in (names := list(vhosts)):
        answer = commands.get(of_vhost(BINDINGS, vhost))
        if answer is None or answer["code"] != 0:
            unread.append(vhost)
        else:
            found |= {(vhost, name) for name in parse_bound(answer["out"])}
    return None if unread == names else frozenset(found), tuple(unread)


def parse_bound(out: str) -> frozenset[str]:
    """Return the queues that an exchange leads to; the nameless one leads to each queue."""
    found = (cells(line, 3) for line in lines(out))
    return frozenset(queue for exchange, queue, _ in found if exchange)


def parse_database(commands: Mapping[str, Said]) -> DatabaseServer | Unseen | None:
    """Read a line per variable: its name and its value."""
    answer = commands.get("mariadb")
    if answer is None or NO_CONTAINER.search(answer["err"]):
        return None
    if answer["code"] != 0:
        return _as_silent(_silent(answer))
    told: dict[str, str] = {}
    for line in lines(answer["out"]):
        name, value = line.split("\t", 1)
        if told.setdefault(name, value) != value:
            raise ValueError(line)
    waits = [_to_wait(name, value) for name, value in told.items() if name.startswith("Waiting ")]
    is_galera = one_of(told.get("wsrep_on", "OFF"), "ON", "1", *_OFF) not in _OFF
    return DatabaseServer(
        connections=whole(told["Threads_connected"]),
        most_connections=whole(told["max_connections"]),
        is_galera=is_galera,
        is_ready=not is_galera or one_of(told["wsrep_ready"], "ON", "1", *_OFF) not in _OFF,
        cluster_state=_cluster_state(told) if is_galera else told.get("wsrep_cluster_status"),
        cluster_size=whole(told["wsrep_cluster_size"]) if is_galera else 0,
        local_state=told.get("wsrep_local_state_comment"),
        is_desynced=_is_on(told, "wsrep_desync"),
        rejects=None if told.get("wsrep_reject_queries", "NONE") == "NONE" else "queries",
        paused=_share(told.get("wsrep_flow_control_paused")),
        read_only=tuple(name for name in READ_ONLY if _is_on(told, name)),
        recovery=whole(told.get("innodb_force_recovery", 0)),
        is_offline=_is_on(told, "offline_mode"),
        is_replica=_is_on(told, "Slave_running"),
        sessions=whole(told["sessions"]),
        waits=tuple(waits),
        rejects_second_writers=_is_on(told, "innodb_snapshot_isolation"),
        broken_tables=_tables(commands.get("tables")),
    )


def _is_on(told: Mapping[str, str], name: str) -> bool:
    """Read a variable that some servers do not have; MariaDB 12 has more words for a true one."""
    value = told.get(name, "OFF")
    return one_of(value, "ON", "1", "NO_LOCK", "NO_LOCK_NO_ADMIN", *_OFF) not in _OFF


def _share(given: str | None) -> float:
    """Read a part of one; Galera writes a little more than 1 at times."""
    if given is None:
        return 0.0
    if not _DECIMAL.fullmatch(given):
        raise ValueError(given)
    return float(given)


def _to_wait(state: str, value: str) -> Wait:
    """Read how many statements wait for a lock, and how long the first of them has."""
    count, seconds = value.split(" ")
    # A clock that was set back makes it less than 0.
    return Wait(state=state, count=whole(count), longest_s=whole(seconds.removeprefix("-")))


def _cluster_state(told: Mapping[str, str]) -> str:
    state = told["wsrep_cluster_status"]
    one_of(state.lower(), *_GALERA_STATES)
    return state


def _tables(answer: Said | None) -> tuple[str, ...] | None:
    """Read `mariadb-check --silent`: it writes only what is wrong."""
    if answer is None or answer["code"] is None:
        return None
    return tuple(lines(answer["out"]))


def parse_cache(told: Mapping[str, object]) -> Cache | Unseen | None:
    """Read memcached's `stats`."""
    if not told:
        return None
    if told.get("error") == SPEAKS_TLS:
        return Unseen(SPEAKS_TLS, Blind.USELESS)
    if "error" in told:
        return _silent(Said(code=1, out="", err=text(told["error"])))
    out = text(told["out"])
    if not out.strip():
        return Unseen("it gave no statistics")
    figures = dict(re.findall(r"^STAT (\w+) (\S+)\s*$", out, re.MULTILINE))
    return Cache(
        connections=whole(figures["curr_connections"]),
        most_connections=whole(figures.get("max_connections", 0)),
    )


def parse_libvirt(commands: Mapping[str, Said]) -> str | Unseen | None:
    """Read `virsh version --daemon`."""
    answer = commands.get("libvirt")
    if answer is None or NO_CONTAINER.search(answer["err"]):
        return None
    if answer["code"] != 0:
        return _as_silent(_silent(answer))
    found = re.search(r"^Running against daemon: (\d\S*)$", answer["out"], re.MULTILINE)
    if found is None:
        raise ValueError(answer["out"])
    return found[1]


def _as_silent(unseen: Unseen) -> Unseen:
    """Return what a cheap tool has shown: if its answer is late, nothing there answers."""
    return Unseen(unseen.why, Blind.SILENT) if unseen.kind is Blind.LATE else unseen


def kept_out(answer: Said) -> Unseen | None:
    """Return why something was not asked: this login may not, or no time was left; None: it was.

    That says nothing of the state of what was not asked: it is a gap, and never a finding.
    """
    if answer["code"] == 0:
        return None
    if answer["err"] == NO_TIME:
        return Unseen(NO_TIME, Blind.NOT_ASKED)
    denied = (line for line in answer["err"].splitlines() if _DENIED.search(line))
    says = refusal(Answer(1, "", answer["err"])) or next(denied, None)
    return Unseen(shortly(says), Blind.REFUSED) if says else None


def is_late(answer: Said) -> bool:
    """Say whether something was asked, had its time, and did not answer."""
    has_ended = answer["code"] is not None and answer["code"] not in TIMED_OUT
    return not has_ended and kept_out(answer) is None


def _silent(answer: Said) -> Unseen:
    if unseen := kept_out(answer):
        return unseen
    if is_late(answer):
        return Unseen("no answer in time", Blind.LATE)
    said = [line for line in answer["err"].splitlines() if line.strip()]
    own = [line.strip() for line in said if not line.startswith("sudo: ")]
    return Unseen(own[0] if own else f"it ended with {answer['code']}", Blind.SILENT)
