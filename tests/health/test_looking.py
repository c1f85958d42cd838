"""One deadline is over a whole look, whatever hangs, and what was not reached is told so.

The time of most looks is worked out, not waited for; the last ones are in real threads.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from typing_extensions import override

from fakes.apis import FakeApis, no_answer
from fakes.clock import FakeClock
from fakes.nodes import FakeNodes, sample
from fakes.site import Site
from late import late_s
from stackward.adapters.clock import SystemClock
from stackward.adapters.together import Threads
from stackward.errors import Uncertain
from stackward.facts import cloud_state, pings
from stackward.facts.cloud_state import JUDGING, MOST_AT_ONCE, CheckRequest, time_for
from stackward.health.looking import check_cloud
from stackward.lab.waiting import wait_until
from stackward.model.blind import Blind
from stackward.model.cloud_state import (
    NO_TIME,
    Answered,
    CloudState,
    Failed,
    Failure,
    Rpc,
    RpcAnswer,
)
from stackward.model.health import Health, Kept, State
from stackward.model.survey import Survey, Unseen
from stackward.ports.shell import Answer
from virtual_time import FOR_EVER_S, VirtualTogether

WHOLE_S = 10.0
NODE_S, LOGIN_S, LIST_S, CALL_S = 1.5, 0.3, 0.4, 0.5  # usual times


@dataclass
class Hanging:
    """How long questions take: usually, late, or for ever (else they are given up in time)."""

    what: set[str] = field(default_factory=set)
    for_ever: bool = False
    delays: dict[str, float] = field(default_factory=dict)
    pass_: Callable[[float], object] = lambda _: None

    def hangs(self, what: str, usual_s: float, within_s: float) -> bool:
        """Let time pass, and say whether it was given up."""
        if {what, what.split(maxsplit=1)[0], "all"} & self.what:
            self.pass_(FOR_EVER_S if self.for_ever else within_s)
            return True
        takes_s = self.delays.get(what, usual_s)
        self.pass_(min(takes_s, within_s))
        return takes_s > within_s


@dataclass
class SlowNodes(FakeNodes):
    """Nodes that take their time."""

    hanging: Hanging = field(default_factory=Hanging)

    @override
    def run(self, node: str, command: Sequence[str], /, **more: Any) -> Answer:
        what = "ping" if more.get("given") == pings.script() else "node"
        usual_s = CALL_S if what == "ping" else NODE_S
        if self.hanging.hangs(f"{what} {node}", usual_s, more["within_s"]):
            raise Uncertain(f"`{node}` gave no answer within {more['within_s']:g} s")
        return super().run(node, command, **more)


@dataclass
class SlowApis(FakeApis):
    """APIs that take their time."""

    hanging: Hanging = field(default_factory=Hanging)

    @override
    def load(self) -> None:
        self.hanging.pass_(self.hanging.delays.get("load", 0.0))

    @override
    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in {"log_in", "ask", "reach", "expiry", "heartbeats", "hypervisors", "uptime"}:
            return found
        return partial(self.asked, name, found)

    def asked(self, name: str, ask: Callable[..., Any], *words: Any, **more: Any) -> Any:  # noqa: ANN401  # what each returns
        """Answer in time, or as the adapter does for what is given up."""
        about = {"ask": 0, "heartbeats": 0, "reach": 0, "uptime": 1}.get(name)
        what = "" if about is None else f" {getattr(words[about], 'kind', words[about])}"
        usual_s = {"log_in": LOGIN_S, "uptime": CALL_S}.get(name, LIST_S)
        if not self.hanging.hangs(f"{name}{what}", usual_s, more["within_s"]):
            return ask(*words, **more)
        late = no_answer("no whole answer in time", is_late=True)
        if name == "log_in":
            return late, None
        return RpcAnswer(outcome=Rpc.SILENT, took_s=more["within_s"]) if name == "uptime" else late


class Watched:
    """A cloud that takes its time, and the looks at it."""

    def __init__(self, hanging: Hanging, more_nodes: int = 0) -> None:
        told = {node: sample(node) for node in ("ctl", "c01", "c02")}
        self.nodes = SlowNodes(dict(told), hanging=hanging)
        self.apis = SlowApis(hanging=hanging)
        for queue in ("conductor.ctl", "scheduler.ctl", "q-plugin.ctl", "cinder-scheduler.ctl",
                      "cinder-volume.ctl@nfs"):  # fmt: skip
            self.nodes.pings[queue] = {"outcome": "answered", "took_s": 0.01}
        clock = FakeClock()
        hanging.pass_ = clock.wait
        site = Site(nodes=self.nodes, apis=self.apis)
        site.grow(more_nodes)
        together = VirtualTogether(clock)
        self.probes = replace(site.probes(), together=together, clock=clock)
        self.before: CloudState | None = None

    def look(self, **asked: Any) -> tuple[Health, CloudState, float]:  # noqa: ANN401  # fields of the request
        began = self.probes.clock.monotonic()
        health, state = check_cloud(self.probes, CheckRequest(**asked), self.before)
        self.before = state
        return health, state, self.probes.clock.monotonic() - began


@pytest.fixture
def hanging() -> Hanging:
    return Hanging()


KINDS = {
    "the login": {"log_in"},
    "a list of a user": {"ask image"},
    "every list of a user": {"ask"},
    "the heartbeats of Nova": {"heartbeats compute"},
    "every heartbeat": {"heartbeats"},
    "the hypervisors": {"hypervisors"},
    "every endpoint": {"reach"},
    "a compute node": {"node c01"},
    "the node of RabbitMQ": {"node ctl"},
    "every node": {"node"},
    "a call of Nova over RPC": {"uptime id-c01"},
    "every call of Nova over RPC": {"uptime"},
    "every other call over RPC": {"ping"},
    "login, then lists, then calls, each as late as it may be": {"ask", "uptime", "ping"},
    "every API and every node": {"all"},
}


@pytest.mark.parametrize("for_ever", [False, True], ids=["until its own end", "for ever"])
@pytest.mark.parametrize("what", KINDS.values(), ids=KINDS)
def test_a_look_ends_in_time_whatever_hangs_and_never_calls_it_well(
    hanging: Hanging, what: set[str], *, for_ever: bool
) -> None:
    hanging.what, hanging.for_ever = what, for_ever

    health, _, took = Watched(hanging).look()

    assert took <= WHOLE_S
    assert health.state not in {State.OK, State.NOT_PROVED}


def test_without_a_hang_nothing_is_waited_for(hanging: Hanging) -> None:
    health, _, took = Watched(hanging).look()

    assert took == pytest.approx(NODE_S + CALL_S)
    assert (health.state, health.unknown) == (State.NOT_PROVED, ())


def test_a_login_that_hangs_keeps_nobody_from_being_called(hanging: Hanging) -> None:
    """What needs no API: neutron's server has a queue, and no report to Nova."""
    hanging.what = {"log_in"}

    watched = Watched(hanging)
    _, state, _ = watched.look()

    assert state.pings["q-plugin.ctl"].outcome is Rpc.ANSWERED


