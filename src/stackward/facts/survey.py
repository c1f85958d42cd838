"""Look at a node: one script is sent over ssh, and its one answer is read into a `Survey`."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TypeVar

from stackward.anatomy import MACHINE, WEB_SERVERS, Anatomy, keeper_of, marks_of, read_anatomy
from stackward.answers import (
    document,
    figure,
    lines,
    mapping,
    one_of,
    rows,
    shortly,
    text,
    text_or_none,
    texts,
    truth,
    understood,
    whole,
    why,
)
from stackward.errors import NotStarted, NotUnderstood, StackwardError, Uncertain, Unreachable
from stackward.facts import services_on_node as services
from stackward.facts import stores
from stackward.facts.cluster import parse_cluster
from stackward.facts.machine import parse_addresses, parse_board, parse_guests
from stackward.facts.questions import as_asked, parse_answers, parse_members
from stackward.facts.services_on_node import TIMED_OUT, Said
from stackward.facts.web import as_asked as web_as_asked
from stackward.facts.web import parse_web
from stackward.model import boot_gate
from stackward.model.blind import Blind
from stackward.model.cloud_state import NO_TIME
from stackward.model.identity import Itself
from stackward.model.maintenance import DROP_IN, MAINTENANCE
from stackward.model.survey import (
    NETWORKD_RAN,
    NO_RESTART,
    Board,
    Broker,
    Filesystem,
    KernelError,
    Link,
    Listener,
    Misread,
    Mount,
    NodeClock,
    Survey,
    Unit,
    Unseen,
)
from stackward.ports.clock import Clock
from stackward.ports.login import why_not
from stackward.ports.machines import NOVA_SETTINGS, is_name
from stackward.ports.shell import Answer, Shell, refusal
from stackward.ports.systemd import ACTIVES

Told = TypeVar("Told")

STARTING_S = 3.0  # what is kept of the time for the way there and back
_UNSYNCHRONIZED = 0x40  # STA_UNSYNC of adjtimex(2)
_NO_PYTHON = 127
_BEGINS = '{"version"'  # the script's answer
# The shipped sudoers file cannot know which virtual hosts and stores there are: those that sudo
# refuses are unknown.
_BY_CHOICE = (f"{services.QUEUES} of ", f"{services.BINDINGS} of ", "store ")
# As `journalctl -o short-unix` writes it: when, on which machine, and by which program.
_DATED = re.compile(r"(?P<at>\d+\.\d+) \S+ [^\s:]+: ")
_NO_ENTRIES = "-- No entries --"  # the journal's own words
_REPLACED = "\ufffd"  # it replaces a byte that is not UTF-8
ENGINES = ("docker", "podman")
_OVERLAY = "overlay"
_CONTAINERS = ("/var/lib/docker/", "/var/lib/containers/")
_FACT = re.compile(r"(\w+)=(.*)")
_FACTS = re.compile(r"^(\w+)=(.*)$", re.MULTILINE)
_LOADS = (
    "loaded", "not-found", "masked", "bad-setting", "error", "merged", "stub",
)  # fmt: skip
_UNIT_KINDS = (
    "service", "socket", "mount", "automount", "swap", "timer", "path", "target", "device", "scope",
    "slice",
)  # fmt: skip
# What each answer is called, and which component stays unknown without it.
_ANSWERS = {
    "units": ("`systemctl show`", MACHINE),
    "failed": ("`systemctl --failed`", MACHINE),
    "containers": ("`docker ps` or `podman ps`", MACHINE),
    "sockets": ("`ss -tnap`", MACHINE),
    "filesystems": ("`statvfs` or `stat -f`", MACHINE),
    "mounts": ("`/proc/self/mountinfo`", MACHINE),
    "conntrack": ("`nf_conntrack_count` and `nf_conntrack_max`", MACHINE),
    "store": ("`grep`, `test`, `stat -f` or `vgs`, of a store,", MACHINE),
    "memory": ("`/proc/meminfo`", MACHINE),
    "clock": ("`adjtimex`", MACHINE),
    "machine": ("what identifies the machine", MACHINE),
    "rabbitmq": ("`rabbitmqctl`", "rabbitmq"),
    "mariadb": ("`mariadb`", "mariadb"),
    "memcached": ("`stats` of memcached", "memcached"),
    "libvirt": ("`virsh version`", "libvirtd"),
    "pacemaker": ("`crm_mon`", "pacemaker"),
    "web": ("what was asked over HTTP", MACHINE),
}
_SOCKET_STATES = (
    "LISTEN", "ESTAB", "CLOSE-WAIT", "TIME-WAIT", "FIN-WAIT-1", "FIN-WAIT-2", "SYN-SENT",
    "SYN-RECV", "LAST-ACK", "CLOSING", "CLOSED", "UNCONN",
)  # fmt: skip
_NOT_READABLE = re.compile(r"insufficient permissions|not seeing messages from other users")
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
    """Look at a node, in one round trip; say why if that is not possible."""
    named = {unit for _, deployed in anatomy.deployed() for unit in deployed.units}
    keepers = {keeper_of(one) for _, deployed in anatomy.deployed() for one in deployed.containers}
    units = sorted(named | keepers | set(WEB_SERVERS))
    asked = {
        "units": units,
        "settings": sorted(
            {path for _, deployed in anatomy.deployed() for path in deployed.settings}
            | set(NOVA_SETTINGS)
        ),
        "paths": sorted(
            {path for _, deployed in anatomy.deployed() for path in deployed.sites}
            | {
                MAINTENANCE,
                DROP_IN,
                boot_gate.DROP_IN,
                boot_gate.OPENED,
                NETWORKD_RAN,
                *marks(anatomy),
            }
        ),
        "within_s": max(1.0, within_s - STARTING_S),
        "tables": tables,
        "questions": as_asked(anatomy),
        "containers": sorted({one for _, each in anatomy.deployed() for one in each.containers}),
        "web": web_as_asked(anatomy),
        "stores": stores.as_asked(anatomy),
    }
    began, from_ = clock.monotonic(), clock.now().timestamp()
    try:
        answer = shell.run(
            node, ["python3", "-", json.dumps(asked)], given=script(), within_s=within_s
        )
    except (Unreachable, Uncertain) as error:
        return _unseen(error)
    if answer.code != 0:
        what = answer.err.strip().splitlines() or [f"it ended with {answer.code}"]
        missing = "there is no `python3` on it" if answer.code == _NO_PYTHON else what[-1]
        return Unseen(missing, Blind.USELESS)
    took = clock.monotonic() - began
    try:
        # What a login's shell writes before it (`echo` in its settings) is no part of the answer.
        out = answer.out[max(0, answer.out.find(_BEGINS)) :]
        return parse_survey(node, out, took_s=took, asked_at=from_, known=units)
    except NotUnderstood as error:
        return Unseen(why(error), Blind.ODD)


def marks(anatomy: Anatomy) -> set[str]:
    """Return what is there as long as a component's packages are, and no longer."""
    return {
        mark
        for _, deployed in anatomy.deployed()
        for package in deployed.packages
        for mark in marks_of(package)
    }


