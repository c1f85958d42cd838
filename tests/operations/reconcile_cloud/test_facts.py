"""One more look at what a plan names: half a repair is that case still, and what is new is not."""

from pathlib import Path

import pytest

from builders import a_server, an_id
from dying import Site
from fakes.cloud import FakeCloud
from stackward.operations.reconcile_cloud.facts import read_reconcile
from stackward.requests.reconcile_cloud import ReconcileRequest

DB, OTHER, THIRD = an_id("db-01"), "compute-08", "compute-09"
TWICE = f"server-twice {DB}"


def cases(place: Path, state: str, planned: str, at: str = OTHER) -> list[str]:
    """Return the cases that a plan to end a guest still has, where one is in that state."""
    cloud = FakeCloud()
    cloud.nova.add(a_server())
    site = Site(place, cloud)
    site.shell.domains[at, DB] = state
    name = planned.partition(" ")[0]
    asked = ReconcileRequest(classes=(name,), kill_domain=(f"{OTHER}/{DB}",), cases=(planned,))
    found = read_reconcile(site.world(), site.journal, asked, None)
    site.close()
    return [one.word for one in found.found.cases]


def test_one_of_two_guests_whose_power_is_cut_is_ended_to_the_end(tmp_path: Path) -> None:
    assert cases(tmp_path, "shut off", TWICE) == [TWICE]


def test_one_that_somebody_has_paused_is_another_case(tmp_path: Path) -> None:
    assert cases(tmp_path, "paused", TWICE) == []


def test_one_that_is_not_named_to_be_ended_is_another_case(tmp_path: Path) -> None:
    assert cases(tmp_path, "shut off", TWICE, at=THIRD) == []


@pytest.mark.parametrize("state", ["shut off", "paused"])
def test_a_guest_elsewhere_stays_what_the_plan_calls_it(tmp_path: Path, state: str) -> None:
    elsewhere = f"domain-elsewhere {DB} {OTHER}"

    assert cases(tmp_path, state, elsewhere) == [elsewhere]


def test_a_guest_elsewhere_that_runs_by_now_is_another_case(tmp_path: Path) -> None:
    assert cases(tmp_path, "running", f"domain-elsewhere {DB} {OTHER}") == []
