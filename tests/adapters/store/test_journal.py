"""The journal's promises, on SQLite and on PostgreSQL alike."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from stackward.adapters.store.database import open_database
from stackward.adapters.store.journal import SqlJournal
from stackward.errors import Locked, Refused, StackwardError, Superseded
from stackward.model.run import Approval, Event, Run, RunState, Said, Settled
from stackward.model.worker import Worker

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
Asked = Callable[[SqlJournal], object]


@pytest.fixture
def journal(database: str) -> Iterator[SqlJournal]:
    journal = SqlJournal(open_database(database))
    yield journal
    journal.close()


def a_run(
    run_id: str = "01A", *, holds: tuple[str, ...] = ("c01",), for_workers: bool = False
) -> Run:
    approval = Approval(by="ann", at=NOON, how="--yes")
    return Run(
        id=run_id,
        title=f"drain {run_id}",
        plan="{}",
        approval=approval,
        holds=holds,
        for_workers=for_workers,
    )


def a_worker(name: str = "w1", life: str = "a") -> Worker:
    return Worker(name=name, life=life, machine="here", pid=7, since=NOON, beat_at=NOON)


def at_the_same_time(journal: SqlJournal, *asked: Asked) -> list[object]:
    """Return what each was answered, or how it was refused."""
    ready = threading.Barrier(len(asked))

    def ask(each: Asked) -> object:
        ready.wait(timeout=30)
        try:
            return each(journal)
        except StackwardError as error:
            return error

    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(ask, asked))


def test_a_run_is_read_as_it_was_added(journal: SqlJournal) -> None:
    run = a_run(for_workers=True)

    journal.add(run)

    assert journal.run("01A") == run


def test_attempts_are_read_as_they_were_written(journal: SqlJournal) -> None:
    journal.add(a_run())
    journal.take_up("01A", "w", NOON)
    first = journal.intend("01A", 1, "move/web-3/0", {"newest": 7}, NOON)
    said = Said(reason="kein Platz für „web-3“", service="Nova", request_id="req-1")
    journal.settle("01A", 1, first, Settled.FAILED, NOON, said=said, saw={"at": ["c02"]})
    second = journal.intend("01A", 1, "move/web-3/0", {"newest": 8}, NOON)
    answered = journal.answered("01A", 1, second, NOON)

    found = journal.attempts("01A")

    assert [each.number for each in found] == [1, 2]
    assert (found[0].said, found[0].saw, found[1]) == (said, {"at": ["c02"]}, answered)


def test_attempts_of_several_runs_are_those_of_each(journal: SqlJournal) -> None:
    for run_id, node in (("01A", "c01"), ("01B", "c02"), ("01C", "c03")):
        journal.add(a_run(run_id, holds=(node,)))
        journal.take_up(run_id, "w", NOON)
        made = journal.intend(run_id, 1, "move/web-3/0", {"newest": 7}, NOON)
        journal.settle(run_id, 1, made, Settled.LOST, NOON, said=Said(), saw={})
    journal.intend("01A", 1, "move/web-3/0", {"newest": 8}, NOON)

    found = journal.attempts_of(["01A", "01B", "01NONE"])

    alone = {each: journal.attempts(each) for each in ("01A", "01B")}
    assert found == {**alone, "01NONE": []}


def test_events_are_numbered_in_their_order(journal: SqlJournal) -> None:
    journal.add(a_run())
    journal.take_up("01A", "w", NOON)
    for number in range(3):
        journal.tell("01A", Event(at=NOON, epoch=1, what=f"event {number}"))

    [_, second, *later] = journal.events("01A")

    assert [event.what for event in later] == ["event 0", "event 1", "event 2"]
    assert journal.events("01A", after=second.number) == later


def test_of_two_that_want_one_node_at_a_time_one_is_told_who_has_it(journal: SqlJournal) -> None:
    answers = at_the_same_time(
        journal, lambda j: j.add(a_run("01A")), lambda j: j.add(a_run("01B"))
    )

    [refused] = [answer for answer in answers if answer is not None]
    [added] = journal.runs(limit=9)
    assert isinstance(refused, Locked)
    assert f"`c01` is held by run `{added.id}`" in refused.message


def test_runs_that_name_their_nodes_in_another_order_do_not_block_each_other(
    journal: SqlJournal,
) -> None:
    orders = [("c01", "c02", "c03"), ("c03", "c02", "c01")] * 4
    wanted = [a_run(f"01{n}", holds=order) for n, order in enumerate(orders)]

    def adding(run: Run) -> Asked:
        return lambda journal: journal.add(run)

    answers = at_the_same_time(journal, *(adding(run) for run in wanted))

    assert len(journal.runs(limit=9)) == 1
    assert [type(answer) for answer in answers if answer is not None] == [Locked] * 7


def test_each_take_over_has_an_epoch_of_its_own(journal: SqlJournal) -> None:
    journal.add(a_run())

    taken = at_the_same_time(journal, *[lambda j: j.take_up("01A", "w", NOON).epoch] * 8)

    assert sorted(map(str, taken)) == [str(epoch) for epoch in range(1, 9)]


def test_of_several_that_saw_a_run_free_one_gets_it(journal: SqlJournal) -> None:
    journal.add(a_run())

    taken = at_the_same_time(journal, *[lambda j: j.take_up("01A", "w", NOON, seen=0)] * 6)

    assert [type(each) for each in taken].count(Locked) == 5
    assert journal.run("01A").epoch == 1


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda j: j.beat("01A", 1, NOON, {}), id="a beat"),
        pytest.param(lambda j: j.intend("01A", 1, "s", {}, NOON), id="an intent"),
        pytest.param(lambda j: j.found_done("01A", 1, "s", NOON, {}), id="a find"),
        pytest.param(lambda j: j.tell("01A", Event(at=NOON, epoch=1, what="x")), id="a line"),
        pytest.param(lambda j: j.end("01A", 1, RunState.STOPPED, NOON, Said()), id="its end"),
    ],
)
def test_who_lost_the_epoch_writes_nothing(journal: SqlJournal, write: Asked) -> None:
    journal.add(a_run())
    journal.take_up("01A", "first", NOON)
    journal.take_up("01A", "second", NOON)
    before = (journal.run("01A"), journal.events("01A"), journal.attempts("01A"))

    with pytest.raises(Superseded):
        write(journal)

    assert (journal.run("01A"), journal.events("01A"), journal.attempts("01A")) == before


def test_a_run_left_for_workers_keeps_its_nodes(journal: SqlJournal) -> None:
    journal.add(a_run(for_workers=True))
    journal.enlist(a_worker())
    journal.take_up("01A", "w1", NOON, life="a")

    journal.end("01A", 1, RunState.QUEUED, NOON, Said(reason="its worker leaves"))

    assert (journal.queued(), journal.run("01A").ended_at) == (["01A"], None)
    with pytest.raises(Locked):
        journal.add(a_run("01B"))


def test_a_stopped_run_that_is_queued_takes_its_nodes_again(journal: SqlJournal) -> None:
    journal.add(a_run())
    journal.take_up("01A", "w", NOON)
    journal.end("01A", 1, RunState.STOPPED, NOON, Said())
    journal.add(a_run("01B"))

    with pytest.raises(Locked, match="held by run `01B`"):
        journal.queue("01A", "ann", NOON)

    assert journal.queued() == []


def test_a_run_that_is_over_is_not_queued(journal: SqlJournal) -> None:
    journal.add(a_run())
    journal.ask_cancel("01A", "ann", NOON, lambda _: False)

    with pytest.raises(Refused, match="is over: cancelled"):
        journal.queue("01A", "ann", NOON)


def test_a_worker_finds_a_run_taken_that_another_has_ended_since_it_looked(
    journal: SqlJournal,
) -> None:
    """Seen with two timers at once: the slower one left with an error, and did nothing more."""
    journal.enlist(a_worker())
    journal.add(a_run(for_workers=True))
    taken = journal.take_up("01A", "w1", NOON, life="a", seen=0)
    journal.end("01A", taken.epoch, RunState.SUCCEEDED, NOON, Said())

    with pytest.raises(Locked, match="was taken by `w1` just before"):
        journal.take_up("01A", "w1", NOON, life="a", seen=0)
    with pytest.raises(Refused, match="is over: succeeded"):
        journal.take_up("01A", "operator", NOON, seen=0)


def test_what_an_operator_takes_up_is_no_longer_the_workers(journal: SqlJournal) -> None:
    journal.add(a_run(for_workers=True))

    taken = journal.take_up("01A", "here:7", NOON)

    assert (taken.for_workers, journal.queued()) == (False, [])


def test_a_queued_run_that_is_cancelled_waits_for_nobody(journal: SqlJournal) -> None:
    journal.add(a_run(for_workers=True))

    cancelled = journal.ask_cancel("01A", "ann", NOON, lambda _: False)

    assert (cancelled.state, journal.queued()) == (RunState.CANCELLED, [])
    journal.add(a_run("01B"))


# --- workers --------------------------------------------------------------------------------------


def test_of_two_that_want_one_name_at_a_time_one_gets_it(journal: SqlJournal) -> None:
    def enlisting(life: str) -> Asked:
        return lambda journal: journal.enlist(a_worker(life=life))

    answers = at_the_same_time(journal, enlisting("a"), enlisting("b"))

    [there] = journal.workers()
    assert [answer for answer in answers if answer is not None] == [there]


def test_the_runs_of_a_dead_worker_are_queued_under_another_epoch(journal: SqlJournal) -> None:
    journal.add(a_run(for_workers=True))
    journal.enlist(a_worker())
    journal.take_up("01A", "w1", NOON, life="a")

    [left] = journal.bury(a_worker(), NOON)

    assert (left.state, left.epoch, left.deaths) == (RunState.QUEUED, 2, 1)
    assert (journal.queued(), journal.workers()) == (["01A"], [])
    assert journal.events("01A")[-1].says == {"worker": "w1"}


def test_a_worker_that_has_beaten_since_it_was_seen_is_not_buried(journal: SqlJournal) -> None:
    journal.add(a_run(for_workers=True))
    journal.enlist(a_worker())
    journal.take_up("01A", "w1", NOON, life="a")
    [seen] = journal.workers()
    journal.show_life(Worker(name="w1", life="a", machine="", pid=0, since=NOON, beats=1), NOON)

    assert journal.bury(seen, NOON) == []

    assert journal.run("01A").state is RunState.RUNNING


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda j: j.show_life(a_worker(), NOON), id="lives"),
        pytest.param(lambda j: j.take_up("01B", "w1", NOON, life="a"), id="takes a run up"),
        pytest.param(lambda j: j.intend("01A", 1, "s", {}, NOON), id="intends"),
    ],
)
def test_a_worker_that_was_taken_for_dead_does_nothing_more(
    journal: SqlJournal, act: Asked
) -> None:
    journal.add(a_run(for_workers=True))
    journal.add(a_run("01B", holds=("c02",), for_workers=True))
    journal.enlist(a_worker())
    journal.take_up("01A", "w1", NOON, life="a")
    journal.bury(a_worker(), NOON)

    with pytest.raises(Superseded):
        act(journal)

    assert {run.state for run in journal.runs(limit=9)} == {RunState.QUEUED}


def test_a_run_with_which_worker_after_worker_dies_is_stopped_and_frees_its_node(
    journal: SqlJournal,
) -> None:
    journal.add(a_run(for_workers=True))
    for _ in range(5):
        journal.enlist(a_worker())
        journal.take_up("01A", "w1", NOON, life="a")
        journal.bury(a_worker(), NOON)

    left = journal.run("01A")
    assert left.state is RunState.STOPPED
    assert left.ending.reason == "5 workers have died while they carried it out"
    journal.add(a_run("01B"))


def test_a_worker_that_retires_leaves_nothing_behind(journal: SqlJournal) -> None:
    journal.add(a_run(for_workers=True))
    journal.enlist(a_worker())
    journal.take_up("01A", "w1", NOON, life="a")

    journal.retire(a_worker(), NOON + timedelta(hours=1))

    assert journal.workers() == []
    assert journal.queued() == ["01A"]
