"""Draining a compute node: given facts and a request, expect this plan and these blockers."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from builders import (
    CPU,
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
    extra_specs,
    kept_off,
    projects,
    wishing,
)
from stackward.checks.compute import NoInstanceDirs
from stackward.errors import BadInput
from stackward.kinds import KINDS
from stackward.model.aggregate import Aggregate
from stackward.model.compute_process import ComputeProcess, RunningAs
from stackward.model.domain import Disk
from stackward.model.flavor import Flavor
from stackward.model.migration import Migration
from stackward.model.node import ComputeNode, Role
from stackward.model.project import Project
from stackward.model.run import RunState
from stackward.model.server import Server
from stackward.model.unread import Hindrance, Unread
from stackward.model.volume import Volume
from stackward.model.wish import WISH
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.operations.drain_compute_node.rules import judge_again
from stackward.plan import Verdict, differences, from_json, to_json
from stackward.steps.compute import LiveMigrate
from stackward.steps.network import RemoveBinding
from stackward.steps.service import Cordon

ZONE = Aggregate(
    uuid="z", name="z1", hosts=("compute-08",), metadata=(("availability_zone", "z1"),)
)
HERE = ((an_id("db-01"), "compute-07"),)
GPU = a_flavor(pci_passthrough__alias="gpu:1")
VGPU = a_flavor(resources__VGPU="1")
PROJECTS = ["demo", "demo-2", "dem", "other"]


def how(node: ComputeNode, **given: Any) -> dict[str, str]:  # noqa: ANN401  # the request's fields
    """Return how each server leaves."""
    plan = plan_drain(node, asking(**given))
    return {move.thing: move.how for _, move in plan.moves() if move.thing_id}


def blocking(node: ComputeNode, **given: Any) -> list[str]:  # noqa: ANN401  # the request's fields
    """Return the names of the rules that block."""
    return [each.worry for each in plan_drain(node, asking(**given)).blockers]


def warning(node: ComputeNode, **given: Any) -> list[str]:  # noqa: ANN401  # the request's fields
    return [each.worry for each in plan_drain(node, asking(**given)).warnings]


def placed(node: ComputeNode) -> dict[str, object]:
    """Return where each server is expected to go."""
    moves = [move for _, move in plan_drain(node, asking()).moves() if move.thing_id]
    return {move.thing: move.expects["target"] for move in moves}


@pytest.mark.parametrize(
    ("server", "given", "expected"),
    [
        pytest.param(a_server(), {}, ["live-migrate"], id="running: moved live"),
        pytest.param(a_server("PAUSED"), {}, ["live-migrate"], id="paused: moved live"),
        pytest.param(
            a_server("SHUTOFF"),
            {},
            ["cold-migrate", "confirm-migration"],
            id="stopped: moved cold, then confirmed",
        ),
        pytest.param(
            a_server(flavor=GPU),
            {"allow_downtime": True},
            ["cold-migrate", "confirm-migration"],
            id="holds a GPU, downtime allowed: moved cold",
        ),
        pytest.param(
            a_server("SHUTOFF", flavor=GPU),
            {},
            ["cold-migrate", "confirm-migration"],
            id="stopped with a GPU: moved cold without asking",
        ),
        pytest.param(a_server(flavor=VGPU), {}, ["live-migrate"], id="vGPU: live with QEMU 8.1"),
        pytest.param(
            a_server(ports=(a_port(vnic_type="direct"),)),
            {},
            ["live-migrate"],
            id="SR-IOV port: moved live",
        ),
    ],
)
def test_how_each_server_leaves(server: Server, given: Any, expected: list[str]) -> None:  # noqa: ANN401  # the request's fields
    plan = plan_drain(a_node(server), asking(**given))

    [move] = plan.stages[1].moves
    assert [step.kind for step in move.steps] == expected
    assert plan.blockers == ()


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        pytest.param(a_server(task_state="resize_prep"), ["busy"], id="busy"),
        pytest.param(a_server("ERROR"), ["in-error"], id="in ERROR"),
        pytest.param(a_server("RESCUE"), ["rescued"], id="in RESCUE"),
        pytest.param(a_server("SUSPENDED"), ["suspended"], id="suspended"),
        pytest.param(a_server("SHELVED"), ["shelved"], id="shelved"),
        pytest.param(a_server("BUILD"), ["building"], id="being built"),
        pytest.param(a_server("VERIFY_RESIZE"), ["verify-resize"], id="awaiting confirmation"),
        pytest.param(a_server("SOFT_DELETED"), ["soft-deleted"], id="deleted, restorable"),
        pytest.param(a_server("TELEPORTED"), ["unknown-status"], id="a status of the future"),
        pytest.param(a_server("UNKNOWN"), ["cell-down"], id="in a cell that is down"),
        pytest.param(
            a_server(group=replace(a_group("affinity", "compute-08"), unknown=("x",))),
            ["group-unknown"],
            id="a member of its group is in a cell that is down",
        ),
        pytest.param(
            a_server(volume_ids=("v",), volumes_unread="the catalog has no volume service"),
            ["no-volume-service"],
            id="volumes, and no Cinder in the catalog",
        ),
        pytest.param(a_server(power_state=4), ["states-disagree"], id="ACTIVE without power"),
        pytest.param(a_server(vm_state="error"), ["states-disagree"], id="vm_state of its own"),
        pytest.param(a_server(flavor=GPU), ["holds-pci"], id="holds a GPU"),
        pytest.param(a_server(flavor=a_flavor(hw__tpm_version="2.0")), ["has-tpm"], id="TPM"),
        pytest.param(
            a_server(image_properties=(("hw_tpm_version", "2.0"),)), ["has-tpm"], id="TPM by image"
        ),
        pytest.param(
            a_server(flavor=a_flavor(hw__mem_encryption="true")), ["encrypted-memory"], id="SEV"
        ),
        pytest.param(
            a_server(flavor=a_flavor(hw__mem_encryption="false")), [], id="SEV declined: moves"
        ),
        pytest.param(a_server("PAUSED", flavor=GPU), ["paused-and-bound"], id="paused with a GPU"),
        pytest.param(
            a_server(flavor=a_flavor(accel__device_profile="fpga")), ["has-accelerator"], id="FPGA"
        ),
        pytest.param(
            a_server(ports=(a_port(vnic_type="accelerator-direct"),)),
            ["has-accelerator"],
            id="accelerator port",
        ),
        pytest.param(
            a_server(ports=(a_port(vnic_type="quantum"),)), ["unknown-port"], id="unknown port type"
        ),
        pytest.param(
            a_server(ports=(a_port(host="compute-01"),)), ["port-elsewhere"], id="port elsewhere"
        ),
        pytest.param(
            a_server(ports=(a_port(vif_type="binding_failed"),)),
            ["port-elsewhere"],
            id="port binding failed",
        ),
        pytest.param(
            a_server(volume_ids=("v",), volumes=(Volume(id="v", status="detaching"),)),
            ["volume-busy"],
            id="volume detaching",
        ),
        pytest.param(
            a_server(
                volume_ids=("v",),
                volumes=(Volume(id="v", migration_status="migrating", attached=HERE),),
            ),
            ["volume-migrates"],
            id="volume that Cinder moves",
        ),
        pytest.param(a_server(volume_ids=("v",)), ["volume-gone"], id="volume unknown to Cinder"),
        pytest.param(a_server(group=a_group("affinity")), ["affinity"], id="affinity group"),
        pytest.param(
            a_server(group=a_group("affinity", "compute-08")), [], id="affinity, group elsewhere"
        ),
        pytest.param(
            a_server(group=a_group("anti-affinity", "compute-08", "compute-09")),
            ["anti-affinity"],
            id="anti-affinity: every node has a member",
        ),
        pytest.param(
            a_server(group=a_group("anti-affinity", "compute-08")), [], id="anti-affinity: one left"
        ),
        pytest.param(
            a_server(group=a_group("anti-affinity", "compute-08", "compute-09", max_per_host=2)),
            [],
            id="anti-affinity: two may share a node",
        ),
        pytest.param(
            a_server(group=a_group("soft-anti-affinity", "compute-08", "compute-09")),
            [],
            id="soft anti-affinity only weighs",
        ),
    ],
)
def test_what_blocks_a_server(server: Server, expected: list[str]) -> None:
    assert blocking(a_node(server)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"service": a_service(is_up=False)}, ["node-down"], id="nova-compute is down"),
        pytest.param(
            {"service": a_service(is_up=False), "domains": Unread("no route", Hindrance.WAY)},
            ["node-dead"],
            id="down, and no SSH: fence first",
        ),
        pytest.param(
            {"service": a_service(is_up=False), "domains": Unread("silent", Hindrance.LATE)},
            ["node-dead"],
            id="down, and no answer: fence first",
        ),
        pytest.param(
            {"service": a_service(is_up=False), "domains": Unread("libvirt is off")},
            ["node-down", "domains-unread"],
            id="down, and libvirt too: the machine answers",
        ),
        pytest.param(
            {"service": a_service(is_up=False), "domains": Unread("none", Hindrance.LACKING)},
            ["node-down", "virsh-missing"],
            id="down, and without virsh: the machine answers",
        ),
        pytest.param(
            {"service": a_service(is_up=False, is_forced_down=True)},
            ["forced-down"],
            id="forced down",
        ),
        pytest.param(
            {"service": a_service(is_enabled=False, disabled_reason="ticket 4711")},
            ["claimed"],
            id="disabled by somebody else",
        ),
        pytest.param(
            {"domains": Unread("libvirt is off")}, ["domains-unread"], id="libvirt refuses"
        ),
        pytest.param(
            {"domains": Unread("no `virsh`", Hindrance.LACKING)}, ["virsh-missing"], id="no virsh"
        ),
        *(
            pytest.param({"domains": Unread("x", by)}, ["domains-unreached"], id=f"unread: {by}")
            for by in (Hindrance.WAY, Hindrance.LATE, Hindrance.UNNAMED)
        ),
        pytest.param(
            {"domains": (a_domain(a_server()), a_domain(a_server(name="stray")))},
            ["stray-domain"],
            id="a guest that Nova does not know here",
        ),
        pytest.param({"domains": ()}, ["no-domain"], id="ACTIVE without a guest"),
        pytest.param(
            {"domains": (a_domain(a_server(), state="shut off"),)},
            ["domain-disagrees"],
            id="ACTIVE, guest off",
        ),
        pytest.param({"candidates": {}}, ["no-room"], id="placement offers no other node"),
    ],
)
def test_what_blocks_a_node(change: dict[str, Any], expected: list[str]) -> None:
    assert blocking(replace(a_node(a_server()), **change)) == expected


def a_migration(**changes: Any) -> Migration:  # noqa: ANN401  # any field
    migration = Migration(
        id=7,
        uuid=an_id("migration"),
        server=an_id("db-01"),
        kind="live-migration",
        status="running",
        source="compute-07",
        target="compute-08",
    )
    return replace(migration, **changes)


@pytest.mark.parametrize(
    ("migration", "expected"),
    [
        pytest.param(
            a_migration(source="compute-08", target="compute-07", server=an_id("x")),
            ["incoming-migration"],
            id="one is on its way here",
        ),
        pytest.param(
            a_migration(), ["stuck-migration"], id="a record says running, the server does not"
        ),
    ],
)
def test_moves_that_are_under_way_block(migration: Migration, expected: list[str]) -> None:
    assert blocking(a_node(a_server(), migrations=(migration,))) == expected


def test_a_resize_that_awaits_confirmation_elsewhere_blocks() -> None:
    away = a_server("VERIFY_RESIZE", host="compute-08")
    node = a_node(resizing_away=((away, a_migration(kind="resize", status="finished")),))

    assert blocking(node) == ["awaits-confirmation"]


NFS = "/mnt/nova-nfs/instances"
ELSEWHERE = a_domain(a_server(), disks=(Disk(device="vda", path=f"{NFS}/{an_id('db-01')}/disk"),))
LVM = a_domain(a_server(), disks=(Disk(device="vda", path=f"/dev/vg/{an_id('db-01')}_disk"),))


def looked_in(node: ComputeNode) -> list[object]:
    """Return where the move and the last proof look for a directory that was left."""
    plan = plan_drain(node, asking())
    steps = [step for _, move in plan.moves() for step in move.steps]
    [step] = [each for each in steps if isinstance(each, LiveMigrate)]
    [check] = [each for each in plan.verify if isinstance(each, NoInstanceDirs)]
    return [
        () if step.shares_disks else step.directories,
        (check.is_shared, check.other_directories),
    ]


@pytest.mark.parametrize(
    ("usual", "own", "expected"),
    [
        pytest.param("ext4", "nfs4", [(), (False, ())], id="F29: its own path is shared"),
        pytest.param("ext4", "xfs", [(NFS,), (False, (NFS,))], id="its own path is local"),
        pytest.param("nfs4", "xfs", [(NFS,), (True, (NFS,))], id="only the usual place is shared"),
    ],
)
def test_what_was_left_is_looked_for_where_the_disks_are(
    usual: str, own: str, expected: list[object]
) -> None:
    node = a_node(
        a_server(), domains=(ELSEWHERE,), instances_filesystem=usual, other_filesystems={NFS: own}
    )

    assert looked_in(node) == expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        pytest.param(
            a_node(
                a_server(),
                domains=(ELSEWHERE,),
                instances_filesystem="ext4",
                other_filesystems={NFS: "nfs4"},
            ),
            [],
            id="F29: its own `instances_path` is shared",
        ),
        pytest.param(
            a_node(a_server(), domains=(ELSEWHERE,), other_filesystems={NFS: "xfs"}),
            ["disk-copied"],
            id="its own `instances_path` is local, the usual place shared",
        ),
        pytest.param(
            a_node(a_server(), domains=(ELSEWHERE,), other_filesystems={NFS: Unread("?")}),
            ["disk-unknown"],
            id="its own `instances_path` cannot be read",
        ),
        pytest.param(
            a_node(a_server(), domains=(LVM,)), ["disk-copied"], id="a logical volume is local"
        ),
        pytest.param(a_node(a_server(is_locked=True)), ["locked"], id="locked"),
        pytest.param(
            a_node(a_server(flavor=a_flavor(capabilities__hypervisor_type="QEMU"))),
            ["capabilities-unseen"],
            id="capabilities of a node, which only the scheduler has",
        ),
        pytest.param(
            a_node(a_server(flavor=a_flavor(hw__maxphysaddr_bits="42"))),
            ["capabilities-unseen"],
            id="address bits are a capability too",
        ),
        pytest.param(
            a_node(a_server(is_zone_known=False), aggregates=(ZONE,)),
            ["zone-unknown"],
            id="a zone that an older Nova does not say",
        ),
        pytest.param(
            a_node(a_server(is_zone_known=False)), [], id="an older Nova with a single zone"
        ),
        pytest.param(
            a_node(a_server(), instances_filesystem="ext4"), ["disk-copied"], id="local disk"
        ),
        pytest.param(
            a_node(a_server(), instances_filesystem=Unread("?")),
            ["disk-unknown"],
            id="unknown disk",
        ),
        pytest.param(
            a_node(a_server(has_image=False), instances_filesystem="ext4"), [], id="only volumes"
        ),
        pytest.param(
            a_node(
                a_server(),
                instances_filesystem="ext4",
                domains=(
                    a_domain(
                        a_server(), disks=(Disk(device="vda", path=f"vms/{an_id('db-01')}_disk"),)
                    ),
                ),
            ),
            [],
            id="disk in Ceph",
        ),
        pytest.param(
            a_node(a_server(ports=(a_port(vnic_type="direct"),))), ["port-leaves"], id="SR-IOV port"
        ),
        pytest.param(
            a_node(roles=(Role(name="OVN gateway", effect="a break", remedy="move it"),)),
            ["has-role"],
            id="it is a gateway too",
        ),
        pytest.param(
            a_node(ha_hosts=Unread("no answer")), ["instance-ha"], id="an HA robot may watch"
        ),
    ],
)
def test_what_is_approved_along(node: ComputeNode, expected: list[str]) -> None:
    plan = plan_drain(node, asking())

    assert ([each.worry for each in plan.warnings], plan.blockers) == (expected, ())


def test_a_server_without_an_allocation_is_warned_of() -> None:
    node = a_node(a_server())

    assert warning(replace(node, provider=replace(node.provider, allocations={}))) == [
        "no-allocation"
    ]


def test_an_allocation_of_nobody_is_warned_of() -> None:
    node = a_node()
    books = {an_id("ghost"): {"VCPU": 1}}

    assert warning(replace(node, provider=replace(node.provider, allocations=books))) == [
        "foreign-allocation"
    ]


# --- room ---


def test_room_that_is_short_is_told_as_needs_has_and_short_of() -> None:
    servers = [a_server(name=f"web-{n}") for n in range(3)]
    node = a_node(*servers, candidates=(a_candidate(ram_mib=5000),))

    [blocker] = plan_drain(node, asking()).blockers

    assert blocker.worry == "no-room"
    assert blocker.reason == (
        "has no room elsewhere: needs 2048 MiB memory; `compute-08` has 904 MiB memory left "
        "after the others; short of 1144 MiB memory"
    )


def test_the_biggest_are_placed_first_so_that_all_fit() -> None:
    """In the order given, the small ones would take the only place of the big one."""
    small = [a_server(name=f"web-{n}") for n in range(2)]
    big = a_server(name="db-big", flavor=a_flavor(ram_mib=6000))
    room = (a_candidate(ram_mib=6000), a_candidate("compute-09", ram_mib=4096))

    assert blocking(a_node(*small, big, candidates=room)) == []


def test_a_target_that_would_end_nearly_full_is_pinned() -> None:
    node = a_node(a_server(), candidates=(a_candidate(ram_mib=2100),))

    [move] = plan_drain(node, asking()).stages[1].moves

    assert move.expects["pinned"] is True
    assert [getattr(step, "target", None) for step in move.steps] == ["compute-08"]


def test_with_room_to_spare_the_scheduler_chooses() -> None:
    [move] = plan_drain(a_node(a_server()), asking()).stages[1].moves

    assert move.expects["pinned"] is False
    assert [getattr(step, "target", None) for step in move.steps] == [None]


def test_room_promised_to_another_drain_is_not_promised_again() -> None:
    node = a_node(a_server(), candidates=(a_candidate(ram_mib=4096),))
    reserved = {an_id("compute-08"): {"MEMORY_MB": 3000}}

    assert blocking(node) == []
    assert blocking(replace(node, reserved=reserved)) == ["no-room"]


def test_an_anti_affinity_pair_needs_two_nodes() -> None:
    group = a_group("anti-affinity")
    pair = [a_server(name=f"ha-{n}", group=group) for n in range(2)]

    assert blocking(a_node(*pair)) == []
    assert blocking(a_node(*pair, candidates=(a_candidate(),))) == ["anti-affinity"]


def test_a_node_that_is_down_or_disabled_gives_no_room() -> None:
    node = a_node(a_server(), candidates=(a_candidate(is_usable=False),))

    assert blocking(node) == ["no-room"]


def test_a_zone_without_another_node_blocks() -> None:
    zone = Aggregate(
        uuid="z", name="z1", hosts=("compute-07",), metadata=(("availability_zone", "z1"),)
    )
    node = a_node(a_server(pinned_zone="z1"), candidates=(), aggregates=(zone,))

    assert blocking(node) == ["zone"]


def test_an_aggregate_kept_for_another_project_takes_no_server() -> None:
    kept = Aggregate(
        uuid="k",
        name="kept",
        hosts=("compute-08", "compute-09"),
        metadata=(("filter_tenant_id", "other"),),
    )

    assert blocking(a_node(a_server(), aggregates=(kept,))) == ["aggregate"]


def test_f19_a_project_that_keystone_has_no_more_is_drained_with_a_warning() -> None:
    asked = asking(projects=(Project(id="gone", name="gone", is_gone=True),))

    plan = plan_drain(a_node(a_server(project="gone"), a_server(name="web-1")), asked)

    assert [move.thing for _, move in plan.moves() if move.thing_id] == ["db-01"]
    assert [each.worry for each in plan.warnings] == ["only-projects", "project-gone"]
    assert from_json(to_json(plan), KINDS).request == asked


def test_f19_a_plan_of_before_knows_of_no_such_project() -> None:
    stored = json.loads(to_json(plan_drain(a_node(), asking(projects=projects("demo")))))
    del stored["request"]["projects"][0]["is_gone"]

    read = from_json(json.dumps(stored), KINDS)

    assert read.request == asking(projects=projects("demo"))


def with_ssd(*hosts: str, scope: str = "") -> ComputeNode:
    """Return a node with a server whose flavor wants `ssd=true`; these hosts have it."""
    wanted = replace(a_flavor(), extra_specs=extra_specs({f"{scope}ssd": "true"}))
    server = a_server(flavor=wanted)
    ssd = Aggregate(uuid="s", name="ssd", hosts=hosts, metadata=(("ssd", "true"),))
    return a_node(server, aggregates=(ssd,))


def test_f10_an_extra_spec_without_a_scope_counts_too() -> None:
    """Which filters are on cannot be read: the plan warns that Nova may find no host."""
    plan = plan_drain(with_ssd("compute-07"), asking())

    [warned] = plan.warnings
    assert (warned.worry, plan.blockers) == ("may-find-no-host", ())
    assert "its flavor wants `ssd=true`" in warned.reason
    assert "AggregateInstanceExtraSpecsFilter" in warned.remedy


def test_an_extra_spec_of_the_filters_own_scope_blocks() -> None:
    node = with_ssd("compute-07", scope="aggregate_instance_extra_specs__")

    assert blocking(node) == ["aggregate"]


def test_a_node_that_fulfils_every_rule_is_preferred() -> None:
    node = with_ssd("compute-07", "compute-09")

    assert placed(node) == {"db-01": "compute-09"}
    assert warning(node) == []


def test_room_on_a_node_that_may_be_refused_is_better_than_none() -> None:
    """The node with the key is too small: the other one is offered, with the warning."""
    server = a_server(flavor=a_flavor(ram_mib=4096, ssd="true"))
    ssd = Aggregate(
        uuid="s", name="ssd", hosts=("compute-07", "compute-09"), metadata=(("ssd", "true"),)
    )
    room = (a_candidate(), a_candidate("compute-09", ram_mib=2048))
    node = a_node(server, aggregates=(ssd,), candidates=room)

    assert (blocking(node), warning(node)) == ([], ["may-find-no-host"])
    assert placed(node) == {"db-01": "compute-08"}


def test_a_cpu_that_lacks_a_feature_takes_no_running_server() -> None:
    node = a_node(a_server(), candidates=(a_candidate(traits=CPU - {"HW_CPU_X86_AVX2"}),))

    assert blocking(node) == ["no-such-cpu"]
    assert how(node, allow_downtime=True) == {"db-01": "cold"}


# --- overrides ---


def test_a_server_left_behind_blocks_no_more_and_the_node_is_said_not_to_be_empty() -> None:
    node = a_node(a_server("ERROR"), a_server(name="web-1"))

    plan = plan_drain(node, asking(leave_behind=(an_id("db-01"),)))

    assert plan.blockers == ()
    assert plan.decisions["ends"] == "not empty: do not power off"
    assert [stage.name for stage in plan.stages] == ["cordon", "move", "arrivals"]
    assert "left-behind" in [each.worry for each in plan.warnings]


def test_an_id_that_is_not_there_cannot_be_left_behind() -> None:
    assert blocking(a_node(), leave_behind=("typo",)) == ["unknown-left-behind"]


# --- what owners wish ---

DOWNTIME = {"allow_downtime": True}


@pytest.mark.parametrize(
    ("server", "given", "expected"),
    [
        pytest.param(wishing("live"), {}, ("live", []), id="live: moved live"),
        pytest.param(wishing("live"), DOWNTIME, ("live", []), id="live, downtime allowed: live"),
        pytest.param(
            wishing("live", "SHUTOFF"), {}, ("cold", []), id="live, and it is off: nobody notices"
        ),
        pytest.param(wishing("cold"), {}, ("cold", ["wish-cold"]), id="cold: stopped for its move"),
        pytest.param(
            wishing("cold", flavor=GPU), {}, ("cold", ["wish-cold"]), id="cold, with a GPU"
        ),
        pytest.param(
            wishing("cold", "PAUSED"), {}, ("live", []), id="cold, but paused: Nova moves it live"
        ),
        pytest.param(
            wishing("stop"),
            {},
            ("live", ["stops-when-slow"]),
            id="stop: moved live as long as that goes",
        ),
        pytest.param(
            wishing("stop", flavor=GPU),
            {},
            ("cold", ["wish-cold"]),
            id="stop, and it cannot move live: stopped for its move",
        ),
        pytest.param(wishing("ask"), agreed(), ("live", ["consented"]), id="ask, and they agreed"),
        pytest.param(
            wishing("leave"), agreed(), ("live", ["consented"]), id="leave, and they agreed"
        ),
    ],
)
def test_how_a_server_leaves_as_its_owner_wishes(
    server: Server,
    given: Any,  # noqa: ANN401  # the request's fields
    expected: tuple[str, list[str]],
) -> None:
    way, worries_told = expected

    assert how(a_node(server), **given) == {"db-01": way}
    assert (blocking(a_node(server), **given), warning(a_node(server), **given)) == (
        [],
        worries_told,
    )


@pytest.mark.parametrize(
    ("server", "given", "expected"),
    [
        pytest.param(wishing("ask"), {}, "wish-ask", id="ask: nobody has"),
        pytest.param(wishing("leave"), {}, "wish-leave", id="leave: not without the operator"),
        pytest.param(wishing("live", flavor=GPU), {}, "wish-live", id="live, and it cannot"),
        pytest.param(
            wishing("live", flavor=GPU), DOWNTIME, "wish-live", id="live, against the operator"
        ),
        pytest.param(wishing("Live"), {}, "wish-unknown", id="another spelling"),
        pytest.param(wishing(""), {}, "wish-unknown", id="empty"),
        pytest.param(
            wishing("ask", flavor=GPU), agreed(), "holds-pci", id="agreed to a move, not to a stop"
        ),
    ],
)
def test_what_an_owners_wish_blocks(server: Server, given: Any, expected: str) -> None:  # noqa: ANN401  # the request's fields
    assert blocking(a_node(server), **given) == [expected]


@pytest.mark.parametrize("wish", ["ask", "leave"])
def test_a_blocker_names_the_owner_and_a_consent_removes_it(wish: str) -> None:
    [blocker] = plan_drain(a_node(wishing(wish)), asking()).blockers

    assert "user eve, project demo" in blocker.reason
    assert f"--consent {an_id('db-01')}=REFERENCE" in blocker.remedy
    assert blocking(a_node(wishing(wish)), **agreed()) == []


@pytest.mark.parametrize(
    ("before", "advised"),
    [
        pytest.param(wishing("live", flavor=GPU), "cold", id="live"),
        pytest.param(wishing("Live"), "ask", id="unknown"),
    ],
)
def test_the_remedy_that_an_owner_says_otherwise_helps(before: Server, advised: str) -> None:
    [blocker] = plan_drain(a_node(before), asking()).blockers
    after = replace(before, metadata=((WISH, advised),))

    assert f"--property {WISH}={advised} {before.id}" in blocker.remedy
    assert blocking(a_node(after), **(agreed() if advised == "ask" else {})) == []


def test_a_consent_is_on_record_in_the_plan_with_its_reference() -> None:
    plan = plan_drain(a_node(wishing("ask")), asking(**agreed()))

    [move] = plan.stages[1].moves
    assert (move.expects["wish"], move.expects["consent"]) == ("ask", "CHG-77")
    assert move.record == "its owner agreed: CHG-77"
    assert plan.warnings[0].reason.endswith("has agreed to this move: CHG-77")
    assert to_json(from_json(to_json(plan), KINDS)) == to_json(plan)


@pytest.mark.parametrize(
    ("node", "given"),
    [
        pytest.param(a_node(a_server()), agreed(), id="its owner has no wish"),
        pytest.param(a_node(wishing("cold")), agreed(), id="its owner does not ask"),
        pytest.param(a_node(wishing("ask")), agreed("typo") | agreed("typo"), id="not here"),
        pytest.param(
            a_node(wishing("ask")), agreed() | {"leave_behind": (an_id("db-01"),)}, id="it stays"
        ),
    ],
)
def test_a_consent_that_nobody_asked_for_is_a_slip(node: ComputeNode, given: Any) -> None:  # noqa: ANN401  # the request's fields
    assert "unknown-consent" in blocking(node, **given)
    assert "unknown-consent" not in blocking(node, **(given | {"consents": ()}))


def test_once_the_run_goes_on_a_consent_for_a_server_that_has_moved_is_no_slip() -> None:
    assert blocking(a_node(acting_run="01J9"), **agreed()) == []


def test_an_owner_who_changes_their_mind_before_the_move_is_heard() -> None:
    [move] = plan_drain(a_node(a_server()), asking()).stages[1].moves

    found = [each.worry for each in judge_again(a_node(wishing("ask")), asking(), move)]

    assert found == ["wish-ask"]


# --- what a slow move may cost ---

STOP_SERVER = {"when_slow": "stop-server"}


@pytest.mark.parametrize(
    ("server", "given", "on_slow"),
    [
        pytest.param(a_server(), STOP_SERVER, "abort-migration", id="running: given up"),
        pytest.param(wishing("stop"), {}, "abort-migration", id="as its owner wishes"),
        pytest.param(
            wishing("stop"),
            {"when_slow": "force-complete"},
            "abort-migration",
            id="the owner's wish comes before the flag for all",
        ),
    ],
)
def test_a_slow_move_is_given_up_and_the_server_stopped_moved_cold_and_started(
    server: Server,
    given: Any,  # noqa: ANN401  # the request's fields
    on_slow: str,
) -> None:
    [move] = plan_drain(a_node(server), asking(**given)).stages[1].moves

    assert (move.how, [each.kind for each in move.steps]) == ("live", ["live-migrate"])
    assert [each.kind for each in move.on_slow] == [on_slow]
    assert [each.kind for each in move.instead] == [
        "stop-server",
        "cold-migrate",
        "confirm-migration",
        "start-server",
    ]
    assert warning(a_node(server), **given) == ["stops-when-slow"]


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(wishing("live"), id="its owner forbids it"),
        pytest.param(a_server("PAUSED"), id="paused: Nova would not stop it"),
        pytest.param(a_server("SHUTOFF"), id="off already"),
        pytest.param(wishing("cold"), id="stopped for its move anyway"),
    ],
)
def test_what_is_not_to_be_stopped_has_no_other_way(server: Server) -> None:
    [move] = plan_drain(a_node(server), asking(**STOP_SERVER)).stages[1].moves

    assert (move.instead, move.on_slow) == ((), ())
    assert "stops-when-slow" not in warning(a_node(server), **STOP_SERVER)


def test_consent_to_stopping_the_slow_is_none_to_stopping_what_cannot_move_live() -> None:
    assert blocking(a_node(a_server(flavor=GPU)), **STOP_SERVER) == ["holds-pci"]


def test_a_plan_with_another_way_survives_its_file() -> None:
    plan = plan_drain(a_node(a_server()), asking(**STOP_SERVER))

    assert to_json(from_json(to_json(plan), KINDS)) == to_json(plan)


def test_an_owner_who_forbids_the_stop_meanwhile_is_heard_and_a_new_plan_knows() -> None:
    asked = asking(**STOP_SERVER)
    [move] = plan_drain(a_node(a_server()), asked).stages[1].moves
    node = a_node(wishing("live"))

    assert [each.worry for each in judge_again(node, asked, move)] == ["stops-no-more"]
    assert blocking(node, **STOP_SERVER) == []
    assert differences(plan_drain(a_node(a_server()), asked), plan_drain(node, asked)).against


# --- the servers of some projects ---


def mixed(*names: str) -> ComputeNode:
    """Return a node with a server of each of these projects."""
    return a_node(*(a_server(name=f"of-{name}", project=name) for name in names))


@settings(deadline=None)  # a busy machine breaks no promise
@given(
    here=some.lists(some.sampled_from(PROJECTS), max_size=8),
    named=some.lists(some.sampled_from(PROJECTS), min_size=1, max_size=3, unique=True),
)
def test_whoever_is_there_only_servers_of_the_projects_named_move(
    here: list[str], named: list[str]
) -> None:
    servers = [a_server(name=f"s-{n}", project=name) for n, name in enumerate(here)]
    node = a_node(*servers)

    plan = plan_drain(node, asking(projects=projects(*named)))

    moving = {move.thing_id for _, move in plan.moves() if move.thing_id}
    assert moving == {each.id for each in servers if each.project in named}
    assert plan.decisions["ends"] == "not empty: do not power off"


def test_with_projects_named_the_node_is_not_empty_and_its_service_stays_on() -> None:
    plan = plan_drain(mixed("demo", "other"), asking(projects=projects("demo")))

    assert (plan.blockers, how(mixed("demo", "other"), projects=projects("demo"))) == (
        (),
        {"of-demo": "live"},
    )
    assert [stage.name for stage in plan.stages] == ["cordon", "move", "arrivals"]
    assert [check.kind for check in plan.verify][-1] == "is-cordoned"
    assert [each.worry for each in plan.warnings] == ["only-projects"]
    assert "of other projects, and left alone: 1 server" in plan.notices


def test_what_is_wrong_with_servers_of_others_does_not_stand_in_the_way() -> None:
    others = a_server("ERROR", name="theirs", project="other")

    assert blocking(a_node(a_server(), others), projects=projects("demo")) == []


def test_a_project_without_a_server_here_is_a_slip() -> None:
    [blocker] = plan_drain(mixed("demo"), asking(projects=projects("demo", "typo"))).blockers

    assert blocker.worry == "no-server-of-project"
    assert "only projects that have servers here" in blocker.remedy
    assert blocking(mixed("demo"), projects=projects("demo")) == []
    assert blocking(mixed("demo")) == []


def test_once_the_run_goes_on_a_project_whose_servers_have_moved_is_no_slip() -> None:
    node = replace(mixed("other"), acting_run="01J9")

    assert blocking(node, projects=projects("demo")) == []


def test_what_others_build_meanwhile_refuses_no_plan() -> None:
    asked = asking(projects=projects("demo"))
    approved = plan_drain(mixed("demo", "other"), asked)

    fresh = plan_drain(mixed("demo", "other", "third"), asked)

    assert differences(approved, fresh).against == ()


def test_a_server_of_others_is_never_begun_whatever_the_plan_says() -> None:
    """Judged again before its move, by the request alone; a new plan does not hold it."""
    node = mixed("other")
    [move] = plan_drain(node, asking()).stages[1].moves

    found = [each.worry for each in judge_again(node, asking(projects=projects("demo")), move)]

    assert found == ["not-to-move"]
    assert how(mixed("demo", "other"), projects=projects("demo")) == {"of-demo": "live"}


def test_a_limited_drain_that_is_over_is_only_proved_again() -> None:
    plan = plan_drain(claimed(a_server(project="other")), asking(projects=projects("demo")))

    assert (plan.blockers, plan.stages) == ((), ())


def test_what_a_limited_drain_has_left_is_drained_on_under_a_claim_of_our_own() -> None:
    """The next project, or all the rest: the node need not be returned for that."""
    node = claimed(
        a_server(project="other"), claiming_run=RunState.SUCCEEDED, is_left_occupied=True
    )

    plan = plan_drain(node, asking())

    cordon = plan.stages[0].moves[0].steps[0]
    assert isinstance(cordon, Cordon)
    assert (plan.blockers, cordon.replaces, plan.decisions["ends"]) == ((), "01J8", "empty")


def test_what_came_back_of_these_projects_is_named() -> None:
    plan = plan_drain(claimed(a_server()), asking(projects=projects("demo")))

    assert [each.worry for each in plan.blockers] == ["came-back"]


def test_a_target_takes_all() -> None:
    [move] = plan_drain(a_node(a_server()), asking(target="compute-09")).stages[1].moves

    assert move.expects["target"] == "compute-09"


def test_an_unknown_target_blocks() -> None:
    assert blocking(a_node(a_server()), target="compute-99") == ["unknown-target", "not-on-target"]


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(a_server(flavor=GPU), id="holds-pci"),
        pytest.param(a_server(flavor=a_flavor(hw__tpm_version="2.0")), id="has-tpm"),
        pytest.param(a_server(flavor=a_flavor(hw__mem_encryption="true")), id="encrypted-memory"),
    ],
)
def test_the_remedy_of_allowed_downtime_helps(server: Server) -> None:
    node = a_node(server)
    [blocker] = plan_drain(node, asking()).blockers

    assert "--allow-downtime" in blocker.remedy
    assert blocking(node, allow_downtime=True) == []
    assert warning(node, allow_downtime=True) == ["stops"]


def test_the_remedy_for_a_paused_server_with_a_gpu_helps() -> None:
    """The flag alone would not: a cold migration takes no paused server."""
    paused = a_node(a_server("PAUSED", flavor=GPU))

    assert blocking(paused, allow_downtime=True) == ["paused-and-bound"]
    assert blocking(a_node(a_server(flavor=GPU)), allow_downtime=True) == []


def test_all_verdicts_on_a_server_are_kept() -> None:
    server = a_server(flavor=GPU, task_state="resize_prep", volume_ids=("v",), is_locked=True)

    plan = plan_drain(a_node(server), asking())

    assert {each.worry for each in plan.blockers} == {"busy", "holds-pci", "volume-gone"}
    assert [each.worry for each in plan.warnings] == ["locked"]


# --- the plan ---


def test_the_plan_cordons_first_and_keeps_off_last() -> None:
    plan = plan_drain(a_node(a_server()), asking())

    assert [stage.name for stage in plan.stages] == ["cordon", "move", "arrivals", "keep off"]
    assert [check.kind for check in plan.stages[1].needs] == ["is-cordoned", "no-arrivals"]


def test_a_plan_survives_its_file() -> None:
    plan = plan_drain(a_node(a_server(), a_server("SHUTOFF", name="web-1")), asking())

    again = from_json(to_json(plan), KINDS)

    assert to_json(again) == to_json(plan)
    assert differences(again, plan).against == ()


def test_a_plan_edited_by_hand_is_refused() -> None:
    text = to_json(plan_drain(a_node(a_server()), asking())).replace("live-migrate", "teleport")

    with pytest.raises(BadInput):
        from_json(text, KINDS)


def three_hundred(*, without_first: bool = False, used_mib: int = 0, **changed: Any) -> ComputeNode:  # noqa: ANN401  # of one server
    """Return a node with 300 servers; one may be gone, one changed, the others' nodes fuller."""
    servers = [a_server(name=f"web-{n:03}") for n in range(300)]
    if changed:
        servers[42] = replace(servers[42], **changed)
    room = tuple(
        a_candidate(
            f"big-{n}",
            ram_mib=300_000,
            capacity={"VCPU": 600, "MEMORY_MB": 900_000},
            used={"MEMORY_MB": used_mib},
        )
        for n in range(3)
    )
    return a_node(*servers[int(without_first) :], candidates=room)


