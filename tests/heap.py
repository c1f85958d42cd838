"""Ten thousand tests and what they import stay until the end: they are no garbage to look for.

Python looks through all that there is, again and again, the more there is; that took a second of
each process while the tests were collected, and more while they ran.
"""

import gc
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_look_for_garbage() -> Iterator[None]:
    """Make much that stays: to look through it again and again takes longer than to make it."""
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_on:
            gc.enable()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests without a look for garbage, and leave them out of each later one."""
    with no_look_for_garbage():
        try:
            return (yield)
        finally:
            gc.freeze()
