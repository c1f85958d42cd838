"""Time that passes only in questions: what a look would take, worked out and not waited for.

A question is asked when it is begun, and whatever hangs in it lets this clock go on; then the clock
goes back, for the others were asked at the same time. All is in one thread, so each look at the
same cloud takes the same time.
"""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic

from fakes.clock import FakeClock
from stackward.ports.together import Key, Told

FOR_EVER_S = 1e6


@dataclass
class VirtualRound(Generic[Key, Told]):
    """Questions, with the time at which each is answered."""

    clock: FakeClock
    answers: dict[Key, tuple[float, Told | Exception | None]]
    is_over: bool = False

    def told(self, *, within_s: float) -> dict[Key, Told]:
        until = self.clock.passed + within_s
        last = max((at for at, _ in self.answers.values()), default=0.0)
        self.is_over = last <= until
        self.clock.passed = max(self.clock.passed, min(last, until))
        found = {}
        for key, (at, answer) in self.answers.items():
            if isinstance(answer, Exception):
                raise answer
            if at <= until:
                found[key] = answer
        return found  # type: ignore[return-value]  # what was answered in time is an answer


class VirtualTogether:
    """Asks side by side, so many at once."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock

    def begin(
        self, questions: Mapping[Key, Callable[[], Told]], *, at_once: int = 100
    ) -> VirtualRound[Key, Told]:
        began = self.clock.passed
        free = [began] * at_once
        answers: dict[Key, tuple[float, Told | Exception | None]] = {}
        for key, question in questions.items():
            self.clock.passed = heapq.heappop(free)
            answer: Told | Exception | None = None
            if self.clock.passed < FOR_EVER_S:
                try:
                    answer = question()
                except Exception as error:  # noqa: BLE001  # raised again where it is told
                    answer = error
            answers[key] = self.clock.passed, answer
            heapq.heappush(free, self.clock.passed)
        self.clock.passed = began
        return VirtualRound(self.clock, answers)

    def ask(
        self, questions: Mapping[Key, Callable[[], Told]], *, within_s: float, at_once: int = 100
    ) -> dict[Key, Told | None]:
        told = self.begin(questions, at_once=at_once).told(within_s=within_s)
        return {key: told.get(key) for key in questions}