def test_a_list_that_hangs_keeps_no_nova_compute_from_being_called(hanging: Hanging) -> None:
    hanging.what = {"ask image", "reach"}

    _, state, _ = Watched(hanging).look()

    assert {one.outcome for one in state.rpc.values()} == {Rpc.ANSWERED}


def test_a_node_that_hangs_keeps_no_other_from_being_called(hanging: Hanging) -> None:
    hanging.what = {"node c01"}

    _, state, _ = Watched(hanging).look()

    assert state.pings["conductor.ctl"].outcome is Rpc.ANSWERED
    assert state.rpc["c02"].outcome is Rpc.ANSWERED


def test_a_node_that_answers_late_within_the_whole_is_used(hanging: Hanging) -> None:
    hanging.delays = {"node c01": 0.75 * WHOLE_S}

    health, state, _ = Watched(hanging).look()

    assert isinstance(state.surveys["c01"], Survey)
    assert health.findings == ()


def test_a_node_that_is_late_for_the_first_calls_has_its_own_at_the_second_turn(
    hanging: Hanging,
) -> None:
    """All that is called over RPC runs on the controller; at the first turn it is not known."""
    hanging.delays = {"node ctl": 0.5 * WHOLE_S}

    _, state, _ = Watched(hanging).look()

    assert {one.outcome for one in state.pings.values()} == {Rpc.ANSWERED}


def test_what_is_known_too_late_for_a_call_is_told_to_be_not_asked(hanging: Hanging) -> None:
    hanging.delays = {"node ctl": 0.7 * WHOLE_S}

    health, state, _ = Watched(hanging).look()

    assert {(one.outcome, one.why) for one in state.pings.values()} == {(Rpc.NOT_ASKED, NO_TIME)}
    left = {gap.component for gap in health.unknown if gap.kind is Kept.DEADLINE}
    assert {"nova-conductor", "nova-scheduler"} <= left
    assert health.state is State.UNKNOWN


