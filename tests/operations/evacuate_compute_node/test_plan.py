"""Which servers of a dead node are brought up elsewhere, on which disk, and in which order."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import (
    CLAIM,
    a_candidate,
    a_flavor,
    a_group,
    a_node,
    a_port,
    a_server,
    a_service,
    an_id,
    claimed,
)
from operations.fence_compute_node.test_plan import HOST, NONE, living
from operations.fence_compute_node.test_plan import facts as dead
from stackward.checks.server import RunElsewhere
from stackward.kinds import KINDS
from stackward.model.compute_process import ComputeProcess, RunningAs
from stackward.model.disk_seen import DiskSeen
from stackward.model.domain import Disk, Domain
from stackward.model.instance_ha import HaHost, HaNotification
from stackward.model.migration import Migration
from stackward.model.run import RunState
from stackward.model.server import Server, ServerAction
from stackward.model.unread import Unread
from stackward.model.volume import Volume
from stackward.model.who_ran import Loss, Past
from stackward.model.witness import Sign
from stackward.operations.evacuate_compute_node import rules
from stackward.operations.evacuate_compute_node.facts import (
    EvacuationFacts,
    LastSeen,
    Leaving,
    OtherNode,
)
from stackward.operations.evacuate_compute_node.off_too import OffToo
from stackward.operations.evacuate_compute_node.plan import plan_evacuation
from stackward.plan import Blocked, Plan, Warned, differences
from stackward.plan.stored import from_mapping, to_mapping
from stackward.policy.rule import Rule
from stackward.ports.world import World
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.requests.how_to_move import HowToMove
from stackward.status.evacuated import Promised
from stackward.status.power_device import Whose
from stackward.steps.evacuation import Evacuate, StartEvacuated

DB = an_id("db-01")
LOSS = Loss(not_after=datetime(2026, 11, 22, 3, 0, tzinfo=UTC), words="last heard of")
ASKED = EvacuateRequest(node=HOST, reason="its board burned")
NFS = "nfs4 nas:/instances"
CAME = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)  # its server, to its node
WHOLE = DiskSeen(
    path=f"/var/lib/nova/instances/{DB}",
    is_writable=True,
    disks=(("disk", ""),),
    storage=NFS,
    place=f"/{DB}",
    written=CAME + timedelta(hours=1),
)
OLD = replace(WHOLE, written=CAME)
MOVED = "2026-11-21T10:00:00.000000"
BUILT = "2026-11-20T10:00:00.000000"
COPY = replace(WHOLE, storage="ext4 /dev/sda2", written=CAME - timedelta(seconds=1))
OPEN = replace(WHOLE, locked=("disk",))
NOWHERE = DiskSeen()
UNREAD = Unread("it does not answer")
UNSWITCHED = replace(NONE, power=Sign.UNKNOWN)
SEEN = LastSeen(at="2026-11-21T03:00:00+00:00", size_bytes=2**30, paths=("/x",))
# A look has seen the dead node have its disk so.
LOOKED = replace(SEEN, paths=(f"{WHOLE.path}/disk",), storages=(NFS,), places=(f"/{DB}/disk",))


AT_MOVED = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def asking(*, leave: tuple[str, ...] = (), **given: Any) -> EvacuateRequest:  # noqa: ANN401  # its fields
    return replace(ASKED, how=HowToMove(at_once=4, leave_behind=leave), **given)


def other(host: str, disk: DiskSeen = WHOLE, **changes: Any) -> OtherNode:  # noqa: ANN401  # its fields
    """Return another compute node that sees the same of each server's disk."""
    known = OtherNode(
        host=host,
        node=host,
        is_up=True,
        domains=(),
        running_as=RunningAs(),
        disks={an_id(name): disk for name in ("db-01", "db-02")},
    )
    return replace(known, **changes)


def both(disk: DiskSeen = WHOLE, **changes: Any) -> dict[str, OtherNode]:  # noqa: ANN401  # same
    return {host: other(host, disk, **changes) for host in ("compute-08", "compute-09")}


def facts(
    *servers: Server,
    others: dict[str, OtherNode] | None = None,
    node: dict[str, Any] | None = None,
    **changes: Any,  # noqa: ANN401  # fields of `Leaving`
) -> EvacuationFacts:
    """Return a dead node with these servers, whose disks the two other nodes see."""
    known = servers or (a_server(),)
    leaving = Leaving(
        node=a_node(
            *known, **{"service": a_service(is_up=False), "domains": UNREAD, **(node or {})}
        ),
        others=both() if others is None else others,
        records={each.id: () for each in known},
    )
    return EvacuationFacts(fence=dead(), leaving=replace(leaving, **changes), loss=LOSS)


