"""What the script on a node asks over HTTP: whom, where, and what it takes home."""

import json
import socket
import ssl
import time
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from late import late_s
from served import IDS, Told, a_certificate, saying, served
from stackward.anatomy import read_anatomy
from stackward.facts.web import as_asked, parse_web
from stackward.model.cloud_state import NO_TIME

SCRIPT = Path(__file__).parents[2] / "src/stackward/facts/on_node/gather.py"
LISTEN = "LISTEN 0 128 {place} 0.0.0.0:* {users}"


@pytest.fixture(scope="module")
def gather() -> ModuleType:
    """Load the script."""
    spec = spec_from_file_location("gather_web", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- one answer ---------------------------------------------------------------------------------


def silent(asked: socket.socket) -> None:
    """Take a connection and say nothing: as a frozen process does."""


def stuck_in_its_page(asked: socket.socket) -> None:
    """Begin an answer and never end it."""
    asked.recv(65536)
    asked.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\nbegun")


def ask(
    gather: ModuleType, port: int, *, within_s: float | None = None, own: str | None = None
) -> Any:  # noqa: ANN401  # JSON
    # With less than 2 s it would have had no fair time.
    web = gather.Web(time.monotonic() + (2.0 + late_s(0.2) if within_s is None else within_s))
    web.ask("nova-api", ("127.0.0.1", port), "/", own)
    [told] = web.all()
    return json.loads(json.dumps(told))["came"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n{}", {"status": 200}, id="well"),
        pytest.param(b"HTTP/1.0 300 MULTIPLE CHOICES\r\n\r\n", {"status": 300}, id="of choices"),
        pytest.param(
            b"HTTP/1.1 500 Internal Server Error\r\n\r\nInternal Server Error",
            {"status": 500, "says": "Internal Server Error", "has_request_id": False},
            id="no application",
        ),
        pytest.param(
            b"HTTP/1.1 500 Oops\r\nX-OpenStack-Request-Id: req-1\r\n\r\n{}",
            {"status": 500, "has_request_id": True},
            id="an application that failed",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nX-Compute-Request-Id: req-1\r\n\r\n",
            {"has_request_id": True},
            id="Nova's own header",
        ),
        pytest.param(b"", {"error": "it closes the connection without an answer"}, id="nothing"),
        pytest.param(
            b"SSH-2.0-x\r\n", {"error": "it answers in something else than HTTP"}, id="no HTTP"
        ),
    ],
)
def test_an_answer_is_read(gather: ModuleType, said: bytes, expected: dict[str, object]) -> None:
    with served(saying(said)) as port:
        came = ask(gather, port)

    assert {name: came[name] for name in expected} == expected


def test_a_process_that_takes_the_connection_and_is_silent_is_given_up_in_time(
    gather: ModuleType,
) -> None:
    with served(silent) as port:
        began = time.monotonic()
        came = ask(gather, port)

    assert came == {"error": "no answer in time"}
    assert time.monotonic() - began < 2.2 + late_s()


def test_an_answer_that_has_begun_is_one(gather: ModuleType) -> None:
    with served(stuck_in_its_page) as port:
        assert ask(gather, port)["status"] == 200


def test_one_who_hangs_keeps_no_other_waiting(gather: ModuleType) -> None:
    with served(silent) as one, served(saying(b"HTTP/1.1 200 OK\r\n\r\n")) as other:
        web = gather.Web(time.monotonic() + 2.1)
        for port in (one, one, one, other):
            web.ask("nova-api", ("127.0.0.1", port), "/", None)
        began = time.monotonic()
        told = web.all()

    assert [one["came"].get("status") for one in told] == [None, None, None, 200]
    assert time.monotonic() - began < 2.2 + late_s()


def test_who_does_not_listen_is_told(gather: ModuleType) -> None:
    with served(silent) as port:
        pass

    assert "refused" in ask(gather, port)["error"]


def test_no_page_goes_home_unless_it_says_that_it_failed(gather: ModuleType) -> None:
    with served(saying(b"HTTP/1.1 200 OK\r\n\r\n<secret>")) as port:
        assert ask(gather, port)["says"] == ""


