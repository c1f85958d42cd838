"""Bring the lab of the tests up anew: `make test` does so while the fast tests run.

cd tests && ../.venv/bin/python -B -m lab.fresh
"""

import sys

import pytest

from lab.hold import Hold
from real_lab import OF_TESTS, SHARED, RealLab


def purge() -> None:
    """Remove the labs that tests bring up: a run that was killed leaves what it did there.

    Its nodes are still in maintenance, and its machines take the time of those that are tested.
    """
    for before in map(RealLab, OF_TESTS):
        if before.folder.exists():
            before.run("down", "--purge")


def main() -> int:
    """Remove what is left of an earlier run, and start anew; 1 where that fails, with why."""
    hold = Hold(SHARED)
    try:
        hold.take()
        purge()
        RealLab(SHARED).run("up", "--install", "--computes", "3")
    except (AssertionError, pytest.fail.Exception) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        hold.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
