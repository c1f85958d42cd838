"""`diagnose` of a cloud: what a look at it sees is joined with what its logs tell."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.nodes import refused
from fakes.site import Site
from stackward.app.logs import open_logs_in
from stackward.cli import main
from stackward.model.cloud_state import Failed, Failure
from stackward.model.inventory import Inventory
from stackward.ports.log_source import LogSource
from stackward.ports.probes import Probes
from stackward.ports.together import Together

NODES = ("ctl", "c01", "c02")
REFUSED = (
    "{at} 371 ERROR oslo.messaging._drivers.impl_rabbit [-] [aaaa-1] AMQP server on "
    "10.77.1.10:5672 is unreachable: [Errno 111] ECONNREFUSED. Trying again in 1 seconds.: "
    "ConnectionRefusedError: [Errno 111] ECONNREFUSED"
)
TRACED = """\
{at} 411 ERROR nova.compute.manager [req-0c9d7a52-33d1-4f0e-8a35-6a4f7d9b2c10 u1 p1 - - -] \
[instance: 5b1f0c0e-5a51-4c3e-8f0e-0d0b8a9a1c11] Instance failed to spawn
{at} 411 ERROR nova.compute.manager [instance: 5b1f0c0e-5a51-4c3e-8f0e-0d0b8a9a1c11] \
Traceback (most recent call last):
{at} 411 ERROR nova.compute.manager [instance: 5b1f0c0e-5a51-4c3e-8f0e-0d0b8a9a1c11]   \
File "/usr/lib/python3/dist-packages/nova/virt/libvirt/driver.py", line 812, in spawn
{at} 411 ERROR nova.compute.manager [instance: 5b1f0c0e-5a51-4c3e-8f0e-0d0b8a9a1c11]     \
disk = None + 1
{at} 411 ERROR nova.compute.manager [instance: 5b1f0c0e-5a51-4c3e-8f0e-0d0b8a9a1c11] \
{raised}
{at} 411 WARNING nova.compute.manager [req-0c9d7a52-33d1-4f0e-8a35-6a4f7d9b2c10 u1 p1 - - -] \
[instance: 5b1f0c0e-5a51-4c3e-8f0e-0d0b8a9a1c11] Setting instance to ERROR state."""
OF_CODE = TRACED.replace("{raised}", "TypeError: unsupported operand")
OF_LIBVIRT = TRACED.replace("{raised}", "nova.exception.HypervisorUnavailable: no connection")


class Desk:
    """Where an operator types: a cloud, its logs, and what is printed."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.site = Site()
        self._path, self._capsys = path, capsys
        self.inventory = path / "inventory"
        self.inventory.write_text("[control]\nctl\n[compute]\nc01\nc02\n")
        self.logs = path / "logs"
        for node in NODES:
            self.log(node, "nova/nova-compute.log", "{at} 1 INFO nova.compute.manager [-] Lives")

    def log(self, node: str, file: str, *lines: str, at: str = "11:40:00.000") -> None:
        """Write lines to a log of a node, of the day of the look."""
        day = self.site.clock.now().date()
        path = self.logs / node / "var/log" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as log:
            log.writelines(f"{line.format(at=f'{day} {at}')}\n" for line in lines)

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run the command, and return its exit code and what it wrote."""
        code = main(
            ["diagnose", *words, "--inventory", str(self.inventory)],
            open_probes=self._open_probes,
            open_logs=self._open_logs,
        )
        return (code, *self._capsys.readouterr())

    def told(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run it for programs."""
        code, out, _ = self.run(*words, "-f", "json")
        return code, json.loads(out)

    @contextmanager
    def _open_probes(self, _known: Inventory, _cloud: str | None) -> Iterator[Probes]:
        yield self.site.probes()

    @contextmanager
    def _open_logs(self, _known: Inventory) -> Iterator[tuple[LogSource, Together]]:
        with open_logs_in(self.logs, None) as opened:
            yield opened


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_nothing_is_wrong_and_it_says_what_was_looked_at(desk: Desk) -> None:
    code, out, _ = desk.run()

    assert code == 0
    assert "and a look at the cloud found it well" in " ".join(out.split())
    assert "components answered; not proved:" in " ".join(out.split())


def test_what_is_broken_now_and_needs_nothing_that_is_broken_is_certain(desk: Desk) -> None:
    desk.site.stop("ctl", "rabbitmq-server.service")
    desk.site.silence("nova-compute", "c01")
    desk.log("c01", "nova/nova-compute.log", REFUSED)

    code, told = desk.told()

    first = told["causes"][0]
    assert code == 7
    assert (first["component"], first["node"]) == ("rabbitmq", "ctl")
    assert (first["certainty"], first["is_now"]) == ("certain", True)
    assert first["seen"][0]["finding"] == "unit-down"
    assert first["remedy"]
    assert any("unreachable" in one["message"] for one in first["evidence"])
    assert {one["component"] for one in told["causes"]} == {"rabbitmq"}
    assert "nova-compute" in {one["component"] for one in told["consequences"]}


def test_a_time_in_which_nothing_was_logged_is_no_reason_not_to_look(desk: Desk) -> None:
    desk.site.stop("ctl", "rabbitmq-server.service")

    code, told = desk.told("--since", f"{desk.site.clock.now().date()}T23:59Z")

    assert code == 7
    assert told["causes"][0]["component"] == "rabbitmq"


