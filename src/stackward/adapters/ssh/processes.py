"""Processes with an end: a limited time, a limited answer, and nothing left behind.

Each has its own session, so that what it started (a jump host's ssh, a proxy command) ends with it.
What is closed starts no more.
"""

import os
import resource
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, cast

from stackward.ports.shell import Answer

MOST_BYTES = 32 * 2**20  # of one answer: a large controller gives about 10 MiB
MOST_FILES = 4096  # open at once: each process that runs has three
_REAPED_S = 1.0  # a killed process ends at once, unless the kernel holds it
_PIECE = 1 << 16


class NotInTime(Exception):
    """A process was ended because its time was over."""


class TooMuch(Exception):
    """A process was ended because it wrote without end."""


class Closed(Exception):
    """Nothing more is started: this was not started."""


class Cut(Exception):
    """A process was ended because all are: what it had done by then is not known."""


class Processes:
    """Starts processes, and ends those that are left when it is closed."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._changing = threading.Lock()  # questions are asked in threads of their own
        self._starting = threading.Lock()
        _may_open(MOST_FILES)
        self._is_closed = False

    def run(
        self, words: Sequence[str], given: str, within_s: float, *, at_most: int = MOST_BYTES
    ) -> Answer:
        """Run a program to its end and return what it wrote.

        Raises Closed where it was not started; NotInTime, TooMuch or Cut: it is ended by then.
        """
        ends = time.monotonic() + within_s
        # One after the other: while it is being started each needs eight files, not three.
        with self._starting:
            self._refuse_if_closed(Closed)
            process = subprocess.Popen(  # noqa: S603  # a list of words
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        try:
            with self._changing:
                self._running.add(process)
            self._refuse_if_closed(Cut)  # nobody else ends what is added after that
            out, err = _talk(process, given.encode(), ends, at_most)
            code = process.wait(max(0.0, ends - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise NotInTime from error
        else:
            self._refuse_if_closed(Cut)  # it may have been killed in the midst of its answer
            return Answer(code, text(out), text(err))
        finally:
            with self._changing:
                self._running.discard(process)
            _end(process)

    @contextmanager
    def open(self, words: Sequence[str], err: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
        """Start a program that is talked to, and end it afterwards; its complaints go to a file.

        Raises Closed where it was not started, Cut where it is ended at once.
        """
        with self._starting:
            self._refuse_if_closed(Closed)
            process = subprocess.Popen(  # noqa: S603  # a list of words
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=err,
                bufsize=0,
                start_new_session=True,
            )
        try:
            with self._changing:
                self._running.add(process)
            self._refuse_if_closed(Cut)
            yield process
        finally:
            with self._changing:
                self._running.discard(process)
            _end(process)

    def _refuse_if_closed(self, refusal: type[Exception]) -> None:
        with self._changing:
            if self._is_closed:
                raise refusal

    def close(self) -> None:
        """End what still runs, and start no more."""
        with self._changing:
            self._is_closed = True
            left = list(self._running)
        for process in left:
            kill(process)


def _may_open(files: int) -> None:
    """Let this process have this number of files open, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _talk(process: subprocess.Popen[bytes], given: bytes, ends: float, at_most: int) -> list[bytes]:
    """Write what it is given and read what it writes, until it closes both of its outputs."""
    told: dict[IO[bytes], bytearray] = {
        pipe: bytearray() for pipe in (process.stdout, process.stderr) if pipe
    }
    left = memoryview(given)
    with selectors.PollSelector() as waiting:
        for pipe in told:
            waiting.register(pipe, selectors.EVENT_READ)
        if process.stdin:
            os.set_blocking(process.stdin.fileno(), False)
            waiting.register(process.stdin, selectors.EVENT_WRITE)
        while any(not pipe.closed for pipe in told):
            ready = waiting.select(max(0.0, ends - time.monotonic()))
            if not ready or time.monotonic() >= ends:
                raise NotInTime
            for key, _ in ready:
                pipe = cast("IO[bytes]", key.fileobj)
                if pipe in told:
                    piece = os.read(key.fd, _PIECE)
                    told[pipe] += piece
                    is_over = not piece
                else:
                    left = left[_write(key.fd, left) :]
                    is_over = not left
                if is_over:
                    waiting.unregister(pipe)
                    pipe.close()
            if sum(map(len, told.values())) > at_most:
                raise TooMuch
    return [bytes(each) for each in told.values()]


def _write(pipe: int, given: memoryview) -> int:
    """Return how much was taken; a process that reads no more gets no more."""
    try:
        return os.write(pipe, given[:_PIECE])
    except BrokenPipeError:
        return len(given)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave neither a process nor a pipe behind."""
    pipes = [pipe for pipe in (process.stdin, process.stdout, process.stderr) if pipe]
    if process.poll() is None or not all(pipe.closed for pipe in pipes):
        kill(process)
        # A process that the kernel holds (a dead disk) is waited for when the next one is started.
        with suppress(subprocess.TimeoutExpired):
            process.wait(_REAPED_S)
    for pipe in pipes:
        with suppress(OSError):
            pipe.close()


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it has started."""
    # What sudo has started here is root's: it is left to its own end.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def text(raw: bytes) -> str:
    """Return an output as text, with line ends as they are read elsewhere."""
    return raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
