"""Questions that are asked one after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic

from stackward.ports.together import Key, Told


@dataclass
class Begun(Generic[Key, Told]):
    """Questions that were asked when they were begun; some of them still hang."""

    answers: dict[Key, Told]
    is_over: bool

    def told(self, *, within_s: float) -> dict[Key, Told]:
        return self.answers


class OneByOne:
    """Asks one question after the other; what is in `hanging` is put, and given up."""

    def __init__(self) -> None:
        self.hanging: set[object] = set()

    def begin(
        self, questions: Mapping[Key, Callable[[], Told]], *, at_once: int = 100
    ) -> Begun[Key, Told]:
        told = {key: put() for key, put in questions.items()}
        answers = {key: one for key, one in told.items() if key not in self.hanging}
        return Begun(answers, is_over=len(answers) == len(questions))

    def ask(
        self, questions: Mapping[Key, Callable[[], Told]], *, within_s: float, at_once: int = 100
    ) -> dict[Key, Told | None]:
        answers = self.begin(questions).answers
        return {key: answers.get(key) for key in questions}