@cache
def script() -> str:
    """Return what is run on a node."""
    return files(__package__).joinpath("on_node/gather.py").read_text("utf-8")


def parse_survey(
    node: str, out: str, *, took_s: float, asked_at: float, known: Iterable[str] = ()
) -> Survey:
    """Read what the script printed.

    Raises NotUnderstood where the script's own part has another shape. If the answer of a command
    has another shape, the survey says so, and what the answer should show stays unknown.
    """
    with understood("the script on it", out):
        found = _survey(node, document(out), took_s, asked_at, set(known))
    return replace(found, members=parse_members(found.answers, read_anatomy()))


def _survey(
    node: str, told: Mapping[str, object], took_s: float, asked_at: float, known: set[str]
) -> Survey:
    commands = {name: _said(one) for name, one in mapping(told["commands"]).items()}
    monotonic, container = figure(told["monotonic"]), text(told["container"])
    installed = frozenset(texts(told.get("installed", ())))
    read = _Reader(told, commands)
    units = read.of(
        "units",
        lambda: parse_units(
            commands,
            monotonic=monotonic,
            installed=installed,
            stopped=texts(told.get("stopped", ())),
        ),
    )
    containers = read.of("containers", lambda: parse_containers(commands))
    running = [] if isinstance(containers, Unseen) else containers
    failed = read.of("failed", lambda: _failed(commands, known))
    sockets = read.of("sockets", lambda: parse_sockets(told, running))
    disks = read.of("filesystems", lambda: _filesystems(told, commands))
    mounts = read.of("mounts", lambda: parse_mounts(told.get("mounts", ())))
    kept = read.of("store", lambda: stores.parse_stores(told.get("stores", ()), commands))
    memory = read.of("memory", lambda: _memory(text(told["memory"])))
    tracked = read.of("conntrack", lambda: _tracked(told.get("conntrack")))
    web = read.of("web", lambda: parse_web(told["web"]))
    board = read.of("machine", lambda: parse_board(told, commands))
    clock = read.of("clock", lambda: _clock(told, asked_at, took_s))
    return Survey(
        node=node,
        took_s=took_s,
        units=_all_units(units, running),
        itself=_itself(told, commands),
        hosts=_hosts(told),
        board=Board() if isinstance(board, Unseen) else board,
        addresses=parse_addresses(commands),
        guests=parse_guests(commands),
        other_failed=() if isinstance(failed, Unseen) else failed,
        listeners=() if isinstance(sockets, Unseen) else sockets.listeners,
        links=() if isinstance(sockets, Unseen) else sockets.links,
        sees_owners=not isinstance(sockets, Unseen) and sockets.sees_owners,
        paths=frozenset(texts(told["paths"])),
        filesystems=() if isinstance(disks, Unseen) else disks,
        mounts=() if isinstance(mounts, Unseen) else mounts,
        stores=() if isinstance(kept, Unseen) else kept,
        memory_total=0 if isinstance(memory, Unseen) else memory[0],
        memory_available=0 if isinstance(memory, Unseen) else memory[1],
        memory_huge=0 if isinstance(memory, Unseen) else memory[2],
        tracked=None if isinstance(tracked, Unseen) else tracked,
        clock=_shared() if container else clock,
        kernel_errors=_shared() if container else _kernel(told, commands),
        started=None if told["started"] is None else figure(told["started"]),
        sudo_refused=_sudo_refused(told, commands),
        silent_engines=_silent_engines(told, commands),
        broker=read.broker(),
        amqp=read.clients("amqp"),
        greeting=read.clients("greeting"),
        database=read.of("mariadb", lambda: services.parse_database(commands)),
        cache=read.of("memcached", lambda: services.parse_cache(mapping(told["memcached"]))),
        cluster=read.of("pacemaker", lambda: parse_cluster(commands)),
        libvirt=read.of("libvirt", lambda: services.parse_libvirt(commands)),
        answers=parse_answers(commands),
        web={} if isinstance(web, Unseen) else web,
        misread=tuple(read.misread),
        unread=dict(_unread(commands)),
    )


