"""A drain among planted secrets: none is printed, journaled, kept in a plan, or logged."""

import io
import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from builders import a_server, an_id
from engine.fakes import FakeClock
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward import masking
from stackward.adapters import openstack
from stackward.adapters.store.listing import FILE, list_runs
from stackward.cli import main
from stackward.errors import StepFailed, Unreachable
from stackward.lab.waiting import wait_until
from stackward.model.inventory import Inventory
from stackward.ports.world import World

TOKEN = "gAAAAABnPlanted0Rr1vTqZ-9_bq3mUo8eXWJ"  # noqa: S105  # planted, to be looked for
PASSWORD = "Planted-pa55-environment"  # noqa: S105  # same
METADATA = "planted-metadata"
IN_URL = "planted-url"
OWNERS = "planted-owner"
PLANTED = (TOKEN, PASSWORD, METADATA, IN_URL, OWNERS, "planted-yaml")

SAYS = f"X-Auth-Token: {TOKEN} at https://nova:{IN_URL}@ctl:8774/ for {PASSWORD}"


@dataclass
class Site:
    """A cloud with secrets in every corner, and the command line that is pointed at it."""

    state_dir: Path
    capsys: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture
    cloud: FakeCloud = field(default_factory=FakeCloud)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        metadata = (("db_password", METADATA),)
        self.cloud.nova.add(
            a_server(
                name="db-01", metadata=metadata, is_locked=True, locked_reason=f"secret={OWNERS}"
            ),
            a_server("SHUTOFF", name="db-02", metadata=metadata),
        )
        self.shell = FakeShell(self.cloud)

    @contextmanager
    def open_world(self, _known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        clock = FakeClock(on_wait=[self.cloud.nova.pass_time])
        yield replace(a_world(self.cloud, self.shell), clock=clock, acting=None)

    def run(self, *arguments: str) -> int:
        """Run a command; all that it says is kept."""
        code = main(["--debug", *arguments], open_world=self.open_world)
        self.said += self.capsys.readouterr()
        return code

    def drain(self) -> int:
        """Drain a node, and then ask for all that can be known of that."""
        drain = ("node", "drain", "compute-07", "--reason", "bad DIMM")
        plan = self.state_dir / "plan.json"
        self.run(*drain, "--dry-run", "-f", "json", "--plan-out", str(plan))
        code = self.run(*drain, "--yes")
        for run in list_runs(self.state_dir / FILE, 9):
            self.run("run", "show", run.id, "--events", "-f", "json")
            self.run("run", "show", run.id)
            self.run("run", "audit", run.id, "--export")
            self.run("run", "watch", run.id)
            self.run("run", "undo", run.id, "--dry-run")
        return code

    @property
    def found(self) -> list[str]:
        """Return where a planted secret is found, and which."""
        places = {
            path.name: path.read_bytes().decode(errors="replace")
            for path in self.state_dir.rglob("*")
            if path.is_file() and path.name != "clouds.yaml"
        }
        places |= {"output": "\n".join(self.said), "logs": self.caplog.text}
        return [
            f"{secret} in {place}"
            for place, text in places.items()
            for secret in PLANTED
            if secret in text
        ]


@pytest.fixture
def site(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Site:
    (tmp_path / "inventory").write_text("compute-07\n")
    monkeypatch.setattr(masking, "_known", set())
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setenv("OS_PASSWORD", PASSWORD)
    monkeypatch.setenv("OS_TOKEN", TOKEN)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    caplog.set_level(logging.DEBUG)
    return Site(tmp_path, capsys, caplog)


def test_a_drain_that_goes_well_shows_and_keeps_no_secret(site: Site) -> None:
    code = site.drain()

    assert (code, site.found) == (0, [])
    assert "secret=***" in "".join(site.said)  # the owner's word on the lock was told


def test_what_nova_says_of_a_failed_move_is_told_without_its_secrets(site: Site) -> None:
    site.cloud.nova.failures[an_id("db-01")] = SAYS

    code = site.drain()

    assert (code, site.found) == (4, [])
    assert "X-Auth-Token: ***" in "".join(site.said)


def refuses(*_: object) -> str:
    raise StepFailed("could not change it", service="Nova", says=SAYS)


def breaks(*_: object) -> str:
    raise RuntimeError(SAYS)


def is_silent(*_: object) -> str:
    # It is asked again for minutes, each half a minute: a hundred attempts say no more than ten.
    silent = Unreachable("Nova does not answer", details=[SAYS])
    silent.after_s = 30.0
    raise silent


@pytest.mark.parametrize("how", [refuses, breaks, is_silent])
def test_whatever_a_request_meets_is_told_without_its_secrets(
    site: Site, monkeypatch: pytest.MonkeyPatch, how: Callable[..., str]
) -> None:
    monkeypatch.setattr(site.cloud.nova, "live_migrate", how)

    code = site.drain()

    assert (code, site.found) == (4, [])
    assert "***" in "".join(site.said)


@pytest.mark.parametrize("how", [refuses, breaks, is_silent])
def test_whatever_a_worker_meets_is_told_without_its_secrets(
    site: Site, monkeypatch: pytest.MonkeyPatch, how: Callable[..., str]
) -> None:
    site.run("node", "drain", "compute-07", "--reason", "bad DIMM", "--yes", "--queue")
    monkeypatch.setattr(site.cloud.nova, "services", how)  # the plan is made again
    file = site.state_dir / FILE
    [queued] = list_runs(file, 9)

    def stop_once_it_was_tried() -> None:
        wait_until(lambda: list_runs(file, 9)[0].epoch > queued.epoch, within_s=60, every_s=0.1)
        wait_until(lambda: list_runs(file, 9)[0].state != "running", within_s=60, every_s=0.1)
        os.kill(os.getpid(), signal.SIGTERM)

    stopping = threading.Thread(target=stop_once_it_was_tried)
    stopping.start()
    site.run("worker", "--name", "w1")
    stopping.join()
    site.run("run", "show", queued.id, "--events")

    assert site.found == []
    assert "***" in "".join(site.said)


def test_a_defect_while_planning_is_told_without_its_secrets(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.cloud.nova, "servers_on", breaks)

    code = site.drain()

    assert (code, site.found) == (1, [])
    assert "this is a defect of Stackward" in "".join(site.said)


def test_what_a_log_on_a_node_says_is_told_without_its_secrets(site: Site) -> None:
    site.cloud.nova.failures[an_id("db-01")] = ""
    lines = [f"2026 1 ERROR nova.compute [req-{n} u p] {SAYS}\n" for n in range(9)]
    site.shell.logged["compute-07"] = lines

    code = site.drain()

    assert (code, site.found) == (4, [])
    assert "nova-compute on `compute-07` says" in "".join(site.said)


def test_what_a_node_says_that_cannot_be_reached_is_told_without_its_secrets(site: Site) -> None:
    def cannot(*_: object, **__: object) -> str:
        raise Unreachable("cannot log in to `compute-07`", service="ssh", says=SAYS)

    site.shell.run = cannot  # type: ignore[method-assign, assignment]  # a node that talks too much

    code = site.drain()

    assert (code, site.found) == (3, [])


def test_a_cloud_that_does_not_answer_is_told_without_the_secrets_of_clouds_yaml(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds = site.state_dir / "clouds.yaml"
    auth = {
        "auth_url": "http://admin:planted-url@127.0.0.1:9/v3",
        "username": "admin",
        "password": "planted-yaml-1",
        "project_name": "admin",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    clouds.write_text(json.dumps({"clouds": {"planted": {"auth": auth}}}))
    for name in ("OS_PASSWORD", "OS_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    clock = FakeClock()
    monkeypatch.setattr(openstack, "SystemClock", lambda: clock)

    code = main(
        ["--debug", "--os-cloud", "planted", "node", "drain", "compute-07", "--reason", "x"]
    )
    site.said += site.capsys.readouterr()
    site.caplog.clear()  # the SDK's own log: outside of a test it is written nowhere

    assert (code, site.found) == (8, [])
    assert clock.passed > 0  # it was asked again, three times
