"""A run that another undoes: given up in the very transaction that remembers the other."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listing import list_runs
from stackward.errors import Refused, Superseded
from stackward.model.run import Approval, Run, RunState, Said

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
APPROVAL = Approval(by="ann", at=NOON, how="--yes")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    made = SqlJournal(open_database(url_of(tmp_path)))
    yield made
    made.close()


def a_run(journal: SqlJournal, run_id: str, undoes: str | None = None) -> Run:
    run = Run(id=run_id, title="drain", plan="{}", approval=APPROVAL)
    journal.add(run, undoes=undoes)
    return run


def ended(journal: SqlJournal, run_id: str, state: RunState, undoes: str | None = None) -> Run:
    taken = journal.take_up(a_run(journal, run_id, undoes).id, "host:1", NOON)
    return journal.end(run_id, taken.epoch, state, NOON, Said())


def test_a_stopped_run_is_cancelled_by_its_undo(journal: SqlJournal) -> None:
    ended(journal, "01A", RunState.STOPPED)

    a_run(journal, "01B", undoes="01A")

    undone = journal.run("01A")
    assert (undone.state, undone.undone_by) == (RunState.CANCELLED, "01B")
    with pytest.raises(Refused, match="is over"):
        journal.take_up("01A", "host:1", NOON)


def test_how_a_run_ended_stays_as_it_was(journal: SqlJournal) -> None:
    ended(journal, "01A", RunState.FAILED)

    a_run(journal, "01B", undoes="01A")

    assert journal.run("01A").state is RunState.FAILED


def test_a_run_that_was_taken_up_meanwhile_is_not_undone(journal: SqlJournal) -> None:
    taken = journal.take_up(a_run(journal, "01A").id, "host:1", NOON)

    with pytest.raises(Refused, match="cannot be undone while it goes on"):
        a_run(journal, "01B", undoes="01A")

    assert [run.id for run in journal.runs(limit=9)] == ["01A"]
    assert journal.beat("01A", taken.epoch, NOON, {}) is None


def test_of_two_undos_one_is_refused(journal: SqlJournal) -> None:
    ended(journal, "01A", RunState.SUCCEEDED)
    a_run(journal, "01B", undoes="01A")

    with pytest.raises(Refused, match=r"is undone already: by run `01B` \(queued\)"):
        a_run(journal, "01C", undoes="01A")


def test_after_an_undo_that_was_refused_the_next_is_the_one_that_counts(
    journal: SqlJournal, tmp_path: Path
) -> None:
    ended(journal, "01A", RunState.SUCCEEDED)
    ended(journal, "01B", RunState.REFUSED, undoes="01A")

    a_run(journal, "01C", undoes="01A")

    assert journal.run("01A").undone_by == "01C"
    assert [run.undone_by for run in list_runs(tmp_path, 9)] == [None, None, "01C"]


def test_whoever_was_about_to_take_a_run_up_loses_it_to_its_undo(journal: SqlJournal) -> None:
    stopped = ended(journal, "01A", RunState.STOPPED)
    a_run(journal, "01B", undoes="01A")

    with pytest.raises(Superseded):
        journal.beat("01A", stopped.epoch, NOON, {})