def _hosts(told: Mapping[str, object]) -> dict[str, str]:
    """Return `[DEFAULT] host` of each settings file; a value that is no name proves nothing."""
    given = told.get("hosts")
    pairs = given.items() if isinstance(given, Mapping) else ()
    return {str(path): str(host) for path, host in pairs if is_name(host)}


def _itself(told: Mapping[str, object], commands: Mapping[str, Said]) -> Itself:
    """Return what the node calls itself; the answer of `hostname -f` may be no name."""
    hosts = _hosts(told)
    configured = [hosts[path] for path in NOVA_SETTINGS if path in hosts]
    said = commands.get("whole name")
    words = (told.get("hostname"), said["out"].strip() if said else "")
    return Itself(
        names=tuple(dict.fromkeys(str(word) for word in words if is_name(word))),
        configured=configured[-1] if configured else None,
    )


def _said(given: object) -> Said:
    one = mapping(given)
    code = one["code"]
    if code is not None and (isinstance(code, bool) or not isinstance(code, int)):
        raise TypeError(code)
    return Said(code=code, out=text(one["out"]), err=text(one["err"]))


class _Reader:
    """Reads one answer after the other, and notes those whose shape is not known."""

    def __init__(self, told: Mapping[str, object], commands: Mapping[str, Said]) -> None:
        self._told, self._commands = told, commands
        self.misread: list[Misread] = []

    def of(self, name: str, read: Callable[[], Told]) -> Told | Unseen:
        """Return what was read of an answer; Unseen where it was not understood."""
        what, component = _ANSWERS[name]
        outs = [one["out"] for key, one in self._commands.items() if key.startswith(name)]
        try:
            with understood(what, "\n".join(outs) or str(self._told.get(name, ""))):
                return read()
        except NotUnderstood as error:
            self.misread.append(Misread(what, error.says or "", component))
            return Unseen(error.message, Blind.ODD)

    def clients(self, what: str) -> Mapping[str, Unseen | None]:
        """Return the answer of a service where it takes clients."""
        return services.parse_clients(rows(self._told.get(what, ())))

    def broker(self) -> Broker | Unseen | None:
        """Return what RabbitMQ reported; a queue of an unknown form leaves the rest of it known."""
        hears = services.hears_clients(self.clients("amqp"))
        told = self.of("rabbitmq", lambda: services.parse_broker(self._commands, hears_amqp=hears))
        if isinstance(told, Broker) and told.odd_queues:
            says = shortly(told.odd_queues[0])
            self.misread.append(Misread("`rabbitmqctl list_queues`", says, "rabbitmq"))
        return told


