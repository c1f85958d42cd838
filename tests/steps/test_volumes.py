"""How volumes are attached is changed once, looked for first, and proved by all three witnesses."""

from dataclasses import replace

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.errors import StepFailed
from stackward.model.server import ServerAction
from stackward.model.volume import Attachment, Volume
from stackward.plan import Standing, Step
from stackward.ports.world import World
from stackward.steps.awaiting import AwaitPrompt
from stackward.steps.volumes import (
    AttachVolume,
    DetachVolume,
    RemoveAttachment,
    RollBackDetaching,
    UnreserveVolume,
)

HOST = "compute-07"
V1, V2 = an_id("v1"), an_id("v2")
SERVER = a_server(volume_ids=(V1,))
ROLL = RollBackDetaching(volume=V1, name="db-01")
UNRESERVE = UnreserveVolume(volume=V2, name="db-01")
REMOVE = RemoveAttachment(attachment="a2", volume=V2, server=SERVER.id, name="db-01")
DETACH = DetachVolume(server=SERVER.id, name="db-01", volume=V1, host=HOST, device="/dev/vdb")
ATTACH = AttachVolume(server=SERVER.id, name="db-01", volume=V2, host=HOST, device="/dev/vdc")
PROMPT = AwaitPrompt(server=SERVER.id, name="db-01", pattern="login: *$")


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(SERVER)
    cloud.cinder.volumes = {V1: Volume(id=V1), V2: Volume(id=V2, status="available")}
    return cloud


@pytest.fixture
def shell(cloud: FakeCloud) -> FakeShell:
    return FakeShell(cloud)


@pytest.fixture
def world(cloud: FakeCloud, shell: FakeShell) -> World:
    return a_world(cloud, shell)


def set_status(cloud: FakeCloud, volume: str, status: str) -> None:
    cloud.cinder.volumes[volume] = replace(cloud.cinder.volumes[volume], status=status)


def ready_for(step: Step[World], cloud: FakeCloud) -> None:
    """Bring a cloud to where the step has something to do."""
    if step is ROLL:
        set_status(cloud, V1, "detaching")
    elif step is UNRESERVE:
        set_status(cloud, V2, "attaching")
    elif step is REMOVE:
        set_status(cloud, V2, "reserved")
        held = Attachment(id="a2", volume=V2, server=SERVER.id, status="reserved")
        cloud.cinder.reserved.append(held)


STEPS: list[Step[World]] = [ROLL, UNRESERVE, REMOVE, DETACH, ATTACH]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.kind)
def test_it_is_todo_until_it_was_started_and_done_once_it_is_so(
    step: Step[World], cloud: FakeCloud, world: World
) -> None:
    ready_for(step, cloud)
    mark = step.mark(world)
    before = step.look(world, None).standing

    step.start(world)
    cloud.nova.pass_time()

    assert before is Standing.TODO
    assert step.look(world, mark).standing is Standing.DONE
    assert step.look(world, None).standing is Standing.DONE  # by whoever it was


@pytest.mark.parametrize("step", [DETACH, ATTACH], ids=lambda step: step.kind)
def test_it_is_under_way_until_nova_has_ended(step: Step[World], world: World) -> None:
    mark = step.mark(world)

    step.start(world)

    assert step.look(world, mark).standing is Standing.UNDERWAY


@pytest.mark.parametrize("step", [DETACH, ATTACH], ids=lambda step: step.kind)
def test_what_nova_gave_up_has_failed(step: Step[World], cloud: FakeCloud, world: World) -> None:
    mark = step.mark(world)
    step.start(world)
    cloud.nova.detaching, cloud.nova.attaching = set(), {}
    cloud.nova.reattached.clear()
    cloud.nova.actions[SERVER.id][-1] = replace(cloud.nova.actions[SERVER.id][-1], message="Error")

    assert step.look(world, mark).standing is Standing.FAILED


@pytest.mark.parametrize("step", [DETACH, ATTACH], ids=lambda step: step.kind)
def test_what_somebody_else_asks_for_is_foreign(
    step: Step[World], cloud: FakeCloud, world: World
) -> None:
    mark = step.mark(world)
    cloud.nova.actions[SERVER.id] = [
        ServerAction(action="reboot", request_id="req-eve", user="eve", started="9")
    ]

    assert step.look(world, mark).standing is Standing.FOREIGN


@pytest.mark.parametrize("step", [DETACH, ATTACH], ids=lambda step: step.kind)
@pytest.mark.parametrize(
    "server",
    [replace(SERVER, task_state="rebooting"), replace(SERVER, host="compute-08")],
    ids=["busy", "moved"],
)
def test_nothing_is_begun_on_a_server_that_is_not_as_it_was_planned(
    step: Step[World], server: object, cloud: FakeCloud, world: World
) -> None:
    cloud.nova.known[SERVER.id] = server  # type: ignore[assignment]

    assert step.look(world, None).standing is Standing.FOREIGN


