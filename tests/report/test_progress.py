"""Progress away from a terminal: plain lines on stderr, nothing on stdout."""

import re
import threading

import pytest

from stackward.errors import StepFailed
from stackward.report.progress import Phases


def test_a_phase_is_told_when_it_begins_and_how_long_it_took(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Phases() as progress, progress.phase("packages"):
        pass

    assert capsys.readouterr() == ("", "packages ...\npackages: 0.0 s\n")


def test_phases_inside_each_other_are_both_told(capsys: pytest.CaptureFixture[str]) -> None:
    with Phases() as progress, progress.phase("outer"), progress.phase("inner"):
        pass

    assert capsys.readouterr().err == "outer ...\ninner ...\ninner: 0.0 s\nouter: 0.0 s\n"


def test_a_phase_that_fails_is_not_told_as_ended(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with Phases() as progress, progress.phase("packages"):
            raise StepFailed("no")

    with pytest.raises(StepFailed):
        work()

    assert capsys.readouterr().err == "packages ...\n"


def test_what_is_told_in_between_stays(capsys: pytest.CaptureFixture[str]) -> None:
    with Phases() as progress:
        progress.tell("load-1 on c01: ACTIVE [not markup]")

    assert capsys.readouterr() == ("", "load-1 on c01: ACTIVE [not markup]\n")


def test_lines_of_phases_at_the_same_time_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    together = threading.Barrier(4)

    def work(progress: Phases, name: str) -> None:
        together.wait(10)
        with progress.phase(name):
            pass

    with Phases() as progress:
        workers = [
            threading.Thread(target=work, args=(progress, f"phase {number}")) for number in range(4)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 8
    assert all(re.fullmatch(r"phase \d( \.\.\.|: \d\.\d s)", line) for line in lines)
