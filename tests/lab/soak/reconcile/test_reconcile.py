"""Faults by which witnesses disagree: each is named by its class, and gone once it is mended."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.drains import Drains
from lab.reconciled import cases
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


@pytest.fixture
def ending(lab: RealLab) -> Iterator[str]:
    """Given that the login may end guests on the second node, as the plan's remedy says."""
    node = lab.spec.compute_nodes[1].name
    lab.run("ssh", node, "gpasswd", "-a", "ops", "libvirt")
    yield node
    lab.run("ssh", node, "gpasswd", "-d", "ops", "libvirt")


def test_a_guest_that_was_left_behind_is_ended_and_the_other_runs_on(
    lab: RealLab, drains: Drains, server: str, ending: str
) -> None:
    drains.wait_for_guests([server])
    lab.run("break", "domain-elsewhere", server)
    repair = ("cloud", "reconcile", "--repair", "domain-elsewhere", "--yes")
    unnamed = drains.call(*repair)
    own = drains.call(*repair, "--kill-domain", f"{lab.spec.compute_nodes[0].name}/{server}")
    named = drains.call(*repair, "--kill-domain", f"{ending}/{server}")
    lab.run("mend", "domain-elsewhere", server)

    assert (unnamed.returncode, own.returncode) == (3, 3), own.stderr
    assert named.returncode == 0, named.stderr
    assert "domain-elsewhere" not in classes(drains)
    assert lab.server(server).status == "ACTIVE"


def test_a_guest_that_nobody_is_known_to_have_deleted_is_not_ended(
    lab: RealLab, drains: Drains, ending: str
) -> None:
    lab.run("break", "domain-of-deleted", ending)
    try:
        listed = orphans(drains)
        [left] = [one for one in listed if one["kind"] == "guest"]
        refused = drains.call(
            "cloud", "reconcile", "--repair", "domain-of-deleted", "--yes",
            "--kill-domain", f"{ending}/{left['id']}",
        )  # fmt: skip
    finally:
        lab.run("mend", "domain-of-deleted", ending)

    assert (refused.returncode, "reconcile/not-deleted" in refused.stderr) == (3, True)
    assert left["hosts"] == [ending]


def orphans(drains: Drains) -> list[dict[str, Any]]:
    """Return what `cloud reconcile --orphans` lists."""
    told = json.loads(drains.call("cloud", "reconcile", "--orphans", "-f", "json").stdout)
    return list(told["orphans"])


def classes(drains: Drains) -> list[str]:
    """Return the class of each case that `cloud reconcile` counts."""
    return [str(case["class"]) for case in cases(drains)]
