"""Read what a server of OVSDB says of its cluster: `cluster/status`.

Older versions of Open vSwitch do not report when a member was elected, nor when it has heard from
the others. Lines that a later version adds are left out.
"""

import re
from collections.abc import Mapping

from stackward.answers import lines, one_of, whole
from stackward.model.raft import CANDIDATE, FOLLOWER, LEADER, STATUSES, Member, Peer

_SERVER_ID = re.compile(r"([0-9a-f]{4}) \((\1[0-9a-f-]{32})\)")
_SERVER = re.compile(
    r"    (?P<name>\S+) \((?P<id>[0-9a-f]{4}) at (?P<address>[a-z]+:\S+)\)"
    r"(?P<is_self> \(self\))?(?: \([a-z][\w :-]*\))*"
    r"(?: next_index=\d+ match_index=(?P<matched>\d+))?"
    r"(?: last msg (?P<heard>\d+) ms ago)?"
)
_CONNECTION = re.compile(r"(\()?(?:->|<-)(\w+)(\))?")
_LOG = re.compile(r"\[(\d+), (\d+)\]")
_ENDS = "Servers"
_NOT_YET, _SELF, _UNKNOWN = "not yet known", "self", "unknown"


def read_member(out: str) -> Member:
    """Read an answer; what has another shape raises."""
    head, colon, tail = out.partition(f"\n{_ENDS}:\n")
    if not colon:
        raise ValueError(out)
    own = _fields(head)
    short, server = _id(own["Server ID"])
    peers = tuple(map(_peer, lines(tail)))
    if sum(one.is_self for one in peers) > 1 or len({one.server for one in peers}) != len(peers):
        raise ValueError(tail)
    last = _log(own["Log"])
    return Member(
        database=_word(own["Name"]),
        cluster=None if own["Cluster ID"] == _NOT_YET else _id(own["Cluster ID"])[1],
        server=server,
        address=_word(own["Address"]),
        status=one_of(own["Status"], *STATUSES),
        role=one_of(own["Role"], LEADER, CANDIDATE, FOLLOWER),
        term=whole(own["Term"]),
        leader=_leader(own["Leader"], short),
        election_s=whole(own["Election timer"].partition(" ")[0]) / 1000,
        leads_s=_ago(own.get("Last Election won")),
        last=last,
        uncommitted=whole(own["Entries not yet committed"]),
        unapplied=whole(own["Entries not yet applied"]),
        linked=frozenset(_linked(own["Connections"])),
        peers=peers,
        remotes=tuple(own.get("Remotes for joining", "").split()),
    )


def _fields(head: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in lines(head):
        name, colon, value = line.partition(":")
        if colon and found.setdefault(name, value.strip()) != value.strip():
            raise ValueError(line)
    return found


def _word(given: str) -> str:
    if not given or " " in given:
        raise ValueError(given)
    return given


def _id(given: str) -> tuple[str, str]:
    found = _SERVER_ID.fullmatch(given)
    if found is None:
        raise ValueError(given)
    return found[1], found[2]


def _leader(given: str, own: str) -> str | None:
    if given == _UNKNOWN:
        return None
    return own if given == _SELF else _word(given)


def _ago(given: str | None) -> float | None:
    if given is None:
        return None
    return whole(given.removesuffix(" ms ago")) / 1000


def _log(given: str) -> int:
    found = _LOG.fullmatch(given)
    if found is None:
        raise ValueError(given)
    return max(0, whole(found[2]) - 1)


def _linked(given: str) -> list[str]:
    """Return which are connected; one in brackets is only tried."""
    found = []
    for word in given.split():
        one = _CONNECTION.fullmatch(word)
        if one is None or bool(one[1]) != bool(one[3]):
            raise ValueError(word)
        if not one[1]:
            found.append(one[2])
    return found


def _peer(line: str) -> Peer:
    found = _SERVER.fullmatch(line)
    if found is None:
        raise ValueError(line)
    heard, matched = found["heard"], found["matched"]
    return Peer(
        server=found["id"],
        address=found["address"],
        is_self=found["is_self"] is not None,
        heard_s=None if heard is None else whole(heard) / 1000,
        matched=None if matched is None else whole(matched),
    )
