"""Several questions at once, where every answer is needed."""

import queue
import threading
from functools import partial
from operator import mul
from typing import Any

import pytest

from fakes.together import Begun, OneByOne
from stackward.adapters.together import Threads
from stackward.errors import StepFailed, Unreachable
from stackward.ports.together import Together, ask_all, ask_both

BOTH = pytest.mark.parametrize("together", [OneByOne(), Threads()], ids=["one by one", "threads"])


@BOTH
def test_each_answer_is_under_its_key_in_the_order_of_the_questions(together: Together) -> None:
    answers = ask_all(together, {number: partial(mul, number, 2) for number in range(50)})

    assert list(answers.items()) == [(number, number * 2) for number in range(50)]


@BOTH
def test_none_is_an_answer(together: Together) -> None:
    assert ask_all(together, {"gone": lambda: None}) == {"gone": None}


@BOTH
def test_nothing_is_asked_where_nothing_is_to_be_known(together: Together) -> None:
    assert ask_all(together, {}) == {}


@BOTH
def test_what_a_question_raises_is_raised(together: Together) -> None:
    def refuse() -> int:
        raise StepFailed("it is refused")

    with pytest.raises(StepFailed, match="it is refused"):
        ask_all(together, {"one": lambda: 1, "two": refuse})


def test_what_is_not_answered_is_no_answer_and_named() -> None:
    together = OneByOne()
    together.hanging.add("two")

    with pytest.raises(Unreachable, match="no answer in time: two"):
        ask_all(together, {"one": lambda: 1, "two": lambda: 2})


@BOTH
def test_both_are_answered_and_none_is_an_answer(together: Together) -> None:
    assert ask_both(together, "c02", lambda: 1, lambda: None) == (1, None)


@BOTH
def test_what_one_of_both_raises_is_raised(together: Together) -> None:
    def refuse() -> int:
        raise StepFailed("it is refused")

    with pytest.raises(StepFailed, match="it is refused"):
        ask_both(together, "c02", refuse, lambda: 1)
    with pytest.raises(StepFailed, match="it is refused"):
        ask_both(together, "c02", lambda: 1, refuse)


def test_both_are_asked_at_the_same_time() -> None:
    met = threading.Barrier(2)

    def meet() -> int:
        return met.wait(timeout=30.0)

    assert sorted(ask_both(Threads(), "c02", meet, meet)) == [0, 1]


def test_the_first_of_both_may_take_longer_than_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackward.ports.together._EACH_S", 0.0)
    begun: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()

    def many() -> int:
        begun.get(timeout=30.0).join(timeout=30.0)
        threading.Event().wait(0.2)  # its work: longer than the guard
        return 1

    asked = ask_both(Threads(), "c02", many, lambda: begun.put(threading.current_thread()))
    assert asked == (1, None)


def test_the_guard_of_the_other_grows_with_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    guards: list[float] = []

    def note(self: Begun[Any, Any], *, within_s: float) -> dict[Any, Any]:
        guards.append(within_s)
        return self.answers

    monkeypatch.setattr(Begun, "told", note)
    for calls in (0, 1, 20):
        ask_both(OneByOne(), "c02", lambda: 1, lambda: 2, calls=calls)

    assert guards == [300.0, 300.0, 6000.0]


def test_the_other_is_no_answer_where_it_is_not_answered() -> None:
    together = OneByOne()
    together.hanging.add(("c02", "other"))

    with pytest.raises(Unreachable, match=r"no answer in time: c02$"):
        ask_both(together, "c02", lambda: 1, lambda: 2)
