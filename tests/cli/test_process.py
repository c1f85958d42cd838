"""The command as a process of its own: its start, its signals, its pipes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "openstack",
    "keystoneauth1",
    "rich",
    "yaml",
    "sqlalchemy",
    "psycopg",
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


def test_an_option_that_is_given_is_checked_all_the_same(tmp_path: Path) -> None:
    """What is not given is not checked, and what would check it not imported."""
    process = stackward("run", "list", "--limit", "0", state_dir=tmp_path)

    _, said = process.communicate(timeout=60)

    assert process.returncode == 2
    assert said.startswith("error: invalid value for `--limit`: ")
