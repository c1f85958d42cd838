"""For all tests: the plugins they use, and one stream that outlives each of them."""

import logging
import sys

import pytest

pytest_plugins = ["no_skips", "postgres", "pytester"]


@pytest.fixture(autouse=True)
def _dbos_writes_to_no_closed_stream() -> None:
    """Give DBOS's one handler a stderr that stays: it keeps that of the test that first met it."""
    for handler in logging.getLogger("dbos").handlers:
        if type(handler) is logging.StreamHandler:  # not those of pytest itself
            handler.stream = sys.__stderr__
