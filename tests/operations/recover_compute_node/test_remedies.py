"""What a verdict on a recovery advises settles it: every rule that a recovery can raise."""

from dataclasses import dataclass, replace

import pytest

from builders import a_flavor
from moving.test_who_ran import MADE
from operations.recover_compute_node.test_plan import (
    ASKED,
    DB,
    EVACUATION,
    LOST,
    RAN,
    SILENT,
    TWO,
    UNKNOWN,
    UP,
    down,
    facts,
    lost,
    one,
    task_left,
)
from raising import assert_followed, raised_by
from stackward.model.maintenance import Holder
from stackward.model.network import NetworkAgent
from stackward.model.unread import Unread
from stackward.operations.recover_compute_node.facts import RecoveryFacts
from stackward.operations.recover_compute_node.plan import plan_recovery
from stackward.requests.recover_compute_node import RecoverRequest

AGREE = "it asks people to agree: nothing of a cloud changes by it"
WELL = facts()
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"
AS_A_START = "tests/operations/start_servers/test_remedies.py follows it"
LEFT_OFF = replace(ASKED, leave_off=(DB,))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A verdict, and the node once its remedy was followed."""

    before: RecoveryFacts
    advice: str  # a part of the remedy
    after: RecoveryFacts | None = WELL
    asked: RecoverRequest = ASKED
    asks_then: RecoverRequest = ASKED


FOLLOWED = {
    "recover/node-down": Case(before=down(), advice="repair nova-compute"),
    "recover/forced-down": Case(before=down(is_forced_down=True), advice="service set --up"),
    "recover/rpc-silent": Case(before=facts(is_answering=False), advice="node check"),
    "recover/libvirt-silent": Case(before=facts(domains=SILENT), advice="then plan again"),
    "recover/agent-dead": Case(
        before=facts(agents=(NetworkAgent(kind="OVN", is_alive=False),)), advice="start it",
    ),
    "recover/agents-unread": Case(before=facts(agents=Unread("503")), advice="make Neutron"),
    "recover/storage-missing": Case(before=facts(directories=frozenset()), advice="mount it"),
    "recover/storage-unread": Case(before=facts(directories=Unread("x")), advice="list it"),
    "recover/clock-off": Case(before=facts(ahead_s=90.0), advice="set it"),
    "recover/clock-unread": Case(before=facts(ahead_s=Unread("x")), advice="`date`"),
    "recover/boot-unread": Case(before=facts(booted=Unread("x")), advice="then plan again"),
    "recover/evacuated": Case(
        before=facts(evacuations=(EVACUATION,)), advice="node return compute-07 --dry-run",
    ),
    "evacuation/lives-on-source": Case(
        before=facts(evacuations=(replace(EVACUATION, server=DB),)),
        advice="moves the server off",
    ),
    "recover/not-known": Case(
        before=facts(one(*UNKNOWN)), advice="`--start", after=None,
        asks_then=replace(ASKED, start=(DB,)),
    ),
    "recover/task-left": Case(
        before=facts(task_left()), advice="server set --auto-approve --state active",
        after=facts(one(MADE, status="ACTIVE", guest="running")),
    ),
    "recover/no-guest": Case(
        before=facts(LOST), advice="pass `--leave-off", after=None, asks_then=LEFT_OFF,
    ),
    "recover/loses-attachment": Case(
        before=facts(lost(nova=("v1",))), advice="server reboot",
        after=facts(one(MADE, status="ACTIVE", guest="running")),
    ),
    "recover/attachments-unread": Case(
        before=facts(lost(cinder=Unread("502"))), advice="make Cinder answer", after=facts(LOST),
    ),
    "recover/unknown-id": Case(
        before=TWO, advice="leave the flag out", asked=replace(ASKED, start=("nobody",)),
    ),
    "recover/both-ways": Case(
        before=TWO, advice="leave one of the two out",
        asked=replace(LEFT_OFF, start=(DB,)), asks_then=LEFT_OFF,
    ),
    "held": Case(
        before=facts(holders=(Holder(run="01D", title="drain", state="running"),)),
        advice="run watch 01D",
    ),
}  # fmt: skip

NOT_FOLLOWED = {
    "locked": AGREE,
    "recover/no-libvirt": "such a node stays as it is: its servers are started by hand",
    "recover/no-undo": "whoever wants a server off decides it for each",
    "start/guest-elsewhere": "a drain says how it is settled, and its own remedy is followed",
    "start/guest-runs": "Nova is waited for, as its node returns",
    **dict.fromkeys(
        (
            *("start/bad-priority", "start/busy", "start/evacuated", "start/guest-unread"),
            *("start/guest-unseen", "start/in-error", "start/nowhere", "start/tags-unread"),
            *("start/unknown-tier", "start/wrong-status"),
        ),
        AS_A_START,
    ),
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_settles_a_verdict(name: str) -> None:
    assert_followed(name, FOLLOWED[name], plan_recovery)


def test_each_rule_is_followed_or_says_why_not() -> None:
    assert sorted([*FOLLOWED, *NOT_FOLLOWED]) == sorted(raised_by("recover_compute_node"))


def test_what_cannot_be_started_may_also_be_left_off() -> None:
    for before in (
        facts(directories=frozenset()),
        facts(lost(nova=("v1",))),
        facts(one(*RAN, status="ERROR")),
        facts(task_left()),
    ):
        assert plan_recovery(before, ASKED).blockers
        assert plan_recovery(before, LEFT_OFF).blockers == ()


def test_a_node_without_libvirt_is_refused_whatever_runs_there() -> None:
    plan = plan_recovery(facts(hypervisor=replace(UP, kind="fake")), LEFT_OFF)

    assert [each.worry for each in plan.blockers] == ["recover/no-libvirt"]


def test_a_tier_is_followed_in_a_recovery_too() -> None:
    past, now, guest = one(*RAN)
    server = replace(past.server, flavor=a_flavor(stackward__tier="database"))
    given = facts((replace(past, server=server), replace(now, server=server), guest))

    plan = plan_recovery(given, replace(ASKED, tiers=("database",)))

    assert [each.name for each in plan.stages] == ["tier database, priority none"]
