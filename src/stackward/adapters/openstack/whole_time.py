"""One time for a whole request: connecting, TLS, redirections, and every byte of the answer.

The time that `requests` is given is for each single wait. A server that sends one byte at a time
can make it last without end, and so can a name with many addresses. Only looking up a name cannot
be interrupted; the resolver's own settings end it.
"""

import io
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from keystoneauth1.session import TCPKeepAliveAdapter
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from stackward.overriding import override

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from keystoneauth1.session import Session

MOST_BYTES = 64 * 2**20  # of one answer: a page of hypervisors of a large cloud has two
_LEAST_S = 0.001  # a socket takes no time at all for none that ends

_now = threading.local()  # `ends`: of the request of this thread; `within_s`: all of its time


@contextmanager
def whole_time(within_s: float) -> Iterator[None]:
    """End every request of this thread, with all that belongs to it, after this time."""
    before = vars(_now).copy()
    _now.ends, _now.within_s = time.monotonic() + within_s, within_s
    try:
        yield
    finally:
        vars(_now).clear()
        vars(_now).update(before)


def left_s() -> float | None:
    """Return how much time this thread's request has; None where nobody has said.

    Raises TimeoutError where none is left.
    """
    if (ends := vars(_now).get("ends")) is None:
        return None
    left = ends - time.monotonic()
    if left <= 0:
        raise _late()
    return float(max(left, _LEAST_S))


def _late() -> TimeoutError:
    within_s = vars(_now).get("within_s")
    return TimeoutError(f"no whole answer within {within_s:.2g} s" if within_s else "timed out")


def keep_to_it(session: "Session") -> None:
    """Make every request through a session keep to `whole_time`."""
    ours = session.session
    for scheme, old in list(ours.adapters.items()):
        if type(old) is TCPKeepAliveAdapter:
            ours.mount(scheme, _InTime(**_tls_of(old)))


def connected(host: str, port: int, options: Any = ()) -> socket.socket:  # noqa: ANN401  # the library's own
    """Connect to the first address of a host that answers; each has its part of the time."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options or ():
                sock.setsockopt(*option)
            left = left_s()
            sock.settimeout(left and left / (len(addresses) - number))
            sock.connect(address)
            sock.settimeout(left_s())
        except OSError:
            sock.close()
            if number + 1 == len(addresses):
                raise
        else:
            return sock
    raise OSError(f"`{host}` has no address")


class _InTime(TCPKeepAliveAdapter):
    """The SDK's own adapter, over connections that keep to the time of a whole request."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    @override
    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        if type(manager) is ProxyManager:  # that of SOCKS has connections of its own
            manager.pool_classes_by_scheme = POOLS
        return manager


def _tls_of(adapter: HTTPAdapter) -> dict[str, Any]:
    names = ("tls_ciphers", "tls_min_version")
    return {name: getattr(adapter, name) for name in names if hasattr(adapter, name)}


class _Raw(io.RawIOBase):
    """The bytes that a socket brings, until the time is over or there are too many."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        super().__init__()
        self._sock, self._raw, self._count = sock, raw, 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        if left := left_s():
            self._sock.settimeout(left)
        try:
            read = self._raw.readinto(buffer)
        except TimeoutError as error:
            raise _late() from error
        self._count += read or 0
        if self._count > MOST_BYTES:
            raise OSError(f"it answers without end: it was left after {MOST_BYTES >> 20} MiB")
        return read

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    """An answer whose head and body are read in time."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # the library's own
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Raw(sock, self.fp.detach()))


class _Plain(HTTPConnection):
    response_class = _Answer

    @override
    def _new_conn(self) -> socket.socket:
        return _opened(self)


class _Secured(HTTPSConnection):
    response_class = _Answer

    @override
    def _new_conn(self) -> socket.socket:
        return _opened(self)


def _opened(connection: HTTPConnection) -> socket.socket:
    """Connect as the library does, and fail in its words."""
    host, port = connection.host, connection.port
    try:
        sock = connected(host, port, connection.socket_options)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, f"no connection to {host} in time") from error
    except OSError as error:
        raise NewConnectionError(connection, str(error)) from error
    sys.audit("http.client.connect", connection, host, port)
    return sock


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecuredPool(HTTPSConnectionPool):
    ConnectionCls = _Secured


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _PlainPool, "https": _SecuredPool}


def certificate_of(host: str, port: int) -> bytes | None:
    """Return the certificate that is shown at a place; whether it is trusted is not asked."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with connected(host, port) as plain, context.wrap_socket(plain, server_hostname=host) as shown:
        return shown.getpeercert(binary_form=True)
