"""Bringing a server up where it is, against the fake cloud."""

from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.model.server import ActionEvent, ServerAction
from stackward.model.volume import Volume
from stackward.plan import Look, Mark, Standing
from stackward.plan.step import REDEFINED, SET_ASIDE
from stackward.ports.world import World
from stackward.steps.bringing_up import HARD_REBOOT, BringUpServer

DB, NODE = an_id("db-01"), "compute-07"
MADE = ServerAction(
    action="create", request_id="req-made", user="eve", started="2026-11-22T01:00:00"
)
STEP = BringUpServer(server=DB, name="db-01", host=NODE, within_s=60.0, known=("req-made",))


def a_cloud(status: str = "SHUTOFF") -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(a_server(status))
    cloud.nova.actions[DB] = [MADE]
    return cloud


def asked(cloud: FakeCloud, action: str, user: str | None) -> None:
    """Let somebody else act on it."""
    log = cloud.nova.actions[DB]
    log.append(replace(MADE, action=action, request_id=f"req-{action}", user=user))


def begun(world: World) -> Mark:
    mark = STEP.mark(world)
    STEP.start(world)
    return mark


def aside(look: Look) -> str:
    """Return why it was set aside; the step ends by that."""
    assert look.standing is Standing.DONE
    return str(look.saw[SET_ASIDE])


def test_from_todo_to_proved() -> None:
    cloud = a_cloud()
    world = a_world(cloud)

    stood = [STEP.look(world, None).standing, STEP.look(world, STEP.mark(world)).standing]
    mark = begun(world)
    stood.append(STEP.look(world, mark).standing)
    cloud.nova.pass_time()
    proved = STEP.look(world, mark)

    assert [*stood, proved.standing] == ["todo", "todo", "underway", "done"]
    assert SET_ASIDE not in proved.saw
    assert proved.saw["boot"] == "begun"
    assert proved.request_id == "req-2"
    assert cloud.nova.boots[DB] == 1


def proved_before_nova_has_written_the_end(cloud: FakeCloud, world: World) -> Mark:
    """Given a server that runs, of whose start Nova's log has no end yet."""
    mark = begun(world)
    cloud.nova.pass_time()
    cloud.nova.events["req-2"] = (
        ActionEvent(name="compute_start_instance", started=world.clock.now()),
    )
    return mark


def test_what_runs_is_not_done_before_nova_has_written_since_when() -> None:
    # A soak of rolling reboots once had a node without a downtime: the look was quicker than Nova.
    cloud = a_cloud()
    world = a_world(cloud)
    mark = proved_before_nova_has_written_the_end(cloud, world)

    first = STEP.look(world, mark)
    [event] = cloud.nova.events["req-2"]
    cloud.nova.events["req-2"] = (replace(event, finished=NOW),)
    second = STEP.look(world, mark)

    assert (first.standing, second.standing) == (Standing.UNDERWAY, Standing.DONE)
    assert second.saw["up_since"] == NOW.isoformat()


def test_since_when_it_runs_is_told_where_nova_writes_it_while_it_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = proved_before_nova_has_written_the_end(cloud, world)
    [event] = cloud.nova.events["req-2"]
    told = [(event,), *[(replace(event, finished=NOW),)] * 3]
    monkeypatch.setattr(cloud.nova, "action_events", lambda *_: told.pop(0))

    look = STEP.look(world, mark)

    assert (look.standing, look.saw["up_since"]) == (Standing.DONE, NOW.isoformat())


def test_what_runs_is_not_set_aside_where_nova_never_writes_since_when() -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = proved_before_nova_has_written_the_end(cloud, world)
    hasty = replace(STEP, within_s=10.0)
    world.clock.wait(hasty.within_s)

    look = hasty.look(world, mark)

    assert (look.standing, look.saw["up_since"]) == (Standing.DONE, None)
    assert SET_ASIDE not in look.saw


