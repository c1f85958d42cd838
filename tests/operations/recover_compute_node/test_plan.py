"""Who is brought up on a node that is back, who is left off, and what stands against it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, a_domain, a_server, a_service, an_id
from moving.test_who_ran import BEFORE, BY_NOVA, MADE, act
from stackward.model.attachments import Attachments
from stackward.model.bringing_up import ServerToBringUp
from stackward.model.hypervisor import Hypervisor
from stackward.model.maintenance import Holder
from stackward.model.migration import Migration
from stackward.model.network import NetworkAgent
from stackward.model.server import ServerAction
from stackward.model.stalled_move import Guest
from stackward.model.unread import Hindrance, Unread
from stackward.model.who_ran import Past
from stackward.operations.recover_compute_node.facts import RecoveryFacts
from stackward.operations.recover_compute_node.plan import plan_recovery
from stackward.plan import Blocked, Warned
from stackward.requests.recover_compute_node import RecoverRequest

HOST = "compute-07"
DB, WEB = an_id("db-01"), an_id("web-01")
ASKED = RecoverRequest(node=HOST)
SILENT = Unread("No route to host", Hindrance.WAY)
UP = Hypervisor(id=an_id(HOST), name=HOST, host=HOST, kind="QEMU", version=10_000_000)
RAN = (BY_NOVA, MADE)
STOPPED = (act("stop", BEFORE), MADE)
UNKNOWN = (BY_NOVA,)
EVACUATION = Migration(
    id=7, uuid="m", server=an_id("gone"), kind="evacuation", status="done", source=HOST,
    target="compute-08",
)  # fmt: skip
Known = tuple[Past, ServerToBringUp, str]


def one(
    *actions: ServerAction,
    status: str = "SHUTOFF",
    name: str = "db-01",
    guest: str | None = "shut off",
    task: str | None = None,
    **changes: Any,  # noqa: ANN401  # any field of what is to be brought up
) -> tuple[Past, ServerToBringUp, str | None]:
    """Return a server of the node: what tells of its past, and how it is now."""
    server = a_server(status, name, task_state=task)
    past = Past(server=server, actions=actions, log=Unread("permission denied"))
    now = ServerToBringUp(server=server, guest=Guest(node=HOST, state=guest))
    return past, replace(now, **changes), guest


def facts(*ones: tuple[Past, ServerToBringUp, str | None], **changes: Any) -> RecoveryFacts:  # noqa: ANN401  # any field
    """Return a node that is back and works, with these servers, but for what is told."""
    ones = ones or (one(*RAN),)
    known = RecoveryFacts(
        name=HOST,
        host=HOST,
        read_at=NOW + timedelta(minutes=9),
        service=a_service(),
        hypervisor=UP,
        domains=tuple(
            replace(a_domain(past.server), state=guest) for past, _, guest in ones if guest
        ),
        agents=(NetworkAgent(kind="OVN Controller agent"),),
        directories=frozenset(past.server.id for past, _, _ in ones),
        booted=NOW,
        pasts=tuple(past for past, _, _ in ones),
        to_bring_up={past.server.id: now for past, now, _ in ones},
    )
    return replace(known, **changes)


def down(**changes: Any) -> RecoveryFacts:  # noqa: ANN401  # same
    return facts(service=a_service(is_up=False, **changes), is_answering=False)


def lost(**attached: Any) -> tuple[Past, ServerToBringUp, str | None]:  # noqa: ANN401  # same
    """Return a server that Nova calls ACTIVE and that libvirt does not have."""
    return one(MADE, status="ACTIVE", guest=None, made_anew=Attachments(**attached))


def task_left(
    minutes: int = -1,
) -> tuple[Past, ServerToBringUp, str | None]:
    """Return one whose password was to be set: Nova wrote that so long after the boot."""
    past, now, guest = one(MADE, status="ACTIVE", task="updating_password")
    server = replace(past.server, updated=f"{NOW + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}")
    return replace(past, server=server), replace(now, server=server), guest


LOST = lost()

# What is so; the blockers, the warnings, and how many are started.
CASES: dict[str, tuple[RecoveryFacts, list[str], list[str], int]] = {
    "it ran": (facts(), [], [], 1),
    "its owner had stopped it": (facts(one(*STOPPED)), [], [], 0),
    "nobody knows whether it ran": (facts(one(*UNKNOWN)), [], ["not-known"], 0),
    "Nova has not yet stopped it": (facts(one(MADE, status="ACTIVE")), [], [], 1),
    "it runs already": (facts(one(MADE, status="ACTIVE", guest="running")), [], [], 0),
    "Nova calls it ACTIVE, and its guest is lost": (
        facts(LOST), [], ["no-guest"], 1,
    ),
    "its guest is lost, and only Cinder knows an attachment": (
        facts(lost(cinder=(("a9", "v9"),))), ["loses-attachment"], [], 1,
    ),
    "its guest is lost, and only Nova knows an attachment": (
        facts(lost(nova=("v1",))), ["loses-attachment"], [], 1,
    ),
    "its guest is lost, and both have the same": (
        facts(lost(nova=("v1",), cinder=(("a1", "v1"),))), [], ["no-guest"], 1,
    ),
    "its guest is lost, and Cinder does not answer": (
        facts(lost(cinder=Unread("502"))), ["attachments-unread"], [], 1,
    ),
    "Nova works on it": (facts(one(*RAN, task="powering-on")), ["busy"], [], 1),
    "Nova has worked on it since before the loss": (facts(task_left()), ["task-left"], [], 1),
    "Nova works on it since its node is back": (facts(task_left(1)), ["busy"], [], 1),
    "Nova works on it since before the loss, and its nova-compute is still coming up": (
        facts(task_left(), is_coming_up=True), ["busy"], [], 2,
    ),
    "it is in ERROR": (facts(one(*RAN, status="ERROR")), ["in-error"], [], 1),
    "it awaits a confirmation": (
        facts(one(*RAN, status="VERIFY_RESIZE")), ["wrong-status"], [], 1,
    ),
    "it is suspended, by its owner": (
        facts(one(act("suspend", BEFORE), MADE, status="SUSPENDED")), [], [], 0,
    ),
    "its guest runs elsewhere": (
        facts(one(*RAN, elsewhere=(Guest(node="compute-08", state="running"),))),
        ["guest-elsewhere"], [], 1,
    ),
    "its guest may run elsewhere": (
        facts(one(*RAN, elsewhere=Unread("x"))), ["guest-unseen"], [], 1,
    ),
    "its directory is not there": (
        facts(directories=frozenset()), ["storage-missing"], [], 1,
    ),
    "its directories cannot be read": (
        facts(directories=Unread("denied")), ["storage-unread"], [], 1,
    ),
    "its nova-compute is down": (down(), ["node-down"], [], 1),
    "it was forced down": (down(is_forced_down=True), ["forced-down"], [], 1),
    "it does not answer over RPC": (facts(is_answering=False), ["rpc-silent"], [], 1),
    "whether it answers cannot be read": (
        facts(is_answering=Unread("503")), ["rpc-silent"], [], 1,
    ),
    "libvirt does not answer": (
        facts(domains=Unread("`virsh list` says: no")), ["libvirt-silent"], [], 1,
    ),
    "the machine does not answer": (
        facts(domains=SILENT, booted=SILENT, pasts=()), ["libvirt-silent"], [], 0,
    ),
    "it has no libvirt": (
        facts(hypervisor=replace(UP, kind="fake")), ["no-libvirt"], [], 1,
    ),
    "its network agent is dead": (
        facts(agents=(NetworkAgent(kind="OVN", is_alive=False),)), ["agent-dead"], [], 1,
    ),
    "Neutron does not answer": (facts(agents=Unread("503")), ["agents-unread"], [], 1),
    "its clock is wrong": (facts(ahead_s=-90.0), ["clock-off"], [], 1),
    "its clock cannot be read": (facts(ahead_s=Unread("x")), ["clock-unread"], [], 1),
    "when it booted cannot be read": (
        facts(booted=Unread("x")), ["boot-unread"], [], 0,
    ),
    "an evacuation from it is not over": (
        facts(evacuations=(EVACUATION,)), ["evacuated"], [], 1,
    ),
    "a run has it": (
        facts(holders=(Holder(run="01D", title="drain", state="running"),)), ["held"], [], 1,
    ),
}  # fmt: skip


def named(verdicts: Sequence[Blocked | Warned]) -> list[str]:
    return [each.worry.rpartition("/")[2] for each in verdicts]


@pytest.mark.parametrize("name", CASES)
def test_what_stands_against_a_recovery(name: str) -> None:
    given, blockers, warnings, count = CASES[name]

    plan = plan_recovery(given, ASKED)

    assert named(plan.blockers) == blockers
    assert named(plan.warnings) == warnings
    assert len([*plan.moves()]) == count


TWO = facts(one(*RAN), one(*STOPPED, name="web-01"))


@pytest.mark.parametrize(
    ("asked", "started", "blockers"),
    [
        (ASKED, ["db-01"], []),
        (replace(ASKED, start=(WEB,)), ["db-01", "web-01"], []),
        (replace(ASKED, leave_off=(DB,)), [], []),
        (replace(ASKED, only=(WEB,)), [], []),
        (replace(ASKED, only=(DB,)), ["db-01"], []),
        (replace(ASKED, start=("nobody",)), ["db-01"], ["unknown-id"]),
        (replace(ASKED, start=(DB,), leave_off=(DB,)), [], ["both-ways"]),
    ],
)
def test_the_words_of_the_operator_come_first(
    asked: RecoverRequest, started: list[str], blockers: list[str]
) -> None:
    plan = plan_recovery(TWO, asked)

    assert [move.thing for _, move in plan.moves()] == started
    assert named(plan.blockers) == blockers


def test_each_server_is_named_with_what_is_known_of_it() -> None:
    plan = plan_recovery(TWO, ASKED)

    stopped = "Nova itself stopped it at 2026-11-22T03:01:00Z[UTC], after the loss"
    asked = "user eve asked for `stop` at 2026-11-22T02:00:00Z[UTC]"
    assert plan.notices == (
        f"`db-01` is started: Nova: {stopped}",
        f"`web-01` stays as it is (SHUTOFF): {asked}",
    )


def test_what_the_node_has_brought_up_by_itself_is_proved_and_not_started() -> None:
    given = facts(one(MADE, status="ACTIVE", guest="running"), one(*RAN, name="web-01"))

    plan = plan_recovery(given, ASKED)

    assert [move.thing for _, move in plan.moves()] == ["web-01"]
    assert [each.summary for each in plan.verify] == ["2 servers run on `compute-07`"]


def test_a_log_that_cannot_be_read_is_one_witness_less_and_the_plan_says_so() -> None:
    plan = plan_recovery(facts(logs_unread="sudo: a password is required"), ASKED)

    assert plan.notices[0] == (
        "libvirt's logs cannot be read: sudo: a password is required: one witness less"
    )
    assert len([*plan.moves()]) == 1


def test_a_server_that_cannot_be_started_is_none_where_it_is_to_be_left_off() -> None:
    lost = facts(one(MADE, status="ACTIVE", guest=None))

    assert plan_recovery(lost, replace(ASKED, leave_off=(DB,))).blockers == ()
