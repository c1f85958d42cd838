"""Stopping and starting a server for its move, against the fake cloud."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.model.server import ActionEvent
from stackward.plan import Look, Mark, Standing
from stackward.ports.world import World
from stackward.steps.compute import ConfirmMigration
from stackward.steps.server_power import StartServer, StopServer

DB = an_id("db-01")
STOP = StopServer(server=DB, name="db-01", host="compute-07")
START = StartServer(server=DB, name="db-01")


def a_cloud(status: str) -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(a_server(status))
    return cloud


def begun(step: StopServer | StartServer, world: World) -> Mark:
    """Start a step as the engine does; return its mark."""
    mark = step.mark(world)
    step.start(world)
    return mark


STEPS = pytest.mark.parametrize(
    ("step", "before"),
    [pytest.param(STOP, "ACTIVE", id="stop"), pytest.param(START, "SHUTOFF", id="start")],
)


@pytest.mark.parametrize(
    ("step", "before", "key"),
    [
        pytest.param(STOP, "ACTIVE", "down_since", id="stop"),
        pytest.param(START, "SHUTOFF", "up_since", id="start"),
    ],
)
def test_from_todo_to_proved(step: StopServer | StartServer, before: str, key: str) -> None:
    cloud = a_cloud(before)
    world = a_world(cloud)

    stood = [step.look(world, None).standing]
    mark = begun(step, world)
    stood.append(step.look(world, mark).standing)
    cloud.nova.pass_time()
    proved = step.look(world, mark)

    assert [*stood, proved.standing] == [Standing.TODO, Standing.UNDERWAY, Standing.DONE]
    assert (proved.saw["domain"], proved.saw["host"]) == ("holds", "compute-07")
    assert str(proved.saw[key]).startswith("2026-11-22T03:00:0")


@STEPS
def test_a_mark_without_a_start_leaves_the_step_to_do(
    step: StopServer | StartServer, before: str
) -> None:
    world = a_world(a_cloud(before))

    assert step.look(world, step.mark(world)).standing is Standing.TODO


@STEPS
def test_a_start_whose_answer_was_lost_is_found(
    step: StopServer | StartServer, before: str
) -> None:
    world = a_world(a_cloud(before))

    mark = begun(step, world)

    assert step.look(world, mark).standing is Standing.UNDERWAY


@STEPS
def test_an_order_that_nova_gave_up_is_a_failure_in_its_own_words(
    step: StopServer | StartServer, before: str
) -> None:
    cloud = a_cloud(before)
    cloud.nova.failures[DB] = "libvirt: timed out"
    world = a_world(cloud)
    mark = begun(step, world)
    cloud.nova.actions[DB][-1] = replace(cloud.nova.actions[DB][-1], message="Error")
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], task_state=None)

    look = step.look(world, mark)

    assert (look.standing, look.says) == (Standing.FAILED, "libvirt: timed out")


@STEPS
def test_somebody_elses_action_stops_us_and_is_named(
    step: StopServer | StartServer, before: str
) -> None:
    cloud = a_cloud(before)
    world = a_world(cloud)
    mark = step.mark(world)
    cloud.nova.cold_migrate(DB, None)

    look = step.look(world, mark)

    assert look.standing is Standing.FOREIGN
    assert "user ops asked for `migrate`" in (look.reason or "")


@STEPS
def test_a_server_that_somebody_works_on_is_foreign(
    step: StopServer | StartServer, before: str
) -> None:
    cloud = a_cloud(before)
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], task_state="rebooting")

    assert step.look(a_world(cloud), None).standing is Standing.FOREIGN


@pytest.mark.parametrize("step", [STOP, START])
def test_a_server_that_was_deleted_has_nothing_left_to_do(step: StopServer | StartServer) -> None:
    assert step.look(a_world(FakeCloud()), None).standing is Standing.DONE


@STEPS
def test_a_guest_that_libvirt_calls_otherwise_is_no_proof(
    step: StopServer | StartServer, before: str
) -> None:
    cloud = a_cloud(before)
    world = a_world(cloud, FakeShell(cloud, domains={("compute-07", DB): "crashed"}))
    mark = begun(step, world)
    cloud.nova.pass_time()

    look = step.look(world, mark)

    assert (look.standing, look.is_over) == (Standing.UNDERWAY, True)
    assert "is crashed" in (look.reason or "")


@STEPS
def test_a_node_that_cannot_be_read_is_never_taken_for_done(
    step: StopServer | StartServer, before: str
) -> None:
    cloud = a_cloud(before)
    world = a_world(cloud, FakeShell(cloud, silent={"compute-07"}))
    mark = begun(step, world)
    cloud.nova.pass_time()

    assert step.look(world, mark).standing is Standing.UNKNOWN


@STEPS
def test_on_a_hypervisor_without_libvirt_there_is_no_domain_to_ask_about(
    step: StopServer | StartServer, before: str
) -> None:
    cloud = a_cloud(before)
    cloud.nova.kind = "fake"
    world = a_world(cloud)
    mark = begun(step, world)
    cloud.nova.pass_time()

    look = step.look(world, mark)

    assert (look.standing, look.saw["domain"]) == (Standing.DONE, "not applicable")


@STEPS
def test_an_order_that_nova_took_and_that_changes_nothing_is_not_waited_for_without_end(
    step: StopServer | StartServer, before: str
) -> None:
    cloud = a_cloud(before)
    world = a_world(cloud)
    mark = begun(step, world)
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], task_state=None)

    look = step.look(world, mark)

    assert (look.standing, look.is_over) == (Standing.UNDERWAY, True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"status": "SHUTOFF", "vm_state": "stopped", "power_state": 4}, id="is off"),
        pytest.param({"host": "compute-08"}, id="has moved"),
        pytest.param({"status": "PAUSED", "vm_state": "paused", "power_state": 3}, id="is paused"),
    ],
)
def test_a_server_that_its_owner_has_changed_is_not_stopped(change: dict[str, object]) -> None:
    """Whoever stopped it wants it off: to start it in the end would be wrong."""
    cloud = a_cloud("ACTIVE")
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], **change)  # type: ignore[arg-type]  # its fields

    assert STOP.look(a_world(cloud), None).standing is Standing.FOREIGN


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        pytest.param({"domains": {("compute-07", DB): "paused"}}, Standing.UNDERWAY, id="not so"),
        pytest.param({"silent": {"compute-07"}}, Standing.UNKNOWN, id="cannot be read"),
    ],
)
def test_a_server_is_stopped_only_where_libvirt_runs_its_guest(
    shell: dict[str, Any], expected: Standing
) -> None:
    """Completed but not moved: Nova has it here, and its guest runs on the target."""
    cloud = a_cloud("ACTIVE")

    assert STOP.look(a_world(cloud, FakeShell(cloud, **shell)), None).standing is expected


def test_a_server_in_error_is_not_stopped() -> None:
    """What a failed live migration may leave."""
    assert STOP.look(a_world(a_cloud("ERROR")), None).standing is Standing.FAILED


def test_a_server_that_its_owner_has_started_already_is_done_and_measured() -> None:
    cloud = a_cloud("SHUTOFF")
    cloud.nova.start_server(DB)
    cloud.nova.pass_time()

    look = START.look(a_world(cloud), None)

    assert (look.standing, look.saw["up_since"]) == (Standing.DONE, "2026-11-22T03:00:01+00:00")


def test_a_server_in_error_cannot_be_started() -> None:
    assert START.look(a_world(a_cloud("ERROR")), None).standing is Standing.FAILED


@STEPS
def test_a_nova_compute_that_is_down_is_named_and_settles_nothing(
    step: StopServer | StartServer, before: str
) -> None:
    cloud = a_cloud(before)
    world = a_world(cloud)
    mark = begun(step, world)
    at_work = step.examine(world, mark, 60)
    cloud.nova.computes["compute-07"] = replace(cloud.nova.computes["compute-07"], is_up=False)

    look = step.examine(world, mark, 60)

    assert (at_work, look and look.standing) == (None, Standing.UNDERWAY)
    assert look is not None
    assert "nova-compute on `compute-07` is down" in (look.reason or "")


# --- since when ---------------------------------------------------------------------------------


def started_with(event: Callable[[ActionEvent], ActionEvent | None], waited_s: float = 0) -> Look:
    """Look at a start whose event Nova tells otherwise, so long after it."""
    cloud = a_cloud("SHUTOFF")
    world = a_world(cloud)
    mark = begun(START, world)
    cloud.nova.pass_time()
    world.clock.wait(waited_s)
    told = {name: event(each) for name, [each] in cloud.nova.events.items()}
    cloud.nova.events = {name: (each,) if each else () for name, each in told.items()}
    return START.look(world, mark)


def test_the_end_of_an_event_that_nova_is_about_to_write_is_waited_for_a_moment() -> None:
    look = started_with(lambda event: replace(event, started=NOW, finished=None))

    assert look.standing is Standing.UNDERWAY


@pytest.mark.parametrize(
    ("event", "waited_s"),
    [
        pytest.param(lambda _: None, 0, id="no event"),
        pytest.param(lambda one: replace(one, finished=None), 100, id="without an end, for long"),
    ],
)
def test_what_nova_does_not_tell_is_not_measured_and_holds_nothing_up(
    event: Callable[[ActionEvent], ActionEvent | None], waited_s: float
) -> None:
    look = started_with(event, waited_s)

    assert (look.standing, look.saw["up_since"]) == (Standing.DONE, None)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(
            "ACTIVE",
            ("2026-11-22T03:00:00+00:00", "2026-11-22T03:00:01+00:00"),
            id="running: stopped by Nova for its move",
        ),
        pytest.param("SHUTOFF", (None, None), id="off: nobody noticed"),
    ],
)
def test_a_cold_move_tells_since_when_a_running_server_was_down_and_up(
    status: str, expected: tuple[str | None, str | None]
) -> None:
    cloud = a_cloud(status)
    server = cloud.nova.known[DB]
    cloud.nova.cold_migrate(DB, None)
    cloud.nova.pass_time()
    cloud.nova.confirm_resize(DB)
    cloud.nova.pass_time()
    step = ConfirmMigration(
        server=DB,
        name="db-01",
        source="compute-07",
        vm_state=server.vm_state,
        power_state=server.power_state,
    )

    look = step.look(a_world(cloud), None)

    assert look.standing is Standing.DONE
    assert (look.saw.get("down_since"), look.saw.get("up_since")) == expected
