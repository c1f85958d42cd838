"""Two disagreements at once: each is named by its class, neither hides the other, none is invented.

Every two of the faults that `cloud reconcile` names; both are of one server, or of one node.
"""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from lab.drains import Drains
from lab.reconciled import Look, broken, look, place_of
from lab.soak.reconcile.test_reconcile import FAULTS
from real_lab import RealLab

AGREES, DIFFERS = 0, 6  # how `cloud reconcile` ends
NAME = "pairs-soak"
PAIRS = [*combinations(FAULTS, 2)]


@pytest.fixture(scope="module")
def server(lab: RealLab) -> Iterator[str]:
    """Given a server that runs, and a cloud whose witnesses agree."""
    with Drains(lab, Path()).running(NAME) as made:
        yield made


@pytest.fixture(autouse=True)
def _soon(drains: Drains) -> None:
    """Look twice within seconds: nobody else acts on the lab."""
    drains.environment["STACKWARD_RECONCILE_WAIT_S"] = "5"


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_both_of_two_disagreements_are_named_and_no_third(
    lab: RealLab, drains: Drains, server: str, pair: tuple[str, str]
) -> None:
    node = lab.spec.compute_nodes[1].name
    with broken(lab, [(fault, place_of(fault, node, server)) for fault in pair]):
        found = look(drains)
    after = look(drains)

    assert (found.code, found.classes, found.unknown) == (DIFFERS, sorted(pair), []), found.cases
    assert places(found) == {fault: place_of(fault, node, server) for fault in pair}
    assert (after.code, after.cases) == (AGREES, [])


def test_a_guest_that_is_missing_is_named_beside_one_that_a_move_has_left(
    lab: RealLab, drains: Drains, server: str
) -> None:
    with broken(lab, [("domain-elsewhere", server)]), broken(lab, [("domain-undefined", server)]):
        found = look(drains)
    after = look(drains)

    assert (found.code, found.classes) == (DIFFERS, ["domain-elsewhere", "domain-missing"])
    assert {one["server"] for one in found.cases} == {server}
    assert (after.code, after.cases) == (AGREES, [])


def places(found: Look) -> dict[str, str]:
    """Return of each class what its case is about: a server that Nova has, else a node."""
    return {
        one["class"]: one["hosts"][0]
        if one["witnesses"]["Nova"] == "no such server"
        else one["server"]
        for one in found.cases
    }
