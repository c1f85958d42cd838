"""Questions in threads, as the port `Together`.

A thread that is given up goes on by itself and is forgotten. It must not keep the process alive. So
this is no pool of `concurrent.futures`: the exit waits for the threads of such a pool. The answer
that it brings later goes nowhere. So that such threads do not pile up over many looks, a question
that was given up and still hangs is not asked again. One that somebody waits for at this moment is
asked again: two moves of a run may ask the same, and each needs the answer.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Generic

from stackward.ports.together import Key, Told

_Answer = tuple[Key, Told | None, Exception | None]


class Threads:
    """Asks each question in a thread of its own."""

    def __init__(self) -> None:
        self._hanging: set[object] = set()  # the keys of questions that were given up

    def begin(
        self, questions: Mapping[Key, Callable[[], Told]], *, at_once: int = 100
    ) -> "_Round[Key, Told]":
        """Begin to ask, this number at once."""
        return _Round(questions, at_once, self._hanging)

    def ask(
        self, questions: Mapping[Key, Callable[[], Told]], *, within_s: float, at_once: int = 100
    ) -> dict[Key, Told | None]:
        """Return each answer under its key; None for what was not answered in time."""
        begun = self.begin(questions, at_once=at_once)
        try:
            told = begun.told(within_s=within_s)
        finally:
            begun.stop()
        return {key: told.get(key) for key in questions}

    @contextmanager
    def stream(
        self, sources: Sequence[Callable[[], Iterator[Told]]], /
    ) -> "Iterator[_Stream[Told]]":
        """Take what the sources yield, each in a thread of its own."""
        stream = _Stream[Told]()
        for source in sources:
            threading.Thread(target=stream.take, args=(source,), daemon=True).start()
        try:
            yield stream
        finally:
            stream.is_over = True


class _Stream(Generic[Told]):
    """What has come and was not taken yet."""

    def __init__(self) -> None:
        self._come: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self.is_over = False

    def take(self, source: Callable[[], Iterator[Told]]) -> None:
        """Keep what a source yields."""
        for one in source():
            if self.is_over:
                return
            self._come.put(one)

    def come(self, *, within_s: float) -> Sequence[Told]:
        """Return what has come since the last time."""
        found: list[Told] = []
        try:
            found.append(self._come.get(timeout=within_s))
            while True:
                found.append(self._come.get_nowait())
        except queue.Empty:
            return found


class _Round(Generic[Key, Told]):
    """One set of questions: a few threads take one after the other."""

    def __init__(
        self,
        questions: Mapping[Key, Callable[[], Told]],
        at_once: int,
        hanging: set[object],
    ) -> None:
        self._waiting = deque(
            (key, question) for key, question in questions.items() if key not in hanging
        )
        self._hanging = hanging
        self._asked: set[object] = set()  # the keys of our questions that have not come back
        self._one_at_a_time = threading.Lock()
        self._answers: queue.SimpleQueue[_Answer[Key, Told]] = queue.SimpleQueue()
        self._told: dict[Key, Told] = {}
        self._left = len(self._waiting)
        self._is_all_asked = self._left == len(questions)
        for _ in range(min(at_once, len(self._waiting))):
            threading.Thread(target=self._work, daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Say whether all was answered when `told` last returned."""
        return self._is_all_asked and not self._left

    def told(self, *, within_s: float) -> Mapping[Key, Told]:
        """Return what has been answered: once that is all, or after this time."""
        ends = time.monotonic() + within_s
        while self._left:
            left_s = ends - time.monotonic()
            try:
                # What is there already is taken also when no time is left.
                key, answer, error = self._answers.get(left_s > 0, max(0.0, left_s))
            except queue.Empty:
                self._give_up()
                break
            if error is not None:
                self.stop()
                raise error
            self._left -= 1
            self._told[key] = answer  # type: ignore[assignment]  # an answer, where no error came
        return dict(self._told)

    def stop(self) -> None:
        """Begin no more, and wait for nothing; that does not give up what is in flight."""
        self._waiting.clear()

    def _give_up(self) -> None:
        with self._one_at_a_time:
            self._hanging |= self._asked

    def _work(self) -> None:
        while True:
            try:
                key, question = self._waiting.popleft()
            except IndexError:
                return
            with self._one_at_a_time:
                self._asked.add(key)
            answer: _Answer[Key, Told] = (key, None, None)
            try:
                answer = (key, question(), None)
            except Exception as error:  # noqa: BLE001  # raised again where it was asked
                answer = (key, None, error)
            finally:
                with self._one_at_a_time:  # before the answer is out: it may be asked again at once
                    self._asked.discard(key)
                    self._hanging.discard(key)
                self._answers.put(answer)
