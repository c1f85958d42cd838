"""Read all that shows why a server does not boot; nothing is changed.

    read_triage(world, read, word, say)

Nova is asked first: without it nothing is known. Anything else that cannot be read is reported, and
the rest is judged. `read` reads logs; None where there are none to read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from stackward.answers import why
from stackward.errors import StackwardError
from stackward.facts.bringing_up import find_server
from stackward.facts.guest import read_guest
from stackward.facts.named import nodes_of_hosts
from stackward.logs.event import Event
from stackward.logs.reading import Query, Reading
from stackward.masking import masked
from stackward.model.boot_attempt import BootAttempt
from stackward.model.guest_seen import GuestSeen
from stackward.model.network import Port
from stackward.model.server import IN_DOWN_CELL, Server, ServerAction
from stackward.model.service import ComputeService
from stackward.model.unread import Unread
from stackward.model.utc_time import utc_time
from stackward.model.volume import Volume
from stackward.ports.world import World
from stackward.status.lookups import service_of
from stackward.wording import in_utc

Told = TypeVar("Told")
Read = Callable[[Query], Reading]
Say = Callable[[str], None]

# Of Nova's action log: what has a guest run where the server is. A move that failed says something
# of another node; `confirmResize` and the like start no guest.
BOOTING = frozenset(
    {
        "create", "start", "reboot", "rebuild", "resume", "unpause", "unshelve", "restore",
        "revertResize", "rescue", "unrescue",
    }
)  # fmt: skip
STOPPING = frozenset({"stop", "suspend", "pause", "shelve", "shelveOffload", "delete"})
_BEFORE = timedelta(seconds=5)  # clocks differ, and Nova's times are whole seconds
_USUAL = timedelta(days=1)  # of logs, where Nova knows no attempt
_CONSOLE_LINES = 60
_COMPONENTS = ("nova-compute", "libvirtd")
_DOMAIN_LOGS = "/libvirt/qemu/"
# What QEMU and libvirt write into the log of a domain; the command line is not wanted.
_DOMAIN_WORDS = ("qemu-system", "qemu-kvm", "qcow2: ", "shutting down, reason", "starting up libv")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageFacts:
    """A server, and all that was read to know why it does not boot."""

    server: Server
    at: datetime
    service: ComputeService | None = None  # of its host
    node: str | None = None  # its host in the inventory
    attempt: BootAttempt | None = None  # the last, by Nova's action log
    stopped: ServerAction | None = None  # a later request that has stopped it
    guest: GuestSeen | None = None
    console: tuple[str, ...] = ()  # by Nova, where the node has not reported it
    ports: tuple[Port, ...] = ()
    volumes: tuple[tuple[str, Volume | None], ...] = ()  # that Nova lists, as Cinder has them
    events: Sequence[Event] = ()  # of the attempt
    neighbours: int | None = None  # servers that Nova has on the host, this one included
    is_deleted: bool = False  # since it was looked up
    read: tuple[str, ...] = ()  # what was read
    unread: tuple[str, ...] = ()  # what was not, each with the reason


class _Notes:
    """What was read, and what could not be."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.read: list[str] = []
        self.unread: list[str] = []

    def asked(self, what: str, ask: Callable[[], Told | Unread]) -> Told | None:
        """Return an answer; None, with a note, where there is none."""
        self.say(f"reading {what}")
        try:
            told = ask()
        except StackwardError as error:
            self.unread.append(f"{what}: {why(error)}")
            return None
        if isinstance(told, Unread):
            self.unread.append(f"{what}: {told.why}")
            return None
        self.read.append(what)
        return told


def read_triage(world: World, read: Read | None, word: str, say: Say) -> TriageFacts:
    """Return all that shows why a server does not boot.

    Raises BadInput where no server, or more than one, has that name.
    """
    server = find_server(world, word)
    notes = _Notes(say)
    now = world.clock.now()
    if server.status == IN_DOWN_CELL:
        notes.unread.append(f"the server {server.id}: the cell that has it is down")
        return TriageFacts(server=server, at=now, unread=tuple(notes.unread))
    actions = notes.asked("Nova's action log", lambda: world.nova.actions_of(server.id)) or ()
    attempt = _attempt(world, server, actions, notes)
    facts = TriageFacts(
        server=server,
        at=now,
        attempt=attempt,
        stopped=_stopped(actions),
        ports=notes.asked("its ports in Neutron", lambda: world.neutron.ports_of([server.id]))
        or (),
        volumes=notes.asked("its volumes in Cinder", lambda: _volumes(world, server)) or (),
    )
    if server.host is not None:
        facts = _on_host(world, read, facts, server.host, notes)
    gone = notes.asked("the server again", lambda: (world.nova.server(server.id),))
    return replace(
        facts,
        is_deleted=gone == (None,),
        read=tuple(each for each in notes.read if each != "the server again"),
        unread=tuple(notes.unread),
    )


