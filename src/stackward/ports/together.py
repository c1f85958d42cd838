"""Several questions at once, so that one which hangs delays no other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from math import ceil
from typing import Protocol, TypeVar

from stackward.errors import Unreachable
from stackward.ports.deadline import Deadline

Key = TypeVar("Key")
Told = TypeVar("Told")
Other = TypeVar("Other")
Told_co = TypeVar("Told_co", covariant=True)

_AT_ONCE = 8  # questions of one plan that a service has at a time
_EACH_S = 300.0  # a guard, for each round of them: each call has its own, earlier end


class Round(Protocol[Key, Told_co]):
    """Questions that are being asked."""

    def told(self, *, within_s: float) -> Mapping[Key, Told_co]:
        """Return what has been answered: once that is all, or after so long.

        It may be called again, for what was answered since. What a question raises is raised here.
        """
        ...

    @property
    def is_over(self) -> bool:
        """Say whether all was answered when `told` last returned."""
        ...


class Stream(Protocol[Told_co]):
    """What several sources bring, as it comes."""

    def come(self, *, within_s: float) -> Sequence[Told_co]:
        """Return what has come since the last time; wait at most this long for the first of it."""
        ...


class Together(Protocol):
    """Asks side by side."""

    def begin(
        self, questions: Mapping[Key, Callable[[], Told]], *, at_once: int = 100
    ) -> Round[Key, Told]:
        """Start to ask, so many at once, and return at once.

        Each question has its own end. One that still hangs from an earlier round is not started
        again: it has no answer.
        """
        ...

    def ask(
        self, questions: Mapping[Key, Callable[[], Told]], *, within_s: float, at_once: int = 100
    ) -> dict[Key, Told | None]:
        """Return each answer under its key; None for what was not answered in time.

        What a question raises is raised here. The deadline is for all of them together.
        """
        ...


class Streams(Protocol):
    """Takes what comes from several sources, side by side."""

    def stream(
        self, sources: Sequence[Callable[[], Iterator[Told]]], /
    ) -> AbstractContextManager[Stream[Told]]:
        """Take from all sources side by side what they yield, until the end of the context.

        Then no source is asked for more. Nobody waits for a source that itself waits for something
        else: the owner of that thing ends it.
        """
        ...


def ask_all(together: Together, questions: Mapping[Key, Callable[[], Told]]) -> Mapping[Key, Told]:
    """Return each answer under its key, in the order of the questions.

    What a question raises is raised here. Raises `Unreachable` where one was not answered.
    """
    # In a tuple: None may be an answer.
    asked = {key: _in_a_tuple(question) for key, question in questions.items()}
    within_s = _EACH_S * ceil(len(asked) / _AT_ONCE)
    told = together.ask(asked, within_s=within_s, at_once=_AT_ONCE)
    answers = {key: answer[0] for key, answer in told.items() if answer is not None}
    if len(answers) < len(questions):
        late = next(key for key in questions if key not in answers)
        raise Unreachable(f"no answer in time: {late}")
    return answers


def ask_both(
    together: Together,
    of: str,
    one: Callable[[], Told],
    other: Callable[[], Other],
    *,
    calls: int = 1,
) -> tuple[Told, Other]:
    """Return what two questions `of` one thing are answered, asked at the same time.

    The first may ask many things: it ends by itself, and has no guard here. The other has one,
    once the first is answered: it grows with its `calls`, which it makes one after the other.
    What a question raises is raised here. Raises `Unreachable` where the other was not answered.
    """
    answer = ask_beside(together, (of, "other"), other, calls=calls)
    return one(), answer()


def ask_beside(
    together: Together,
    of: str | tuple[str, str],
    question: Callable[[], Told],
    *,
    calls: int = 1,
    by: Deadline | None = None,
) -> Callable[[], Told]:
    """Begin to ask a question, and return how its answer is waited for.

    Its guard begins with the wait, and grows with the `calls` that it makes one after the other;
    with a deadline `by`, which several questions may share, the wait ends with that.
    The wait raises what the question raises, and `Unreachable` where it was not answered.
    """
    # In a tuple: None may be an answer.
    begun = together.begin({of: _in_a_tuple(question)})

    def answer() -> Told:
        within_s = _EACH_S * max(calls, 1) if by is None else by.left_s()
        answers = [*begun.told(within_s=within_s).values()]
        if not answers:
            raise Unreachable(f"no answer in time: {of if isinstance(of, str) else of[0]}")
        return answers[0][0]

    return answer


def _in_a_tuple(question: Callable[[], Told]) -> Callable[[], tuple[Told]]:
    return lambda: (question(),)
