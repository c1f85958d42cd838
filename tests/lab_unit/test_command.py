"""Programs of the host are run, and how they went is told."""

import os
import sys
import sysconfig
from pathlib import Path

import pytest

from stackward.errors import StepFailed
from stackward.lab.command import path_with_own_programs, run


def test_what_a_program_writes_is_returned() -> None:
    assert run(["sh", "-c", "cat; echo said; echo aside >&2"], stdin="given ") == "given said\n"


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(StepFailed) as failed:
        run(["sh", "-c", "echo out; echo why >&2; exit 3"])

    assert failed.value.message == ("`sh -c echo out; echo why >&2; exit 3` failed (exit code 3)")
    assert failed.value.says == "why"


def test_with_a_log_both_outputs_go_there_and_are_quoted_from_there(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")

    with pytest.raises(StepFailed) as failed:
        run(["sh", "-c", "echo out; echo why >&2; exit 3"], log=log, called="it")

    assert log.read_text() == "before\nout\nwhy\n"
    assert failed.value.says == "before\nout\nwhy"
    assert failed.value.hint == f"the whole output is in {log}"


def test_with_a_log_nothing_is_returned(tmp_path: Path) -> None:
    assert run(["echo", "said"], log=tmp_path / "log") == ""


@pytest.mark.parametrize(
    ("environment", "rest"),
    [({"PATH": "/usr/bin:/bin"}, "/usr/bin:/bin"), ({}, os.defpath)],
    ids=["a path", "none"],
)
def test_a_child_finds_our_own_programs_first(environment: dict[str, str], rest: str) -> None:
    path = path_with_own_programs(environment)

    assert path == f"{sysconfig.get_path('scripts')}:{rest}"


def test_the_stackward_of_this_environment_is_among_them() -> None:
    path = path_with_own_programs({"PATH": "/usr/bin:/bin"})

    found = run(["/bin/sh", "-c", "command -v stackward"], env={"PATH": path})

    assert found.strip() == str(Path(sys.executable).with_name("stackward"))