def test_what_does_not_touch_the_decisions_leaves_the_approval_valid() -> None:
    """One server is deleted, and fifty are built on other nodes."""
    approved = plan_drain(three_hundred(), asking())

    fresh = plan_drain(three_hundred(without_first=True, used_mib=50 * 2048), asking())

    found = differences(approved, fresh)
    assert (found.against, len(found.gone)) == ((), 1)


def test_a_server_that_gains_a_pci_port_is_refused_by_its_name() -> None:
    approved = plan_drain(three_hundred(), asking())
    ports = (a_port("web-042", vnic_type="direct"),)

    fresh = plan_drain(three_hundred(ports=ports), asking())

    [difference] = differences(approved, fresh).against
    assert difference.startswith("`web-042` has a new warning: its port")


def test_users_are_told_what_they_will_notice() -> None:
    node = a_node(a_server(), a_server("SHUTOFF", name="web-1"), a_server("PAUSED", name="web-2"))

    assert plan_drain(node, asking()).notices == (
        "running on while they move, with a short pause at the end: 1 server",
        "paused, and they stay paused: web-2",
        "off now; nobody should start them while they move: web-1",
        "no new server is placed on `compute-07` from the cordon on",
    )


def test_a_flavor_is_a_value() -> None:
    assert len({Flavor(name="a", vcpus=1, ram_mib=1) for _ in range(2)}) == 1
    assert Flavor(name="a", vcpus=1, ram_mib=1) != Flavor(name="a", vcpus=1, ram_mib=2)