def _silent_engines(
    told: Mapping[str, object], commands: Mapping[str, Said]
) -> dict[str, tuple[str, ...]]:
    """Return the engines that had their time to list their containers, and did not answer."""
    inside = mapping(told.get("contained", {}))
    found = {}
    for engine in ENGINES:
        answer = commands.get(f"containers of {engine}")
        if answer and services.is_late(answer):
            found[engine] = texts(inside.get(engine, ()))
    return found


def _unread(commands: Mapping[str, Said]) -> Iterable[tuple[str, Unseen]]:
    """Name what else stays unknown: engines that list no containers, words in no UTF-8."""
    for engine in ENGINES:
        answer = commands.get(f"containers of {engine}")
        if answer is None or answer["code"] == 0:
            continue
        if refused := _refused(answer["err"]):
            yield f"what runs under {engine}", Unseen(refused, Blind.REFUSED)
        else:
            said = lines(answer["err"]) or [f"it ended with {answer['code']}"]
            if said == [NO_TIME]:
                yield f"what runs under {engine}", Unseen(NO_TIME, Blind.NOT_ASKED)
                continue
            why = f"`{engine} ps` says: {shortly(said[0])}"
            yield f"what runs under {engine}", Unseen(why, Blind.LATE)
    warned = commands.get("kernel warnings")
    if warned and warned["code"] != 0 and (unseen := _not_picked(warned)):
        yield "the kernel's warnings", unseen
    for name, answer in commands.items():
        if _REPLACED in answer["out"]:
            why = f"bytes that are not UTF-8, shown as {_REPLACED}"
            yield f"part of what it says of {name}", Unseen(why, Blind.ODD)


def _not_picked(answer: Said) -> Unseen | None:
    """Return why the journal picked no lines; None where there are none, which it ends with 1."""
    said = [line for line in lines(answer["err"]) if line != _NO_ENTRIES]
    if refused := _refused(answer["err"]):
        return Unseen(refused, Blind.REFUSED)
    if answer["code"] is None or answer["code"] in TIMED_OUT:
        return Unseen("the journal gave no answer in time", Blind.LATE)
    return Unseen(shortly(said[0]), Blind.USELESS) if said else None