def _on_host(
    world: World, read: Read | None, facts: TriageFacts, host: str, notes: _Notes
) -> TriageFacts:
    server = facts.server
    service = notes.asked("Nova's services", lambda: (service_of(world.nova, host),))
    found = notes.asked("which node its host is", lambda: _node(world, host))
    neighbours = notes.asked("the servers of its host", lambda: world.nova.servers_on(host))
    facts = replace(
        facts,
        service=service[0] if service else None,
        node=found,
        neighbours=None if neighbours is None else len(neighbours),
    )
    if found is None:
        return replace(facts, console=_console(world, facts, notes))
    guest = notes.asked(
        f"its guest on `{found}`", lambda: read_guest(world.shell, world.clock, found, server.id)
    )
    facts = replace(facts, guest=guest)
    if guest is not None:
        notes.unread += [f"on `{found}`, {each}" for each in guest.unread]
        if not guest.is_root:
            notes.unread.append(
                f"on `{found}`, what only root may read: sudo does not let this login have it "
                "(`STACKWARD_LOGS` of the sudoers file)"
            )
    if not _has_console(guest) and (guest is None or guest.domain is not None):
        facts = replace(facts, console=_console(world, facts, notes))
    if read is not None:
        facts = replace(facts, events=_events(read, facts, found, notes))
    return facts


def _node(world: World, host: str) -> str | Unread:
    match = nodes_of_hosts(world, [host])[host]
    if match.node is None:
        return Unread(f"no node of the inventory is known to be `{host}`")
    return match.node


def _attempt(
    world: World, server: Server, actions: Sequence[ServerAction], notes: _Notes
) -> BootAttempt | None:
    """Return the last request to run its guest."""
    last = next((one for one in actions if one.action in BOOTING), None)
    if last is None:
        return None
    has_failed = last.message is not None
    says = (
        notes.asked(
            "why Nova's last attempt failed",
            lambda: world.nova.action_failure(server.id, last.request_id) or "",
        )
        if has_failed
        else None
    )
    return BootAttempt(
        action=last.action,
        request=last.request_id,
        started=utc_time(last.started),
        has_failed=has_failed,
        says=says or None,
    )


def _stopped(actions: Sequence[ServerAction]) -> ServerAction | None:
    """Return the request that has stopped it since then, if there is one."""
    last = next((one for one in actions if one.action in BOOTING | STOPPING), None)
    return last if last is not None and last.action in STOPPING else None


def _volumes(world: World, server: Server) -> tuple[tuple[str, Volume | None], ...]:
    return tuple((each, world.cinder.volume(each)) for each in server.volume_ids)


def _has_console(guest: GuestSeen | None) -> bool:
    console = guest.domain.console if guest and guest.domain else None
    return console is not None and not console.unread


def _console(world: World, facts: TriageFacts, notes: _Notes) -> tuple[str, ...]:
    """Ask Nova for the console: over RPC, so only where its nova-compute is up."""
    what = "its console"
    if facts.service is None or not facts.service.is_up:
        notes.unread.append(f"{what}: nova-compute is not up, so Nova cannot ask for it")
        return ()
    told = notes.asked(
        f"{what} (by Nova)",
        lambda: _some(world.nova.console(facts.server.id, _CONSOLE_LINES)),
    )
    return () if told is None else tuple(masked(told).splitlines())


def _some(told: str | None) -> str | Unread:
    return Unread("it has none") if told is None else told


def _events(read: Read, facts: TriageFacts, node: str, notes: _Notes) -> Sequence[Event]:
    """Return what nova-compute has logged of the server, and what QEMU has, since the attempt."""
    since = facts.attempt.started - _BEFORE if facts.attempt else facts.at - _USUAL
    asked = Query(since=since, nodes=(node,), components=_COMPONENTS)
    span = f"the logs of `{node}` since {in_utc(since)}"
    whole = notes.asked(span, lambda: read(replace(asked, words=(facts.server.id,))))
    if whole is None:
        return ()
    names = {one.file for one in whole.events if _DOMAIN_LOGS in one.file}
    if facts.guest and facts.guest.domain and facts.guest.domain.name:
        names.add(f"{_DOMAIN_LOGS}{facts.guest.domain.name}.log")
    notes.unread += _not_read(whole, facts.attempt, names)
    events = [one for one in whole.events if _DOMAIN_LOGS not in one.file]
    if names:
        more = notes.asked(
            "the log of its domain",
            lambda: read(replace(asked, components=("libvirtd",), words=_DOMAIN_WORDS)),
        )
        ends = tuple(each[each.index(_DOMAIN_LOGS) :].split(".log")[0] + ".log" for each in names)
        events += [one for one in more.events if _is_of(one.file, ends)] if more else []
    return sorted(events, key=lambda one: one.at)


def _is_of(file: str, ends: tuple[str, ...]) -> bool:
    """Say whether a file is a log of these domains, old ones too."""
    return any(each in file and not file.partition(each)[2][:1].isdigit() for each in ends)


def _not_read(reading: Reading, attempt: BootAttempt | None, names: set[str]) -> list[str]:
    """Return which logs that matter could not be read; those of other domains do not."""
    found = []
    for one in reading.nodes.values():
        if one.unread:
            found.append(f"the logs of `{one.node}`: {one.unread}")
            continue
        found += [
            f"on `{one.node}`, {each}"
            for each in (*one.refused, *one.cut)
            if _DOMAIN_LOGS not in each or any(name in each for name in names)
        ]
        logs = [each for each in one.files if each.component == "nova-compute"]
        firsts = [each.first for each in logs if each.first]
        if not logs:
            found.append(f"on `{one.node}`, the log of nova-compute: there is none to be read")
        elif attempt is not None and firsts and min(firsts) > attempt.started:
            at = in_utc(min(firsts))
            found.append(f"on `{one.node}`, nova-compute's log begins {at}, after the attempt")
    return found