@pytest.mark.parametrize(
    ("state", "worry", "remedy"),
    [
        pytest.param(RunState.STOPPED, "run-unfinished", "run resume 01J8", id="stopped"),
        pytest.param(RunState.QUEUED, "run-unfinished", "run resume 01J8", id="queued"),
        pytest.param(RunState.RUNNING, "run-goes-on", "run watch 01J8", id="running"),
        pytest.param(RunState.SUCCEEDED, "came-back", "node return compute-07", id="over"),
        pytest.param(None, "came-back", "run show 01J8", id="of another journal"),
    ],
)
def test_a_claim_of_ours_says_what_can_be_done_about_its_run(
    state: RunState | None, worry: str, remedy: str
) -> None:
    plan = plan_drain(claimed(a_server(), claiming_run=state), asking())

    [blocker] = plan.blockers
    assert (blocker.worry, remedy in blocker.remedy) == (worry, True)


@pytest.mark.parametrize("state", [RunState.CANCELLED, RunState.FAILED, RunState.UNVERIFIED])
def test_what_a_run_left_half_way_is_drained_on_under_a_claim_of_our_own(state: RunState) -> None:
    plan = plan_drain(claimed(a_server(), claiming_run=state), asking())

    cordon = plan.stages[0].moves[0].steps[0]
    assert plan.blockers == ()
    assert isinstance(cordon, Cordon)
    assert cordon.replaces == "01J8"
    assert [move.thing for move in plan.stages[1].moves] == ["db-01"]


