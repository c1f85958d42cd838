"""Rebooting a server, against the fake cloud."""

from dataclasses import replace

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.errors import Unreachable
from stackward.plan import Look, Mark, Standing
from stackward.ports.world import World
from stackward.steps.server_power import RebootServer

DB, NODE = an_id("db-01"), "compute-07"
SOFT = RebootServer(server=DB, name="db-01", host=NODE, is_hard=False)
HARD = replace(SOFT, is_hard=True)
BOTH = pytest.mark.parametrize("step", [SOFT, HARD], ids=["soft", "hard"])


def a_cloud(status: str = "ACTIVE") -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(a_server(status))
    return cloud


def begun(step: RebootServer, world: World) -> Mark:
    """Start a step as the engine does; return its mark."""
    mark = step.mark(world)
    step.start(world)
    return mark


def rebooted(step: RebootServer, cloud: FakeCloud, world: World) -> Look:
    """Return what is seen of it once Nova has ended it."""
    mark = begun(step, world)
    cloud.nova.pass_time()
    return step.look(world, mark)


@pytest.mark.parametrize(
    ("step", "status"),
    [
        pytest.param(SOFT, "ACTIVE", id="soft: one that runs"),
        pytest.param(HARD, "ACTIVE", id="hard: one that runs"),
        pytest.param(HARD, "PAUSED", id="hard: one that is paused"),
        pytest.param(HARD, "SUSPENDED", id="hard: one that is suspended"),
        pytest.param(HARD, "ERROR", id="hard: one in ERROR"),
    ],
)
def test_from_todo_to_proved(step: RebootServer, status: str) -> None:
    cloud = a_cloud(status)
    world = a_world(cloud)

    stood = [step.look(world, None).standing, step.look(world, step.mark(world)).standing]
    mark = begun(step, world)
    stood.append(step.look(world, mark).standing)
    cloud.nova.pass_time()
    proved = step.look(world, mark)

    todo = Standing.TODO
    assert [*stood, proved.standing] == [todo, todo, Standing.UNDERWAY, Standing.DONE]
    assert (proved.saw["domain"], proved.saw["new boot"]) == ("holds", "holds")
    assert (mark["boot"], proved.saw["boot"]) == ("off" if status == "SUSPENDED" else "10", "11")


@BOTH
def test_a_mark_shows_a_successor_that_it_was_done(step: RebootServer) -> None:
    """The worker died after the request, and Nova has ended it since: it is not begun again."""
    cloud = a_cloud()
    mark = begun(step, a_world(cloud))
    cloud.nova.pass_time()

    assert step.look(a_world(cloud), mark).standing is Standing.DONE
    assert [each.action for each in cloud.nova.actions[DB]] == ["reboot"]


@BOTH
def test_a_reboot_of_before_the_mark_does_not_count(step: RebootServer) -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    rebooted(step, cloud, world)

    assert step.look(world, step.mark(world)).standing is Standing.TODO


@BOTH
def test_nova_calls_it_done_and_the_guest_of_before_still_runs(step: RebootServer) -> None:
    """Of a reboot that fails while the guest goes on to run, Nova's log says that it ended well."""
    cloud = a_cloud()
    cloud.nova.not_rebooting.add(DB)

    look = rebooted(step, cloud, a_world(cloud))

    assert (look.standing, look.is_over) == (Standing.UNDERWAY, True)
    assert "the guest of before still runs (libvirt's number 10)" in (look.reason or "")


@BOTH
@pytest.mark.parametrize("state", ["paused", "crashed", "shut off"])
def test_a_guest_that_does_not_run_afterwards_is_no_proof(step: RebootServer, state: str) -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = begun(step, world)
    cloud.nova.pass_time()

    look = step.look(a_world(cloud, FakeShell(cloud, domains={(NODE, DB): state})), mark)

    assert (look.standing, look.is_over) == (Standing.UNDERWAY, True)


@BOTH
def test_a_node_that_cannot_be_read_is_never_taken_for_done(step: RebootServer) -> None:
    cloud = a_cloud()
    mark = begun(step, a_world(cloud))
    cloud.nova.pass_time()

    look = step.look(a_world(cloud, FakeShell(cloud, silent={NODE})), mark)

    assert look.standing is Standing.UNKNOWN


