"""Who is stopped for a reboot of their node, in which order, and what stands against it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import (
    NOW,
    a_domain,
    a_flavor,
    a_group,
    a_node,
    a_server,
    a_service,
    agreed,
    an_id,
    claimed,
    kept_off,
    wishing,
)
from stackward.model.compute_process import ComputeProcess, RunningAs
from stackward.model.instance_ha import HaHost
from stackward.model.maintenance import Holder
from stackward.model.node import ComputeNode
from stackward.model.node_boot import NodeBoot
from stackward.model.run import RunState
from stackward.model.server import Server
from stackward.model.unread import Hindrance, Unread
from stackward.model.who_ran import Listed, Torn
from stackward.operations.reboot_compute_node.facts import MemberDown, MembersUnseen, RebootFacts
from stackward.operations.reboot_compute_node.together import plan_reboot, plan_reboots
from stackward.plan import APART, DOMAIN, Blocked, Warned
from stackward.requests.reboot_compute_node import RebootNodeRequest

HOST = "compute-07"
DB = an_id("db-01")
ASKED = RebootNodeRequest(node=HOST, reason="new kernel")
AGREED = replace(ASKED, consents=agreed()["consents"])
SILENT = Unread("No route to host", Hindrance.WAY)
IN_A_CONTAINER = RunningAs(processes=(ComputeProcess(pid=8, container="docker 4f5e"),))
ONE = a_server()
OFF = a_server("SHUTOFF")
LISTED = Listed(run="01R", user="ops", at=NOW, boot=NodeBoot(id="1c8b", first_process=7, at=NOW))


def facts(node: ComputeNode | None = None, **changes: Any) -> RebootFacts:  # noqa: ANN401  # any field
    """Return a node that works, with one server that runs, but for what is told."""
    return replace(RebootFacts(node=node or a_node(ONE), booted=NOW), **changes)


def with_one(status: str = "ACTIVE", **changes: Any) -> RebootFacts:  # noqa: ANN401  # any field
    return facts(a_node(a_server(status, **changes)))


def with_guest(state: str | None, status: str = "ACTIVE") -> RebootFacts:
    """Return a node on which libvirt has the guest of its server in this state."""
    server = a_server(status)
    domains = (a_domain(server, state=state),) if state else ()
    return facts(a_node(server, domains=domains))


WELL = ["downtime"]
# What is so; the blockers, and the warnings.
CASES: dict[str, tuple[RebootFacts, list[str], list[str]]] = {
    "one runs": (facts(), [], WELL),
    "none is there": (facts(a_node()), [], []),
    "one is off": (with_one("SHUTOFF"), [], []),
    "one is suspended, and on its disk": (with_guest("shut off", "SUSPENDED"), [], []),
    "one is paused": (with_one("PAUSED"), ["memory-lost"], []),
    "one is rescued": (with_one("RESCUE", vm_state="rescued"), ["memory-lost"], []),
    "one awaits a confirmation": (
        with_one("VERIFY_RESIZE", vm_state="resized"), ["memory-lost"], [],
    ),
    "one is in ERROR": (with_one("ERROR"), ["memory-lost"], []),
    "Nova works on one": (with_one(task_state="rebooting"), ["busy"], WELL),
    "one runs, and Nova calls it off": (with_guest("running", "SHUTOFF"), ["differs"], []),
    "one is off, and Nova calls it ACTIVE": (with_guest("shut off"), ["differs"], WELL),
    "one has switched itself off, and Nova knows": (
        with_one(power_state=4), ["differs"], [],
    ),
    "one has no guest": (with_guest(None), ["differs"], WELL),
    "one is locked": (with_one(is_locked=True), [], [*WELL, "locked"]),
    "an owner wishes to be asked": (facts(a_node(wishing("ask"))), ["wish"], WELL),
    "an owner wishes no downtime": (facts(a_node(wishing("live"))), ["wish"], WELL),
    "an owner allows downtime": (facts(a_node(wishing("cold"))), [], WELL),
    "an owner's wish is not known": (facts(a_node(wishing("?"))), ["wish-unknown"], WELL),
    "an owner who wishes to be asked has it off": (
        facts(a_node(wishing("ask", "SHUTOFF"))), [], [],
    ),
    "its tier is not known": (
        with_one(flavor=a_flavor(stackward__tier="x")), [], [*WELL, "unknown-tier"],
    ),
    "Stackward runs there": (facts(is_own_machine=True), ["own-machine"], WELL),
    "a run has it": (
        facts(holders=(Holder(run="01D", title="drain", state="running"),)), ["held"], WELL,
    ),
    "it is in maintenance": (
        facts(kept_off(claiming_run=RunState.SUCCEEDED)),
        ["in-maintenance"], [],
    ),
    "somebody has disabled it": (
        facts(a_node(service=a_service(is_enabled=False, disabled_reason="mine"))),
        ["claimed"], [],
    ),
    "another run has claimed it": (
        facts(claimed(claiming_run=RunState.STOPPED)), ["run-unfinished"], [],
    ),
    "an earlier reboot has left its server off": (
        facts(a_node(OFF), listed=LISTED, left_off=(OFF,)), ["left-off"], [],
    ),
    "the list that is there is of a reboot that ended well": (facts(listed=LISTED), [], WELL),
    "the list that is there is torn": (facts(listed=Torn("x")), [], ["list-torn", *WELL]),
    "the list that is there cannot be read": (
        facts(listed=Unread("denied")), ["list-unread"], WELL,
    ),
    "its nova-compute is down": (
        facts(a_node(service=a_service(is_up=False))), ["node-down"], [],
    ),
    "it does not answer": (
        facts(a_node(domains=SILENT), booted=SILENT), ["domains-unreached"], [],
    ),
    "when it booted cannot be read": (
        facts(a_node(), booted=Unread("denied")), ["boot-unread"], [],
    ),
    "a container runs its nova-compute": (
        facts(a_node(running_as=IN_A_CONTAINER)), ["not-a-unit"], [],
    ),
    "it has no such unit": (
        facts(a_node(running_as=RunningAs(unit_load="not-found"))), ["not-a-unit"], [],
    ),
    "what runs its nova-compute is not known": (
        facts(a_node(running_as=Unread("denied"))), ["processes-unread"], [],
    ),
}  # fmt: skip


def named(verdicts: Sequence[Blocked | Warned]) -> list[str]:
    return [each.worry.rpartition("/")[2] for each in verdicts]


@pytest.mark.parametrize("name", CASES)
def test_what_stands_against_a_reboot(name: str) -> None:
    given, blockers, warnings = CASES[name]

    plan = plan_reboot(given, ASKED)

    assert named(plan.blockers) == blockers
    assert named(plan.warnings) == warnings


def test_a_hypervisor_without_domains_is_refused() -> None:
    node = a_node()
    fake = replace(node, hypervisor=replace(node.hypervisor, kind="fake"))

    assert named(plan_reboot(facts(fake), ASKED).blockers) == ["no-libvirt"]


def test_an_owner_who_agrees_is_on_record_and_one_who_was_not_asked_is_a_slip() -> None:
    asks = facts(a_node(wishing("ask")))

    agrees = plan_reboot(asks, AGREED)
    slip = plan_reboot(facts(), AGREED)

    assert named(agrees.blockers) == []
    assert "the owner has agreed: CHG-77" in agrees.warnings[1].reason
    assert named(slip.blockers) == ["unknown-consent"]


def tiered(name: str, tier: str, **metadata: str) -> Server:
    pairs = tuple((f"stackward:{key}", value) for key, value in metadata.items())
    return a_server(name=name, flavor=a_flavor(stackward__tier=tier), metadata=pairs)


def test_the_last_tier_is_stopped_first_and_started_last() -> None:
    servers = (
        tiered("web-1", "web"), tiered("db-1", "database", priority="2"),
        tiered("db-0", "database", priority="1"), a_server("SHUTOFF", name="old-1"),
    )  # fmt: skip

    plan = plan_reboot(facts(a_node(*servers)), replace(ASKED, tiers=("database", "web")))

    assert [(stage.name, [each.thing for each in stage.moves]) for stage in plan.stages] == [
        ("cordon", [HOST]),
        ("list who runs", [HOST]),
        ("stop tier web, priority none", ["web-1"]),
        ("stop tier database, priority 2", ["db-1"]),
        ("stop tier database, priority 1", ["db-0"]),
        ("reboot", [HOST]),
        ("start", [HOST]),
        ("uncordon", [HOST]),
        ("tier database, priority 1", ["db-0"]),
        ("tier database, priority 2", ["db-1"]),
        ("tier web, priority none", ["web-1"]),
    ]
    assert plan.notices[-1] == "`old-1` stays as it is (SHUTOFF)"


def test_nothing_is_stopped_before_arrivals_are_waited_for_and_the_list_is_written() -> None:
    stages = {each.name: each for each in plan_reboot(facts(), ASKED).stages}

    assert [each.kind for each in stages["list who runs"].needs] == ["is-cordoned", "no-arrivals"]
    assert [each.kind for each in stages["reboot"].needs] == ["is-cordoned", "nothing-runs"]
    assert "serves-rpc" in [each.kind for each in stages["uncordon"].needs]


@pytest.mark.parametrize(
    ("told", "stages"),
    [(False, ["instance HA off", "instance HA on"]), (True, [])],
)
def test_instance_ha_is_told_unless_others_have(*, told: bool, stages: list[str]) -> None:
    entry = HaHost(id="e", segment="s", host=HOST, is_in_maintenance=told)

    plan = plan_reboot(facts(a_node(ONE, ha_hosts=(entry,))), ASKED)

    assert [each.name for each in plan.stages if "instance HA" in each.name] == stages


def test_the_time_that_an_image_gives_its_guest_to_shut_down_is_said() -> None:
    slow = a_server(image_properties=(("os_shutdown_timeout", "180"),))

    plan = plan_reboot(facts(a_node(slow)), ASKED)

    assert "`db-01` has 180 s to shut down, by its image" in plan.notices


def test_the_end_proves_who_ran_the_service_and_the_kernel() -> None:
    kinds = [each.kind for each in plan_reboot(facts(), ASKED).verify]
    of_none = [each.kind for each in plan_reboot(facts(a_node()), ASKED).verify]

    assert kinds == ["runs-chosen-kernel", "in-service", "node-is-well", "all-run"]
    assert of_none == kinds[:-1]


def test_a_later_reading_of_the_same_node_is_the_same_plan() -> None:
    later = facts(replace(a_node(ONE), read_at=NOW + timedelta(minutes=3)))

    assert plan_reboot(later, ASKED).stages == plan_reboot(facts(), ASKED).stages


# --- of a node that was drained -----------------------------------------------------------------

EMPTY = replace(ASKED, is_drained=True)
DRAINED = {
    "it is to be drained": (facts(a_node(), is_foreseen=True), []),
    "it is to be drained, and an earlier reboot has left its server off": (
        facts(a_node(), is_foreseen=True, listed=LISTED, left_off=(OFF,)), ["left-off"],
    ),
    "it was drained": (facts(kept_off(claiming_run=RunState.SUCCEEDED)), []),
    "a server is there": (
        facts(kept_off(ONE, claiming_run=RunState.SUCCEEDED)), ["not-drained"],
    ),
    "somebody has put it into service": (facts(a_node()), ["not-drained"]),
    "its drain goes on": (facts(kept_off(claiming_run=RunState.RUNNING)), ["not-drained"]),
    "when it booted cannot be read": (
        facts(kept_off(claiming_run=RunState.SUCCEEDED), booted=Unread("denied")), ["boot-unread"],
    ),
    "it does not answer": (
        facts(kept_off(claiming_run=RunState.SUCCEEDED, domains=SILENT), booted=SILENT),
        ["domains-unreached"],
    ),
    "Stackward runs there": (
        facts(kept_off(claiming_run=RunState.SUCCEEDED), is_own_machine=True), ["own-machine"],
    ),
    "a run has it": (
        facts(
            kept_off(claiming_run=RunState.SUCCEEDED),
            holders=(Holder(run="01D", title="return", state="running"),),
        ),
        ["held"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAINED)
def test_what_stands_against_the_reboot_of_an_empty_node(name: str) -> None:
    given, blockers = DRAINED[name]

    assert named(plan_reboot(given, EMPTY).blockers) == blockers


def test_an_empty_node_is_rebooted_only_while_it_is_empty_and_stays_out_of_service() -> None:
    plan = plan_reboot(facts(kept_off(claiming_run=RunState.SUCCEEDED)), EMPTY)

    assert [each.name for each in plan.stages] == ["list who runs", "reboot"]
    needed = {check.kind for each in plan.stages for check in each.needs}
    assert needed == {"no-servers-on", "nothing-runs"}
    assert [each.kind for each in plan.verify] == [
        "runs-chosen-kernel", "no-servers-on", "node-is-well",
    ]  # fmt: skip


# --- of several nodes ---------------------------------------------------------------------------


def apart(policy: str) -> tuple[RebootFacts, RebootFacts]:
    """Return two nodes, each with a server that runs; both are of one group."""
    group = a_group(policy, members=(an_id("db-01"), an_id("db-02")))
    first = facts(a_node(a_server(group=group)))
    second = a_node(a_server(name="db-02", host="compute-08", group=group))
    return first, facts(replace(second, name="compute-08", host="compute-08"))


@pytest.mark.parametrize(
    ("policy", "at_once", "named"),
    [
        ("anti-affinity", 2, [HOST]),
        ("soft-anti-affinity", 2, [HOST]),
        ("anti-affinity", 1, None),
        ("affinity", 2, None),
    ],
)
def test_nodes_with_members_of_a_group_apart_name_each_other(
    policy: str, at_once: int, named: list[str] | None
) -> None:
    asked = replace(ASKED, nodes_at_once=at_once)

    first, second = plan_reboots(apart(policy), (asked, asked))

    assert (first.facts.get(APART), second.facts.get(APART)) == (None, named)
    assert [*first.blockers, *second.blockers] == []
    assert ("never down at the same time" in " ".join(second.notices)) == (named is not None)


def test_a_member_whose_node_another_run_reboots_refuses_it() -> None:
    [given, _] = apart("anti-affinity")
    there = MemberDown(here=given.running[0], there="2b7e", node="compute-08", run="01R")

    [blocker] = plan_reboot(replace(given, apart=(there,)), ASKED).blockers

    assert blocker.worry == "boot/apart"
    assert "server 2b7e on `compute-08` are in the anti-affinity group `pair`" in blocker.reason
    assert "`stackward run show 01R`" in blocker.remedy


def test_a_member_that_a_reboot_has_left_off_refuses_it_though_that_is_over() -> None:
    [given, _] = apart("soft-anti-affinity")
    there = MemberDown(
        here=given.running[0], there="2b7e", node="compute-08", run="01R", ended=RunState.FAILED
    )

    [blocker] = plan_reboot(replace(given, apart=(there,)), ASKED).blockers

    assert blocker.worry == "boot/apart-left-off"
    assert "run 01R, which is failed, has stopped 2b7e, and it is still off" in blocker.reason
    assert "`stackward node recover compute-08`" in blocker.remedy


def test_a_member_in_a_cell_that_is_down_is_named_and_refuses_it_beside_another_reboot() -> None:
    [given, _] = apart("anti-affinity")
    alone = MembersUnseen(here=given.running[0], count=1)
    beside = replace(alone, run="01R", node="compute-08")

    told = plan_reboot(replace(given, unseen=(alone,)), ASKED)
    [blocker] = plan_reboot(replace(given, unseen=(beside,)), ASKED).blockers

    assert told.blockers == ()
    assert "where 1 member runs is not known, as their cell is down" in " ".join(told.notices)
    assert blocker.worry == "boot/apart-unseen"
    assert "the cell of 1 member is down, and run 01R" in blocker.reason


@pytest.mark.parametrize("asked", [ASKED, replace(ASKED, is_drained=True)])
@pytest.mark.parametrize(
    ("domain", "at_once", "told", "blockers"),
    [
        ("rack-4", 2, "rack-4", []),
        ("rack-4", 1, None, []),
        (Unread("it is a template"), 2, None, ["domain-unread"]),
        (Unread("it is a template"), 1, None, []),
    ],
)
def test_its_failure_domain_is_told_where_others_may_be_down_beside_it(
    asked: RebootNodeRequest,
    domain: str | Unread,
    at_once: int,
    told: str | None,
    blockers: list[str],
) -> None:
    given = facts(replace(a_node(), failure_domain=domain), is_foreseen=True)

    plan = plan_reboot(given, replace(asked, nodes_at_once=at_once))

    assert (plan.facts.get(DOMAIN), named(plan.blockers)) == (told, blockers)


def test_two_empty_nodes_may_be_down_together() -> None:
    asked = replace(EMPTY, nodes_at_once=2)
    foreseen = [replace(each, is_foreseen=True) for each in apart("anti-affinity")]

    plans = plan_reboots(foreseen, (asked, asked))

    assert [(each.blockers, each.facts.get(APART)) for each in plans] == [((), None)] * 2
