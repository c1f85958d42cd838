"""What the script on a node says to who takes clients there, as one: RabbitMQ, memcached."""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

import hanging
from late import late_s
from served import Told, a_certificate, saying, served

SCRIPT = Path(__file__).parents[2] / "src/stackward/facts/on_node/gather.py"

START = b"\x01\x00\x00\x00\x00\x00\x1f\x00\x0a\x00\x0a\x00\x09"
STATS = b"STAT pid 1\r\nSTAT curr_connections 3\r\nSTAT max_connections 9\r\nEND\r\n"
RABBIT = "/system.slice/rabbitmq-server.service"
CACHE = "/system.slice/memcached.service"
HAPROXY = "/system.slice/haproxy.service"


@pytest.fixture(scope="module")
def gather() -> ModuleType:
    """Load the script."""
    spec = spec_from_file_location("gather_talks", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def trickles(talk: socket.socket) -> None:
    never = threading.Event()
    while not never.wait(hanging.PACE_S):
        talk.sendall(b"S")


def talk(gather: ModuleType, name: str, port: int, within_s: float | None = None) -> object:
    """Ask one place as a client of `name`, and return all that came."""
    *_, words, pattern = gather.TAKERS[name]
    # With less than 2 s it would have had no fair time.
    ends_s = 2.0 + late_s(0.2) if within_s is None else within_s
    talks = gather.Talks(time.monotonic() + ends_s)
    talks.ask(name, ("127.0.0.1", port), words, pattern)
    told = json.loads(json.dumps(talks.all()))
    if name == "memcached":
        return gather.of_cache(told, all_are_own=True)
    otherwise = "it answers in another way than AMQP 0-9-1"
    return gather.of_takers(told, "rabbitmq", otherwise)


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        pytest.param([START], None, id="alive"),
        pytest.param([START[:3], START[3:]], None, id="alive, in two parts"),
        pytest.param([], "it closes the connection without an answer", id="closed"),
        pytest.param(
            [b"AMQP\x00\x01\x00\x00"], "it answers in another way than AMQP 0-9-1", id="another"
        ),
    ],
)
def test_rabbitmq_is_asked_by_the_first_words_of_a_client(
    gather: ModuleType, parts: list[bytes], error: str | None
) -> None:
    with served(saying(*parts)) as port:
        told = talk(gather, "rabbitmq", port)

    assert told == [{"address": "127.0.0.1", "port": port, "error": error}]