def test_what_runs_is_not_set_aside_where_its_time_ends_while_nova_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = proved_before_nova_has_written_the_end(cloud, world)
    hasty = replace(STEP, within_s=10.0)
    world.clock.wait(hasty.within_s - 1.0)
    read, calls = cloud.nova.action_events, []

    def slow(server: str, request_id: str, /) -> tuple[ActionEvent, ...]:
        calls.append(request_id)
        if len(calls) > 1:  # the first is of the proof
            world.clock.wait(2.0)
        return read(server, request_id)

    monkeypatch.setattr(cloud.nova, "action_events", slow)
    first, second = hasty.look(world, mark), hasty.look(world, mark)

    assert (first.standing, second.standing) == (Standing.UNDERWAY, Standing.DONE)
    assert not {SET_ASIDE} & {*first.saw, *second.saw}


@pytest.mark.parametrize(
    ("console", "said"),
    [
        ("Kernel panic - not syncing: VFS", "cannot boot"),
        ("SeaBIOS\nNo bootable device.\n", "cannot boot"),
    ],
)
def test_a_guest_that_cannot_boot_is_set_aside_at_once(console: str, said: str) -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = begun(world)
    cloud.nova.consoles[DB] = console
    cloud.nova.pass_time()

    assert said in aside(STEP.look(world, mark))


def test_a_guest_that_reads_nothing_is_waited_for_and_then_set_aside() -> None:
    cloud = a_cloud()
    world = a_world(cloud, FakeShell(cloud, reads_nothing={DB}))
    cloud.nova.consoles[DB] = "SeaBIOS (version 1.16)\nBooting from Hard Disk...\n"
    mark = begun(world)
    cloud.nova.pass_time()

    first = STEP.look(world, mark)
    world.clock.wait(STEP.within_s)

    assert (first.standing, SET_ASIDE in first.saw) == (Standing.UNDERWAY, False)
    assert "not proved within 60 s" in aside(STEP.look(world, mark))


def test_a_guest_that_asks_for_a_login_has_booted() -> None:
    cloud = a_cloud()
    world = a_world(cloud, FakeShell(cloud, reads_nothing={DB}))
    cloud.nova.consoles[DB] = "Debian GNU/Linux 13 db-01 ttyS0\n\ndb-01 login: "
    mark = begun(world)
    cloud.nova.pass_time()

    assert STEP.look(world, mark).saw["boot"] == "booted"


def test_a_port_that_is_not_active_is_waited_for() -> None:
    cloud = a_cloud()
    server = cloud.nova.known[DB]
    cloud.nova.known[DB] = replace(server, ports=(replace(server.ports[0], status="DOWN"),))
    world = a_world(cloud)
    mark = begun(world)
    cloud.nova.pass_time()

    look = STEP.look(world, mark)

    assert look.standing is Standing.UNDERWAY
    assert "it is DOWN on `compute-07`" in str(look.reason)


def test_a_volume_that_is_attached_elsewhere_is_no_proof() -> None:
    cloud = a_cloud()
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], volume_ids=("v1",))
    cloud.cinder.volumes["v1"] = Volume(
        id="v1", name="data", status="in-use", attached=((DB, "compute-09"),)
    )
    world = a_world(cloud)
    mark = begun(world)
    cloud.nova.pass_time()

    assert "v1 is attached on compute-09" in str(STEP.look(world, mark).reason)


def test_what_its_owner_has_done_since_the_plan_is_left_as_it_is() -> None:
    cloud = a_cloud()
    asked(cloud, "stop", "eve")

    assert "user eve asked for `stop`" in aside(STEP.look(a_world(cloud), None))


def test_novas_own_stop_since_the_plan_is_no_owners() -> None:
    cloud = a_cloud("ACTIVE")
    world = a_world(cloud, FakeShell(cloud, domains={(NODE, DB): "shut off"}))
    before = STEP.look(world, None)
    asked(cloud, "stop", None)
    cloud.nova.known[DB] = a_server("SHUTOFF")

    assert before.standing is Standing.UNDERWAY
    assert STEP.look(world, None).standing is Standing.TODO


