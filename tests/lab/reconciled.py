"""What the product's own `cloud reconcile` tells of a real lab, also while faults are in it."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab.drains import Drains
from real_lab import RealLab
from stackward.lab.client import PLACEMENT_MICROVERSION
from stackward.lab.faults import FAULTS, Target


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one `cloud reconcile` has told."""

    code: int
    cases: list[dict[str, Any]]
    unknown: list[dict[str, Any]]
    looks: int
    passed: int  # cases that only one of its two looks saw

    @property
    def classes(self) -> list[str]:
        """Return the class of each case, sorted."""
        return sorted(str(one["class"]) for one in self.cases)


def look(drains: Drains) -> Look:
    """Compare the witnesses once."""
    ended = drains.call("cloud", "reconcile", "-f", "json")
    assert ended.stdout, ended.stderr
    told = json.loads(ended.stdout)
    return Look(
        code=ended.returncode,
        cases=told["cases"],
        unknown=told["unknown"],
        looks=told["looks"],
        passed=told["passed"],
    )


def cases(drains: Drains) -> list[dict[str, Any]]:
    """Return the cases that it counts."""
    return look(drains).cases


def place_of(fault: str, node: str, server: str) -> str:
    """Return what a fault is put into, of the two."""
    return server if FAULTS[fault].target is Target.SERVER else node


@contextmanager
def broken(lab: RealLab, faults: Sequence[tuple[str, str]]) -> Iterator[None]:
    """Given faults that are made side by side, each with its place; they are mended."""
    with ThreadPoolExecutor(max_workers=len(faults)) as pool:
        try:
            [*pool.map(lambda one: lab.run("break", *one), faults)]
            yield
        finally:
            [*pool.map(lambda one: lab.run("mend", *one), faults)]


def account_of(lab: RealLab, consumer: str) -> dict[str, Any]:
    """Return what placement itself has of a consumer: its allocations and its generation."""
    answer = lab.cloud.placement.get(
        f"/allocations/{consumer}", microversion=PLACEMENT_MICROVERSION
    )
    found: dict[str, Any] = answer.json()
    return found


def providers_of(lab: RealLab, consumer: str) -> set[str]:
    """Return the resource providers of which placement has allocations of a consumer."""
    return set(account_of(lab, consumer)["allocations"])
