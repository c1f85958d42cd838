"""`stackward run`: whole outputs."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from platform import node

import pytest

from builders import a_node, a_server, an_id, asking
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.cli import main
from stackward.model.run import Approval, Run, RunState, Said, Settled
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.plan import to_json

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLAN = to_json(plan_drain(a_node(a_server("SHUTOFF")), asking()))


pytestmark = pytest.mark.journal_by_hand


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlJournal]:
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    journal = SqlJournal(open_database(url_of(tmp_path)))
    yield journal
    journal.close()


def a_run(journal: SqlJournal, run_id: str = "01M8AAAA", plan: str = PLAN) -> Run:
    approval = Approval(by="ann", at=NOON, how="--yes")
    run = Run(id=run_id, title="drain `c01`", plan=plan, approval=approval, holds=(run_id,))
    journal.add(run)
    return run


def a_stopped_run(journal: SqlJournal) -> Run:
    run = a_run(journal)
    journal.take_up(run.id, "host:1", NOON)
    attempt = journal.intend(run.id, 1, "move/web-3/0", {}, NOON)
    said = Said(reason="no host", service="Nova", says="No valid host", request_id="req-1")
    journal.settle(run.id, 1, attempt, Settled.FAILED, NOON, said=said, saw={})
    return journal.end(run.id, 1, RunState.STOPPED, NOON, said)


def test_list(journal: SqlJournal, capsys: pytest.CaptureFixture[str]) -> None:
    a_run(journal)

    code = main(["run", "list", "-f", "csv"])

    assert (code, *capsys.readouterr()) == (
        0,
        (
            '"ID","State","Title","Approved by","Approved at","Holds","Worker","Undone by",'
            '"Begins at","Ends by","Chain"\n'
            '"01M8AAAA","queued","drain `c01`","ann","2026-01-01T12:00:00.000+00:00",'
            '"01M8AAAA","","","","",""\n'
        ),
        "",
    )


def test_show_by_the_beginning_of_the_id(
    journal: SqlJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    a_stopped_run(journal)

    code = main(["run", "show", "01m8", "-f", "value", "-c", "Step", "-c", "State", "-c", "Says"])

    assert (code, *capsys.readouterr()) == (
        0,
        "move/web-3/0 failed No valid host\n",
        "run `01M8AAAA`, drain `c01`: stopped; 0 steps are done, none is under way\n",
    )


def test_events_tell_all_in_order(journal: SqlJournal, capsys: pytest.CaptureFixture[str]) -> None:
    a_stopped_run(journal)

    main(["run", "show", "01M8", "--events", "-f", "value", "-c", "What"])

    told = "approved\ntaken up\nintended\nsettled: failed\nstopped\n"
    assert capsys.readouterr().out == told


def test_watching_a_run_that_stopped_ends_as_the_run_did(
    journal: SqlJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    a_stopped_run(journal)

    code = main(["run", "watch", "01M8"])

    assert code == 4
    assert capsys.readouterr().err == (
        "error: run `01M8AAAA`, drain `c01`: stopped: no host\n"
        '  Nova says: "No valid host" (req-1)\n'
        "run `01M8AAAA`, drain `c01`: stopped; 0 steps are done, none is under way\n\n"
        "hint: `stackward diagnose --request req-1 --since 2026-01-01T12:00:00Z` looks for the "
        "reason in the logs; "
        "`stackward run resume 01M8AAAA` continues; "
        "`stackward run show 01M8AAAA --events` shows all\n"
    )


@pytest.mark.parametrize("command", ["watch", "cancel"])
def test_a_run_whose_worker_has_died_is_said_to_be_nobodys(
    journal: SqlJournal, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    run = a_run(journal)
    journal.take_up(run.id, f"{node()}:4194304", NOON)  # no such process

    code = main(["run", command, "01M8"])

    said = capsys.readouterr().err
    assert code == 4
    assert f"its worker `{node()}:4194304` has died" in said
    assert "hint: `stackward run resume 01M8AAAA`" in said


@pytest.mark.parametrize("command", [("list",), ("show", "01M8"), ("audit", "01M8")], ids=" ".join)
def test_a_run_is_not_called_running_alone_once_its_worker_has_died(
    journal: SqlJournal, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    run = a_run(journal)
    journal.take_up(run.id, f"{node()}:4194304", NOON)  # no such process

    main(["run", *command])

    assert "running, but its worker has died" in "".join(capsys.readouterr())


def test_how_a_run_goes_on_is_said_once_its_worker_has_died(
    journal: SqlJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(journal)
    main(["run", "show", run.id])
    alive = capsys.readouterr().err
    journal.take_up(run.id, f"{node()}:4194304", NOON)

    main(["run", "show", run.id])

    assert "hint:" not in alive
    assert f"hint: `stackward run resume {run.id}` goes on" in capsys.readouterr().err


def test_the_state_of_a_run_is_one_word_for_programs(
    journal: SqlJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(journal)
    journal.take_up(run.id, f"{node()}:4194304", NOON)

    main(["run", "list", "-f", "value", "-c", "State"])

    assert capsys.readouterr().out == "running\n"


def test_cancel_of_a_run_that_nobody_carries_out(
    journal: SqlJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    a_run(journal)

    code = main(["run", "cancel", "01M8"])

    assert (code, journal.run("01M8").state) == (0, RunState.CANCELLED)
    assert "cancelled" in capsys.readouterr().err


def test_cancel_of_a_run_that_left_a_server_half_way_says_how_it_is_ended(
    journal: SqlJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was migrated cold, and nobody has confirmed it."""
    run = a_run(journal)
    journal.take_up(run.id, "host:1", NOON)
    journal.found_done(run.id, 1, f"move/{an_id('db-01')}/0", NOON, {})
    journal.end(run.id, 1, RunState.STOPPED, NOON, Said(reason="interrupted"))

    code = main(["run", "cancel", "01M8"])

    said = capsys.readouterr().err
    assert (code, journal.run("01M8").cancel_asked_by is None) == (4, False)
    assert "  `db-01` is not finished\n" in said
    assert "hint: `stackward run resume 01M8AAAA` finishes that" in said


