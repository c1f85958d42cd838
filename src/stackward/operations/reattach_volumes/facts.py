"""Read a server whose volumes need a repair, and how each witness has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from stackward.errors import BadInput
from stackward.facts.bringing_up import find_server
from stackward.facts.maintenance import read_holders
from stackward.facts.observed import NAMES, remembered_in
from stackward.facts.volumes import read_volumes_of
from stackward.model.attached_volume import AttachedVolumes
from stackward.model.maintenance import Holder
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.service import ComputeService
from stackward.model.unread import Unread, or_unread
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.reattach_volumes import ReattachRequest
from stackward.status.lookups import service_of
from stackward.wording import near_to, perhaps

_SCREEN = 40  # lines of a console


@dataclass(frozen=True, slots=True, kw_only=True)
class ReattachFacts:
    """A server and its volumes; read once."""

    server: Server
    look: AttachedVolumes
    wanted: tuple[str, ...] = ()  # the ids of the volumes that were named
    service: ComputeService | None = None  # of its host
    holders: tuple[Holder, ...] = ()  # runs that have its node for themselves
    console: str | Unread | None = None  # None: it has none
    in_run: bool = False  # a run asks, which has started to change things itself


def read_reattach(
    world: World, journal: Journal, asked: ReattachRequest, run_id: str | None
) -> ReattachFacts:
    """Return the server and its volumes as they are now; the calls follow its volumes."""
    server = find_server(world, asked.server)
    cloud = world.cloud.identity().id
    remembered = remembered_in(journal.observations(cloud, NAMES))
    look = read_volumes_of(world, server, remembered)
    wanted = tuple(dict.fromkeys(_volume_called(world, look, one) for one in asked.volumes))
    known = {one.volume for one in look.rows}
    if also := [one for one in wanted if one not in known]:
        look = read_volumes_of(world, server, remembered, also=also)
    if server.status == IN_DOWN_CELL or server.host is None:
        return ReattachFacts(server=server, look=look, wanted=wanted)
    return ReattachFacts(
        server=server,
        look=look,
        wanted=wanted,
        service=service_of(world.nova, server.host),
        holders=read_holders(journal, cloud, server.host, but=run_id),
        console=or_unread(partial(world.nova.console, server.id, _SCREEN))
        if asked.waits_for_prompt
        else None,
        in_run=run_id is not None,
    )


def _volume_called(world: World, look: AttachedVolumes, word: str) -> str:
    """Return the id of the volume that a word means; a word that means none is bad."""
    names = {one.volume: one.of_cinder.name if one.of_cinder else "" for one in look.rows}
    found = [id_ for id_, name in names.items() if word and word in {id_, name}]
    if len(found) > 1:
        raise BadInput(
            f"{len(found)} volumes of the server are called `{word}`",
            details=found,
            hint="give the id of one",
        )
    if found:
        return found[0]
    if word.strip() and (other := world.cinder.volume(word)) is not None:
        return other.id
    raise _unknown(word, [*filter(None, names.values()), *names])


def _unknown(word: str, known: Sequence[str]) -> BadInput:
    near = near_to(word, known)
    listed = ", ".join(f"`{one}`" for one in known)
    return BadInput(
        f"there is no volume `{word}`",
        hint=perhaps(near)
        if near
        else f"the server has {listed}"
        if known
        else "no witness knows of a volume of this server; give the id of one",
    )