@pytest.mark.parametrize(
    ("now", "worry"),
    [
        pytest.param("SHUTOFF", "changed", id="its owner has stopped it"),
        pytest.param("ACTIVE", None, id="as it was"),
    ],
)
def test_a_move_is_judged_again_in_the_way_that_was_approved(now: str, worry: str | None) -> None:
    [move] = plan_drain(a_node(a_server()), asking()).stages[1].moves

    found = [each.worry for each in judge_again(a_node(a_server(now)), asking(), move)]

    assert found == ([worry] if worry else [])


def test_a_pinned_target_that_is_offered_no_more_blocks_its_move() -> None:
    [move] = plan_drain(a_node(a_server()), asking(target="compute-08")).stages[1].moves
    without = a_node(a_server(), candidates=(a_candidate("compute-09"),))

    found = [each.worry for each in judge_again(without, asking(), move)]

    assert found == ["not-on-target"]


def test_the_run_that_has_the_node_judges_its_servers_as_ever() -> None:
    plan = plan_drain(claimed(a_server(), acting_run="01J8"), asking())

    assert (plan.blockers, len(plan.stages[1].moves)) == ((), 1)


def test_a_node_in_maintenance_has_nothing_to_be_done_though_its_service_is_off() -> None:
    plan = plan_drain(kept_off(), asking())

    assert (plan.blockers, plan.stages) == ((), ())
    assert [check.kind for check in plan.verify] == [
        "no-servers-on",
        "no-domains",
        "no-allocations",
        "no-instance-dirs",
        "is-cordoned",
        "is-kept-off",
    ]


