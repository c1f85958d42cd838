"""A plan and its run belong to one cloud: whatever leads to another is refused, both named."""

import io
import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cli.test_undo import DRAIN, NODE, RETURN, Site
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.listing import FILE, list_runs
from stackward.lab.waiting import wait_until
from stackward.model.run import RunState

HERE, THERE = "http://ctl:5000 RegionOne", "https://other.example:5000 RegionTwo"
BOTH = f"belongs to the cloud `{HERE}`, but this login is for the cloud `{THERE}`"


@pytest.fixture
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Site:
    (tmp_path / "inventory").write_text(f"{NODE}\n")
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return Site(tmp_path, capsys)


@pytest.fixture
def kept(site: Site, tmp_path: Path) -> Path:
    """Return a plan that was made in the cloud that is here."""
    path = tmp_path / "plan.json"
    code, _, said = site.run(*DRAIN[:-1], "--dry-run", "--plan-out", str(path))
    assert code == 0, said
    return path


def of_older_version(path: Path, *, name: str | None) -> None:
    """Let a kept plan be as an older version wrote it."""
    plan = json.loads(path.read_text())
    del plan["decisions"]["cloud"], plan["facts"]["cloud"]
    plan["facts"] |= {"cloud": name} if name else {}
    path.write_text(json.dumps(plan))


def age(site: Site, name: str | None) -> None:
    """Let the newest run be as an older version wrote it."""
    engine = open_database(url_of(site.state_dir))
    plan = json.loads(site.newest.plan)
    del plan["decisions"]["cloud"], plan["facts"]["cloud"]
    plan["facts"] |= {"cloud": name} if name else {}
    with engine.begin() as connection:
        older = text("UPDATE runs SET plan = :plan, cloud = NULL")
        connection.execute(older, {"plan": json.dumps(plan)})
        connection.execute(text("UPDATE holds SET cloud = ''"))
    engine.dispose()


# --- a kept plan ----------------------------------------------------------------------------------


def test_a_plan_of_another_cloud_is_not_applied(site: Site, kept: Path) -> None:
    site.cloud.place = THERE

    code, out, said = site.run("run", "apply", str(kept), "--yes")

    assert (code, out, list_runs(site.state_dir / FILE, 9)) == (3, "", [])
    assert f"error: the plan {BOTH}" in said
    assert "nothing was changed" in said
    assert "hint: log in to that cloud" in said


def test_a_plan_is_applied_by_another_url_of_the_same_cloud(site: Site, tmp_path: Path) -> None:
    site.cloud.service_id = "nova-1 RegionOne"
    path = tmp_path / "outside.json"
    site.run(*DRAIN[:-1], "--dry-run", "--plan-out", str(path))
    site.cloud.place = "http://10.0.0.5:5000 RegionOne"

    code, _, said = site.run("run", "apply", str(path), "--yes")

    assert code == 0, said


def test_a_cloud_that_was_installed_anew_at_the_same_url_is_another(site: Site, kept: Path) -> None:
    site.cloud.service_id = "nova-2 RegionOne"

    code, _, said = site.run("run", "apply", str(kept), "--yes")

    assert code == 3
    assert f"that one is nova of {HERE}; this one nova-2 RegionOne" in said


def test_a_plan_of_an_older_version_is_applied_by_the_url_of_then(site: Site, kept: Path) -> None:
    of_older_version(kept, name=HERE)

    code, _, said = site.run("run", "apply", str(kept), "--yes")

    assert code == 0, said


def test_a_plan_of_an_older_version_is_not_applied_by_another_url(site: Site, kept: Path) -> None:
    of_older_version(kept, name="http://10.0.0.5:5000 RegionOne")

    code, _, said = site.run("run", "apply", str(kept), "--yes")

    assert code == 3
    assert "an older version, which knew clouds by this URL alone" in said
    assert "hint: log in by the URL of the plan" in said


@pytest.mark.parametrize("how", [(), ("--queue",)])
def test_a_plan_that_does_not_say_of_which_cloud_it_is_is_not_applied(
    site: Site, kept: Path, how: tuple[str, ...]
) -> None:
    of_older_version(kept, name=None)

    code, _, said = site.run("run", "apply", str(kept), "--yes", *how)

    assert (code, list_runs(site.state_dir / FILE, 9)) == (3, [])
    assert "the plan does not say of which cloud it is" in said
    assert "hint: plan again with `--plan-out`" in said


# --- a run ----------------------------------------------------------------------------------------


def test_a_run_of_another_cloud_is_not_resumed_and_stays_as_it_is(site: Site) -> None:
    run = site.half_drained()
    site.cloud.place = THERE

    code, _, said = site.run("run", "resume", run.id)

    assert (code, site.newest) == (3, run)
    assert f"error: run `01RUN`, drain `{NODE}`, {BOTH}" in said


