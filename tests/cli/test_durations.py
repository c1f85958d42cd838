"""How long a drain will take, told by those that this cloud has seen."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import text

from builders import a_server, an_id
from engine.fakes import FakeClock
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.adapters.store.database import open_database, url_of
from stackward.cli import main
from stackward.model.inventory import Inventory
from stackward.ports.world import World

DRAIN = ("node", "drain", "compute-07", "--reason", "bad DIMM")


@dataclass
class Site:
    """Clouds, one after the other, and one journal."""

    capsys: pytest.CaptureFixture[str]
    cloud: FakeCloud = field(default_factory=FakeCloud)
    service_id: str = ""

    @contextmanager
    def open_world(self, _known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        # Three looks until a move has ended.
        waits: list[int] = []

        def pass_time() -> None:
            waits.append(1)
            if len(waits) % 3 == 0:
                self.cloud.nova.pass_time()

        clock = FakeClock(on_wait=[pass_time])
        yield replace(a_world(self.cloud, FakeShell(self.cloud)), clock=clock, acting=None)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        code = main(arguments, open_world=self.open_world)
        return (code, *self.capsys.readouterr())

    def drained(self, servers: int, *flags: str, place: str | None = None) -> tuple[str, str]:
        """Drain a node of so many servers, on a cloud as it was; return all that was said."""
        self.cloud = FakeCloud(service_id=self.service_id)
        self.cloud.place = place or self.cloud.place
        self.cloud.nova.add(*(a_server(name=f"db-{n}") for n in range(servers)))
        code, out, said = self.run(*DRAIN, *(flags or ("--yes",)))
        assert code == 0, said
        return out, said


@pytest.fixture
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Site:
    (tmp_path / "inventory").write_text("compute-07\n")
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return Site(capsys)


def test_nothing_is_told_while_there_is_no_history(site: Site) -> None:
    site.drained(2)

    plan, _ = site.drained(3, "--dry-run")

    assert "the moves will take" not in plan


def test_the_plan_tells_how_long_the_moves_will_take(site: Site) -> None:
    site.drained(3)

    one_by_one, _ = site.drained(4, "--dry-run", "--parallel", "1")
    at_once, _ = site.drained(4, "--dry-run", "--parallel", "4")

    told = re.compile(r"the moves will take about (\d+) s \(\d+ to \d+\), by past moves")
    times = [int(told.findall(plan)[0]) for plan in (one_by_one, at_once)]
    assert times[0] == 4 * times[1]


def test_each_move_has_its_range_in_the_data(site: Site) -> None:
    site.drained(3)

    out, _ = site.drained(1, "--dry-run", "-f", "json")

    plan = json.loads(out)
    [move] = plan["stages"][1]["moves"]
    low, likely, high = move["expects"]["seconds"]
    assert 0 < low <= likely <= high
    assert plan["facts"]["cloud"] == "http://ctl:5000 RegionOne"


def test_a_kind_of_move_without_a_history_is_not_counted_and_that_is_told(site: Site) -> None:
    site.drained(3)
    site.cloud = FakeCloud()
    site.cloud.nova.add(a_server(name="db-1"), a_server("SHUTOFF", name="db-2"))

    _, out, _ = site.run(*DRAIN, "--dry-run")

    assert "by past moves on this cloud; no time is known for 1 of the 2 moves\n" in out


def test_the_past_of_another_cloud_tells_nothing(site: Site) -> None:
    site.drained(3, place="http://elsewhere:5000 RegionOne")

    plan, _ = site.drained(3, "--dry-run")

    assert "the moves will take" not in plan


def test_the_past_of_this_cloud_by_another_of_its_urls_counts(site: Site) -> None:
    site.service_id = "nova-1 RegionOne"
    site.drained(3, place="http://10.0.0.5:5000 RegionOne")

    plan, _ = site.drained(3, "--dry-run")

    assert "the moves will take" in plan


def test_the_past_that_an_older_version_has_seen_counts_by_the_name_of_then(
    site: Site, tmp_path: Path
) -> None:
    site.drained(3)
    engine = open_database(url_of(tmp_path))
    with engine.begin() as connection:
        plan = json.loads(connection.execute(text("SELECT plan FROM runs")).scalar_one())
        del plan["decisions"]["cloud"]
        older = text("UPDATE runs SET plan = :plan, cloud = NULL")
        connection.execute(older, {"plan": json.dumps(plan)})
    engine.dispose()

    told, _ = site.drained(3, "--dry-run")

    assert "the moves will take" in told


def test_while_a_run_goes_on_it_is_told_how_long_it_still_will(site: Site) -> None:
    site.drained(3)

    _, said = site.drained(2, "--yes", "--parallel", "1")

    first, last = re.findall(r"now on `compute-08`(.*)", said)
    assert re.fullmatch(r"; about \d+ s left \(\d+ to \d+\)", first)
    assert last == ""


def test_a_move_that_failed_is_no_history(site: Site) -> None:
    site.cloud.nova.add(*(a_server(name=f"db-{n}") for n in range(3)))
    site.cloud.nova.failures = {an_id(f"db-{n}"): "No valid host" for n in range(3)}
    site.run(*DRAIN, "--yes")

    plan, _ = site.drained(3, "--dry-run")

    assert "the moves will take" not in plan


def test_a_plan_is_not_stale_for_what_was_seen_since(site: Site, tmp_path: Path) -> None:
    site.drained(2, "--dry-run", "--plan-out", str(tmp_path / "plan.json"))
    site.drained(3)
    site.cloud = FakeCloud()
    site.cloud.nova.add(*(a_server(name=f"db-{n}") for n in range(2)))

    code, _, said = site.run("run", "apply", str(tmp_path / "plan.json"), "--yes")

    assert code == 0, said
