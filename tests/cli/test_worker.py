"""`stackward worker` and `--queue`: from the approval to the proofs, on a cloud of fakes."""

import io
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.test_drain import DRAIN, Site
from stackward.adapters.store.database import open_database
from stackward.adapters.store.journal import SqlJournal
from stackward.cli import main
from stackward.lab.waiting import wait_until
from stackward.model.run import Approval, Run, RunState, Said

UNIT = Path(__file__).parents[2] / "share/systemd/stackward-worker.service"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def journal(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlJournal]:
    monkeypatch.setenv("STACKWARD_DATABASE", database)
    journal = SqlJournal(open_database(database))
    yield journal
    journal.close()


@pytest.fixture
def site(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    journal: SqlJournal,  # noqa: ARG001  # of the database that is set
) -> Site:
    (tmp_path / "inventory").write_text("compute-07\n")
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return Site(tmp_path, capsys)


def a_stopped_run(journal: SqlJournal) -> Run:
    approval = Approval(by="ann", at=NOON, how="--yes")
    run = Run(id="01M8AAAA", title="drain `c01`", plan="{}", approval=approval, holds=("c01",))
    journal.add(run)
    journal.take_up(run.id, "elsewhere:1", NOON)
    return journal.end(run.id, 1, RunState.STOPPED, NOON, Said(reason="no host"))


def stop_once_it_is_over(journal: SqlJournal) -> threading.Thread:
    """Send SIGTERM to the worker, which is this process, once the newest run has ended."""

    def wait_and_stop() -> None:
        wait_until(lambda: journal.runs(limit=1)[0].state.is_over, within_s=60, every_s=0.1)
        os.kill(os.getpid(), signal.SIGTERM)

    stopping = threading.Thread(target=wait_and_stop)
    stopping.start()
    return stopping


def test_a_queued_drain_is_carried_out_by_a_worker(site: Site, journal: SqlJournal) -> None:
    queued = site.run(*DRAIN, "--yes", "--queue", "-f", "value", "-c", "ID", "-c", "State")
    was_untouched = site.is_untouched
    stopping = stop_once_it_is_over(journal)

    code, out, err = site.run("worker", "--name", "w1")

    stopping.join()
    [run] = journal.runs(limit=9)
    assert (queued[:2], was_untouched) == ((0, "01RUN queued\n"), True)
    assert (code, out, run.state, run.worker) == (0, "", RunState.SUCCEEDED, "w1")
    assert site.hosts == {"db-01": "compute-08", "db-02": "compute-08"}
    told = [line for line in err.splitlines() if not line.startswith("takes nothing more up")]
    assert told == [
        "worker `w1`: at most 2 runs of `http://ctl:5000 RegionOne` at a time",
        "run `01RUN`, drain `compute-07`: started",
        "run `01RUN`, drain `compute-07`: succeeded",
        "worker `w1` has left",
    ]


def test_a_queued_undo_is_carried_out_by_a_worker(site: Site, journal: SqlJournal) -> None:
    site.run(*DRAIN, "--yes", "--keep-service")
    [drain] = journal.runs(limit=9)
    queued = site.run("run", "undo", drain.id, "--yes", "--queue", "-f", "value", "-c", "State")
    stopping = stop_once_it_is_over(journal)

    code, _, err = site.run("worker", "--name", "w1")

    stopping.join()
    undo, undone = journal.runs(limit=9)
    assert (queued[:2], code) == ((0, "queued\n"), 0), err
    assert (undo.state, undo.worker, undone.undone_by) == (RunState.SUCCEEDED, "w1", undo.id), err
    assert site.hosts == {"db-01": "compute-07", "db-02": "compute-07"}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_command_carries_its_own_run_out_on_a_server_too(site: Site, journal: SqlJournal) -> None:
    code, _, _ = site.run(*DRAIN, "--yes")

    [run] = journal.runs(limit=9)
    assert (code, run.state, run.for_workers) == (0, RunState.SUCCEEDED, False)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_queues_is_told_how_to_follow_it_and_that_no_worker_is_there(site: Site) -> None:
    _, _, err = site.run(*DRAIN, "--yes", "--queue")

    assert err.endswith(
        "queued; `stackward run watch 01RUN` follows it\n"
        "no worker of its cloud is alive: start one with `stackward worker`\n"
    )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_second_drain_is_told_which_queued_run_has_the_node(
    site: Site, journal: SqlJournal
) -> None:
    site.run(*DRAIN, "--yes", "--queue")

    code, out, err = site.run(*DRAIN, "--yes", "--queue")

    assert (code, out, len(journal.runs(limit=9))) == (3, "", 1)
    assert "`compute-07` is held by run `01RUN`, drain `compute-07` (queued), approved by" in err


