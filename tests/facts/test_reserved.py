"""The room that runs count on which are approved and not over."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, a_server, an_id
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fakes.world import a_world
from histories import bring_to
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.engine import approve
from stackward.facts.compute import read_compute_node
from stackward.facts.reserved import read_reserved
from stackward.model.run import Approval, Run
from stackward.operations import plan_request as plan_a_drain
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.requests.drain_compute_node import DrainRequest

BY_ADA = Approval(by="ada", at=NOW, how="--yes")
TARGET = an_id("compute-08")
CLOUD = FakeCloud().identity().id


class Counted:
    """A journal that counts what it is asked."""

    def __init__(self, journal: SqlJournal) -> None:
        self._journal, self.asked = journal, Counter[str]()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the journal has
        self.asked[name] += 1
        return getattr(self._journal, name)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    made = SqlJournal(open_database(url_of(tmp_path)))
    yield made
    made.close()


@pytest.fixture
def drain(journal: SqlJournal) -> Run:
    """Given an approved drain of two servers of 1 VCPU and 512 MiB."""
    cloud = FakeCloud()
    cloud.nova.add(a_server(name="web-1"), a_server(name="web-2"))
    facts = read_compute_node(a_world(cloud), "compute-07")
    plan = plan_drain(facts, DrainRequest(node="compute-07", reason="r", target="compute-08"))
    return approve(plan, BY_ADA, journal)


@pytest.mark.usefixtures("drain")
def test_what_a_drain_will_move_is_promised(journal: SqlJournal) -> None:
    reserved = read_reserved(journal, CLOUD, but_for="compute-09")

    flavor = a_server().flavor
    assert reserved == {TARGET: {"VCPU": 2 * flavor.vcpus, "MEMORY_MB": 2 * flavor.ram_mib}}


def test_what_it_has_begun_is_in_placements_own_books(journal: SqlJournal, drain: Run) -> None:
    run = journal.take_up(drain.id, "worker", NOW)
    bring_to(journal, run, "move")
    journal.intend(run.id, run.epoch, f"move/{an_id('web-1')}/0", {}, NOW)

    [needs] = read_reserved(journal, CLOUD, but_for="compute-09").values()

    assert needs["VCPU"] == a_server().flavor.vcpus


@pytest.mark.parametrize(
    ("cloud", "providers"),
    [
        pytest.param(CLOUD, {TARGET}, id="its own cloud"),
        pytest.param("another", set(), id="another cloud"),
    ],
)
def test_what_is_promised_in_one_cloud_is_not_in_another(
    journal: SqlJournal, cloud: str, providers: set[str]
) -> None:
    here = FakeCloud()
    here.nova.add(a_server(name="web-1"))
    asked = DrainRequest(node="compute-07", reason="r", target="compute-08")
    approve(plan_a_drain(a_world(here), journal, asked), BY_ADA, journal)

    assert read_reserved(journal, cloud, but_for="compute-09").keys() == providers


@pytest.mark.usefixtures("drain")
def test_a_node_counts_on_what_it_needs_itself_only_once(journal: SqlJournal) -> None:
    assert read_reserved(journal, CLOUD, but_for="compute-07") == {}


def test_however_many_drains_go_on_they_are_read_in_one_look(journal: SqlJournal) -> None:
    for number in range(20):
        cloud = FakeCloud(FakeNova(hosts=(f"compute-{number}", "compute-08")))
        cloud.nova.add(a_server(name=f"web-{number}", host=f"compute-{number}"))
        facts = read_compute_node(a_world(cloud), f"compute-{number}")
        approve(plan_drain(facts, DrainRequest(node=facts.name, reason="r")), BY_ADA, journal)
    counted: Any = Counted(journal)

    read_reserved(counted, CLOUD, but_for="compute-09")

    assert counted.asked == {"runs": 1, "attempts_of": 1}


def test_a_run_that_is_over_promises_nothing(journal: SqlJournal, drain: Run) -> None:
    journal.ask_cancel(drain.id, "ada", NOW, lambda _: False)

    assert read_reserved(journal, CLOUD, but_for="compute-09") == {}