def test_what_is_answered_after_a_slow_login_counts_however_little_time_it_had(
    hanging: Hanging,
) -> None:
    hanging.delays = {"log_in": 0.7 * WHOLE_S}

    health, state, _ = Watched(hanging).look()

    assert all(isinstance(one, Answered) for one in state.probes.values())
    assert (state.heartbeats_unread, state.hypervisors_unread) == ({}, None)
    assert health.findings == ()


def test_a_closed_door_is_found_however_little_time_was_left(hanging: Hanging) -> None:
    hanging.delays = {"log_in": 0.7 * WHOLE_S}
    watched = Watched(hanging)
    watched.apis.lists["image"] = no_answer("Connection refused")

    health, _, _ = watched.look()

    assert {one.component for one in health.findings} == {"glance-api"}


def test_loading_the_client_uses_up_no_time_of_the_look(hanging: Hanging) -> None:
    watched = Watched(hanging)
    hanging.delays = {"load": 6.0}

    health, state, took = watched.look()

    assert state.loading_s == 6.0
    assert state.took_s == pytest.approx(NODE_S + CALL_S)
    assert (health.loading_s, health.took_s) == (state.loading_s, state.took_s)
    assert took == state.loading_s + state.took_s
    assert (health.state, health.unknown) == (State.NOT_PROVED, ())


class Busy(VirtualTogether):
    """A machine that is so busy that the threads of a look begin late."""

    def __init__(self, clock: FakeClock, late_s: float) -> None:
        super().__init__(clock)
        self.late_s = late_s

    @override
    def begin(self, *words: Any, **more: Any) -> Any:
        began = self.clock.passed
        self.clock.passed += self.late_s if not began else 0.0
        try:
            return super().begin(*words, **more)
        finally:
            self.clock.passed = began


@pytest.mark.parametrize("late_s", [6.0, 9.3], ids=["with too little time", "after its end"])
def test_a_login_that_had_no_fair_time_is_no_finding_and_never_ok(
    hanging: Hanging, late_s: float
) -> None:
    hanging.what = {"log_in"}
    watched = Watched(hanging)
    clock = watched.probes.clock
    assert isinstance(clock, FakeClock)
    watched.probes = replace(watched.probes, together=Busy(clock, late_s))

    health, state, _ = watched.look()

    assert state.login == Failed(how=Failure.NOT_ASKED, says=NO_TIME)
    assert health.findings == ()
    assert health.state is State.UNKNOWN
    left = {gap.where for gap in health.unknown if gap.kind is Kept.DEADLINE}
    assert {"the APIs", "ctl"} <= left


def test_after_a_slow_login_the_silence_of_a_list_proves_nothing(hanging: Hanging) -> None:
    """With less than half of its time, that it does not answer is no answer against it."""
    hanging.delays = {"log_in": 0.7 * WHOLE_S}
    hanging.what = {"ask", "heartbeats", "hypervisors", "reach"}

    health, state, _ = Watched(hanging).look()

    assert {one.says for one in state.probes.values() if isinstance(one, Failed)} == {NO_TIME}
    assert health.findings == ()
    assert health.state is State.UNKNOWN


@pytest.mark.parametrize(
    ("nodes", "within_s", "whole_s"),
    [
        pytest.param(1, 8, 10, id="one node"),
        pytest.param(50, 8, 10, id="50 nodes"),
        pytest.param(100, 8, 12.5, id="100 nodes"),
        pytest.param(200, 8, 17.5, id="200 nodes"),
        pytest.param(500, 8, 32.5, id="500 nodes"),
        pytest.param(1000, 8, 57.5, id="1000 nodes"),
        pytest.param(3, 4, 10, id="shorter limits of questions make the whole no longer"),
        pytest.param(3, 60, 75, id="longer ones make it longer in proportion"),
        pytest.param(500, 16, 65, id="and at many nodes too"),
    ],
)
def test_how_long_a_look_takes_at_most(nodes: int, within_s: float, whole_s: float) -> None:
    assert time_for(nodes, within_s) == pytest.approx(whole_s)


