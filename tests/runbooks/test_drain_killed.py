"""A drain whose worker dies at any write or change: taken up again, each thing is done once."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from builders import a_server, an_id, asking
from dying import DyingCloud, carried_out
from engine.fakes import Crash, FakeClock, Fate
from fakes import FakeCloud, FakeShell, a_world
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.engine import approve
from stackward.model.run import Approval, Run, RunState
from stackward.operations import plan_request
from stackward.ports.world import World

POINTS = 74  # one before and one after each write and each change
WHOLE = ["live-migration", "live_migration_cancel", "stop", "migrate", "confirmResize", "start"]


@dataclass
class Site:
    """A cloud with one server whose live migration never ends, and a journal."""

    place: Path
    cloud: FakeCloud = field(default_factory=FakeCloud)

    def __post_init__(self) -> None:
        self.cloud.add(a_server())
        self.cloud.slow.add(an_id("db-01"))
        self.clock = FakeClock(on_wait=[self.cloud.pass_time])
        self.shell = FakeShell(self.cloud)
        self.journal = SqlJournal(open_database(url_of(self.place)))

    def world(self, fate: Fate) -> World:
        dying: Any = DyingCloud(self.cloud, fate)
        return replace(a_world(self.cloud, self.shell), clock=self.clock, cloud=dying)

    def approved(self) -> Run:
        asked = asking(when_slow="stop-server", slow_after_s=5.0, keep_service=True)
        plan = plan_request(self.world(Fate()), self.journal, asked)
        approval = Approval(by="ann", at=self.clock.now(), how="--yes")
        return approve(plan, approval, self.journal)

    def carry_out(self, run: Run, fate: Fate) -> Run:
        return carried_out(run, self.world(fate), self.journal, fate)

    @property
    def asked(self) -> list[str]:
        return [each.action for each in self.cloud.actions.get(an_id("db-01"), [])]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.journal.close()


def test_a_life_has_no_more_points_than_are_tried(site: Site) -> None:
    fate = Fate()

    ended = site.carry_out(site.approved(), fate)

    assert (ended.state, site.asked, fate.lived) == (RunState.SUCCEEDED, WHOLE, POINTS)


def test_a_cell_that_is_down_for_seconds_is_waited_for(site: Site) -> None:
    """The run stopped: its own cordon read as somebody else's."""
    waits = count(1)

    def pass_by() -> None:
        site.cloud.cells_down = {"compute-07"} if next(waits) in range(2, 8) else set()

    site.clock.on_wait.append(pass_by)

    ended = site.carry_out(site.approved(), Fate())

    assert (ended.state, site.asked) == (RunState.SUCCEEDED, WHOLE)
    assert next(waits) > 8  # the cell came back during the run


@pytest.mark.parametrize("dies_at", range(1, POINTS + 1, 2))  # after one is before the next
def test_a_death_while_a_slow_server_is_stopped_moved_and_started_is_harmless(
    site: Site, dies_at: int
) -> None:
    run = site.approved()
    with pytest.raises(Crash):
        site.carry_out(run, Fate(dies_at))

    ended = site.journal.run(run.id)
    if not ended.state.is_over:
        ended = site.carry_out(run, Fate())

    server = site.cloud.known[an_id("db-01")]
    assert (ended.state, site.asked) == (RunState.SUCCEEDED, WHOLE)
    assert (server.status, server.host) == ("ACTIVE", "compute-08")