def test_one_that_nova_never_stops_is_set_aside_after_its_time() -> None:
    cloud = a_cloud("ACTIVE")
    world = a_world(cloud, FakeShell(cloud, domains={(NODE, DB): "shut off"}))

    assert STEP.examine(world, None, 59.0) is None
    found = STEP.examine(world, None, 60.0)

    assert found is not None
    assert "for 60 s" in aside(found)


def test_one_that_runs_already_is_proved_and_not_started() -> None:
    look = STEP.look(a_world(a_cloud("ACTIVE")), None)

    assert (look.standing, SET_ASIDE in look.saw) == (Standing.DONE, False)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"host": "compute-08"}, "it is on `compute-08` by now"),
        ({"vm_state": "suspended", "status": "SUSPENDED"}, "it is SUSPENDED by now"),
    ],
)
def test_what_is_otherwise_by_now_is_set_aside(changes: dict[str, Any], said: str) -> None:
    cloud = a_cloud()
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], **changes)

    assert said in aside(STEP.look(a_world(cloud), None))


def test_an_owner_who_stops_it_while_it_boots_is_named() -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = begun(world)
    cloud.nova.pass_time()
    asked(cloud, "stop", "eve")

    assert "user eve asked for `stop`" in aside(STEP.look(world, mark))


def test_a_guest_that_ends_again_is_named() -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = begun(world)
    cloud.nova.pass_time()
    asked(cloud, "stop", None)

    assert "its guest ended again" in aside(STEP.look(world, mark))


def test_a_start_that_nova_gave_up_is_set_aside_in_its_words() -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = begun(world)
    cloud.nova.pass_time()
    log = cloud.nova.actions[DB]
    log[-1] = replace(log[-1], message="Error")
    cloud.nova.failures[DB] = "no such disk"

    assert "no such disk" in aside(STEP.look(world, mark))


def test_one_that_was_deleted_is_gone() -> None:
    cloud = a_cloud()
    cloud.nova.vanish(DB)

    assert STEP.look(a_world(cloud), None).saw["gone"] is True


def test_the_mark_has_its_time() -> None:
    assert STEP.mark(a_world(a_cloud()))["at"] == NOW.isoformat()


def test_the_definition_of_before_is_kept_and_what_has_changed_is_told() -> None:
    cloud = a_cloud()
    world = a_world(cloud, FakeShell(cloud, machines={DB: ["pc", "q35"]}))
    mark = begun(world)
    cloud.nova.pass_time()

    look = STEP.look(world, mark)

    assert "<type machine='pc'>" in str(mark["definition"])
    assert look.saw[REDEFINED] == (
        "-<type machine='pc'>hvm</type>",
        "+<type machine='q35'>hvm</type>",
    )


# --- one that Nova has as running, and libvirt does not have ---

ANEW = replace(STEP, by=HARD_REBOOT)
LOST = {(NODE, DB)}


def test_one_whose_guest_is_lost_is_made_anew_by_a_hard_reboot() -> None:
    cloud = a_cloud("ACTIVE")
    shell = FakeShell(cloud, without={*LOST})
    world = a_world(cloud, shell)

    stood = [ANEW.look(world, None).standing]
    mark = ANEW.mark(world)
    ANEW.start(world)
    stood.append(ANEW.look(world, mark).standing)
    shell.without.clear()
    cloud.nova.pass_time()

    assert stood == [Standing.TODO, Standing.UNDERWAY]
    assert ANEW.look(world, mark).standing is Standing.DONE
    assert [each.action for each in cloud.nova.actions[DB]] == ["create", "reboot"]


def test_one_whose_node_has_brought_it_up_by_itself_is_not_rebooted() -> None:
    assert ANEW.look(a_world(a_cloud("ACTIVE")), None).standing is Standing.DONE


def test_one_that_nova_has_stopped_since_is_set_aside_and_not_rebooted() -> None:
    cloud = a_cloud()

    assert "Nova has stopped it since" in aside(ANEW.look(a_world(cloud), None))


def test_one_of_which_libvirt_cannot_be_asked_is_not_rebooted() -> None:
    cloud = a_cloud("ACTIVE")
    world = a_world(cloud, FakeShell(cloud, silent={NODE}))

    assert ANEW.look(world, None).standing is Standing.UNDERWAY
