"""Ten thousand tests and what they import stay until the end: they are no garbage to look for.

Python looks through all that there is, again and again, the more there is; that took a second of
each process while the tests were collected, and more while they ran.
"""

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests without a look for garbage, and leave them out of each later one."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
