"""Whether a cloud is well, as a chain asks between two nodes: as the exit code of a check."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stackward.cli.checking import ended
from stackward.errors import ExitCode
from stackward.health.well import not_well
from stackward.model.health import ComponentHealth, Finding, Gap, Health, Kept, State, worst

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_finding(
    node: str | None = "c01",
    rule: str = "process-down",
    state: State = State.BROKEN,
    under: str | None = None,
    component: str = "libvirtd",
) -> Finding:
    return Finding(
        rule=rule,
        state=state,
        component=component,
        node=node,
        reason="it does not run",
        remedy="start it",
        under=under,
    )


def a_gap(kind: Kept, where: str = "c01") -> Gap:
    return Gap(kind=kind, component="rabbitmq", where=where, what="what it says", why="no answer")


def a_health(*findings: Finding, gaps: tuple[Gap, ...] = (), is_blind: bool = False) -> Health:
    by_gaps = State.NOT_PROVED if gaps else State.OK
    if is_blind or any(gap.kind is Kept.DEADLINE for gap in gaps):
        by_gaps = State.UNKNOWN
    components = tuple(
        ComponentHealth(name=one.component, state=one.state, nodes=(), proof="", findings=(one,))
        for one in findings
    )
    state = worst([by_gaps, *(one.state for one in findings)])
    return Health(
        read_at=NOW, took_s=1.0, state=state, components=components, gaps=gaps, is_blind=is_blind
    )


DEAD = a_finding(rule="node-unreachable", component="machine")
CASES = {
    "all is well": (a_health(), (), []),
    "a component is broken": (a_health(a_finding()), (), ["libvirtd on c01"]),
    "it is so of a node of the chain": (a_health(a_finding()), ("c01",), []),
    "it is so of another node": (a_health(a_finding()), ("c02",), ["libvirtd on c01"]),
    "one of the cloud as a whole": (a_health(a_finding(None)), ("c01",), ["libvirtd"]),
    "what follows from a node of the chain": (
        a_health(DEAD, a_finding(None, "queues-unread", under="machine on c01")), ("c01",), [],
    ),
    "what follows from another node": (
        a_health(DEAD, a_finding("c02", under="machine on c01")), ("c02",), ["machine on c01"],
    ),
    "many of the chain are lost": (
        a_health(a_finding(None, "nodes-lost"), DEAD, replace(DEAD, node="c02")),
        ("c01", "c02"), [],
    ),
    "many are lost, one of them not of the chain": (
        a_health(a_finding(None, "nodes-lost"), DEAD, replace(DEAD, node="c02")),
        ("c01",), ["libvirtd", "machine on c02"],
    ),
    "no right to see something": (a_health(gaps=(a_gap(Kept.RIGHTS),)), (), []),
    "nothing can be asked": (a_health(gaps=(a_gap(Kept.NO_QUESTION),)), (), []),
    "no answer in time": (a_health(gaps=(a_gap(Kept.DEADLINE),)), (), ["rabbitmq on c01"]),
    "no answer in time of a node of the chain": (
        a_health(gaps=(a_gap(Kept.DEADLINE),)), ("c01",), [],
    ),
    "nothing was reached": (a_health(is_blind=True), ("c01",), ["the cloud"]),
    "how it is is not known": (replace(a_health(), state=State.UNKNOWN), (), ["the cloud"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_why_a_cloud_is_not_well(name: str) -> None:
    health, but, expected = CASES[name]

    assert [each.where for each in not_well(health, but)] == expected


@pytest.mark.parametrize("name", CASES)
def test_with_all_nodes_it_is_what_the_exit_code_of_a_check_says(name: str) -> None:
    health, _, _ = CASES[name]

    assert (not_well(health) == ()) == (ended(health) is ExitCode.DONE)


def test_it_says_the_component_the_node_the_reason_and_the_remedy() -> None:
    [ill] = not_well(a_health(a_finding()))

    assert ill.says == "libvirtd on c01: it does not run [process-down]"
    assert (ill.remedy, ill.is_known) == ("start it", True)


def test_what_could_not_be_seen_is_said_to_be_unknown() -> None:
    [unseen] = not_well(a_health(gaps=(a_gap(Kept.DEADLINE),)))

    assert (unseen.is_known, "cloud check" in unseen.remedy) == (False, True)


def test_what_was_not_seen_in_time_is_not_known_though_a_finding_says_so() -> None:
    late = a_finding(rule="node-late", state=State.UNKNOWN, component="machine")

    assert [each.is_known for each in not_well(a_health(late))] == [False]
    assert [each.is_known for each in not_well(a_health(a_finding()))] == [True]
