"""Servers are real, and the adapters keep the contracts that the fakes keep.

The guests are the witnesses: what they tell on their consoles cannot be had from Nova's records.
The contract is the one that the fakes are asked (tests/contract): its tests act themselves.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from contract.cloud import CloudAtWork, CloudContract
from contract.shell import ShellAtWork, ShellContract
from lab.stage import Stage, scene
from real_lab import RealLab, allow_bindings, until
from stackward.adapters.inventory import read_inventory
from stackward.adapters.openstack import OpenStackCloud
from stackward.adapters.ssh import Ssh
from stackward.errors import Uncertain
from stackward.lab.client import connect
from stackward.lab.guest import Console, Tick, read_console
from stackward.lab.load import attach_volume, wait_status, wait_volume
from stackward.model.maintenance import DROP_IN, MAINTENANCE

ADDRESSES = {
    "witness-1": "192.168.50.11",
    "witness-2": "192.168.50.97",
    "witness-3": "192.168.50.13",
}


@dataclass(frozen=True, kw_only=True)
class Witnesses:
    """Three servers, two of them on one node, and what was seen of them."""

    lab: RealLab
    ids: dict[str, str]
    places: dict[str, str]
    seen: dict[str, Any]  # as Nova sees them
    domains: dict[str, str]
    addresses: dict[str, tuple[str, ...]]
    mtu: int | None
    consoles: dict[str, Console]
    shown: Console
    ticks: tuple[Tick, Tick]
    attached: Tick
    detached: Tick


@scene(budget_s=180)
def witnesses(stage: Stage) -> Generator[Witnesses]:
    """Boot three servers: they run where they were asked for, and reach each other."""
    lab, drains, (one, another, _) = stage.lab, stage.drains, stage.nodes
    stage.all_in_service()
    drains.remove_left_over("witness-")
    stage.begins()
    places = {"witness-1": one, "witness-2": another, "witness-3": one}
    ids = {name: drains.boot(name, node, address=ADDRESSES[name]) for name, node in places.items()}
    drains.wait_for_guests(ids.values())
    first = lab.tick(ids["witness-3"])
    volume = attach_volume(lab.cloud, lab.server(ids["witness-3"]))
    addresses = {
        name: lab.tick(each, lambda tick: tick.addresses != ()).addresses
        for name, each in ids.items()
    }
    pair = {"witness-1": "witness-2", "witness-2": "witness-1"}
    consoles = {
        name: until(lambda name=name, to=to: hears(lab.console(ids[name]), ADDRESSES[to]))  # type: ignore[misc]
        for name, to in pair.items()
    }
    attached = lab.tick(ids["witness-3"], lambda tick: tick.disk("vdb") is not None)
    lab.cloud.compute.delete_volume_attachment(ids["witness-3"], volume.id)
    wait_volume(lab.cloud, volume.id, "available")
    detached = lab.tick(ids["witness-3"], lambda tick: tick.disk("vdb") is None)
    lab.cloud.block_storage.delete_volume(volume.id)
    seen = {name: lab.server(each) for name, each in ids.items()}
    drains.stop(ids["witness-3"])
    yield Witnesses(
        lab=lab,
        ids=ids,
        places=places,
        seen=seen,
        domains={**lab.domains(one), **lab.domains(another)},
        addresses=addresses,
        mtu=until(lambda: lab.console(ids["witness-1"]).mtu),
        consoles=consoles,
        shown=read_console(lab.run("console", "witness-1")),
        ticks=(first, detached),
        attached=attached,
        detached=detached,
    )
    drains.remove(*ids.values())


def hears(console: Console, address: str) -> Console | None:
    """Return a console where it tells that its guest reaches that address by ping and by TCP."""
    return console if address in console.peers and address in console.tcp_peers else None


def test_servers_are_on_the_nodes_that_were_named(witnesses: Witnesses) -> None:
    seen = witnesses.seen

    assert {name: each.status for name, each in seen.items()} == dict.fromkeys(ADDRESSES, "ACTIVE")
    assert {name: each.hypervisor_hostname for name, each in seen.items()} == witnesses.places
    assert {name: witnesses.domains[each.instance_name] for name, each in seen.items()} == {
        "witness-1": "running",
        "witness-2": "running",
        "witness-3": "shut off",
    }


def test_a_guest_has_the_address_that_nova_tells(witnesses: Witnesses) -> None:
    assert witnesses.addresses == {name: (each,) for name, each in ADDRESSES.items()}


def test_a_guest_is_told_the_tunnels_mtu(witnesses: Witnesses) -> None:
    assert witnesses.mtu == 1442


def test_guests_reach_each_other_across_nodes_by_ping_and_by_tcp(witnesses: Witnesses) -> None:
    """By TCP: 64 KiB arrived whole, with the boot id of the guest on the other node in front."""
    reached = {name: set(console.tcp_peers) for name, console in witnesses.consoles.items()}

    assert ADDRESSES["witness-2"] in reached["witness-1"]
    assert ADDRESSES["witness-1"] in reached["witness-2"]


def test_a_servers_console_is_shown_by_its_name(witnesses: Witnesses) -> None:
    assert witnesses.shown.boot_ids == witnesses.consoles["witness-1"].boot_ids


def test_a_volume_is_seen_inside_when_attached_and_no_more_when_detached(
    witnesses: Witnesses,
) -> None:
    first, last = witnesses.ticks

    disk = witnesses.attached.disk("vdb")
    assert disk is not None
    assert disk.size_mib == 1024
    assert witnesses.detached.disk("vdb") is None
    assert (last.boot, last.number > first.number) == (first.boot, True)  # it ran on


class TestOpenStackCloud(CloudContract):
    """The adapter, with a real cloud behind it."""

    @pytest.fixture
    def at_work(self, witnesses: Witnesses) -> CloudAtWork:
        allow_bindings(witnesses.lab)

        def wait_until(is_so: Callable[[], bool]) -> None:
            until(is_so, within_s=300)

        cloud = connect(witnesses.lab.spec)  # with a token that has the role

        def leave_binding(port: str, host: str) -> None:
            body = {"binding": {"host": host}}
            answer = cloud.network.post(f"/ports/{port}/bindings", json=body)
            assert answer.status_code == 201, answer.text

        def leave_port(server: str) -> str:
            network = cloud.network.find_network("lab-net", ignore_missing=False)
            made = cloud.network.create_port(
                network_id=network.id, device_id=server, device_owner="compute:nova"
            )
            return str(made.id)

        pair = (witnesses.ids["witness-1"], witnesses.ids["witness-3"])
        return CloudAtWork(OpenStackCloud(cloud), *pair, wait_until, leave_binding, leave_port)


class TestSsh(ShellContract):
    """The adapter, with real nodes behind it."""

    @pytest.fixture
    def at_work(self, witnesses: Witnesses) -> Iterator[ShellAtWork]:
        lab, server = witnesses.lab, witnesses.ids["witness-1"]
        node = lab.server(server).hypervisor_hostname
        shell = Ssh(read_inventory(lab.spec.inventory))
        yield ShellAtWork(shell, node, server)
        shell.close()
        lab.on(node, f"rm -f {MAINTENANCE} {DROP_IN}")


# Written by a command, and by OpenSSH where none has begun. sshd ends it once more has been read
# than a connection holds unread: all of the words have arrived by then.
LIKE_SSH = """\
echo 'ssh: connect to host db-1 port 22: Connection refused
ops@db-1: Permission denied (publickey).' >&2
head -c 8388608 /dev/zero | tr '\\0' . >&2
kill -KILL $PPID
"""


@pytest.mark.parametrize("shared", [False, True], ids=["a new one", "one that is shared"])
def test_a_connection_that_is_lost_is_not_read_in_the_words_of_the_command(
    lab: RealLab, *, shared: bool
) -> None:
    """Else what had begun counted as never sent, and was sent again."""
    shell = Ssh(read_inventory(lab.spec.inventory))
    node = lab.spec.compute_nodes[0].name
    if shared:
        assert shell.run(node, ["true"]).code == 0

    with pytest.raises(Uncertain, match="was lost during `sh`") as lost:
        shell.run(node, ["sh", "-c", LIKE_SSH])

    assert "ops@db-1: Permission denied (publickey)." in (lost.value.says or "")
    assert shell.run(node, ["echo", "back"]).out == "back\n"
    shell.close()


def test_a_stopped_witness_is_started_and_boots_once_more(witnesses: Witnesses) -> None:
    """After all that the contract did with it; its disk came with it."""
    lab, server = witnesses.lab, witnesses.ids["witness-3"]
    before = witnesses.detached

    lab.cloud.compute.start_server(server)
    wait_status(lab.cloud, server, "ACTIVE")
    after = lab.tick(server, lambda tick: tick.boot != before.boot)

    assert after.boots == before.boots + 1
    assert [disk.mark for disk in after.disks] == [disk.mark for disk in before.disks]
