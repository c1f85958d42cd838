"""A node comes back: nova-compute is started, the node uncordoned, a server booted and removed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.glance import GUEST
from fakes.neutron import LAB_NET
from fakes.nova import TINY
from fakes.shell import IN_A_CONTAINER, NOVA_COMPUTE_RUNS, FakeShell
from fakes.world import a_world
from stackward.errors import StepFailed, Uncertain, Unreachable
from stackward.model.maintenance import DROP_IN, MAINTENANCE
from stackward.model.service import MEND_CELL
from stackward.plan import Standing
from stackward.ports.root import line
from stackward.ports.shell import Answer
from stackward.ports.world import World
from stackward.steps.acceptance import BootAcceptance, RemoveAcceptance
from stackward.steps.service import BringUp, Cordon, KeepOff, Uncordon

HOST, PROVIDER = "compute-07", an_id("compute-07")
CORDON = Cordon(host=HOST, provider=PROVIDER, reason="bad DIMM")
KEEP_OFF = KeepOff(node=HOST, reason="bad DIMM")
BRING_UP = BringUp(node=HOST, host=HOST)
UNCORDON = Uncordon(host=HOST, provider=PROVIDER, claim="01DRAIN")
BOOT = BootAcceptance(host=HOST, zone="nova", image=GUEST.id, flavor=TINY.id, network=None)
REMOVE = RemoveAcceptance(host=HOST)


def drained() -> tuple[FakeCloud, FakeShell, World]:
    """Return a node as its drain, run 01DRAIN, leaves it; the world is that of its return."""
    cloud = FakeCloud()
    shell = FakeShell(cloud)
    CORDON.start(a_world(cloud, shell, run="01DRAIN"))
    KEEP_OFF.start(a_world(cloud, shell, run="01DRAIN"))
    cloud.nova.computes[HOST] = replace(cloud.nova.computes[HOST], is_up=False, updated="long ago")
    return cloud, shell, a_world(cloud, shell, run="01RETURN")


# --- the cordon lasts ---


def test_our_cordon_lasts_as_long_as_its_claim_is_ours() -> None:
    cloud = FakeCloud()
    world = a_world(cloud)
    CORDON.start(world)

    assert CORDON.lost(world) is None


def test_a_trait_that_placement_never_gets_is_not_waited_for_for_ever() -> None:
    cloud = FakeCloud()
    world = a_world(cloud)
    CORDON.start(world)
    cloud.placement.traits[HOST] = set()

    look = CORDON.look(world, None)

    assert (look.standing, look.is_over) == (Standing.UNDERWAY, True)
    assert "nova-compute's log" in str(look.remedy)


def test_a_node_that_others_have_enabled_is_not_cordoned_any_more() -> None:
    cloud = FakeCloud()
    world = a_world(cloud)
    CORDON.start(world)
    cloud.nova.enable_service(cloud.nova.computes[HOST].id)

    lost = CORDON.lost(world)

    assert lost is not None
    assert lost.reason == (
        "is no longer cordoned: somebody else has enabled its service (Nova does not record who)"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "stackward 01X by bob on desk since 2026-01-01T12:00:00Z: mine now",
            "bob has claimed it since: stackward 01X by bob on desk",
            id="another run's claim",
        ),
        pytest.param("kernel panic", "somebody else has it now: kernel panic", id="a text"),
        pytest.param("", "somebody else has it now: no reason given", id="no text"),
    ],
)
def test_a_claim_that_was_replaced_is_named(text: str, says: str) -> None:
    cloud = FakeCloud()
    world = a_world(cloud)
    CORDON.start(world)
    cloud.nova.disable_service(cloud.nova.computes[HOST].id, text)

    lost = CORDON.lost(world)

    assert lost is not None
    assert says in str(lost.reason)


@pytest.mark.parametrize(
    "look",
    [
        pytest.param(CORDON.lost, id="is our cordon lost"),
        pytest.param(lambda world: CORDON.look(world, None), id="is it cordoned"),
        pytest.param(lambda world: UNCORDON.look(world, None), id="is it uncordoned"),
        pytest.param(UNCORDON.mark, id="how it stands before"),
    ],
)
def test_a_cell_that_is_down_for_seconds_is_nobody_elses_claim(
    look: Callable[[World], object],
) -> None:
    """A drain stopped for good: `somebody else has it now: no reason given`."""
    cloud = FakeCloud()
    world = a_world(cloud)
    CORDON.start(world)
    cloud.nova.cells_down.add(HOST)

    with pytest.raises(Unreachable, match=f"the host `{HOST}`: its cell is down") as caught:
        look(world)

    assert caught.value.hint == MEND_CELL
    cloud.nova.cells_down.clear()
    assert CORDON.lost(world) is None


class LeavesAfter(FakeShell):
    """A node that answers so many commands more, and then no one."""

    left = 0

    @override
    def run(self, node: str, command: Sequence[str], /, **how: Any) -> Answer:
        if not self.left:
            self.silent.add(node)
        self.left -= 1
        return super().run(node, command, **how)


@pytest.mark.parametrize("step", [KEEP_OFF, BRING_UP], ids=["keep off", "bring up"])
def test_a_node_that_is_lost_between_two_commands_is_not_called_unasked(
    step: KeepOff | BringUp,
) -> None:
    """It was: its run could be undone, and left nova-compute kept off by a file of ours."""
    raised = []
    for answered in range(len(step.as_root)):
        cloud = FakeCloud()
        shell = LeavesAfter(cloud)
        shell.left = answered

        with pytest.raises((Unreachable, Uncertain)) as caught:
            step.start(a_world(cloud, shell))
        raised.append(type(caught.value))

    assert raised == [Unreachable, *[Uncertain] * (len(step.as_root) - 1)]


@pytest.mark.parametrize("step", [KEEP_OFF, BRING_UP])
def test_what_may_not_be_run_as_root_is_named_with_the_line_that_allows_it(
    step: KeepOff | BringUp,
) -> None:
    cloud = FakeCloud()
    shell = FakeShell(cloud, refused={HOST: "sudo: a password is required"})

    with pytest.raises(StepFailed, match=f"may not be run as root on `{HOST}`") as caught:
        step.start(a_world(cloud, shell))

    assert (caught.value.service, caught.value.says) == ("sudo", "sudo: a password is required")
    assert f"`{line(step.as_root[0])}`" in (caught.value.hint or "")
    assert shell.done == []


# --- keep off ---


def test_a_nova_compute_in_a_container_is_never_called_off() -> None:
    """F35: a unit that does not exist can be masked, and is inactive then."""
    cloud = FakeCloud()
    shell = FakeShell(cloud, without_unit={HOST}, processes={HOST: [IN_A_CONTAINER]})
    world = a_world(cloud, shell)
    KEEP_OFF.start(world)

    look = KEEP_OFF.look(world, {})

    assert look.standing is Standing.FAILED
    assert "in a container (docker 4f5e6a7b8c9d)" in str(look.reason)
    assert shell.units[HOST] == ("inactive", "masked")


def test_a_process_that_its_stopped_unit_has_left_is_not_off_yet() -> None:
    cloud = FakeCloud()
    left = f"  9 0::/system.slice/nova-compute.service {NOVA_COMPUTE_RUNS}"
    shell = FakeShell(cloud, processes={HOST: [left]})
    world = a_world(cloud, shell)
    KEEP_OFF.start(world)

    look = KEEP_OFF.look(world, {})

    assert (look.standing, look.is_over) == (Standing.UNDERWAY, True)


def test_off_is_not_known_where_processes_are_hidden() -> None:
    cloud = FakeCloud()
    shell = FakeShell(cloud, hides_processes={HOST})
    world = a_world(cloud, shell)
    KEEP_OFF.start(world)

    assert KEEP_OFF.look(world, {}).standing is Standing.UNKNOWN


def test_no_second_nova_compute_is_started_beside_a_container() -> None:
    _, shell, world = drained()
    shell.processes[HOST] = [IN_A_CONTAINER]

    look = BRING_UP.look(world, None)

    assert look.standing is Standing.FAILED
    assert "runs already in a container" in str(look.reason)


# --- bring up ---


def test_bringing_up_takes_every_mark_away_and_starts_the_unit() -> None:
    _, shell, world = drained()

    stood = BRING_UP.look(world, None).standing
    mark = BRING_UP.mark(world)
    BRING_UP.start(world)

    assert (stood, BRING_UP.look(world, mark).standing) == (Standing.TODO, Standing.DONE)
    assert (shell.files, shell.units[HOST]) == ({}, ("active", "enabled"))


@pytest.mark.parametrize("path", [MAINTENANCE, DROP_IN])
def test_one_mark_left_is_not_brought_up(path: str) -> None:
    """Killed between two of its commands, the step is done again."""
    _, shell, world = drained()
    BRING_UP.start(world)
    shell.files[HOST, path] = ""

    assert BRING_UP.look(world, None).standing is Standing.TODO


def test_bringing_up_may_be_repeated() -> None:
    _, shell, world = drained()
    BRING_UP.start(world)
    BRING_UP.start(world)

    assert BRING_UP.look(world, None).standing is Standing.DONE
    assert shell.units[HOST] == ("active", "enabled")


def test_a_unit_that_nova_has_not_heard_from_is_not_up_yet() -> None:
    """The service list says `up` for a minute after a stop: that proves nothing."""
    cloud, _, world = drained()
    mark = BRING_UP.mark(world)
    BRING_UP.start(world)
    cloud.nova.computes[HOST] = replace(cloud.nova.computes[HOST], is_up=True, updated="long ago")

    assert BRING_UP.look(world, mark).standing is Standing.UNKNOWN


def test_a_unit_that_ends_after_its_start_has_failed() -> None:
    _, shell, world = drained()
    shell.not_starting.add(HOST)
    mark = BRING_UP.mark(world)
    BRING_UP.start(world)

    look = BRING_UP.look(world, mark)

    assert (look.standing, look.says) == (
        Standing.FAILED,
        "failed, exit-code, restarted 0 times",
    )


def test_a_unit_that_had_failed_before_is_started() -> None:
    _, shell, world = drained()
    shell.units[HOST] = ("failed", "masked")
    mark = BRING_UP.mark(world)

    assert BRING_UP.look(world, mark).standing is Standing.TODO


# --- uncordon ---


def test_uncordoning_lifts_the_claim_that_was_planned_for() -> None:
    cloud, _, world = drained()

    stood = UNCORDON.look(world, None).standing
    UNCORDON.start(world)

    assert (stood, UNCORDON.look(world, None).standing) == (Standing.TODO, Standing.DONE)
    assert cloud.nova.computes[HOST].disabled_reason is None


@pytest.mark.parametrize(
    "text",
    ["broken fan, Eve", "stackward 01OTHER by eve on b since 2026-11-22T03:00:00Z: fan"],
)
def test_anothers_claim_is_not_lifted(text: str) -> None:
    cloud, _, world = drained()
    cloud.nova.disable_service(cloud.nova.computes[HOST].id, text)

    look = UNCORDON.look(world, None)

    assert (look.standing, text in str(look.reason)) == (Standing.FOREIGN, True)


def test_a_node_that_placement_still_hides_is_not_uncordoned() -> None:
    cloud, _, world = drained()
    UNCORDON.start(world)
    cloud.placement.traits[HOST] = {"COMPUTE_STATUS_DISABLED"}

    assert UNCORDON.look(world, None).standing is Standing.UNKNOWN


def test_cordoning_again_lets_the_claim_stand_that_was_not_lifted() -> None:
    _, _, world = drained()

    again = replace(CORDON, reason="its return failed", over="01DRAIN")

    assert again.look(world, None).standing is Standing.DONE


def test_cordoning_again_claims_what_was_uncordoned() -> None:
    cloud, _, world = drained()
    UNCORDON.start(world)
    again = replace(CORDON, reason="its return failed", over="01DRAIN")

    stood = again.look(world, None).standing
    again.start(world)

    assert (stood, again.look(world, None).standing) == (Standing.TODO, Standing.DONE)
    assert "01RETURN" in str(cloud.nova.computes[HOST].disabled_reason)


# --- the acceptance server ---


def returned() -> tuple[FakeCloud, FakeShell, World]:
    cloud, shell, world = drained()
    BRING_UP.start(world)
    UNCORDON.start(world)
    return cloud, shell, world


def test_the_acceptance_server_is_booted_on_that_very_host() -> None:
    cloud, _, world = returned()

    stood = [BOOT.look(world, None).standing]
    mark = BOOT.mark(world)
    BOOT.start(world)
    stood.append(BOOT.look(world, mark).standing)
    cloud.nova.pass_time()

    assert [*stood, BOOT.look(world, mark).standing] == [
        Standing.TODO,
        Standing.UNDERWAY,
        Standing.DONE,
    ]
    [wanted] = cloud.nova.built
    assert (wanted.name, wanted.host, wanted.network) == (
        "stackward-acceptance-01return",
        HOST,
        None,
    )


def test_an_acceptance_server_is_found_without_our_memory() -> None:
    """Its answer was lost: it is found by its name, and not booted twice."""
    cloud, _, world = returned()
    BOOT.start(world)
    cloud.nova.pass_time()

    assert BOOT.look(world, None).standing is Standing.DONE


def test_a_server_of_that_name_without_our_mark_is_not_ours() -> None:
    cloud, _, world = returned()
    cloud.nova.add(a_server(name="stackward-acceptance-01return"))

    assert BOOT.look(world, None).standing is Standing.TODO
    assert REMOVE.look(world, None).standing is Standing.DONE


def booted(**changes: object) -> tuple[FakeCloud, FakeShell, World]:
    cloud, shell, world = returned()
    BOOT.start(world)
    cloud.nova.pass_time()
    [own] = cloud.nova.servers_named("stackward-acceptance-01return")
    cloud.nova.known[own.id] = replace(own, **changes)  # type: ignore[arg-type]  # fields of a server
    return cloud, shell, world


@pytest.mark.parametrize(
    ("changes", "standing"),
    [
        pytest.param({"host": "compute-08"}, Standing.FAILED, id="elsewhere"),
        pytest.param({"status": "SHUTOFF"}, Standing.FAILED, id="off"),
        pytest.param({"power_state": 0}, Standing.UNDERWAY, id="no power yet"),
        pytest.param({"task_state": "spawning"}, Standing.UNDERWAY, id="busy"),
    ],
)
def test_what_is_not_proved_is_not_booted(changes: dict[str, object], standing: Standing) -> None:
    _, _, world = booted(**changes)

    assert BOOT.look(world, BOOT.mark(world)).standing is standing


def test_a_server_that_cannot_be_built_fails_in_novas_words() -> None:
    cloud, _, world = returned()
    cloud.nova.fault = "No valid host was found. "
    BOOT.start(world)
    cloud.nova.pass_time()

    look = BOOT.look(world, None)

    assert (look.standing, look.service, look.says) == (
        Standing.FAILED,
        "Nova",
        "No valid host was found. ",
    )


def test_a_server_whose_guest_does_not_run_there_is_not_booted() -> None:
    _, shell, world = booted()
    shell.libvirt_down.add(HOST)

    look = BOOT.look(world, BOOT.mark(world))

    assert look.standing is Standing.UNDERWAY
    assert "failed to connect to the hypervisor" in str(look.reason)


def test_a_server_that_is_never_built_is_waited_for_with_an_end() -> None:
    _, _, world = returned()
    mark = BOOT.mark(world)
    BOOT.start(world)
    world.clock.wait(300)

    look = BOOT.look(world, mark)

    assert (look.standing, look.reason) == (
        Standing.FAILED,
        "after 300 s it is BUILD (spawning)",
    )


def test_a_server_found_on_resume_is_waited_for_no_longer_than_the_engine_has_patience() -> None:
    """An earlier worker's attempt was given up as lost: nobody knows since when it is built."""
    cloud, _, world = returned()
    BOOT.start(world)
    building = BOOT.look(world, None)
    cloud.nova.pass_time()
    REMOVE.start(world)

    removing = REMOVE.look(world, None)

    assert (building.standing, building.reason) == (Standing.UNKNOWN, "it is BUILD (spawning)")
    assert (removing.standing, removing.reason) == (Standing.UNKNOWN, "Nova is deleting it")


