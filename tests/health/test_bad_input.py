"""Sources that contradict one another, names that come twice, and tools that cannot answer."""

import json

import pytest

from fakes.apis import beat
from fakes.site import Site
from stackward.model.health import Health, Kept, State
from stackward.ports.shell import Answer


def rules(health: Health) -> set[tuple[str, str]]:
    return {(one.rule, one.where) for one in health.findings}


def state_of(health: Health, name: str) -> State:
    return next(one.state for one in health.components if one.name == name)


@pytest.mark.parametrize("order", [1, -1], ids=["the living one first", "the dead one first"])
def test_of_two_services_of_one_name_the_living_is_called_and_the_dead_is_named(order: int) -> None:
    """A host that was moved to another cell keeps its old record in the first."""
    site = Site()
    reports = site.apis.reports["compute"]
    assert isinstance(reports, list)
    of_others = [one for one in reports if one.name != "c01"]
    both = [beat("nova-compute", "c01"), beat("nova-compute", "c01", is_up=False, age_s=90000.0)]
    site.apis.reports["compute"] = [*of_others, *both[::order]]

    health = site.look()

    assert "c01" in site.apis.called
    assert rules(health) == {("heartbeat-lost", "nova-compute on c01")}


def test_a_tool_that_is_missing_leaves_its_component_not_proved() -> None:
    site = Site()
    for name in ("question openvswitch 0", "question openvswitch 1"):
        del site.told("c01")["commands"][name]

    health = site.look()

    assert "openvswitch on c01" not in {where for _, where in rules(health)}
    assert state_of(health, "openvswitch") is State.NOT_PROVED
    [gap] = {gap.why for gap in health.not_proved if gap.component == "openvswitch"}
    assert gap.startswith("there is no `ovs-")


def test_a_tool_that_is_too_old_for_a_question_is_no_answer_that_it_is_well() -> None:
    site = Site()
    says = 'ovn-appctl: "connection-status" is not a valid command'
    site.command("c01", "question ovn-controller 0", 2, err=says)

    health = site.look()

    assert ("answer-not-understood", "ovn-controller on c01") in rules(health)
    assert state_of(health, "ovn-controller") is not State.OK


def test_a_library_that_is_too_old_to_call_over_rpc_leaves_it_not_proved() -> None:
    """As oslo.messaging before 12.4: a server of that age knows no such call."""
    site = Site()
    told = {"conductor.ctl": {"outcome": "not enabled"}}
    site.nodes.cannot_ping = Answer(0, json.dumps({"told": told}))

    health = site.look()

    assert health.findings == ()
    assert "nova-conductor" in {gap.component for gap in health.not_proved if gap.kind is Kept.OFF}


def test_it_reports_but_its_node_says_that_it_does_not_run() -> None:
    """Its API believes a record of half a minute ago; its node knows better, and it is spared."""
    site = Site()
    site.stop("c01", "nova-compute.service")

    health = site.look()

    assert site.apis.called == ["c02"]
    assert "nova-compute on c01" in {where for _, where in rules(health)}


def test_its_api_calls_it_down_but_it_answers_its_own_node() -> None:
    """Nova does not hear it: it is down, however its systemd sees it, and no call is put."""
    site = Site()
    site.silence("nova-compute", "c01")

    health = site.look()

    assert rules(health) == {("heartbeat-lost", "nova-compute on c01")}
    assert site.apis.called == ["c02"]


def test_a_script_that_an_old_python_cannot_read_is_said() -> None:
    site = Site()
    site.nodes.said["c01"] = Answer(1, "", "SyntaxError: invalid syntax")

    health = site.look()

    assert ("node-useless", "machine on c01") in rules(health)
    assert "c01" in site.apis.called