@pytest.mark.parametrize("step", [DETACH, ATTACH], ids=lambda step: step.kind)
def test_a_server_that_is_gone_needs_nothing(
    step: Step[World], cloud: FakeCloud, world: World
) -> None:
    cloud.nova.vanish(SERVER.id)

    assert step.look(world, None).standing is Standing.DONE


@pytest.mark.parametrize("step", [DETACH, ATTACH], ids=lambda step: step.kind)
def test_without_libvirt_nothing_is_proved(
    step: Step[World], cloud: FakeCloud, shell: FakeShell, world: World
) -> None:
    mark = step.mark(world)
    step.start(world)
    cloud.nova.pass_time()
    shell.silent.add(HOST)

    assert step.look(world, mark).standing is Standing.UNKNOWN


def test_a_guest_that_still_has_the_disk_is_no_proof_of_a_detach(
    cloud: FakeCloud, shell: FakeShell, world: World
) -> None:
    mark = DETACH.mark(world)
    DETACH.start(world)
    cloud.nova.pass_time()
    shell.serials[SERVER.id] = (V1,)

    look = DETACH.look(world, mark)

    assert (look.standing, look.is_over) == (Standing.UNDERWAY, True)
    assert "its guest still has it" in (look.reason or "")


def test_a_volume_that_became_another_device_is_not_done(cloud: FakeCloud, world: World) -> None:
    step = replace(ATTACH, device="/dev/vdd")
    mark = step.mark(world)
    step.start(world)
    cloud.nova.pass_time()

    look = step.look(world, mark)

    assert look.standing is Standing.FAILED
    assert "its device is vdc, and not vdd" in (look.reason or "")


@pytest.mark.parametrize("status", ["error", "backing-up", "reserved"])
@pytest.mark.parametrize("step", [ROLL, UNRESERVE], ids=lambda step: step.kind)
def test_a_volume_that_others_have_changed_is_left_to_them(
    step: RollBackDetaching, status: str, cloud: FakeCloud, world: World
) -> None:
    set_status(cloud, step.volume, status)

    assert step.look(world, None).standing is Standing.FOREIGN


@pytest.mark.parametrize("step", [ROLL, UNRESERVE], ids=lambda step: step.kind)
def test_a_volume_that_is_gone_is_a_failure(
    step: RollBackDetaching, cloud: FakeCloud, world: World
) -> None:
    cloud.cinder.volumes.clear()

    assert step.look(world, None).standing is Standing.FAILED


def test_an_attachment_that_nova_uses_by_now_is_not_removed(cloud: FakeCloud, world: World) -> None:
    step = replace(REMOVE, volume=V1, attachment=an_id(f"of-{V1}"))

    with pytest.raises(StepFailed, match="Nova uses attachment"):
        step.start(world)

    assert cloud.calls["orders"] == 0


CONSOLES: dict[str, tuple[str, Standing]] = {
    "at its prompt": ("Debian 13\n\ndb-01 login: \n", Standing.DONE),
    "on its way": ("db-01 login: \n[  OK  ] Reached target", Standing.UNDERWAY),
    "empty": ("", Standing.UNDERWAY),
}


@pytest.mark.parametrize("name", CONSOLES)
def test_the_last_line_of_the_console_is_the_sign(
    name: str, cloud: FakeCloud, world: World
) -> None:
    cloud.nova.consoles[SERVER.id], standing = CONSOLES[name]

    assert PROMPT.look(world, None).standing is standing


def test_a_console_that_says_nothing_new_for_long_is_given_up(
    cloud: FakeCloud, world: World
) -> None:
    cloud.nova.consoles[SERVER.id] = "grub rescue> "

    early, late = PROMPT.examine(world, None, 599.0), PROMPT.examine(world, None, 600.0)

    assert early is None
    assert late is not None
    assert (late.standing, "server triage" in (late.remedy or "")) == (Standing.FAILED, True)


def test_without_a_console_the_wait_fails_and_says_what_to_pass(
    cloud: FakeCloud, world: World
) -> None:
    cloud.nova.known[SERVER.id] = replace(SERVER, vm_state="stopped")

    look = PROMPT.look(world, None)

    assert (look.standing, "--ready none" in (look.remedy or "")) == (Standing.FAILED, True)


def test_a_wait_has_nothing_to_start(world: World) -> None:
    with pytest.raises(StepFailed):
        PROMPT.start(world)
