"""`stackward run audit`: a whole drain, accounted for."""

import getpass
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from builders import a_server, an_id
from engine.fakes import FakeClock
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.adapters.store.listing import FILE, list_runs
from stackward.cli import main
from stackward.model.inventory import Inventory
from stackward.ports.world import World
from stackward.report.audit import FIELDS

DRAIN = ("node", "drain", "compute-07", "--reason", "bad DIMM")


@dataclass
class Site:
    """A cloud, and the command line that is pointed at it."""

    state_dir: Path
    capsys: pytest.CaptureFixture[str]
    cloud: FakeCloud = field(default_factory=FakeCloud)

    def __post_init__(self) -> None:
        self.cloud.nova.add(a_server(name="db-01"), a_server("SHUTOFF", name="db-02"))

    @contextmanager
    def open_world(self, _known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        clock = FakeClock(on_wait=[self.cloud.nova.pass_time])
        yield replace(a_world(self.cloud, FakeShell(self.cloud)), clock=clock, acting=None)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        code = main(arguments, open_world=self.open_world)
        return (code, *self.capsys.readouterr())

    def audited(self, *flags: str) -> tuple[str, str]:
        """Return what the audit of the one run says: its data, and all else."""
        [run] = list_runs(self.state_dir / FILE, 9)
        code, out, said = self.run("run", "audit", run.id, *flags)
        assert code == 0, said
        return out, said

    def exported(self, kind: str) -> list[dict[str, Any]]:
        out, _ = self.audited("--export")
        records = [json.loads(line) for line in out.splitlines()]
        return [each for each in records if each["record"] == kind]


@pytest.fixture
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Site:
    (tmp_path / "inventory").write_text("compute-07\n")
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return Site(tmp_path, capsys)


@pytest.fixture
def drained(site: Site) -> Site:
    code, _, said = site.run(*DRAIN, "--parallel", "1", "--yes")  # requests in one order
    assert code == 0, said
    return site


def test_every_record_has_the_fields_that_are_documented(drained: Site) -> None:
    out, _ = drained.audited("--export")

    records = [json.loads(line) for line in out.splitlines()]
    assert {each["record"] for each in records} == set(FIELDS)
    assert all(list(each) == ["record", "run", *FIELDS[each["record"]]] for each in records)


def test_who_asked_and_who_approved(drained: Site) -> None:
    [run], [approval] = drained.exported("run"), drained.exported("approval")

    assert (run["asked_by"], approval["by"]) == (getpass.getuser(), getpass.getuser())
    assert (run["state"], run["request"]["reason"], approval["how"]) == (
        "succeeded",
        "bad DIMM",
        "--yes",
    )


def test_who_asked_is_who_had_the_plan_made_not_who_applied_it(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    site.run(*DRAIN, "--dry-run", "--plan-out", str(tmp_path / "plan.json"))
    monkeypatch.setenv("LOGNAME", "bob")
    site.run("run", "apply", str(tmp_path / "plan.json"), "--yes")

    [run], [approval] = site.exported("run"), site.exported("approval")
    assert (run["asked_by"], approval["by"]) == ("ann", "bob")


def test_every_attempt_has_the_requests_by_which_the_service_knows_it(drained: Site) -> None:
    asked = {each["what"]: each["request_ids"] for each in drained.exported("attempt")}

    assert asked == {
        "cordon `compute-07`": ["req-disable-compute-07"],
        "live-migrate `db-01` off `compute-07`": ["req-1"],
        "cold-migrate `db-02` off `compute-07`": ["req-2"],
        "confirm the migration of `db-02`": ["req-3"],
        "stop nova-compute on `compute-07` and keep it off": [],
    }


def test_every_move_has_all_that_was_read_for_its_proof(drained: Site) -> None:
    [move] = [each for each in drained.exported("attempt") if each["kind"] == "live-migrate"]

    assert (move["thing"], move["thing_id"], move["state"]) == ("db-01", an_id("db-01"), "done")
    assert move["saw"]["target"] == "compute-08"
    assert move["saw"]["no domain on the source"] == "holds"


def test_every_proof_of_the_end(drained: Site) -> None:
    proofs = [(each["outcome"], each["text"]) for each in drained.exported("proof")]

    assert len(proofs) == 6
    assert ("proved", "no servers are on `compute-07`") in proofs


def test_every_proof_says_by_what_it_holds(drained: Site) -> None:
    read = {each["text"]: each["read"] for each in drained.exported("proof")}

    assert read["no servers are on `compute-07`"] == "Nova lists 0 servers there, 0 of them to stay"
    assert read["nova-compute is off on `compute-07`"] == (
        "`systemctl is-active nova-compute.service` says inactive; `ps` shows no nova-compute; "
        "Nova calls it down, and hears from others"
    )
    assert all(read.values())


def test_the_records_stand_in_the_order_of_time(drained: Site) -> None:
    out, _ = drained.audited("--export")

    records = [json.loads(line) for line in out.splitlines()]
    assert [each["record"] for each in records[:2]] == ["run", "approval"]
    times = [each["at"] for each in records[1:]]
    assert times == sorted(times)


def test_what_failed_is_told_in_the_services_words(site: Site) -> None:
    site.cloud.nova.failures[an_id("db-01")] = "No valid host"
    site.run(*DRAIN, "--yes", "--parallel", "1")

    [move] = [each for each in site.exported("attempt") if each["kind"] == "live-migrate"]

    assert (move["state"], move["service"], move["says"], move["request_ids"]) == (
        "failed",
        "Nova",
        "No valid host",
        ["req-1"],
    )


def test_for_people(drained: Site) -> None:
    out, said = drained.audited("-f", "value", "-c", "Record", "-c", "State", "-c", "What")

    assert "attempt done live-migrate `db-01` off `compute-07`\n" in out
    assert "proof proved nova-compute is off on `compute-07`\n" in out
    assert f"asked for by {getpass.getuser()}; approved by {getpass.getuser()} at " in said
