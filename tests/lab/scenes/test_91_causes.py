"""The bus of one node stops, and nova-compute of another is killed: both are named, nobody else is.

What is expected is declared: `soak/diagnose/scenarios`, where more of them are.
"""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from lab.diagnosed import Diagnosed, Scenario, played, read_scenario
from lab.looks import has_no_finding
from lab.stage import Stage, scene
from real_lab import until

DECLARED = Path(__file__).parents[1] / "soak/diagnose/scenarios/pair-bus-and-killed.toml"


@dataclass(frozen=True, kw_only=True)
class Causes:
    """What was declared, and what was told."""

    scenario: Scenario
    told: Diagnosed


@scene(budget_s=100, is_later=True)
def causes(stage: Stage) -> Generator[Causes]:
    """Ask what is broken while the bus of a node is stopped, and nova-compute of another killed."""
    stage.all_in_service()
    until(lambda: has_no_finding(stage.lab))
    scenario = read_scenario(DECLARED)
    stage.begins()

    yield Causes(scenario=scenario, told=played(stage.lab, stage.drains, scenario))
    until(lambda: has_no_finding(stage.lab))


def test_the_first_cause_is_one_of_the_two(causes: Causes) -> None:
    assert causes.scenario.has_first(causes.told), causes.told.told


def test_both_are_among_the_first_three(causes: Causes) -> None:
    assert causes.scenario.has_all(causes.told), causes.told.names


def test_nobody_else_is_accused_though_others_failed_by_the_bus(causes: Causes) -> None:
    assert causes.scenario.wrong(causes.told) == []


def test_each_of_the_two_has_its_evidence_and_what_to_do(causes: Causes) -> None:
    named = [one for one in causes.told.causes if one["component"] in {"dbus", "nova-compute"}]

    assert len(named) >= 2
    assert all(one["evidence"] and one["remedy"] for one in named[:2])
