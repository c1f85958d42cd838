"""Which server may be rebooted, how, and what is lost by it."""

import re
from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, a_server, a_service, an_id
from stackward.model.attachments import Attachments
from stackward.model.claim import Claim
from stackward.model.maintenance import Holder
from stackward.model.run import RunState
from stackward.model.stalled_move import Guest
from stackward.model.unread import Unread
from stackward.operations.reboot_server import rules
from stackward.operations.reboot_server.facts import RebootFacts
from stackward.operations.reboot_server.plan import plan_reboot
from stackward.plan import Blocked, Warned
from stackward.policy.rule import Rule
from stackward.requests.reboot_server import RebootRequest

DB = an_id("db-01")
HOST = "compute-07"
SOFT, HARD = RebootRequest(server="db-01"), RebootRequest(server="db-01", is_hard=True)
CLAIM = Claim(
    run="01DRAIN", operator="ann", machine="bastion", since="2026-01-01T12:00:00Z", reason="DIMM"
)
CLAIMED = a_service(is_enabled=False, disabled_reason=str(CLAIM))
DISABLED = a_service(is_enabled=False, disabled_reason="bad fan")
NONE = Guest(node=HOST, state=None)
OFF = Guest(node=HOST, state="shut off")
OTHER = Guest(node="compute-08", state=None)
VOLUME: dict[str, Any] = {"server": a_server(volume_ids=("v1",))}


def facts(status: str = "ACTIVE", guest: str | None = "running", **changes: Any) -> RebootFacts:  # noqa: ANN401  # any field
    """Return a server on a node that works, but for what is told."""
    known = RebootFacts(
        server=a_server(status),
        read_at=NOW,
        service=a_service(),
        guest=Guest(node=HOST, state=guest),
        boot="11",
    )
    return replace(known, **changes)


def attached(*cinder: tuple[str, str], nova: tuple[str, ...] = ()) -> Attachments:
    return Attachments(nova=nova, cinder=cinder)


def busy(status: str, task: str) -> RebootFacts:
    return facts(server=a_server(status, task_state=task))


WELL: dict[str, Any] = {"attachments": attached(("a1", "v1"), nova=("v1",)), **VOLUME}
ONLY_NOVA = facts(**VOLUME, attachments=attached(nova=("v1",)))
ONLY_CINDER = facts(attachments=attached(("a9", "v9")))
CINDER_AWAY = Attachments(cinder=Unread("502"))

