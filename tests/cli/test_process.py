"""The command as a process of its own: its start, its signals, its pipes."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders import a_node, a_server, asking
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.engine import approve
from stackward.model.run import Approval, RunState, Said
from stackward.operations.drain_compute_node.plan import plan_drain

HEAVY = {
    "openstack",
    "keystoneauth1",
    "rich",
    "yaml",
    "sqlalchemy",
    "psycopg",
    "typing_extensions",
    "stackward.adapters",
}
IMPORTED = """
import sys
from stackward.cli import main
code = main(sys.argv[1:])
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def stackward(*arguments: str, state_dir: Path | None = None) -> "subprocess.Popen[str]":
    own = {"STACKWARD_STATE_DIR": str(state_dir)} if state_dir else {}
    return subprocess.Popen(
        [sys.executable, "-c", IMPORTED, *arguments],
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_the_first_screen_imports_not_even_a_subject(argument: str) -> None:
    process = stackward(argument)

    _, imported = process.communicate(timeout=60)

    assert process.returncode == 0
    assert (HEAVY | {"pydantic", "stackward.cli.node"}) & set(imported.split()) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["node", "--help"], id="help of a subject"),
        pytest.param(["node", "list", "--help"], id="help of a command"),
        pytest.param(["cloud", "check", "--help"], id="help of a check"),
        pytest.param(["metrics", "--help"], id="help of a subject that is a command"),
    ],
)
def test_help_of_a_command_imports_nothing_heavy(arguments: list[str]) -> None:
    process = stackward(*arguments)

    _, imported = process.communicate(timeout=60)

    assert process.returncode == 0
    assert HEAVY & set(imported.split()) == set()


def test_a_command_looks_through_nothing_for_garbage_as_it_ends() -> None:
    """With the client of OpenStack loaded, that took 0.1 to 0.3 s of each command."""
    script = "import gc; from stackward.cli import main; main(); print(gc.get_freeze_count())"

    process = subprocess.run(
        [sys.executable, "-c", script, "--version"], capture_output=True, text=True, check=True
    )

    assert int(process.stdout.split()[-1]) > 0


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)

    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "from stackward.cli import main; raise SystemExit(main())",
            "--help",
        ],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )

    assert (ended.returncode, ended.stderr) == (141, b"")


def test_listing_runs_imports_neither_databases_nor_a_cloud(tmp_path: Path) -> None:
    process = stackward("run", "list", state_dir=tmp_path)

    _, imported = process.communicate(timeout=60)

    light = HEAVY - {"stackward.adapters"}
    assert process.returncode == 0
    assert (light | {"sqlalchemy", "pydantic", "stackward.plan"}) & set(imported.split()) == set()


@pytest.mark.journal_by_hand
@pytest.mark.parametrize("command", ["audit", "watch"])
def test_a_run_is_shown_without_what_would_plan_it_again(tmp_path: Path, command: str) -> None:
    journal = SqlJournal(open_database(url_of(tmp_path)))
    plan = plan_drain(a_node(a_server("SHUTOFF")), asking())
    approval = Approval(by="ann", at=datetime(2026, 1, 1, 12, tzinfo=UTC), how="--yes")
    run = approve(plan, approval, journal)
    journal.take_up(run.id, "host:1", approval.at)
    journal.end(run.id, 1, RunState.SUCCEEDED, approval.at, Said())
    journal.close()

    process = stackward("run", command, run.id, state_dir=tmp_path)
    _, said = process.communicate(timeout=60)

    imported = set(said.split())
    assert process.returncode == 0, said
    assert {"stackward.steps.compute", "stackward.checks.compute"} <= imported  # it was read
    others = {f"stackward.{name}" for name in ("facts", "moving", "operations")}
    others.add("stackward.steps.acceptance")
    others.add("sqlalchemy.dialects.postgresql")  # the journal is in a file
    assert others & imported == set()


def test_an_option_that_is_given_is_checked_all_the_same(tmp_path: Path) -> None:
    """What is not given is not checked, and what would check it not imported."""
    process = stackward("run", "list", "--limit", "0", state_dir=tmp_path)

    _, said = process.communicate(timeout=60)

    assert process.returncode == 2
    assert said.startswith("error: invalid value for `--limit`: ")