def parse_units(
    commands: Mapping[str, Said],
    *,
    monotonic: float,
    installed: Collection[str] = (),
    stopped: Collection[str] = (),
) -> dict[str, Unit] | Unseen:
    """Read `systemctl show`: a block per unit, `Name=value` in each line."""
    answer = commands.get("units")
    if answer is None:
        return Unseen("it has no systemd", Blind.USELESS)
    if answer["code"] is None and answer["err"] == NO_TIME:
        return Unseen(NO_TIME, Blind.NOT_ASKED)
    blocks = [block for block in answer["out"].split("\n\n") if block.strip()]
    if not blocks or answer["code"] is None or answer["code"] < 0:
        return Unseen(f"systemd does not answer: {answer['err'].strip()}", Blind.SILENT)
    found = [facts_in(block) for block in blocks]
    # What wants them was asked afterwards: those are there to say whether that starts at boot.
    wanting = commands.get("wanting units")
    asked = wanting["out"].split("\n\n") if wanting else []
    found = [*(facts_in(block) for block in asked if block.strip()), *found]
    return {
        one["Id"]: _unit(one, commands, monotonic, installed, stopped)
        for one in found
        if one_of(one["LoadState"], *_LOADS) != "not-found"
    }


def facts_in(block: str) -> dict[str, str]:
    """Read a block of `systemctl show`; raises ValueError with the first line that is no fact.

    A node has thousands of these lines: if each of them is a fact, all are read at once.
    """
    found = _FACTS.findall(block)
    if "\r" not in block and len(found) == block.count("\n", 0, -1) + 1:
        return dict(found)
    return dict(map(_fact, lines(block)))


def _fact(line: str) -> tuple[str, str]:
    found = _FACT.fullmatch(line)
    if found is None:
        raise ValueError(line)
    return found[1], found[2]


def _unit(
    one: Mapping[str, str],
    commands: Mapping[str, Said],
    monotonic: float,
    installed: Collection[str],
    stopped: Collection[str],
) -> Unit:
    began = whole(one.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
    return Unit(
        name=one["Id"],
        load=one["LoadState"],
        active=one_of(one["ActiveState"], *ACTIVES),
        sub=one.get("SubState", ""),
        is_oneshot=one.get("Type", "oneshot") == "oneshot",
        result=one.get("Result", ""),
        enabled=one.get("UnitFileState", ""),
        restarts=whole(one.get("NRestarts") or 0),
        up_s=monotonic - began if began else None,
        wanted_by=tuple(f"{one.get('WantedBy', '')} {one.get('RequiredBy', '')}".split()),
        triggered_by=tuple(one.get("TriggeredBy", "").split()),
        is_installed=one["LoadState"] != "masked" or one["Id"] in installed,
        is_stopped=one["Id"] in stopped,
        is_condition_met=one.get("ConditionResult") != "no" or not began_trying(one),
        is_assertion_met=one.get("AssertResult") != "no" or not began_trying(one),
        last_words=_last_words(commands.get(f"log {one['Id']}")),
    )


def _last_words(answer: Said | None) -> tuple[str, ...]:
    if answer is None:
        return ()
    if _NOT_READABLE.search(answer["err"]):
        return ("(not read: its login is not in the group systemd-journal)",)
    return tuple(line for line in lines(answer["out"]) if line != _NO_ENTRIES)


def began_trying(one: Mapping[str, str]) -> bool:
    """Say whether systemd has ever looked at the unit's conditions; both are `no` before."""
    return not (one.get("ConditionResult") == "no" and one.get("AssertResult") == "no")


def parse_containers(commands: Mapping[str, Said]) -> list[dict[str, str]]:
    """Read `docker ps` or `podman ps`, a line of JSON for each container."""
    told = {engine: commands.get(f"containers of {engine}") for engine in ENGINES}
    return [
        _container(engine, document(line), policies_of(commands, engine))
        for engine, answer in told.items()
        for line in lines(answer["out"] if answer else "")
    ]


def policies_of(commands: Mapping[str, Said], engine: str) -> dict[str, str]:
    """Read the restart policies of containers: a name and a word in each line.

    It was asked for all names that there may be: that some are not there is no failure.
    """
    answer = commands.get(f"policies of {engine}")
    pairs = (line.partition(" ") for line in lines(answer["out"] if answer else ""))
    return {name.lstrip("/"): policy.strip() or NO_RESTART for name, _, policy in pairs}


def _container(
    engine: str, one: Mapping[str, object], policies: Mapping[str, str]
) -> dict[str, str]:
    names = one["Names"]
    name = names if isinstance(names, str) else texts(names)[0]
    return {
        "id": text(one.get("ID") or one["Id"]),
        "engine": engine,
        "name": name,
        "policy": policies.get(name, ""),
        "state": one_of(one["State"], *ACTIVE_OF),
        "status": text(one["Status"]),
    }


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
        enabled=one["policy"],
        engine=one["engine"],
        up_s=_up_s(one["status"]),
    )


