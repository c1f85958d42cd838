"""A chain as a plan: its stages, its bounds, what it shows, what it refuses."""

from dataclasses import replace
from typing import Any

import pytest

from builders import a_candidate, a_node, a_server, asking
from stackward.kinds import KINDS
from stackward.model.node import ComputeNode
from stackward.model.placement import Candidate
from stackward.operations.chain.plan import plan_chain
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.operations.drain_compute_node.together import plan_drains
from stackward.plan import (
    APART,
    AS_OF_NOW,
    DOMAIN,
    Differences,
    Json,
    Plan,
    begins_runs,
    differences,
    dump,
    from_json,
    from_mapping,
    is_chain,
    to_json,
)
from stackward.ports.world import World
from stackward.report.plans import moves_table, render_plan
from stackward.requests.chain import ChainItem, ChainRequest
from texts import folded

NAMES = ("c1", "c2", "c3")


def a_named_node(name: str, candidates: tuple[Candidate, ...] | None = None) -> ComputeNode:
    server = a_server(name=f"web-{name}", host=name)
    node = a_node(server) if candidates is None else a_node(server, candidates=candidates)
    return replace(node, name=name, host=name)


def plans_of(*names: str) -> list[Plan[World]]:
    return [plan_drain(a_named_node(name), replace(asking(), node=name)) for name in names]


def a_request(*names: str, at_once: int = 1, canary: int = 0) -> ChainRequest:
    items = tuple(ChainItem(name=each, asked=dump(replace(asking(), node=each))) for each in names)
    return ChainRequest(what="drain", items=items, at_once=at_once, canary=canary)


def test_each_item_is_a_move_whose_step_begins_its_run() -> None:
    plan = plan_chain(plans_of(*NAMES), a_request(*NAMES, at_once=2))

    [stage] = plan.stages
    assert [move.thing for move in stage.moves] == [*NAMES]
    assert (stage.at_once, stage.goes_on, is_chain(plan)) == (2, False, True)
    assert plan.title == "drain 3 nodes: c1, c2, c3"


def test_the_canary_is_a_stage_of_its_own() -> None:
    plan = plan_chain(plans_of(*NAMES), a_request(*NAMES, canary=1, at_once=2))

    assert [(stage.name, len(stage.moves)) for stage in plan.stages] == [
        ("canary", 1),
        ("items", 2),
    ]


def test_it_comes_to_the_nodes_of_its_runs_and_is_proved_by_them() -> None:
    plan = plan_chain(plans_of(*NAMES), a_request(*NAMES))

    assert (plan.holds, plan.verify) == (NAMES, ())


def test_what_any_of_its_runs_is_warned_of_or_blocked_by_is_approved_or_refused_with_it() -> None:
    plans = plans_of(*NAMES)
    blocked = plan_drain(
        a_node(a_server("ERROR", name="ill", host="c2")), replace(asking(), node="c2")
    )

    plan = plan_chain([plans[0], blocked, plans[2]], a_request(*NAMES))

    assert [each.key for each in plan.blockers] == [each.key for each in blocked.blockers]
    assert {each.reason.partition(":")[0] for each in plan.blockers} == {"of `c2`"}
    assert [each for one in plans for each in one.warnings if each not in plan.warnings] == []


def test_it_is_stored_with_the_plans_of_now_and_read_again() -> None:
    plan = plan_chain(plans_of(*NAMES), a_request(*NAMES))

    again = from_json(to_json(plan), KINDS)

    stored: Any = again.facts[AS_OF_NOW]
    assert replace(again, facts={}) == replace(plan, facts={})
    assert [each["title"] for each in stored] == [f"drain `{name}`" for name in NAMES]


@pytest.mark.parametrize("room", [pytest.param(1, id="of one"), pytest.param(2, id="of both")])
def test_two_nodes_share_the_room_that_there_is(room: int) -> None:
    """Each finds room by itself; together they do where there is enough for both."""
    spare = a_candidate("c9", ram_mib=2048 * room + 100)
    nodes = [a_named_node(name, candidates=(spare,)) for name in ("c1", "c2")]
    asked = [replace(asking(), node=name) for name in ("c1", "c2")]
    assert not any(plan_drain(*each).blockers for each in zip(nodes, asked, strict=True))

    plans = plan_drains(nodes, asked)

    assert [bool(plan.blockers) for plan in plans] == [False, room == 1]


def test_no_node_of_the_chain_is_a_target() -> None:
    other, spare = a_candidate("c2"), a_candidate("c9")
    nodes = [a_named_node(name, candidates=(other, spare)) for name in ("c1", "c2")]
    asked = [replace(asking(), node=name) for name in ("c1", "c2")]

    plans = plan_drains(nodes, asked)

    targets = {
        move.expects.get("target") for plan in plans for _, move in plan.moves() if move.thing_id
    }
    assert targets == {"c9"}


def targets_of(plan: Plan[World]) -> set[Json]:
    return {move.expects.get("target") for _, move in plan.moves() if move.thing_id}


