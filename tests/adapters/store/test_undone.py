"""A run that another undoes: given up in the very transaction that remembers the other."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listing import FILE, list_runs
from stackward.errors import Refused, Superseded
from stackward.model.run import Approval, Run, RunState, Said

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
APPROVAL = Approval(by="ann", at=NOON, how="--yes")


@pytest.fixture
def journal(database: str) -> Iterator[SqlJournal]:
    made = SqlJournal(open_database(database))
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


def test_of_two_undos_at_the_same_time_one_is_refused(journal: SqlJournal) -> None:
    ended(journal, "01A", RunState.STOPPED)
    ready = threading.Barrier(2)

    def undo(run_id: str) -> str:
        ready.wait(timeout=30)
        try:
            return a_run(journal, run_id, undoes="01A").id
        except Refused as error:
            return error.message

    with ThreadPoolExecutor(2) as pool:
        said = set(pool.map(undo, ["01B", "01C"]))

    [added] = said & {"01B", "01C"}
    assert journal.run("01A").undone_by == added
    assert {each.id for each in journal.runs(limit=9)} == {"01A", added}
    assert f"run `01A` is undone already: by run `{added}` (queued)" in said


def test_what_waits_for_a_worker_is_not_undone(journal: SqlJournal) -> None:
    journal.add(Run(id="01A", title="drain", plan="{}", approval=APPROVAL, for_workers=True))

    with pytest.raises(Refused, match="is queued: it cannot be undone while it goes on"):
        a_run(journal, "01B", undoes="01A")


def test_what_a_stopped_run_has_left_under_way_keeps_it_from_being_undone(
    journal: SqlJournal,
) -> None:
    taken = journal.take_up(a_run(journal, "01A").id, "host:1", NOON)
    journal.intend("01A", taken.epoch, "move/s1/0", {"newest": None}, NOON)
    journal.end("01A", taken.epoch, RunState.STOPPED, NOON, Said())

    with pytest.raises(Refused, match="has left something unfinished"):
        a_run(journal, "01B", undoes="01A")

    assert journal.run("01A").state is RunState.STOPPED


def test_what_is_half_way_keeps_a_stopped_run_from_being_undone(journal: SqlJournal) -> None:
    ended(journal, "01A", RunState.STOPPED)
    by = Run(id="01B", title="undo", plan="{}", approval=APPROVAL)

    with pytest.raises(Refused, match="has left something unfinished"):
        journal.add(by, undoes="01A", must_go_on=lambda _: True)

    assert [(run.id, run.state) for run in journal.runs(limit=9)] == [("01A", RunState.STOPPED)]


def test_after_an_undo_that_was_refused_the_next_is_the_one_that_counts(
    journal: SqlJournal,
) -> None:
    ended(journal, "01A", RunState.SUCCEEDED)
    ended(journal, "01B", RunState.REFUSED, undoes="01A")

    a_run(journal, "01C", undoes="01A")

    assert journal.run("01A").undone_by == "01C"
    assert [run.undone_by for run in journal.runs(limit=9)] == [None, None, "01C"]


def test_a_file_tells_who_undid_a_run_without_being_opened_as_a_journal(tmp_path: Path) -> None:
    journal = SqlJournal(open_database(url_of(tmp_path)))
    ended(journal, "01A", RunState.FAILED)
    a_run(journal, "01B", undoes="01A")

    listed = list_runs(tmp_path / FILE, 9)

    assert listed == journal.runs(limit=9)
    assert [run.undone_by for run in listed] == [None, "01B"]
    journal.close()


def test_whoever_was_about_to_take_a_run_up_loses_it_to_its_undo(journal: SqlJournal) -> None:
    stopped = ended(journal, "01A", RunState.STOPPED)
    a_run(journal, "01B", undoes="01A")

    with pytest.raises(Superseded):
        journal.beat("01A", stopped.epoch, NOON, {})
