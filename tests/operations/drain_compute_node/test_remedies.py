"""What a verdict on a drain advises settles it: every rule that a drain can raise."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from builders import (
    NOW,
    a_candidate,
    a_domain,
    a_flavor,
    a_group,
    a_node,
    a_port,
    a_server,
    a_service,
    agreed,
    an_id,
    asking,
    claimed,
    how_of,
    kept_off,
    projects,
    wishing,
)
from operations.return_compute_node.test_after_evacuation import one_open
from raising import raised_by, verdicts_of
from stackward.model.aggregate import Aggregate
from stackward.model.compute_process import RunningAs
from stackward.model.migration import Migration
from stackward.model.node import ComputeNode
from stackward.model.placement import Candidate
from stackward.model.run import RunState
from stackward.model.server import Server
from stackward.model.stalled_move import Guest, StalledMove
from stackward.model.unread import Hindrance, Unread
from stackward.model.volume import Volume
from stackward.model.wish import WISH
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.operations.drain_compute_node.rules import judge_again
from stackward.operations.return_compute_node.undo import ReturnRecord, drain_again
from stackward.plan import Blocked
from stackward.requests.undo_run import UndoRequest

DB = an_id("db-01")
GPU = a_flavor(pci_passthrough__alias="gpu:1")
VGPU = a_flavor(resources__VGPU="1")
HUGE = a_flavor(ram_mib=10**6)
WELL = a_node(a_server())
WAY = "see how far ssh comes: `ssh -v ops@192.0.2.7 true`"
NO_ROUTE = Unread("no route to host", Hindrance.WAY, WAY)
LEAVE = {"leave_behind": (DB,)}
STOP = {"allow_downtime": True}
STOP_SLOW = {"when_slow": "stop-server"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A blocker, and the world or the request once its remedy was followed."""

    before: ComputeNode
    advice: str  # a part of the remedy
    after: ComputeNode | None = None  # None: the same
    asked: dict[str, Any] = field(default_factory=dict)
    asks_then: dict[str, Any] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)  # what blocks for the same reason


def with_server(advice: str, then: dict[str, Any], **changes: Any) -> Case:  # noqa: ANN401  # any field
    """Return the case of a server that is so; what is asked for then helps."""
    status = changes.pop("status", "ACTIVE")
    return Case(before=a_node(a_server(status, **changes)), advice=advice, asks_then=then)


def a_migration(**changes: Any) -> Migration:  # noqa: ANN401  # any field
    migration = Migration(
        id=7,
        uuid=an_id("migration"),
        server=DB,
        kind="live-migration",
        status="running",
        source="compute-07",
        target="compute-08",
    )
    return replace(migration, **changes)


def lost(server: Server, migration: Migration | None) -> dict[str, StalledMove]:
    """Return a move in which nothing has happened for long, and libvirt has no job for it."""
    guests = (Guest(node="compute-07", state="running"),)
    move = StalledMove(
        server=server, source="compute-07", migration=migration, quiet_s=1e4, guests=guests
    )
    return {server.id: move}


def in_zone(candidates: tuple[Candidate, ...]) -> ComputeNode:
    hosts = ("compute-07", *(each.name for each in candidates))
    zone = Aggregate(
        uuid=an_id("zone"), name="z", hosts=hosts, metadata=(("availability_zone", "z"),)
    )
    return a_node(a_server(pinned_zone="z"), candidates=candidates, aggregates=(zone,))


def of_two_sizes() -> ComputeNode:
    """Return a node whose small server may go to `compute-08`, and whose big one may not."""
    node = a_node(a_server(name="web-1"), a_server(flavor=HUGE))
    rooms = {
        node.needs[an_id("web-1")]: (a_candidate(),),
        node.needs[DB]: (a_candidate("compute-09", ram_mib=10**7),),
    }
    return replace(node, candidates=rooms)


def in_aggregate(project: str) -> ComputeNode:
    """Return a node beside which there is one that an aggregate keeps for a project."""
    kept = Aggregate(
        uuid=an_id("kept"),
        name="kept",
        hosts=("compute-08",),
        metadata=(("filter_tenant_id", project),),
    )
    return a_node(a_server(), candidates=(a_candidate(),), aggregates=(kept,))


def with_volume(**changes: Any) -> ComputeNode:  # noqa: ANN401  # any field
    """Return a node whose server has a volume that is at rest, but for what is told."""
    volume = replace(Volume(id="v", attached=((DB, "compute-07"),)), **changes)
    return a_node(a_server(volume_ids=("v",), volumes=(volume,)))