# What is so; the blockers of a soft reboot, those of a hard one, and the warnings of a hard one.
CASES: dict[str, tuple[RebootFacts, list[str], list[str], list[str]]] = {
    "it runs": (facts(), [], [], []),
    "it is off: hard would start it": (
        facts("SHUTOFF", "shut off", boot="off"), ["stopped"], ["stopped"], [],
    ),
    "it is paused": (facts("PAUSED", "paused"), ["keeps-memory"], [], ["memory-lost"]),
    "it is suspended": (
        facts("SUSPENDED", "shut off", boot="off"), ["keeps-memory"], [], ["memory-lost"],
    ),
    "it is in ERROR": (facts("ERROR", "shut off"), ["in-error"], [], ["out-of-error"]),
    "it was never built": (
        facts(server=a_server("ERROR", host=None), guest=None), ["nowhere"], ["nowhere"], [],
    ),
    "it is shelved and offloaded": (
        facts(server=a_server("SHELVED_OFFLOADED", host=None)), ["nowhere"], ["nowhere"], [],
    ),
    "it is rescued": (facts("RESCUE"), ["wrong-status"], ["wrong-status"], []),
    "it awaits a confirmation": (facts("VERIFY_RESIZE"), ["wrong-status"], ["wrong-status"], []),
    "it is shelved": (facts("SHELVED", "shut off"), ["wrong-status"], ["wrong-status"], []),
    "it is deleted, not yet for good": (
        facts("SOFT_DELETED", "shut off"), ["wrong-status"], ["wrong-status"], [],
    ),
    "it is in a status that nobody knows": (
        facts("SINGING"), ["wrong-status"], ["wrong-status"], [],
    ),
    "its status and its vm_state differ": (
        facts(server=a_server(vm_state="paused")), ["wrong-status"], ["wrong-status"], [],
    ),
    "its cell is down": (
        facts(server=a_server("UNKNOWN", host=None)), ["cell-down"], ["cell-down"], [],
    ),
    "Nova reboots it already": (busy("REBOOT", "rebooting"), ["busy"], ["busy"], []),
    "it is on its way elsewhere": (busy("MIGRATING", "migrating"), ["busy"], ["busy"], []),
    "Nova works on one that is off": (busy("SHUTOFF", "powering-on"), ["busy"], ["busy"], []),
    "it is locked": (facts(server=a_server(is_locked=True)), [], [], ["locked"]),
    "its nova-compute is down": (
        facts(service=a_service(is_up=False)), ["node-down"], ["node-down"], [],
    ),
    "Nova has no service there": (facts(service=None), ["node-down"], ["node-down"], []),
    "its node was forced down": (
        facts(service=a_service(is_up=False, is_forced_down=True)),
        ["forced-down"], ["forced-down"], [],
    ),
    "a run has its node": (
        facts(holders=(Holder(run="01D", title="drain", state="running"),), service=CLAIMED,
              claiming=RunState.RUNNING),
        ["held"], ["held"], ["node-out"],
    ),
    "a run that stopped claims its node": (
        facts(service=CLAIMED, claiming=RunState.STOPPED), ["node-claimed"], ["node-claimed"], [],
    ),
    "a run that nobody here knows claims its node": (
        facts(service=CLAIMED), ["node-claimed"], ["node-claimed"], [],
    ),
    "its node is in maintenance": (
        facts(service=CLAIMED, claiming=RunState.SUCCEEDED), [], [], ["node-out"],
    ),
    "somebody else has disabled its node": (facts(service=DISABLED), [], [], ["node-out"]),
    "its guest cannot be read": (
        replace(facts(), guest=Unread("no route")),
        ["guest-unread"], ["guest-unread"], [],
    ),
    "which boot of it runs cannot be read": (
        facts(boot=Unread("no route")), ["guest-unread"], ["guest-unread"], [],
    ),
    "its guest was paused by libvirt": (
        facts(guest="paused"), ["guest-disagrees"], [], ["guest-disagreed"],
    ),
    "its guest has crashed": (
        facts(guest="crashed", boot="off"), ["guest-disagrees"], [], ["guest-disagreed"],
    ),
    "libvirt works on its guest": (
        replace(facts(), guest=Guest(node=HOST, state="running", has_job=True)),
        ["guest-busy"], ["guest-busy"], [],
    ),
    "its guest runs elsewhere": (
        replace(
            facts(), guest=NONE, boot="off", guest_locations=(replace(OTHER, state="running"),),
        ),
        ["guest-elsewhere"], ["guest-elsewhere"], [],
    ),
    "its guest is missing, and one that is off is elsewhere, with its disk": (
        replace(
            facts(), guest=NONE, boot="off", guest_locations=(replace(OTHER, state="shut off"),),
        ),
        ["guest-elsewhere"], ["guest-elsewhere"], [],
    ),
    "its guest may run elsewhere": (
        replace(facts(), guest=NONE, boot="off", guest_locations=Unread("no route")),
        ["guest-unseen"], ["guest-unseen"], [],
    ),
    "a second guest runs elsewhere, and its own is off": (
        replace(
            facts(), guest=OFF, boot="off", guest_locations=(replace(OTHER, state="paused"),),
        ),
        ["guest-elsewhere"], ["guest-elsewhere"], [],
    ),
    "its own guest is off, and a second one may run elsewhere": (
        replace(facts(), guest=OFF, boot="off", guest_locations=Unread("no route")),
        ["guest-unseen"], ["guest-unseen"], [],
    ),
    "its own guest is off, and so is an old one elsewhere": (
        replace(
            facts(), guest=OFF, boot="off", guest_locations=(replace(OTHER, state="shut off"),),
        ),
        ["guest-disagrees"], [], ["guest-disagreed"],
    ),
    "its guest is nowhere": (
        replace(facts(), guest=NONE, boot="off", guest_locations=(OTHER,)),
        ["no-guest"], [], ["made-anew"],
    ),
    "its guest is not there, and no record leads elsewhere": (
        replace(facts(), guest=NONE, boot="off"), ["no-guest"], [], ["made-anew"],
    ),
    "its hypervisor has no domains": (
        replace(facts(), guest=None, boot=None, has_domains=False), [], [], [],
    ),
    "Nova and Cinder agree": (facts(**WELL), [], [], []),
    "only Nova knows an attachment": (
        ONLY_NOVA, ["only-nova"], ["only-nova"], [],
    ),
    "only Cinder knows an attachment": (ONLY_CINDER, ["only-cinder"], ["only-cinder"], []),
    "Cinder has two of one volume": (
        facts(**VOLUME, attachments=attached(("a1", "v1"), ("a2", "v1"), nova=("v1",))),
        ["only-cinder", "only-cinder"], ["only-cinder", "only-cinder"], [],
    ),
    "Cinder cannot be asked, and it has volumes": (
        facts(**VOLUME, attachments=CINDER_AWAY), ["volumes-unread"], ["volumes-unread"], [],
    ),
    "Cinder cannot be asked, and it has none": (
        facts(attachments=CINDER_AWAY), [], [], ["attachments-unread"],
    ),
    "it boots by UEFI": (facts(is_uefi=True), [], [], ["uefi-reset"]),
}  # fmt: skip


