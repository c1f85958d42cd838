"""What a machine lacks is said before the tests begin, and CI has it."""

import re
from pathlib import Path

import pytest

import machine

ROOT = Path(__file__).parents[1]
SKIPS = re.compile(r"skipif\(|pytest\.skip\(")


def test_what_will_be_skipped_is_said_at_the_start_and_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "is_here", lambda program: program != "promtool")
    monkeypatch.setattr("os.geteuid", lambda: 0)

    assert machine.pytest_report_header() == [
        "will be skipped: the alert rules: no promtool",
        "to run them too: apt-get install prometheus",
    ]


def test_whoever_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "is_here", lambda _: True)
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert machine.pytest_report_header() == [
        "will be skipped: what a real sudo allows: it takes root"
    ]


def test_a_machine_that_has_all_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "is_here", lambda _: True)
    monkeypatch.setattr("os.geteuid", lambda: 0)

    assert machine.pytest_report_header() == []


def test_whatever_a_fast_test_is_skipped_without_is_said_and_installed_by_ci() -> None:
    installed = (ROOT / ".ci/run").read_text()

    assert [each for each in machine.NEEDS if each not in installed] == ["systemd"]  # all have it
    skipping = {
        path.relative_to(ROOT / "tests").as_posix()
        for path in (ROOT / "tests").rglob("*.py")
        if SKIPS.search(path.read_text()) and "lab" not in path.relative_to(ROOT / "tests").parts
    }
    assert skipping == {
        "adapters/ssh/test_sudoers.py",
        "cli/test_windows.py",
        "cli/test_worker.py",
        "docs/test_alerts.py",
        "ports/test_real_sudo.py",
        "postgres.py",
        "test_no_skips.py",
    }


def test_auto_means_two_processes_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)

    assert machine.pytest_xdist_auto_num_workers() == 6
