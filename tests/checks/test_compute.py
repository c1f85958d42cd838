"""Checks tell the truth about an empty node, and about one that is not."""

from dataclasses import replace

import pytest
from typing_extensions import override

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fakes.placement import FakePlacement
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.checks.compute import (
    IsCordoned,
    NoAllocations,
    NoArrivals,
    NoDomains,
    NoInstanceDirs,
    NoServersOn,
)
from stackward.errors import Unreachable
from stackward.model.domain import INSTANCES
from stackward.model.migration import Migration
from stackward.model.placement import Provider
from stackward.model.server import Server
from stackward.plan import Check, Holds, NotApplicable, Refuted, Unverified
from stackward.ports.world import World
from stackward.steps.service import Cordon

HOST, PROVIDER = "compute-07", an_id("compute-07")
EMPTY = [
    NoServersOn(host=HOST),
    NoArrivals(host=HOST, provider=PROVIDER),
    NoAllocations(host=HOST, provider=PROVIDER),
    NoDomains(host=HOST, node=HOST),
    NoInstanceDirs(host=HOST, node=HOST),
]
CORDONED = IsCordoned(host=HOST, provider=PROVIDER)


def cordoned() -> World:
    world = a_world(FakeCloud())
    Cordon(host=HOST, provider=PROVIDER, reason="x").start(world)
    return world


@pytest.mark.parametrize("check", [*EMPTY, CORDONED], ids=lambda check: check.kind)
def test_an_empty_cordoned_node_passes(check: NoServersOn) -> None:
    assert isinstance(check.ask(cordoned()), Holds)


@pytest.mark.parametrize(
    "check",
    [
        NoServersOn(host=HOST),
        NoArrivals(host=HOST),
        CORDONED,
        NoServersOn(host=HOST, projects=("x",)),
    ],
)
def test_the_empty_list_of_a_cell_that_is_down_proves_nothing(check: Check[World]) -> None:
    """Nova skips that cell, without a word, in a list that is asked for by host."""
    world = cordoned()
    assert isinstance(world.cloud, FakeCloud)
    world.cloud.nova.add(a_server())
    world.cloud.nova.cells_down.add(HOST)

    with pytest.raises(
        Unreachable, match=f"nothing is known of the host `{HOST}`: its cell is down"
    ):
        check.ask(world)


@pytest.mark.parametrize("check", [NoServersOn(host=HOST), NoArrivals(host=HOST)])
def test_a_cell_that_goes_down_before_the_list_is_made_proves_nothing(check: Check[World]) -> None:
    class Failing(FakeNova):
        @override
        def servers_on(self, host: str, /) -> tuple[Server, ...]:
            self.cells_down.add(host)
            return super().servers_on(host)

    cloud = FakeCloud(Failing())
    cloud.nova.add(a_server())

    with pytest.raises(Unreachable, match="its cell is down"):
        check.ask(a_world(cloud))


def occupied() -> World:
    cloud = FakeCloud()
    cloud.nova.add(a_server("BUILD"))
    return a_world(cloud, FakeShell(cloud, leftovers={HOST: ["/var/lib/nova/instances/x"]}))


@pytest.mark.parametrize("check", [*EMPTY, CORDONED], ids=lambda check: check.kind)
def test_what_is_left_is_found(check: NoServersOn) -> None:
    assert isinstance(check.ask(occupied()), Refuted)


OF_DEMO = [
    NoServersOn(host=HOST, projects=("demo",)),
    NoAllocations(host=HOST, provider=PROVIDER, projects=("demo",)),
    NoDomains(host=HOST, node=HOST, projects=("demo",)),
    NoInstanceDirs(host=HOST, node=HOST, projects=("demo",)),
]


def shared_with_others(*more: Server, left: str = "") -> World:
    """Return a node with a server of others, and with what another server has left there."""
    cloud, theirs = FakeCloud(), a_server(name="theirs", project="other")
    cloud.nova.add(theirs, *more)
    cloud.placement.leftovers = {left: {PROVIDER}} if left else {}
    names = [*(each.id for each in (theirs, *more)), *([left] if left else [])]
    folders = [f"/var/lib/nova/instances/{name}" for name in names]
    strays = {HOST: [left]} if left else {}
    return a_world(cloud, FakeShell(cloud, leftovers={HOST: folders}, strays=strays))


@pytest.mark.parametrize("check", OF_DEMO, ids=lambda check: check.kind)
def test_what_belongs_to_servers_of_others_may_stay(check: NoServersOn) -> None:
    assert isinstance(check.ask(shared_with_others()), Holds)
    assert check.summary.endswith("but those of other projects")


@pytest.mark.parametrize("check", OF_DEMO, ids=lambda check: check.kind)
def test_what_belongs_to_a_server_of_these_projects_is_found_beside_it(check: NoServersOn) -> None:
    assert isinstance(check.ask(shared_with_others(a_server())), Refuted)


