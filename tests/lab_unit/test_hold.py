"""A lab is for one run of tests at a time."""

import os
from pathlib import Path

import pytest

from lab.hold import Hold


def test_a_lab_that_another_run_has_is_not_taken_and_its_process_is_named(tmp_path: Path) -> None:
    one, other = Hold("test", tmp_path), Hold("test", tmp_path)
    one.take()

    with pytest.raises(pytest.fail.Exception, match=f"process {os.getpid()}, has the lab `test`"):
        other.take()

    assert (one.is_ours, other.is_ours) == (True, False)
    one.release()


def test_once_it_is_released_another_run_has_it(tmp_path: Path) -> None:
    one, other = Hold("test", tmp_path), Hold("test", tmp_path)
    one.take()
    one.take()  # twice is no harm
    one.release()

    other.take()

    assert (one.is_ours, other.is_ours) == (False, True)
    other.release()


def test_another_lab_is_another_matter(tmp_path: Path) -> None:
    one, other = Hold("test", tmp_path), Hold("dev", tmp_path)
    one.take()

    other.take()

    assert other.is_ours
    one.release()
    other.release()