def test_every_node_is_asked_even_where_none_answers() -> None:
    """So many at a time, each for all of its time: the last of them are begun in time."""
    for nodes in range(1, 3000, 7):
        turns = -(-nodes // MOST_AT_ONCE)
        left_s = time_for(nodes) * (1 - JUDGING) - (turns - 1) * cloud_state.USUAL_S

        assert left_s >= cloud_state.USUAL_S / 2, nodes


def test_a_node_that_no_time_was_left_for_is_unknown_and_no_finding(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that hang for ever hold the places of others."""
    monkeypatch.setattr(cloud_state, "MOST_AT_ONCE", 1)
    hanging.delays = {"node ctl": 7.0, "log_in": 7.0}

    health, state, took = Watched(hanging).look()

    assert took <= WHOLE_S
    unasked = {node for node, one in state.surveys.items()
               if isinstance(one, Unseen) and one.kind is Blind.NOT_ASKED}  # fmt: skip
    assert unasked == {"c01", "c02"}
    assert not unasked & {finding.node for finding in health.findings}
    assert unasked <= {gap.where for gap in health.unknown if gap.kind is Kept.DEADLINE}


def test_of_500_nodes_20_do_not_answer(hanging: Hanging) -> None:
    """Each is named, the others are seen and called, and no finding is about another."""
    silent = {f"n{number:03}" for number in range(0, 480, 24)}
    hanging.what = {f"node {node}" for node in silent}

    health, state, took = Watched(hanging, more_nodes=497).look()

    assert took <= time_for(500)
    assert {node for node, one in state.surveys.items() if isinstance(one, Unseen)} == silent
    assert {finding.node for finding in health.findings if finding.node} == silent
    assert [one.outcome for one in state.rpc.values()] == [Rpc.ANSWERED] * 499
    assert {one.outcome for one in state.pings.values()} == {Rpc.ANSWERED}


# --- in real threads ----------------------------------------------------------------------------


class Real(Watched):
    """The same in real threads, in which time is waited for."""

    def __init__(self, hanging: Hanging, over: threading.Event) -> None:
        super().__init__(hanging)
        hanging.pass_ = over.wait
        hanging.for_ever = True
        self.probes = replace(self.probes, together=Threads(), clock=SystemClock())


@pytest.fixture
def over(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Hang until the test is over, or says so; and look fast."""
    for name in ("WHOLE_S", "USUAL_S"):
        monkeypatch.setattr(cloud_state, name, getattr(cloud_state, name) / 10)
    for name in ("NODE_S", "LOGIN_S", "LIST_S", "CALL_S"):
        monkeypatch.setitem(globals(), name, 0.001)
    event = threading.Event()
    yield event
    event.set()


def test_an_answer_after_the_deadline_changes_nothing(
    hanging: Hanging, over: threading.Event
) -> None:
    hanging.what = {"node c01", "ask image"}
    threads = threading.active_count()
    health, state, _ = Real(hanging, over).look(within_s=0.8)
    seen = dict(state.surveys), dict(state.probes), health

    over.set()

    assert wait_until(lambda: threading.active_count() <= threads, within_s=10, every_s=0.01)
    assert (dict(state.surveys), dict(state.probes), health) == seen
    assert isinstance(state.surveys["c01"], Unseen)


def test_looks_again_and_again_pile_up_no_threads_and_each_ends_in_time(
    hanging: Hanging, over: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `--watch` and `metrics --listen` look, with all that hangs for ever."""
    monkeypatch.setattr(cloud_state, "WHOLE_S", 0.1)
    monkeypatch.setattr(cloud_state, "USUAL_S", 0.08)
    hanging.what = {"all"}
    watched = Real(hanging, over)

    watched.look(within_s=0.08)
    threads = threading.active_count()
    began = time.monotonic()
    for _ in range(50):
        watched.look(within_s=0.08)

    assert threading.active_count() <= threads
    assert time.monotonic() - began < 50 * (0.1 + late_s(2.0) / 10)


def test_once_it_hangs_no_more_it_is_asked_again(hanging: Hanging, over: threading.Event) -> None:
    hanging.what = {"node c01"}
    watched = Real(hanging, over)
    _, state, _ = watched.look(within_s=0.8)
    assert isinstance(state.surveys["c01"], Unseen)

    over.set()
    hanging.what.clear()

    asked = len(watched.nodes.asked)

    def is_asked_again() -> bool:
        watched.look(within_s=0.8)
        return "c01" in watched.nodes.asked[asked:]

    assert wait_until(is_asked_again, within_s=30, every_s=0.01)


def test_each_look_after_the_first_logs_in_anew() -> None:
    """A connection that is open goes on where an sshd is frozen, and nobody can log in."""
    site, times = Site(), []
    probes = replace(site.probes(), log_in_anew=lambda: times.append(len(site.nodes.asked)))

    _, state = check_cloud(probes, CheckRequest())
    once = len(site.nodes.asked)
    check_cloud(probes, CheckRequest(), state)

    assert times == [once]