def apart(seen: DiskSeen, launched: str | None = BUILT, **changes: Any) -> EvacuationFacts:  # noqa: ANN401  # same
    """Return that node, where one of the two others sees the disk of its server so."""
    others = {**both(NOWHERE), "compute-09": other("compute-09", seen)}
    return facts(a_server(launched=launched), others=others, **changes)


def touched(status: str, kind: str, **changes: Any) -> dict[str, tuple[Migration, ...]]:  # noqa: ANN401  # same
    """Return a record of a move to compute-09 that was not its last, and of its coming after."""
    known = record(status, target="compute-09", kind=kind, updated=MOVED)
    return recorded(replace(known, **changes))


def building(**target: Any) -> EvacuationFacts:  # noqa: ANN401  # fields of `OtherNode`
    """Return that node, and a record by which compute-09, of which this is so, builds a server."""
    going = record("pre-migrating", target="compute-09", kind="evacuation")
    return facts(
        a_server(task_state="rebuild_spawning"),
        others={**both(), "compute-09": other("compute-09", **target)},
        records={DB: (going,)},
    )


def remembering(*pasts: Past, **changes: Any) -> EvacuationFacts:  # noqa: ANN401  # same
    """Return that node, with what tells of its servers whether they ran."""
    known = facts(*(each.server for each in pasts), **changes)
    return replace(known, pasts=pasts)


def past(server: Server, *actions: tuple[str, str | None, str]) -> Past:
    """Return what Nova's action log tells of a server, the newest first."""
    return Past(
        server=server,
        actions=tuple(
            ServerAction(action=what, request_id=f"req-{what}", user=who, started=at)
            for what, who, at in actions
        ),
        log=UNREAD,
    )


def made(server: Server, *since: tuple[str, str | None, str]) -> Past:
    return past(server, *since, ("create", "eve", "2026-11-20T10:00:00"))


def record(
    status: str = "completed",
    target: str | None = "compute-08",
    **changes: Any,  # noqa: ANN401  # same
) -> Migration:
    known = Migration(
        id=7, uuid="u", server=DB, kind="live-migration", status=status, source=HOST, target=target,
        created=BUILT,
    )  # fmt: skip
    return replace(known, **changes)


def recorded(*records: Migration) -> dict[str, tuple[Migration, ...]]:
    return {DB: records}


def notified(status: str) -> tuple[HaNotification, ...]:
    return (HaNotification(id="n1", kind="COMPUTE_HOST", status=status),)


SECOND = replace(dead(), name="compute-08", host="compute-08")
LOCAL = facts(others=both(NOWHERE), last_seen={DB: SEEN})
BROKEN = replace(WHOLE, disks=(("disk", "/base is gone"),))
GUEST = Domain(server=DB, name="instance-1", state="paused")
WITH_GUEST = {**both(), "compute-09": other("compute-09", domains=(GUEST,))}
LOCKING = {**both(OPEN), "compute-09": other("compute-09", OPEN, domains=(GUEST,))}
UNENDED = {**both(), "compute-09": other("compute-09", domains=(GUEST,), may_end=UNREAD)}
RUNS = ComputeProcess(pid=41, unit="nova-compute.service")
CEPH_GUEST = Domain(
    server="x", name="i", state="running", disks=(Disk(device="vda", path="vms/x_disk"),)
)
IN_CEPH = {DB: replace(SEEN, paths=(f"vms/{DB}_disk",))}
CONTAINER = RunningAs(processes=(ComputeProcess(pid=1, container="docker 4f5e"),))
VOLUME = Volume(id="v1", backend="compute-07@lvm#x", attached=((DB, HOST),))
GONE = {"compute-08": other("compute-08", domains=UNREAD, disks=UNREAD, running_as=UNREAD)}

OFF = {
    "compute-08": replace(
        GONE["compute-08"], off=OffToo(fence=SECOND, whose=Whose.IDENTITY, run=None)
    )
}
MAY_LIVE = {"compute-08": replace(GONE["compute-08"], off=Unread("it is hung"))}