@pytest.mark.parametrize("check", OF_DEMO[1:], ids=lambda check: check.kind)
def test_what_a_server_that_has_left_forgot_is_found_beside_it(check: NoServersOn) -> None:
    assert isinstance(check.ask(shared_with_others(left=an_id("db-01"))), Refuted)


@pytest.mark.parametrize("is_same", [True, False], ids=["the same", "a copy"])
def test_directories_that_the_hosts_of_their_servers_have_too_are_on_shared_storage(
    *, is_same: bool
) -> None:
    cloud = FakeCloud()
    cloud.nova.add(elsewhere := replace(a_server(), host="compute-08"))
    place = f"{INSTANCES}/{elsewhere.id}"
    shell = FakeShell(cloud, leftovers={HOST: [place]})
    shell.inodes = {(HOST, place): (7, 1.5), ("compute-08", place): (7, 1.5 if is_same else 1.6)}

    answer = NoInstanceDirs(host=HOST, node=HOST).ask(a_world(cloud, shell))

    assert isinstance(answer, Holds if is_same else Refuted)
    if isinstance(answer, Holds):
        assert answer.read.endswith("1 directory; they are on storage that `compute-08` has too")


@pytest.mark.parametrize("check", EMPTY[3:], ids=lambda check: check.kind)
def test_a_silent_node_is_unverified(check: NoDomains) -> None:
    cloud = FakeCloud()

    answer = check.ask(a_world(cloud, FakeShell(cloud, silent={HOST})))

    assert isinstance(answer, Unverified)
    assert answer.remedy == f"see how far ssh comes: `ssh -v {HOST} true`, then verify again"


def test_guests_are_unverified_without_virsh_and_without_libvirt() -> None:
    cloud = FakeCloud()
    shells = FakeShell(cloud, without_virsh={HOST}), FakeShell(cloud, libvirt_down={HOST})

    answers = [NoDomains(node=HOST, host=HOST).ask(a_world(cloud, shell)) for shell in shells]

    remedies = [each.remedy or "" for each in answers if isinstance(each, Unverified)]
    assert ["`libvirt-clients`" in each for each in remedies] == [True, False]
    assert ["why libvirt does not answer" in each for each in remedies] == [False, True]


@pytest.mark.parametrize("check", EMPTY[3:], ids=lambda check: check.kind)
def test_a_fake_hypervisor_has_no_guests_to_look_for(check: NoDomains) -> None:
    assert isinstance(check.ask(a_world(FakeCloud(FakeNova(kind="fake")))), NotApplicable)


def test_what_was_left_behind_on_purpose_is_no_finding() -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server())

    check = NoServersOn(host=HOST, except_for=(an_id("db-01"),))

    assert isinstance(check.ask(a_world(cloud)), Holds)


def test_anothers_cordon_is_a_finding() -> None:
    cloud = FakeCloud()
    Cordon(host=HOST, provider=PROVIDER, reason="x").start(a_world(cloud, run="01OTHER"))

    assert isinstance(CORDONED.ask(a_world(cloud)), Refuted)


@pytest.mark.parametrize(
    ("updated", "task", "is_coming"),
    [
        pytest.param("2026-11-22T03:00:00", "migrating", True, id="it moves"),
        pytest.param("2026-11-22T03:00:00", None, True, id="at rest, since just now"),
        pytest.param("2026-11-22T02:00:00", None, False, id="at rest for an hour"),
        pytest.param("2026-11-22T02:00:00", "migrating", True, id="for an hour, but it moves"),
    ],
)
def test_a_record_that_is_only_a_trace_is_no_arrival(
    updated: str, task: str | None, *, is_coming: bool
) -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server(host="compute-08"))
    cloud.nova.live_migrate(an_id("db-01"), HOST)
    cloud.nova.migrations[0] = replace(cloud.nova.migrations[0], updated=updated)
    cloud.nova.known[an_id("db-01")] = replace(cloud.nova.known[an_id("db-01")], task_state=task)

    answer = NoArrivals(host=HOST).ask(a_world(cloud))

    assert isinstance(answer, Refuted) is is_coming


def test_a_record_that_a_newer_move_has_followed_is_no_arrival_at_once() -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server(host="compute-08"))
    cloud.nova.live_migrate(an_id("db-01"), HOST)
    just_now = replace(cloud.nova.migrations[0], updated="2026-11-22T03:00:00")
    newer = replace(just_now, id=just_now.id + 1, status="completed", target="compute-08")
    cloud.nova.migrations[:] = [just_now, newer]
    cloud.nova.known[an_id("db-01")] = replace(cloud.nova.known[an_id("db-01")], task_state=None)

    assert isinstance(NoArrivals(host=HOST).ask(a_world(cloud)), Holds)