def _up_s(status: str) -> float | None:
    """Read how long a container is up, where that is seconds; of longer ones it is not needed."""
    found = _UP.match(status)
    return float(found["seconds"] or 0) if found else None


# Docker and Podman count in whole seconds up to a minute.
_UP = re.compile(r"Up (?:(?P<seconds>\d{1,2}) seconds?|Less than a second)(?: |$)", re.ASCII)

# The states of Docker and Podman in systemd's words.
ACTIVE_OF = {
    "running": "active",
    "restarting": "activating",
    "exited": "inactive",
    "dead": "failed",
    **{
        same: same
        for same in (
            "created", "configured", "initialized", "paused", "removing", "stopping", "stopped",
        )
    },
}  # fmt: skip


def _failed(commands: Mapping[str, Said], known: set[str]) -> tuple[str, ...]:
    """Read `systemctl --failed --plain`: a unit in the first column."""
    answer = commands.get("failed")
    names = [line.split()[0] for line in lines(answer["out"] if answer else "")]
    for name in names:
        one_of(name.rpartition(".")[2], *_UNIT_KINDS)
    return tuple(name for name in names if name not in known)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """What `ss` shows."""

    listeners: tuple[Listener, ...]
    links: tuple[Link, ...]
    sees_owners: bool


def parse_sockets(told: Mapping[str, object], containers: Iterable[Mapping[str, str]]) -> Sockets:
    """Read `ss -Htnap`, with the cgroups of the processes that it names."""
    names = {one["id"]: one["name"] for one in containers}
    paths = mapping(told["owners"]).items()
    owners = {pid: owner_of(text(path), names) for pid, path in paths}
    answer = mapping(told["sockets"])
    read = list(_lines(text(answer.get("out", ""))))
    return Sockets(
        listeners=tuple(_listeners(read, owners)),
        links=tuple(_links(read, owners)),
        sees_owners=not answer.get("refused") and answer.get("code") == 0,
    )


# State, our end, the other end, the processes.
_Socket = tuple[str, str, int, str, int | None, str]


def _lines(out: str) -> Iterable[_Socket]:
    """Read `ss -Htnap`: state, two queues, our end, the other end, the processes."""
    for line in lines(out):
        words = line.split(None, 5)
        try:
            state = one_of(words[0], *_SOCKET_STATES)
            near, near_port = _end(words[3])
            far, far_port = _end(words[4])
        except (LookupError, ValueError, TypeError) as error:
            raise ValueError(line) from error
        if near_port is not None:
            processes = words[5] if len(words) > 5 else ""  # noqa: PLR2004  # all but the processes
            yield state, near, near_port, far, far_port, processes


