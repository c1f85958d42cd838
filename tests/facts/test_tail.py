"""Following the logs of all nodes: merged, each event once, and nodes that drop out."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest
from typing_extensions import override

from fakes.clock import FakeClock
from stackward.adapters.together import Threads
from stackward.anatomy import read_anatomy
from stackward.errors import BadInput, StackwardError, Uncertain, Unreachable
from stackward.facts.logs import places_of
from stackward.facts.tail import Remark, Tail, TailQuery, read_told
from stackward.logs.event import Event, Level
from stackward.model.clock_offset import Offset

START = 1795819800.0  # 2026-11-27 22:50:00 UTC
LOG = "/var/log/nova/nova-compute.log"
GONE = Uncertain("`c01` gives no sign of life any more")
NO_SUDO = Uncertain("the talk was broken off", says="sudo: a password is required")


def told(*events: Sequence[object], **others: object) -> dict[str, object]:
    return {
        "version": 1, "events": list(events), "notes": [], "places": {}, "cursor": None,
        "refused": [], **others,
    }  # fmt: skip


def begun(*old: Sequence[object], **others: object) -> dict[str, object]:
    return told(old=list(old), begun={"files": [LOG], "has_journal": False}, **others)


def event(at: float, said: str, *, path: str = LOG, kind: str = "oslo") -> list[object]:
    text = f"2026-11-27 22:50:00.000 7 INFO nova.x [-] {said}"
    return [START + at, kind, 0, text, False, path, *([] if path == LOG else ["nova-compute"])]


class Clock(FakeClock):
    """Moves on once all that the nodes have to say has come."""

    def __init__(self, nodes: "Nodes") -> None:
        super().__init__()
        self.nodes = nodes

    @override
    def monotonic(self) -> float:
        self.passed += 0.5 if self.nodes.are_heard else 0.0
        return self.passed

    @override
    def wait(self, seconds: float) -> None:
        """Do not: the next conversation is there."""


@dataclass
class Talk:
    """One conversation: what the node says in it, and how it ends; for ever, where that is None."""

    pieces: list[dict[str, object]]
    ends: StackwardError | None = None
    asked: dict[str, Any] = field(default_factory=dict)
    is_heard: bool = False
    is_over: threading.Event = field(default_factory=threading.Event)

    def say(self, given: bytes, /) -> None:
        self.asked |= json.loads(given)

    def hear(self, *, within_s: float) -> bytes | None:
        if self.pieces:
            return json.dumps(self.pieces.pop(0)).encode()
        self.is_heard = True
        if self.ends is None:
            self.is_over.wait()
            raise Unreachable("connections are closed")
        raise self.ends


class Nodes:
    """Nodes with the conversations that they hold, one after the other."""

    def __init__(self, **talks: list[Talk]) -> None:
        self.talks, self.held = talks, {name: list[Talk]() for name in talks}
        self.as_root: list[bool] = []
        self.offsets: dict[str, Offset] = {}
        self.set_since: dict[str, Offset] = {}  # what a clock is once it is measured anew

    @property
    def nodes(self) -> Sequence[str]:
        return tuple(self.talks)

    @contextmanager
    def talk(self, node: str, script: str, /, *, as_root: bool) -> Iterator[Talk]:
        assert "class Tail" in script
        self.as_root.append(as_root)
        if not self.talks[node]:
            self.talks[node].append(Talk([]))  # it hangs
        one = self.talks[node].pop(0)
        self.held[node].append(one)
        yield one

    def offset(self, node: str, /, *, is_anew: bool = False) -> Offset | None:
        if is_anew and node in self.set_since:
            self.offsets[node] = self.set_since[node]
        return self.offsets.get(node)

    @property
    def are_heard(self) -> bool:
        """Say whether all has come, from all nodes."""
        return all(
            not self.talks[name] and talks and talks[-1].is_heard
            for name, talks in self.held.items()
        )

    def close(self) -> None:
        for talks in self.held.values():
            for one in talks:
                one.is_over.set()


def tail_of(
    nodes: Nodes, *, lines: int = 0, level: Level | None = None, words: tuple[str, ...] = ()
) -> Tail:
    query = TailQuery(components=("nova-compute",), lines=lines, level=level, words=words)
    return Tail(nodes, Threads(), Clock(nodes), read_anatomy(), query)


def shown(nodes: Nodes, tail: Tail, number: int) -> list[str]:
    """Return so many events and remarks, in the order in which they come."""
    try:
        return [
            f"{one.node}: {one.says if isinstance(one, Remark) else one.message}"
            for one in islice((one for batch in tail.batches() for one in batch), number)
        ]
    finally:
        nodes.close()


def test_events_of_several_nodes_come_in_the_order_of_time() -> None:
    nodes = Nodes(
        c01=[Talk([begun(), told(event(1, "first"), event(3, "third"))])],
        c02=[Talk([begun(), told(event(2, "second"))])],
    )

    assert shown(nodes, tail_of(nodes), 3) == ["c01: first", "c02: second", "c01: third"]


def test_a_log_is_of_the_component_whose_settings_have_its_place() -> None:
    own = {"component": "nova-compute", "by": "x", "paths": ["/srv/all"], "to_journal": False}
    logged = [START, "oslo", 0, "it", False, "/srv/all"]

    found = read_told("c01", json.dumps(told(logged, named=[own])), places_of(read_anatomy()))

    assert [one.component for one in found.events] == ["nova-compute"]


def test_what_a_clock_is_ahead_is_taken_off_before_events_are_ordered() -> None:
    nodes = Nodes(
        c01=[Talk([begun(), told(event(5, "first"))])],
        c02=[Talk([begun(), told(event(2, "second"))])],
    )
    nodes.offsets["c01"] = Offset(ahead_s=4.0, error_s=0.001)

    assert shown(nodes, tail_of(nodes), 2) == ["c01: first", "c02: second"]


@pytest.mark.parametrize(("by_s", "way"), [(37.0, "forward by 37.0 s"), (-2.5, "back by 2.5 s")])
def test_a_clock_that_is_set_meanwhile_is_said_and_measured_anew(by_s: float, way: str) -> None:
    pieces = [begun(), told(event(1 + by_s, "after"), stepped_s=by_s)]
    nodes = Nodes(c01=[Talk(pieces)], c02=[Talk([begun(), told(event(2, "a second later"))])])
    nodes.offsets = dict.fromkeys(("c01", "c02"), Offset(ahead_s=0.0, error_s=0.001))
    nodes.set_since["c01"] = Offset(ahead_s=by_s, error_s=0.001)

    assert shown(nodes, tail_of(nodes), 3) == [
        f"c01: its clock was put {way}; times near this moment may be wrong by as much",
        "c01: after",
        "c02: a second later",
    ]


def test_the_clock_of_a_node_that_is_heard_again_is_measured_anew() -> None:
    nodes = Nodes(c01=[Talk([begun()], ends=GONE), Talk([begun(), told(event(38, "after"))])])
    nodes.offsets["c01"] = Offset(ahead_s=0.0, error_s=0.001)
    nodes.set_since["c01"] = Offset(ahead_s=37.0, error_s=0.001)
    shown(nodes, tail_of(nodes), 3)

    assert nodes.offsets["c01"].ahead_s == 37.0


def test_the_last_events_of_all_nodes_together_come_first() -> None:
    nodes = Nodes(
        c01=[Talk([begun(event(1, "a"), event(4, "d")), told(event(9, "new"))])],
        c02=[Talk([begun(event(2, "b"), event(3, "c"))])],
    )

    assert shown(nodes, tail_of(nodes, lines=2), 3) == ["c02: c", "c01: d", "c01: new"]


def test_what_the_journal_and_a_file_tell_is_shown_once() -> None:
    nodes = Nodes(
        c01=[
            Talk(
                [
                    begun(),
                    told(event(1, "it", path="journal"), event(1.1, "it")),
                    told(event(4, "end")),
                ]
            )
        ]
    )

    assert shown(nodes, tail_of(nodes), 2) == ["c01: it", "c01: end"]


def test_secrets_are_masked_before_anything_is_shown() -> None:
    said = "connecting to rabbit://u:pa55w0rd@ctl:5672/ failed"
    nodes = Nodes(c01=[Talk([begun(), told(event(1, said))])])

    (line,) = shown(nodes, tail_of(nodes), 1)

    assert "pa55w0rd" not in line
    assert "rabbit://" in line


def test_a_node_that_drops_out_is_said_and_taken_up_where_it_was_left() -> None:
    place = [7, 256, "digest", 4096]
    nodes = Nodes(
        c01=[
            Talk([begun(), told(event(1, "before"), places={LOG: place}, cursor="c1")], ends=GONE),
            Talk([begun(), told(event(2, "after"), notes=[f"{LOG}: some lines may be missing"])]),
        ]
    )
    tail = tail_of(nodes, lines=3)

    lines = shown(nodes, tail, 5)

    assert sorted(lines) == sorted(
        [
            "c01: before",
            "c01: is not heard any more: `c01` gives no sign of life any more",
            "c01: is heard again",
            f"c01: {LOG}: some lines may be missing",
            "c01: after",
        ]
    )
    first, second = nodes.held["c01"]
    assert (first.asked["places_read"], first.asked["cursor"], first.asked["lines"]) == (
        {},
        None,
        3,
    )
    assert (second.asked["places_read"], second.asked["cursor"]) == ({LOG: place}, "c1")


def test_a_login_that_may_not_be_root_reads_as_itself() -> None:
    nodes = Nodes(c01=[Talk([], ends=NO_SUDO), Talk([begun(refused=["x: Permission denied"])])])
    tail = tail_of(nodes)

    assert shown(nodes, tail, 1) == ["c01: has a log that may not be read: x: Permission denied"]
    assert nodes.as_root == [True, False]
    assert not tail.is_blind
    assert not tail.is_whole


def test_where_no_node_can_be_read_it_ends() -> None:
    lost = Unreachable("`c01` was not reached", says="ssh: connect: No route to host")
    nodes = Nodes(c01=[Talk([], ends=lost) for _ in range(500)])
    tail = tail_of(nodes)

    said = [one for batch in tail.batches() for one in batch]

    assert said[:1] == [Remark("c01", "is not read: ssh: connect: No route to host")]
    assert tail.is_blind


def test_a_node_that_says_what_is_not_understood_is_said() -> None:
    strange: Mapping[str, object] = {"events": 7}
    nodes = Nodes(
        c01=[Talk([dict(strange)], ends=GONE)] * 1, c02=[Talk([begun(), told(event(1, "it"))])]
    )

    lines = shown(nodes, tail_of(nodes), 2)

    assert any(each.startswith("c01: is not read: ") for each in lines)
    assert "c02: it" in lines


def test_further_lines_keep_the_component_and_the_level_is_asked_of_the_node() -> None:
    nodes = Nodes(c01=[Talk([begun(), told([START, "more", 9, "and so on", False, LOG])])])
    tail = tail_of(nodes, level=Level.ERROR, words=("disk",))
    (one,) = islice((each for batch in tail.batches() for each in batch), 1)
    nodes.close()

    assert isinstance(one, Event)
    assert (one.component, one.message, one.format) == ("nova-compute", "and so on", "more")
    asked = nodes.held["c01"][0].asked
    assert (asked["level"], asked["words"], asked["places"]) == (
        40, ["disk"], [LOG, "/var/log/kolla/nova/nova-compute.log"],
    )  # fmt: skip


def test_a_component_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadInput, match="nova-compte"):
        Tail(
            Nodes(), Threads(), FakeClock(), read_anatomy(), TailQuery(components=("nova-compte",))
        )
