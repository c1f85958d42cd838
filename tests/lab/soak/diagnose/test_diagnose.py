"""Declared scenarios on a real lab: what is broken is the first cause, and nobody else is accused.

`lab/diagnosed.py` says what a scenario declares.
"""

from collections.abc import Mapping

import pytest

from lab.diagnosed import SCENARIOS, Diagnosed, Scenario, diagnosed, played, read_scenario
from lab.drains import Drains
from lab.looks import has_no_finding
from real_lab import RealLab, until

TOP_1 = 0.9  # of all scenarios
LOOKS = 10  # at a lab that is well


@pytest.fixture(scope="module")
def drains(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Drains:
    return Drains(lab, tmp_path_factory.mktemp("diagnose"))


@pytest.fixture(scope="module")
def all_played(lab: RealLab, drains: Drains) -> Mapping[str, tuple[Scenario, Diagnosed]]:
    """Given each scenario, played once, on a lab that was well before."""
    found: dict[str, tuple[Scenario, Diagnosed]] = {}
    for path in SCENARIOS:
        until(lambda: has_no_finding(lab), within_s=240)
        scenario = read_scenario(path)
        found[scenario.name] = scenario, played(lab, drains, scenario)
    return found


def test_a_lab_that_is_well_has_no_cause_above_possible(lab: RealLab, drains: Drains) -> None:
    until(lambda: has_no_finding(lab), within_s=240)
    server = drains.boot("diagnosed", lab.spec.compute_nodes[0].name)
    looks = [diagnosed(drains, "--since", "30s") for _ in range(LOOKS)]
    drains.remove(server)

    surer = [one for seen in looks for one in seen.causes if one["certainty"] != "possible"]
    assert surer == []


def test_what_is_broken_is_the_first_cause(
    all_played: Mapping[str, tuple[Scenario, Diagnosed]],
) -> None:
    right = [name for name, (one, seen) in all_played.items() if one.has_first(seen)]
    missed = {name: seen.names for name, (_, seen) in all_played.items() if name not in right}

    assert len(right) >= TOP_1 * len(all_played), missed


def test_each_fault_is_among_the_first_three(
    all_played: Mapping[str, tuple[Scenario, Diagnosed]],
) -> None:
    missed = {
        name: seen.names[:3] for name, (one, seen) in all_played.items() if not one.has_all(seen)
    }

    assert missed == {}


def test_nobody_else_is_accused(all_played: Mapping[str, tuple[Scenario, Diagnosed]]) -> None:
    wrong = {name: one.wrong(seen) for name, (one, seen) in all_played.items() if one.wrong(seen)}

    assert wrong == {}


def test_what_has_mended_itself_is_told_as_past(
    all_played: Mapping[str, tuple[Scenario, Diagnosed]],
) -> None:
    past = {name: seen for name, (one, seen) in all_played.items() if one.is_past}

    assert past
    for name, seen in past.items():
        assert all(one["is_now"] is not True for one in seen.causes), name
        assert seen.causes[0]["at"] <= seen.causes[0]["until"], name
