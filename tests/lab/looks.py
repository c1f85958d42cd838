"""Looks of the product's own check at a real lab."""

import json
import os
import subprocess
from typing import Any

from real_lab import STACKWARD, RealLab, widened
from stackward.lab.client import environment

CHECK_S = 60
PATIENT_S = 20  # what is told is tested here; elsewhere, how soon


def check(lab: RealLab, *words: str) -> tuple[int, dict[str, Any]]:
    """Look once, and return the exit code and the whole answer."""
    patient = ("--timeout", f"{widened(PATIENT_S):.0f}")
    ended = subprocess.run(
        [STACKWARD, *(words or ("cloud", "check")), *patient, "-f", "json"],
        env={**os.environ, **environment(lab.spec)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=widened(CHECK_S),
        check=False,
    )
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def findings(told: dict[str, Any], *, explained: bool = False) -> list[dict[str, Any]]:
    """Return the findings that nothing else explains, or all; the worst component's first."""
    return [
        finding
        for component in told["components"]
        for finding in component["findings"]
        if explained or finding["under"] is None
    ]


def has_no_finding(lab: RealLab) -> bool:
    """Say whether a look finds nothing not well; a busy lab may not prove all of it."""
    return not findings(check(lab)[1])


def is_well(lab: RealLab) -> bool:
    """Say whether a look has no finding."""
    return check(lab)[0] == 0
