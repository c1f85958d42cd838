"""A terminal or a pipe that is not UTF-8: what it has no letters for is spelled out, nothing fails.

So on a console of old, under cron, in a container and over some jump hosts.
"""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from builders import a_server
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.cli import main
from stackward.model.inventory import Inventory
from stackward.ports.world import World

NAME = "数据库-主库 \U0001f525 é"
SPELLED = r"\u6570\u636e\u5e93-\u4e3b\u5e93 \ud83d\udd25"
DRAIN = ("node", "drain", "compute-07", "--reason", "x", "--dry-run")
ENCODINGS = pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])


class Terminal:
    """Standard output and standard error in an encoding of their own."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.out, self.err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))

    def shown(self, stream: io.TextIOWrapper) -> str:
        """Return what it was sent, as it shows it."""
        stream.flush()
        buffer = stream.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode(self.encoding)


def drain(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str, *options: str
) -> tuple[int, str, str]:
    """Plan a drain at such a terminal; return its code and what it shows."""
    (tmp_path / "inventory").write_text("compute-07\n")
    cloud = FakeCloud()
    cloud.nova.add(a_server(name=NAME))
    terminal = Terminal(encoding)
    for name, value in (("STATE_DIR", tmp_path), ("INVENTORY", tmp_path / "inventory")):
        monkeypatch.setenv(f"STACKWARD_{name}", str(value))
    monkeypatch.setattr(sys, "stdout", terminal.out)
    monkeypatch.setattr(sys, "stderr", terminal.err)

    @contextmanager
    def open_world(_known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        yield replace(a_world(cloud, FakeShell(cloud)), acting=None)

    code = main([*DRAIN, *options], open_world=open_world)
    return code, terminal.shown(terminal.out), terminal.shown(terminal.err)


@ENCODINGS
@pytest.mark.parametrize("form", ["table", "value", "csv", "json", "yaml"])
def test_every_form_is_written_on_any_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str, form: str
) -> None:
    code, out, err = drain(monkeypatch, tmp_path, encoding, "-f", form)

    assert (code, "defect" in err) == (0, False)
    assert NAME[:3] in out or SPELLED[:18] in out.casefold()


@ENCODINGS
def test_json_and_yaml_read_as_the_same_text_whatever_the_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
) -> None:
    _, as_json, _ = drain(monkeypatch, tmp_path, encoding, "-f", "json")
    _, as_yaml, _ = drain(monkeypatch, tmp_path, encoding, "-f", "yaml")

    assert json.loads(as_json) == yaml.safe_load(as_yaml)
    assert NAME in str(json.loads(as_json))


def test_a_value_and_a_cell_are_spelled_out_where_there_are_no_letters(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, value, _ = drain(monkeypatch, tmp_path, "latin-1", "-f", "value", "-c", "Server")
    _, cells, _ = drain(monkeypatch, tmp_path, "latin-1", "-f", "csv", "-c", "Server")

    assert value == f"{SPELLED} é\n"
    assert list(csv.reader(io.StringIO(cells))) == [["Server"], [f"{SPELLED} é"]]


@ENCODINGS
def test_an_error_is_written_on_any_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
) -> None:
    code, _, err = drain(monkeypatch, tmp_path, encoding, "--leave-behind", NAME + "?")

    assert (code, err.startswith("error: ")) == (3, True)


# --- as a process of its own --------------------------------------------------------------------

PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
RUN = "from stackward.cli import main; raise SystemExit(main())"


def stackward(
    place: Path, own: dict[str, str], *words: bytes
) -> "subprocess.CompletedProcess[bytes]":
    inventory = place / "inventory"
    inventory.write_text("[compute]\ncompute-07\n", encoding="utf-8")
    settings = {"STACKWARD_STATE_DIR": str(place), "STACKWARD_INVENTORY": str(inventory)}
    return subprocess.run(
        [sys.executable.encode(), b"-c", RUN.encode(), *words],
        env={**os.environ, **settings, **own},
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "own",
    [
        pytest.param({"PYTHONIOENCODING": "latin-1"}, id="latin-1"),
        pytest.param(PLAIN, id="the locale C, as Python had it of old"),
        pytest.param({"LC_ALL": "C"}, id="the locale C"),
    ],
)
def test_help_and_errors_need_no_utf8(tmp_path: Path, own: dict[str, str]) -> None:
    helped = stackward(tmp_path, own, b"node", b"drain", b"--help")
    missing = stackward(tmp_path, own, b"node", b"list", b"-c", "數據".encode())

    assert (helped.returncode, missing.returncode) == (0, 2)
    assert b"defect" not in missing.stderr


def test_a_word_in_another_encoding_is_refused_and_shown(tmp_path: Path) -> None:
    ended = stackward(tmp_path, {"LC_ALL": "C.UTF-8"}, b"node", b"list", b"-c", b"caf\xe9")

    assert ended.returncode == 2
    assert ended.stderr.startswith(rb"error: `caf\udce9` is no text in this terminal's encoding")