def test_runs_are_listed_from_the_database_that_is_set(
    journal: SqlJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    a_stopped_run(journal)

    code = main(["run", "list", "-f", "value", "-c", "ID", "-c", "State"])

    assert (code, *capsys.readouterr()) == (0, "01M8AAAA stopped\n", "")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_stopped_run_is_given_to_the_workers(
    journal: SqlJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    a_stopped_run(journal)

    code = main(["run", "resume", "01M8", "--queue", "-f", "value", "-c", "State"])

    assert (code, capsys.readouterr().out) == (0, "queued\n")
    assert journal.queued() == ["01M8AAAA"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_watches_a_queued_run_that_no_worker_can_take_is_told(journal: SqlJournal) -> None:
    a_stopped_run(journal)
    journal.queue("01M8", "ann", NOON)
    script = "from stackward.cli import main; raise SystemExit(main())"
    watching = subprocess.Popen(
        [sys.executable, "-c", script, "run", "watch", "01M8"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stderr is not None

    said = watching.stderr.readline()

    assert said == "it waits for a worker of its cloud, and none is alive: `stackward worker`\n"
    journal.ask_cancel("01M8", "ann", NOON, lambda _: False)
    watching.communicate(timeout=60)
    assert watching.returncode == 4


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("postgresql://ann:swordfish@db/stackward", id="before the host"),
        pytest.param("postgresql://ann@db/stackward?password=swordfish", id="as a parameter"),
    ],
)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(
    capsys: pytest.CaptureFixture[str], url: str
) -> None:
    code = main(["worker", "--database", url])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert "hint: leave it out: put it into ~/.pgpass" in said.err
    assert "swordfish" not in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("run", "list"), id="list"),
        pytest.param(("run", "show", "01M8"), id="show"),
        pytest.param(("--debug", "run", "cancel", "01M8"), id="with the place of the error"),
    ],
)
def test_a_password_that_is_set_is_shown_by_no_command(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setenv("STACKWARD_DATABASE", "postgresql://ann:swordfish@127.0.0.1:1/n")

    code = main(arguments)

    said = capsys.readouterr()
    assert (code, said.out) == (8, "")
    assert "the database of runs in `postgresql://ann@127.0.0.1:1/n` cannot be opened" in said.err
    assert "swordfish" not in said.err


def test_a_name_that_cannot_be_one_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))

    code = main(["worker", "--name", "north:1"])

    assert code == 2
    assert capsys.readouterr().err == (
        "error: `north:1` cannot be the name of a worker\n\n"
        "hint: use letters, digits, `.`, `_` and `-`, 63 at most; `--name` gives it another\n"
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_the_unit_is_one_that_systemd_understands(tmp_path: Path) -> None:
    program = "/opt/stackward/bin/stackward"
    unit = UNIT.read_text()
    (tmp_path / UNIT.name).write_text(unit.replace(program, sys.executable))

    judged = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / UNIT.name)],  # noqa: S607  # where systemd puts it
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert f"ExecStart={program} worker" in unit
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")
