"""The list of running servers that a reboot writes on a node before it stops anything there.

It is written for what follows: the same run, which starts exactly these again, and `node recover`,
if that run never ends. Only Stackward reads it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from stackward.answers import document, mapping, text, understood, whole, why
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.node_boot import NodeBoot
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.model.who_ran import WHO_RAN, Listed, Torn
from stackward.ports.nova import Nova
from stackward.ports.shell import Shell

_READ = ("cat", WHO_RAN)
_NONE = "No such file"
_ON = ("active", 1)  # vm_state and power_state (nova/objects/fields.py InstancePowerState)


def read_listed(shell: Shell, node: str) -> Listed | Torn | Unread | None:
    """Return the list that is on a node; None: there is none.

    A list that is there but not understood says nothing: that is not the same as a list that was
    not read.
    """
    try:
        answer = shell.run(node, _READ)
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    if answer.code != 0:
        says = answer.err.strip()
        return None if not says or _NONE in says else Unread(f"`cat {WHO_RAN}` says: {says}")
    try:
        with understood(f"`{WHO_RAN}`", answer.out):
            return parse_listed(answer.out)
    except NotUnderstood as error:
        return Torn(why(error))


def parse_listed(out: str) -> Listed:
    """Read a list as it was written."""
    told = document(out)
    return Listed(
        run=text(told["run"]),
        user=text(told["user"]),
        at=datetime.fromisoformat(text(told["at"])),
        boot=NodeBoot(
            id=text(told["boot"]),
            first_process=whole(told["first process"]),
            at=datetime.fromisoformat(text(told["booted"])),
        ),
        ran={server: text(request) for server, request in mapping(told["ran"]).items()},
        off={server: text(request) for server, request in mapping(told["off"]).items()},
    )


def written(listed: Listed) -> str:
    """Return a list as it is written."""
    told = {
        "run": listed.run,
        "user": listed.user,
        "at": listed.at.isoformat(),
        "boot": listed.boot.id,
        "first process": listed.boot.first_process,
        "booted": listed.boot.at.isoformat(),
        "ran": dict(listed.ran),
        "off": dict(listed.off),
    }
    return f"{json.dumps(told, indent=1, sort_keys=True)}\n"


def newest_requests(nova: Nova, servers: Iterable[Server]) -> Mapping[str, str]:
    """Return the newest request in the action log of each server; empty where it has none."""
    return dict(_newest(nova, servers))


def _newest(nova: Nova, servers: Iterable[Server]) -> Iterator[tuple[str, str]]:
    for server in servers:
        actions = nova.actions_of(server.id)
        yield server.id, actions[0].request_id if actions else ""


def is_on(server: Server) -> bool:
    """Say whether Nova has a server as one that runs."""
    return (server.vm_state, server.power_state) == _ON
