"""Look at a node: one script is sent over ssh, and its one answer is read into a `Survey`."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from stackward.anatomy import WEB_SERVERS, Anatomy
from stackward.errors import StackwardError, Uncertain, Unreachable
from stackward.facts import services_on_node as services
from stackward.model.identity import Itself
from stackward.model.survey import (
    Blind,
    Filesystem,
    Link,
    Listener,
    NodeClock,
    Survey,
    Unit,
    Unseen,
)
from stackward.ports.clock import Clock
from stackward.ports.machines import NOVA_SETTINGS, is_name
from stackward.ports.shell import Shell

Json = dict[str, Any]

STARTING_S = 3.0  # what is kept of the time for the way there and back
_UNSYNCHRONIZED = 0x40  # STA_UNSYNC of adjtimex(2)
_LOGIN = re.compile(
    r"Permission denied|Host key verification failed|Too many authentication failures"
)
_NO_PYTHON = 127
_NO_SUDO = "sudo: "
_OWN = re.compile(
    r"/(?P<scope>docker|libpod)-(?P<id>[0-9a-f]{12,64})\.scope|/(?P<unit>[^/]+\.service)"
)


def survey_node(  # noqa: PLR0913  # what a look needs
    shell: Shell,
    clock: Clock,
    anatomy: Anatomy,
    node: str,
    *,
    within_s: float,
    tables: bool = False,
) -> Survey | Unseen:
    """Look at a node, in one round trip; say why where that is not possible."""
    named = {unit for _, deployed in anatomy.deployed() for unit in deployed.units}
    units = sorted(named | set(WEB_SERVERS))
    asked = {
        "units": units,
        "settings": sorted(
            {path for _, deployed in anatomy.deployed() for path in deployed.settings}
            | set(NOVA_SETTINGS)
        ),
        "paths": sorted({path for _, deployed in anatomy.deployed() for path in deployed.sites}),
        "within_s": max(1.0, within_s - STARTING_S),
        "tables": tables,
    }
    began, from_ = clock.monotonic(), clock.now().timestamp()
    try:
        answer = shell.run(
            node, ["python3", "-", json.dumps(asked)], given=script(), within_s=within_s
        )
    except (Unreachable, Uncertain) as error:
        return Unseen(_why(error), _kind(error))
    if answer.code != 0 or not answer.out.startswith("{"):
        what = answer.err.strip().splitlines() or [f"it ended with {answer.code}"]
        missing = "there is no `python3` on it" if answer.code == _NO_PYTHON else what[-1]
        return Unseen(missing, Blind.USELESS)
    took = clock.monotonic() - began
    return parse_survey(node, answer.out, took_s=took, asked_at=from_, known=units)


@cache
def script() -> str:
    """Return what is run on a node."""
    return files(__package__).joinpath("on_node/gather.py").read_text()


def parse_survey(
    node: str, out: str, *, took_s: float, asked_at: float, known: Iterable[str] = ()
) -> Survey:
    """Read what the script printed."""
    told: Json = json.loads(out)
    commands: Json = told["commands"]
    units = parse_units(commands, monotonic=told["monotonic"])
    containers = parse_containers(commands)
    names = {one["id"]: one["name"] for one in containers}
    sockets: str = told["sockets"].get("out", "")
    owners = {pid: owner_of(path, names) for pid, path in told["owners"].items()}
    memory = dict(re.findall(r"^(\w+):\s+(\d+) kB$", told["memory"], re.MULTILINE))
    is_container = bool(told["container"])
    return Survey(
        node=node,
        took_s=took_s,
        units=_all_units(units, containers),
        itself=_itself(told),
        hosts=_hosts(told),
        other_failed=tuple(_failed(commands.get("failed", {}).get("out", ""), set(known))),
        listeners=tuple(parse_listeners(sockets, owners)),
        links=tuple(parse_links(sockets, owners)),
        sees_owners=not told["sockets"].get("refused") and told["sockets"].get("code") == 0,
        paths=frozenset(told["paths"]),
        filesystems=tuple(parse_filesystems(told["filesystems"], commands)),
        memory_total=int(memory.get("MemTotal", 0)) * 1024,
        memory_available=int(memory.get("MemAvailable", 0)) * 1024,
        clock=_shared("clock") if is_container else _clock(told, asked_at, took_s),
        kernel_errors=_shared("kernel log") if is_container else _kernel(commands.get("kernel")),
        started=told["started"],
        shares_with_host=told["container"] or None,
        sudo_refused=_sudo_refused(told),
        broker=services.parse_broker(commands),
        database=services.parse_database(commands),
        cache=services.parse_cache(told["memcached"]),
        libvirt=services.parse_libvirt(commands),
    )


def _hosts(told: Json) -> dict[str, str]:
    given = told.get("hosts", {})
    return {path: host for path, host in given.items() if is_name(host)}


def _itself(told: Json) -> Itself:
    """Return the node's names; `hostname -f` may say what no name is."""
    whole: str = told["commands"].get("whole name", {}).get("out", "").strip()
    hosts = _hosts(told)
    configured = [hosts[path] for path in NOVA_SETTINGS if path in hosts]
    names = (name for name in (told["hostname"], whole) if is_name(name))
    return Itself(
        names=tuple(dict.fromkeys(names)), configured=configured[-1] if configured else None
    )


