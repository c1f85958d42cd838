"""Reading a compute node, in as many calls as its own servers need."""

from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from builders import a_flavor, a_group, a_server, a_service, an_id, asking
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.errors import BadInput, Unreachable
from stackward.facts.compute import read_compute_node
from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.model.stalled_move import Guest
from stackward.model.unread import Hindrance, Unread
from stackward.model.volume import Volume
from stackward.operations.drain_compute_node.plan import plan_drain


def a_cloud(servers: int = 2, nodes: int = 3, flavors: int = 1) -> FakeCloud:
    cloud = FakeCloud(FakeNova(hosts=tuple(f"compute-{n:02}" for n in range(7, 7 + nodes))))
    cloud.nova.add(
        *(
            a_server(name=f"web-{n}", flavor=a_flavor(ram_mib=1024 * (1 + n % flavors)))
            for n in range(servers)
        )
    )
    return cloud


def calls(cloud: FakeCloud) -> int:
    read_compute_node(a_world(cloud), "compute-07")
    return sum(cloud.calls.values())


def test_the_calls_do_not_grow_with_the_cloud() -> None:
    assert calls(a_cloud(nodes=3)) == calls(a_cloud(nodes=2000))


def test_the_calls_grow_by_two_for_each_server_here() -> None:
    """One for itself, and one for its port."""
    assert calls(a_cloud(servers=12)) - calls(a_cloud(servers=2)) == 20


def test_one_server_is_read_in_as_many_calls_on_a_full_node_as_on_an_empty_one() -> None:
    def calls_for_one(cloud: FakeCloud) -> int:
        facts = read_compute_node(a_world(cloud), "compute-07", only=an_id("web-0"))
        assert [server.name for server in facts.servers] == ["web-0"]
        return sum(cloud.calls.values())

    assert calls_for_one(a_cloud(servers=200)) == calls_for_one(a_cloud(servers=1))


def test_the_calls_grow_by_one_for_each_distinct_flavor() -> None:
    assert calls(a_cloud(servers=8, flavors=4)) - calls(a_cloud(servers=8)) == 3


class CellGoesDown(FakeNova):
    """A Nova that loses the cell of a node after its service was read, before its servers are."""

    @override
    def servers_on(self, host: str, /) -> tuple[Server, ...]:
        self.cells_down = {host}
        return super().servers_on(host)


def test_a_list_that_a_cell_which_has_just_gone_down_is_missing_from_is_not_no_servers() -> None:
    """Nova says nothing of it: the node would have been drained of nothing, and called empty."""
    cloud = FakeCloud(CellGoesDown())
    cloud.nova.add(a_server(name="web-1"))

    with pytest.raises(Unreachable, match="`compute-07`: its cell is down"):
        read_compute_node(a_world(cloud), "compute-07")


def test_a_server_is_read_with_its_ports_volumes_and_group() -> None:
    cloud = a_cloud(servers=0)
    cloud.nova.groups["g"] = replace(
        a_group("anti-affinity"), id="g", members=(an_id("db-01"), an_id("db-02"))
    )
    cloud.cinder.volumes["v"] = Volume(id="v")
    cloud.nova.add(
        a_server(volume_ids=("v",), group_id="g"), a_server(name="db-02", host="compute-08")
    )

    [server] = read_compute_node(a_world(cloud), "compute-07").servers

    assert [port.host for port in server.ports] == ["compute-07"]
    [volume] = server.volumes
    assert (volume.id, volume.attached) == ("v", ((server.id, "compute-07"),))
    assert len(volume.attachment_ids) == 1
    assert server.group is not None
    assert server.group.elsewhere == ((an_id("db-02"), "compute-08"),)


def test_candidates_are_the_other_nodes_with_the_state_of_their_service() -> None:
    cloud = a_cloud(servers=1)
    cloud.nova.computes["compute-09"] = a_service("compute-09", is_up=False)

    [found] = read_compute_node(a_world(cloud), "compute-07").candidates.values()

    assert [(each.host, each.is_usable) for each in found] == [
        ("compute-08", True),
        ("compute-09", False),
    ]