def _end(given: str) -> tuple[str, int | None]:
    """Return an address and its port; a `*` means any port."""
    at, colon, port = given.rpartition(":")
    if not colon:
        raise ValueError(given)
    return _address(at), None if port == "*" else whole(port)


def _address(given: str) -> str:
    bare = given.strip("[]").partition("%")[0]
    return bare.removeprefix("::ffff:")


_PID = re.compile(r"pid=(\d+)")


def _owner(processes: str, owners: Mapping[str, str | None]) -> str | None:
    pids = _PID.findall(processes)
    # systemd holds the sockets that it activates; the service that it gave them to comes first.
    known = [owners[pid] for pid in pids if owners.get(pid)]
    return known[0] if known else None


def parse_listeners(out: str, owners: Mapping[str, str | None]) -> Iterable[Listener]:
    """Return what is listened on."""
    return _listeners(_lines(out), owners)


def _listeners(read: Iterable[_Socket], owners: Mapping[str, str | None]) -> Iterable[Listener]:
    for state, near, port, _, _, processes in read:
        if state == "LISTEN":
            yield Listener(address=near, port=port, owner=_owner(processes, owners))


def parse_links(out: str, owners: Mapping[str, str | None]) -> Iterable[Link]:
    """Return the connections that are established; a half-closed one is none."""
    return _links(_lines(out), owners)


def _links(read: Iterable[_Socket], owners: Mapping[str, str | None]) -> Iterable[Link]:
    for state, near, port, far, far_port, processes in read:
        if state == "ESTAB" and far_port is not None:
            yield Link(
                near=near,
                near_port=port,
                far=far,
                far_port=far_port,
                owner=_owner(processes, owners),
            )


def _filesystems(
    told: Mapping[str, object], commands: Mapping[str, Said]
) -> tuple[Filesystem, ...]:
    return tuple(known_places(parse_filesystems(rows(told["filesystems"]), commands)))


def parse_mounts(given: object) -> tuple[Mount, ...]:
    """Read what is mounted where; only the script of this version reports it."""
    return tuple(
        Mount(
            mount=text(one["mount"]),
            root=text(one["root"]),
            type=text(one["type"]),
            source=text(one["source"]),
        )
        for one in map(mapping, rows(given))
    )


def parse_filesystems(
    given: Iterable[object], commands: Mapping[str, Said]
) -> Iterable[Filesystem]:
    """Read file systems; those of a network were measured by `stat`, aside."""
    for one in map(mapping, given):
        mount, figures, error = text(one["mount"]), dict(one), text_or_none(one.get("error"))
        if aside := commands.get(f"statfs {mount}"):
            if aside["code"] != 0:
                error = aside["err"].strip() or "no answer"
            else:
                block, blocks, free, inodes, inodes_free = map(whole, aside["out"].split())
                figures |= {"size": block * blocks, "free": block * free}
                figures |= {"inodes": inodes, "inodes_free": inodes_free}
        yield Filesystem(
            mount=mount,
            type=text(one["type"]),
            source=text(one.get("source") or ""),
            size=whole(figures.get("size", 0)),
            free=whole(figures.get("free", 0)),
            inodes=whole(figures.get("inodes", 0)),
            inodes_free=whole(figures.get("inodes_free", 0)),
            is_read_only=truth(one["read_only"]),
            error=error,
        )


def known_places(given: Iterable[Filesystem]) -> Iterable[Filesystem]:
    """Leave out what is another file system seen again: the overlays of containers.

    An overlay has the room of what is below it. In addition to `/`, it is reported by itself only
    where nothing else here has that room.
    """
    seen: set[tuple[int, int]] = set()
    for one in sorted(given, key=lambda one: (_is_laid_over(one), len(one.mount))):
        room = (one.size, one.inodes)
        if _is_laid_over(one) and (room in seen or one.mount.startswith(_CONTAINERS)):
            continue
        if one.size:
            seen.add(room)
        yield one


def _is_laid_over(one: Filesystem) -> bool:
    return one.type == _OVERLAY and one.mount != "/"


