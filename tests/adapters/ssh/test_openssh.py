"""The system's own OpenSSH where it does not come to a command: no node, and none is needed."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stackward.adapters.ssh import Ssh
from stackward.errors import Unreachable
from stackward.model.blind import Blind
from stackward.model.inventory import Inventory, Node, SshAccess
from stackward.ports.login import why_not

BY_ITSELF = ("-F", "none")  # whatever the one who runs the tests has set


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def nobody() -> Iterator[int]:
    """Given a port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


def asked(*options: str, port: int) -> Unreachable:
    """Return how a command was refused, with these options for ssh."""
    access = SshAccess(options=(*BY_ITSELF, *options, "-p", str(port)))
    node = replace(Node(name="c01", address="127.0.0.1"), ssh=access)
    shell = Ssh(Inventory(source="inventory", nodes=(node,)))
    try:
        with pytest.raises(Unreachable) as caught:
            shell.run("c01", ["true"], within_s=30)
    finally:
        shell.close()
    return caught.value


@pytest.mark.parametrize(
    ("options", "kind", "line"),
    [
        pytest.param((), Blind.NO_SSHD, "ssh: connect to host 127.0.0.1 port", id="no sshd"),
        pytest.param(
            ("-E", "/dev/null"),
            Blind.NO_SSHD,
            "ssh: connect to host 127.0.0.1 port",
            id="the inventory has another file for its words",
        ),
        pytest.param(
            ("-o", "LogLevel=ERROR"),
            Blind.NO_SSHD,
            "ssh: connect to host 127.0.0.1 port",
            id="fewer words",
        ),
        pytest.param(
            ("-vv",), Blind.NO_SSHD, "ssh: connect to host 127.0.0.1 port", id="many words"
        ),
        pytest.param(
            ("-o", "ProxyCommand=false"),
            Blind.UNREACHABLE,
            # It writes its banner first: before the end of what leads to the node, or after that.
            ("Connection closed by UNKNOWN port", "banner exchange: Connection to UNKNOWN port"),
            id="not past the jump host, whose words ssh drops where connections are shared",
        ),
        pytest.param(
            ("-o", "Foo=bar"), Blind.SETTINGS, "command-line: line 0: Bad config", id="an option"
        ),
        pytest.param(("-Z",), Blind.SETTINGS, "unknown option -- Z", id="a flag"),
        pytest.param(("-p", "x"), Blind.SETTINGS, "Bad port 'x'", id="a port"),
        pytest.param(("-c", "none1"), Blind.SETTINGS, "Unknown cipher type", id="a cipher"),
        pytest.param(("-J", "a:b:c"), Blind.SETTINGS, "Invalid -J argument", id="a jump host"),
        pytest.param(("-y",), Blind.SETTINGS, "Can't specify both -y and -E", id="to the syslog"),
    ],
)
def test_why_ssh_did_not_begin_is_told_by_its_own_words(
    temporary: Path,
    nobody: int,
    options: tuple[str, ...],
    kind: Blind,
    line: str | tuple[str, ...],
) -> None:
    refused = asked(*options, port=nobody)

    told, words = why_not(refused.says or "")
    assert told is kind
    assert words.startswith(line)
    assert list(temporary.iterdir()) == []


def test_a_file_of_settings_that_is_not_there_is_named(nobody: int) -> None:
    options = ("-F", "/no/such/settings")

    refused = asked(*options, port=nobody)

    assert why_not(refused.says or "")[0] is Blind.SETTINGS


def test_where_ssh_cannot_write_its_own_words_nothing_was_sent(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, nobody: int
) -> None:
    """It ends with 1 then, as a command may."""
    monkeypatch.setattr("stackward.adapters.ssh._OWN", "no/such/folder")

    refused = asked(port=nobody)

    assert (refused.says or "").startswith("Couldn't open logfile")
    assert list(temporary.iterdir()) == []