def names(verdicts: tuple[Blocked, ...] | tuple[Warned, ...]) -> list[str]:
    return [each.worry.removeprefix("reboot/") for each in verdicts]


@pytest.mark.parametrize(("known", "soft", "hard", "warned"), CASES.values(), ids=CASES)
def test_what_blocks_a_reboot_and_what_is_lost_by_it(
    known: RebootFacts, soft: list[str], hard: list[str], warned: list[str]
) -> None:
    softly, hardly = plan_reboot(known, SOFT), plan_reboot(known, HARD)

    assert (names(softly.blockers), names(hardly.blockers)) == (soft, hard)
    assert names(hardly.warnings) == warned


@pytest.mark.parametrize("name", CASES)
def test_only_what_is_lost_by_a_hard_one_alone_is_not_warned_of_by_a_soft_one(name: str) -> None:
    known, soft, *_ = CASES[name]

    plan = plan_reboot(known, SOFT)

    hard_alone = {"memory-lost", "out-of-error", "guest-disagreed", "made-anew", "uefi-reset"}
    assert not hard_alone & {*names(plan.warnings)}
    assert bool(plan.blockers) is bool(soft)


@pytest.mark.parametrize(
    "name", [name for name, (_, soft, hard, _) in CASES.items() if soft > hard]
)
def test_where_a_hard_reboot_helps_the_remedy_says_so(name: str) -> None:
    [blocker] = plan_reboot(CASES[name][0], SOFT).blockers

    assert "pass `--hard`" in blocker.remedy


@pytest.mark.parametrize("name", [name for name, (_, _, hard, _) in CASES.items() if hard])
def test_where_a_hard_reboot_is_refused_too_no_remedy_offers_it(name: str) -> None:
    for asked in (SOFT, HARD):
        remedies = [each.remedy for each in plan_reboot(CASES[name][0], asked).blockers]
        assert remedies
        assert [each for each in remedies if "--hard" in each] == []


