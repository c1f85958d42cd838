"""A stale guest is ended only while its server runs where Nova has it, or is deleted."""

from dataclasses import replace

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.checks.agreement import GuestEnded
from stackward.errors import StepFailed
from stackward.plan import Holds, Refuted, Standing, Unverified
from stackward.ports.world import World
from stackward.steps.stale_guest import KillDomain

SERVER = a_server()
GONE = an_id("gone")
LEFT = KillDomain(
    node="compute-08", host="compute-08", server=SERVER.id, name="db-01", source="compute-07",
    must_run_there=True,
)  # fmt: skip
DELETED = replace(LEFT, server=GONE, name="gone", source="", must_run_there=False, is_deleted=True)
STEPS = pytest.mark.parametrize("step", [LEFT, DELETED], ids=["left", "deleted"])
PROOF = GuestEnded(guests=((SERVER.id, "compute-08"), (GONE, "compute-08")))


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(SERVER)
    return cloud


@pytest.fixture
def shell(cloud: FakeCloud) -> FakeShell:
    shell = FakeShell(cloud)
    shell.domains = {("compute-08", SERVER.id): "running", ("compute-08", GONE): "running"}
    return shell


@pytest.fixture
def world(cloud: FakeCloud, shell: FakeShell) -> World:
    return a_world(cloud, shell)


@STEPS
def test_it_is_ended_once(step: KillDomain, world: World, shell: FakeShell) -> None:
    mark = step.mark(world)
    before = step.look(world, mark).standing

    step.start(world)

    assert (before, step.look(world, mark).standing) == (Standing.TODO, Standing.DONE)
    assert shell.done == [f"destroy {step.server}", f"undefine --keep-nvram {step.server}"]


@pytest.mark.parametrize(
    "why",
    ["it moved", "it is busy", "it does not run there", "it is not there", "its node is silent"],
)
def test_no_guest_is_ended_where_the_other_is_not_proved_to_run(
    why: str, cloud: FakeCloud, shell: FakeShell, world: World
) -> None:
    match why:
        case "it moved":
            cloud.nova.add(replace(SERVER, host="compute-09"))
        case "it is busy":
            cloud.nova.add(replace(SERVER, task_state="migrating"))
        case "it does not run there":
            shell.domains["compute-07", SERVER.id] = "paused"
        case "it is not there":
            shell.without.add(("compute-07", SERVER.id))
        case _:
            shell.silent.add("compute-07")

    with pytest.raises(StepFailed):
        LEFT.start(world)

    assert (shell.done, shell.domains["compute-08", SERVER.id]) == ([], "running")


def test_a_server_that_is_there_again_keeps_its_guest(
    cloud: FakeCloud, shell: FakeShell, world: World
) -> None:
    cloud.nova.add(a_server(name="gone", host="compute-08"))

    with pytest.raises(StepFailed, match="by now"):
        DELETED.start(world)

    assert shell.done == []


def test_the_end_is_proved_by_the_others(cloud: FakeCloud, shell: FakeShell, world: World) -> None:
    before = PROOF.ask(world)
    shell.domains.clear()
    after = PROOF.ask(world)
    port = SERVER.ports[0].id
    cloud.neutron.bound[port] = (("compute-08", "ACTIVE"),)
    elsewhere = PROOF.ask(world)
    cloud.neutron.bound.clear()
    shell.silent.add("compute-08")
    unread = PROOF.ask(world)

    assert [type(one) for one in (before, after, elsewhere)] == [Refuted, Holds, Refuted]
    assert isinstance(unread, Unverified)