OWN_STOP = ("stop", "eve", "2026-11-22T03:05:00")
NOT_STARTED = ["not-started"]
# Each with what blocks it and what is warned of, without the subject.
NO_DEVICE = replace(facts(), fence=dead(device=None, signs=UNSWITCHED))
ANSWERING = replace(NO_DEVICE, fence=dead(device=None, signs=replace(UNSWITCHED, ping=Sign.YES)))
NOT_ALL = replace(NO_DEVICE, fence=dead(device=None, signs=replace(UNSWITCHED, ping=Sign.UNKNOWN)))
CALLED_UP = replace(
    NO_DEVICE, fence=dead(device=None, signs=replace(UNSWITCHED, heartbeat=Sign.YES))
)
AN_AGENT = replace(NO_DEVICE, fence=dead(device=None, signs=replace(UNSWITCHED, agent=Sign.YES)))
BY_WORD = asking(confirmed_off="INC-4711")
CASES: dict[str, tuple[EvacuationFacts, EvacuateRequest, list[str], list[str]]] = {
    "its disk is seen elsewhere": (facts(), ASKED, [], NOT_STARTED),
    "it has volumes only": (
        facts(a_server(has_image=False), others=both(NOWHERE)), ASKED, [], NOT_STARTED,
    ),
    "its disk is on this node alone": (LOCAL, ASKED, ["local-disk"], []),
    "the same, and it is given up": (
        LOCAL, asking(accept_data_loss=(DB,)), [], ["data-lost", *NOT_STARTED],
    ),
    "a disk is given up that is not lost": (
        facts(), asking(accept_data_loss=(DB,)), ["unneeded"], [],
    ),
    "a directory without a whole disk": (facts(others=both(BROKEN)), ASKED, ["disk-broken"], []),
    "a directory without any disk": (
        facts(others=both(replace(WHOLE, disks=()))), ASKED, ["disk-broken"], [],
    ),
    "a directory that nova may not write to": (
        facts(others=both(replace(WHOLE, is_writable=False))), ASKED, ["disk-broken"], [],
    ),
    "no flag helps against half a disk": (
        facts(others=both(BROKEN)), asking(accept_data_loss=(DB,)), ["disk-broken"], [],
    ),
    "nobody knows who may write there": (
        facts(others=both(replace(WHOLE, is_writable=None))), ASKED, ["disk-unread"], [],
    ),
    "what a target sees is not told": (
        facts(others=both(DiskSeen(unread="denied"))), ASKED, ["disk-unread"], [],
    ),
    "its disk is open, and its node is off": (
        facts(others=both(OPEN), is_off=True), ASKED, ["locked"], [],
    ),
    "its disk is open, and its node may have it": (
        facts(others=both(OPEN)), ASKED, [], NOT_STARTED,
    ),
    "its disk is on one of two, and nobody knows how old it is": (
        apart(WHOLE, launched=None), ASKED, ["disk-apart"], [],
    ),
    "an old copy of its disk is on one of two": (
        apart(COPY, launched=BUILT), ASKED, ["disk-apart"], [],
    ),
    "a disk that was written just as it came": (
        apart(replace(COPY, written=CAME + timedelta(seconds=60)), launched=BUILT),
        ASKED, ["disk-apart"], [],
    ),
    "a disk that was written since it came": (
        apart(replace(COPY, written=CAME + timedelta(seconds=61)), launched=BUILT),
        ASKED, [], NOT_STARTED,
    ),
    "a disk that was written before its last move": (
        apart(
            replace(COPY, written=CAME + timedelta(seconds=61)), launched=BUILT,
            records=recorded(record(target=HOST, source="compute-09", updated=MOVED)),
        ),
        ASKED, ["disk-apart"], [],
    ),
    "an old copy on two nodes that share nothing": (
        facts(others=both(COPY)), ASKED, ["disk-apart"], [],
    ),
    "storage that no other node is known to share, seen by one": (
        apart(OLD), ASKED, ["disk-apart"], [],
    ),
    "the storage where it was last seen, seen by one": (
        apart(OLD, last_seen={DB: LOOKED}), ASKED, [], NOT_STARTED,
    ),
    "the same storage, and another directory in it": (
        apart(
            replace(OLD, place=f"/compute-09/{DB}"),
            last_seen={DB: replace(LOOKED, places=(f"/{HOST}/{DB}/disk",))},
        ),
        ASKED, ["disk-apart"], [],
    ),
    "a look that did not see where in that storage": (
        apart(OLD, last_seen={DB: replace(LOOKED, places=())}), ASKED, ["disk-apart"], [],
    ),
    "the same directory of that storage at another path": (
        apart(replace(OLD, path=f"/srv/instances/{DB}"), last_seen={DB: LOOKED}),
        ASKED, [], NOT_STARTED,
    ),
    "two nodes share an old copy, and the dead one had its own disk": (
        facts(
            others=both(OLD), last_seen={DB: replace(LOOKED, storages=("ext4 /dev/sda2",))},
        ),
        ASKED, ["disk-apart"], [],
    ),
    "two nodes share what may be an old copy, and no look has seen the dead one's": (
        facts(others=both(OLD)), ASKED, ["disk-apart"], [],
    ),
    "a part of its disks was seen on that storage": (
        apart(
            OLD,
            last_seen={DB: replace(LOOKED, storages=(NFS, "ext4 /dev/sda2"))},
        ),
        ASKED, ["disk-apart"], [],
    ),
    "storage whose name says nothing of its server": (
        apart(
            replace(OLD, storage="ocfs2 /dev/sdb"),
            last_seen={DB: replace(LOOKED, storages=("ocfs2 /dev/sdb",))},
        ),
        ASKED, ["disk-apart"], [],
    ),
    "storage that each node has from itself": (
        apart(
            replace(OLD, storage="nfs4 localhost:/instances"),
            last_seen={DB: replace(LOOKED, storages=("nfs4 localhost:/instances",))},
        ),
        ASKED, ["disk-apart"], [],
    ),
    "a local disk of the same name": (
        apart(COPY, last_seen={DB: replace(SEEN, storages=("ext4 /dev/sda2",))}),
        ASKED, ["disk-apart"], [],
    ),
    "what may be an old copy is taken with its owner's word": (
        apart(COPY), asking(accept_data_loss=(DB,)), [], ["copy-taken", *NOT_STARTED],
    ),
    "Ceph on both sides": (
        facts(others=both(NOWHERE, domains=(CEPH_GUEST,)), last_seen=IN_CEPH),
        ASKED, [], NOT_STARTED,
    ),
    "Ceph there, and its own disk was not in it": (
        facts(others=both(NOWHERE, domains=(CEPH_GUEST,)), last_seen={DB: SEEN}),
        ASKED, ["disk-broken"], [],
    ),
    "was off: it stays": (facts(a_server("SHUTOFF")), ASKED, [], ["stays-off"]),
    "was off, and is asked for": (
        remembering(made(a_server("SHUTOFF"), OWN_STOP)), asking(with_stopped=True),
        [], ["boots-for-seconds"],
    ),
    "was off, is asked for, and nobody knows since when": (
        facts(a_server("SHUTOFF")), asking(with_stopped=True),
        [], ["boots-for-seconds", *NOT_STARTED],
    ),
    "left behind": (facts(), asking(leave=(DB,)), [], ["left-behind"]),
    "paused": (facts(a_server("PAUSED")), ASKED, ["memory-lost"], []),
    "suspended": (facts(a_server("SUSPENDED")), ASKED, ["memory-lost"], []),
    "rescued": (facts(a_server("RESCUE")), ASKED, ["memory-lost"], []),
    "rescued, and reset": (
        remembering(made(a_server("RESCUE"), ("rescue", "eve", "2026-11-21T00:00:00"))),
        asking(reset_state=(DB,)), [], ["reset"],
    ),
    "awaits the confirmation of a resize": (
        facts(a_server("VERIFY_RESIZE")), ASKED, ["resized"], [],
    ),
    "a reset helps no resize": (
        facts(a_server("VERIFY_RESIZE")), asking(reset_state=(DB,)), ["resized"], [],
    ),
    "of no known state": (facts(a_server("DREAMING")), ASKED, ["state"], []),
    "in ERROR": (facts(a_server("ERROR")), ASKED, ["in-error"], []),
    "in ERROR, and reset": (
        facts(a_server("ERROR")), asking(reset_state=(DB,)), [], ["reset", *NOT_STARTED],
    ),
    "Nova was at work on it": (facts(a_server(task_state="rebooting")), ASKED, ["task"], []),
    "the same, and it is reset": (
        facts(a_server(task_state="rebooting")), asking(reset_state=(DB,)),
        [], ["reset", *NOT_STARTED],
    ),
    "a reset that is not needed": (facts(), asking(reset_state=(DB,)), ["unneeded"], []),
    "is evacuated already": (
        facts(records=recorded(record("accepted", kind="evacuation"))), ASKED,
        ["rebuilding"], [],
    ),
    "no reset makes an accepted record safe": (
        facts(
            a_server(task_state="rebuilding"),
            records=recorded(record("accepted", kind="evacuation")),
        ),
        asking(reset_state=(DB,)), ["rebuilding"], [],
    ),
    "nor one whose order may come": (
        facts(
            a_server(task_state="rebuilding"),
            records=recorded(record("accepted", kind="evacuation")),
            orders={7: "1 message waits in RabbitMQ's queue `conductor`"},
        ),
        asking(reset_state=(DB,)), ["order-may-come"], [],
    ),
    "a reset passes over one whose order is lost": (
        facts(
            a_server(task_state="rebuilding"),
            records=recorded(record("accepted", kind="evacuation")),
            orders={7: None},
        ),
        asking(reset_state=(DB,)), [], ["order-lost", "reset", *NOT_STARTED],
    ),
    "no reset passes over one whose target is up": (
        building(), asking(reset_state=(DB,)), ["rebuilding"], [],
    ),
    "nor one whose target is called down while its nova-compute runs": (
        building(is_up=False, running_as=RunningAs(processes=(RUNS,))),
        asking(reset_state=(DB,)), ["rebuilding"], [],
    ),
    "nor one whose target is down and cannot be read": (
        building(is_up=False, domains=UNREAD, running_as=UNREAD, disks=UNREAD),
        asking(reset_state=(DB,)), ["rebuilding", "copy-unread"], [],
    ),
    "nor one whose target has its guest": (
        building(is_up=False, domains=(GUEST,)), asking(reset_state=(DB,)),
        ["rebuilding", "living-copy"], [],
    ),
    "a reset passes over one that nobody can carry out": (
        building(is_up=False), asking(reset_state=(DB,)), [],
        ["passed-over", "reset", *NOT_STARTED],
    ),
    "nor one whose guest there is to be ended while its target is up": (
        building(domains=(GUEST,)),
        asking(reset_state=(DB,), kill_domain=(f"compute-09/{DB}",)),
        ["rebuilding"], ["guest-ended"],
    ),
    "a reset passes over one whose guest is ended first": (
        building(is_up=False, domains=(GUEST,)),
        asking(reset_state=(DB,), kill_domain=(f"compute-09/{DB}",)),
        [], ["passed-over", "reset", "guest-ended", *NOT_STARTED],
    ),
    "a guest of it is elsewhere": (
        facts(others={**both(), "compute-09": other("compute-09", domains=(GUEST,))}), ASKED,
        ["living-copy"], [],
    ),
    "that guest is ended first": (
        facts(others=WITH_GUEST), asking(kill_domain=(f"compute-09/{DB}",)),
        [], ["guest-ended", *NOT_STARTED],
    ),
    "it holds the lock of its disk until then": (
        facts(others=LOCKING, is_off=True),
        asking(kill_domain=(f"compute-09/{DB}",)), [], ["guest-ended", *NOT_STARTED],
    ),
    "a guest that this login may not end": (
        facts(others=UNENDED),
        asking(kill_domain=(f"compute-09/{DB}",)), ["may-not-end"], [],
    ),
    "a guest that is not there is to be ended": (
        facts(others=WITH_GUEST), asking(kill_domain=(f"compute-08/{DB}",)),
        ["no-such-guest", "living-copy"], [],
    ),
    "a record names a node that cannot be read": (
        facts(others={**both(), **GONE}, records=recorded(record())), ASKED, ["copy-unread"], [],
    ),
    "a record names a node that has no power either": (
        facts(others={**both(), **OFF}, records=recorded(record())),
        ASKED, [], ["off-too", *NOT_STARTED],
    ),
    "a record names a node of which that is not proved": (
        facts(others={**both(), **MAY_LIVE}, records=recorded(record())),
        ASKED, ["copy-unread"], [],
    ),
    "a record names a node that is no more": (
        facts(records=recorded(record(target="compute-99"))), ASKED, ["copy-unread"], [],
    ),
    "a record from before it came here": (
        facts(
            others={**both(), **GONE},
            records=recorded(record(target=HOST, source="compute-08"), record()),
        ),
        ASKED, [], NOT_STARTED,
    ),
    "a TPM": (facts(a_server(image_properties=(("hw_tpm_version", "2.0"),))), ASKED, ["tpm"], []),
    "the cinder-volume of its volume was there": (
        facts(a_server(volume_ids=("v1",), volumes=(VOLUME,))), ASKED, ["volume-service"], [],
    ),
    "a binding was left behind": (
        facts(a_server(ports=(a_port(left_on=("compute-08",)),))), ASKED, ["left-binding"], [],
    ),
    "nova-compute of all targets is a container": (
        facts(others=both(running_as=CONTAINER)), ASKED, ["no-target"], [],
    ),
    "no target can be read": (
        facts(others=both(domains=UNREAD)), ASKED, ["no-target"], [],
    ),
    "all of its group were there": (
        facts(a_server(group=a_group("affinity"))), ASKED, ["affinity"], [],
    ),
    "no room": (facts(node={"candidates": ()}), ASKED, ["no-room"], []),
    "to a node that is not offered": (facts(), asking(target="compute-99"), ["not-on-target"], []),
    "a flag names another server": (
        facts(), asking(only=("nobody",)), ["not-here"], ["left-behind"],
    ),
    "it is known to have run": (remembering(made(a_server())), ASKED, [], []),
    "its owner has stopped it since": (remembering(made(a_server(), OWN_STOP)), ASKED, [], []),
    "the operator says that it ran": (facts(), asking(start=(DB,)), [], []),
    "the operator says that it was off": (facts(), asking(leave_off=(DB,)), [], []),
    "both are said": (facts(), asking(start=(DB,), leave_off=(DB,)), ["both-ways"], []),
    "a start is asked for of one that stays": (
        facts(), asking(start=(DB,), leave=(DB,)), ["unneeded"], ["left-behind"],
    ),
    "it is of no tier that is set": (
        remembering(made(a_server(flavor=a_flavor(stackward__tier="gold")))),
        ASKED, [], ["unknown-tier"],
    ),
    "an older Nova": (facts(is_stopping=False), ASKED, ["too-old"], NOT_STARTED),
    "instance HA cannot be read": (facts(ha=UNREAD), ASKED, ["ha-unread"], NOT_STARTED),
    "instance HA acts": (facts(ha=notified("running")), ASKED, ["ha-acts"], NOT_STARTED),
    "instance HA has failed": (facts(ha=notified("error")), ASKED, ["ha-acts"], NOT_STARTED),
    "instance HA has ignored it": (facts(ha=notified("ignored")), ASKED, [], NOT_STARTED),
    "no device switches it": (NO_DEVICE, ASKED, ["no-device"], NOT_STARTED),
    "no device switches it, and a person says that it is off": (
        NO_DEVICE, BY_WORD, [], ["by-word", *NOT_STARTED],
    ),
    "the same, and it answers ping": (ANSWERING, BY_WORD, ["not-silent"], NOT_STARTED),
    "the same, and nobody called it": (NOT_ALL, BY_WORD, ["not-silent"], NOT_STARTED),
    "the same, and Nova calls it up": (CALLED_UP, BY_WORD, ["not-silent"], NOT_STARTED),
    "the same, and an agent of it is alive": (AN_AGENT, BY_WORD, ["not-silent"], NOT_STARTED),
    "the same, and its guests are counted": (
        NO_DEVICE, asking(confirmed_off="INC-4711", kill_guests=2), ["unneeded"],
        ["by-word", *NOT_STARTED],
    ),
    "others have disabled it": (
        facts(node={"service": a_service(is_up=False, is_enabled=False, disabled_reason="mine")}),
        ASKED, ["claimed"], NOT_STARTED,
    ),
}  # fmt: skip