def asked_cpu(*traits: str) -> ComputeNode:
    """Return a node beside which there is one with these traits of its CPU."""
    return a_node(a_server(), candidates=(a_candidate(traits=frozenset(traits)),))


STUCK = a_server(task_state="migrating")

AT_HOME = one_open(lives_on="compute-07")
FOLLOWED = {
    # the node
    "node-down": Case(
        before=replace(WELL, service=a_service(is_up=False)), advice="repair nova-compute",
        after=WELL,
    ),
    "node-dead": Case(
        before=replace(WELL, service=a_service(is_up=False), domains=NO_ROUTE),
        advice=f"{WAY}; if it is dead, fence it", after=WELL,
    ),
    "forced-down": Case(
        before=replace(WELL, service=a_service(is_up=False, is_forced_down=True)),
        advice="service set --up", after=WELL,
    ),
    "evacuation/lives-on-source": Case(
        before=replace(WELL, servers=(a_server(name="db-01"),), evacuations=(AT_HOME,)),
        asked={"leave_behind": (an_id("db-01"),)}, advice="moves the server off",
        after=WELL,
    ),
    "claimed": Case(
        before=replace(WELL, service=a_service(is_enabled=False, disabled_reason="4711")),
        advice="service set --enable", after=WELL,
    ),
    "run-unfinished": Case(
        before=claimed(a_server(), claiming_run=RunState.STOPPED), advice="run resume 01J8",
        after=claimed(claiming_run=RunState.SUCCEEDED),
    ),
    "run-goes-on": Case(
        before=claimed(a_server(), claiming_run=RunState.RUNNING), advice="run watch 01J8",
        after=claimed(claiming_run=RunState.SUCCEEDED),
    ),
    "drain/left-undone: by a run of another journal": Case(
        before=claimed(), advice="then `stackward node return compute-07 --run 01J8`, then drain",
        after=WELL,
    ),
    "drain/left-undone: servers, and nova-compute is kept off": Case(
        before=kept_off(a_server(), claiming_run=RunState.CANCELLED),
        advice="`stackward node return compute-07` starts it; then drain", after=WELL,
    ),
    "drain/left-undone: placement does not know, and nova-compute is kept off": Case(
        before=kept_off(claiming_run=RunState.CANCELLED, provider=WELL.provider),
        advice="`stackward node return compute-07` starts it; then drain", after=WELL,
    ),
    "drain/left-undone: it cannot be read": Case(
        before=kept_off(claiming_run=RunState.CANCELLED, is_kept_off=NO_ROUTE), advice=WAY,
        after=kept_off(claiming_run=RunState.CANCELLED),
    ),
    "drain/left-undone: its processes are hidden": Case(
        before=kept_off(claiming_run=RunState.CANCELLED, is_kept_off=Unread("`hidepid`")),
        advice="pass `--keep-service`", asks_then={"keep_service": True},
    ),
    "came-back": Case(
        before=claimed(a_server(), claiming_run=RunState.SUCCEEDED),
        advice="node return compute-07", after=WELL,
    ),
    "domains-unread": Case(
        before=replace(WELL, domains=Unread("`virsh list` says: no such file")),
        advice="see there why libvirt does not answer", after=WELL,
    ),
    "domains-unreached": Case(
        before=replace(WELL, domains=NO_ROUTE), advice=WAY, after=WELL,
    ),
    "virsh-missing": Case(
        before=replace(WELL, domains=Unread("no `virsh`", Hindrance.LACKING)),
        advice="the package `libvirt-clients`", after=WELL,
    ),
    "stray-domain": Case(
        before=replace(WELL, domains=(a_domain(a_server()), a_domain(a_server(name="stray")))),
        advice="shut it down only if Nova", after=WELL,
    ),
    "incoming-migration": Case(
        before=a_node(a_server(), migrations=(
            a_migration(source="compute-08", target="compute-07", server=an_id("x")),
        )),
        advice="wait until it has ended", after=WELL,
    ),
    "stuck-migration": Case(
        before=a_node(a_server(), migrations=(a_migration(),)), advice="plan again in five minutes",
        after=a_node(
            a_server(), migrations=(a_migration(),), stalled_moves=lost(a_server(), a_migration())
        ),
    ),
    "stuck": Case(
        before=a_node(STUCK, stalled_moves=lost(STUCK, None)),
        advice="restart nova-compute on `compute-07`", after=WELL,
    ),
    "awaits-confirmation": Case(
        before=a_node(resizing_away=(
            (a_server("VERIFY_RESIZE", host="compute-08"), a_migration(status="finished")),
        )),
        advice="resize confirm", after=a_node(),
    ),
    "unknown-left-behind": Case(
        before=WELL, asked={"leave_behind": ("nonsense",)}, advice="leave the flag out",
    ),
    "unknown-target": Case(
        before=a_node(a_server()), asked={"target": "nonsense"}, advice="leave the flag out",
        others=["not-on-target"],
    ),
    "no-server-of-project": Case(
        before=WELL, asked={"projects": projects("demo", "typo")},
        advice="only projects that have servers here", asks_then={"projects": projects("demo")},
    ),
    "unknown-consent": Case(
        before=WELL, asked=agreed(), advice="leave the flag out",
    ),
    "not-a-unit": Case(
        before=a_node(a_server(), running_as=RunningAs(unit_load="not-found")),
        advice="pass `--keep-service`", asks_then={"keep_service": True},
    ),
    # what its owner wishes
    "wish-ask": Case(
        before=a_node(wishing("ask")), advice=f"--consent {DB}=REFERENCE", asks_then=agreed()
    ),
    "wish-leave": Case(
        before=a_node(wishing("leave")), advice=f"--consent {DB}=REFERENCE", asks_then=agreed()
    ),
    "wish-live": Case(
        before=a_node(wishing("live", flavor=GPU)), advice=f"{WISH}=cold {DB}",
        after=a_node(wishing("cold", flavor=GPU)),
    ),
    "wish-unknown": Case(
        before=a_node(wishing("Live")), advice=f"{WISH}=ask {DB}",
        after=a_node(wishing("ask")), asks_then=agreed(),
    ),
    # a server's state
    "busy": Case(
        before=a_node(a_server(task_state="resize_prep")), advice="wait until it is done",
        after=WELL,
    ),
    "in-error": Case(before=a_node(a_server("ERROR")), advice="repair it", after=WELL),
    "rescued": Case(before=a_node(a_server("RESCUE")), advice="unrescue", after=WELL),
    "suspended": Case(before=a_node(a_server("SUSPENDED")), advice="server resume", after=WELL),
    "shelved": Case(
        before=a_node(a_server("SHELVED")), advice="nova shelve-offload", after=a_node()
    ),
    "building": Case(before=a_node(a_server("BUILD")), advice="until it is ACTIVE", after=WELL),
    "verify-resize": Case(
        before=a_node(a_server("VERIFY_RESIZE")), advice="resize confirm", after=WELL
    ),
    "soft-deleted": Case(
        before=a_node(a_server("SOFT_DELETED")), advice="delete --force", after=a_node()
    ),
    "unknown-status": Case(
        before=a_node(a_server("TELEPORTED")), advice="bring it to ACTIVE", after=WELL
    ),
    "states-disagree": Case(
        before=a_node(a_server(power_state=4)), advice="reboot --hard", after=WELL
    ),
    "no-domain": Case(before=replace(WELL, domains=()), advice="reboot --hard", after=WELL),
    "guest-elsewhere": Case(
        before=replace(
            WELL, domains=(), guest_locations={DB: (Guest(node="compute-08", state="running"),)}
        ),
        advice="`virsh shutdown", after=WELL,
    ),
    "guest-unseen": Case(
        before=replace(WELL, domains=(), guest_locations={DB: NO_ROUTE}),
        advice=WAY, after=WELL,
    ),
    "domain-disagrees": Case(
        before=replace(WELL, domains=(a_domain(a_server(), state="shut off"),)),
        advice="reboot --hard", after=WELL,
    ),
    # what it holds
    "holds-pci": with_server("--allow-downtime", STOP, flavor=GPU),
    "has-tpm": with_server("--allow-downtime", STOP, flavor=a_flavor(hw__tpm_version="2.0")),
    "encrypted-memory": with_server(
        "--allow-downtime", STOP, flavor=a_flavor(hw__mem_encryption="true")
    ),
    "has-vgpu": Case(
        before=replace(
            a_node(a_server(flavor=VGPU)),
            hypervisor=replace(WELL.hypervisor, version=7_002_000),
        ),
        advice="--allow-downtime", asks_then=STOP,
    ),
    "no-such-cpu": Case(
        before=asked_cpu("HW_CPU_X86_SSE2"), advice="--allow-downtime", asks_then=STOP
    ),
    "paused-and-bound": Case(
        before=a_node(a_server("PAUSED", flavor=GPU)), advice="server unpause",
        after=a_node(a_server(flavor=GPU)), asks_then=STOP,
    ),
    "has-accelerator": with_server(
        f"--leave-behind {DB}", LEAVE, flavor=a_flavor(accel__device_profile="fpga")
    ),
    "unknown-port": Case(
        before=a_node(a_server(ports=(a_port(vnic_type="quantum"),))), advice="remove port",
        after=a_node(a_server(ports=())),
    ),
    "port-elsewhere": Case(
        before=a_node(a_server(ports=(a_port(host="compute-01"),))),
        advice="port set --host compute-07", after=WELL,
    ),
    "volume-busy": Case(
        before=with_volume(status="detaching"), advice="wait 3 minutes",
        after=with_volume(),
    ),
    "volume-migrates": Case(
        before=with_volume(migration_status="migrating"), advice="`migration_status` is `success`",
        after=with_volume(migration_status="success"),
    ),
    "volume-apart": Case(
        before=with_volume(status="available", attached=()),
        advice="nova-manage volume_attachment refresh", after=with_volume(),
    ),
    "volume-in-error": Case(
        before=with_volume(status="error_detaching"), advice="volume set --state in-use v",
        after=with_volume(),
    ),
    "cell-down": Case(
        before=a_node(a_server("UNKNOWN", vm_state="UNKNOWN")), advice="repair that cell",
        after=WELL
    ),
    "group-unknown": Case(
        before=a_node(
            a_server(group=replace(a_group("affinity", "compute-08"), unknown=("x",)))
        ),
        advice="repair the cell",
        after=a_node(a_server(group=a_group("affinity", "compute-08"))),
    ),
    "no-volume-service": Case(
        before=a_node(
            a_server(volume_ids=("v",), volumes_unread="the catalog has no volume service")
        ),
        advice="scoped to a project", after=with_volume(),
    ),
    "volume-gone": Case(
        before=a_node(a_server(volume_ids=("v",))), advice="remove volume", after=WELL
    ),
    # where it may go
    "affinity": with_server(f"--leave-behind {DB}", LEAVE, group=a_group("affinity")),
    "anti-affinity": Case(
        before=a_node(
            a_server(group=a_group("anti-affinity", "compute-08")), candidates=(a_candidate(),)
        ),
        advice="bring another node", after=a_node(
            a_server(group=a_group("anti-affinity", "compute-08"))
        ),
    ),
    "zone": Case(
        before=in_zone(()), advice="bring another node of that zone",
        after=in_zone((a_candidate("compute-09"),)),
    ),
    "aggregate": Case(
        before=in_aggregate("another"), advice="change the aggregate", after=in_aggregate("demo")
    ),
    "cpu-policy": Case(
        before=a_node(
            a_server(
                flavor=a_flavor(hw__cpu_policy="shared"),
                image_properties=(("hw_cpu_policy", "dedicated"),),
            )
        ),
        advice="resize it to a flavor that agrees", after=WELL,
    ),
    "not-on-target": Case(
        before=of_two_sizes(), advice="leave `--target` out", asked={"target": "compute-08"},
    ),
    "no-room": Case(
        before=a_node(a_server(), candidates=()), advice="bring another node into service",
        after=WELL,
    ),
}  # fmt: skip

