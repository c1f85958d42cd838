"""For all tests: the plugins they use, and their zone."""

import os
import signal
import time
from collections.abc import Generator

import pytest
from hypothesis import settings

import compiled
import watched

# What people read has their own times: expected texts are those of an operator who lives by UTC,
# whatever the machine's zone. Tests of other zones move there themselves.
os.environ["TZ"] = "UTC"
time.tzset()

# A shell that starts the tests in the background has them ignore Ctrl-C, and what they start too: a
# test that ends a command so would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's affair: on a busy one a test would fail by chance.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

pytest_plugins = [
    "costs",
    "heap",
    "machine",
    "no_skips",
    "order",
    "postgres",
    "promises.kept",
    "pytester",
    "told",
]

compiled.share()
watched.watch()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Watch what this test and its fixtures write."""
    watched.found.clear()
    watched.by_hand = item.get_closest_marker("journal_by_hand") is not None
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Generator[None, None, None]:
    """No write breaks an invariant: whoever swallows what `watched` raises is caught here."""
    result = yield
    assert not watched.found
    return result