def own_of(plan: Plan[World]) -> tuple[list[str], list[str]]:
    return (
        [each.worry.rpartition("/")[2] for each in plan.blockers],
        [each.worry.rpartition("/")[2] for each in plan.warnings],
    )


@pytest.mark.parametrize("name", CASES)
def test_what_stands_against_an_evacuation_and_what_is_warned_of(name: str) -> None:
    known, asked, blockers, warnings = CASES[name]

    assert own_of(plan_evacuation(known, asked)) == (blockers, warnings)


def test_each_rule_is_met_by_a_case() -> None:
    named = {each.name for each in vars(rules).values() if isinstance(each, Rule)}
    own = {each.removeprefix("evacuate/") for each in named}

    met = {one for _, _, *found in CASES.values() for some in found for one in some}

    # The first four are of a run that is under way, the last of one that is over.
    assert own - met == {"power-again", "taken-back", "lives", "target-gone", "no-undo"}


def test_no_verdict_has_a_word_that_was_not_filled_in() -> None:
    plans = [plan_evacuation(known, asked) for known, asked, *_ in CASES.values()]
    said: list[Blocked | Warned] = [each for plan in plans for each in plan.blockers]
    said += [each for plan in plans for each in plan.warnings]

    assert [each for each in said if re.search(r"[{}]", each.reason + each.remedy)] == []


