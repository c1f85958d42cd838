"""`--at`, `--window` and `worker --once`: whole commands, on a cloud of fakes."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import test_worker
from cli.test_drain import DRAIN, Site
from cli.test_worker import a_stopped_run
from stackward.adapters.store.database import url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.model.run import Approval, Run, RunState, Said, Turn
from texts import folded

UNITS = test_worker.UNIT.parent
journal, site = test_worker.journal, test_worker.site  # the fixtures


@pytest.fixture
def database(tmp_path: Path) -> str:
    return url_of(tmp_path)


def in_hours(first: float, last: float) -> str:
    """Return a window that begins and ends so many hours from now."""
    times = [datetime.now(UTC) + timedelta(hours=each) for each in (first, last)]
    return "-".join(f"{each:%H:%M:%S}" for each in times) + "@UTC"


SOON, NOW = in_hours(3, 5), in_hours(-2, 2)


def rows(site: Site, *words: str) -> list[dict[str, object]]:
    code, out, err = site.run(*words, "-f", "json")
    assert code == 0, err
    found: list[dict[str, object]] = json.loads(out)
    return found


def a_missed_run(journal: SqlJournal) -> Run:
    began = datetime(2026, 1, 1, 1, tzinfo=UTC)
    turn = Turn(
        at=began,
        by=began + timedelta(hours=4),
        until=began + timedelta(hours=4),
        asked="--window 01:00-05:00@UTC",
    )
    run = Run(
        id="01M8AAAA",
        title="drain `c01`",
        plan="{}",
        approval=Approval(by="ann", at=began - timedelta(hours=9), how="--yes"),
        holds=("c01",),
        for_workers=True,
        turn=turn,
    )
    journal.add(run)
    return run


def test_a_drain_waits_for_its_window_and_holds_nothing(site: Site, journal: SqlJournal) -> None:
    code, _, err = site.run(*DRAIN, "--yes", "--window", SOON)

    [run] = journal.runs(limit=9)
    [row] = rows(site, "run", "list")
    assert (code, run.state, site.is_untouched) == (0, RunState.QUEUED, True)
    assert run.turn is not None
    assert run.turn.asked == f"--window {SOON}"
    assert (row["State"], row["Holds"]) == ("queued", [])
    assert (row["Begins at"], row["Ends by"]) == (
        f"{run.turn.at:%Y-%m-%dT%H:%M:%S}.000+00:00",
        f"{run.turn.until:%Y-%m-%dT%H:%M:%S}.000+00:00",
    )
    assert "a worker begins it between" in err
    assert "queued until" in err
    assert "no worker of its cloud is alive" in err


def test_a_plan_for_the_node_shows_the_run_that_waits(site: Site, journal: SqlJournal) -> None:
    site.run(*DRAIN, "--yes", "--window", SOON)

    code, out, _ = site.run(*DRAIN, "--dry-run")

    assert (code, len(journal.runs(limit=9))) == (0, 1)
    assert "waiting for the same node: `01RUN`, drain `compute-07`, from" in folded(out)


def test_in_an_open_window_the_next_worker_begins_it(site: Site, journal: SqlJournal) -> None:
    site.run(*DRAIN, "--yes", "--window", NOW)

    code, _, err = site.run("worker", "--once", "--name", "w1")

    [run] = journal.runs(limit=9)
    assert (code, run.state) == (0, RunState.SUCCEEDED), err
    assert site.hosts == {"db-01": "compute-08", "db-02": "compute-08"}


def test_a_worker_that_works_once_leaves_what_is_not_due(site: Site, journal: SqlJournal) -> None:
    site.run(*DRAIN, "--yes", "--window", SOON)

    code, out, err = site.run("worker", "--once", "--name", "w1")

    assert (code, out, site.is_untouched) == (0, "", True)
    assert err.splitlines()[-1] == "worker `w1` has left"
    assert journal.runs(limit=9)[0].state is RunState.QUEUED


def test_where_a_timer_works_no_worker_is_missed(site: Site) -> None:
    site.run("worker", "--once")

    _, _, err = site.run(*DRAIN, "--yes", "--at", _tomorrow())

    assert "no worker" not in err
    assert "later it is not begun at all" in err


def _tomorrow() -> str:
    return f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M}Z"


BAD = [
    pytest.param(("--window", "01:00-05:00@Mars"), "knows no zone `Mars`", id="no such zone"),
    pytest.param(("--window", "01:00-01:00"), "is empty", id="an empty window"),
    pytest.param(("--window", "01:00-30:00"), "30:00 is no time of day", id="over 24 h"),
    pytest.param(("--at", "2026-01-01T00:00Z"), "has passed", id="in the past"),
    pytest.param(("--at", "01:00", "--window", SOON), "exclude each other", id="both"),
]


@pytest.mark.parametrize(("words", "said"), BAD)
def test_what_is_no_time_is_refused_before_the_cloud_is_asked(
    site: Site, words: Sequence[str], said: str
) -> None:
    code, out, err = site.run(*DRAIN, "--yes", *words)

    assert (code, out, site.is_untouched) == (2, "", True)
    assert said in err
    assert "plan:" not in err
    assert "hint: " in err


def test_what_is_no_time_is_refused_of_a_plan_file_too(site: Site, tmp_path: Path) -> None:
    code, _, err = site.run("run", "apply", str(tmp_path / "none"), "--window", "01:00")

    assert (code, "is not a window" in err) == (2, True)


def test_a_run_that_was_not_begun_in_time_is_reported_though_no_worker_came(
    site: Site, journal: SqlJournal
) -> None:
    run = a_missed_run(journal)

    [row] = rows(site, "run", "list")
    shown = site.run("run", "show", run.id)
    watched = site.run("run", "watch", run.id)
    resumed = site.run("run", "resume", run.id, "--queue")

    assert (row["State"], row["Begins at"]) == ("not begun", None)
    why = "(it was not begun in time: its turn passed at 2026-01-01 05:00:00 UTC)"
    assert f"drain `c01`: not begun {why}; 0 steps are done" in shown[2]
    assert watched[0] == 3
    assert "not begun: it was not begun in time: its turn passed at 2026-01-01 05:00" in watched[2]
    assert (resumed[0], "its approval has lapsed" in resumed[2]) == (3, True)
    assert journal.run(run.id).state is RunState.QUEUED  # it was only read


def test_a_run_is_not_begun_early_by_resume(site: Site, journal: SqlJournal) -> None:
    site.run(*DRAIN, "--yes", "--window", SOON)
    [run] = journal.runs(limit=9)

    code, _, err = site.run("run", "resume", run.id)

    assert (code, site.is_untouched) == (3, True)
    assert "is approved for a later time: it begins at" in err


def test_a_run_that_stopped_is_resumed_in_a_window(site: Site, journal: SqlJournal) -> None:
    run = a_stopped_run(journal)

    code, _, _ = site.run("run", "resume", run.id, "--window", SOON)

    queued = journal.run(run.id)
    assert (code, queued.state) == (0, RunState.QUEUED)
    assert queued.turn is not None
    assert queued.turn.asked == f"--window {SOON}"
    assert queued.is_early(datetime.now(UTC))


def test_where_a_window_stopped_a_run_the_hint_names_the_next(
    site: Site, journal: SqlJournal
) -> None:
    run = a_missed_run(journal)
    assert run.turn is not None
    begun = replace(run, id="01M8BBBB", turn=replace(run.turn, by=None))
    journal.add(begun)
    journal.take_up(begun.id, "elsewhere:1", run.turn.at)
    journal.end(begun.id, 1, RunState.STOPPED, run.turn.at, Said(reason="its window ended"))

    code, _, err = site.run("run", "watch", begun.id)

    assert code == 4
    assert f"`stackward run resume {begun.id} --window 01:00-05:00@UTC` continues in the next" in (
        folded(err)
    )


def test_a_return_that_brings_servers_back_waits_for_its_window_too(
    site: Site, journal: SqlJournal
) -> None:
    site.run(*DRAIN, "--yes")
    back = ("node", "return", "compute-07", "--bring-back", "--yes")

    code, _, err = site.run(*back, "--window", SOON)

    [run] = journal.runs(limit=1)

    assert (code, run.is_chain, run.state) == (0, True, "queued"), err


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("unit", ["stackward-worker-once.service", "stackward-worker-once.timer"])
def test_the_timer_and_its_unit_are_well_formed(tmp_path: Path, unit: str) -> None:
    for each in UNITS.iterdir():
        text = each.read_text().replace("/opt/stackward/bin/stackward", sys.executable)
        (tmp_path / each.name).write_text(text)

    judged = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / unit)],  # noqa: S607  # where systemd puts it
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")


def test_what_the_timer_starts_is_hardened_as_the_worker_is() -> None:
    once = (UNITS / "stackward-worker-once.service").read_text()
    worker = test_worker.UNIT.read_text()

    _, _, hardening = worker.partition("# Nothing here is in the way of ssh")
    assert hardening.partition("\n\n[Install]")[0] in once
    assert "ExecStart=/opt/stackward/bin/stackward worker --once\n" in once