LEFT = a_port(left_on=("compute-09",))


def test_a_binding_left_by_a_lost_move_is_removed_before_the_next_one() -> None:
    """Else no move of that server could be proved: its port would be bound twice."""
    plan = plan_drain(a_node(a_server(ports=(LEFT,))), asking())

    [tidy] = next(stage.moves for stage in plan.stages if stage.name == "tidy")
    assert [stage.name for stage in plan.stages[:3]] == ["cordon", "tidy", "move"]
    assert tidy.steps == (RemoveBinding(port=LEFT.id, name="db-01", host="compute-09"),)
    assert [each.worry for each in plan.warnings] == ["left-binding"]


def test_bindings_of_a_server_that_is_blocked_are_left_alone() -> None:
    plan = plan_drain(a_node(a_server("ERROR", ports=(LEFT,))), asking())

    assert "tidy" not in [stage.name for stage in plan.stages]


def test_a_binding_that_was_left_since_the_plan_stops_its_move_and_a_new_plan_removes_it() -> None:
    [move] = plan_drain(a_node(a_server()), asking()).stages[1].moves
    now = a_node(a_server(ports=(LEFT,)))

    [blocker] = judge_again(now, asking(), move)

    assert (blocker.worry, "drain the node again" in blocker.remedy) == ("binding-left", True)
    assert plan_drain(now, asking()).blockers == ()