def test_a_living_node_is_refused() -> None:
    known = replace(facts(), fence=living())

    assert own_of(plan_evacuation(known, ASKED))[0] == ["alive"]


def test_nothing_is_evacuated_before_the_node_is_proved_dead_and_called_down() -> None:
    plan = plan_evacuation(facts(), ASKED)

    assert [stage.name for stage in plan.stages] == ["claim", "fence", "force down", "evacuate"]
    assert [step.kind for _, move in plan.moves() for step in move.steps] == [
        "cordon",
        "power-off",
        "force-down",
        "evacuate",
    ]
    assert [each.kind for each in plan.stages[2].needs] == [
        "is-powered-off",
        "is-its-device",
        "no-sign-of-life",
    ]
    assert plan.holds == (HOST,)


def test_instance_ha_is_told_after_the_claim_and_before_the_fence() -> None:
    entry = HaHost(id="entry", segment="segment", host=HOST)
    plan = plan_evacuation(facts(node={"ha_hosts": (entry,)}), ASKED)

    assert [stage.name for stage in plan.stages][:3] == ["claim", "instance HA off", "fence"]


def test_what_was_off_comes_last() -> None:
    servers = (a_server("SHUTOFF"), a_server(name="db-02"))
    plan = plan_evacuation(facts(*servers), asking(with_stopped=True))

    moved = {stage.name: [move.thing for move in stage.moves] for stage in plan.stages[-2:]}
    assert moved == {"evacuate": ["db-02"], "stopped": ["db-01"]}


