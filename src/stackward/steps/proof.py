"""The proof of a move, row by row: each row holds, does not hold yet, or cannot be read.

What cannot be read is never taken for done. What does not apply is said so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stackward.errors import Uncertain, Unreachable
from stackward.model.compute import Hypervisor, Migration, Server
from stackward.plan import Look, Mark, Standing
from stackward.ports.world import World

HOLDS = "holds"
NOT_APPLICABLE = "not applicable"

_DOMUUID = ("virsh", "--readonly", "--connect", "qemu:///system", "list", "--all", "--uuid")


@dataclass(frozen=True, slots=True)
class Row:
    """One statement of the proof."""

    name: str
    wrong: str | None = None  # what is so instead
    unread: str | None = None  # why it cannot be read
    applies: bool = True

    @property
    def standing(self) -> str:
        """Return the row's standing in words, for the journal."""
        if not self.applies:
            return NOT_APPLICABLE
        return self.wrong or (f"unread: {self.unread}" if self.unread else HOLDS)


def prove(world: World, server: Server, migration: Migration, mark: Mark) -> Look:
    """Return *done* only if every row holds that applies."""
    rows = tuple(_rows(world, server, migration, mark))
    saw: Mapping[str, str] = {row.name: row.standing for row in rows}
    if wrong := [f"{row.name}: {row.wrong}" for row in rows if row.wrong]:
        return Look(Standing.UNDERWAY, reason=f"not proved yet: {'; '.join(wrong)}", saw=saw)
    if unread := [f"{row.name}: {row.unread}" for row in rows if row.unread]:
        return Look(Standing.UNKNOWN, reason=f"cannot be read: {'; '.join(unread)}", saw=saw)
    return Look(Standing.DONE, saw=saw)


def _rows(world: World, server: Server, migration: Migration, mark: Mark) -> Iterator[Row]:
    target = migration.target or ""
    yield Row("host", None if server.host == target else f"it is on `{server.host}`")
    yield Row("task", f"it is busy ({server.task_state})" if server.task_state else None)
    for name, now in (("vm_state", server.vm_state), ("power_state", server.power_state)):
        before = mark.get(name)
        yield Row(name, None if now == before else f"was {before}, is {now}")
    yield _volumes(world, server)
    yield from _bindings(world, server, target)
    hypervisors = {host: _hypervisor(world, host) for host in (migration.source, target) if host}
    yield _allocations(world, server, migration, hypervisors.get(target))
    yield _domain(world, server, hypervisors.get(target), expected=True)
    yield _domain(world, server, hypervisors.get(migration.source), expected=False)


def _volumes(world: World, server: Server) -> Row:
    states = {each: world.cloud.volume(each) for each in server.volume_ids}
    wrong = [each for each, volume in states.items() if not volume or volume.status != "in-use"]
    return Row(
        "volumes",
        f"not `in-use`: {', '.join(wrong)}" if wrong else None,
        applies=bool(states),
    )


def _bindings(world: World, server: Server, target: str) -> Iterator[Row]:
    for port in world.cloud.ports_of([server.id]):
        bindings = world.cloud.bindings_of(port.id)
        active = [host for host, status in bindings if status == "ACTIVE"]
        is_well = active == [target] and len(bindings) == 1
        said = ", ".join(f"{host} {status}" for host, status in bindings) or "none"
        yield Row(f"port {port.id}", None if is_well else f"its bindings are: {said}")


def _hypervisor(world: World, host: str) -> Hypervisor | None:
    short = host.partition(".")[0]
    found = [each for each in world.cloud.hypervisors_like(short) if each.host == host]
    return found[0] if len(found) == 1 else None


def _allocations(
    world: World, server: Server, migration: Migration, target: Hypervisor | None
) -> Row:
    if target is None:
        return Row("allocations", unread=f"no hypervisor of `{migration.target}` was found")
    own = world.cloud.allocations_of(server.id)
    left = world.cloud.allocations_of(migration.uuid)
    if left:
        return Row("allocations", f"the migration still holds some on {', '.join(sorted(left))}")
    # Children of the target's provider may hold a part; no other node may.
    if target.id not in own:
        return Row("allocations", f"they are on {', '.join(sorted(own)) or 'no provider'}")
    return Row("allocations")


def _domain(world: World, server: Server, hypervisor: Hypervisor | None, *, expected: bool) -> Row:
    name = "domain on the target" if expected else "no domain on the source"
    if hypervisor is None:
        return Row(name, unread="its hypervisor was not found")
    if not hypervisor.has_domains:
        return Row(name, applies=False)
    node = world.shell.node_of(hypervisor.host, hypervisor.address)
    if node is None:
        return Row(name, unread=f"the inventory names no node for `{hypervisor.host}`")
    guests = _guests(world, node)
    if isinstance(guests, str):
        return Row(name, unread=guests)
    wrong = f"libvirt on `{node}` {'does not have' if expected else 'has'} it"
    return Row(name, None if (server.id in guests) == expected else wrong)


def _guests(world: World, node: str) -> set[str] | str:
    """Return the guests' UUIDs, or why they cannot be read."""
    try:
        answer = world.shell.run(node, _DOMUUID)
    except (Unreachable, Uncertain) as error:
        return error.message
    if answer.code != 0:
        return answer.err.strip() or f"`virsh` ended with {answer.code}"
    return set(answer.out.split())
