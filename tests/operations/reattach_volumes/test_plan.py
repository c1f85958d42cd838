"""What repairs the volumes of a server with the least done, and what stands against it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, a_server, a_service, an_id
from stackward.model.attached_volume import AttachedVolume, AttachedVolumes, Told
from stackward.model.maintenance import Holder
from stackward.model.testimony import Source
from stackward.model.unread import Unread
from stackward.model.volume import Attachment, NovaAttachment, Volume
from stackward.model.witness import Sign
from stackward.operations.reattach_volumes.facts import ReattachFacts
from stackward.operations.reattach_volumes.plan import plan_reattach
from stackward.requests.reattach_volumes import ReattachRequest

HOST = "compute-07"
DB = an_id("db-01")
ASKED = ReattachRequest(server="db-01")
NOT_WAITING = replace(ASKED, waits_for_prompt=False)
PROMPT = "db-01 login: "
YES, NO, UNKNOWN = Told(has=Sign.YES), Told(has=Sign.NO), Told(has=Sign.UNKNOWN, why="no route")
WELL: dict[str, Any] = {"root_device": "/dev/vda"}


def held(volume: str, own: str = "own", status: str = "attached") -> Attachment:
    """Return an attachment of Cinder's to the server."""
    return Attachment(id=f"{own}-{volume}", volume=volume, server=DB, status=status)


def row(volume: str = "v1", device: str = "vdb", **changes: Any) -> AttachedVolume:  # noqa: ANN401  # any field
    """Return a volume on which all three agree, but for what is told."""
    known = AttachedVolume(
        server=DB,
        volume=volume,
        nova=YES,
        cinder=YES,
        libvirt=Told(has=Sign.YES, device=device),
        of_nova=NovaAttachment(volume=volume, device=f"/dev/{device}", id=f"own-{volume}"),
        of_cinder=Volume(id=volume, attached=((DB, HOST),), project="demo"),
        attachments=(held(volume),),
        hosts=(HOST,),
        serial=volume,
        guest="running",
    )
    return replace(known, **changes)


def cinders(one: AttachedVolume, **changes: Any) -> AttachedVolume:  # noqa: ANN401  # any field
    """Return the same; Cinder says something else of the volume."""
    assert one.of_cinder is not None
    return replace(one, of_cinder=replace(one.of_cinder, **changes))


def without_nova(one: AttachedVolume, **changes: Any) -> AttachedVolume:  # noqa: ANN401  # same
    """Return the same; Nova and the guest do not have it."""
    return replace(one, nova=NO, of_nova=None, libvirt=NO, serial=None, **changes)


def facts(*rows: AttachedVolume, status: str = "ACTIVE", **changes: Any) -> ReattachFacts:  # noqa: ANN401  # same
    """Return a server that is at its prompt; fields of the server come with `__`."""
    own = {key[2:]: changes.pop(key) for key in [*changes] if key.startswith("__")}
    server = a_server(status, **{**WELL, **own})
    rows = rows or (row(),)
    unread = changes.pop("unread", ())
    known = ReattachFacts(
        server=server,
        look=AttachedVolumes(
            at=NOW,
            rows=rows,
            servers={DB: server},
            devices=("vda", *(one.libvirt.device or "" for one in rows if one.libvirt)),
            unread=unread,
        ),
        service=a_service(),
        console=PROMPT,
    )
    return replace(known, **changes)


GUEST_LACKS = row(libvirt=NO, serial=None)
ELSEWHERE = row(hosts=("compute-08",))
OTHER_LETTER = row(libvirt=Told(has=Sign.YES, device="vdx"))
ONLY_NOVA = cinders(row(cinder=NO, attachments=(), hosts=()), status="available", attached=())
ALSO_ONLY_NOVA = cinders(
    row("v2", "vdc", cinder=NO, attachments=(), hosts=()), status="available", attached=()
)
ONLY_CINDER = without_nova(row())
RESERVED = cinders(
    without_nova(row(cinder=NO, attachments=(held("v1", status="reserved"),), hosts=())),
    status="reserved", attached=(),
)  # fmt: skip
LOST_ATTACH = cinders(
    without_nova(row(cinder=NO, attachments=(), hosts=())), status="attaching", attached=()
)
TWICE = row(attachments=(held("v1"), held("v1", own="stale")))