def test_a_resize_that_awaits_confirmation_elsewhere_is_found() -> None:
    cloud = a_cloud(servers=0)
    away = a_server("VERIFY_RESIZE", name="away", host="compute-08")
    cloud.nova.add(away)
    cloud.nova.migrations.append(
        Migration(
            id=1,
            uuid="m",
            server=away.id,
            kind="resize",
            status="finished",
            source="compute-07",
            target="compute-08",
        )
    )

    node = read_compute_node(a_world(cloud), "compute-07")

    assert [server.name for server, _ in node.resizing_away] == ["away"]


def a_move(cloud: FakeCloud, **changes: Any) -> None:  # noqa: ANN401  # any field
    """Begin a move of `web-0`; nothing happens in it."""
    cloud.nova.live_migrate(an_id("web-0"), "compute-08")
    cloud.nova.migrations[0] = replace(cloud.nova.migrations[0], **changes)


def test_a_move_in_which_nothing_happens_is_looked_at_closely() -> None:
    cloud = a_cloud()
    a_move(cloud, updated="2026-11-22T02:00:00.000000")

    [stalled] = read_compute_node(a_world(cloud), "compute-07").stalled_moves.values()

    assert stalled.quiet_s == 3600
    assert stalled.guests == (
        Guest(node="compute-07", state="running"),
        Guest(node="compute-08", state=None),
    )


def bound_to(server: Server, host: str) -> Server:
    """Return a server whose ports are bound on a host."""
    return replace(server, ports=tuple(replace(port, host=host) for port in server.ports))


def test_completed_while_still_migrating_is_handed_over_with_where_the_guest_runs() -> None:
    """F04: the record has ended, the server is MIGRATING, the guest runs on the target."""
    cloud = a_cloud(servers=1)
    a_move(cloud, status="completed", updated="2026-11-22T02:00:00.000000")
    server = cloud.nova.known[an_id("web-0")]
    cloud.nova.known[server.id] = replace(
        server, status="MIGRATING", updated="2026-11-22T02:00:00Z", task_state="migrating"
    )
    shell = FakeShell(cloud, domains={("compute-08", server.id): "running"})
    shell.without.add(("compute-07", server.id))
    read = read_compute_node(a_world(cloud, shell), "compute-07")

    node = replace(read, servers=tuple(bound_to(each, "compute-08") for each in read.servers))
    [blocker] = plan_drain(node, asking()).blockers

    assert node.stalled_moves[server.id].migration == cloud.nova.migrations[0]
    assert blocker.worry == "stuck"
    assert "is stuck (completed-not-moved): its migration 1 is `completed`" in blocker.reason
    assert "running on `compute-08`" in blocker.reason
    assert "never start, reboot or reset the server" in blocker.remedy
    assert "restart nova-compute" not in blocker.remedy
    assert "--state active" not in blocker.remedy


def test_a_task_without_any_record_of_its_own_asks_where_the_server_once_was() -> None:
    cloud = a_cloud(servers=1)
    a_move(cloud, status="error")
    cloud.nova.known[an_id("web-0")] = replace(
        cloud.nova.known[an_id("web-0")], updated="2026-11-22T02:00:00Z"
    )

    [stalled] = read_compute_node(a_world(cloud), "compute-07").stalled_moves.values()

    assert stalled.migration is None
    assert isinstance(stalled.guests, tuple)
    assert [guest.node for guest in stalled.guests] == ["compute-07", "compute-08"]


def test_a_record_whose_server_is_at_rest_is_looked_at_closely() -> None:
    """Its server may be on another node by now."""
    cloud = a_cloud()
    a_move(cloud)
    server = cloud.nova.known[an_id("web-0")]
    cloud.nova.known[server.id] = replace(server, task_state=None, host="compute-09")

    node = read_compute_node(a_world(cloud), "compute-07")

    assert {*node.stalled_moves} == {server.id}


