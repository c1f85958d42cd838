"""A step that asks for several things, one after the other: once one was asked, the step began."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from stackward.errors import Uncertain, Unreachable
from stackward.wording import count_of

_Answer = TypeVar("_Answer")


def ask_in_turn(requests: Sequence[Callable[[], _Answer]]) -> list[_Answer]:
    """Ask for each and return the answers.

    Raises Unreachable only if the first of them was not sent. Later, it would say that the whole
    step changed nothing: then an undo of the run would leave behind what was changed.
    """
    answers: list[_Answer] = []
    for request in requests:
        try:
            answers.append(request())
        except Unreachable as error:
            if not answers:
                raise
            answered = f"{len(answers)} of {count_of(len(requests), 'request')} were answered"
            raise error.as_kind(Uncertain, f"{answered}, then: {error.message}") from error
    return answers
