"""A drain of a node with servers of all kinds: each lives on elsewhere as it was.

One drain, seen by many witnesses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from lab.drains import TRAIT, Drains, Ended, Place, drains_in, new, note
from real_lab import RealLab
from stackward.lab.guest import Tick
from stackward.lab.load import attach_volume, wait_status

TWIN = "drain-twin"  # two servers have this name, one of them is stopped


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """Servers of all kinds that were drained off a node, and how they were before."""

    drains: Drains
    node: str
    servers: dict[str, str]  # ids by what they are
    before: dict[str, Place]
    ticks: dict[str, Tick]
    moves: dict[str, list[tuple[str, str]]]
    ended: Ended
    after: dict[str, Place]


@pytest.fixture(scope="module")
def mixed(
    drain_lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mixed]:
    """Given a node that was drained of servers of all kinds."""
    _, node, other = nodes
    with drains_in(drain_lab, tmp_path_factory.mktemp("drain")) as drains:
        yield from drained(drains, node, other)


def drained(drains: Drains, node: str, other: str) -> Iterator[Mixed]:
    """Put servers of all kinds on a node, drain it, and give what came of it."""
    cloud = drains.lab.cloud
    drains.remove_left_over("drain-")
    group = cloud.compute.create_server_group(name="drain-apart", policy="anti-affinity")
    apart = {"scheduler_hints": {"group": group.id}}
    servers = {
        "running": drains.boot(TWIN, node, **apart),
        "stopped": drains.boot(TWIN, node),
        "paused": drains.boot("drain-paused", node),
        "volume": drains.boot("drain-volume", node),
    }
    partner = drains.boot("drain-partner", other, **apart)
    drains.wait_for_guests([*servers.values(), partner])
    attach_volume(cloud, drains.lab.server(servers["volume"]))
    ticks = {what: drains.write(each, f"by-{what}") for what, each in servers.items()}
    ticks["volume"] = drains.lab.tick(servers["volume"], lambda tick: tick.disk("vdb") is not None)
    drains.stop(servers["stopped"])
    cloud.compute.pause_server(servers["paused"])
    wait_status(cloud, servers["paused"], "PAUSED")
    before = {what: drains.place(each) for what, each in servers.items()}
    records = drains.records(drains.servers_on(node))

    ended = drains.drain(node)

    yield Mixed(
        drains=drains,
        node=node,
        servers=servers | {"partner": partner},
        before=before,
        ticks=ticks,
        moves=new(records, drains.records(records)),
        ended=ended,
        after={what: drains.place(each) for what, each in servers.items()},
    )
    drains.remove(*servers.values(), partner)
    cloud.compute.delete_server_group(group.id)
    for volume in before["volume"].volumes:
        cloud.block_storage.delete_volume(volume)


def test_the_drain_ends_proved(mixed: Mixed) -> None:
    proved = [event for event in mixed.drains.events if event["What"] == "proved"]

    assert (mixed.ended.code, mixed.drains.run["State"]) == (0, "succeeded"), mixed.ended.said
    assert len(proved) == 6


def test_every_server_is_elsewhere_in_its_former_state(mixed: Mixed) -> None:
    assert {what: place.state for what, place in mixed.after.items()} == {
        what: place.state for what, place in mixed.before.items()
    }
    assert mixed.node not in {place.node for place in mixed.after.values()}
    assert [place.bound_to for place in mixed.after.values()] == [
        (place.node,) for place in mixed.after.values()
    ]


def test_each_server_was_migrated_exactly_once(mixed: Mixed) -> None:
    ours = {what: mixed.moves[mixed.servers[what]] for what in mixed.before}

    assert {len(moves) for moves in mixed.moves.values()} == {1}
    assert ours == {
        "running": [("live-migration", "completed")],
        "stopped": [("migration", "confirmed")],
        "paused": [("live-migration", "completed")],
        "volume": [("live-migration", "completed")],
    }


def test_nothing_is_left_on_the_node(mixed: Mixed) -> None:
    drains = mixed.drains

    assert drains.servers_on(mixed.node) == []
    assert drains.lab.domains(mixed.node) == {}
    assert drains.directories(mixed.node) == []


def test_the_node_is_claimed_and_its_service_kept_off(mixed: Mixed) -> None:
    service = mixed.drains.service(mixed.node)

    assert service.status == "disabled"
    assert service.disabled_reason.startswith(f"stackward {mixed.drains.run['ID']} by ")
    assert TRAIT in mixed.drains.traits(mixed.node)
    assert mixed.drains.unit(mixed.node) == ("inactive", "masked")
    assert mixed.drains.lab.on(mixed.node, "pgrep -x nova-compute || true") == ""


def test_nova_compute_stays_off_though_it_is_unmasked_and_started(mixed: Mixed) -> None:
    """As a configuration management would do it."""
    mixed.drains.lab.on(mixed.node, "systemctl unmask nova-compute; systemctl start nova-compute")

    assert mixed.drains.unit(mixed.node)[0] == "inactive"


def test_the_pair_is_still_apart(mixed: Mixed) -> None:
    partner = mixed.drains.place(mixed.servers["partner"]).node

    assert mixed.after["running"].node not in {partner, mixed.node}


@pytest.mark.parametrize("what", ["running", "volume"])
def test_a_guest_has_run_on_without_a_restart(mixed: Mixed, what: str) -> None:
    before = mixed.ticks[what]

    after = mixed.drains.ticks_on(mixed.servers[what], before)
    numbers = [tick.number for tick in mixed.drains.lab.console(mixed.servers[what]).ticks]

    assert (after.boot, after.boots, note(after)) == (before.boot, before.boots, f"by-{what}")
    assert [disk.mark for disk in after.disks] == [disk.mark for disk in before.disks]
    assert {later - earlier for earlier, later in pairwise(numbers)} == {1}


def test_a_paused_guest_goes_on_where_it_stood(mixed: Mixed) -> None:
    server, before = mixed.servers["paused"], mixed.ticks["paused"]

    mixed.drains.lab.cloud.compute.unpause_server(server)
    after = mixed.drains.ticks_on(server, before)

    assert (after.boot, note(after)) == (before.boot, "by-paused")


def test_what_a_stopped_guest_wrote_is_there_when_it_starts(mixed: Mixed) -> None:
    server, before = mixed.servers["stopped"], mixed.ticks["stopped"]

    mixed.drains.lab.cloud.compute.start_server(server)
    wait_status(mixed.drains.lab.cloud, server, "ACTIVE")
    after = mixed.drains.lab.tick(server, lambda tick: tick.boot != before.boot)

    assert (after.boots, note(after)) == (before.boots + 1, "by-stopped")
