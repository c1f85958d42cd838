"""In CI a skipped test is a failed one: a promise that nobody checked is not kept.

Elsewhere a test may be skipped where the machine cannot run it, as a lab test without root.
"""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest


def _is_ci() -> bool:
    return os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _failed_if_skipped(report: Report) -> Report:
    if report.outcome == "skipped" and not hasattr(report, "wasxfail") and _is_ci():
        said = report.longrepr
        reason = said[2] if isinstance(said, tuple) else said
        report.outcome = "failed"
        report.longrepr = f"in CI nothing may be skipped, and this was: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge a test, its setup and its teardown."""
    return _failed_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge a module that skips itself as a whole."""
    return _failed_if_skipped((yield))