def parse_units(commands: Json, *, monotonic: float) -> dict[str, Unit] | Unseen:
    """Read `systemctl show`: a block per unit, `Name=value` in each line."""
    answer = commands.get("units")
    if answer is None:
        return Unseen("it has no systemd", Blind.USELESS)
    blocks = [block for block in answer["out"].split("\n\n") if block.strip()]
    if not blocks:
        return Unseen(f"systemd does not answer: {answer['err'].strip()}", Blind.SILENT)
    found = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in blocks]
    return {
        one["Id"]: _unit(one, commands, monotonic)
        for one in found
        if one.get("LoadState") not in {None, "not-found"}
    }


def _unit(one: Mapping[str, str], commands: Json, monotonic: float) -> Unit:
    began = int(one.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
    log: str = commands.get(f"log {one['Id']}", {}).get("out", "")
    return Unit(
        name=one["Id"],
        load=one["LoadState"],
        active=one.get("ActiveState", ""),
        sub=one.get("SubState", ""),
        result=one.get("Result", ""),
        enabled=one.get("UnitFileState", ""),
        restarts=int(one.get("NRestarts") or 0),
        up_s=monotonic - began if began else None,
        wanted_by=tuple(f"{one.get('WantedBy', '')} {one.get('RequiredBy', '')}".split()),
        triggered_by=tuple(one.get("TriggeredBy", "").split()),
        is_condition_met=one.get("ConditionResult") != "no" or not began_trying(one),
        is_assertion_met=one.get("AssertResult") != "no" or not began_trying(one),
        last_words=tuple(line for line in log.splitlines() if line and line != "-- No entries --"),
    )


def began_trying(one: Mapping[str, str]) -> bool:
    """Say whether systemd has ever looked at the unit's conditions; both are `no` before."""
    return not (one.get("ConditionResult") == "no" and one.get("AssertResult") == "no")


def parse_containers(commands: Json) -> list[dict[str, str]]:
    """Read `docker ps` or `podman ps`, a line of JSON for each container."""
    found = []
    for engine in ("docker", "podman"):
        for line in commands.get(f"containers of {engine}", {}).get("out", "").splitlines():
            one = json.loads(line)
            names = one["Names"]
            found.append(
                {
                    "id": one.get("ID") or one.get("Id", ""),
                    "engine": engine,
                    "name": names if isinstance(names, str) else names[0],
                    "state": one["State"],
                    "status": one["Status"],
                }
            )
    return found


def _all_units(
    units: dict[str, Unit] | Unseen, containers: Iterable[Mapping[str, str]]
) -> Mapping[str, Unit] | Unseen:
    running = {one["name"]: _as_unit(one) for one in containers}
    if isinstance(units, Unseen):
        return running or units
    return {**units, **running}


def _as_unit(one: Mapping[str, str]) -> Unit:
    is_ill = "(unhealthy)" in one["status"]
    return Unit(
        name=one["name"],
        active=ACTIVE_OF.get(one["state"], one["state"]),
        sub=one["status"],
        result="unhealthy" if is_ill else "success",
        is_container=True,
        engine=one["engine"],
    )


# The states of Docker and Podman in systemd's words.
ACTIVE_OF = {
    "running": "active",
    "restarting": "activating",
    "exited": "inactive",
    "dead": "failed",
}


def _failed(out: str, known: set[str]) -> Iterable[str]:
    """Read `systemctl --failed --plain`: a unit in the first column."""
    names = [line.split()[0] for line in out.splitlines() if line.strip()]
    return [name for name in names if name not in known]


def owner_of(path: str, containers: Mapping[str, str]) -> str | None:
    """Return the unit or the container that a cgroup belongs to."""
    found = list(_OWN.finditer(path))
    if not found:
        return None
    last = found[-1]
    if last["id"]:
        same = [name for id_, name in containers.items() if id_.startswith(last["id"][:12])]
        return same[0] if same else None
    return last["unit"]


def _lines(out: str) -> Iterable[tuple[str, str, int, str, int | None, str]]:
    """Read `ss -Htnap`: state, two queues, our end, the other end, the processes."""
    for line in out.splitlines():
        words = line.split(None, 5)
        if len(words) >= 5:  # noqa: PLR2004  # all but the processes
            near, _, near_port = words[3].rpartition(":")
            far, _, far_port = words[4].rpartition(":")
            other = int(far_port) if far_port.isdigit() else None
            processes = words[5] if len(words) > 5 else ""  # noqa: PLR2004  # as above
            yield words[0], _address(near), int(near_port), _address(far), other, processes


def _address(text: str) -> str:
    bare = text.strip("[]").partition("%")[0]
    return bare.removeprefix("::ffff:")


def _owner(processes: str, owners: Mapping[str, str | None]) -> str | None:
    pids = re.findall(r"pid=(\d+)", processes)
    # systemd holds the sockets that it activates; the service that it gave them to comes first.
    known = [owners[pid] for pid in pids if owners.get(pid)]
    return known[0] if known else None


def parse_listeners(out: str, owners: Mapping[str, str | None]) -> Iterable[Listener]:
    """Return what is listened on."""
    for state, near, port, _, _, processes in _lines(out):
        if state == "LISTEN":
            yield Listener(address=near, port=port, owner=_owner(processes, owners))


def parse_links(out: str, owners: Mapping[str, str | None]) -> Iterable[Link]:
    """Return the connections that are established; a half-closed one is none."""
    for state, near, port, far, far_port, processes in _lines(out):
        if state == "ESTAB" and far_port is not None:
            yield Link(
                near=near,
                near_port=port,
                far=far,
                far_port=far_port,
                owner=_owner(processes, owners),
            )


def parse_filesystems(given: Iterable[Json], commands: Json) -> Iterable[Filesystem]:
    """Read file systems; those of a network were measured by `stat`, aside."""
    for one in given:
        figures, error = dict(one), one.get("error")
        if aside := commands.get(f"statfs {one['mount']}"):
            words = aside["out"].split()
            if aside["code"] != 0 or len(words) != 5:  # noqa: PLR2004  # as asked for
                error = aside["err"].strip() or "no answer"
            else:
                block, blocks, free, inodes, inodes_free = map(int, words)
                figures |= {"size": block * blocks, "free": block * free}
                figures |= {"inodes": inodes, "inodes_free": inodes_free}
        yield Filesystem(
            mount=one["mount"],
            type=one["type"],
            size=figures.get("size", 0),
            free=figures.get("free", 0),
            inodes=figures.get("inodes", 0),
            inodes_free=figures.get("inodes_free", 0),
            is_read_only=one["read_only"],
            error=error,
        )


def _clock(told: Json, asked_at: float, took_s: float) -> NodeClock | Unseen:
    if "status" not in told["clock"]:
        return Unseen("its python3 cannot ask the kernel", Blind.USELESS)
    # It looked at its clock at some time between our question and its answer.
    early, late = told["now"] - (asked_at + took_s), told["now"] - asked_at
    ahead = early if early > 0 else late if late < 0 else 0.0
    return NodeClock(
        is_synchronized=not told["clock"]["status"] & _UNSYNCHRONIZED, ahead_s=round(ahead, 1)
    )


def _kernel(answer: Json | None) -> tuple[str, ...] | Unseen:
    if answer is None or answer["code"] != 0:
        why = answer["err"].strip() if answer else "it has no journal"
        return Unseen(why or "the journal does not answer", Blind.REFUSED)
    lines = answer["out"].splitlines()
    return tuple(line for line in lines if line and line != "-- No entries --")


def _shared(what: str) -> Unseen:
    return Unseen(f"the {what} is shared with the host: it is a container", Blind.USELESS)


def _sudo_refused(told: Json) -> str | None:
    if told["is_root"]:
        return None
    said = [told["sockets"].get("refused") or ""]
    said += [one["err"] for one in told["commands"].values()]
    refused = [text.strip() for text in said if text.strip().startswith(_NO_SUDO)]
    return refused[0].splitlines()[0] if refused else None


def _kind(error: StackwardError) -> Blind:
    if isinstance(error, Uncertain):
        return Blind.SILENT
    return Blind.REFUSED if _LOGIN.search(error.says or "") else Blind.UNREACHABLE


def _why(error: StackwardError) -> str:
    said = (error.says or "").strip().splitlines()
    return said[-1] if said else error.message