# --- what runs nova-compute ---

OF_UNIT = ComputeProcess(pid=7, unit="nova-compute.service")
CONTAINED = ComputeProcess(pid=8, container="docker 4f5e6a7b8c9d")


@pytest.mark.parametrize(
    ("running", "worries"),
    [
        pytest.param(RunningAs(processes=(OF_UNIT,)), [], id="its unit: kept off"),
        pytest.param(RunningAs(processes=(CONTAINED,)), ["not-a-unit"], id="a container: blocks"),
        pytest.param(
            RunningAs(unit_load="masked", processes=(CONTAINED,)),
            ["not-a-unit"],
            id="a container, and a mask on a unit that does not exist: blocks",
        ),
        pytest.param(
            RunningAs(processes=(OF_UNIT, CONTAINED)), ["not-a-unit"], id="a second one: blocks"
        ),
        pytest.param(RunningAs(unit_load="not-found"), ["not-a-unit"], id="no such unit: blocks"),
        pytest.param(RunningAs(), ["keeping-off-unseen"], id="no process is seen: warns"),
        pytest.param(Unread("no `ps`"), ["keeping-off-unseen"], id="unreadable: warns"),
    ],
)
def test_whether_nova_compute_can_be_kept_off_is_known_beforehand(
    running: RunningAs | Unread, worries: list[str]
) -> None:
    """F35: with Kolla it is a container, and the drain failed only once all servers had moved."""
    node = a_node(a_server(), running_as=running)

    plan = plan_drain(node, asking())

    verdicts: list[Verdict] = [*plan.blockers, *plan.warnings]
    assert [each.worry for each in verdicts] == worries
    assert all("`--keep-service`" in each.remedy for each in verdicts)


def test_a_service_that_is_kept_on_may_be_a_container() -> None:
    node = a_node(a_server(), running_as=RunningAs(processes=(CONTAINED,)))

    plan = plan_drain(node, asking(keep_service=True))

    assert (plan.blockers, plan.warnings) == ((), ())