@BOTH
def test_nothing_is_begun_where_the_boot_of_before_cannot_be_read(step: RebootServer) -> None:
    cloud = a_cloud()

    with pytest.raises(Unreachable, match="which boot of `db-01` runs is not known"):
        step.mark(a_world(cloud, FakeShell(cloud, silent={NODE})))


def test_without_domains_novas_word_is_the_proof_and_the_journal_says_so() -> None:
    cloud = a_cloud()
    cloud.nova.kind = "fake"

    look = rebooted(SOFT, cloud, a_world(cloud))

    assert (look.standing, look.saw["new boot"]) == (Standing.DONE, "not applicable")


@BOTH
def test_an_order_that_nova_gave_up_is_a_failure_in_its_own_words(step: RebootServer) -> None:
    cloud = a_cloud()
    cloud.nova.failures[DB] = "libvirt: cannot open the disk"
    world = a_world(cloud)
    mark = begun(step, world)
    cloud.nova.actions[DB][-1] = replace(cloud.nova.actions[DB][-1], message="Error")
    cloud.nova.known[DB] = replace(
        cloud.nova.known[DB], task_state=None, status="ERROR", vm_state="error", power_state=4
    )

    look = step.look(world, mark)

    assert (look.standing, look.says) == (Standing.FAILED, "libvirt: cannot open the disk")


@BOTH
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"task_state": "rebooting"}, "it is busy (rebooting), not through us"),
        ({"host": "compute-08"}, "it is on `compute-08`, not through us"),
        ({"status": "SHUTOFF", "vm_state": "stopped"}, "it is SHUTOFF"),
        ({"status": "RESCUE", "vm_state": "rescued"}, "it is RESCUE"),
    ],
)
def test_what_others_have_made_of_it_since_the_plan_is_left_alone(
    step: RebootServer, changes: dict[str, str], reason: str
) -> None:
    cloud = a_cloud()
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], **changes)  # type: ignore[arg-type]  # any field

    look = step.look(a_world(cloud), None)

    assert look.standing is Standing.FOREIGN
    assert reason in (look.reason or "")


@BOTH
def test_somebody_elses_action_stops_us_and_is_named(step: RebootServer) -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = step.mark(world)
    cloud.nova.stop_server(DB)

    look = step.look(world, mark)

    assert look.standing is Standing.FOREIGN
    assert "user ops asked for `stop`" in (look.reason or "")


@BOTH
def test_a_server_that_was_deleted_has_nothing_left_to_do(step: RebootServer) -> None:
    assert step.look(a_world(FakeCloud()), None).standing is Standing.DONE


@BOTH
def test_while_its_cell_is_down_nothing_is_known_of_it(step: RebootServer) -> None:
    cloud = a_cloud()
    mark = begun(step, a_world(cloud))
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], status="UNKNOWN", task_state=None)

    with pytest.raises(Unreachable, match="its cell is down"):
        step.look(a_world(cloud), mark)


@BOTH
def test_one_that_waits_for_a_dead_nova_compute_says_so(step: RebootServer) -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = begun(step, world)
    cloud.nova.computes[NODE] = replace(cloud.nova.computes[NODE], is_up=False)

    found = step.examine(world, mark, 600)

    assert found is not None
    assert f"nova-compute on `{NODE}` is down" in (found.reason or "")


def test_a_hard_reboot_keeps_the_definition_of_before_and_tells_what_has_changed() -> None:
    cloud = a_cloud()
    world = a_world(cloud, FakeShell(cloud, machines={DB: ["pc", "q35"]}))
    mark = begun(HARD, world)
    cloud.nova.pass_time()

    look = HARD.look(world, mark)

    assert "<type machine='pc'>" in str(mark["definition"])
    assert look.saw["definition"] == "2 lines differ"


def test_a_soft_reboot_starts_the_same_guest_again_and_compares_nothing() -> None:
    cloud = a_cloud()
    world = a_world(cloud)

    assert "definition" not in SOFT.mark(world)
