"""Servers on this machine that answer as they are told, and commands that have told something."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answers = Callable[[socket.socket], None]
IDS = {"nova_api": "4f1c0e5b7d2a9c3e4f1c0e5b7d2a9c3e"}


@contextmanager
def served(answer: Answers) -> Iterator[int]:
    """Serve connections at a port of this machine; each is answered by itself."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    held: list[socket.socket] = []

    def serve() -> None:
        while not over.is_set():
            with suppress(OSError):
                asked, _ = listening.accept()
                asked.settimeout(5)
                held.append(asked)
                answer(asked)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        over.set()
        with suppress(OSError):
            socket.create_connection(listening.getsockname(), 1).close()
        thread.join(2)
        for one in held:
            one.close()
        listening.close()


def saying(*parts: bytes) -> Answers:
    """Answer with these bytes, and close."""

    def answer(asked: socket.socket) -> None:
        asked.recv(65536)
        for part in parts:
            asked.sendall(part)
        asked.close()

    return answer


class Told:
    """Commands that have told this."""

    def __init__(self, units: list[str], containers: list[str] = []) -> None:  # noqa: B006  # read only
        blocks = (f"Id={unit}\nActiveState=active" for unit in units)
        rows = (
            json.dumps({"ID": IDS[name], "Names": name, "State": "running"}) for name in containers
        )
        self.told = {"units": "\n\n".join(blocks), "containers of docker": "\n".join(rows)}
        self.ends = time.monotonic()

    def end(self, name: str) -> dict[str, object]:
        """Return what a command told."""
        return {"out": self.told.get(name, "")}

    soon = end


def a_certificate(folder: Path) -> Path:
    """Make a certificate that nobody trusts, and return the file that has its key too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    now = datetime.now(UTC)
    shown = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now - timedelta(days=1))  # expired: no matter here
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + shown.public_bytes(serialization.Encoding.PEM)
    )
    return path
