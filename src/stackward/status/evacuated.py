"""The proof of an evacuation, row by row, as in `status/proof.py`; and which disk Nova used.

Nova decides on the target whether a disk is there, and builds a blank one where it sees none. It
says so in one line of the target's log and nowhere else.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from stackward.errors import Uncertain, Unreachable
from stackward.model.evacuation import is_under_way
from stackward.model.migration import Migration
from stackward.model.power import PowerState
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.plan import Look, Standing
from stackward.ports.machines import machine_in, machine_of
from stackward.ports.root import COMPUTE_LOG
from stackward.ports.shell import refusal
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of
from stackward.status.proof import (
    Row,
    bindings_of_ports,
    domain_on_target,
    no_domain_on_source,
    volumes_on,
)

_ARRIVED = {"completed", "confirmed", "done"}
RECENT = 5  # of a server's records: where its guest may be left


def telling(records: Sequence[Migration]) -> tuple[Migration, ...]:
    """Return the records that show where a guest may be, of all of a server, the newest first.

    An evacuation that may go on shows it, also if other records came after.
    """
    return tuple(one for at, one in enumerate(records) if at < RECENT or is_under_way(one))


def destinations(records: Sequence[Migration], host: str) -> Iterator[tuple[str, Migration]]:
    """Return each other host where a guest may be by the records, the newest first."""
    found: set[str] = set()
    for record in records:
        if record.target == host and record.status in _ARRIVED:
            return  # all that is older was before it came here
        target = record.target
        if target is None or target == host or target in found:
            continue
        found.add(target)
        yield target, record


class Promised(StrEnum):
    """Which disk a server is to have on its target; the words are stored in a step."""

    OWN = "own"  # the one that it had, which the target sees
    VOLUMES = "volumes"  # it has none but its volumes
    BLANK = "blank"  # a new one out of its image: a person has given up what was on the old one


class Used(StrEnum):
    """Which disk Nova says that it used."""

    OWN = "its own disk"
    VOLUME = "its volume"
    BLANK = "a new disk out of its image"


# nova 31.0 compute/manager.py, _do_rebuild_instance; the same words in 27.0 (2023.1).
_WORDS = {
    "disk on shared storage, evacuating using existing disk": Used.OWN,
    "disk on volume, evacuating using existing volume": Used.VOLUME,
    "disk not on shared storage, evacuating from image": Used.BLANK,
}
_KEPT = {
    Promised.OWN: {Used.OWN},
    Promised.VOLUMES: {Used.VOLUME, Used.OWN},
    Promised.BLANK: {Used.BLANK, Used.OWN},
}


def prove_evacuation(  # noqa: PLR0913  # what is compared with what
    world: World,
    server: Server,
    migration: Migration,
    *,
    ends: tuple[str, int],
    promised: Promised,
    request: str | None,
    elsewhere: Sequence[str],
    also_off: Mapping[str, str],
) -> Look:
    """Return *done* only if every row holds that applies.

    `ends` is the vm_state and power_state that Nova leaves it in; `elsewhere` are the hosts, but
    its source and its target, that its records name; of these `also_off` have no power: each with
    its node in the inventory.
    """
    rows = tuple(_rows(world, server, migration, ends, elsewhere, also_off))
    disk, used = _disk(world, migration.target or "", request, promised)
    saw = {
        "target": migration.target,
        "migration": migration.id,
        "migration_status": migration.status,
        **{row.name: row.standing for row in (*rows, disk)},
        "used": used.value if used else None,
    }
    if disk.wrong:
        reason = (
            f"ITS DISK IS NOT ITS OWN: {disk.wrong}. Its old disk is on `{migration.source}` still"
        )
        remedy = (
            "do not start it, and do not let that node's nova-compute start: it would destroy the "
            "old disk; copy that disk first"
        )
        return Look(Standing.FAILED, reason=reason, remedy=remedy, saw=saw)
    if wrong := [f"{row.name}: {row.wrong}" for row in rows if row.wrong]:
        why = f"not proved: {'; '.join(wrong)}"
        return Look(Standing.UNDERWAY, reason=why, saw=saw, is_over=True)
    if unread := [f"{row.name}: {row.unread}" for row in (*rows, disk) if row.unread]:
        return Look(Standing.UNKNOWN, reason=f"cannot be read: {'; '.join(unread)}", saw=saw)
    return Look(Standing.DONE, saw=saw)


def _rows(  # noqa: PLR0913, PLR0917  # what is compared with what
    world: World,
    server: Server,
    migration: Migration,
    ends: tuple[str, int],
    elsewhere: Sequence[str],
    also_off: Mapping[str, str],
) -> Iterator[Row]:
    target = migration.target or ""
    yield Row("host", None if server.host == target else f"it is on `{server.host}`")
    yield Row("task", f"it is busy ({server.task_state})" if server.task_state else None)
    now = (server.vm_state, server.power_state)
    yield Row("state", None if now == ends else f"it is {now[0]}, power state {now[1]}")
    yield volumes_on(world, server, target, but_for=migration.source)
    yield from bindings_of_ports(world, server, target)
    there = hypervisor_of(world.nova, target)
    yield _allocation(world, server, target, there.id if there else None)
    state = "running" if ends[0] == "active" else "shut off"
    yield domain_on_target(world, server.id, there, state)
    for host in elsewhere:
        if host in also_off:
            is_off = world.power.state(also_off[host]) is PowerState.OFF
            yield Row(f"no power on `{host}`", unread=None if is_off else "it has power again")
            continue
        row = no_domain_on_source(world, server.id, hypervisor_of(world.nova, host))
        yield Row(f"no domain on `{host}`", row.wrong, row.unread, row.applies)


def _allocation(world: World, server: Server, target: str, provider: str | None) -> Row:
    """Say whether it has room on the target; the node that died keeps what it had there."""
    if provider is None:
        return Row("allocation", unread=f"no hypervisor of `{target}` was found")
    held = world.placement.allocations_of(server.id)
    return Row("allocation", None if provider in held else f"it has none on `{target}`")


def _disk(
    world: World, target: str, request: str | None, promised: Promised
) -> tuple[Row, Used | None]:
    name = "disk"
    hypervisor = hypervisor_of(world.nova, target)
    if hypervisor is not None and not hypervisor.has_domains:
        return Row(name, applies=False), None
    used = read_used(world, target, request) if request else Unread("its request is not known")
    if isinstance(used, Unread):
        return Row(name, unread=used.why), None
    if used in _KEPT[promised]:
        return Row(name), used
    return Row(name, f"Nova used {used.value}, and {_PROMISES[promised]} was promised"), used


_PROMISES = {
    Promised.OWN: "its own disk",
    Promised.VOLUMES: "its volumes",
    Promised.BLANK: "a new disk",
}


def read_used(world: World, target: str, request: str) -> Used | Unread:
    """Return which disk nova-compute on the target says that it used for a request."""
    hypervisor = hypervisor_of(world.nova, target)
    if hypervisor is None:
        return Unread(f"no hypervisor of `{target}` was found")
    found = machine_in(world, machine_of(hypervisor))
    if found.node is None:
        return Unread(found.why)
    try:
        answer = world.shell.run(found.node, COMPUTE_LOG, as_root=True)
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    if (refused := refusal(answer)) is not None:
        return Unread(f"its log was not read: {refused}")
    lines = [line for line in answer.out.splitlines() if request in line]
    told = [used for line in lines for words, used in _WORDS.items() if words in line]
    if not told:
        return Unread(f"nova-compute on `{target}` has not written which disk it used ({request})")
    return told[-1]
