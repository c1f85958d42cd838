"""A wait that other threads, and signals, can end."""

import select
import socket
from contextlib import suppress


class SocketWakeup:
    """A `Wakeup` of two sockets: a signal may interrupt the code that has the lock of an event."""

    def __init__(self) -> None:
        """Open the sockets."""
        self._waits, self._wakes = socket.socketpair()
        for each in (self._waits, self._wakes):
            each.setblocking(False)  # noqa: FBT003  # the name of the argument is `flag`

    def wait(self, seconds: float, *others: int) -> None:
        """Return after this number of seconds, once it was woken, or once a file has input."""
        poll = select.poll()
        for each in (self._waits.fileno(), *others):
            poll.register(each, select.POLLIN)
        poll.poll(max(0.0, seconds) * 1000)
        # It may have been woken many times: that is one reason to look.
        with suppress(BlockingIOError):
            while self._waits.recv(4096):
                pass

    def wake(self) -> None:
        """End the wait, or the next one; nothing, once it is closed."""
        with suppress(OSError):  # full: it is awake; closed: nobody waits
            self._wakes.send(b"!")

    def close(self) -> None:
        """Close the sockets."""
        self._waits.close()
        self._wakes.close()
