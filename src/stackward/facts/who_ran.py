"""Read what shows which servers ran on a node before it was lost; `moving/who_ran.py` judges it.

    pasts = read_pasts(world, journal, node, host, servers, read_guest_logs(...))

Nova is asked for the action log of each server; our own looks are in the journal. libvirt's logs
are read on the node, where that can be asked. What cannot be read is one witness less, and says so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from stackward.answers import lines, shortly, understood, whole, why
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.facts.moved import known_run
from stackward.facts.observed import GUESTS
from stackward.model.domain import Domain
from stackward.model.observation import Observation
from stackward.model.run import Settled
from stackward.model.server import Server, ServerAction
from stackward.model.unread import Unread, or_unread
from stackward.model.who_ran import STOPPING, GuestEvent, GuestLine, Listed, Past, Seen
from stackward.plan.path import stage_of
from stackward.plan.step import SET_ASIDE
from stackward.ports.journal import Journal
from stackward.ports.root import GUEST_LOGS
from stackward.ports.shell import Shell, refusal
from stackward.ports.together import ask_all
from stackward.ports.world import World
from stackward.status.run import request_of

NOW = ("date", "+%s")
_NOTHING = 1  # how `grep` ends where no line is such a one

_LINE = re.compile(
    r"^(?P<path>\S+?/(?P<name>[^/\s]+)\.log\S*?):"
    r"(?P<at>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+)(\+0000|Z)[: ].*?"
    r"(?P<what>starting up libvirt version|shutting down, reason=|terminating on signal)"
    r"(?P<reason>\w*)(?P<rest>.*)"
)
# This is the end of each guest that has shut down: libvirt ends its process then.
_BY_LIBVIRT = re.compile(r"\(\S*/(libvirtd|virtqemud)\)\s*$")
_EVENTS = {
    "starting up libvirt version": GuestEvent.STARTED,
    "terminating on signal": GuestEvent.SIGNALLED,
    "shutting down, reason=": GuestEvent.ENDED,
}

Logs = Mapping[str, tuple[GuestLine, ...]] | Unread


def read_pasts(  # noqa: PLR0913, PLR0917  # the witnesses
    world: World,
    journal: Journal,
    host: str,
    servers: Sequence[Server],
    domains: tuple[Domain, ...] | Unread,
    logs: Logs,
    listed: Listed | None = None,
) -> tuple[Past, ...]:
    """Return what shows of each server whether it ran on the host that Nova names.

    `domains` lead from a server to its log. Of a node that cannot be asked both are `Unread`.
    `listed` is what a reboot of ours has written there.
    """
    seen = _seen_on(journal.observations(world.cloud.identity().id, GUESTS), host)
    names = {} if isinstance(domains, Unread) else {one.server: one.name for one in domains}
    told = ask_all(world.together, {one.id: partial(_actions, world, one.id) for one in servers})
    return tuple(
        Past(
            server=server,
            actions=told[server.id],
            seen=seen.get(server.id),
            log=_log_of(names.get(server.id), logs),
            listed=listed,
        )
        for server in servers
    )


def _actions(world: World, server: str) -> tuple[ServerAction, ...] | Unread:
    return or_unread(partial(world.nova.actions_of, server))


def _log_of(name: str | None, logs: Logs) -> tuple[GuestLine, ...] | Unread:
    if isinstance(logs, Unread):
        return logs
    return logs.get(name, ()) if name else Unread("libvirt has no such guest")


def _seen_on(observations: Sequence[Observation], host: str) -> dict[str, Seen]:
    """Return the state of each guest when we last looked at the host."""
    return {
        server: Seen(state=str(guest.get("state", "")), at=one.at)
        for one in observations
        if isinstance(one.value, Mapping) and one.value.get("host") == host
        for guests in [one.value.get("guests")]
        if isinstance(guests, Mapping)
        for server, guest in guests.items()
        if isinstance(guest, Mapping)
    }


def with_stops(journal: Journal, listed: Listed) -> Listed:
    """Return the list with the requests by which its run has stopped servers, as far as is known.

    An answer that was lost may belong to one more request.
    """
    if known_run(journal, listed.run) is None:
        return listed
    stops, has_all = stops_of(journal, listed.run)
    return replace(listed, stops=stops, has_all_stops=has_all)


def stops_of(journal: Journal, run: str) -> tuple[frozenset[str], bool]:
    """Return the requests by which a reboot has stopped servers, and whether those are all."""
    begun = [each for each in journal.attempts(run) if stage_of(each.step).startswith(STOPPING)]
    asked = [
        each
        for each in begun
        if each.mark is not None
        and each.settled is not Settled.UNSENT
        and not each.saw.get(SET_ASIDE)
    ]
    requests = [request_of(each) for each in asked]
    return frozenset(each for each in requests if each), all(requests)


def read_guest_logs(shell: Shell, node: str) -> Logs:
    """Return what libvirt's logs show of each guest, by the name that libvirt gives it."""
    try:
        answer = shell.run(node, GUEST_LOGS, as_root=True)
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    if (refused := refusal(answer)) is not None:
        return Unread(refused)
    if answer.code > _NOTHING or (answer.code and answer.err.strip()):
        return Unread(f"`grep` says: {answer.err.strip() or answer.code}")
    try:
        with understood("libvirt's logs", answer.out):
            return parse_guest_logs(answer.out)
    except NotUnderstood as error:
        return Unread(why(error))


def parse_guest_logs(out: str) -> dict[str, tuple[GuestLine, ...]]:
    """Read lines of libvirt's logs, each with the file that it is in."""
    found: dict[str, list[GuestLine]] = {}
    for name, line in _guest_lines(out):
        found.setdefault(name, []).append(line)
    return {name: tuple(sorted(each, key=lambda one: one.at)) for name, each in found.items()}


def _guest_lines(out: str) -> Iterator[tuple[str, GuestLine]]:
    for line in lines(out):
        told = _LINE.match(line)
        if told is None:
            raise ValueError(line)
        at = datetime.fromisoformat(told["at"].replace(" ", "T")).replace(tzinfo=UTC)
        event = _EVENTS[told["what"]]
        if event is GuestEvent.SIGNALLED and _BY_LIBVIRT.search(told["rest"]):
            continue
        reason = told["reason"] if event is GuestEvent.ENDED else ""
        yield told["name"], GuestLine(event=event, at=at, reason=reason)


def read_directories(shell: Shell, node: str, places: Sequence[str]) -> frozenset[str] | Unread:
    """Return the ids of servers that have a directory in one of these places."""
    # With a slash at its end, `find` follows a directory that is a link.
    paths = [f"{each}/" for each in places]
    try:
        answer = shell.run(node, ["find", *paths, "-mindepth", "1", "-maxdepth", "1", "-type", "d"])
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    if answer.code != 0:
        return Unread(f"`find` says: {shortly(answer.err) or answer.code}")
    return frozenset(line.rstrip("/").rpartition("/")[2] for line in lines(answer.out))


def read_clock(world: World, node: str) -> float | Unread:
    """Return by how many seconds the clock of a node is ahead of ours, roughly."""
    try:
        before = world.clock.now()
        answer = world.shell.run(node, NOW)
        after = world.clock.now()
        with understood("`date`", answer.out):
            theirs = datetime.fromtimestamp(whole(answer.out.strip()), UTC)
    except (Unreachable, Uncertain, NotUnderstood) as error:
        return Unread.of(error)
    ours = before + (after - before) / 2
    return (theirs - ours).total_seconds()
