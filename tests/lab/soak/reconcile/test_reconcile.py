"""Faults by which witnesses disagree: each is named by its class, and gone once it is mended."""

import json
from collections.abc import Iterator

import pytest

from lab.drains import Drains
from real_lab import RealLab
from stackward.lab import proof

# Each fault, and what it is put into; its class has its name.
FAULTS = [
    ("allocation-orphan", "node"),
    ("allocation-double", "server"),
    ("domain-elsewhere", "server"),
    ("domain-of-deleted", "node"),
]


@pytest.fixture
def server(lab: RealLab, drains: Drains) -> Iterator[str]:
    """Given a server that runs."""
    made = drains.boot("reconcile-soak", lab.spec.compute_nodes[0].name)
    proof.wait_active(lab.cloud, made)
    yield made
    drains.remove(made)


@pytest.mark.parametrize(("fault", "into"), FAULTS)
def test_a_disagreement_is_named_by_its_class_until_it_is_mended(
    lab: RealLab, drains: Drains, server: str, fault: str, into: str
) -> None:
    target = lab.spec.compute_nodes[1].name if into == "node" else server
    before = classes(drains)
    lab.run("break", fault, target)
    try:
        found = classes(drains)
    finally:
        lab.run("mend", fault, target)

    assert sorted(found) == sorted([*before, fault])
    assert classes(drains) == before


def classes(drains: Drains) -> list[str]:
    """Return the class of each case that `cloud reconcile` counts."""
    told = json.loads(drains.call("cloud", "reconcile", "-f", "json").stdout)
    return [str(case["class"]) for case in told["cases"]]