def test_a_run_is_resumed_by_another_url_of_the_same_cloud(site: Site) -> None:
    site.cloud.service_id = "nova-1 RegionOne"
    run = site.half_drained()
    site.cloud.place = "http://10.0.0.5:5000 RegionOne"

    code, _, said = site.run("run", "resume", run.id)

    assert code == 0, said


def test_a_run_of_another_cloud_is_not_undone(site: Site) -> None:
    run = site.drained("--keep-service")
    site.cloud.place = THERE

    code, _, said = site.undo(run)

    assert (code, site.newest.id) == (3, run.id)
    assert f"error: run `01RUN`, drain `{NODE}`, {BOTH}" in said


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda site: site.well(*RETURN), id="a return"),
        pytest.param(lambda site: site.well(*RETURN, "--bring-back"), id="a homecoming"),
        pytest.param(lambda site: site.well("run", "undo", site.newest.id, "--yes"), id="an undo"),
    ],
)
def test_every_run_says_of_which_cloud_it_is(site: Site, ask: Callable[[Site], Any]) -> None:
    site.drained("--keep-service")

    ask(site)

    plan = json.loads(site.newest.plan)
    said = (plan["decisions"]["cloud"], plan["facts"]["cloud"], site.newest.cloud)
    assert said == (f"nova of {HERE}", HERE, f"nova of {HERE}")


def test_a_run_of_an_older_version_is_resumed_by_the_url_of_then(site: Site) -> None:
    run = site.half_drained()
    age(site, HERE)

    code, _, said = site.run("run", "resume", run.id)

    assert (code, "cannot be compared" in said) == (0, False), said


def test_a_run_that_does_not_say_where_goes_on_with_a_word_where_it_has_begun(site: Site) -> None:
    run = site.half_drained()
    age(site, None)

    code, _, said = site.run("run", "resume", run.id)

    assert code == 0, said
    assert f"its cloud cannot be compared: it goes on in `{HERE}`" in said


def test_a_run_that_does_not_say_where_and_has_not_begun_is_refused(site: Site) -> None:
    site.run(*DRAIN, "--queue")
    age(site, None)

    code, _, said = site.run("run", "resume", site.newest.id)

    assert (code, site.newest.state) == (3, RunState.REFUSED)
    assert f"the cloud was not said, is `{HERE}`" in said


def test_the_undo_of_a_run_that_does_not_say_where_is_warned_of(site: Site) -> None:
    run = site.drained("--keep-service")
    age(site, None)

    code, out, said = site.undo(run, "--dry-run")

    assert code == 0, said
    assert "undo-cloud-not-said:" in out


# --- another cloud in the same journal ------------------------------------------------------------


def test_the_same_node_of_another_cloud_is_drained_while_a_run_has_this_one(site: Site) -> None:
    site.run(*DRAIN, "--queue")
    other = Site(site.state_dir, site.capsys)
    other.cloud.place = THERE

    code, _, said = other.run(*DRAIN)

    assert code == 0, said


def test_the_drain_of_a_node_of_that_name_in_another_cloud_brings_nobody_home(site: Site) -> None:
    run = site.drained("--keep-service")
    other = Site(site.state_dir, site.capsys)
    other.cloud.place = THERE

    code, _, said = other.run(*RETURN, "--bring-back", "--run", run.id)

    assert code == 2, said
    assert f"is no drain of `{NODE}` in this cloud" in said


# --- workers --------------------------------------------------------------------------------------


def test_a_worker_takes_the_runs_of_its_own_cloud_and_leaves_the_others(site: Site) -> None:
    site.run(*DRAIN, "--queue")
    other = Site(site.state_dir, site.capsys)
    other.cloud.place = THERE
    other.run(*DRAIN, "--queue")
    there = site.newest
    stopping = threading.Thread(target=stop_once_one_is_over, args=(site,))
    stopping.start()

    code, _, said = site.run("worker", "--name", "here")

    stopping.join()
    here, left = sorted(list_runs(site.state_dir / FILE, 9), key=lambda run: run.id == there.id)
    assert (code, here.state, here.worker) == (0, RunState.SUCCEEDED, "here"), said
    assert (left.state, left.worker, other.is_in_service) == (RunState.QUEUED, None, True)


def stop_once_one_is_over(site: Site) -> None:
    def is_over() -> bool:
        return any(run.state.is_over for run in list_runs(site.state_dir / FILE, 9))

    wait_until(is_over, within_s=60, every_s=0.1)
    os.kill(os.getpid(), signal.SIGTERM)
