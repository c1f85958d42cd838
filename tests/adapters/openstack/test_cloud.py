"""The adapter against recorded answers of a real cloud (2025.1), and against failures.

The answers were recorded from the lab; addresses were replaced.
"""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from keystoneauth1.adapter import Adapter
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session
from typing_extensions import override

from fakes.clock import FakeClock
from stackward.adapters.openstack import connect, nova_answers, placement
from stackward.adapters.openstack.http import Api
from stackward.adapters.openstack.patience import Patience
from stackward.errors import (
    BadInput,
    Refused,
    StackwardError,
    StepFailed,
    Uncertain,
    Unreachable,
)
from stackward.model.flavor import Flavor
from stackward.model.placement import Need

SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> dict[str, Any]:
    loaded = json.loads((SAMPLES / f"{name}.json").read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_a_server_is_read() -> None:
    server = nova_answers.to_server(sample("servers")["servers"][0])

    assert (server.name, server.status, server.vm_state, server.host) == (
        "load-5",
        "ACTIVE",
        "active",
        "c01",
    )
    assert server.flavor == Flavor(name="tiny", vcpus=1, ram_mib=128)
    assert (server.has_image, server.pinned_zone, server.image_properties) == (True, None, None)


def test_a_paused_server_is_read_as_it_is() -> None:
    server = nova_answers.to_server(sample("servers")["servers"][1])

    assert (server.status, server.power_state) == ("PAUSED", 3)


def test_of_a_servers_user_data_nothing_is_taken_over() -> None:
    given = sample("servers")["servers"][0] | {"OS-EXT-SRV-ATTR:user_data": "IyEvYmluL3No"}

    assert "IyEvYmluL3No" not in repr(nova_answers.to_server(given))


def test_words_that_anybody_may_have_written_are_read_without_their_secrets() -> None:
    words = {"locked_reason": "password=hush", "fault": {"message": "amqp://nova:hush@ctl"}}

    server = nova_answers.to_server(sample("servers")["servers"][0] | words)

    assert (server.locked_reason, server.fault) == ("password=***", "amqp://nova:***@ctl")


def test_a_field_left_out_for_want_of_rights_is_an_error() -> None:
    given = sample("servers")["servers"][0]
    del given["OS-EXT-SRV-ATTR:host"]

    with pytest.raises(KeyError):
        nova_answers.to_server(given)


def test_services_are_read() -> None:
    services = map(nova_answers.to_service, sample("services")["services"])

    assert [(one.binary, one.host) for one in services if one.is_up and one.is_enabled] == [
        ("nova-scheduler", "ctl"),
        ("nova-conductor", "ctl"),
        ("nova-compute", "c02"),
        ("nova-compute", "c01"),
    ]


def test_a_hypervisor_is_read_with_its_cpu() -> None:
    own = nova_answers.to_hypervisor(sample("hypervisors")["hypervisors"][1])

    assert (own.host, own.kind, own.version, own.cpu_model) == ("c01", "QEMU", 10000013, "kvm64-v1")
    assert own.has_domains


def test_candidates_are_read_with_what_is_used_of_each() -> None:
    found = placement.to_candidates(sample("candidates"))

    assert len(found) == 2
    assert (found[0].capacity["MEMORY_MB"], found[0].used["MEMORY_MB"]) == (31080, 384)
    assert "HW_CPU_X86_SSE2" in found[0].traits


def test_inventories_are_read_with_their_capacity() -> None:
    inventories = placement.to_inventories(sample("provider-inventories"))

    assert inventories["MEMORY_MB"].capacity == 31080


def test_placement_is_asked_as_novas_scheduler_asks_it() -> None:
    need = Need(
        resources=(("MEMORY_MB", 128), ("VCPU", 1)),
        required=("CUSTOM_SSD",),
        forbidden=("COMPUTE_STATUS_DISABLED",),
        further=(("resources1", "VGPU:1"),),
    )

    assert placement.to_query(need, ["in:a,b"], 1000) == [
        ("limit", "1000"),
        ("resources1", "VGPU:1"),
        ("resources", "MEMORY_MB:128,VCPU:1"),
        ("required", "CUSTOM_SSD,!COMPUTE_STATUS_DISABLED"),
        ("member_of", "in:a,b"),
        ("group_policy", "none"),
    ]


def test_an_action_and_a_group_are_read() -> None:
    assert nova_answers.to_action(sample("actions")["instanceActions"][0]).action == "create"
    assert nova_answers.to_group(sample("groups")["server_groups"][0]).policy == "anti-affinity"


# --- failures: a small server of our own answers ---


class Answers(BaseHTTPRequestHandler):
    """Answers each path with the code that it names."""

    seen: list[tuple[str, str | None]]

    def _answer(self) -> None:
        if self.path == "/":  # where versions are listed
            self.send_error(404)
            return
        self.seen.append((self.command, self.headers.get("X-OpenStack-Nova-API-Version")))
        if self.path == "/hang-up":
            self.connection.close()
            return
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        code = int(self.path.strip("/").partition("?")[0])
        body = json.dumps({"conflictingRequest": {"code": code, "message": "no, because"}})
        self.send_response(code)
        self.send_header("x-openstack-request-id", "req-1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = _answer  # noqa: N815  # http.server's names

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on stderr."""


def an_api(adapter: Adapter) -> Api:
    patience = Patience(clock=FakeClock())
    return Api(lambda: adapter, service="Nova", patience=patience, version="2.96")


@pytest.fixture
def api() -> Iterator[Api]:
    """Return an API of our own on this machine."""
    Answers.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    adapter = Adapter(
        Session(auth=NoAuth(endpoint=f"http://127.0.0.1:{server.server_port}")),
        service_type="compute",
        endpoint_override=f"http://127.0.0.1:{server.server_port}",
    )
    yield an_api(adapter)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param(403, Refused, id="not allowed: refused"),
        pytest.param(406, Refused, id="too old for the version: refused"),
        pytest.param(503, Unreachable, id="overloaded: safe to repeat"),
    ],
)
def test_how_a_failed_reading_is_sorted(
    api: Api, code: int, expected: type[StackwardError]
) -> None:
    with pytest.raises(expected) as caught:
        api.read(f"/{code}", dict)

    assert (caught.value.says, caught.value.request_id) == ("no, because", "req-1")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/409", Uncertain, id="busy already: look again"),
        pytest.param("/400", StepFailed, id="no"),
        pytest.param("/500", Uncertain, id="it failed: it may have done a part"),
        pytest.param("/504", Uncertain, id="a gateway gave up: it may go on"),
        pytest.param("/hang-up", Uncertain, id="the answer was lost"),
    ],
)
def test_how_a_failed_change_is_sorted(api: Api, path: str, expected: type[StackwardError]) -> None:
    with pytest.raises(expected):
        api.change("POST", path, {})

    assert [method for method, _ in Answers.seen] == ["POST"]


def test_a_conflict_keeps_the_words_of_the_service(api: Api) -> None:
    with pytest.raises(Uncertain) as caught:
        api.change("POST", "/409", {})

    assert (caught.value.says, caught.value.request_id) == ("no, because", "req-1")


def test_what_is_not_there_is_found_to_be_none(api: Api) -> None:
    assert api.find("/404", dict) is None


def test_a_change_is_known_by_the_id_of_its_request(api: Api) -> None:
    assert api.change("POST", "/202", {}) == "req-1"


def test_every_call_names_its_version(api: Api) -> None:
    api.find("/404", dict)

    assert Answers.seen == [("GET", "2.96")]


def test_a_change_that_was_never_sent_is_safe_to_repeat() -> None:
    session = Session(auth=NoAuth(endpoint="http://127.0.0.1:1"))
    adapter = Adapter(session, service_type="compute", endpoint_override="http://127.0.0.1:1")

    with pytest.raises(Unreachable):
        an_api(adapter).change("POST", "/servers/x/action", {})


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        pytest.param({}, "auth_url", id="nothing"),
        pytest.param({"auth_type": "magic"}, "magic", id="a plugin that is not there"),
        pytest.param(
            {"auth": {"auth_url": "http://127.0.0.1:9/v3", "username": "u", "project_name": "p"}},
            "password",
            id="no password",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: dict[str, object], says: str
) -> None:
    file = tmp_path / "clouds.yaml"
    file.write_text(json.dumps({"clouds": {"mine": entry}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))

    with pytest.raises(BadInput) as refused:
        connect("mine")

    assert refused.value.message == "the settings of the cloud `mine` cannot be used"
    assert says in (refused.value.says or "")
    assert "clouds.yaml" in (refused.value.hint or "")
