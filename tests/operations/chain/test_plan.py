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
from stackward.plan import AS_OF_NOW, Plan, dump, from_json, is_chain, to_json
from stackward.ports.world import World
from stackward.requests.chain import ChainItem, ChainRequest

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
