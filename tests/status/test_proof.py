"""The proof of a move: each row by itself can keep it from being done."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.kinds import KINDS
from stackward.model.domain import INSTANCES
from stackward.model.network import Port
from stackward.model.volume import Volume
from stackward.plan import Look, Move, Standing, dump_move
from stackward.plan.stored import load_move
from stackward.status.proof import domain_on_target
from stackward.steps.compute import LiveMigrate

DB = an_id("db-01")
STEP = LiveMigrate(server=DB, name="db-01", source="compute-07", target="compute-08")

Break = Callable[[FakeCloud, FakeShell], object]


def moved(spoil: Break = lambda _cloud, _shell: None, *, step: LiveMigrate = STEP) -> Look:
    """Return how a completed live migration stands when something about it is spoilt."""
    cloud = FakeCloud()
    cloud.cinder.volumes["v"] = Volume(id="v")
    cloud.nova.add(a_server(volume_ids=("v",)))
    shell = FakeShell(cloud)
    world = a_world(cloud, shell)
    mark = step.mark(world)
    step.start(world)
    cloud.nova.pass_time()
    spoil(cloud, shell)
    return step.look(world, mark)


def become(**values: object) -> Break:
    def spoil(cloud: FakeCloud, _shell: FakeShell) -> None:
        cloud.nova.known[DB] = replace(cloud.nova.known[DB], **values)  # type: ignore[arg-type]  # by name

    return spoil


def volume(**values: object) -> Break:
    def spoil(cloud: FakeCloud, _shell: FakeShell) -> None:
        cloud.cinder.volumes["v"] = replace(cloud.cinder.volumes["v"], **values)  # type: ignore[arg-type]  # by name

    return spoil


def domain(node: str, state: str) -> Break:
    return lambda _cloud, shell: shell.domains.update({(node, DB): state})


def bound(*bindings: tuple[str, str]) -> Break:
    return lambda cloud, _shell: cloud.neutron.bound.update(
        {port.id: bindings for port in ports(cloud)}
    )


def ports(cloud: FakeCloud) -> tuple[Port, ...]:
    return cloud.neutron.ports_of([DB])


def held(by: str, on: str) -> Break:
    def spoil(cloud: FakeCloud, _shell: FakeShell) -> None:
        consumer = cloud.nova.migrations[0].uuid if by == "migration" else DB
        cloud.placement.leftovers[consumer] = {an_id(on)}

    return spoil


def left_on_disk(_cloud: FakeCloud, shell: FakeShell) -> None:
    shell.leftovers["compute-07"] = [f"/var/lib/nova/instances/{DB}"]


def test_a_move_of_which_every_row_holds_is_done() -> None:
    look = moved()

    assert look.standing is Standing.DONE
    assert look.saw["target"] == "compute-08"
    assert {row for name, row in look.saw.items() if name != "target"} == {"holds"}


@pytest.mark.parametrize(
    ("row", "spoil"),
    [
        pytest.param("host", become(host="compute-09"), id="it is somewhere else"),
        pytest.param("task", become(task_state="migrating"), id="Nova is not through with it"),
        pytest.param("vm_state", become(vm_state="paused"), id="it is in another state"),
        pytest.param("power_state", become(power_state=4), id="its power is another"),
        pytest.param("volumes", volume(status="reserved"), id="a volume is not in use"),
        pytest.param(
            "volumes", volume(attached=((DB, "compute-07"),)), id="a volume is attached elsewhere"
        ),
        pytest.param("port", bound(("compute-07", "ACTIVE")), id="a port is bound elsewhere"),
        pytest.param("port", bound(), id="a port has no binding"),
        pytest.param(
            "port",
            bound(("compute-08", "ACTIVE"), ("compute-07", "INACTIVE")),
            id="a binding is left",
        ),
        pytest.param("allocations", held("migration", "compute-07"), id="allocations are left"),
        pytest.param("domain on the target", domain("compute-08", "paused"), id="it does not run"),
        pytest.param("no domain on the source", domain("compute-07", "shut off"), id="it is twice"),
        pytest.param("no directory on the source", left_on_disk, id="its disk was left"),
    ],
)
def test_each_row_keeps_a_move_from_being_done(row: str, spoil: Break) -> None:
    look = moved(spoil)

    assert look.standing is Standing.UNDERWAY
    wrong = [name for name, said in look.saw.items() if said not in {"holds", "not applicable"}]
    assert [name for name in wrong if name.startswith(row)]


@pytest.mark.parametrize(
    ("on", "named"),
    [
        pytest.param("compute-07", "`compute-07`", id="the source"),
        pytest.param("compute-08", "`compute-08`", id="the target"),
        pytest.param("compute-99", an_id("compute-99"), id="neither: by its id"),
    ],
)
def test_the_node_where_allocations_are_left_is_named(on: str, named: str) -> None:
    said = moved(held("migration", on)).saw["allocations"]

    assert said == f"the migration still holds some on {named}"


def test_what_cannot_be_read_is_unknown_and_says_why() -> None:
    look = moved(lambda _cloud, shell: shell.silent.add("compute-07"))

    assert look.standing is Standing.UNKNOWN
    assert "no domain on the source: cannot log in to `compute-07`" in (look.reason or "")


def test_a_directory_that_all_nodes_share_is_no_leftover() -> None:
    look = moved(left_on_disk, step=replace(STEP, shares_disks=True))

    assert look.standing is Standing.DONE
    assert look.saw["no directory on the source"] == "not applicable"


def with_directories(*ends: str, here: tuple[int, float], there: tuple[int, float]) -> Look:
    """Look at a move of which source and target have these directories; so each sees them."""

    def leave(_cloud: FakeCloud, shell: FakeShell) -> None:
        places = [f"{INSTANCES}/{DB}{end}" for end in ends]
        shell.leftovers["compute-07"] = places
        shell.inodes |= {("compute-07", place): here for place in places}
        shell.inodes |= {("compute-08", place): there for place in places}

    return moved(leave)


def test_a_directory_that_the_target_has_too_is_on_shared_storage_whatever_that_is() -> None:
    """Seen on a lab whose nodes share a folder of the machine: its kind is that of a local disk."""
    look = with_directories("", here=(7, 1.5), there=(7, 1.5))

    assert look.standing is Standing.DONE
    assert look.saw["no directory on the source"] == "not applicable"


@pytest.mark.parametrize("there", [(7, 1.6), (8, 1.5)], ids=["changed later", "another inode"])
def test_a_directory_of_the_same_name_is_another_one_on_local_disks(
    there: tuple[int, float],
) -> None:
    look = with_directories("", here=(7, 1.5), there=there)

    assert look.standing is Standing.UNDERWAY
    assert look.saw["no directory on the source"] == f"left there: {INSTANCES}/{DB}"


def test_what_a_resize_has_left_is_left_on_shared_storage_too() -> None:
    look = with_directories("", "_resize", here=(7, 1.5), there=(7, 1.5))

    assert look.saw["no directory on the source"] == f"left there: {INSTANCES}/{DB}_resize"


def test_f29_a_directory_is_looked_for_where_the_disk_was() -> None:
    own = "/mnt/local/instances"

    look = moved(
        lambda _cloud, shell: shell.leftovers.update({"compute-07": [f"{own}/{DB}"]}),
        step=replace(STEP, directories=(own,)),
    )

    assert look.standing is Standing.UNDERWAY
    assert look.saw["no directory on the source"] == f"left there: {own}/{DB}"


def test_a_step_of_an_older_plan_looks_in_the_usual_place() -> None:
    move = Move(thing="db-01", how="live", steps=(STEP,))
    stored = dump_move(move)
    del stored["steps"][0]["directories"]

    assert load_move(stored, KINDS) == move


def test_a_hypervisor_without_domains_proves_the_rest() -> None:
    look = moved(lambda cloud, _shell: setattr(cloud.nova, "kind", "fake"))

    assert look.standing is Standing.DONE
    assert look.saw["domain on the target"] == "not applicable"


def test_a_state_from_before_that_is_not_known_is_said_so() -> None:
    """It was said "expected None"."""
    cloud = FakeCloud()
    cloud.nova.add(a_server(host="compute-08"))
    [hypervisor] = cloud.nova.hypervisors_like("compute-08")

    row = domain_on_target(a_world(cloud), an_id("db-01"), hypervisor, None)

    assert row.standing == "unread: it is running, and what it was before the move is not known"
