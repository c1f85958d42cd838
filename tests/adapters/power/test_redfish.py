"""A BMC asked by Redfish: the lab's emulator, and servers that answer what no BMC should."""

import json
import ssl
import subprocess  # noqa: TID251  # openssl makes a certificate
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from contract.power import PowerAtWork, PowerContract
from lab_unit.test_bmc import PASSWORD, Rack, SleepChassis, a_rack, answers, wait_for
from stackward.adapters.power import Devices
from stackward.adapters.power.logins import Logins
from stackward.adapters.power.redfish import Redfish
from stackward.errors import (
    NotUnderstood,
    Refused,
    StackwardError,
    StepFailed,
    Uncertain,
    Unreachable,
)
from stackward.lab.bmc import Bmc, Fault, FaultKind, ResetType, break_bmc, mend_bmc, reset
from stackward.model.hardware import Hardware
from stackward.model.power import PowerReturns, PowerState
from stackward.overriding import override

ON, OFF = PowerState.ON, PowerState.OFF
SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


def logins_in(folder: Path) -> Logins:
    write_logins(folder, PASSWORD)
    return Logins(folder / "bmc-auth")


def write_logins(folder: Path, password: str) -> None:
    file = folder / "bmc-auth"
    file.write_text(f"default login admin password {password}\n")
    file.chmod(0o600)


# --- the lab's emulator ---


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rack]:
    with a_rack(tmp_path_factory.mktemp("rack"), "c01", "c02") as rack:
        wait_for(lambda: all(answers(bmc) for bmc in rack.bmcs))
        yield rack


@pytest.fixture
def bmc(rack: Rack) -> Iterator[Bmc]:
    """Hand out the BMC of a node that is on, and make it well again afterwards."""
    bmc = rack.bmcs[0]
    for each in rack.bmcs:
        reset(each, PASSWORD, ResetType.ON)
    yield bmc
    mend_bmc(bmc)
    wait_for(lambda: answers(bmc))
    for each in rack.bmcs:
        reset(each, PASSWORD, ResetType.FORCE_OFF)


def power_of(bmc: Bmc, folder: Path) -> Devices:
    url = f"{bmc.url}{bmc.system_path}"
    return Devices({bmc.node: (Redfish(url=url, logins=logins_in(folder)),)})


class TestRedfish(PowerContract):
    """A BMC that speaks Redfish."""

    @pytest.fixture
    def at_work(self, bmc: Bmc, rack: Rack, tmp_path: Path) -> PowerAtWork:
        return PowerAtWork(
            power=power_of(bmc, tmp_path),
            node="c01",
            is_on=SleepChassis(rack.folder, "c01").is_on,
            make_deaf=lambda: break_bmc(bmc, Fault(FaultKind.DEAF)),
            make_stuck=lambda: break_bmc(bmc, Fault(FaultKind.STUCK)),
            refuse_login=lambda: write_logins(tmp_path, "wrong-password"),
        )


def test_a_bmc_says_whose_power_it_switches(bmc: Bmc, tmp_path: Path) -> None:
    told = power_of(bmc, tmp_path).describe("c01")

    assert told.hardware == Hardware(uuid=bmc.system_uuid, macs=frozenset(bmc.macs))
    assert told.power_returns is PowerReturns.OFF
    assert "ForceOff" in told.reset_types


def test_a_bmc_with_a_wrong_cable_says_so(bmc: Bmc, rack: Rack, tmp_path: Path) -> None:
    break_bmc(bmc, Fault(FaultKind.WRONG_NODE, node="c02"))
    power = power_of(bmc, tmp_path)

    power.order_off("c01")

    assert power.describe("c01").hardware.macs == set(rack.bmcs[1].macs)
    assert power.state("c01") is OFF
    assert [SleepChassis(rack.folder, each).is_on() for each in ("c01", "c02")] == [True, False]


def test_a_bmc_that_lies_says_off_of_a_living_node(bmc: Bmc, rack: Rack, tmp_path: Path) -> None:
    break_bmc(bmc, Fault(FaultKind.LIES_OFF))
    power = power_of(bmc, tmp_path)
    before = power.state("c01")

    power.order_off("c01")

    assert (before, power.state("c01")) == (ON, OFF)
    assert SleepChassis(rack.folder, "c01").is_on()


