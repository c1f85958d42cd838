"""What a verdict on a reboot of a node advises settles it: every rule that one can raise."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from builders import a_node, a_server, a_service, claimed, kept_off, wishing
from operations.reboot_compute_node.test_plan import (
    AGREED,
    ASKED,
    IN_A_CONTAINER,
    LISTED,
    OFF,
    SILENT,
    facts,
    with_guest,
    with_one,
)
from raising import assert_followed, raised_by
from stackward.model.maintenance import Holder
from stackward.model.run import RunState
from stackward.model.unread import Hindrance, Unread
from stackward.operations.reboot_compute_node.facts import RebootFacts
from stackward.operations.reboot_compute_node.together import plan_reboot
from stackward.requests.reboot_compute_node import RebootNodeRequest

AGREE = "it asks people to agree: nothing of a cloud changes by it"
AS_A_DRAIN = "tests/operations/drain_compute_node/test_remedies.py follows it"
AS_A_START = "tests/operations/start_servers/test_remedies.py follows it"
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"
BY_HAND = "such a node is rebooted by hand"
WELL = facts()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A verdict, and the node once its remedy was followed."""

    before: RebootFacts
    advice: str  # a part of the remedy
    after: RebootFacts | None = WELL
    asked: RebootNodeRequest = ASKED
    asks_then: RebootNodeRequest = ASKED


def of_node(advice: str, **changes: Any) -> Case:  # noqa: ANN401  # any field of a node
    return Case(before=facts(replace(a_node(a_server()), **changes)), advice=advice)


FOLLOWED = {
    "boot/own-machine": Case(before=facts(is_own_machine=True), advice="another machine"),
    "boot/left-off": Case(
        before=facts(a_node(OFF), listed=LISTED, left_off=(OFF,)), advice="node recover",
    ),
    "boot/list-unread": Case(before=facts(listed=Unread("denied")), advice="ls -l"),
    "boot/processes-unread": of_node("(`ps -ef`", running_as=Unread("denied")),
    "boot/boot-unread": Case(
        before=facts(booted=Unread("x")), advice="then plan again"
    ),
    "boot/domain-unread": Case(
        before=facts(replace(a_node(a_server()), failure_domain=Unread("a template"))),
        advice="`--at-once 1`", asked=replace(ASKED, nodes_at_once=2),
    ),
    "boot/in-maintenance": Case(
        before=facts(kept_off(claiming_run=RunState.SUCCEEDED)), advice="return it first",
    ),
    "boot/memory-lost": Case(before=with_one("PAUSED"), advice="server unpause"),
    "boot/busy": Case(before=with_one(task_state="rebooting"), advice="wait until"),
    "boot/differs": Case(before=with_guest("shut off"), advice="wait 10 minutes"),
    "boot/wish": Case(
        before=facts(a_node(wishing("ask"))), advice="--consent", after=None,
        asks_then=AGREED,
    ),
    "boot/wish-unknown": Case(
        before=facts(a_node(wishing("?"))), advice="stackward:maintenance=ask",
        after=facts(a_node(wishing("ask"))), asks_then=AGREED,
    ),
    "boot/unknown-consent": Case(
        before=WELL, advice="leave the flag out", asked=AGREED,
    ),
    "boot/not-drained": Case(
        before=facts(a_node()), advice="put it into service",
        after=facts(kept_off(claiming_run=RunState.SUCCEEDED)),
        asked=replace(ASKED, is_drained=True), asks_then=replace(ASKED, is_drained=True),
    ),
    "claimed": of_node(
        "service set --enable", service=a_service(is_enabled=False, disabled_reason="mine")
    ),
    "node-down": of_node("repair nova-compute", service=a_service(is_up=False)),
    "domains-unread": of_node("then plan again", domains=Unread("no")),
    "domains-unreached": of_node("then plan again", domains=SILENT),
    "virsh-missing": of_node("install", domains=Unread("x", Hindrance.LACKING)),
    "held": Case(
        before=facts(holders=(Holder(run="01D", title="drain", state="running"),)),
        advice="run watch 01D",
    ),
    "run-unfinished": Case(
        before=facts(claimed(claiming_run=RunState.STOPPED)), advice="run resume",
    ),
}  # fmt: skip

NOT_FOLLOWED = {
    "boot/apart": "tests/cli/test_node_reboot.py follows it",
    "boot/apart-left-off": "tests/cli/test_node_reboot.py follows it",
    "boot/apart-unseen": "a cell's database is its operator's; the run is that of `boot/apart`",
    "locked": AGREE,
    "boot/consented": AGREE,
    "boot/downtime": AGREE,
    "boot/list-torn": AGREE,
    "boot/no-libvirt": BY_HAND,
    "boot/not-a-unit": BY_HAND,
    "boot/no-undo": "it names two commands: tests/cli/test_node_reboot.py follows them",
    **dict.fromkeys(
        (
            *("awaits-confirmation", "evacuation/lives-on-source", "forced-down"),
            *("foreign-allocation", "has-role", "identity-remembered", "incoming-migration"),
            *("instance-ha", "node-dead", "run-goes-on", "stale-record", "stray-domain"),
            *("stuck", "stuck-migration"),
        ),
        AS_A_DRAIN,
    ),
    **dict.fromkeys(("start/bad-priority", "start/tags-unread", "start/unknown-tier"), AS_A_START),
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_settles_a_verdict(name: str) -> None:
    assert_followed(name, FOLLOWED[name], plan_reboot)


def test_each_rule_is_followed_or_says_why_not() -> None:
    assert sorted([*FOLLOWED, *NOT_FOLLOWED]) == sorted(raised_by("reboot_compute_node"))


def test_a_node_by_hand_is_refused_whatever_runs_there() -> None:
    node = a_node(running_as=IN_A_CONTAINER)

    assert [each.worry for each in plan_reboot(facts(node), ASKED).blockers] == ["boot/not-a-unit"]
