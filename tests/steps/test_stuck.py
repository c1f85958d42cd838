"""Steps whose order was lost or whose worker has died: each says so, and what to do."""

from dataclasses import replace

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.plan import Look, Standing
from stackward.status.stalled import read_stalled_move
from stackward.steps.compute import ColdMigrate, ConfirmMigration, LiveMigrate

DB = an_id("db-01")
LIVE = LiveMigrate(server=DB, name="db-01", source="compute-07")
COLD = ColdMigrate(server=DB, name="db-01", source="compute-07")
CONFIRM = ConfirmMigration(
    server=DB, name="db-01", source="compute-07", vm_state="stopped", power_state=4
)
LONG = 300


def a_cloud(status: str = "ACTIVE") -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(a_server(status))
    return cloud


def name_in(look: Look | None) -> object:
    assert look is not None
    assert look.standing is Standing.FAILED
    return look.saw["stuck"]


def test_an_order_that_left_no_record_is_stuck() -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.migrations.clear()

    look = LIVE.examine(world, mark, LONG)

    assert name_in(look) == "no-record"
    assert "restart nova-compute on `compute-07`" in str(look and look.remedy)


def test_a_conductor_whose_cell_does_not_answer_is_not_called_dead() -> None:
    """It may have the order: what it has taken is neither lost nor left by a dead one."""
    cloud = a_cloud()
    world = a_world(cloud)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.migrations[0] = replace(cloud.nova.migrations[0], status="accepted")
    cloud.nova.cells_down.add("ctl")

    look = LIVE.examine(world, mark, LONG)
    found = read_stalled_move(
        world, cloud.nova.known[DB], "compute-07", cloud.nova.migrations[0], LONG
    )

    assert look is None
    assert (found.dead, found.is_conductor_known) == (frozenset(), False)


def test_an_earlier_record_is_not_taken_for_ours() -> None:
    """What was completed before our mark says nothing of the order that was lost."""
    cloud = a_cloud()
    world = a_world(cloud)
    cloud.nova.live_migrate(DB, "compute-08")
    cloud.nova.pass_time()
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], host="compute-07")
    mark = LIVE.mark(world)
    LIVE.start(world)
    del cloud.nova.migrations[1:]

    assert name_in(LIVE.examine(world, mark, LONG)) == "no-record"


def test_a_move_whose_source_has_died_is_stuck() -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.computes["compute-07"] = replace(cloud.nova.computes["compute-07"], is_up=False)

    assert name_in(LIVE.examine(world, mark, LONG)) == "node-died"


def test_a_migration_without_a_job_of_libvirt_is_stuck_and_with_one_is_not() -> None:
    cloud = a_cloud()
    shell = FakeShell(cloud, jobs={("compute-07", DB)})
    world = a_world(cloud, shell)
    mark = LIVE.mark(world)
    LIVE.start(world)

    with_job = LIVE.examine(world, mark, LONG)
    shell.jobs.clear()
    without = LIVE.examine(world, mark, LONG)

    assert with_job is None
    assert name_in(without) == "order-lost"


def test_a_silent_node_is_no_proof_that_there_is_no_job() -> None:
    cloud = a_cloud()
    world = a_world(cloud, FakeShell(cloud, silent={"compute-08"}))
    mark = LIVE.mark(world)
    LIVE.start(world)

    assert LIVE.examine(world, mark, LONG) is None


def test_a_cold_order_that_left_no_record_is_stuck() -> None:
    cloud = a_cloud("SHUTOFF")
    world = a_world(cloud)
    mark = COLD.mark(world)
    COLD.start(world)
    cloud.nova.migrations.clear()

    look = COLD.examine(world, mark, LONG)

    assert name_in(look) == "no-record"
    assert f"--state active {DB}` and `openstack server stop {DB}`" in str(look and look.remedy)


def test_a_confirmation_that_goes_nowhere_is_stuck() -> None:
    cloud = a_cloud("SHUTOFF")
    world = a_world(cloud)
    COLD.start(world)
    cloud.nova.pass_time()
    mark = CONFIRM.mark(world)
    CONFIRM.start(world)

    assert CONFIRM.examine(world, mark, LONG / 2) is None
    assert name_in(CONFIRM.examine(world, mark, LONG)) == "confirm-lost"


def test_a_guest_that_is_off_has_no_job_though_libvirt_calls_that_question_invalid() -> None:
    """As `virsh domjobinfo` does: "domain is not running"."""
    cloud = a_cloud("SHUTOFF")
    server = cloud.nova.known[DB]

    found = read_stalled_move(a_world(cloud), server, "compute-07", None, LONG)

    assert found.has_job is False


def test_a_completed_move_whose_server_stays_migrating_is_stuck_and_its_guest_is_asked_for() -> (
    None
):
    """F04, met by a run: the record is closed, and Nova's task stays for ever."""
    cloud = a_cloud()
    shell = FakeShell(cloud, domains={("compute-08", DB): "running"}, without={("compute-07", DB)})
    world = a_world(cloud, shell)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.migrations[0] = replace(
        cloud.nova.migrations[0], status="completed", updated=None, created=""
    )
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], updated="2026-11-22T02:59:00Z")

    early = LIVE.look(world, mark)
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], updated="2026-11-22T02:50:00Z")
    late = LIVE.look(world, mark)

    assert early.standing is not Standing.FAILED
    assert name_in(late) == "completed-not-moved"
    assert "never start, reboot or reset the server" in str(late.remedy)


def queued_behind(cloud: FakeCloud, other: str) -> Look | None:
    """Examine a migration that is `queued` while another record of its source is `running`."""
    world = a_world(cloud)
    mark = LIVE.mark(world)
    LIVE.start(world)
    ours = replace(cloud.nova.migrations[0], status="queued")
    behind = replace(ours, id=ours.id + 1, server=other, status="running")
    cloud.nova.migrations[:] = [behind, ours]
    return LIVE.examine(world, mark, LONG)


def test_what_is_queued_behind_the_record_of_a_deleted_server_is_lost() -> None:
    """Nova may leave such a record `running`: who waits behind it would wait without end."""
    assert name_in(queued_behind(a_cloud(), an_id("deleted"))) == "order-lost"


def test_what_is_queued_behind_a_server_that_moves_is_waited_for() -> None:
    cloud = a_cloud()
    cloud.nova.add(a_server(name="web-1", task_state="migrating"))

    assert queued_behind(cloud, an_id("web-1")) is None
