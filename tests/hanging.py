"""Servers on this machine that hang, each in its own way."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

PACE_S = 0.1  # between two bytes of one that never ends
_gone = threading.Event()  # is never set: who waits for it hangs, and can be waited for


def never_answers(_: socket.socket) -> None:
    """Take the connection, and no more."""
    _gone.wait()


def head_by_bytes(talk: socket.socket) -> None:
    """Begin an answer, and never come to the end of its head."""
    talk.recv(65536)
    talk.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    _for_ever(talk, b"x")


def body_by_bytes(talk: socket.socket) -> None:
    """Begin a body, and never come to its end."""
    talk.recv(65536)
    talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    _for_ever(talk, b"x")


def half_a_body(talk: socket.socket) -> None:
    """Stop in the midst of a body."""
    talk.recv(65536)
    talk.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"versions"')
    _gone.wait()


def round_and_round(talk: socket.socket) -> None:
    """Send whoever asks from one place to the next, slowly."""
    while b"Host: " in (asked := talk.recv(65536)):
        _gone.wait(3 * PACE_S)
        here = asked.split(b"Host: ")[1].split(b"\r\n")[0]
        to = b"Location: http://" + here + b"/v3/more\r\n"
        talk.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n" + to + b"\r\n")
    _gone.wait()


def without_end(talk: socket.socket) -> None:
    """Answer with more than anybody can keep."""
    talk.recv(65536)
    talk.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        talk.sendall(b"x" * 65536)


def _for_ever(talk: socket.socket, byte: bytes) -> None:
    while True:
        talk.sendall(byte)
        _gone.wait(PACE_S)


HANGS: dict[str, Callable[[socket.socket], None]] = {
    "takes the connection and never answers": never_answers,
    "sends its head a byte at a time": head_by_bytes,
    "sends its body a byte at a time": body_by_bytes,
    "stops in the midst of its body": half_a_body,
    "sends whoever asks round and round": round_and_round,
}


@contextmanager
def server(behaves: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve on a port of this machine, and return it."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    talks: list[socket.socket] = []

    def talk(one: socket.socket) -> None:
        with suppress(OSError):
            behaves(one)

    def serve() -> None:
        with suppress(OSError):
            while True:
                one, _ = listening.accept()
                talks.append(one)
                threading.Thread(target=talk, args=(one,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        for one in (listening, *talks):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def full() -> Iterator[int]:
    """Listen on a port whose queue is full: a connection to it is never made."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        port = int(listening.getsockname()[1])
        held = [socket.socket() for _ in range(4)]
        for one in held:
            one.settimeout(0)
            with suppress(BlockingIOError):
                one.connect(("127.0.0.1", port))
        try:
            yield port
        finally:
            for one in held:
                one.close()
