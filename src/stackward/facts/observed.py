"""What nodes called themselves while they lived: kept by each plan, for when one is silent."""

from collections.abc import Iterable, Mapping

from stackward.model.identity import Itself
from stackward.model.observation import Observation
from stackward.model.values import Json
from stackward.ports.journal import Journal
from stackward.ports.machines import is_name
from stackward.ports.world import World

NAMES = "names"  # the subject; stored
NODE = "node"  # who said it; stored


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


def _itself(value: Mapping[str, Json], seen: Observation) -> Itself | None:
    given = value.get("names")
    names = [name for name in given if is_name(name)] if isinstance(given, list | tuple) else []
    configured = value.get("configured")
    known = configured if isinstance(configured, str) and is_name(configured) else None
    if not names and known is None:
        return None
    return Itself(names=tuple(map(str, names)), configured=known, seen_at=seen.at)
