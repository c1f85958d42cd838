"""Questions in threads: what hangs delays nobody else."""

import threading
import time
from typing import TYPE_CHECKING

import pytest

from stackward.adapters.together import Threads
from stackward.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def forever() -> str:
    threading.Event().wait()
    return "never"


def test_a_question_that_hangs_is_given_up_and_the_others_are_answered() -> None:
    told = Threads().ask({"a": lambda: "yes", "b": forever, "c": lambda: "no"}, within_s=0.5)

    assert told == {"a": "yes", "b": None, "c": "no"}


def test_questions_are_asked_side_by_side() -> None:
    """Each waits until all have begun: one after the other they would never end."""
    begun = threading.Barrier(50)
    questions: dict[int, Callable[[], int]] = dict.fromkeys(range(50), begun.wait)

    told = Threads().ask(questions, within_s=30)

    assert sorted(told.values(), key=str) == sorted(range(50), key=str)


def test_no_more_are_asked_at_once_than_allowed() -> None:
    under_way: list[int] = []
    most: list[int] = []

    def question() -> None:
        under_way.append(1)
        most.append(len(under_way))
        under_way.pop()

    Threads().ask(dict.fromkeys(range(20), question), within_s=30, at_once=1)

    assert max(most) == 1


def test_a_question_that_was_given_up_is_not_begun_again_while_it_hangs() -> None:
    threads, begun = Threads(), list[int]()

    def hang() -> None:
        begun.append(1)
        forever()

    told = [threads.ask({"a": hang}, within_s=0.1) for _ in range(3)]

    assert (told, len(begun)) == ([{"a": None}] * 3, 1)


def test_nobody_waits_for_a_question_that_is_not_begun() -> None:
    threads = Threads()
    threads.ask({"a": forever}, within_s=0.1)

    began = time.monotonic()
    told = threads.ask({"a": forever, "b": lambda: "yes"}, within_s=60)

    assert told == {"a": None, "b": "yes"}
    assert time.monotonic() - began < 30


def test_what_was_left_behind_by_the_error_of_another_is_asked_again() -> None:
    threads, is_let_go = Threads(), threading.Event()

    def refuse() -> str:
        raise Unreachable("it does not answer")

    with pytest.raises(Unreachable):
        threads.ask({"a": refuse, "b": lambda: str(is_let_go.wait(60))}, within_s=60)

    assert threads.ask({"b": lambda: "yes"}, within_s=60) == {"b": "yes"}
    is_let_go.set()


def test_who_asks_what_another_waits_for_gets_an_answer_of_its_own() -> None:
    """Two moves of a run may ask the same node at one moment; both need to know what it says."""
    threads, both = Threads(), threading.Barrier(2)  # each waits until the other has begun
    told: list[dict[str, str | None]] = []

    def question() -> str:
        both.wait(timeout=20)
        return "yes"

    def ask() -> None:
        told.append(threads.ask({"a": question}, within_s=20))

    moves = [threading.Thread(target=ask) for _ in range(2)]
    for move in moves:
        move.start()
    for move in moves:
        move.join()

    assert told == [{"a": "yes"}, {"a": "yes"}]


def test_what_a_question_raises_is_raised_where_it_was_asked() -> None:
    def question() -> None:
        raise Unreachable("no way")

    with pytest.raises(Unreachable, match="no way"):
        Threads().ask({"a": question}, within_s=30)


def test_what_several_sources_yield_comes_while_others_wait() -> None:
    """One that hangs holds up no other, and is asked for nothing once the context has ended."""
    goes_on, taken = threading.Event(), []

    def hangs() -> "Iterator[str]":
        taken.append("asked")
        goes_on.wait()
        yield "late"
        taken.append("asked again")

    with Threads().stream([hangs, lambda: iter(["a", "b"])]) as stream:
        found: list[str] = []
        while len(found) < 2:
            found += stream.come(within_s=30)
        nothing = stream.come(within_s=0.01)
    goes_on.set()

    assert (sorted(found), nothing) == (["a", "b"], [])
    assert stream.come(within_s=0.05) == []
    assert taken == ["asked"]
