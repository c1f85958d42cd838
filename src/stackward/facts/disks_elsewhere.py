"""Which disks of servers another node sees: Nova asks the same before it builds a blank one.

nova 31.0 virt/libvirt/driver.py, instance_on_disk: a directory of the server that nova may write
to, or Ceph for all disks. It does not look whether a disk is in that directory.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from stackward.answers import (
    document,
    mapping,
    rows,
    text,
    text_or_none,
    texts,
    truth,
    understood,
    whole,
    why,
)
from stackward.errors import NotUnderstood, StackwardError
from stackward.model.disk_seen import DiskSeen
from stackward.model.unread import Unread
from stackward.ports.shell import Shell
from stackward.wording import count_of

_WITHIN_S = 20.0
_BEGINS = '{"version"'


@cache
def script() -> str:
    """Return what is run on the node."""
    return files(__package__).joinpath("on_node/disks.py").read_text("utf-8")


def read_disks(
    shell: Shell, node: str, servers: Sequence[str], directories: Sequence[str]
) -> Mapping[str, DiskSeen] | Unread:
    """Return what a node sees of each server's disks; or why that could not be read."""
    asked = json.dumps({"servers": list(servers), "directories": list(directories)})
    try:
        answer = shell.run(node, ["python3", "-", asked], given=script(), within_s=_WITHIN_S)
        if answer.code != 0:
            said = answer.err.strip().splitlines()
            return Unread(said[-1] if said else f"it ended with {answer.code}")
        return parse_disks(answer.out, servers)
    except NotUnderstood as error:
        return Unread(why(error))
    except StackwardError as error:
        return Unread.of(error)


def parse_disks(out: str, servers: Sequence[str]) -> Mapping[str, DiskSeen]:
    """Read what the script printed; what a login's shell writes before it is no part of that."""
    with understood("the script that looks for disks", out):
        told = mapping(document(out[max(0, out.find(_BEGINS)) :])["told"])
        return {each: _seen([mapping(one) for one in rows(told[each])]) for each in servers}


def _seen(places: Sequence[Mapping[str, object]]) -> DiskSeen:
    """Take the place where the directory is; if there are two, nobody says which one Nova takes."""
    there = [one for one in places if truth(one["there"])]
    unread = [text(one["unread"]) for one in places if one["unread"] is not None]
    if unread:
        return DiskSeen(unread=unread[0])
    if not there:
        return DiskSeen()
    if len(there) > 1:
        return DiskSeen(unread=f"it has {count_of(len(there), 'directory', 'directories')}")
    [one] = there
    writable = one["writable"]
    return DiskSeen(
        path=text(one["path"]),
        is_writable=None if writable is None else truth(writable),
        disks=tuple((name, text(said)) for name, said in mapping(one["disks"]).items()),
        locked=texts(one["locked"]),
        written=_time(one["written"]),
        storage=text_or_none(one["storage"]),
        place=text_or_none(one["place"]),
    )


def _time(given: object) -> datetime | None:
    return datetime.fromtimestamp(whole(given), UTC) if given else None