def test_a_guest_that_is_not_here_is_sought_where_its_server_was_once_moved() -> None:
    """Libvirt ended the live migration, and Nova did not."""
    cloud = a_cloud(servers=1)
    a_move(cloud, status="error")
    server = cloud.nova.known[an_id("web-0")]
    cloud.nova.known[server.id] = replace(server, task_state=None)
    shell = FakeShell(cloud, domains={("compute-08", server.id): "running"})
    shell.without.add(("compute-07", server.id))

    node = read_compute_node(a_world(cloud, shell), "compute-07")

    assert node.guest_locations == {server.id: (Guest(node="compute-08", state="running"),)}


def test_a_binding_that_a_move_has_left_behind_is_read() -> None:
    cloud = a_cloud(servers=1)
    port = cloud.nova.known[an_id("web-0")].ports[0].id
    cloud.neutron.bound[port] = (("compute-07", "ACTIVE"), ("compute-09", "INACTIVE"))

    [server] = read_compute_node(a_world(cloud), "compute-07").servers

    assert server.ports[0].left_on == ("compute-09",)


def test_a_record_of_a_server_that_was_deleted_is_past() -> None:
    cloud = a_cloud()
    a_move(cloud)
    del cloud.nova.known[an_id("web-0")]

    assert read_compute_node(a_world(cloud), "compute-07").migrations == ()


def test_a_node_that_does_not_answer_is_read_all_the_same() -> None:
    cloud = a_cloud()
    shell = FakeShell(cloud, silent={"compute-07"})

    node = read_compute_node(a_world(cloud, shell), "compute-07")

    assert node.domains == Unread(
        "cannot log in to `compute-07`: No route to host",
        Hindrance.WAY,
        "see how far ssh comes: `ssh -v compute-07 true`",
    )


def test_a_node_without_virsh_is_told_from_one_whose_libvirt_does_not_answer() -> None:
    cloud = a_cloud()
    lacking = FakeShell(cloud, without_virsh={"compute-07"})
    down = FakeShell(cloud, libvirt_down={"compute-07"})

    read = [read_compute_node(a_world(cloud, shell), "compute-07") for shell in (lacking, down)]

    assert [node.domains for node in read] == [
        Unread("`virsh` is not there", Hindrance.LACKING),
        Unread("`virsh list` says: error: failed to connect to the hypervisor"),
    ]


def test_fake_hypervisors_have_no_domains() -> None:
    cloud = a_cloud()
    cloud.nova.kind = "fake"

    assert read_compute_node(a_world(cloud), "compute-07").domains == ()


def test_what_else_the_machine_does_is_read() -> None:
    cloud = a_cloud()
    cloud.neutron.agents["compute-07"] = ("OVN Controller Gateway agent", "L3 agent")

    node = read_compute_node(a_world(cloud), "compute-07")

    assert [role.name for role in node.roles] == ["OVN gateway", "L3 agent"]


def test_an_unknown_node_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="there is no compute node `compute-77`") as caught:
        read_compute_node(a_world(a_cloud()), "compute-77")

    assert caught.value.hint == "the compute nodes are `compute-07`, `compute-08`, `compute-09`"


def test_a_controller_is_refused_as_no_compute_node() -> None:
    cloud = a_cloud()
    del cloud.nova.computes["compute-09"]

    with pytest.raises(BadInput, match="Nova has no host for `compute-09`"):
        read_compute_node(a_world(cloud), "compute-09")


def test_f29_the_file_system_of_the_disks_own_path_is_read() -> None:
    """`instances_path` is set to a directory on NFS; the usual place is an ordinary disk."""
    own = "/mnt/nova-nfs/instances"
    cloud = a_cloud()
    shell = FakeShell(cloud, instances_path=own, filesystems={own: "nfs4"})

    node = read_compute_node(a_world(cloud, shell), "compute-07")

    assert (node.instances_filesystem, node.other_filesystems) == ("ext4", {own: "nfs4"})
    assert [each.worry for each in plan_drain(node, asking()).warnings] == []