def test_of_a_large_page_little_is_read(gather: ModuleType) -> None:
    with served(saying(b"HTTP/1.1 500 Oops\r\n\r\n" + b"x" * 200_000)) as port:
        assert len(ask(gather, port)["says"]) == 300


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: http://localhost/horizon/auth/login/?next=/horizon/\r\n\r\n",
            True,
            id="to its login",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nSet-Cookie:  csrftoken=x; Path=/\r\n\r\n", True, id="its cookie"
        ),
        pytest.param(
            b"HTTP/1.1 400 Bad Request\r\n\r\n\n<title>Bad Request (400)</title>",
            True,
            id="it does not know this host name",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n<h1>It works!</h1>", False, id="Apache's own page"),
        pytest.param(
            b"HTTP/1.1 404 Not Found\r\n\r\nThe requested URL /auth/login/ was not found",
            False,
            id="a page that repeats the path",
        ),
    ],
)
def test_another_site_is_not_taken_for_horizon(
    gather: ModuleType, said: bytes, expected: object
) -> None:
    http = read_anatomy()["horizon"].http
    assert http is not None
    with served(saying(said)) as port:
        assert ask(gather, port, own=http.own)["is_own"] is expected


# --- TLS ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Return what serves with a certificate that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(a_certificate(tmp_path_factory.mktemp("tls")))
    return context


@pytest.mark.parametrize(
    "to_plain",
    [
        pytest.param(b"", id="says nothing to a plain request"),
        pytest.param(
            b"HTTP/1.1 400 Bad Request\r\n\r\nYou're speaking plain HTTP to an SSL-enabled server.",
            id="answers it as Apache does",
        ),
        pytest.param(
            b"HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port",
            id="answers it as nginx does",
        ),
    ],
)
def test_what_speaks_tls_is_asked_so(
    gather: ModuleType, secured: ssl.SSLContext, to_plain: bytes
) -> None:
    def answer(asked: socket.socket) -> None:
        if asked.recv(1, socket.MSG_PEEK) != b"\x16":
            saying(to_plain)(asked)
            return
        with suppress(OSError), secured.wrap_socket(asked, server_side=True) as inside:
            saying(b"HTTP/1.1 200 OK\r\n\r\n")(inside)

    with served(answer) as port:
        assert ask(gather, port, within_s=3.0)["status"] == 200


def test_a_plain_server_that_refuses_a_request_is_not_asked_for_tls(gather: ModuleType) -> None:
    """It would wait for the end of a line that never comes."""
    with served(saying(b"HTTP/1.1 400 Bad Request\r\n\r\nno such host")) as port:
        began = time.monotonic()
        assert ask(gather, port, within_s=120.0)["status"] == 400

    assert time.monotonic() - began < late_s()


# --- whom, and where ----------------------------------------------------------------------------


def asked_of(
    gather: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    told: Told,
    *listening: tuple[str, str],
    owners: bool = True,
) -> set[tuple[str, str, int, str]]:
    """Return who is asked, where, and for which path; listeners are a place and a cgroup."""
    cgroups = {str(pid): cgroup for pid, (_, cgroup) in enumerate(listening)}
    lines = [
        LISTEN.format(place=at, users=f'users:(("x",pid={pid},fd=3))' if owners else "")
        for pid, (at, _) in enumerate(listening)
    ]
    noted = []
    monkeypatch.setattr(gather, "owners", lambda _: cgroups)
    monkeypatch.setattr(gather.Web, "ask", lambda _, *words: noted.append(words[:3]))
    sockets = {"code": 0, "out": "\n".join(lines)}
    if not owners:
        sockets["refused"] = "sudo: a password is required"
    gather.ask_web(told, as_asked(read_anatomy()), gather.Places(told, sockets))
    return {(name, at, port, path) for name, (at, port), path in noted}


NOVA = "/system.slice/nova-api.service"
HAPROXY = "/system.slice/haproxy.service"


