"""What RabbitMQ, MariaDB, memcached and libvirt on a node say of themselves, by their own tools."""

import json
import re
from typing import Any

from stackward.model.survey import Blind, Broker, Cache, DatabaseServer, Queue, Unseen

Json = dict[str, Any]

# What Docker and Podman say of a container that is not there.
_NO_CONTAINER = re.compile(r"[Nn]o such container|no container with name")
_ACCESS = re.compile(r"ERROR 1045|ERROR 1698|Access denied|sudo: ")


def parse_broker(commands: Json) -> Broker | Unseen | None:
    """Read `rabbitmqctl cluster_status`, `list_queues` and `list_bindings`."""
    answer = commands.get("rabbitmq cluster")
    if answer is None or _NO_CONTAINER.search(answer["err"]):
        return None
    if answer["code"] != 0:
        return _silent(answer)
    told: Json = json.loads(answer["out"])
    queues, bindings = commands["rabbitmq queues"], commands["rabbitmq bindings"]
    return Broker(
        alarms=tuple(_alarm(each) for each in told.get("alarms", ())),
        partitions=tuple(
            f"{node} has lost {', '.join(lost)}"
            for node, lost in dict(told.get("partitions") or {}).items()
        ),
        running=tuple(told.get("running_nodes", ())),
        members=(*told.get("disk_nodes", ()), *told.get("ram_nodes", ())),
        queues=tuple(parse_queues(queues["out"])) if queues["code"] == 0 else None,
        bound=parse_bound(bindings["out"]) if bindings["code"] == 0 else None,
    )


def _alarm(given: object) -> str:
    """Say an alarm; its form differs between versions."""
    if isinstance(given, dict):
        kind = given.get("type") or given.get("resource") or given
        return f"{kind} on {given['node']}" if "node" in given else str(kind)
    return str(given)


def parse_queues(out: str) -> list[Queue]:
    """Read a line per queue: its name, its messages, its consumers."""
    rows = [line.split("\t") for line in out.splitlines()]
    return [
        Queue(name=row[0], messages=int(row[1]), consumers=int(row[2]))
        for row in rows
        if len(row) == 3 and row[1].isdigit() and row[2].isdigit()  # noqa: PLR2004  # as asked for
    ]


def parse_bound(out: str) -> frozenset[str]:
    """Return the queues that an exchange leads to; the nameless one leads to each queue."""
    rows = [line.split("\t") for line in out.splitlines()]
    return frozenset(row[1] for row in rows if len(row) == 3 and row[0])  # noqa: PLR2004  # same


def parse_database(commands: Json) -> DatabaseServer | Unseen | None:
    """Read a line per variable: its name and its value."""
    answer = commands.get("mariadb")
    if answer is None or _NO_CONTAINER.search(answer["err"]):
        return None
    if answer["code"] != 0:
        return _silent(answer)
    told = dict(line.split("\t", 1) for line in answer["out"].splitlines() if "\t" in line)
    is_galera = told.get("wsrep_on") == "ON"
    return DatabaseServer(
        connections=int(told.get("Threads_connected", 0)),
        most_connections=int(told.get("max_connections", 0)),
        is_galera=is_galera,
        is_ready=not is_galera or told.get("wsrep_ready") == "ON",
        cluster_state=told.get("wsrep_cluster_status"),
        cluster_size=int(told.get("wsrep_cluster_size", 0)),
        local_state=told.get("wsrep_local_state_comment"),
        broken_tables=_tables(commands.get("tables")),
    )


def _tables(answer: Json | None) -> tuple[str, ...] | None:
    """Read `mariadb-check --silent`: it writes only what is wrong."""
    if answer is None or answer["code"] is None:
        return None
    return tuple(line for line in answer["out"].splitlines() if line.strip())


def parse_cache(told: Json) -> Cache | Unseen | None:
    """Read memcached's `stats`."""
    if not told:
        return None
    if "error" in told:
        return Unseen(told["error"])
    figures = dict(re.findall(r"^STAT (\w+) (\S+)\s*$", told["out"], re.MULTILINE))
    if "curr_connections" not in figures:
        return Unseen("it gave no statistics")
    return Cache(
        connections=int(figures["curr_connections"]),
        most_connections=int(figures.get("max_connections", 0)),
    )


def parse_libvirt(commands: Json) -> str | Unseen | None:
    """Read `virsh version --daemon`."""
    answer = commands.get("libvirt")
    if answer is None or _NO_CONTAINER.search(answer["err"]):
        return None
    found = re.search(r"^Running against daemon: (\S+)$", answer["out"], re.MULTILINE)
    return found[1] if found else _silent(answer)


def _silent(answer: Json) -> Unseen:
    said = [line for line in answer["err"].splitlines() if line.strip()]
    if answer["code"] is None:
        return Unseen("no answer in time", Blind.LATE)
    says = said[0].strip() if said else f"it ended with {answer['code']}"
    return Unseen(says, Blind.REFUSED if _ACCESS.search(says) else Blind.SILENT)
