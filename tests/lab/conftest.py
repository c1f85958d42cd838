"""The lab that these tests share.

STACKWARD_TEST_LAB=NAME takes a lab that is there and leaves it; else one is brought up and removed.
STACKWARD_TEST_KEEP=1 leaves that one too.
"""

import os
from collections.abc import Iterator

import pytest

from real_lab import RealLab


@pytest.fixture(scope="session")
def is_root() -> bool:
    """Skip what needs root; in CI that is a failure."""
    if os.geteuid() != 0:
        pytest.skip("a lab is machines: only root can start them")
    return True


@pytest.fixture(scope="session")
def lab(*, is_root: bool) -> Iterator[RealLab]:
    """Given a lab that is up."""
    assert is_root
    given = os.environ.get("STACKWARD_TEST_LAB")
    shared = RealLab(given or "test")
    shared.run("up", "--install")
    yield shared
    if not given and not os.environ.get("STACKWARD_TEST_KEEP"):
        shared.run("down", "--purge")
