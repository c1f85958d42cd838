"""For all tests: the plugins they use, their zone, and one stream that outlives each of them."""

import logging
import os
import sys
import time

import pytest

# What people read has their own times: expected texts are those of an operator who lives by UTC,
# whatever the machine's zone. Tests of other zones move there themselves.
os.environ["TZ"] = "UTC"
time.tzset()

pytest_plugins = ["no_skips", "postgres", "pytester"]


@pytest.fixture(autouse=True)
def _dbos_writes_to_no_closed_stream() -> None:
    """Give DBOS's one handler a stderr that stays: it keeps that of the test that first met it."""
    for handler in logging.getLogger("dbos").handlers:
        if type(handler) is logging.StreamHandler:  # not those of pytest itself
            handler.stream = sys.__stderr__
