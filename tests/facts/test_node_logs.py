"""The logs of living nodes: as root where that is allowed, else as the login; and their clocks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from builders import a_server
from fakes.clock import FakeClock
from fakes.cloud import FakeCloud
from stackward.errors import BadInput, StackwardError, Uncertain, Unreachable
from stackward.facts.node_logs import EXCHANGES, NodeLogs
from stackward.facts.sought import read_sought
from stackward.model.identity import Directory, Itself
from stackward.model.unread import Unread
from stackward.ports.root import SCAN_LOGS, TALK, Words
from stackward.ports.shell import Answer, Rights

NOW = datetime(2026, 11, 27, 22, 50, tzinfo=UTC)
_NO_ROOT = False
NO_SUDO = Answer(1, "", "sudo: a password is required\n")


@dataclass
class Node:
    """One node, which answers each command by a function."""

    answer: Callable[[bool], Answer]
    ran: list[tuple[Words, bool, str]] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)

    def run(
        self,
        node: str,
        command: Sequence[str],
        /,
        *,
        as_root: bool = False,
        given: str = "",
        within_s: float | None = None,
    ) -> Answer:
        self.ran.append((tuple(command), as_root, given))
        return self.answer(as_root)

    @contextmanager
    def talk(
        self, node: str, command: Sequence[str], script: str, /, *, as_root: bool = False
    ) -> Iterator["Node"]:
        assert tuple(command) == TALK
        yield self

    def say(self, given: bytes, /) -> None:
        self.said.append(given)

    def hear(self, *, within_s: float) -> bytes | None:
        return self.answer(_NO_ROOT).out.encode() or None

    def directory(self) -> Directory:
        return Directory(())

    def itself(self, node: str, /, *, within_s: float | None = None) -> Itself | None:
        return None

    def groups_of(self, node: str, /) -> tuple[str, ...]:
        return ()

    def failure_domain(self, node: str, /) -> str | Unread | None:
        return None

    def rights(self, node: str, commands: Sequence[Words], /) -> Rights:
        return Rights("ops")


def logs_of(node: Node, clock: FakeClock | None = None) -> NodeLogs:
    return NodeLogs(node, clock or FakeClock(), ["c01"])


def test_the_scanner_and_what_it_is_asked_are_sent_by_one_declared_command() -> None:
    node = Node(lambda _: Answer(0, "{}"))

    assert logs_of(node).scan("c01", "pass\n", {"a": 1}, within_s=20) == "{}"
    assert node.ran == [(SCAN_LOGS, True, '5\npass\n{"a": 1}')]


def test_without_root_it_runs_as_the_login() -> None:
    node = Node(lambda as_root: NO_SUDO if as_root else Answer(0, "{}"))

    assert logs_of(node).scan("c01", "pass\n", {}, within_s=20) == "{}"
    assert [as_root for _, as_root, _ in node.ran] == [True, False]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            Answer(127, "", "env: '/usr/bin/timeout': No such file"),
            "there is no `/usr/bin/python3`",
        ),
        (Answer(1, "", "Traceback ...\nMemoryError"), "MemoryError"),
        (Answer(124, "", ""), "the log scanner ended with 124"),
    ],
)
def test_a_scanner_that_does_not_run_is_said(answer: Answer, says: str) -> None:
    with pytest.raises(Uncertain) as caught:
        logs_of(Node(lambda _: answer)).scan("c01", "", {}, within_s=20)

    assert says in str(caught.value.says)


def test_of_several_looks_at_a_clock_the_shortest_counts() -> None:
    clock = FakeClock()
    took = iter([0.5, 0.1, 0.9, 0.4, 0.3])

    def answered(_: object, /) -> Answer:
        began = clock.now().timestamp()
        this = next(took)
        clock.wait(this)
        return Answer(0, f"{began + this / 2 + 3:.6f}\n")

    node = Node(answered)
    logs = logs_of(node, clock)
    found = logs.offset("c01")

    assert found is not None
    assert found.ahead_s == pytest.approx(3, abs=1e-3)
    assert found.error_s == pytest.approx(0.05)
    assert logs.offset("c01") is found
    assert len(node.said) == EXCHANGES
    took = iter([0.2] * EXCHANGES)
    assert logs.offset("c01", is_anew=True) != found


def silent(_: object, /) -> Answer:
    raise Unreachable("cannot log in to `c01`")


@pytest.mark.parametrize("answer", [silent, lambda _: Answer(1, ""), lambda _: Answer(0, "soon")])
def test_a_clock_that_is_not_told_is_unknown(answer: Callable[[bool], Answer]) -> None:
    assert logs_of(Node(answer)).offset("c01") is None


@pytest.fixture
def cloud() -> FakeCloud:
    made = FakeCloud()
    made.nova.add(a_server(name="db-01"))
    return made


def test_a_server_is_sought_by_its_name_with_the_requests_that_nova_knows(
    cloud: FakeCloud,
) -> None:
    [server] = cloud.nova.known.values()
    request = cloud.nova.stop_server(server.id)

    sought, links = read_sought(cloud.nova, "db-01")

    assert sought == server.id
    assert request in links
    assert links[str(request)].why == "Nova's action log has it: stop"


def test_a_name_that_no_server_has_is_refused(cloud: FakeCloud) -> None:
    with pytest.raises(StackwardError, match="no server `web`") as caught:
        read_sought(cloud.nova, "web")

    assert isinstance(caught.value, BadInput)
    assert caught.value.hint
