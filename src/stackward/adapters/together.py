"""Questions in threads, as the port `Together`.

A thread that is given up goes on by itself and is forgotten: it must not keep the process alive,
which is why this is no pool of `concurrent.futures` (its threads are waited for at the exit).
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping

from stackward.ports.together import Key, Told


class Threads:
    """Asks each question in a thread of its own."""

    def ask(
        self, questions: Mapping[Key, Callable[[], Told]], *, within_s: float, at_once: int = 100
    ) -> dict[Key, Told | None]:
        """Return each answer under its key; None for what was not answered in time."""
        ends = time.monotonic() + within_s
        answers: queue.SimpleQueue[tuple[Key, Told | None, BaseException | None]] = (
            queue.SimpleQueue()
        )
        waiting = list(questions.items())
        told: dict[Key, Told | None] = dict.fromkeys(questions)
        under_way = 0
        while waiting or under_way:
            while waiting and under_way < at_once:
                key, question = waiting.pop(0)
                threading.Thread(target=_answer, args=(key, question, answers), daemon=True).start()
                under_way += 1
            try:
                key, answer, error = answers.get(timeout=max(0.0, ends - time.monotonic()))
            except queue.Empty:
                return told
            if error is not None:
                raise error
            told[key] = answer
            under_way -= 1
        return told


def _answer(
    key: Key,
    question: Callable[[], Told],
    answers: "queue.SimpleQueue[tuple[Key, Told | None, BaseException | None]]",
) -> None:
    try:
        answers.put((key, question(), None))
    except Exception as error:  # noqa: BLE001  # raised again where it was asked
        answers.put((key, None, error))