def test_what_needs_it_is_a_consequence_with_its_own_errors(desk: Desk) -> None:
    desk.site.stop("ctl", "rabbitmq-server.service")
    desk.log("c01", "nova/nova-compute.log", OF_LIBVIRT)

    _, told = desk.told()

    assert [one["component"] for one in told["causes"]] == ["rabbitmq"]
    assert "it needs rabbitmq on ctl, which is broken" in {
        one["why"] for one in told["consequences"]
    }


def test_an_error_of_code_is_a_cause_of_its_own_beside_it(desk: Desk) -> None:
    desk.site.stop("ctl", "rabbitmq-server.service")
    desk.log("c01", "nova/nova-compute.log", OF_CODE)

    _, told = desk.told()

    assert [one["component"] for one in told["causes"]] == ["rabbitmq", "nova-compute"]


def test_what_has_mended_itself_is_past_with_begin_and_end(desk: Desk) -> None:
    desk.log("c01", "nova/nova-compute.log", REFUSED)
    desk.log("c01", "nova/nova-compute.log", REFUSED, at="11:40:09.000")
    desk.log("c02", "nova/nova-compute.log", REFUSED, at="11:40:01.000")

    code, told = desk.told()

    [past] = told["causes"]
    assert code == 0  # nothing is wrong now
    assert (past["component"], past["is_now"]) == ("rabbitmq", False)
    assert past["at"].startswith(f"{desk.site.clock.now().date()}T11:40:00")
    assert past["until"].startswith(f"{desk.site.clock.now().date()}T11:40:09")
    _, out, _ = desk.run()
    assert out.splitlines()[1].startswith("past, ")
    assert "it is past: it answers now" in " ".join(out.split())


def test_an_error_of_code_is_no_less_sure_for_an_answer(desk: Desk) -> None:
    desk.log("c01", "nova/nova-compute.log", OF_CODE)

    code, told = desk.told("--since", "1h")

    first = told["causes"][0]
    assert code == 7
    assert (first["module"], first["is_now"]) == ("nova/virt/libvirt/driver.py", None)


def test_what_merely_works_less_well_is_only_possible(desk: Desk) -> None:
    told_by = desk.site.told("c01")
    told_by["container"], told_by["clock"]["status"] = "", 0
    told_by["now"] = desk.site.clock.now().timestamp() - 300
    desk.site.command("c01", "kernel", 0)

    code, told = desk.told()

    assert code == 6, told
    assert {one["certainty"] for one in told["causes"]} == {"possible"}
    assert told["causes"][0]["component"] == "machine"


def test_what_could_not_be_looked_at_is_never_well(desk: Desk) -> None:
    desk.site.nodes.told["c01"] = refused("Permission denied (publickey).")

    code, told = desk.told()

    assert code != 0
    assert any("c01" in one for one in told["look"]["not_seen"])


def test_without_a_way_to_the_cloud_its_logs_are_read_all_the_same(desk: Desk) -> None:
    for node in NODES:
        desk.site.nodes.told[node] = refused("Permission denied (publickey).")
    desk.site.apis.login = Failed(how=Failure.REFUSED, says="wrong password", status=401)
    desk.log("c01", "nova/nova-compute.log", OF_CODE)

    code, told = desk.told("--since", "1h")

    assert code == 7
    assert told["causes"][0]["module"] == "nova/virt/libvirt/driver.py"
    assert "how the cloud is now: neither a node nor an API was reached" in told["unknown"]


def test_of_an_earlier_time_what_is_broken_now_is_only_possible(desk: Desk) -> None:
    desk.log("c01", "nova/nova-compute.log", OF_CODE)
    desk.site.stop("ctl", "memcached.service")
    day = desk.site.clock.now().date()

    _, told = desk.told("--since", f"{day}T11:30Z", "--until", f"{day}T11:50Z")

    first, *others = told["causes"]
    assert first["module"] == "nova/virt/libvirt/driver.py"
    assert [(one["component"], one["certainty"]) for one in others if one["is_now"]] == [
        ("memcached", "possible")
    ]


def test_a_time_of_its_beginning_is_said_or_said_to_be_unknown(desk: Desk) -> None:
    desk.site.stop("ctl", "rabbitmq-server.service")

    _, told = desk.told()

    assert datetime.fromisoformat(told["causes"][0]["at"]) == desk.site.clock.now()
    assert any("rabbitmq on ctl began" in one for one in told["unknown"])


def test_what_was_changed_shortly_before_is_told(desk: Desk) -> None:
    desk.log("c01", "nova/nova-compute.log", OF_CODE)
    settings = desk.logs / "c01/etc/nova/nova-compute.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[DEFAULT]\n")
    day = desk.site.clock.now().date()
    at = datetime.fromisoformat(f"{day}T11:39:20+00:00").timestamp()
    os.utime(settings, (at, at))
    os.utime(settings.parent, (0, 0))

    _, told = desk.told("--since", f"{day}T11:30Z")

    assert "`/etc/nova/nova-compute.conf` was written 40 s before" in told["causes"][0]["because"]
    assert "which packages of c01 were changed lately" in told["unknown"]
