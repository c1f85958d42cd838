"""Several questions at once, where every answer is needed."""

from functools import partial
from operator import mul

import pytest

from fakes.together import OneByOne
from stackward.adapters.together import Threads
from stackward.errors import StepFailed, Unreachable
from stackward.ports.together import Together, ask_all

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