def test_a_record_that_libvirt_still_works_on_is_an_arrival() -> None:
    """Somebody has reset the server, and its guest goes on moving."""
    cloud = FakeCloud()
    cloud.nova.add(a_server(host="compute-08", updated="2026-11-22T02:00:00Z"))
    cloud.nova.live_migrate(an_id("db-01"), HOST)
    cloud.nova.known[an_id("db-01")] = replace(cloud.nova.known[an_id("db-01")], task_state=None)
    shell = FakeShell(cloud, jobs={("compute-08", an_id("db-01"))})

    assert isinstance(NoArrivals(host=HOST).ask(a_world(cloud, shell)), Refuted)


SENT, GONE = an_id("sent"), an_id("gone")
AT_ALL = NoArrivals(host=HOST, provider=PROVIDER)


def holding_room(consumer: str, *servers: Server, moves: tuple[Migration, ...] = ()) -> World:
    """Return a node on which placement keeps room for somebody who is on no list of its servers."""
    cloud = FakeCloud()
    cloud.nova.add(*servers)
    cloud.nova.migrations.extend(moves)
    cloud.placement.leftovers = {consumer: {PROVIDER}}
    return a_world(cloud)


def a_move(status: str, source: str, target: str) -> Migration:
    return Migration(
        id=7,
        uuid=GONE,
        server=an_id("db-01"),
        kind="migration",
        status=status,
        source=source,
        target=target,
    )


@pytest.mark.parametrize(
    ("world", "check", "named"),
    [
        pytest.param(
            holding_room(SENT, a_server("BUILD", "sent", host=None)), AT_ALL, "sent",
            id="a build that the scheduler has just sent here",
        ),
        pytest.param(
            holding_room(
                SENT, a_server("SHELVED_OFFLOADED", "sent", host=None, task_state="spawning")
            ),
            AT_ALL, "sent", id="a server that is unshelved here",
        ),
        pytest.param(
            holding_room(
                SENT, a_server("SHUTOFF", "sent", host="compute-08", task_state="resize_prep")
            ),
            AT_ALL, "sent", id="a server that will be resized to here",
        ),
        pytest.param(
            holding_room(GONE), AT_ALL, GONE, id="nobody whom Nova knows: it waits, then names it"
        ),
        pytest.param(
            holding_room(GONE), replace(AT_ALL, left_over=(GONE,)), None,
            id="nobody whom Nova knows, and the plan has warned of it",
        ),
        pytest.param(
            holding_room(SENT, a_server("BUILD", "sent", host=None)),
            replace(AT_ALL, left_over=(SENT,)), "sent",
            id="a build, although the plan has taken it for a leftover",
        ),
        pytest.param(
            holding_room(SENT, a_server(name="sent", host="compute-08")), AT_ALL, None,
            id="a server that is at rest elsewhere: the proof of the end finds it",
        ),
        pytest.param(
            holding_room(SENT, a_server("SHELVED_OFFLOADED", "sent", host=None)), AT_ALL, None,
            id="a shelved server that is at rest: same",
        ),
        pytest.param(
            holding_room(
                GONE, a_server("VERIFY_RESIZE", host="compute-08"),
                moves=(a_move("finished", HOST, "compute-08"),),
            ),
            AT_ALL, None, id="a move from here, which keeps the room until it is confirmed",
        ),
        pytest.param(
            holding_room(
                GONE, a_server(host="compute-08"), moves=(a_move("error", HOST, "compute-08"),)
            ),
            AT_ALL, None, id="a move from here that has failed: the proof of the end finds it",
        ),
        pytest.param(
            holding_room(SENT, a_server("BUILD", "sent", host=None)), NoArrivals(host=HOST), None,
            id="a build, for a plan of an older version, which does not ask placement",
        ),
    ],
)  # fmt: skip
def test_who_holds_room_and_is_on_no_list_is_an_arrival_in_the_making(
    world: World, check: NoArrivals, named: str | None
) -> None:
    answer = check.ask(world)

    # What is found is waited for.
    found = (answer.passes, (named or "") in answer.reason) if isinstance(answer, Refuted) else None
    assert found == ((True, True) if named else None)


def test_who_holds_room_and_is_in_a_cell_that_is_down_may_be_anything() -> None:
    world = holding_room(SENT, a_server("UNKNOWN", "sent", host=None, vm_state="UNKNOWN"))

    with pytest.raises(Unreachable, match="nothing is known of `sent`: its cell is down"):
        AT_ALL.ask(world)


def test_what_placement_cannot_answer_proves_nothing() -> None:
    class Silent(FakePlacement):
        @override
        def provider(self, provider: str, /) -> Provider:
            raise Unreachable("cannot connect to placement")

    with pytest.raises(Unreachable, match="placement"):
        AT_ALL.ask(a_world(FakeCloud(placement=Silent())))
