"""The APIs as a health check asks them, against a server on this machine that answers alike."""

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override

from stackward.adapters.openstack import connect_to_look
from stackward.adapters.openstack.apis import OpenStackApis, join
from stackward.adapters.openstack.regions import interfaces_of
from stackward.errors import BadInput
from stackward.model.cloud_state import Answered, Catalog, Endpoint, Failed, Failure, Rpc

SAMPLES = Path(__file__).parent / "samples"
TOKEN = {
    "methods": ["password"],
    "user": {"id": "u", "name": "admin", "domain": {"id": "d", "name": "Default"}},
    "expires_at": "2126-01-01T00:00:00.000000Z",
    "issued_at": "2026-01-01T00:00:00.000000Z",
    "project": {"id": "p", "name": "admin", "domain": {"id": "d", "name": "Default"}},
    "roles": [{"id": "r", "name": "admin"}],
}
AGENTS = {
    "agents": [
        {
            "binary": "ovn-controller",
            "host": "c03",
            "heartbeat_timestamp": "2026-11-25 10:48:59",
            "alive": True,
            "admin_state_up": True,
        }
    ]
}
UNAVAILABLE = "The Keystone service is temporarily unavailable."


class Cloud(BaseHTTPRequestHandler):
    """Keystone, and whatever `answers` has by path."""

    answers: dict[str, tuple[int, Any]]
    asked: list[tuple[str, str | None]]
    tokens: list[tuple[str, str | None]]  # the service, and what it was shown
    logins: Iterator[int]
    hangs: threading.Event
    base: str

    @override
    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.answers.get("login", (201, self.with_catalog()))
        self.reply(status, body)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.append((self.path, self.headers.get("OpenStack-API-Version")))
        self.tokens.append((path.split("/")[1], self.headers.get("X-Auth-Token")))
        if path == "/hang":
            self.hangs.wait(20)
        status, body = self.answers.get(path, (200, self.version()))
        self.reply(status, body)

    def version(self) -> object:
        link = {"rel": "self", "href": f"http://{self.headers['Host']}/identity/v3/"}
        return {"version": {"id": "v3.14", "status": "stable", "links": [link]}}

    do_HEAD = do_GET  # noqa: N815  # the base class's own name

    def reply(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        if self.command == "POST":
            self.send_header("X-Subject-Token", f"secret-{next(self.logins)}")
        self.send_header("X-OpenStack-Request-Id", "req-1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def with_catalog(self) -> object:
        url = f"http://{self.headers['Host']}/compute/v2.1"
        entry = {"id": "e", "interface": "public", "region": "RegionOne", "url": url}
        catalog = [{"type": "compute", "name": "nova", "id": "n", "endpoints": [entry]}]
        return {"token": {**TOKEN, "catalog": catalog}}


@pytest.fixture
def cloud() -> Iterator[type[Cloud]]:
    class Own(Cloud):
        answers: dict[str, tuple[int, Any]] = {}  # noqa: RUF012  # one server's own
        asked: list[tuple[str, str | None]] = []  # noqa: RUF012  # same
        tokens: list[tuple[str, str | None]] = []  # noqa: RUF012  # same
        logins = count(1)
        hangs = threading.Event()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Own)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    Own.base = f"http://127.0.0.1:{server.server_address[1]}"
    yield Own
    Own.hangs.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def apis(cloud: type[Cloud], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenStackApis:
    return apis_at(f"{cloud.base}/identity/v3", tmp_path, monkeypatch)


def apis_at(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenStackApis:
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(
        "clouds:\n  here:\n    region_name: RegionOne\n    auth:\n"
        f"      auth_url: {url}\n      username: admin\n      password: lab\n"
        "      project_name: admin\n      user_domain_name: Default\n"
        "      project_domain_name: Default\n"
    )
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    return connect_to_look("here")


def logged_in(apis: OpenStackApis) -> Endpoint:
    _, catalog = apis.log_in(within_s=10)
    assert isinstance(catalog, Catalog)
    endpoint = catalog.endpoint(("compute",))
    assert endpoint is not None
    return endpoint


def test_each_service_is_shown_a_token_that_no_other_has_seen(
    apis: OpenStackApis, cloud: type[Cloud]
) -> None:
    """One that cannot ask Keystone would accept what others have asked about for it."""
    compute = logged_in(apis)
    image = replace(compute, kind="image", url=f"{cloud.base}/image")
    cloud.answers = {"/compute/v2.1/os-services": (200, {"services": []})}
    apis.ask(image, "/v2/images", version=None, within_s=5)
    apis.ask(compute, "/v2.1/servers", version=None, within_s=5)
    apis.heartbeats(compute, "compute", within_s=5)

    shown = [(service, token) for service, token in cloud.tokens if token]
    assert [service for service, _ in shown] == ["image", "compute", "compute"]
    assert len({token for _, token in shown}) == 2
    assert len(set(shown)) == 2


def test_a_login_brings_the_catalog(apis: OpenStackApis) -> None:
    answer, catalog = apis.log_in(within_s=10)

    assert isinstance(answer, Answered)
    assert catalog is not None
    assert [(one.kind, one.region, one.interface) for one in catalog.endpoints] == [
        ("compute", "RegionOne", "public")
    ]


# --- which endpoints are ours -------------------------------------------------------------------


def offers(cloud: type[Cloud], *places: tuple[str, str]) -> None:
    """Let the catalog have Nova in these regions, for these interfaces."""
    entries = [
        {
            "id": f"{region}-{interface}",
            "interface": interface,
            "region": region,
            "region_id": region,
            "url": f"{cloud.base}/{region}/{interface}/v2.1",
        }
        for region, interface in places
    ]
    catalog = [{"type": "compute", "name": "nova", "id": "n", "endpoints": entries}]
    cloud.answers["login"] = (201, {"token": {**TOKEN, "catalog": catalog}})


def openrc(cloud: type[Cloud], patched: pytest.MonkeyPatch, **more: str) -> OpenStackApis:
    """Return the APIs as an openrc file leads to them."""
    usual = {
        "OS_CLIENT_CONFIG_FILE": "/nowhere/clouds.yaml",
        "OS_AUTH_URL": f"{cloud.base}/identity/v3",
        "OS_USERNAME": "admin",
        "OS_PASSWORD": "lab",
        "OS_PROJECT_NAME": "admin",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_IDENTITY_API_VERSION": "3",
    }
    for name, value in {**usual, **more}.items():
        patched.setenv(name, value)
    return connect_to_look(None)


def test_an_openrc_with_the_interface_internalurl_means_internal(
    cloud: type[Cloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kolla's openrc sets both: the clients take the old name, with its old value."""
    offers(cloud, ("RegionOne", "public"), ("RegionOne", "internal"))
    given = {"OS_INTERFACE": "internal", "OS_ENDPOINT_TYPE": "internalURL"}

    endpoint = logged_in(openrc(cloud, monkeypatch, OS_REGION_NAME="RegionOne", **given))

    assert endpoint.url == f"{cloud.base}/RegionOne/internal/v2.1"


@pytest.mark.parametrize(
    ("setting", "meant"),
    [
        pytest.param(None, ("public",), id="none"),
        pytest.param("publicURL", ("public",), id="public, as it was"),
        pytest.param("internalURL", ("internal",), id="internal, as it was"),
        pytest.param("adminURL", ("admin",), id="admin, as it was"),
        pytest.param("admin", ("admin",), id="admin"),
        pytest.param(["internalURL", "public"], ("internal", "public"), id="one before another"),
        pytest.param(["internal", "internalURL"], ("internal",), id="one twice"),
        pytest.param("", ("public",), id="empty"),
    ],
)
def test_which_interfaces_a_setting_means(setting: object, meant: tuple[str, ...]) -> None:
    assert interfaces_of(setting) == meant


def test_the_only_region_need_not_be_named(
    cloud: type[Cloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    offers(cloud, ("Ost", "public"))

    assert logged_in(openrc(cloud, monkeypatch)).region == "Ost"


def test_of_several_regions_one_must_be_named(
    cloud: type[Cloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    offers(cloud, ("RegionTwo", "public"), ("RegionOne", "public"))

    with pytest.raises(BadInput) as refused:
        openrc(cloud, monkeypatch).log_in(within_s=10)

    assert refused.value.details == ("there are `RegionOne`, `RegionTwo`",)
    assert "OS_REGION_NAME" in (refused.value.hint or "")


def test_a_region_that_does_not_exist_is_refused_with_those_that_do(
    cloud: type[Cloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    offers(cloud, ("RegionTwo", "public"), ("RegionOne", "public"))

    with pytest.raises(BadInput) as refused:
        openrc(cloud, monkeypatch, OS_REGION_NAME="regionone").log_in(within_s=10)

    assert refused.value.message == "there is no region `regionone` in the catalog"
    assert refused.value.details == ("it has `RegionOne`, `RegionTwo`",)


def test_a_wrong_password_is_a_refusal(cloud: type[Cloud], apis: OpenStackApis) -> None:
    cloud.answers["login"] = (401, {"error": {"message": "wrong", "code": 401}})

    answer, _ = apis.log_in(within_s=10)

    assert isinstance(answer, Failed)
    assert (answer.how, answer.status) == (Failure.REFUSED, 401)


def test_keystone_without_its_database_answers_an_error(
    cloud: type[Cloud], apis: OpenStackApis
) -> None:
    cloud.answers["login"] = (500, {"error": {"message": "database", "code": 500}})

    answer, _ = apis.log_in(within_s=10)

    assert isinstance(answer, Failed)
    assert (answer.how, answer.status) == (Failure.ERROR, 500)


def test_a_keystone_that_is_not_there_gives_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, _ = apis_at("http://127.0.0.1:9/v3", tmp_path, monkeypatch).log_in(within_s=10)

    assert isinstance(answer, Failed)
    assert (answer.how, answer.says) == (Failure.NO_ANSWER, "[Errno 111] Connection refused")
    assert not answer.is_late


def test_settings_that_cannot_be_used_are_said_at_the_first_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "none.yaml"))

    with pytest.raises(BadInput):
        connect_to_look("nosuch").log_in(within_s=10)


def test_a_list_is_asked_for_at_its_own_version(cloud: type[Cloud], apis: OpenStackApis) -> None:
    endpoint = logged_in(apis)

    answer = apis.ask(endpoint, "/v2.1/servers?limit=1", version="2.96", within_s=10)

    assert isinstance(answer, Answered)
    assert cloud.asked[-1] == ("/compute/v2.1/servers?limit=1", "compute 2.96")


def test_an_error_comes_with_its_words_and_request(cloud: type[Cloud], apis: OpenStackApis) -> None:
    endpoint = logged_in(apis)
    cloud.answers["/compute/v2.1/servers"] = (503, {"message": UNAVAILABLE, "code": 503})

    answer = apis.ask(endpoint, "/v2.1/servers", version=None, within_s=10)

    assert isinstance(answer, Failed)
    assert (answer.how, answer.status, answer.request_id) == (Failure.ERROR, 503, "req-1")
    assert UNAVAILABLE in answer.says


def test_an_endpoint_that_hangs_is_given_up_at_its_deadline(
    cloud: type[Cloud], apis: OpenStackApis
) -> None:
    logged_in(apis)

    answer = apis.reach(f"{cloud.base}/hang", within_s=0.2)

    assert isinstance(answer, Failed)
    assert answer.how is Failure.NO_ANSWER


def test_an_endpoint_that_only_wants_a_token_is_reached(
    cloud: type[Cloud], apis: OpenStackApis
) -> None:
    logged_in(apis)
    cloud.answers["/image"] = (401, {})

    assert isinstance(apis.reach(f"{cloud.base}/image", within_s=10), Answered)


def test_what_reports_to_nova_is_read(cloud: type[Cloud], apis: OpenStackApis) -> None:
    endpoint = logged_in(apis)
    services = json.loads((SAMPLES / "services.json").read_text())
    cloud.answers["/compute/v2.1/os-services"] = (200, services)

    found = apis.heartbeats(endpoint, "compute", within_s=10)

    assert not isinstance(found, Failed)
    assert {(one.binary, one.host) for one in found if one.is_up} >= {("nova-compute", "c01")}


def test_what_reports_to_neutron_is_read_with_its_age(
    cloud: type[Cloud], apis: OpenStackApis
) -> None:
    endpoint = logged_in(apis)
    cloud.answers["/compute/v2.1/v2.0/agents"] = (200, AGENTS)

    found = apis.heartbeats(endpoint, "network", within_s=10)

    assert not isinstance(found, Failed)
    assert found[0].age_s is not None


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(
            (200, {"hypervisor": {"uptime": " 10:00 up 1 day"}}), Rpc.ANSWERED, id="lives"
        ),
        pytest.param((200, {"hypervisor": {"uptime": None}}), Rpc.EMPTY, id="no answer from there"),
        pytest.param(
            (500, {"computeFault": {"message": "<class 'oslo_messaging...MessagingTimeout'>"}}),
            Rpc.EMPTY,
            id="Nova gave it up itself",
        ),
        pytest.param(
            (
                400,
                {"badRequest": {"message": "Compute service of c01 is unavailable at this time"}},
            ),
            Rpc.EMPTY,
            id="Nova calls it down",
        ),
        pytest.param((500, {"computeFault": {"message": "DBError"}}), Rpc.FAILED, id="it failed"),
        pytest.param((503, {"message": "no"}), Rpc.FAILED, id="nothing is behind it"),
        pytest.param((429, {"overLimit": {"message": "slow down"}}), Rpc.FAILED, id="too often"),
        pytest.param((401, {"error": {"message": "who?"}}), Rpc.FAILED, id="it knows no token"),
        pytest.param((403, {"forbidden": {"message": "Policy"}}), Rpc.FORBIDDEN, id="no right"),
        pytest.param((404, {"itemNotFound": {"message": "?"}}), Rpc.NO_SUCH_CALL, id="gone"),
        pytest.param(
            (501, {"notImplemented": {"message": "not supported"}}),
            Rpc.NO_SUCH_CALL,
            id="a driver without it",
        ),
        pytest.param((200, {"hypervisor": []}), Rpc.ODD, id="another answer"),
    ],
)
def test_a_call_over_rpc(
    cloud: type[Cloud], apis: OpenStackApis, answer: tuple[int, Any], outcome: Rpc
) -> None:
    endpoint = logged_in(apis)
    cloud.answers["/compute/v2.1/os-hypervisors/h"] = answer

    assert apis.uptime(endpoint, "h", within_s=10).outcome is outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param((200, {"pools": []}), Rpc.ANSWERED, id="lives"),
        pytest.param((200, {"volumes": []}), Rpc.ODD, id="another answer"),
        pytest.param((403, {"forbidden": {"message": "Policy"}}), Rpc.FORBIDDEN, id="no right"),
        pytest.param((404, {"itemNotFound": {"message": "no"}}), Rpc.NO_SUCH_CALL, id="older"),
        pytest.param((500, {"computeFault": {"message": "oops"}}), Rpc.FAILED, id="it failed"),
        pytest.param((502, {"message": "Bad gateway."}), Rpc.EMPTY, id="Cinder gave it up itself"),
        pytest.param((503, {"message": "no"}), Rpc.FAILED, id="nothing is behind it"),
        pytest.param((429, {"message": "slow down"}), Rpc.FAILED, id="too often"),
    ],
)
def test_a_call_that_its_api_makes(
    cloud: type[Cloud], apis: OpenStackApis, answer: tuple[int, Any], outcome: Rpc
) -> None:
    endpoint = logged_in(apis)
    cloud.answers["/compute/v2.1/v3/scheduler-stats/get_pools"] = answer

    came = apis.call(endpoint, "/v3/scheduler-stats/get_pools", answer="pools", within_s=10)

    assert came.outcome is outcome


def test_backends_that_are_down_are_told_with_the_pools(
    cloud: type[Cloud], apis: OpenStackApis
) -> None:
    endpoint = logged_in(apis)
    states = {"ctl@nfs#a": "down", "ctl@nfs#b": "down", "ctl@ceph#c": "up", "ctl@old#d": None}
    pools = [
        {"name": name, "capabilities": {"backend_state": state} if state else {}}
        for name, state in states.items()
    ]
    cloud.answers["/compute/v2.1/v3/scheduler-stats/get_pools"] = (200, {"pools": pools})

    came = apis.call(endpoint, "/v3/scheduler-stats/get_pools", answer="pools", within_s=10)

    assert came.down == ("ctl@nfs",)


@pytest.mark.parametrize(
    ("base", "path", "joined"),
    [
        pytest.param("http://x:5000", "/v3/projects", "http://x:5000/v3/projects", id="bare"),
        pytest.param(
            "http://x:5000/v3/", "/v3/projects", "http://x:5000/v3/projects", id="versioned"
        ),
        pytest.param(
            "http://x/volume/v3/p1",
            "/v3/volumes?limit=1",
            "http://x/volume/v3/p1/volumes?limit=1",
            id="with a project",
        ),
        pytest.param("http://x:8080/v1/AUTH_p", "", "http://x:8080/v1/AUTH_p", id="an account"),
    ],
)
def test_paths_are_added_to_endpoints_of_every_form(base: str, path: str, joined: str) -> None:
    assert join(base, path) == joined


# --- certificates -------------------------------------------------------------------------------


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[int, datetime]]:
    """Open a door with a certificate, and say until when that holds."""
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=12)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cloud.example")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(until - timedelta(days=90))
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "door.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_address[1], until
    server.shutdown()
    server.server_close()


def test_until_when_a_certificate_holds_is_read_also_of_one_that_nobody_trusts(
    apis: OpenStackApis, secured: tuple[int, datetime]
) -> None:
    port, until = secured

    assert apis.expiry("127.0.0.1", port, within_s=10) == until
