"""The proof of a move, row by row: each row holds, does not hold yet, or cannot be read.

What cannot be read is never taken for done. What does not apply is said so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stackward.answers import lines, shortly, why
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.domain import INSTANCES
from stackward.model.hypervisor import Hypervisor
from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.plan import Look, Mark, Standing
from stackward.ports.libvirt import read_boot, read_state
from stackward.ports.machines import machine_in, machine_of
from stackward.ports.shell import VIRSH, Answer
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of
from stackward.status.stalled import DOMSTATE, NO_DOMAIN

HOLDS = "holds"
NOT_APPLICABLE = "not applicable"

DOMID = (*VIRSH, "domid")
OFF = "off"  # instead of the number of a boot: no guest runs

_STATES = {"active": "running", "paused": "paused", "stopped": "shut off"}  # by Nova's vm_state


@dataclass(frozen=True, slots=True)
class Row:
    """One statement of the proof."""

    name: str
    wrong: str | None = None  # what is so instead
    unread: str | None = None  # why it cannot be read
    applies: bool = True

    @property
    def standing(self) -> str:
        """Return the row's state in words, for the journal."""
        if not self.applies:
            return NOT_APPLICABLE
        return self.wrong or (f"unread: {self.unread}" if self.unread else HOLDS)


def prove(
    world: World,
    server: Server,
    migration: Migration,
    mark: Mark,
    *,
    directories: tuple[str, ...] = (INSTANCES,),
) -> Look:
    """Return *done* only if every row holds that applies.

    `mark` has the states from before the move; `directories` are those of the source in which
    nothing of the server may be left: none where they are the target's too.
    """
    rows = tuple(_rows(world, server, migration, mark, directories))
    saw: Mapping[str, str | None] = {
        "target": migration.target,
        **{row.name: row.standing for row in rows},
    }
    if wrong := [f"{row.name}: {row.wrong}" for row in rows if row.wrong]:
        why = f"not proved: {'; '.join(wrong)}"
        return Look(Standing.UNDERWAY, reason=why, saw=saw, is_over=True)
    if unread := [f"{row.name}: {row.unread}" for row in rows if row.unread]:
        return Look(Standing.UNKNOWN, reason=f"cannot be read: {'; '.join(unread)}", saw=saw)
    return Look(Standing.DONE, saw=saw)


def _rows(
    world: World,
    server: Server,
    migration: Migration,
    mark: Mark,
    directories: tuple[str, ...],
) -> Iterator[Row]:
    target = migration.target or ""
    yield Row("host", None if server.host == target else f"it is on `{server.host}`")
    yield Row("task", f"it is busy ({server.task_state})" if server.task_state else None)
    for name, now in (("vm_state", server.vm_state), ("power_state", server.power_state)):
        before = mark.get(name)
        yield Row(name, None if now == before else f"was {before}, is {now}")
    yield volumes_on(world, server, target)
    yield from bindings_of_ports(world, server, target)
    source, there = (hypervisor_of(world.nova, host) for host in (migration.source, target))
    yield _allocations(world, server, migration, source, there)
    yield domain_on_target(world, server.id, there, _STATES.get(str(mark.get("vm_state"))))
    yield no_domain_on_source(world, server.id, source)
    yield _no_directory(world, server, source, there, directories)


def volumes_on(world: World, server: Server, target: str, *, but_for: str | None = None) -> Row:
    """Say whether Cinder has each volume of the server attached there, and nowhere else.

    `but_for` is a host that is dead: what is left of it is not looked at.
    """
    found = {each: world.cinder.volume(each) for each in server.volume_ids}
    wrong: list[str] = []
    for each, volume in found.items():
        if volume is None or volume.status != "in-use":
            wrong.append(f"{each} is {volume.status if volume else 'gone'}")
            continue
        hosts = [host for owner, host in volume.attached if owner == server.id and host != but_for]
        if hosts != [target]:
            wrong.append(f"{each} is attached on {', '.join(map(str, hosts)) or 'no host'}")
    return Row("volumes", "; ".join(wrong) or None, applies=bool(found))


def bindings_of_ports(world: World, server: Server, target: str) -> Iterator[Row]:
    """Say of each of its ports whether it has one binding, an active one on the target."""
    for port in world.neutron.ports_of([server.id]):
        bindings = world.neutron.bindings_of(port.id)
        active = [host for host, status in bindings if status == "ACTIVE"]
        is_well = active == [target] and len(bindings) == 1
        said = ", ".join(f"{host} {status}" for host, status in bindings) or "none"
        yield Row(f"port {port.id}", None if is_well else f"its bindings are: {said}")


def _allocations(
    world: World,
    server: Server,
    migration: Migration,
    source: Hypervisor | None,
    target: Hypervisor | None,
) -> Row:
    if target is None:
        return Row("allocations", unread=f"no hypervisor of `{migration.target}` was found")
    names = {each.id: f"`{each.host}`" for each in (source, target) if each}

    def named(providers: Iterable[str]) -> str:
        return ", ".join(sorted(names.get(each, each) for each in providers))

    own = world.placement.allocations_of(server.id)
    left = world.placement.allocations_of(migration.uuid)
    if left:
        return Row("allocations", f"the migration still holds some on {named(left)}")
    # Children of the target's provider may hold a part; no other node may.
    if target.id not in own:
        return Row("allocations", f"they are on {named(own) or 'no provider'}")
    return Row("allocations")