def test_a_slow_bmc_is_waited_for(bmc: Bmc, tmp_path: Path) -> None:
    break_bmc(bmc, Fault(FaultKind.SLOW, 0.5))

    assert power_of(bmc, tmp_path).state("c01", within_s=10) is ON


def test_a_bmc_that_is_slower_than_its_time_is_not_known(bmc: Bmc, tmp_path: Path) -> None:
    break_bmc(bmc, Fault(FaultKind.SLOW, 5))

    with pytest.raises(Unreachable, match="does not answer in time"):
        power_of(bmc, tmp_path).state("c01", within_s=0.5)


def test_the_only_system_of_a_bmc_needs_no_path(bmc: Bmc, tmp_path: Path) -> None:
    named = Redfish(url=f"{bmc.url}/", logins=logins_in(tmp_path))

    assert named.state(10) is ON


def test_nobody_listens(tmp_path: Path, bmc: Bmc) -> None:
    away = replace(bmc, address="127.77.99.99")

    with pytest.raises(Unreachable, match="no connection"):
        power_of(away, tmp_path).order_off("c01")


# --- servers that answer what they are told ---


@dataclass
class Script:
    """What a server answers, and what it was asked; an answer of None hangs up."""

    system: dict[str, object] | bytes
    to_order: tuple[int, dict[str, object]] | None = (204, {})
    then: dict[str, object] | None = None  # the system after an order
    asked: list[str] = field(default_factory=list)


def a_system(power: object = "On", **more: object) -> dict[str, object]:
    return {
        "@odata.id": SYSTEM,
        "Id": "1",
        "Name": "node",
        "PowerState": power,
        "Actions": {
            "#ComputerSystem.Reset": {
                "target": RESET,
                "ResetType@Redfish.AllowableValues": ["On", "ForceOff"],
            }
        },
        **more,
    }


@contextmanager
def serving(script: Script, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve it on this machine; return its URL."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.asked.append(f"GET {self.path}")
            system = script.system
            self._say(200, system if isinstance(system, bytes) else json.dumps(system).encode())

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            script.asked.append(f"POST {self.rfile.read(length).decode()}")
            script.system = script.then or script.system
            if script.to_order is None:
                self.close_connection = True
                self.connection.close()
                return
            status, body = script.to_order
            self._say(status, json.dumps(body).encode())

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}{SYSTEM}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def asking(script: Script, folder: Path) -> Iterator[Redfish]:
    with serving(script) as url:
        yield Redfish(url=url, logins=logins_in(folder))


CONFLICT: tuple[int, dict[str, object]] = (
    HTTPStatus.CONFLICT.value,
    {"error": {"message": "already off"}},
)


def test_a_conflict_on_a_machine_that_is_off_already_is_fine(tmp_path: Path) -> None:
    with asking(Script(a_system("Off"), CONFLICT), tmp_path) as bmc:
        bmc.order_off(5)


def test_a_conflict_on_a_machine_that_is_on_is_refused_in_the_bmcs_words(tmp_path: Path) -> None:
    with (
        asking(Script(a_system("On"), CONFLICT), tmp_path) as bmc,
        pytest.raises(Refused) as raised,
    ):
        bmc.order_off(5)

    assert "already off" in str(raised.value.says)


def test_only_force_off_is_sent_and_only_once(tmp_path: Path) -> None:
    script = Script(a_system())
    with asking(script, tmp_path) as bmc:
        bmc.order_off(5)

    assert script.asked == [f"GET {SYSTEM}", 'POST {"ResetType": "ForceOff"}']


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(None, Uncertain, id="it hangs up: it may have done it"),
        pytest.param((500, {}), StepFailed, id="it fails"),
        pytest.param((503, {"error": {"message": "SYS518"}}), StepFailed, id="it is not ready"),
        pytest.param((403, {}), Refused, id="this account may not"),
    ],
)
def test_an_order_that_goes_wrong_is_sent_once(
    answer: tuple[int, dict[str, object]] | None, error: type[StackwardError], tmp_path: Path
) -> None:
    script = Script(a_system(), answer)

    with asking(script, tmp_path) as bmc, pytest.raises(error):
        bmc.order_off(5)

    assert len([each for each in script.asked if each.startswith("POST")]) == 1