def _memory(given: str) -> tuple[int, int, int]:
    """Read `/proc/meminfo`: how much there is, what of it is available, what in huge pages.

    Memory in huge pages is set aside for guests: it is neither used nor available, so it is no
    part of the first. `Hugetlb` counts pages of all sizes; kernels before 4.16 have one size only.
    """
    found = dict(re.findall(r"^(\w+):\s+(\d+)(?: kB)?$", given, re.MULTILINE))
    pages = whole(found.get("HugePages_Total", 0)) * whole(found.get("Hugepagesize", 0))
    huge = whole(found.get("Hugetlb", pages))
    total = whole(found["MemTotal"])
    if huge > total:
        raise ValueError(f"Hugetlb: {huge}")
    return (total - huge) * 1024, whole(found["MemAvailable"]) * 1024, huge * 1024


def _tracked(given: object) -> tuple[int, int] | None:
    """Read how many connections the kernel tracks, and how many it can; None where it does not."""
    count, most = ("", "") if given is None else texts(given)
    return (whole(count), whole(most)) if count and most else None


def _clock(told: Mapping[str, object], asked_at: float, took_s: float) -> NodeClock | Unseen:
    clock, now = mapping(told["clock"]), figure(told["now"])
    if "status" not in clock:
        return Unseen("its python3 cannot ask the kernel", Blind.USELESS)
    # It looked at its clock at some time between our question and its answer.
    early, late = now - (asked_at + took_s), now - asked_at
    ahead = early if early > 0 else late if late < 0 else 0.0
    return NodeClock(
        is_synchronized=not whole(clock["status"]) & _UNSYNCHRONIZED, ahead_s=round(ahead, 1)
    )


def _kernel(
    told: Mapping[str, object], commands: Mapping[str, Said]
) -> tuple[KernelError, ...] | Unseen:
    """Read the kernel's errors, with those warnings that matter; the latter are one day old."""
    answer, warned = commands.get("kernel"), commands.get("kernel warnings")
    if answer is None:
        return Unseen("it has no journal", Blind.USELESS)
    if answer["code"] is None and not _refused(answer["err"]):
        return Unseen("the journal gave no answer in time", Blind.LATE)
    if answer["code"] != 0:
        return Unseen(answer["err"].strip() or "the journal does not answer", Blind.REFUSED)
    out = answer["out"] + ("\n" + warned["out"] if warned else "")
    now = figure(told["now"])
    return tuple(_kernel_error(line, now) for line in lines(out) if line != _NO_ENTRIES)


def _kernel_error(line: str, now: float) -> KernelError:
    """Read a line of the journal; one that goes on from the line before has no time of its own."""
    dated = _DATED.match(line)
    if dated is None:
        return KernelError(says=line, at=None, age_s=None)
    at = float(dated["at"])
    return KernelError(says=line[dated.end() :], at=datetime.fromtimestamp(at, UTC), age_s=now - at)


def _shared() -> Unseen:
    return Unseen("the node is a container, and its host keeps these", Blind.USELESS)


def _sudo_refused(told: Mapping[str, object], commands: Mapping[str, Said]) -> str | None:
    if truth(told["is_root"]):
        return None
    said = [_refused(text_or_none(mapping(told["sockets"]).get("refused")) or "")]
    said += [
        _refused(one["err"])
        for name, one in commands.items()
        if one["code"] != 0 and not name.startswith(_BY_CHOICE)
    ]
    return next(filter(None, said), None)


def _refused(err: str) -> str | None:
    return refusal(Answer(1, "", err))


def _unseen(error: StackwardError) -> Unseen:
    """Return why nothing was seen of a node: of all that ssh writes, the line that says it."""
    kind, line = why_not(error.says or "")
    if isinstance(error, Uncertain):
        kind = Blind.SILENT
    elif isinstance(error, NotStarted):
        kind = Blind.NOT_ASKED
    return Unseen(line or error.message, kind)