def domain_on_target(
    world: World, server: str, hypervisor: Hypervisor | None, expected: str | None
) -> Row:
    """Say whether libvirt there has the server's guest, in the state that is expected."""
    name = "domain on the target"
    asked = on_its_node(world, hypervisor, [*DOMSTATE, server], name)
    if isinstance(asked, Row):
        return asked
    if asked.code != 0:
        is_absent = NO_DOMAIN in asked.err
        return Row(name, "libvirt does not have it") if is_absent else _unread(name, asked)
    try:
        state = read_state(asked.out)
    except NotUnderstood as error:
        return Row(name, unread=why(error))
    if expected is None:
        return Row(name, unread=f"it is {state}, and what it was before the move is not known")
    return Row(name, None if state == expected else f"is {state}, expected {expected}")


def no_domain_on_source(world: World, server: str, hypervisor: Hypervisor | None) -> Row:
    """Say whether libvirt there has no such guest any more."""
    name = "no domain on the source"
    asked = on_its_node(world, hypervisor, [*DOMSTATE, server], name)
    if isinstance(asked, Row):
        return asked
    if asked.code == 0:
        return Row(name, f"libvirt still has it: {shortly(asked.out)}")
    return Row(name) if NO_DOMAIN in asked.err else _unread(name, asked)


def boot_of(world: World, server: str, hypervisor: Hypervisor | None) -> str | Row:
    """Return which boot of a server's guest runs there; or the row that says why that is not known.

    libvirt gives each start of a guest a new number, and Nova itself recognises a reboot by it
    (nova 31.0 virt/libvirt/driver.py, _soft_reboot): both kinds end one QEMU and start another. A
    reboot by the guest itself keeps the number. If libvirt was started again while no guest ran, it
    may give a number twice: then a boot is not proved. An old boot is never taken for a new one.
    """
    name = "new boot"
    asked = on_its_node(world, hypervisor, [*DOMID, server], name)
    if isinstance(asked, Row):
        return asked
    if asked.code != 0:
        return OFF if NO_DOMAIN in asked.err else _unread(name, asked)
    try:
        return read_boot(asked.out) or OFF
    except NotUnderstood as error:
        return Row(name, unread=why(error))


def new_boot(
    world: World, server: str, hypervisor: Hypervisor | None, before: str | None
) -> tuple[Row, str | None]:
    """Say whether another boot of the guest runs than the one before, and which."""
    now = boot_of(world, server, hypervisor)
    if isinstance(now, Row):
        return now, None
    if now == OFF:
        return Row("new boot", "no guest runs"), now
    if before is None:
        return Row("new boot", unread="which boot ran before is not known"), now
    same = f"the guest of before still runs (libvirt's number {now})" if now == before else None
    return Row("new boot", same), now


def _no_directory(
    world: World,
    server: Server,
    source: Hypervisor | None,
    target: Hypervisor | None,
    directories: tuple[str, ...],
) -> Row:
    name = "no directory on the source"
    if not directories:
        return Row(name, applies=False)
    # With a slash at its end, `find` follows a directory that is a link.
    places = [f"{each}/" for each in directories]
    command = ["find", *places, "-maxdepth", "1", "-name", f"{server.id}*"]
    asked = on_its_node(world, source, command, name)
    if isinstance(asked, Row):
        return asked
    if asked.code != 0:
        return _unread(name, asked)
    found = asked.out.split()
    own = [one for one in found if one.rpartition("/")[2] == server.id]
    shared = shared_by(world, source, target, own) if own else set[str]()
    left = [one for one in found if one not in shared]
    if found and not left:
        return Row(name, applies=False)
    return Row(name, f"left there: {', '.join(left)}" if left else None)


def shared_by(
    world: World,
    one: Hypervisor | None,
    other: Hypervisor | None,
    places: Sequence[str],
    which: Sequence[str] = ("-maxdepth", "0"),
) -> set[str]:
    """Return which of these places are the same for two nodes: on storage that they share.

    There, both see the same inode, changed last at the same nanosecond: two directories that Nova
    has made have never both. `which` are the words by which `find` chooses, below the places too.
    What cannot be asked is not shared.
    """
    command = ["find", *places, *which, "-printf", r"%i %C@ %p\n"]
    told = [on_its_node(world, each, command, "shared storage") for each in (one, other)]
    here, there = (set[str]() if isinstance(each, Row) else {*lines(each.out)} for each in told)
    return {line.split(" ", 2)[-1] for line in here & there}


def on_its_node(
    world: World, hypervisor: Hypervisor | None, command: list[str], name: str
) -> Answer | Row:
    """Ask the hypervisor's node; or return the row that says why that cannot be."""
    if hypervisor is None:
        return Row(name, unread="its hypervisor was not found")
    if not hypervisor.has_domains:
        return Row(name, applies=False)
    found = machine_in(world, machine_of(hypervisor))
    if found.node is None:
        return Row(name, unread=found.why)
    try:
        return world.shell.run(found.node, command)
    except (Unreachable, Uncertain) as error:
        return Row(name, unread=error.message)


def _unread(name: str, answer: Answer) -> Row:
    return Row(name, unread=answer.err.strip() or f"it ended with {answer.code}")
