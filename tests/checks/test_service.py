"""Checks tell whether a node can run servers, and whether it is in service."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from builders import a_server, an_id
from checks.test_listening import Reports
from fakes.cloud import FakeCloud
from fakes.neutron import FakeNeutron
from fakes.nova import FakeNova
from fakes.shell import IN_A_CONTAINER, FakeShell
from fakes.world import a_world
from stackward.checks.compute import AreOn
from stackward.checks.service import (
    HasInventory,
    InService,
    IsKeptOff,
    IsUp,
    LibvirtAnswers,
    NetworkAgentsAlive,
    NoAcceptanceServer,
    ServesRpc,
)
from stackward.errors import Unreachable
from stackward.model.acceptance import NewServer
from stackward.model.compute_process import UNIT
from stackward.plan import Check, Holds, NotApplicable, Refuted, Unverified
from stackward.plan.stored import decided

HOST, PROVIDER = "compute-07", an_id("compute-07")
ALL: list[Check] = [
    ServesRpc(host=HOST, hypervisor=PROVIDER),
    IsUp(host=HOST),
    LibvirtAnswers(host=HOST, node=HOST),
    HasInventory(host=HOST, provider=PROVIDER),
    NetworkAgentsAlive(host=HOST),
    InService(host=HOST, provider=PROVIDER),
    NoAcceptanceServer(host=HOST),
]
RPC, UP, LIBVIRT, INVENTORY, AGENTS, SERVICE, NONE_LEFT = ALL


def a_cloud() -> FakeCloud:
    return FakeCloud(neutron=FakeNeutron(agents={HOST: ("OVN Controller agent",)}))


def kind_of(check: Check) -> str:
    return check.kind


@pytest.mark.parametrize("check", ALL, ids=kind_of)
def test_a_node_in_service_passes(check: Check) -> None:
    assert isinstance(check.ask(a_world(a_cloud())), Holds)


def down(cloud: FakeCloud) -> None:
    cloud.nova.computes[HOST] = replace(cloud.nova.computes[HOST], is_up=False)


def gone(cloud: FakeCloud) -> None:
    del cloud.nova.computes[HOST]


def empty(cloud: FakeCloud) -> None:
    cloud.placement.inventories = {}


def silent(cloud: FakeCloud) -> None:
    cloud.neutron.silent_agents.add(HOST)


def disabled(cloud: FakeCloud) -> None:
    cloud.nova.disable_service(cloud.nova.computes[HOST].id, "broken fan")


def hidden(cloud: FakeCloud) -> None:
    cloud.placement.traits[HOST] = {"COMPUTE_STATUS_DISABLED"}


def left(cloud: FakeCloud) -> None:
    cloud.nova.create_server(
        NewServer(
            name="stackward-acceptance-01j9",
            host=HOST,
            zone="nova",
            image="i",
            flavor="f",
            network=None,
        )
    )


@pytest.mark.parametrize(
    ("check", "spoil"),
    [
        pytest.param(UP, down, id="down"),
        pytest.param(UP, gone, id="no such service"),
        pytest.param(INVENTORY, empty, id="no inventory"),
        pytest.param(AGENTS, silent, id="a silent agent"),
        pytest.param(SERVICE, disabled, id="disabled"),
        pytest.param(SERVICE, down, id="in service, but down"),
        pytest.param(SERVICE, hidden, id="hidden by placement"),
        pytest.param(NONE_LEFT, left, id="an acceptance server is left"),
    ],
)
def test_what_is_not_so_is_found(check: Check, spoil: Callable[[FakeCloud], None]) -> None:
    cloud = a_cloud()
    spoil(cloud)

    assert isinstance(check.ask(a_world(cloud)), Refuted)


@pytest.mark.parametrize("check", [UP, SERVICE], ids=kind_of)
def test_a_service_whose_cell_is_down_is_neither_down_nor_disabled(check: Check) -> None:
    cloud = a_cloud()
    cloud.nova.cells_down.add(HOST)

    with pytest.raises(
        Unreachable, match=f"nothing is known of the host `{HOST}`: its cell is down"
    ):
        check.ask(a_world(cloud))


def test_a_nova_compute_without_rpc_is_unverified_although_it_is_up() -> None:
    cloud = a_cloud()
    cloud.nova.without_rpc.add(HOST)

    assert (type(UP.ask(a_world(cloud))), type(RPC.ask(a_world(cloud)))) == (Holds, Unverified)


def test_libvirt_that_answers_with_an_error_is_found() -> None:
    cloud = a_cloud()

    answer = LIBVIRT.ask(a_world(cloud, FakeShell(cloud, libvirt_down={HOST})))

    assert isinstance(answer, Refuted)
    assert "failed to connect" in answer.reason


def test_libvirt_on_a_silent_node_is_unverified() -> None:
    cloud = a_cloud()

    answer = LIBVIRT.ask(a_world(cloud, FakeShell(cloud, silent={HOST})))

    assert isinstance(answer, Unverified)


@pytest.mark.parametrize(
    ("check", "cloud"),
    [
        pytest.param(LIBVIRT, FakeCloud(FakeNova(kind="fake")), id="a hypervisor without libvirt"),
        pytest.param(AGENTS, FakeCloud(), id="a node without network agents"),
    ],
)
def test_what_a_node_does_not_have_is_not_applicable(check: Check, cloud: FakeCloud) -> None:
    assert isinstance(check.ask(a_world(cloud)), NotApplicable)


@pytest.mark.parametrize(
    ("hosts", "answer"),
    [
        pytest.param({"db-01": HOST, "db-02": HOST}, Holds, id="home"),
        pytest.param({"db-01": HOST, "db-02": "compute-08"}, Refuted, id="one elsewhere"),
        pytest.param({"db-01": "compute-08"}, Refuted, id="one elsewhere, one deleted"),
        pytest.param({"db-01": HOST}, NotApplicable, id="one deleted meanwhile: it is named"),
    ],
)
def test_servers_are_home_unless_one_is_elsewhere(hosts: dict[str, str], answer: type) -> None:
    cloud = FakeCloud()
    cloud.nova.add(*(a_server(name=name, host=host) for name, host in hosts.items()))

    found = AreOn(host=HOST, servers=(an_id("db-01"), an_id("db-02"))).ask(a_world(cloud))

    assert type(found) is answer
    assert not isinstance(found, NotApplicable) or found.thing == an_id("db-02")


def test_a_server_whose_cell_is_down_is_not_elsewhere() -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server(name="db-01", status="UNKNOWN", host=None))

    with pytest.raises(Unreachable, match="nothing is known of `db-01`: its cell is down"):
        AreOn(host=HOST, servers=(an_id("db-01"),)).ask(a_world(cloud))


# --- kept off ---


def off(*processes: str) -> FakeShell:
    shell = FakeShell(a_cloud())
    shell.run(HOST, ["systemctl", "mask", UNIT])
    shell.run(HOST, ["systemctl", "stop", UNIT])
    shell.processes[HOST] = [*processes]
    return shell


def test_a_nova_compute_of_which_nothing_runs_is_off() -> None:
    shell = off()

    answer = IsKeptOff(node=HOST).ask(a_world(shell.cloud, shell))

    assert isinstance(answer, Holds)
    assert "`ps` shows no nova-compute" in answer.read


def test_a_masked_and_inactive_unit_proves_nothing_while_a_container_runs() -> None:
    shell = off(IN_A_CONTAINER)

    answer = IsKeptOff(node=HOST).ask(a_world(shell.cloud, shell))

    assert isinstance(answer, Refuted)
    assert "in a container (docker 4f5e6a7b8c9d)" in answer.reason


def test_one_that_nothing_shows_and_nova_still_hears_from_is_not_off() -> None:
    """In a container whose processes are hidden from `ps`, or on another machine of that name."""
    shell = off()
    world = a_world(shell.cloud, shell)
    Reports(world, {("nova-compute", HOST): 10.0, ("nova-compute", "compute-08"): 10.0}).begin()

    answer = IsKeptOff(node=HOST, host=HOST).ask(world)

    assert isinstance(answer, Refuted)
    assert "Nova hears from its nova-compute still" in answer.reason
    assert "although its unit is inactive and `ps` shows none" in answer.reason


def test_one_of_which_nova_tells_nothing_new_and_of_others_neither_is_unverified() -> None:
    shell = off()
    world = a_world(shell.cloud, shell)
    Reports(world, {}).begin()

    answer = IsKeptOff(node=HOST, host=HOST).ask(world)

    assert isinstance(answer, Unverified)
    assert f"`openstack compute service list --host {HOST}`" in (answer.remedy or "")


def test_hidden_processes_leave_it_unverified() -> None:
    shell = off()
    shell.hides_processes.add(HOST)

    assert isinstance(IsKeptOff(node=HOST).ask(a_world(shell.cloud, shell)), Unverified)


def test_a_plan_of_an_older_version_is_not_stale_for_what_it_does_not_say() -> None:
    """Seen: a drain that was approved before an upgrade was refused after it."""
    assert decided(IsKeptOff(node=HOST)) == decided(IsKeptOff(node=HOST, host=HOST))