def test_a_server_goes_where_its_disk_is_seen() -> None:
    others = {"compute-08": other("compute-08", NOWHERE), "compute-09": other("compute-09")}
    plan = plan_evacuation(facts(others=others), ASKED)

    [move] = plan.stages[-1].moves
    assert (move.expects["target"], move.how) == ("compute-09", Promised.OWN.value)


def test_a_claim_of_a_run_that_is_over_gives_way() -> None:
    node = replace(claimed(a_server()), claiming_run=RunState.SUCCEEDED, domains=UNREAD)
    known = facts()
    plan = plan_evacuation(replace(known, leaving=replace(known.leaving, node=node)), ASKED)

    [cordon] = plan.stages[0].moves[0].steps
    assert (own_of(plan)[0], getattr(cordon, "replaces", None)) == ([], CLAIM.run)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("error", "live-migration"),
        ("failed", "live-migration"),
        ("cancelled", "live-migration"),
        ("reverted", "resize"),
        ("error", "migration"),
        ("failed", "evacuation"),
        ("no such status", "no such kind"),
    ],
)
def test_a_half_copied_disk_that_a_move_has_left_is_not_taken(status: str, kind: str) -> None:
    records = touched(status, kind)
    left = replace(COPY, written=AT_MOVED + timedelta(seconds=60))
    copied = replace(COPY, written=AT_MOVED + timedelta(seconds=61))

    refused, taken = (plan_evacuation(apart(one, records=records), ASKED) for one in (left, copied))

    assert own_of(refused)[0] == ["disk-apart"]
    assert own_of(taken)[0] == []


