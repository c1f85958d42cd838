"""The signs of a move in Nova: what is newer than our mark, and who started it.

Nova has no client token: a migration cannot be named, and its record appears only after the 202. So
the newest migration and the requests known before the start are noted. Everything newer is ours, by
its kind, or belongs to somebody else.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stackward.errors import StackwardError, Uncertain, Unreachable
from stackward.model.migration import IN_PROGRESS, Migration
from stackward.model.server import Server, ServerAction
from stackward.model.unread import Unread
from stackward.plan import Json, Look, Mark, Standing
from stackward.ports.machines import machine_in, machine_of
from stackward.ports.nova import Nova
from stackward.ports.root import COMPUTE_LOG
from stackward.ports.shell import refusal
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of
from stackward.wording import in_utc, utc_stamp

NOVA = "Nova"
_DELETIONS = {"delete", "forceDelete", "softDelete"}  # nova 31.0 compute/instance_actions.py

# Nova works on these by itself, and its `task_state` keeps others off the server until then.
_GOING = {*IN_PROGRESS} - {"reverting"}


@dataclass(frozen=True, slots=True)
class Signs:
    """What a server shows now."""

    server: Server | None
    migration: Migration | None = None  # the newest that is newer than the mark
    action: ServerAction | None = None  # the newest of the kind we asked for, newer than the mark
    foreign: ServerAction | None = None  # another kind of action, newer than the mark


def mark_of(nova: Nova, server: str) -> Mark:
    """Note what is newest now."""
    now = nova.server(server)
    if now is None:  # Nova may know nothing more of it
        return {"migration": 0, "requests": [], "vm_state": None, "power_state": None}
    newest = nova.migrations_of_server(server)
    return {
        "migration": newest[0].id if newest else 0,
        "requests": [action.request_id for action in nova.actions_of(server)],
        "vm_state": now.vm_state,
        "power_state": now.power_state,
    }


def still_going(
    nova: Nova, server: str, host: str, mark: Mark | None, kinds: Sequence[str]
) -> Migration | None:
    """Return our migration off a host while Nova works on it; one list serves all servers.

    None where it has ended, has no record yet, or was not begun: then the server itself is read.
    """
    before = mark["migration"] if mark else None
    if not isinstance(before, int):
        return None
    newer = (
        each for each in nova.newest_migrations(host) if each.server == server and each.id > before
    )
    newest = next(newer, None)
    is_ours = newest is not None and newest.kind in kinds and newest.status in _GOING
    return newest if is_ours else None


def read_signs(
    nova: Nova, server: str, mark: Mark | None, *, kinds: Sequence[str], ours: Sequence[str]
) -> Signs:
    """Read what is newer than the mark; `kinds` of migration and `ours` of actions are our own.

    With no `kinds`, no migration is asked for.
    """
    now = nova.server(server)
    if now is None or mark is None:
        return Signs(now)
    before = mark["migration"]
    newer = [
        migration
        for migration in (nova.migrations_of_server(server) if kinds else ())
        if isinstance(before, int) and migration.id > before and migration.kind in kinds
    ]
    requests = mark["requests"]
    known = set(requests) if isinstance(requests, list | tuple) else set()
    actions = [action for action in nova.actions_of(server) if action.request_id not in known]
    return Signs(
        server=now,
        migration=newer[0] if newer else None,
        action=next((action for action in actions if action.action in ours), None),
        foreign=next((action for action in actions if action.action not in ours), None),
    )


def gone(nova: Nova, server: str) -> Look:
    """Say that a server was deleted, when and by which user: its actions stay until archived."""
    try:
        actions = nova.actions_of(server)
    except (Unreachable, Uncertain):
        raise
    except StackwardError:
        actions = ()  # this login may not read them
    last = next((each for each in actions if each.action in _DELETIONS), None)
    said = f" at {in_utc(last.started)} by user {last.user or 'unknown'}" if last else ""
    return Look(
        Standing.DONE,
        reason=f"the server is gone: it was deleted{said}",
        request_id=last.request_id if last else None,
        saw={
            "gone": True,
            "deleted_at": utc_stamp(last.started) if last else None,
            "deleted_by": last.user if last else None,
            "deleted_request": last.request_id if last else None,
        },
    )


def whereabouts(nova: Nova, server: str) -> Mapping[str, Json]:
    """Return what has become of a server that a fresh plan has nothing to do for."""
    now = nova.server(server)
    return gone(nova, server).saw if now is None else {"host": now.host}


def foreign(action: ServerAction) -> Look:
    """Say that somebody else acts on the server."""
    return Look(
        Standing.FOREIGN,
        reason=f"user {action.user} asked for `{action.action}` at {in_utc(action.started)}",
        request_id=action.request_id,
    )


def in_other_hands(server: Server, host: str | None = None) -> Look | None:
    """Say that a step cannot begin: others work on the server, or took it off its host."""
    if server.task_state is not None:
        return Look(Standing.FOREIGN, reason=f"it is busy ({server.task_state}), not through us")
    if host is not None and server.host != host:
        return Look(Standing.FOREIGN, reason=f"it is on `{server.host}`, not through us")
    return None


def failed(world: World, signs: Signs, reason: str) -> Look:
    """Say that the move ended badly: in Nova's own words, or in those of a nova-compute's log."""
    request = signs.action.request_id if signs.action else None
    server = signs.server.id if signs.server else ""
    says = world.nova.action_failure(server, request) if request and server else None
    service = NOVA
    if says is None and request and signs.migration:
        says, service = _told(world, signs.migration, request)
    return Look(
        Standing.FAILED,
        reason=reason,
        service=service,
        says=says,
        request_id=request,
        saw=saw(signs),
    )


def _told(world: World, migration: Migration, request: str) -> tuple[str | None, str]:
    """Return an error from the log of either end, and whose it is; or why one was not read."""
    unread: tuple[str | None, str] = (None, NOVA)
    for host in filter(None, (migration.source, migration.target)):
        told = _logged(world, host, request)
        if isinstance(told, Unread):
            unread = unread if unread[0] else (told.why, f"nova-compute on `{host}`")
        elif told:
            return told, f"nova-compute on `{host}`"
    return unread


def _logged(world: World, host: str, request: str) -> str | Unread | None:
    """Return the first error that nova-compute wrote for a request; None: none is found.

    Nova keeps no reason for a live migration that fails after its start: it is only in the log of
    the source.
    """
    hypervisor = hypervisor_of(world.nova, host)
    if hypervisor is None:
        return None
    node = machine_in(world, machine_of(hypervisor)).node
    if node is None:
        return None
    try:
        answer = world.shell.run(node, COMPUTE_LOG, as_root=True)
    except (Unreachable, Uncertain):
        return None
    if (refused := refusal(answer)) is not None:
        return Unread(f"(its log was not read: {refused})")
    error = re.compile(rf" ERROR [^ ]+ \[[^]]*{re.escape(request)}")
    first = next((line for line in answer.out.splitlines() if error.search(line)), "")
    return first.rpartition("] ")[2].strip() or None


def asked_by(signs: Signs, look: Look) -> Look:
    """Return the look with the id of our request, which outlives an answer that was lost."""
    return replace(look, request_id=signs.action.request_id) if signs.action else look


def under_way(signs: Signs, reason: str | None = None) -> Look:
    """Say that Nova still works on it."""
    request = signs.action.request_id if signs.action else None
    return Look(Standing.UNDERWAY, reason=reason, request_id=request, saw=saw(signs))


def saw(signs: Signs) -> dict[str, str | int | None]:
    """Return the evidence, for the journal."""
    seen: dict[str, str | int | None] = {}
    if signs.server:
        seen |= {
            "status": signs.server.status,
            "task_state": signs.server.task_state,
            "host": signs.server.host,
        }
    if signs.migration:
        seen |= {
            "migration": signs.migration.id,
            "migration_status": signs.migration.status,
            "updated": signs.migration.updated,
        }
    return seen
