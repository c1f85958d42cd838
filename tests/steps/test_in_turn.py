"""Of several requests of one step, what follows the first cannot say that nothing was asked."""

from collections.abc import Callable

import pytest

from stackward.errors import StepFailed, Uncertain, Unreachable
from stackward.steps.in_turn import ask_in_turn

NOBODY = Unreachable("cannot connect to Nova", service="Nova", says="503", hint="wait")
NO = StepFailed("Nova refuses")
LOST = Uncertain("the answer was lost")


def says(answer: str | Exception) -> Callable[[], str]:
    def asked() -> str:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asked


def test_each_is_asked_in_its_turn() -> None:
    assert ask_in_turn([says("one"), says("two")]) == ["one", "two"]


@pytest.mark.parametrize(
    ("answers", "kind", "message"),
    [
        pytest.param([NOBODY, "two"], Unreachable, "cannot connect to Nova", id="none was asked"),
        pytest.param(
            ["one", NOBODY, "three"],
            Uncertain,
            "1 of 3 requests were answered, then: cannot connect to Nova",
            id="one was",
        ),
        pytest.param(["one", NO], StepFailed, "Nova refuses", id="one was, the next is refused"),
        pytest.param([LOST, "two"], Uncertain, "the answer was lost", id="the first may have been"),
    ],
)
def test_what_stops_it_says_whether_something_was_asked(
    answers: list[str | Exception], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        ask_in_turn([says(each) for each in answers])

    assert type(caught.value) is kind
    assert str(caught.value) == message


def test_the_words_of_the_one_that_was_not_reached_are_kept() -> None:
    with pytest.raises(Uncertain) as caught:
        ask_in_turn([says("one"), says(NOBODY)])

    raised = caught.value
    assert (raised.service, raised.says, raised.hint) == ("Nova", "503", "wait")