# What the run itself asks just before a move: the request, and how the server is by then.
FOLLOWED_AGAIN: dict[str, tuple[dict[str, Any], dict[str, Any], ComputeNode]] = {
    "changed": ({}, {}, a_node(a_server("SHUTOFF"))),
    "binding-left": ({}, {}, a_node(a_server(ports=(a_port(left_on=("compute-09",)),)))),
    "not-to-move": ({}, LEAVE, WELL),
    "stops-no-more": (STOP_SLOW, STOP_SLOW, a_node(wishing("live"))),
}

FOLLOWED_WARNINGS = {
    "identity-remembered": Case(
        before=replace(WELL, identified_at=NOW), advice="its address in Nova (`host_ip`)",
        after=WELL,
    ),
    "instance-ha": Case(
        before=replace(WELL, ha_hosts=Unread("503")), advice="segment host update", after=WELL,
    ),
    "keeping-off-unseen": Case(
        before=replace(WELL, running_as=Unread("`hidepid`")), advice="pass `--keep-service`",
        asks_then={"keep_service": True},
    ),
    "no-allocation": Case(
        before=replace(WELL, provider=replace(WELL.provider, allocations={})),
        advice="placement heal_allocations", after=WELL,
    ),
}  # fmt: skip

AS_ASKED = "it says what was asked for, and has no remedy"
PASSES = "it says what a move does, and has no remedy"
AGREE = "it asks people to agree: nothing of a cloud changes by it"
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"
NOT_FOLLOWED = {
    **dict.fromkeys(["left-behind", "only-projects", "project-gone", "consented"], AS_ASKED),
    **dict.fromkeys(["stops", "stops-when-slow", "wish-cold"], AS_ASKED),
    **dict.fromkeys(["left-binding", "disk-copied", "disk-unknown", "stale-record"], PASSES),
    "zone-unknown": PASSES,
    "locked": AGREE,
    "port-leaves": "what a guest can do without is not among the facts",
    "has-role": "what else the machine does is not moved by a plan",
    "foreign-allocation": "it asks for two looks some minutes apart, which change nothing",
    "capabilities-unseen": "it asks for a comparison of nodes by eye, which changes nothing",
    "may-find-no-host": "whether Nova asks for that rule is not to be seen from here",
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_removes_a_blocker(name: str) -> None:
    case = FOLLOWED[name]
    after = case.before if case.after is None else case.after

    blocker, *others = plan_drain(case.before, asking(**case.asked)).blockers
    then = plan_drain(after, asking(**case.asks_then)).blockers

    assert (blocker.worry, case.advice in blocker.remedy) == (name.partition(": ")[0], True)
    assert [each.worry for each in others] == case.others
    assert then == ()


ADVISED = [
    name
    for name, case in FOLLOWED.items()
    if f"--leave-behind {DB}" in plan_drain(case.before, asking(**case.asked)).blockers[0].remedy
]


@pytest.mark.parametrize("name", ADVISED)
def test_leaving_behind_helps_wherever_it_is_advised(name: str) -> None:
    case = FOLLOWED[name]

    assert plan_drain(case.before, asking(**case.asked, **LEAVE)).blockers == ()


RETURN = ReturnRecord(node="compute-07", is_uncordoned=True, reason="bad DIMM")
ASKED_ANEW = [name for name, case in FOLLOWED.items() if case.asks_then and not case.asked]


@pytest.mark.parametrize("name", ASKED_ANEW)
def test_what_a_drain_may_be_asked_for_then_its_undo_may_be_asked_for_too(name: str) -> None:
    """A return is undone by a drain, with that drain's blockers and their remedies."""
    case = FOLLOWED[name]
    after = case.before if case.after is None else case.after
    how, rest = how_of(case.asks_then)
    request = drain_again("01RUN", RETURN, UndoRequest(run="01RUN", how=how, **rest))

    assert plan_drain(after, request).blockers == ()


@pytest.mark.parametrize("name", FOLLOWED_AGAIN)
def test_what_stops_a_move_just_before_it_is_settled_by_a_new_plan(name: str) -> None:
    asked, asked_now, now = FOLLOWED_AGAIN[name]
    [move] = plan_drain(WELL, asking(**asked)).stages[1].moves

    [blocker] = judge_again(now, asking(**asked_now), move)

    assert blocker.worry == name
    assert blocker.remedy == "plan again" or "drain the node again" in blocker.remedy
    assert plan_drain(now, asking(**asked_now)).blockers == ()


@pytest.mark.parametrize("name", FOLLOWED_WARNINGS)
def test_following_its_remedy_removes_a_warning(name: str) -> None:
    case = FOLLOWED_WARNINGS[name]
    after = case.before if case.after is None else case.after

    before, then = plan_drain(case.before, asking()), plan_drain(after, asking(**case.asks_then))

    [remedy] = [each.remedy for each in before.warnings if each.worry == name]
    assert case.advice in remedy
    assert name not in [each.worry for each in verdicts_of(then)]


def test_each_rule_is_followed_or_says_why_not() -> None:
    cases = {name.partition(": ")[0] for name in FOLLOWED}
    known = [*cases, *FOLLOWED_AGAIN, *FOLLOWED_WARNINGS, *NOT_FOLLOWED]

    assert sorted(known) == sorted(raised_by("drain_compute_node"))


def test_a_record_that_is_only_a_trace_is_approved_along() -> None:
    plan = plan_drain(
        replace(WELL, migrations=(a_migration(),), stalled_moves=lost(a_server(), a_migration())),
        asking(),
    )

    assert [each.worry for each in plan.warnings] == ["stale-record"]
    assert not any(isinstance(each, Blocked) for each in plan.blockers)
