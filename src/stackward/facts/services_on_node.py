"""What RabbitMQ, MariaDB, memcached and libvirt on a node say of themselves, by their own tools.

Each reader knows one shape and raises on another: `survey.py` makes an unknown of that.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypedDict

from stackward.answers import cells, document, lines, mapping, one_of, rows, text, texts, whole
from stackward.model.survey import Blind, Broker, Cache, DatabaseServer, Queue, Unseen

QUEUES, BINDINGS = "rabbitmq queues", "rabbitmq bindings"  # of `/`; of others, with their names
ROOT_VHOST = "/"


class Said(TypedDict):
    """What a command on a node wrote, and how it ended; without a code it did not end in time."""

    code: int | None
    out: str
    err: str


# What Docker and Podman say of a container that is not there.
NO_CONTAINER = re.compile(r"[Nn]o such container|no container with name")
_ACCESS = re.compile(r"ERROR 1045|ERROR 1698|Access denied|sudo: ")
_GALERA_STATES = ("primary", "non-primary", "disconnected")
_OFF = ("OFF", "0")


def parse_broker(commands: Mapping[str, Said]) -> Broker | Unseen | None:
    """Read `rabbitmqctl cluster_status`, and `list_queues` and `list_bindings` of each vhost."""
    answer = commands.get("rabbitmq cluster")
    if answer is None or NO_CONTAINER.search(answer["err"]):
        return None
    if answer["code"] != 0:
        return _silent(answer)
    told = document(answer["out"])
    members = (*texts(told["disk_nodes"]), *texts(told.get("ram_nodes", ())))
    vhosts = _vhosts(commands.get("rabbitmq vhosts"))
    queues, queues_unread = _queues(commands, vhosts or (ROOT_VHOST,))
    bound, bound_unread = _bound(commands, vhosts or (ROOT_VHOST,))
    return Broker(
        alarms=tuple(map(_alarm, rows(told.get("alarms", ())))),
        partitions=tuple(_partitions(told.get("partitions") or {})),
        running=parse_running(told["running_nodes"], members),
        members=members,
        queues=queues,
        queues_unread=queues_unread,
        bound=bound,
        bound_unread=bound_unread,
        vhosts=vhosts,
    )


def parse_running(given: object, members: Iterable[str]) -> tuple[str, ...]:
    """Return the members that run: a list of names, or all in one text (RabbitMQ 4.1.0 to 4.1.3).

    Raises where it names none, or somebody who is no member: at least the node that answers runs.
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
        kind = given.get("type") or given.get("resource") or given
        return f"{kind} on {given['node']}" if "node" in given else str(kind)
    return text(given)


def _vhosts(answer: Said | None) -> tuple[str, ...] | None:
    if answer is None or answer["code"] != 0:
        return None
    return tuple(cells(line, 1)[0] for line in lines(answer["out"])) or None


def of_vhost(what: str, vhost: str) -> str:
    """Return the name of a command about a virtual host."""
    return what if vhost == ROOT_VHOST else f"{what} of {vhost}"


def _queues(
    commands: Mapping[str, Said], vhosts: Iterable[str]
) -> tuple[tuple[Queue, ...] | None, tuple[str, ...]]:
    """Return the queues of the virtual hosts that told them, and the names of the others."""
    found: list[Queue] = []
    unread = []
    for vhost in (names := list(vhosts)):
        answer = commands.get(of_vhost(QUEUES, vhost))
        if answer is None or answer["code"] != 0:
            unread.append(vhost)
        else:
            found += parse_queues(answer["out"], vhost)
    return None if unread == names else tuple(found), tuple(unread)


def parse_queues(out: str, vhost: str = ROOT_VHOST) -> list[Queue]:
    """Read a line per queue: its name, its messages, its consumers, its type."""
    return [_to_queue(cells(line, 4), vhost) for line in lines(out)]


def _to_queue(row: list[str], vhost: str) -> Queue:
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
    """Return the queues to which exchanges lead, and the virtual hosts of which nothing is told."""
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
        return _silent(answer)
    told: dict[str, str] = {}
    for line in lines(answer["out"]):
        name, value = line.split("\t", 1)
        if told.setdefault(name, value) != value:
            raise ValueError(line)
    is_galera = one_of(told.get("wsrep_on", "OFF"), "ON", "1", *_OFF) not in _OFF
    return DatabaseServer(
        connections=whole(told["Threads_connected"]),
        most_connections=whole(told["max_connections"]),
        is_galera=is_galera,
        is_ready=not is_galera or one_of(told["wsrep_ready"], "ON", "1", *_OFF) not in _OFF,
        cluster_state=_cluster_state(told) if is_galera else told.get("wsrep_cluster_status"),
        cluster_size=whole(told["wsrep_cluster_size"]) if is_galera else 0,
        local_state=told.get("wsrep_local_state_comment"),
        broken_tables=_tables(commands.get("tables")),
    )


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
    if "error" in told:
        return Unseen(text(told["error"]))
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
        return _silent(answer)
    found = re.search(r"^Running against daemon: (\d\S*)$", answer["out"], re.MULTILINE)
    if found is None:
        raise ValueError(answer["out"])
    return found[1]


def _silent(answer: Said) -> Unseen:
    said = [line for line in answer["err"].splitlines() if line.strip()]
    if answer["code"] is None and not (said and _ACCESS.search(said[0])):
        return Unseen("no answer in time", Blind.LATE)
    says = said[0].strip() if said else f"it ended with {answer['code']}"
    return Unseen(says, Blind.REFUSED if _ACCESS.search(says) else Blind.SILENT)