def test_each_rule_is_met_by_a_case() -> None:
    named = {each.name for each in vars(rules).values() if isinstance(each, Rule)}
    own = {each for each in named if each.startswith("reboot/")}  # others share the rest

    met = {f"reboot/{name}" for _, *found in CASES.values() for some in found for name in some}

    # Of a run that is over: tests/cli/test_server.py; of a flag: below.
    assert own - met == {"reboot/no-undo", "reboot/not-deleted"}


def test_no_verdict_has_a_word_that_was_not_filled_in() -> None:
    plans = [plan_reboot(known, asked) for known, *_ in CASES.values() for asked in (SOFT, HARD)]
    said: list[Blocked | Warned] = [each for plan in plans for each in plan.blockers]
    said += [each for plan in plans for each in plan.warnings]

    assert [each for each in said if re.search(r"[{}]", each.reason + each.remedy)] == []


@pytest.mark.parametrize(("asked", "how"), [(SOFT, "soft"), (HARD, "hard")], ids=["soft", "hard"])
def test_the_plan_is_one_step_on_the_servers_node_and_one_proof(
    asked: RebootRequest, how: str
) -> None:
    plan = plan_reboot(facts(), asked)

    [(stage, move)] = plan.moves()
    [step], [check] = move.steps, plan.verify
    assert (stage.name, move.thing_id, move.how, step.kind) == ("reboot", DB, how, "reboot-server")
    assert (check.kind, plan.holds) == ("runs-anew", (HOST,))
    assert check.before == "11"  # type: ignore[attr-defined]  # of this kind


def test_the_request_is_kept_with_the_id_for_the_name_may_come_to_mean_another() -> None:
    assert plan_reboot(facts(), SOFT).request == RebootRequest(server=DB)


def test_a_soft_reboot_says_that_it_may_end_as_a_hard_one() -> None:
    soft, hard = (" ".join(plan_reboot(facts(), asked).notices) for asked in (SOFT, HARD))

    assert "wait_soft_reboot_seconds" in soft
    assert "not written to its disks is lost" in hard


def test_where_the_hypervisor_is_not_libvirt_the_plan_says_that_nothing_proves_the_boot() -> None:
    plan = plan_reboot(replace(facts(), guest=None, boot=None, has_domains=False), SOFT)

    assert "by Nova's word alone" in plan.notices[-1]


@pytest.mark.parametrize(
    ("known", "given", "rule"),
    [
        pytest.param(ONLY_NOVA, "v1", "only-nova", id="a volume that only Nova has"),
        pytest.param(ONLY_CINDER, "a9", "only-cinder", id="an attachment that only Cinder has"),
    ],
)
@pytest.mark.parametrize("asked", [SOFT, HARD], ids=["soft", "hard"])
def test_what_is_named_to_be_deleted_is_warned_of_and_said_by_the_step(
    known: RebootFacts, given: str, rule: str, asked: RebootRequest
) -> None:
    plan = plan_reboot(known, replace(asked, delete_attachments=(given,)))

    [(_, move)] = plan.moves()
    [step] = move.steps
    assert (plan.blockers, names(plan.warnings)) == ((), [rule])
    assert move.how.endswith(", deletes attachments")
    assert step.summary.endswith(f"; Nova deletes its attachment `{given}`")


def test_one_that_is_named_gives_up_no_other() -> None:
    both = attached(("a9", "v9"), ("a8", "v8"))

    plan = plan_reboot(facts(attachments=both), replace(HARD, delete_attachments=("a9",)))

    assert (names(plan.blockers), names(plan.warnings)) == (["only-cinder"], ["only-cinder"])
    assert "a8" in plan.blockers[0].reason


def test_an_id_that_nova_would_not_delete_is_a_slip() -> None:
    plan = plan_reboot(facts(**WELL), replace(HARD, delete_attachments=("a1",)))

    assert names(plan.blockers) == ["not-deleted"]
