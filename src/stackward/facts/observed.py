"""What was seen of nodes while they lived, kept for when one is silent.

Each plan keeps what they called themselves. Each look keeps what they are made of, where they have
addresses and which guests they run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from stackward.model.cloud_state import CloudState
from stackward.model.domain import Domain
from stackward.model.identity import Itself
from stackward.model.observation import Observation
from stackward.model.survey import Filesystem, Mount, Survey
from stackward.model.values import Json
from stackward.ports.journal import Journal
from stackward.ports.machines import is_name
from stackward.ports.world import World

Mounted = TypeVar("Mounted", Filesystem, Mount)

# The subjects, and who said it; all are stored.
NAMES = "names"
MACHINE = "machine"
ADDRESSES = "addresses"
GUESTS = "guests"
NODE, LIBVIRT = "node", "libvirt"


def read_remembered(world: World, journal: Journal) -> dict[str, Itself]:
    """Return what the nodes of this cloud once said of themselves, each with its date."""
    return remembered_in(journal.observations(world.cloud.identity().id, NAMES))


def remembered_in(observations: Iterable[Observation]) -> dict[str, Itself]:
    """Return the same, of what was once observed of one cloud."""
    remembered = {}
    for one in observations:
        if isinstance(one.value, Mapping) and (said := _itself(one.value, one)):
            remembered[one.node] = said
    return remembered


def keep_names(world: World, journal: Journal, node: str, host: str) -> None:
    """Keep what a living node says of itself, and which host of Nova it is."""
    if node not in world.shell.directory() or (said := world.shell.itself(node)) is None:
        return
    value: Json = {
        "names": list(said.names),
        "configured": said.configured,
        "host": host,
        "address": world.shell.directory().node(node).address,
    }
    seen = Observation(
        cloud=world.cloud.identity().id,
        node=node,
        subject=NAMES,
        value=value,
        source=NODE,
        at=world.clock.now(),
    )
    journal.observe([seen])


def seen_in(state: CloudState) -> list[Observation]:
    """Return what a look has seen of each compute node that answered, to be kept.

    It keeps only nodes that are known to be a host of Nova. Another machine may report under the
    name of this one, and must not be taken for this one later.
    """
    if state.catalog is None or not state.catalog.cloud:
        return []
    hosts = {node: host for host, node in state.nodes.items() if node}
    return [
        Observation(
            cloud=state.catalog.cloud,
            node=node,
            subject=subject,
            value={"host": hosts[node], **value},
            source=source,
            at=state.read_at,
        )
        for node, survey in state.surveys.items()
        if isinstance(survey, Survey) and node in hosts and node not in state.identified_at
        for subject, source, value in _seen_on(survey)
    ]


def _seen_on(survey: Survey) -> Iterator[tuple[str, str, dict[str, Json]]]:
    board = survey.board
    if board.uuid or board.serial or board.macs:
        yield (
            MACHINE,
            NODE,
            {"uuid": board.uuid, "serial": board.serial, "macs": list(board.macs)},
        )
    if survey.addresses:
        yield ADDRESSES, NODE, {"addresses": list(survey.addresses)}
    if survey.guests is not None:
        guests = {one.server: _guest(one, survey) for one in survey.guests}
        yield GUESTS, LIBVIRT, {"guests": guests}


def _guest(domain: Domain, survey: Survey) -> Json:
    return {
        "state": domain.state,
        "disks": [
            {
                "device": disk.device,
                "path": disk.path,
                "used_bytes": disk.used_bytes,
                "size_bytes": disk.size_bytes,
                **_lies_on(disk.path or "", survey),
            }
            for disk in domain.disks
        ],
    }


def _lies_on(path: str, survey: Survey) -> dict[str, Json]:
    """Return the type and the source of the file system that has a file, and its path in there."""
    mount = _nearest(path, survey.mounts)
    if mount is None:  # where nothing shows what is mounted there
        found = _nearest(path, survey.filesystems)
        return {"storage": f"{found.type} {found.source}" if found and found.source else None}
    place = PurePosixPath(mount.root, PurePosixPath(path).relative_to(mount.mount))
    return {"storage": f"{mount.type} {mount.source}", "place": str(place)}


def _nearest(path: str, given: Sequence[Mounted]) -> Mounted | None:
    above = [one for one in given if PurePosixPath(path).is_relative_to(one.mount)]
    # Of two at one place the later one is on top.
    return max(reversed(above), key=lambda one: len(one.mount), default=None)


def _itself(value: Mapping[str, Json], seen: Observation) -> Itself | None:
    given = value.get("names")
    names = [name for name in given if is_name(name)] if isinstance(given, list | tuple) else []
    configured = value.get("configured")
    known = configured if isinstance(configured, str) and is_name(configured) else None
    if not names and known is None:
        return None
    return Itself(names=tuple(map(str, names)), configured=known, seen_at=seen.at)