@pytest.fixture
def no_inventory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "none"))


def over(journal: SqlJournal, run_id: str) -> None:
    journal.ask_cancel(run_id, "ann", NOON, lambda _: False)


def living(journal: SqlJournal, run_id: str) -> None:
    journal.take_up(run_id, f"{node()}:1", NOON)


@pytest.mark.usefixtures("no_inventory")
@pytest.mark.parametrize(
    ("become", "given", "expected"),
    [
        pytest.param(None, "nonsense", (2, "there is no run `nonsense`"), id="unknown"),
        pytest.param(over, "01M8", (3, "run `01M8AAAA` is over: cancelled"), id="over"),
        pytest.param(
            living, "01M8", (3, f"run `01M8AAAA` is being carried out by `{node()}:1`"), id="living"
        ),
        pytest.param(None, "01M9", (2, "this is not a stored plan"), id="not understood"),
    ],
)
def test_a_run_that_cannot_go_on_is_said_to_be_so_before_inventory_and_cloud_are_asked_for(
    journal: SqlJournal,
    capsys: pytest.CaptureFixture[str],
    become: Callable[[SqlJournal, str], object] | None,
    given: str,
    expected: tuple[int, str],
) -> None:
    run = a_run(journal)
    a_run(journal, "01M9AAAA", plan="{}")
    if become:
        become(journal, run.id)

    ended = main(["run", "resume", given])

    code, says = expected
    out, err = capsys.readouterr()
    assert (ended, out) == (code, "")
    assert err.startswith(f"error: {says}")


@pytest.mark.usefixtures("no_inventory")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(None, "cannot read `{}`: No such file or directory", id="no file"),
        pytest.param("{", "the plan is not JSON: ", id="not JSON"),
        pytest.param("[]", "this is not a stored plan", id="another file"),
    ],
)
def test_a_file_that_holds_no_plan_is_said_to_be_so_before_inventory_and_cloud_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, says: str
) -> None:
    file = tmp_path / "plan.json"
    if text is not None:
        file.write_text(text)

    ended = main(["run", "apply", str(file), "--yes"])

    assert ended == 2
    assert capsys.readouterr().err.startswith(f"error: {says.format(file)}")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param("01M9", "there is no run `01M9`", id="unknown"),
        pytest.param("01M8", "several runs begin with `01M8`: `01M8AAAA`, `01M8BBBB`", id="two"),
        pytest.param("", "there is no run ``", id="empty"),
        pytest.param("01M8%", "there is no run `01M8%`", id="no pattern"),
        pytest.param("01M8_", "there is no run `01M8_`", id="no pattern of one letter"),
        pytest.param("01M8/", "there is no run `01M8/`", id="not what a pattern is written with"),
    ],
)
def test_an_id_that_names_no_single_run_is_refused(
    journal: SqlJournal, capsys: pytest.CaptureFixture[str], given: str, says: str
) -> None:
    a_run(journal)
    a_run(journal, "01M8BBBB")

    code = main(["run", "show", given])

    assert (code, says in capsys.readouterr().err) == (2, True)
