"""The node's side of a conversation; sent before the script that talks, and run there by python3.

Standard library only, no later Python than 3.7 needed. A message is a length and this number of
bytes; a length of 0 is a sign of life. A process that hears none for too long is alone. Then it
ends, because nobody else may be able to end it.
"""

from __future__ import annotations

import os
import queue
import struct
import sys
import threading
import time

BEGINS = b"\n=stackward talks=\n"  # what a login's shell writes before it is no part of it
BEAT_S = 2.0
SILENCE_S = 10.0
ALONE = 75  # how this process ends then


class Talk:
    """What is heard from the other side, and what is said to it."""

    def __init__(self) -> None:
        self.saying = threading.Lock()
        self.heard_at = time.monotonic()
        self.heard = queue.Queue()  # type: queue.Queue[bytes | None]
        os.write(1, BEGINS)
        for each in (self.listen, self.beat, self.watch):
            threading.Thread(target=each, daemon=True).start()

    def say(self, given: bytes) -> None:
        """Send bytes; waits where the other side does not read."""
        left = memoryview(struct.pack(">I", len(given)) + given)
        with self.saying:
            while left:
                left = left[os.write(1, left) :]

    def hear(self) -> bytes | None:
        """Wait for bytes; None once the other side has closed."""
        return self.heard.get()

    def listen(self) -> None:
        """Take what comes."""
        stream = sys.stdin.buffer
        while True:
            head = stream.read(4)
            if len(head) < 4:  # noqa: PLR2004
                break
            (size,) = struct.unpack(">I", head)
            given = stream.read(size)
            self.heard_at = time.monotonic()
            if len(given) < size:
                break
            if size:
                self.heard.put(given)
        self.heard.put(None)

    def beat(self) -> None:
        """Say that this side lives."""
        while True:
            time.sleep(BEAT_S)
            try:
                self.say(b"")
            except OSError:
                return

    def watch(self) -> None:
        """End where nothing more is heard; a thread that waits to write cannot see that."""
        while True:
            time.sleep(SILENCE_S / 10)
            if time.monotonic() - self.heard_at > SILENCE_S:
                os._exit(ALONE)
