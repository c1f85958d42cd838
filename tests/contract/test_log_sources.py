"""Nodes and collected logs answer the scanner alike."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.logs import LogsAtWork, LogSourceContract
from ssh_stand_in import RUNS, put_ssh
from stackward.adapters.clock import SystemClock
from stackward.adapters.collected import open_collected
from stackward.adapters.ssh import Ssh
from stackward.facts.node_logs import NodeLogs
from stackward.model.inventory import Inventory, Node

NODES = Inventory(
    source="inventory",
    nodes=(
        Node(name="here", address="here", is_local=True),
        Node(name="c01", address="10.77.1.11"),
    ),
)


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def shell() -> Iterator[Ssh]:
    opened = Ssh(NODES)
    yield opened
    opened.close()


def of_node(shell: Ssh, node: str, folder: Path) -> LogsAtWork:
    folder.mkdir()
    return LogsAtWork(NodeLogs(shell, SystemClock(), [node]), node, folder, [str(folder)])


class TestHere(LogSourceContract):
    """The machine on which Stackward runs."""

    @pytest.fixture
    def at_work(self, shell: Ssh, tmp_path: Path) -> LogsAtWork:
        return of_node(shell, "here", tmp_path / "logs")


class TestOverSsh(LogSourceContract):
    """A node that a login greets."""

    @pytest.fixture
    def at_work(self, shell: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LogsAtWork:
        put_ssh(tmp_path, RUNS)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return of_node(shell, "c01", tmp_path / "logs")


class TestCollected(LogSourceContract):
    """Logs that were collected."""

    @pytest.fixture
    def at_work(self, tmp_path: Path) -> Iterator[LogsAtWork]:
        folder = tmp_path / "c01/var/log"
        folder.mkdir(parents=True)
        with open_collected(tmp_path) as source:
            yield LogsAtWork(source, "c01", folder, ["/"])
