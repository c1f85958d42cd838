"""Services other than nova-compute are called over RPC from where they run, where they may be."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from fakes.site import Site
from stackward.model.health import ComponentHealth, Finding, Health, Kept, State
from stackward.ports.shell import Answer

ALL = {
    "conductor.ctl",
    "scheduler.ctl",
    "cinder-scheduler.ctl",
    "cinder-volume.ctl@nfs",
    "q-plugin.ctl",
}
ANSWERED = {"outcome": "answered", "took_s": 0.02}
SILENT = {"outcome": "silent", "took_s": 5.0}


def component(health: Health, name: str) -> ComponentHealth:
    [found] = [one for one in health.components if one.name == name]
    return found


def findings(health: Health) -> list[Finding]:
    return [finding for one in health.components for finding in one.findings]


def gaps(health: Health) -> set[tuple[str, str]]:
    return {(gap.component, gap.why) for gap in health.gaps if "RPC" in gap.says}


@pytest.mark.parametrize(
    ("name", "queue"),
    [
        ("nova-conductor", "conductor.ctl"),
        ("nova-scheduler", "scheduler.ctl"),
        ("cinder-scheduler", "cinder-scheduler.ctl"),
        ("cinder-volume", "cinder-volume.ctl@nfs"),
        ("neutron-rpc-server", "q-plugin.ctl"),
    ],
)
def test_what_answers_is_proved_and_what_does_not_is_found(name: str, queue: str) -> None:
    site = Site()

    site.nodes.pings[queue] = ANSWERED
    proof = component(site.look(), name).proof
    site.nodes.pings[queue] = SILENT
    health = site.look()

    assert proof == "1 of 1 answer over RPC, within 0.02 s"
    [finding] = findings(health)
    assert (finding.rule, finding.component, finding.node) == ("rpc-deaf", name, "ctl")
    assert (health.components[0].name, health.components[0].state) == (name, State.BROKEN)
    assert "no answer within 5 s" in finding.reason


def test_what_is_not_set_to_answer_only_looks_alive() -> None:
    site = Site()

    health = site.look()

    assert {queue for _, queue in site.nodes.pinged} == ALL
    assert findings(health) == []
    assert component(health, "nova-conductor").state is State.NOT_PROVED
    assert {why for _, why in gaps(health)} == {"it is not set to answer a call over RPC"}


def test_all_of_a_node_are_called_in_one_round_trip() -> None:
    site = Site()

    site.look()

    assert [node for node, _ in site.nodes.pinged] == ["ctl"] * len(ALL)
    assert len(site.nodes.pinged) == len(set(site.nodes.pinged))


def test_nothing_is_called_where_no_call_is_wanted() -> None:
    site = Site()

    site.look(rpc=False)

    assert site.nodes.pinged == []


def stop_conductor(site: Site) -> None:
    site.stop("ctl", "nova-conductor.service")


def unread_queue(site: Site) -> None:
    queues = site.told("ctl")["commands"]["rabbitmq queues"]
    queues["out"] = queues["out"].replace("conductor.ctl\t0\t1", "conductor.ctl\t3\t0")


def unreported(site: Site) -> None:
    site.silence("nova-conductor", "ctl")


@pytest.mark.parametrize("break_", [stop_conductor, unread_queue, unreported])
def test_what_is_known_to_hear_nothing_is_not_called(break_: Callable[[Site], None]) -> None:
    site = Site()
    break_(site)

    site.look()

    assert {queue for _, queue in site.nodes.pinged} == ALL - {"conductor.ctl"}


def test_with_rabbitmq_down_nothing_is_called() -> None:
    site = Site()
    site.stop("ctl", "rabbitmq-server.service")
    site.command("ctl", "rabbitmq cluster", 69, err="Error: unable to connect to node rabbit@ctl")
    for node in site.nodes.told:
        site.cut(node, 5672)

    site.look()

    assert site.nodes.pinged == []


def test_queues_that_were_not_told_are_not_known_and_nothing_is_called() -> None:
    site = Site()
    site.command("ctl", "rabbitmq queues", None, err="no answer in time")

    health = site.look()

    assert site.nodes.pinged == []
    assert component(health, "rabbitmq").proof == "1 of 1 member"
    says = {(gap.where, gap.says) for gap in health.unknown}
    assert ("ctl", "RabbitMQ's queues of the virtual host `/`: no answer in time") in says


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(
            Answer(0, json.dumps({"told": {}, "why": "ModuleNotFoundError"})),
            "its `python3` has no oslo.messaging",
            id="no library",
        ),
        pytest.param(
            Answer(127, "", "sh: 1: python3: not found"),
            "sh: 1: python3: not found",
            id="no python",
        ),
    ],
)
def test_what_cannot_be_called_is_not_known_and_no_fault(answer: Answer, why: str) -> None:
    site = Site()
    site.nodes.cannot_ping = answer

    health = site.look()

    assert findings(health) == []
    assert {said for _, said in gaps(health)} == {why}
    assert {"nova-conductor", "nova-scheduler"} <= {name for name, _ in gaps(health)}
    assert component(health, "nova-conductor").state is State.NOT_PROVED


def test_settings_that_the_login_may_not_read_are_told_by_their_service() -> None:
    site = Site()
    told: dict[str, Any] = {"outcome": "not asked", "why": "ConfigFilesPermissionDeniedError"}
    site.nodes.pings = {"conductor.ctl": told}

    health = site.look()

    [gap] = health.unknown
    assert (gap.component, gap.kind) == ("nova-conductor", Kept.RIGHTS)
    assert gap.why == "this login may not read its settings"
