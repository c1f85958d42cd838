"""Errors in groups."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackward.logs.event import Event, Frame, Level, Raised
from stackward.logs.folding import folded, without_doubles
from stackward.logs.groups import grouped, words_of
from stackward.logs.order import in_order, is_about_same_time, marks_of_order

AT = datetime(2026, 11, 27, 22, 49, tzinfo=UTC)
ERROR = Event(
    at=AT, node="c01", component="nova-compute", file="/x.log", offset=0, format="oslo",
    level=Level.ERROR, message="port 4 is lost", module="nova.x", pid="7", request="req-1",
)  # fmt: skip


def later(seconds: float, **others: object) -> Event:
    return replace(ERROR, at=AT + timedelta(seconds=seconds), offset=int(seconds * 1000), **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("port 41 of tap5c2e981d-e6", "port <n> of <tap>"),
        ("b14691a2-3280-434e-8f07-137140553642 at 0x7f6d2", "<uuid> at <hex>"),
        ("10.77.1.10:5672 by fa:16:3e:f2:eb:7c", "<address> by <mac>"),
        ("in 14.31 seconds (req-e20512d6-c485-4b75-a4b7-6a460224ceee)", "in <n> seconds (<req>)"),
        ("user 78b6595d872a450fb0a3822483c7fb08", "user <id>"),
        ("IPv6 of eth0 in region2", "IPv6 of eth0 in region2"),
    ],
)
def test_what_varies_in_a_message_is_a_sign(said: str, words: str) -> None:
    assert words_of(said) == words


def test_errors_that_differ_in_numbers_are_one_group() -> None:
    [group] = grouped([later(0), later(9, message="port 77 is lost", node="c02", request="req-2")])

    assert (group.count, group.nodes, group.requests) == (2, ("c01", "c02"), ("req-1", "req-2"))
    assert (group.first, group.last) == (AT, AT + timedelta(seconds=9))
    assert group.example.message == "port 77 is lost"


@pytest.mark.parametrize(
    "other",
    [
        {"message": "a host is lost"},
        {"module": "nova.y"},
        {"component": "nova-api"},
        {"level": Level.CRITICAL},
        {"raised": (Raised(exception="E", message=""),)},
    ],
)
def test_errors_that_say_something_else_are_groups_of_their_own(other: dict[str, object]) -> None:
    assert len(grouped([later(0), later(1, **other)])) == 2


def test_the_gravest_group_is_first_and_then_the_most_frequent() -> None:
    often = [later(number, message="often") for number in range(3)]
    grave = later(5, level=Level.CRITICAL, message="grave")

    assert [one.words for one in grouped([later(4), *often, grave])] == [
        "grave", "often", "port <n> is lost",
    ]  # fmt: skip


def test_where_an_exception_arose_is_the_innermost_call_of_its_own_code() -> None:
    frames = (
        Frame(file="/usr/lib/nova/a.py", line=1, function="own"),
        Frame(file="/usr/lib/oslo_messaging/b.py", line=2, function="library"),
    )
    failed = later(0, raised=(Raised(exception="E", message="", frames=frames),))

    [group] = grouped([failed])

    assert group.frame == frames[0]


def test_parts_of_a_traceback_are_joined_though_another_process_has_logged_between_them() -> None:
    begins = later(0, more=("Traceback (most recent call last):",))
    other = later(0, pid="8", message="something else")
    rest = later(0, message='  File "/a.py", line 1, in b', more=("ValueError: x",))

    first, second = folded([begins, other, rest])

    assert (first.exception, second.message) == ("ValueError", "something else")


def test_two_messages_of_one_moment_stay_two() -> None:
    assert len(folded([later(0), later(0, message="and another")])) == 2


def test_what_is_in_the_journal_too_counts_once() -> None:
    in_journal = later(1, file="journal")
    elsewhere = later(1, file="journal", node="c02")

    kept, doubled = without_doubles([ERROR, in_journal, elsewhere, later(60, file="journal")])

    assert ([one.at for one in kept], doubled) == (
        [AT, AT + timedelta(seconds=1), AT + timedelta(seconds=60)],
        1,
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2, 2.5, 60]),
            st.sampled_from(["journal", "/a.log", "/b.log"]),
            st.sampled_from(["c01", "c02"]),
            st.sampled_from(["it failed", " it failed", "another"]),
        ),
        max_size=8,
    )
)
def test_of_the_journal_only_what_no_file_of_its_node_has_is_kept(
    those: list[tuple[float, str, str, str]],
) -> None:
    events = [later(at, file=file, node=node, message=message) for at, file, node, message in those]

    kept, doubled = without_doubles(events)

    def is_there(one: Event, other: Event) -> bool:
        return (
            other.file != "journal"
            and other.node == one.node
            and other.message.strip() == one.message.strip()
            and abs(other.at - one.at) <= timedelta(seconds=2)
        )

    assert kept == [
        one
        for one in events
        if one.file != "journal" or not any(is_there(one, other) for other in events)
    ]
    assert doubled == len(events) - len(kept)


def test_events_are_in_the_order_of_time_and_of_their_file() -> None:
    given = [later(2), replace(ERROR, offset=9), ERROR, later(1, node="c02")]

    assert in_order(given) == [ERROR, replace(ERROR, offset=9), later(1, node="c02"), later(2)]


@pytest.mark.parametrize(
    ("other", "about"),
    [
        pytest.param({"node": "c02", "error_s": 0.2}, True, id="closer than the clocks' error"),
        pytest.param({"node": "c02", "error_s": 0.05}, False, id="further than that"),
        pytest.param({"file": "/y.log", "error_s": 0.2}, False, id="one node has one clock"),
        pytest.param({"file": "/y.log", "resolution_s": 1.0}, True, id="whole seconds only"),
        pytest.param({"resolution_s": 1.0}, False, id="one file has its order"),
    ],
)
def test_time_is_an_order_only_where_it_can_tell(
    other: dict[str, object],
    about: bool,  # noqa: FBT001  # as pytest calls it
) -> None:
    after = later(0.1, **other)

    assert is_about_same_time(ERROR, after) is about
    assert marks_of_order([ERROR, after]) == [False, about]