def test_who_does_not_listen_is_told(gather: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert talk(gather, "rabbitmq", port) == [
        {"address": "127.0.0.1", "port": port, "error": "Connection refused"}
    ]


@pytest.mark.parametrize("name", ["rabbitmq", "memcached"])
@pytest.mark.parametrize("behaves", [hanging.never_answers, trickles], ids=["dumb", "trickling"])
def test_who_hangs_takes_no_more_than_its_time(
    gather: ModuleType, behaves: Callable[[socket.socket], None], name: str
) -> None:
    with hanging.server(behaves) as port:
        began = time.monotonic()

        told = talk(gather, name, port)

    assert "no answer in time" in json.dumps(told)
    assert time.monotonic() - began < 2.2 + late_s()


def test_what_had_no_fair_time_is_not_called_silent(gather: ModuleType) -> None:
    with hanging.server(hanging.never_answers) as port:
        told = talk(gather, "rabbitmq", port, within_s=0.3)

    assert "no time was left" in json.dumps(told)


def test_memcached_tells_its_statistics(gather: ModuleType) -> None:
    with served(saying(STATS)) as port:
        assert talk(gather, "memcached", port) == {"out": STATS.decode(), "is_whole": True}


@pytest.mark.parametrize("is_let_in", [True, False], ids=["lets us in", "wants a certificate"])
def test_what_speaks_tls_is_asked_so_or_passed_over(
    gather: ModuleType, tmp_path: Path, *, is_let_in: bool
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(a_certificate(tmp_path))
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # refused in its greeting, not after it
    if not is_let_in:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(a_certificate(tmp_path))

    def answer(asked: socket.socket) -> None:
        try:
            with context.wrap_socket(asked, server_side=True) as secured:
                saying(START)(secured)
        except ssl.SSLError:
            asked.close()

    with served(answer) as port:
        told = talk(gather, "rabbitmq", port)

    error = None if is_let_in else gather.SPEAKS_TLS
    assert told == [{"address": "127.0.0.1", "port": port, "error": error}]


# --- whom, and where ----------------------------------------------------------------------------


def asked_of(
    gather: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    *listening: tuple[str, str],
    owners: bool = True,
    cluster: str = "",
    settings: str = "",
) -> set[tuple[str, str, int]]:
    """Return who is asked, and where; listeners are a place and a cgroup."""
    told = Told(["rabbitmq-server.service", "memcached.service", "haproxy.service"])
    told.told["rabbitmq cluster"] = cluster
    cgroups = {str(pid): cgroup for pid, (_, cgroup) in enumerate(listening)}
    lines = [
        f"LISTEN 0 128 {at} 0.0.0.0:* " + (f'users:(("x",pid={pid},fd=3))' if owners else "")
        for pid, (at, _) in enumerate(listening)
    ]
    # A connection of this node to another's is no place of its own.
    lines.insert(0, "ESTAB 0 0 10.0.0.1:40000 10.0.0.9:11211 ")
    monkeypatch.setattr(gather, "owners", lambda _: cgroups)
    monkeypatch.setattr(gather, "read", lambda path: settings if "memcached" in path else "")
    noted: list[tuple[str, str, int]] = []

    def ask(talks: object, name: str, place: tuple[str, int], *_: object) -> None:
        noted.append((name, *place))
        talks.told.append({"name": name})  # type: ignore[attr-defined]  # as the true one does

    monkeypatch.setattr(gather.Talks, "ask", ask)
    sockets: dict[str, object] = {"code": 0, "out": "\n".join(lines)}
    if not owners:
        sockets["refused"] = "sudo: a password is required"
    places = gather.Places(told, sockets)
    talks = gather.ask_as_clients(told, places)
    gather.ask_amqp_elsewhere(told, places, talks)
    return set(noted)


def test_each_is_asked_where_it_listens_itself(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen: the first address of that port was asked, if it was another node's."""
    asked = asked_of(
        gather,
        monkeypatch,
        ("10.0.0.1:5672", RABBIT),
        ("10.0.0.1:25672", RABBIT),
        ("10.0.0.100:5672", HAPROXY),
        ("10.0.0.1:11211", CACHE),
        ("[::1]:11211", CACHE),
    )

    assert asked == {
        ("rabbitmq", "10.0.0.1", 5672), ("memcached", "10.0.0.1", 11211),
        ("memcached", "::1", 11211),
    }  # fmt: skip


def test_without_root_all_who_listen_there_are_asked(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asked_of(
        gather, monkeypatch, ("10.0.0.1:5672", ""), ("10.0.0.100:5672", ""), owners=False
    )

    assert asked == {("rabbitmq", "10.0.0.1", 5672), ("rabbitmq", "10.0.0.100", 5672)}


def test_a_rabbitmq_at_a_port_of_its_own_is_asked_there(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    listeners = {"rabbit@a": [{"port": 5700, "protocol": "amqp"},
                              {"port": 25672, "protocol": "clustering"}]}  # fmt: skip
    asked = asked_of(
        gather,
        monkeypatch,
        ("*:5700", RABBIT),
        ("*:25672", RABBIT),
        cluster=json.dumps({"listeners": listeners}),
    )

    assert asked == {("rabbitmq", "127.0.0.1", 5700)}


def test_a_memcached_at_a_port_of_its_settings_is_asked_there(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asked_of(
        gather, monkeypatch, ("10.0.0.1:11311", CACHE), settings="-m 64\n-p 11311\n-l 10.0.0.1\n"
    )

    assert asked == {("memcached", "10.0.0.1", 11311)}


def test_of_several_places_the_one_that_fails_is_told(gather: ModuleType) -> None:
    well = {"name": "memcached", "came": {"out": STATS.decode(), "is_whole": True}}
    ill = {"name": "memcached", "came": {"error": "Connection refused"}}

    assert gather.of_cache([well, ill], all_are_own=True) == ill["came"]
    # Without root the other place may be another's.
    assert gather.of_cache([ill, well], all_are_own=False) == well["came"]
    assert gather.of_cache([], all_are_own=True) == {}


def test_the_pattern_of_an_answer_is_found_after_what_may_stand_in_it(gather: ModuleType) -> None:
    *_, pattern = gather.TAKERS["rabbitmq"]

    assert isinstance(pattern, re.Pattern)
    assert pattern.search(START)
    assert not pattern.search(b"HTTP/1.1 400 Bad Request")


# --- MariaDB ------------------------------------------------------------------------------------

GREETS = b"\x5a\x00\x00\x00\x0a11.8.9-MariaDB\x00"
TOO_MANY = b"\x17\x00\x00\x00\xff\x10\x04Too many connections"
NETWORK = "00000000a: 00000002 00000000 00010000 0001 01 22 {path}\nb: 1 1 1 1 1 1 /run/x.sock\n"


def greeted(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch, path: Path, told: dict[str, object] | None
) -> list[tuple[str, int]]:
    """Return where MariaDB is asked to greet, after its client has told this."""
    commands = Told(["mariadb.service"])
    answers = {"units": commands.end("units"), "mariadb": told or {}}
    monkeypatch.setattr(commands, "soon", lambda name: answers[name])
    monkeypatch.setattr(gather, "read", lambda _: NETWORK.format(path=path))
    noted: list[tuple[str, int]] = []
    monkeypatch.setattr(gather.Talks, "ask", lambda _, *words: noted.append(words[1]))
    gather.ask_greeting(commands, gather.Talks(time.monotonic()))
    return noted


@pytest.mark.parametrize(
    ("told", "is_asked"),
    [
        pytest.param({"code": 0}, False, id="its client has told"),
        pytest.param({"code": 1, "err": "sudo: a password is required"}, True, id="no sudo"),
        pytest.param({"code": None, "err": "no answer in time"}, True, id="late"),
        pytest.param(None, False, id="there is no client"),
    ],
)
def test_mariadb_is_to_greet_where_its_client_may_not_ask(
    gather: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    told: dict[str, object] | None,
    *,
    is_asked: bool,
) -> None:
    path = Path("/run/mysqld/mysqld.sock")

    assert greeted(gather, monkeypatch, path, told) == ([(str(path), 0)] if is_asked else [])


@pytest.mark.parametrize(
    ("says", "error"),
    [
        pytest.param(GREETS, None, id="greets"),
        pytest.param(TOO_MANY, "it greets nobody: it refuses all clients", id="refuses"),
        pytest.param(None, "no answer in time", id="frozen"),
    ],
)
def test_a_greeting_is_awaited_at_its_own_socket(
    gather: ModuleType, tmp_path: Path, says: bytes | None, error: str | None
) -> None:
    path = str(tmp_path / "mysqld.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def greet() -> None:
            taken, _ = server.accept()
            with taken:
                taken.sendall(says or b"")

        greeting = threading.Thread(target=greet, daemon=True)
        if says:
            greeting.start()
        talks = gather.Talks(time.monotonic() + 2.2)
        talks.ask("mariadb", (path, 0), b"", gather.GREETING)
        told = talks.all()

    assert gather.of_takers(told, "mariadb", "it greets nobody: it refuses all clients") == [
        {"address": path, "port": 0, "error": error}
    ]
