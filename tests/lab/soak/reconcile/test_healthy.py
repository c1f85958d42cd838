"""A healthy cloud that is in use all the time: fifty looks, and not one case.

While two servers at a time are built, moved live and cold, given a volume and deleted, again and
again, the witnesses are compared. STACKWARD_SOAK_LOOKS is the number of looks, where there is time
for less.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.churn import ACTS, churning
from lab.drains import drains_in
from lab.reconciled import Look, look
from real_lab import RealLab

LOOKS = int(os.environ.get("STACKWARD_SOAK_LOOKS", "50"))
TURNS = 3  # that each thing is done at least


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What was told while servers came and went."""

    looks: list[Look]
    done: Counter[str]
    errors: list[BaseException]


@pytest.fixture(scope="module")
def watched(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """Compare the witnesses again and again while servers come and go."""
    with drains_in(lab, tmp_path_factory.mktemp("healthy")) as drains:
        drains.remove_left_over("churn-")
        drains.environment["STACKWARD_RECONCILE_WAIT_S"] = "5"
        assert look(drains).cases == []
        looks = list[Look]()
        with churning(lab, nodes[:2]) as churn:
            while len(looks) < LOOKS or churn.goes_on(TURNS):
                looks.append(look(drains))
                if churn.errors:
                    break
        yield Watched(looks=looks, done=churn.done, errors=churn.errors)


def test_no_look_counts_a_case(watched: Watched) -> None:
    assert [each.cases for each in watched.looks if each.cases] == []
    assert len(watched.looks) >= LOOKS


def test_each_look_has_read_all(watched: Watched) -> None:
    assert [(each.code, each.unknown) for each in watched.looks if each.code or each.unknown] == []


def test_servers_were_built_moved_and_deleted_all_the_time(watched: Watched) -> None:
    assert watched.errors == []
    assert [act for act in ACTS if watched.done[act] < TURNS] == []
