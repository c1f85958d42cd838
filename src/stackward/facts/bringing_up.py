"""Read a server to bring up: where its guest is, here and elsewhere, and its order."""

from collections.abc import Iterable, Sequence
from functools import partial

from stackward.errors import BadInput, StackwardError
from stackward.facts.named import nodes_of_hosts, several
from stackward.model.bringing_up import ServerToBringUp
from stackward.model.evacuation import ARRIVED, EVACUATION, is_open_evacuation
from stackward.model.migration import Migration
from stackward.model.power import PowerState
from stackward.model.server import Server
from stackward.model.stalled_move import Guest
from stackward.model.unread import Unread, or_unread
from stackward.ports.together import ask_both
from stackward.ports.world import World
from stackward.status.lookups import RECENT, hosts_of, service_of
from stackward.status.stalled import read_guests


def read_to_bring_up(
    world: World,
    server: Server,
    known: Iterable[str] | None = None,
    *,
    dead: tuple[str, ...] = (),
) -> ServerToBringUp:
    """Return all that decides whether a server may be brought up where it is.

    `known` are the requests of its action log, where they were read already; `dead` are hosts
    that are proved to have no power: no guest of it is there.
    """
    if server.host is None:
        return ServerToBringUp(server=server)
    of_nova, own = ask_both(
        world.together,
        f"the guest of {server.id}",
        partial(_of_nova, world, server.id, known),
        partial(read_guests, world, server.id, [server.host]),
    )
    records, requests = of_nova
    guest = own if isinstance(own, Unread) else next(iter(own), None)
    # One that libvirt does not have on its node is created again: it may be on any of its earlier
    # nodes.
    is_missing = isinstance(guest, Guest) and guest.state is None
    return ServerToBringUp(
        server=server,
        guest=guest,
        elsewhere=_elsewhere(world, server, records if is_missing else records[:RECENT], dead),
        evacuation=_acting(records, server),
        known=requests,
    )


def _of_nova(
    world: World, server: str, known: Iterable[str] | None
) -> tuple[Sequence[Migration], tuple[str, ...]]:
    """Return its migrations, the newest first, and the requests of its action log."""
    records = world.nova.migrations_of_server(server)
    if known is None:
        known = (each.request_id for each in world.nova.actions_of(server))
    return records, tuple(known)


def _acting(records: Sequence[Migration], server: Server) -> Migration | None:
    """Return the evacuation whose source may still destroy what the server has, if there is one.

    Once the evacuation is `done`, what lives on its target is safe from it: Nova has the server
    there, and its disk. The server is also safe from an older evacuation of the same source that
    nobody carries out: its record ends with this one, as that source starts. And it is safe from a
    newer one whose order was carried out under the record by which the server came
    (`status/lost_order.py`): Nova has no work left of it.
    """
    arrived = [at for at, one in enumerate(records) if _has_come(one, server)]  # the newest first
    come = arrived[0] if arrived else None  # the evacuation by which it came where it is
    for at, one in enumerate(records):
        if not is_open_evacuation(one) or _has_come(one, server):
            continue
        if come is None or one.source != records[come].source:
            return one
        is_older = at > come and one.status == "pre-migrating"
        is_used_up = at < come and one.status == "accepted" and server.task_state is None
        if not (is_older or is_used_up):
            return one
    return None


def _has_come(one: Migration, server: Server) -> bool:
    return one.kind == EVACUATION and one.status in ARRIVED and one.target == server.host


def _elsewhere(
    world: World, server: Server, records: Sequence[Migration], dead: tuple[str, ...]
) -> tuple[Guest, ...] | Unread:
    others = [host for host in hosts_of(records) if host not in {server.host, *dead}]
    evacuated = {each.source for each in records if each.kind == EVACUATION}
    asked = [each for each in others if not (each in evacuated and _is_off(world, each))]
    return read_guests(world, server.id, asked)


def _is_off(world: World, host: str) -> bool:
    """Say whether a node that was forced down has no power now, by its device."""
    service = service_of(world.nova, host)
    node = nodes_of_hosts(world, [host])[host].node
    if service is None or not service.is_forced_down or node is None:
        return False
    try:
        return world.power.device(node) is not None and world.power.state(node) is PowerState.OFF
    except StackwardError:
        return False


def find_server(world: World, word: str) -> Server:
    """Return the server of this name or id; a word that means no single one is bad."""
    # An empty word (such as a shell variable that is not set) must not become a search for all.
    called = world.nova.servers_called(word) if word.strip() else ()
    if not called:
        raise BadInput(
            f"there is no server `{word}`",
            hint="give its id, or its name to the letter: `openstack server list --all-projects`",
        )
    if len(called) > 1:
        raise several("server", word, [f"{each.id}  {_known_by(each)}" for each in called])
    # Some APIs give less of a server that was found by its name than of one that is asked for by
    # its id.
    return world.nova.server(called[0].id) or called[0]


def _known_by(server: Server) -> str:
    return f"{server.status}, project {server.project}, on {server.host or 'no host'}"


def read_tags(world: World, projects: Iterable[str]) -> dict[str, tuple[str, ...] | Unread]:
    """Return the tags of each project; or why they could not be read."""
    tags_of = world.keystone.tags_of
    return {each: or_unread(partial(tags_of, each)) for each in dict.fromkeys(projects)}