def test_a_bmc_without_force_off_is_refused_and_nothing_else_is_ordered(tmp_path: Path) -> None:
    system = a_system(
        Actions={
            "#ComputerSystem.Reset": {
                "target": RESET,
                "ResetType@Redfish.AllowableValues": ["On", "GracefulShutdown"],
            }
        }
    )
    script = Script(system)

    with asking(script, tmp_path) as bmc, pytest.raises(Refused, match="does not have"):
        bmc.order_off(5)

    assert script.asked == [f"GET {SYSTEM}"]


@pytest.mark.parametrize("state", ["PoweringOff", "PoweringOn", "Paused"])
def test_what_is_on_its_way_is_on(state: str, tmp_path: Path) -> None:
    with asking(Script(a_system(state)), tmp_path) as bmc:
        assert bmc.state(5) is ON


@pytest.mark.parametrize(
    "system",
    [
        pytest.param(a_system(None), id="null"),
        pytest.param(a_system("off"), id="no word of Redfish"),
        pytest.param(a_system(["Off"]), id="a list"),
        pytest.param({}, id="nothing"),
        pytest.param(b"[1]", id="no object"),
        pytest.param(b"<html>login</html>", id="a page"),
    ],
)
def test_an_unclear_answer_is_no_state(system: dict[str, object] | bytes, tmp_path: Path) -> None:
    with asking(Script(system), tmp_path) as bmc, pytest.raises(NotUnderstood):
        bmc.state(5)


@pytest.mark.parametrize("elsewhere", ["https://192.0.2.9/reset", "//192.0.2.9/reset"])
def test_the_login_is_not_sent_to_where_a_bmc_leads(elsewhere: str, tmp_path: Path) -> None:
    system = a_system(Actions={"#ComputerSystem.Reset": {"target": elsewhere}})

    with (
        asking(Script(system), tmp_path) as bmc,
        pytest.raises(NotUnderstood, match="leads to another place"),
    ):
        bmc.order_off(5)


def test_a_bmc_that_does_not_list_its_orders_is_not_said_to_have_any(tmp_path: Path) -> None:
    system = a_system(Actions={"#ComputerSystem.Reset": {"target": RESET}})
    with asking(Script(system), tmp_path) as bmc:
        told = bmc.describe(5)

    assert (told.reset_types, told.can_force_off) == ((), None)


def test_a_password_is_not_sent_over_the_network_in_the_clear(tmp_path: Path) -> None:
    bmc = Redfish(url=f"http://192.0.2.7{SYSTEM}", logins=logins_in(tmp_path))

    with pytest.raises(Refused, match="without TLS"):
        bmc.state(5)


def test_a_device_without_a_login_is_named(tmp_path: Path) -> None:
    bmc = Redfish(url=f"https://192.0.2.7{SYSTEM}", logins=Logins(tmp_path / "none"))

    with pytest.raises(Refused, match=r"no login for the device at `192\.0\.2\.7`"):
        bmc.state(5)


# --- TLS ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make what a BMC makes for itself: vouched for by nobody, for a name of its own."""
    file = tmp_path_factory.mktemp("tls") / "bmc.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=BMC", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(  # noqa: S603  # same
        [*words, "-keyout", str(file), "-out", str(file.with_suffix(".crt"))],
        check=True,
        capture_output=True,
    )
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


def fingerprint_of(certificate: Path) -> str:
    pem = certificate.with_suffix(".crt").read_text()
    return sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


@pytest.fixture
def secured(certificate: Path, tmp_path: Path) -> Iterator[Redfish]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(Script(a_system()), context) as url:
        yield Redfish(url=url, logins=logins_in(tmp_path))


def test_a_certificate_that_nobody_vouches_for_is_refused(secured: Redfish) -> None:
    with pytest.raises(Refused, match="not trusted: nothing was asked"):
        secured.state(5)


def test_a_certificate_that_the_named_file_vouches_for_is_trusted(
    secured: Redfish, certificate: Path
) -> None:
    bmc = replace(secured, authorities=certificate.with_suffix(".crt"))

    assert bmc.state(5) is ON


def test_a_pinned_certificate_is_trusted(secured: Redfish, certificate: Path) -> None:
    assert replace(secured, fingerprint=fingerprint_of(certificate)).state(5) is ON


def test_another_certificate_than_the_pinned_one_is_refused(secured: Redfish) -> None:
    with pytest.raises(Refused, match="not trusted"):
        replace(secured, fingerprint="ab" * 32).state(5)
