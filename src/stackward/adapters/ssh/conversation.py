"""A conversation with a script on a node, over the pipes of one ssh process."""

import os
import selectors
import struct
import subprocess
import threading
import time
from collections.abc import Callable

from stackward.adapters.ssh.processes import kill
from stackward.errors import StackwardError, Uncertain
from stackward.ports.log_source import as_given
from stackward.ports.shell import Pace

BEGINS = b"\n=stackward talks=\n"  # as `facts/on_node/talk.py` has it
MOST_BYTES = 16 * 2**20  # of one piece
_MOST_GREETING = 2**20  # what a login may write before it
_PIECE = 1 << 16


class Talk:
    """The side of this machine: a thread says that it lives, also while its owner is busy."""

    def __init__(
        self,
        node: str,
        process: subprocess.Popen[bytes],
        script: str,
        pace: Pace,
        why: Callable[[int], StackwardError],
    ) -> None:
        self._node, self._process, self._pace, self._why = node, process, pace, why
        self._saying = threading.Lock()
        self._closed = threading.Event()
        self._heard = bytearray()
        self._is_begun = self._is_over = False
        self._heard_at = time.monotonic()
        self._write(as_given(script, "").encode())
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()

    def say(self, given: bytes, /) -> None:
        """Send bytes, which come as one piece."""
        if not self._write(struct.pack(">I", len(given)) + given):
            raise Uncertain(f"the conversation with `{self._node}` is over")

    def hear(self, *, within_s: float) -> bytes | None:
        """Wait for bytes that were sent as one piece; None where the script has ended."""
        # What was not listened for was not missed.
        self._heard_at = time.monotonic()
        ends = self._heard_at + within_s
        while True:
            piece = self._next()
            if piece:
                return piece
            if piece is not None:
                continue  # a sign of life
            if self._is_over:
                if not self._is_begun or self._heard:
                    raise self._why(self._process.wait(self._pace.silence_s))
                return None
            self._read(ends)

    def close(self) -> None:
        """End both sides; the node's side ends because nobody talks to it."""
        self._closed.set()
        kill(self._process)  # this ends the wait of a thread that waits to write
        self._beating.join()

    def _next(self) -> bytes | None:
        """Return the next piece that is here as a whole; an empty one is a sign of life."""
        if not self._is_begun:
            where = self._heard.find(BEGINS)
            if where < 0:
                if len(self._heard) > _MOST_GREETING:
                    raise Uncertain(f"`{self._node}` writes without end, and begins no script")
                return None
            del self._heard[: where + len(BEGINS)]
            self._is_begun = True
        if len(self._heard) < 4:  # noqa: PLR2004  # bytes of a length
            return None
        size = struct.unpack(">I", self._heard[:4])[0]
        if size > MOST_BYTES:
            raise Uncertain(f"`{self._node}` says what is no part of a conversation")
        if len(self._heard) < 4 + size:
            return None
        piece = bytes(self._heard[4 : 4 + size])
        del self._heard[: 4 + size]
        return piece

    def _read(self, ends: float) -> None:
        """Read what has come; raises Uncertain where nothing comes for too long."""
        stream = self._process.stdout
        assert stream is not None  # noqa: S101  # it was opened as a pipe
        silent_at = self._heard_at + self._pace.silence_s
        with selectors.DefaultSelector() as waiting:
            waiting.register(stream, selectors.EVENT_READ)
            ready = waiting.select(max(0.0, min(ends, silent_at) - time.monotonic()))
        if ready:
            got = os.read(stream.fileno(), _PIECE)
            self._heard += got
            self._is_over = not got
            self._heard_at = time.monotonic()
        elif time.monotonic() >= silent_at:
            raise Uncertain(f"`{self._node}` gives no sign of life any more")
        elif time.monotonic() >= ends:
            raise Uncertain(f"`{self._node}` has said nothing in time")

    def _write(self, given: bytes) -> bool:
        """Send all of it; say whether somebody is there to read it."""
        stream = self._process.stdin
        assert stream is not None  # noqa: S101  # it was opened as a pipe
        left = memoryview(given)
        try:
            with self._saying:
                while left:
                    left = left[os.write(stream.fileno(), left) :]
        except (OSError, ValueError):  # nobody reads; or it is closed
            return False
        return True

    def _beat(self) -> None:
        while not self._closed.wait(self._pace.beat_s):
            if not self._write(struct.pack(">I", 0)):
                return