def test_only_its_own_listener_is_asked_not_the_load_balancer_on_its_node(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = asked_of(
        gather,
        monkeypatch,
        Told(["nova-api.service", "haproxy.service"]),
        ("10.0.0.1:8774", HAPROXY),
        ("10.0.0.2:8774", NOVA),
    )

    assert found == {("nova-api", "10.0.0.2", 8774, "/")}


def test_without_root_all_who_listen_on_that_port_are_asked(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = asked_of(
        gather,
        monkeypatch,
        Told(["nova-api.service", "haproxy.service"]),
        ("10.0.0.1:8774", ""),
        ("10.0.0.2:8774", ""),
        ("10.0.0.2:9292", ""),
        owners=False,
    )

    assert found == {
        ("nova-api", "10.0.0.1", 8774, "/"),
        ("nova-api", "10.0.0.2", 8774, "/"),
    }


@pytest.mark.parametrize(
    ("at", "address"),
    [
        pytest.param("0.0.0.0:8774", "127.0.0.1", id="everywhere"),
        pytest.param("*:8774", "127.0.0.1", id="everywhere, of both families"),
        pytest.param("[::]:8774", "::1", id="everywhere in IPv6"),
        pytest.param("[fd00::5]:8774", "fd00::5", id="an address of IPv6"),
        pytest.param("[::ffff:10.0.0.2]:8774", "10.0.0.2", id="IPv4 in a socket of IPv6"),
        pytest.param("10.0.0.2%eth0:8774", "10.0.0.2", id="bound to an interface"),
        pytest.param("[fe80::1]%eth0:8774", "fe80::1%eth0", id="of one link"),
    ],
)
def test_it_is_asked_where_it_listens(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch, at: str, address: str
) -> None:
    found = asked_of(gather, monkeypatch, Told(["nova-api.service"]), (at, NOVA))

    assert found == {("nova-api", address, 8774, "/")}


def test_a_container_is_asked_where_its_own_processes_listen(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = asked_of(
        gather,
        monkeypatch,
        Told([], ["nova_api"]),
        ("10.0.0.2:8774", f"/system.slice/docker-{IDS['nova_api']}.scope"),
        ("10.0.0.1:8774", "/system.slice/docker-99999999999999999999999999999999.scope"),
    )

    assert found == {("nova-api", "10.0.0.2", 8774, "/")}


def test_its_settings_may_name_another_port(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = asked_of(gather, monkeypatch, Told(["nova-api.service"]), ("0.0.0.0:18774", NOVA))

    assert found == {("nova-api", "127.0.0.1", 18774, "/")}


def test_of_a_web_server_with_many_sites_only_its_own_port_is_asked(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    apache = "/system.slice/apache2.service"
    monkeypatch.setattr("os.path.exists", lambda path: path.endswith("/keystone.conf"))
    told = Told(["apache2.service"])

    found = asked_of(gather, monkeypatch, told, ("*:5000", apache), ("*:80", apache))

    assert found == {("keystone", "127.0.0.1", 5000, "/"), ("keystone", "127.0.0.1", 5000, "*")}


def test_what_does_not_run_is_not_asked(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked_of(gather, monkeypatch, Told([]), ("0.0.0.0:8774", HAPROXY), owners=False) == set()


def test_a_process_that_listens_everywhere_is_asked_at_few_places(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening = [(f"10.0.{n}.1:8774", NOVA) for n in range(50)]

    assert len(asked_of(gather, monkeypatch, Told(["nova-api.service"]), *listening)) == 4


def test_an_engine_that_lists_nonsense_ends_nothing(gather: ModuleType) -> None:
    told = Told([])
    told.told["containers of docker"] = 'null\n{"Names": 7}\n[\n{"ID": "abc", "Names": []}\n'

    assert gather.container_ids(told, "docker") == {}


# --- home ---------------------------------------------------------------------------------------


def test_a_request_is_put_only_while_half_of_its_time_is_left(gather: ModuleType) -> None:
    with served(silent) as port:
        web = gather.Web(time.monotonic() + 1.9)
        web.ask("nova-api", ("127.0.0.1", port), "/", None)
        [reply] = parse_web(web.all())["nova-api"]

    assert (reply.says, reply.is_silent, reply.status) == (NO_TIME, False, None)


@pytest.mark.parametrize(("within_s", "limit_s"), [(6.5, 4.0), (18.5, 9.25)])
def test_a_busy_node_has_half_of_a_longer_timeout_to_answer_over_http(
    gather: ModuleType, within_s: float, limit_s: float
) -> None:
    """Seen: at ten processes for each CPU an API took more than 4 s, whatever `--timeout` said."""
    told = Told(["nova-api.service"])

    places = gather.Places(told, {"code": 0, "out": ""})

    assert gather.ask_web(told, [], places, within_s).limit_s == limit_s


def test_an_address_of_ipv6_is_written_as_one() -> None:
    one = {"name": "nova-api", "address": "::1", "port": 8774, "path": "/"}
    [reply] = parse_web([{**one, "came": {"error": "no answer in time"}}])["nova-api"]

    assert (reply.place, reply.is_silent) == ("[::1]:8774", True)


def test_the_words_of_a_failure_are_masked() -> None:
    one = {"name": "nova-api", "address": "10.0.0.2", "port": 8774, "path": "/"}
    came = {"status": 500, "is_own": True, "has_request_id": False}
    came["says"] = "mysql://nova:hunter2@10.0.0.5/nova"  # type: ignore[assignment]
    [reply] = parse_web([{**one, "came": came}])["nova-api"]

    assert "hunter2" not in reply.says