def test_of_nodes_that_come_back_each_may_take_the_servers_of_the_others() -> None:
    """All nodes of a cloud were to be rebooted in turn: no server had room anywhere."""
    candidates = tuple(a_candidate(name) for name in NAMES)
    nodes = [
        a_named_node(name, tuple(each for each in candidates if each.host != name))
        for name in NAMES
    ]
    asked = [replace(asking(), node=name, away_at_once=1) for name in NAMES]

    plans = plan_drains(nodes, asked)

    assert [plan.blockers for plan in plans] == [()] * 3
    assert all(targets_of(plan) < {*NAMES} for plan in plans)


def test_of_those_that_are_away_together_none_is_a_target_and_they_share_the_room() -> None:
    """Two at a time, of one failure domain: the first and the third, then the others."""
    domains = {"c1": "rack-1", "c2": "rack-2", "c3": "rack-1", "c4": "rack-2"}
    nodes = [
        replace(
            a_named_node(name, tuple(a_candidate(each) for each in domains if each != name)),
            failure_domain=domain,
        )
        for name, domain in domains.items()
    ]
    asked = [replace(asking(), node=name, away_at_once=2) for name in domains]

    first, second, third, fourth = plan_drains(nodes, asked)

    assert targets_of(first) | targets_of(third) <= {"c2", "c4"}
    assert targets_of(second) | targets_of(fourth) <= {"c1", "c3"}


def test_two_that_are_away_together_need_room_for_both() -> None:
    spare = a_candidate("c9", ram_mib=2048 + 100)
    nodes = [a_named_node(name, candidates=(spare,)) for name in NAMES]

    def blocked(at_once: int) -> list[bool]:
        asked = [replace(asking(), node=name, away_at_once=at_once) for name in NAMES]
        return [bool(plan.blockers) for plan in plan_drains(nodes, asked)]

    assert (blocked(1), blocked(2)) == ([False] * 3, [False, True, False])


# --- failure domains ----------------------------------------------------------------------------

RACKS = {"c1": "rack-1", "c2": "rack-2", "c3": "rack-1", "c4": "rack-2"}


def in_racks(*names: str, **apart: list[Json]) -> list[Plan[World]]:
    """Return plans that tell of their domain, and of nodes that are never down beside theirs."""
    return [
        replace(
            plan,
            facts={
                **plan.facts,
                DOMAIN: RACKS[name],
                **({APART: apart[name]} if name in apart else {}),
            },
        )
        for name, plan in zip(names, plans_of(*names), strict=True)
    ]


def order_of(plan: Plan[World]) -> list[list[str]]:
    return [[move.thing for move in stage.moves] for stage in plan.stages]


def test_items_of_one_failure_domain_follow_each_other_and_the_canary_is_of_the_first() -> None:
    names = tuple(RACKS)

    plan = plan_chain(in_racks(*names), a_request(*names, at_once=2, canary=1))

    assert order_of(plan) == [["c1"], ["c3", "c2", "c4"]]
    assert plan.blockers == ()
    steps = [step for _, move in plan.moves() for step in begins_runs(move)]
    assert [step.domain for step in steps] == ["rack-1", "rack-1", "rack-2", "rack-2"]
    assert "of one failure domain" in plan.notices[0]


def test_items_without_a_domain_stay_in_the_order_that_was_given() -> None:
    names = ("c3", "c1", "c2")

    plan = plan_chain(plans_of(*names), a_request(*names, at_once=2))

    assert order_of(plan) == [[*names]]
    assert not any("failure domain" in each for each in plan.notices)


def test_items_that_a_group_keeps_apart_are_named_in_both() -> None:
    names = ("c1", "c3")

    plan = plan_chain(in_racks(*names, c3=["c1"]), a_request(*names, at_once=2))

    steps = [step for _, move in plan.moves() for step in begins_runs(move)]
    assert [step.apart for step in steps] == [("c3",), ("c1",)]


def test_the_order_is_the_same_when_the_stored_chain_is_planned_again() -> None:
    names = tuple(RACKS)
    asked = a_request(*names, at_once=2)
    plan = plan_chain(in_racks(*names, c3=["c1"]), asked)

    stored: Any = from_json(to_json(plan), KINDS).facts[AS_OF_NOW]
    again = plan_chain([from_mapping(each, KINDS) for each in stored], asked)

    assert differences(plan, again) == Differences()


def test_the_domains_are_shown_before_it_is_approved_and_as_rows() -> None:
    names = tuple(RACKS)
    plan = plan_chain(in_racks(*names, c3=["c1"]), a_request(*names, at_once=2))

    shown = folded(render_plan(plan, 80))
    rows = moves_table(plan).records()

    assert "rack-1: c1, c3 rack-2: c2, c4 c1 and c3: never at the same time" in shown
    assert [(row["Item"], row["Domain"], row["Apart from"]) for row in rows] == [
        ("c1", "rack-1", ["c3"]),
        ("c3", "rack-1", ["c1"]),
        ("c2", "rack-2", None),
        ("c4", "rack-2", None),
    ]
