"""The bus of a node stops, and then two components of two nodes: the broken ones are named first.

What is expected is declared: `soak/diagnose/scenarios`, where more of them are.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.diagnosed import Diagnosed, Scenario, played, read_scenario
from lab.looks import has_no_finding
from lab.stage import Stage, scene
from real_lab import until

DECLARED = Path(__file__).parents[1] / "soak/diagnose/scenarios"
BUS, PAIR = "dbus-down", "pair-libvirt-and-deaf"


@dataclass(frozen=True, kw_only=True)
class Causes:
    """What was declared and what was told, of each scenario."""

    scenarios: Mapping[str, Scenario]
    told: Mapping[str, Diagnosed]


@scene(budget_s=100, is_later=True)
def causes(stage: Stage) -> Generator[Causes]:
    """Ask what is broken while the bus of a node is stopped, and while two nodes are ill."""
    stage.all_in_service()
    until(lambda: has_no_finding(stage.lab))
    scenarios = {name: read_scenario(DECLARED / f"{name}.toml") for name in (BUS, PAIR)}
    stage.begins()

    told = {name: played(stage.lab, stage.drains, one) for name, one in scenarios.items()}
    yield Causes(scenarios=scenarios, told=told)
    until(lambda: has_no_finding(stage.lab))


def test_the_bus_is_named_and_not_the_services_that_failed_by_it(causes: Causes) -> None:
    told = causes.told[BUS]

    assert causes.scenarios[BUS].has_first(told), told.told
    assert causes.scenarios[BUS].wrong(told) == []


def test_two_broken_components_of_two_nodes_are_both_named(causes: Causes) -> None:
    told = causes.told[PAIR]

    assert causes.scenarios[PAIR].has_first(told), told.told
    assert causes.scenarios[PAIR].has_all(told), told.names
    assert causes.scenarios[PAIR].wrong(told) == []


def test_each_cause_has_its_evidence_and_what_to_do(causes: Causes) -> None:
    for told in causes.told.values():
        assert told.causes[0]["evidence"]
        assert told.causes[0]["remedy"]