@pytest.mark.parametrize("said", [{"updated": None, "created": ""}, {"updated": "yesterday"}])
def test_a_disk_is_not_taken_if_nobody_knows_when_a_move_there_ended(said: dict[str, Any]) -> None:
    known = apart(COPY, records=touched("error", "live-migration", **said))
    plan = plan_evacuation(known, ASKED)

    assert own_of(plan)[0] == ["disk-apart"]
    assert "its record 7 (live-migration, error)" in plan.blockers[0].reason


def test_what_a_move_of_long_ago_has_left_is_not_taken_however_many_came_since() -> None:
    since = tuple(record("error", target="compute-08", id=99 - n, updated=MOVED) for n in range(20))
    old = touched("error", "live-migration")[DB]
    left = replace(COPY, written=AT_MOVED)

    assert own_of(plan_evacuation(apart(left, records=recorded(*since, *old)), ASKED))[0] == [
        "disk-apart"
    ]


def test_an_old_copy_is_not_taken_where_the_end_of_the_move_away_is_lost() -> None:
    """The server is on the dead node, and the record of its coming there does not say so."""
    coming = touched("error", "live-migration", source="compute-09", target=HOST)
    left = replace(COPY, written=AT_MOVED)

    assert own_of(plan_evacuation(apart(left, records=coming), ASKED))[0] == ["disk-apart"]


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.RUNNING])
def test_a_claim_of_a_run_that_may_go_on_does_not(state: RunState) -> None:
    node = replace(claimed(a_server()), claiming_run=state, domains=UNREAD)
    known = facts()
    plan = plan_evacuation(replace(known, leaving=replace(known.leaving, node=node)), ASKED)

    assert own_of(plan)[0] == ["run-goes-on" if state is RunState.RUNNING else "run-unfinished"]


def test_two_are_not_put_where_there_is_room_for_one() -> None:
    one = a_candidate("compute-08", ram_mib=2048)
    servers = (a_server(), a_server(name="db-02"))
    known = facts(*servers, node={"candidates": (one,)})

    assert own_of(plan_evacuation(known, ASKED))[0] == ["no-room"]


def test_a_plan_that_was_stored_before_servers_were_set_aside_is_carried_out_as_approved() -> None:
    fresh = plan_evacuation(facts(), ASKED)
    stored = to_mapping(fresh)
    for stage in stored["stages"]:
        del stage["sets_aside"]
    approved = from_mapping(stored, KINDS)

    assert differences(approved, fresh).against == ()
    assert not any(stage.sets_aside for stage in approved.stages)
    assert to_mapping(approved) == stored


def started(plan: Plan[World]) -> dict[str, list[str]]:
    """Return who is started in each wave, in order."""
    return {
        stage.name: [move.thing for move in stage.moves]
        for stage in plan.stages
        if stage.moves and stage.moves[0].how == "start"
    }


