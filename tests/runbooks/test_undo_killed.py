"""An undo whose worker dies at any write or change: taken up again, each thing is done once."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from builders import a_server, an_id, asking
from dying import DyingCloud, DyingShell, carried_out
from engine.fakes import Crash, FakeClock, Fate
from fakes import FakeCloud, FakeShell, a_world
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.engine import approve
from stackward.kinds import KINDS
from stackward.model.compute import Guarded
from stackward.model.run import Approval, Run, RunState
from stackward.operations import plan_request
from stackward.plan import Plan
from stackward.ports.world import World
from stackward.requests.undo_run import UndoRequest

NODE = "compute-07"
POINTS = 84  # one before and one after each write and each change
ONCE = {
    "db-01": ["live-migration"],
    "db-02": ["migrate", "confirmResize"],
}


@dataclass
class Site:
    """A node that a drain has emptied of two servers, one that ran and one that was off."""

    place: Path
    cloud: FakeCloud
    shell: FakeShell
    passed: float = 0.0  # seconds

    def __post_init__(self) -> None:
        self.clock = FakeClock(self.passed, on_wait=[self.cloud.pass_time])
        self.journal = SqlJournal(open_database(url_of(self.place)))

    @property
    def drain(self) -> Run:
        """Return the first run."""
        return self.journal.runs(limit=9)[-1]

    def world(self, fate: Fate) -> World:
        cloud: Any = DyingCloud(self.cloud, fate)
        shell: Any = DyingShell(self.shell, fate)
        return replace(a_world(self.cloud), clock=self.clock, cloud=cloud, shell=shell)

    def approved(self, plan: Plan[World]) -> Run:
        approval = Approval(by="ann", at=self.clock.now(), how="--yes")
        return approve(plan, approval, self.journal, kinds=KINDS)

    def undo(self) -> Run:
        asked = UndoRequest(run=self.drain.id)
        return self.approved(plan_request(self.world(Fate()), self.journal, asked))

    def carry_out(self, run: Run, fate: Fate) -> Run:
        return carried_out(run, self.world(fate), self.journal, fate)

    @property
    def hosts(self) -> dict[str, str | None]:
        return {server.name: server.host for server in self.cloud.known.values()}

    @property
    def asked(self) -> dict[str, list[str]]:
        """Return what was asked of Nova since the drain, by server; booting one is no action."""
        return {
            name: [each.action for each in self.cloud.actions.get(an_id(name), [])]
            for name in ("db-01", "db-02")
        }

    @property
    def stands(self) -> tuple[object, ...]:
        """Return all that an undo is to bring about."""
        service = self.cloud.computes[NODE]
        return (
            self.hosts,
            self.asked,
            len(self.cloud.built),
            service.is_enabled and service.is_up and not self.shell.files,
            self.shell.units[NODE],
            self.shell.starts[NODE],
            self.cloud.guards[NODE].is_in_maintenance,
        )


WELL = ({"db-01": NODE, "db-02": NODE}, ONCE, 1, True, ("active", "enabled"), 1, False)


@pytest.fixture(scope="module")
def drained(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Given a node that was drained; its journal is closed."""
    cloud = FakeCloud(catalog=frozenset({"compute", "instance-ha"}))
    cloud.add(a_server(name="db-01"), a_server("SHUTOFF", name="db-02"))
    cloud.guards[NODE] = Guarded(id="entry", segment="segment", host=NODE)
    site = Site(tmp_path_factory.mktemp("drained"), cloud, FakeShell(cloud))
    run = site.approved(plan_request(site.world(Fate()), site.journal, asking()))
    ended = site.carry_out(run, Fate())
    assert (ended.state, set(site.hosts.values())) == (RunState.SUCCEEDED, {"compute-08"})
    cloud.computes[NODE] = replace(cloud.computes[NODE], is_up=False)
    cloud.actions.clear()
    site.journal.close()
    return site


@pytest.fixture
def site(drained: Site, tmp_path: Path) -> Iterator[Site]:
    """Given the same, for one test."""
    place = copytree(drained.place, tmp_path / "state")
    cloud, shell = deepcopy((drained.cloud, drained.shell))
    made = Site(place, cloud, shell, drained.clock.passed)
    yield made
    made.journal.close()


def test_a_life_has_no_more_points_than_are_tried(site: Site) -> None:
    fate = Fate()

    ended = site.carry_out(site.undo(), fate)

    assert (ended.state, site.stands) == (RunState.SUCCEEDED, WELL)
    assert fate.lived == POINTS


@pytest.mark.parametrize("dies_at", range(1, POINTS + 1, 2))  # after one is before the next
def test_a_death_while_a_drain_is_undone_is_harmless(site: Site, dies_at: int) -> None:
    run = site.undo()
    with pytest.raises(Crash):
        site.carry_out(run, Fate(dies_at))

    ended = site.journal.run(run.id)
    if not ended.state.is_over:
        ended = site.carry_out(run, Fate())

    assert (ended.state, site.stands) == (RunState.SUCCEEDED, WELL)
    assert site.journal.run(site.drain.id).undone_by == run.id
