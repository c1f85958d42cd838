"""A machine is called at its addresses by other nodes: the script itself, and how it is read."""

import json
import socket
import subprocess  # noqa: TID251  # the script as a process
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import stackward
from stackward.errors import NotUnderstood
from stackward.model.witness import Sign, Witnesses
from stackward.status.witnesses import parse_hail, script

HAIL = Path(stackward.__file__).parent / "status/on_node/hail.py"


def called(*addresses: str) -> dict[str, dict[str, object]]:
    """Run the script here, as it is run on a node."""
    asked = json.dumps({"addresses": addresses, "within_s": 1})
    answer = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-I", "-", asked],
        input=script(),
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, dict[str, object]] = json.loads(answer.stdout)["told"]
    return told


@pytest.fixture
def nothing_listens() -> Iterator[str]:
    """Return an address of this machine where nothing takes connections at port 22."""
    address = "127.9.8.7"
    with socket.socket() as probe:
        assert probe.connect_ex((address, 22)) != 0, "an sshd listens on all addresses here"
        yield address


def test_a_port_that_refuses_is_an_answer(nothing_listens: str) -> None:
    assert called(nothing_listens)[nothing_listens]["ssh"] == "refused"


def test_a_port_that_takes_a_connection_and_says_nothing_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A kernel whose processes are frozen takes connections all the same."""
    spec = spec_from_file_location("hail", HAIL)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(module, "SSH", server.getsockname()[1])

        assert module.knock("127.0.0.1", 1.0) == "open"


def test_an_address_of_its_own_is_told(nothing_listens: str) -> None:
    told = called(nothing_listens, "192.0.2.1")

    assert told[nothing_listens]["own"] is True
    assert told["192.0.2.1"]["own"] is False


def test_a_name_that_leads_nowhere_is_not_called() -> None:
    assert str(called("no-such-host.invalid")["no-such-host.invalid"]["ssh"]).startswith("not sent")


def test_what_a_login_prints_is_none_of_the_answer() -> None:
    told = {"10.0.0.7": {"own": False, "ssh": "silent", "ping": None}}

    assert (
        parse_hail(f"Welcome\n{json.dumps({'version': 1, 'told': told})}\n", ["10.0.0.7"]) == told
    )


@pytest.mark.parametrize(
    "out",
    [
        pytest.param("", id="nothing"),
        pytest.param('{"version": 1, "told": {}}', id="an address is missing"),
        pytest.param(
            '{"version": 1, "told": {"10.0.0.7": {"own": 0, "ssh": "silent", "ping": null}}}',
            id="another form",
        ),
    ],
)
def test_an_odd_answer_is_no_silence(out: str) -> None:
    with pytest.raises(NotUnderstood):
        parse_hail(out, ["10.0.0.7"])


@pytest.mark.parametrize(
    ("given", "sign"),
    [
        pytest.param(Witnesses(heard=("a",), silent=("b",)), Sign.YES, id="one answers"),
        pytest.param(Witnesses(silent=("a", "b")), Sign.NO, id="all were called, none answers"),
        pytest.param(Witnesses(silent=("a",), unknown=("b",)), Sign.UNKNOWN, id="one not called"),
        pytest.param(Witnesses(), Sign.UNKNOWN, id="nobody called"),
    ],
)
def test_silence_is_a_sign_only_where_all_was_called(given: Witnesses, sign: Sign) -> None:
    assert given.sign is sign
