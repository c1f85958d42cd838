"""A PostgreSQL server of the tests' own: in a directory of its own, on a port of its own.

It takes Debian's package `postgresql`, of which no cluster need run. Where it is missing, what asks
for it is skipped.
"""

import itertools
import os
import pwd
import select
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psycopg
import pytest

from stackward.lab.waiting import wait_until

OWNER = "postgres"  # the server refuses to run as root
PASSWORD = "swordfish"  # noqa: S105  # of a role that lives as long as the tests


@dataclass
class Server:
    """A running server; by its socket it trusts everybody, by TCP it asks for a password."""

    programs: Path
    place: Path
    port: int
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        return f"postgresql://{OWNER}@/{name}?host={self.place}&port={self.port}"

    def by_tcp(self, name: str, password: str = "") -> str:
        user = f"guarded:{password}" if password else "guarded"
        return f"postgresql://{user}@127.0.0.1:{self.port}/{name}"

    def new_database(self) -> str:
        name = f"test_{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def emptied_database(self) -> str:
        """Return the URL of the one database that most tests use; making one takes far longer."""
        if not self.sql("SELECT 1 FROM pg_database WHERE datname = 'again'"):
            self.sql("CREATE DATABASE again")
        self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = 'again' AND pid <> pg_backend_pid()"
        )
        self.sql("DROP SCHEMA public CASCADE", "again")
        self.sql("CREATE SCHEMA public", "again")
        return self.url("again")

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            answer = connection.execute(statement.encode())
            return answer.fetchall() if answer.description else []

    def answers(self) -> bool:
        try:
            return self.sql("SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False

    def control(self, *words: str) -> None:
        self.run("pg_ctl", "-D", str(self.place / "data"), "-w", "-s", *words)

    def start(self) -> None:
        self.control("-l", str(self.place / "log"), "start")

    def stop(self) -> None:
        self.control("-m", "immediate", "stop")

    def restart(self) -> None:
        self.control("-m", "fast", "-l", str(self.place / "log"), "restart")

    def run(self, program: str, *words: str) -> str:
        as_owner = ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []
        # A file, not a pipe: the server would keep a pipe open, and it would never end.
        with tempfile.TemporaryFile("w+") as output:
            ended = subprocess.run(
                [*as_owner, str(self.programs / program), *words],
                cwd=self.place,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=120,
            )
            output.seek(0)
            said = output.read()
        assert ended.returncode == 0, f"{program}: {said}"
        return said


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    # What a test writes need not outlive a power cut.
    with a_server("fsync = off", "max_connections = 200") as server:
        server.sql(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'")
        yield server


@contextmanager
def a_server(*settings: str) -> Iterator[Server]:
    """Start a server, and leave nothing of it."""
    server = Server(programs(), Path(tempfile.mkdtemp(prefix="stackward-pg-")), free_port())
    if os.geteuid() == 0:
        shutil.chown(server.place, OWNER, OWNER)
    with removed_at_the_end(server):
        data = server.place / "data"
        ways_in = ["--auth-local=trust", "--auth-host=scram-sha-256"]
        forms = ["-U", OWNER, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        server.run("initdb", "-D", str(data), *ways_in, *forms)
        places = f"port = {server.port}\nunix_socket_directories = '{server.place}'\n"
        with (data / "postgresql.conf").open("a") as file:
            file.write(f"{places}listen_addresses = '127.0.0.1'\n")
            file.writelines(f"{line}\n" for line in settings)
        server.start()
        yield server


@contextmanager
def removed_at_the_end(server: Server) -> Iterator[None]:
    """Leave nothing of a server, wherever it was on its way."""
    try:
        yield
    finally:
        if (server.place / "data/postmaster.pid").exists():
            server.stop()
        shutil.rmtree(server.place)


@contextmanager
def a_standby(primary: Server) -> Iterator[Server]:
    """Start a copy of a server that follows it, and leave nothing of it."""
    standby = Server(primary.programs, Path(tempfile.mkdtemp(prefix="stackward-pg-")), free_port())
    if os.geteuid() == 0:
        shutil.chown(standby.place, OWNER, OWNER)
    with removed_at_the_end(standby):
        data, source = str(standby.place / "data"), ["-h", str(primary.place), "-U", OWNER]
        quickly = ["-c", "fast", "--no-sync", "-X", "stream"]
        standby.run("pg_basebackup", *source, "-p", str(primary.port), "-D", data, "-R", *quickly)
        with (standby.place / "data/postgresql.conf").open("a") as file:
            file.write(f"port = {standby.port}\nunix_socket_directories = '{standby.place}'\n")
        standby.start()
        yield standby


@contextmanager
def a_pooler(server: Server, mode: str) -> Iterator[Server]:
    """Start PgBouncer before a server; return that server as it is reached by way of it."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("there is no PgBouncer here: apt-get install pgbouncer")
    place = Path(tempfile.mkdtemp(prefix="stackward-pooler-"))
    pooled = Server(server.programs, place, free_port())
    settings = [
        "[databases]",
        f"* = host={server.place} port={server.port}",
        "[pgbouncer]",
        f"listen_addr = 127.0.0.1\nlisten_port = {pooled.port}\nunix_socket_dir = {place}",
        f"auth_type = any\npool_mode = {mode}\nlogfile = {place}/log",
    ]
    # With `any` everybody is let in as this role; the server trusts its socket.
    settings[1] += f" user={OWNER}"
    (place / "pgbouncer.ini").write_text("\n".join(settings) + "\n")
    as_owner = ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []
    if as_owner:
        for each in (place, place / "pgbouncer.ini"):
            shutil.chown(each, OWNER, OWNER)
    running = subprocess.Popen(
        [*as_owner, program, "-q", str(place / "pgbouncer.ini")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(pooled.answers, within_s=30, every_s=0.02), "PgBouncer does not answer"
        yield pooled
    finally:
        running.terminate()
        running.wait(timeout=30)
        shutil.rmtree(place)


def name_of(url: str) -> str:
    """Return the name of the database that a URL of the server leads to."""
    return url.partition("?")[0].rpartition("/")[2]


def make_first_version(server: Server, url: str) -> None:
    """Fill an empty database as the first version of the journal did."""
    stored = Path(__file__).with_name("adapters") / "store/journal-1.sql"
    # SQLite numbers by itself what PostgreSQL has to be told of.
    events, numbered = "TABLE events (\n\tnumber INTEGER", "TABLE events (\n\tnumber SERIAL"
    statements = stored.read_text().replace(events, numbered).split(";\n")
    kept = [one.strip() for one in statements if one.strip().startswith(("CREATE", "INSERT"))]
    order = ("CREATE TABLE runs", "CREATE TABLE", 'INSERT INTO "runs"', "INSERT", "CREATE INDEX")
    kept.sort(key=lambda one: next(n for n, each in enumerate(order) if one.startswith(each)))
    for statement in kept:
        server.sql(statement, name_of(url))
    server.sql("SELECT setval('events_number_seq', 3)", name_of(url))


def programs() -> Path:
    """Return where the newest server's programs are."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parents[1].name), default=None)
    try:
        pwd.getpwnam(OWNER)
    except KeyError:
        newest = None
    if newest is None:
        pytest.skip("there is no PostgreSQL server here: apt-get install postgresql")
    return newest.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


ON_BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.sqlite"
    server: Server = request.getfixturevalue("postgres")
    return server.emptied_database()


class Proxy:
    """Stands between a client and the server, and loses an answer when it is told to."""

    def __init__(self, server: Server) -> None:
        self._server, self._place = server, Path(tempfile.mkdtemp(prefix="stackward-proxy-"))
        self._door = socket.socket(socket.AF_UNIX)
        self._request, self._left = b"", 0
        self._lock = threading.Lock()
        self.has_lost = False

    def to(self, url: str) -> str:
        return url.replace(str(self._server.place), str(self._place))

    def loses_answer_to(self, request: bytes, nth: int) -> None:
        self._request, self._left = request, nth

    def __enter__(self) -> Self:
        self._door.bind(str(self._place / f".s.PGSQL.{self._server.port}"))
        self._door.listen()
        threading.Thread(target=self._let_in, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        shutil.rmtree(self._place)

    def _let_in(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._server.place / f".s.PGSQL.{self._server.port}"))
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    message = ready.recv(1 << 16)
                    if not message:
                        return
                    if ready is server and not self._lets_out(client):
                        continue
                    (server if ready is client else client).sendall(message)
                    if ready is client:
                        self._has_asked(client, message)
                    if ready is client and self._is_to_lose(message):
                        server.recv(1 << 16)  # it has done it
                        return

    def _has_asked(self, client: socket.socket, message: bytes) -> None:
        """Take notice of what a client sends."""

    def _lets_out(self, client: socket.socket) -> bool:  # others ask who it is
        """Say whether a client may have its answer."""
        return True

    def _is_to_lose(self, message: bytes) -> bool:
        with self._lock:
            if not self._request or self._request not in message:
                return False
            self._left -= 1
            self.has_lost = self.has_lost or self._left == 0
            return self._left == 0