# What is so; the acts of its moves, in their order.
ACTS: dict[str, tuple[ReattachFacts, list[str]]] = {
    "all agree": (facts(), []),
    "it is off, and nothing is known of its guest": (
        facts(row(libvirt=UNKNOWN, guest="shut off"), status="SHUTOFF"), [],
    ),
    "its hypervisor has no domains": (facts(row(libvirt=None, guest=None)), []),
    "its detach was lost": (facts(cinders(row(), status="detaching")), ["roll back the detach"]),
    "its detach was lost after the guest let it go": (
        facts(cinders(GUEST_LACKS, status="detaching")),
        ["roll back the detach", "hard reboot"],
    ),
    "it is reserved, and no more": (facts(RESERVED), ["remove what only Cinder has"]),
    "only Cinder has it": (facts(ONLY_CINDER), ["remove what only Cinder has"]),
    "Cinder has it twice": (facts(TWICE), ["remove what only Cinder has"]),
    "its attach was lost before Cinder had an attachment": (facts(LOST_ATTACH), ["unreserve"]),
    "its guest lacks it": (facts(GUEST_LACKS), ["hard reboot"]),
    "Cinder has it on another node": (facts(ELSEWHERE), ["detach and attach"]),
    "its devices differ": (facts(OTHER_LETTER), ["detach and attach"]),
    "only Nova has it": (facts(ONLY_NOVA), ["hard reboot and attach"]),
    "two need different things": (
        facts(GUEST_LACKS, row("v2", "vdc", hosts=("compute-08",))),
        ["hard reboot, detach and attach"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTS)
def test_the_least_act_is_planned(name: str) -> None:
    given, acts = ACTS[name]

    plan = plan_reattach(given, ASKED)

    assert (plan.blockers, [move.how for _, move in plan.moves()]) == ((), acts)


def test_no_plan_resets_a_status() -> None:
    """`os-reset_status` changes a word, and nothing behind it: no step can ask for it."""
    kinds = {
        step.kind
        for given, _ in ACTS.values()
        for _, move in plan_reattach(given, ASKED).moves()
        for step in move.steps
    }

    assert kinds == {
        "attach-volume",
        "await-prompt",
        "detach-volume",
        "reboot-server",
        "remove-attachment",
        "roll-back-detaching",
        "unreserve-volume",
    }


def test_volumes_are_detached_from_the_last_and_attached_from_the_first() -> None:
    rows = [row(f"v{at}", f"vd{at}", hosts=("compute-08",)) for at in "dbc"]

    [(_, move)] = plan_reattach(facts(*rows), ASKED).moves()

    assert [step.summary for step in move.steps] == [
        "wait until the console of `db-01` shows a login prompt",
        "detach volume vd (/dev/vdd) from `db-01`",
        "detach volume vc (/dev/vdc) from `db-01`",
        "detach volume vb (/dev/vdb) from `db-01`",
        "attach volume vb to `db-01` as /dev/vdb",
        "attach volume vc to `db-01` as /dev/vdc",
        "attach volume vd to `db-01` as /dev/vdd",
    ]


def test_a_volume_is_attached_with_the_tag_and_the_fate_of_before() -> None:
    record = NovaAttachment(
        volume="v1", device="/dev/vdb", id="own-v1", tag="logs", is_deleted_with_server=True
    )

    [(_, move)] = plan_reattach(facts(replace(ELSEWHERE, of_nova=record)), ASKED).moves()

    attach: Any = move.steps[-1]
    assert (attach.tag, attach.is_deleted_with_server) == ("logs", True)


def test_without_a_sign_nothing_is_waited_for() -> None:
    [(_, move)] = plan_reattach(facts(ELSEWHERE), NOT_WAITING).moves()

    assert [step.kind for step in move.steps] == ["detach-volume", "attach-volume"]


def test_a_reboot_comes_before_what_is_detached_and_says_what_nova_deletes() -> None:
    rows = (ONLY_NOVA, row("v2", "vdc", hosts=("compute-08",)))

    [(_, move)] = plan_reattach(facts(*rows), ASKED).moves()

    assert [step.kind for step in move.steps] == [
        "reboot-server",
        "await-prompt",
        "detach-volume",
        "attach-volume",
        "attach-volume",
    ]
    assert "Nova deletes its attachment `v1`" in move.steps[0].summary


def test_the_request_is_kept_with_the_ids_of_what_is_mended() -> None:
    given = facts(row("v2", "vdc"), ELSEWHERE)

    plan = plan_reattach(given, ASKED)

    assert plan.request == replace(ASKED, server=DB, volumes=("v1",))
    assert plan.holds == (HOST,)


def test_only_the_volumes_that_are_named_are_mended() -> None:
    given = facts(cinders(row(), status="detaching"), ELSEWHERE, wanted=("v1",))

    plan = plan_reattach(replace(given, look=replace(given.look, rows=(
        cinders(row(), status="detaching"), row("v2", "vdc", hosts=("compute-08",)),
    ))), replace(ASKED, volumes=("v1",)))  # fmt: skip

    assert [move.how for _, move in plan.moves()] == ["roll back the detach"]


def test_what_a_run_has_given_free_is_no_blocker_of_its_next_step() -> None:
    free = cinders(
        without_nova(row(cinder=NO, attachments=(), hosts=())), status="available", attached=()
    )

    plan = plan_reattach(facts(free, wanted=("v1",), in_run=True), ASKED)

    assert plan.blockers == ()


ROOT = row(device="vda", hosts=("compute-08",))
SHUT = {"status": "SHUTOFF"}

# What is so; the blockers, the warnings.
CASES: dict[str, tuple[ReattachFacts, list[str], list[str]]] = {
    "its cell is down": (facts(status="UNKNOWN", __host=None), ["cell-down"], []),
    "it is on no node": (facts(status="SHELVED_OFFLOADED", __host=None), ["nowhere"], []),
    "Nova works on it": (facts(__task_state="deleting"), ["busy"], []),
    "it is paused": (facts(status="PAUSED"), ["wrong-status"], []),
    "its node is down": (facts(service=a_service(is_up=False)), ["node-down"], []),
    "Nova has no service there": (facts(service=None), ["node-down"], []),
    "its node was forced down": (
        facts(service=a_service(is_up=False, is_forced_down=True)), ["forced-down"], [],
    ),
    "a run has its node": (
        facts(holders=(Holder(run="01D", title="drain", state="running"),)), ["held"], [],
    ),
    "it is locked": (facts(__is_locked=True), [], ["locked"]),
    "Cinder is away": (
        facts(row(cinder=UNKNOWN), unread=((Source.CINDER, "", Unread("503")),)), ["unread"], [],
    ),
    "libvirt does not answer": (
        facts(row(libvirt=UNKNOWN), unread=((Source.LIBVIRT, HOST, Unread("no route")),)),
        ["unread"], [],
    ),
    "the disks of its guest could not be read": (facts(row(libvirt=UNKNOWN)), ["unread"], []),
    "its guest does not run": (
        facts(replace(GUEST_LACKS, guest=None)), ["no-guest"], ["reboots"],
    ),
    "it is off, and needs a reboot": (
        facts(replace(ONLY_NOVA, libvirt=UNKNOWN, guest="shut off"), **SHUT),
        ["off"], ["reboots"],
    ),
    "Cinder wrote to it just now": (
        facts(cinders(row(), status="detaching", updated=(
            NOW - timedelta(seconds=170)
        ).replace(tzinfo=None).isoformat())),
        ["recent"], [],
    ),
    "Cinder wrote to it a while ago": (
        facts(cinders(row(), status="detaching", updated=(
            NOW - timedelta(seconds=190)
        ).replace(tzinfo=None).isoformat())),
        [], [],
    ),
    "several servers may have it": (facts(cinders(ONLY_CINDER, is_multiattach=True)),
        ["multiattach"], []),
    "it is encrypted, and would be attached": (
        facts(cinders(ELSEWHERE, is_encrypted=True)), ["encrypted"], ["loses-disk"],
    ),
    "it is encrypted, and only given free": (
        facts(cinders(ONLY_CINDER, is_encrypted=True)), [], [],
    ),
    "it is of another project": (facts(cinders(ONLY_CINDER, project="other")),
        ["other-project"], []),
    "it is the root disk": (facts(ROOT), ["root"], ["loses-disk"]),
    "it may be the root disk": (
        facts(ELSEWHERE, __root_device=None, __has_image=False), ["root"], ["loses-disk"],
    ),
    "its guest has it, and Nova does not": (
        facts(replace(ONLY_CINDER, libvirt=YES)), ["guest-has-it"], [],
    ),
    "nobody has it": (
        facts(cinders(without_nova(row(cinder=NO, attachments=(), hosts=())), status="available"),
              wanted=("v1",)),
        ["not-attached"], [],
    ),
    "another server has it": (
        facts(cinders(ONLY_NOVA, status="in-use", attached=((an_id("web"), HOST),))),
        ["other-server"], [],
    ),
    "Cinder has no such volume": (facts(row(cinder=NO, of_cinder=None)), ["no-volume"], []),
    "it is in error": (facts(cinders(row(), status="error")), ["no-act"], []),
    "it is reserved without an attachment": (
        facts(cinders(without_nova(row(cinder=NO, attachments=())), status="reserved")),
        ["no-act"], [],
    ),
    "an attach that was lost after Nova's record": (
        facts(cinders(row(attachments=(held("v1", status="attaching"),)), status="attaching")),
        ["no-act"], [],
    ),
    "an old Nova, and two attachments": (
        facts(replace(TWICE, of_nova=NovaAttachment(volume="v1", device="/dev/vdb"))),
        ["unknown-record"], [],
    ),
    "a reboot would delete another volume's record": (
        facts(GUEST_LACKS, ALSO_ONLY_NOVA, wanted=("v1",)),
        ["also-lost"], ["reboots"],
    ),
    "its device would be another": (
        facts(row("v1", "vdd", hosts=("compute-08",))), ["device-moves"], ["loses-disk"],
    ),
    "it has no device to Nova": (
        facts(replace(ELSEWHERE, of_nova=NovaAttachment(volume="v1", id="own-v1"))),
        ["no-device"], ["loses-disk"],
    ),
    "it has no console": (facts(ELSEWHERE, console=None), ["no-console"], ["loses-disk"]),
    "its console cannot be read": (
        facts(ELSEWHERE, console=Unread("503")), ["no-console"], ["loses-disk"],
    ),
    "it has no console, and needs none": (facts(GUEST_LACKS, console=None), [], ["reboots"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_stands_against_a_repair(name: str) -> None:
    given, blockers, warnings = CASES[name]

    plan = plan_reattach(given, ASKED)

    assert [each.worry.rpartition("/")[2] for each in plan.blockers] == blockers
    assert [each.worry.rpartition("/")[2] for each in plan.warnings] == warnings


def test_that_nothing_is_waited_for_is_a_warning() -> None:
    plan = plan_reattach(facts(ELSEWHERE, console=None), NOT_WAITING)

    assert plan.blockers == ()
    assert "reattach/not-waited" in [each.worry for each in plan.warnings]