def test_a_port_that_is_not_active_there_is_no_proof() -> None:
    cloud, _, world = returned()
    boot = replace(BOOT, network=LAB_NET.id)
    mark = boot.mark(world)
    boot.start(world)
    cloud.nova.pass_time()
    proved = boot.look(world, mark).standing
    [own] = cloud.nova.servers_named("stackward-acceptance-01return")
    cloud.nova.known[own.id] = replace(own, ports=(replace(own.ports[0], status="DOWN"),))

    assert (proved, boot.look(world, mark).standing) == (Standing.DONE, Standing.UNDERWAY)


def test_a_fake_hypervisor_has_no_guest_to_look_for() -> None:
    cloud, shell, world = booted()
    cloud.nova.kind = "fake"
    shell.libvirt_down.add(HOST)

    assert BOOT.look(world, None).standing is Standing.DONE


def test_the_acceptance_server_of_a_run_that_is_over_is_removed_by_another() -> None:
    cloud, shell, _ = booted()
    world = a_world(cloud, shell, run="01NEXT")
    other = replace(REMOVE, run="01RETURN")

    own = REMOVE.look(world, None).standing
    before = other.look(world, None).standing
    mark = other.mark(world)
    other.start(world)
    cloud.nova.pass_time()

    assert (own, before) == (Standing.DONE, Standing.TODO)
    assert other.look(world, mark).standing is Standing.DONE
    assert cloud.nova.servers_named("stackward-acceptance-01return") == ()


def test_the_acceptance_server_is_removed_with_its_guest() -> None:
    cloud, _, world = booted()

    stood = [REMOVE.look(world, None).standing]
    mark = REMOVE.mark(world)
    REMOVE.start(world)
    stood.append(REMOVE.look(world, mark).standing)
    cloud.nova.pass_time()

    assert [*stood, REMOVE.look(world, mark).standing] == [
        Standing.TODO,
        Standing.UNDERWAY,
        Standing.DONE,
    ]
    assert not cloud.nova.known


def test_a_guest_that_libvirt_cannot_be_asked_for_is_not_gone() -> None:
    cloud, shell, world = booted()
    mark = REMOVE.mark(world)
    REMOVE.start(world)
    cloud.nova.pass_time()
    shell.libvirt_down.add(HOST)

    assert REMOVE.look(world, mark).standing is Standing.UNDERWAY


def test_a_server_that_is_never_deleted_is_waited_for_with_an_end() -> None:
    _, _, world = booted()
    mark = REMOVE.mark(world)
    REMOVE.start(world)
    world.clock.wait(300)

    assert REMOVE.look(world, mark).standing is Standing.FAILED