def test_what_ran_is_started_in_waves_once_all_are_evacuated() -> None:
    database, web = (a_flavor(stackward__tier=each) for each in ("database", "web"))
    pasts = [
        made(a_server(name="web-01", flavor=web)),
        made(a_server(name="db-02", flavor=database, metadata=(("stackward:priority", "2"),))),
        made(a_server(name="db-01", flavor=database, metadata=(("stackward:priority", "1"),))),
        made(a_server(name="own-01")),
    ]
    sees_all = {an_id(each.server.name): WHOLE for each in pasts}
    known = remembering(*pasts, others=both(disks=sees_all))
    plan = plan_evacuation(known, asking(tiers=("database", "web"), starts_at_once=3))

    assert started(plan) == {
        "tier database, priority 1": ["db-01"],
        "tier database, priority 2": ["db-02"],
        "tier web, priority none": ["web-01"],
        "tier none, priority none": ["own-01"],
    }
    names = [stage.name for stage in plan.stages]
    assert names.index("evacuate") < names.index("tier database, priority 1")
    assert {stage.at_once for stage in plan.stages if stage.name.startswith("tier")} == {3}
    [proof] = [each for each in plan.verify if each.kind == "run-elsewhere"]
    assert proof == RunElsewhere(servers=tuple(sorted(sees_all)), but_for=HOST)


def test_a_guest_is_ended_once_its_node_is_dead_and_before_anything_is_built() -> None:
    plan = plan_evacuation(facts(others=WITH_GUEST), asking(kill_domain=(f"compute-09/{DB}",)))

    names = [stage.name for stage in plan.stages]
    assert names[names.index("force down") :] == ["force down", "kill domain", "evacuate"]
    [end] = (step for _, move in plan.moves() for step in move.steps if step.kind == "kill-domain")
    assert end.summary == "end the guest of `db-01` on `compute-09`: power cut; the disk stays"


def test_a_guest_that_an_evacuation_left_is_ended_before_the_state_is_reset() -> None:
    asked = asking(reset_state=(DB,), kill_domain=(f"compute-09/{DB}",))

    plan = plan_evacuation(building(is_up=False, domains=(GUEST,)), asked)

    names = [stage.name for stage in plan.stages]
    assert names[names.index("force down") :] == ["force down", "kill domain", "reset", "evacuate"]
    [passed] = [each.reason for each in plan.warnings if each.worry == "evacuate/passed-over"]
    assert passed.endswith("no nova-compute runs there, and its guest there is ended first")


def test_a_record_without_a_target_says_so() -> None:
    known = facts(records=recorded(record("accepted", kind="evacuation", target=None)))

    [going] = plan_evacuation(known, ASKED).blockers

    assert "(record 7, accepted, to a node that Nova chooses)" in going.reason


def test_what_brings_it_up_waits_for_all_nodes_that_must_have_no_power() -> None:
    known = remembering(made(a_server()), others={**both(), **OFF}, records=recorded(record()))

    plan = plan_evacuation(known, ASKED)

    [to], [start] = (move.steps for _, move in plan.moves() if move.thing_id == DB)
    assert isinstance(to, Evacuate)
    assert isinstance(start, StartEvacuated)
    assert to.target == "compute-09"
    assert to.also_off == start.also_off == (("compute-08", "compute-08"),)
    asked = [check for stage in plan.stages for check in stage.needs]
    assert [each.kind for each in asked if getattr(each, "node", "") == "compute-08"] == [
        "is-powered-off", "is-its-device", "no-sign-of-life",
    ] * 2  # fmt: skip


def test_each_is_started_where_it_was_evacuated_to() -> None:
    plan = plan_evacuation(remembering(made(a_server())), ASKED)

    [to], [start] = (move.steps for _, move in plan.moves() if move.thing_id == DB)
    assert isinstance(to, Evacuate)
    assert isinstance(start, StartEvacuated)
    assert (start.target, start.known) == (to.target, ("req-create",))


@pytest.mark.parametrize("action", ["stop", "pause", "suspend", "rescue", "shelve"])
@pytest.mark.parametrize("at", ["2026-11-21T00:00:00", "2026-11-22T03:05:00"])
def test_what_its_owner_has_stopped_stays_off(action: str, at: str) -> None:
    known = made(a_server(), (action, "eve", at))
    plan = plan_evacuation(remembering(known), ASKED)

    assert started(plan) == {}
    assert any("left off there" in each and action in each for each in plan.notices)


def test_a_plan_whose_server_was_stopped_since_is_stale_in_no_other_way() -> None:
    """The start falls away: nobody has approved less than what is done."""
    approved = plan_evacuation(remembering(made(a_server())), ASKED)
    fresh = plan_evacuation(remembering(made(a_server(), OWN_STOP)), ASKED)

    found = differences(approved, fresh)
    assert found.against == ()
    assert found.gone == {("tier none, priority none", DB)}
