"""The stages of an evacuation, in order: claimed, reported, fenced, called down, evacuated."""

from collections.abc import Iterator, Mapping, Sequence

from stackward.checks.service import LogIsReadable
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.moving.fencing import fencing, proofs_of_death, proofs_of_silence
from stackward.moving.instance_ha import telling_instance_ha
from stackward.operations.evacuate_compute_node.copies import ended, nodes_off_too, proofs_of_others
from stackward.operations.evacuate_compute_node.facts import EvacuationFacts
from stackward.operations.evacuate_compute_node.judging import Judged
from stackward.operations.evacuate_compute_node.without_device import witnesses_of
from stackward.plan import Check, Move, Stage
from stackward.policy.capacity import Packing
from stackward.policy.wishes import wish_of
from stackward.ports.world import World
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.status.power_device import Whose
from stackward.steps.evacuation import Evacuate, ForceDown, RemoveAttachments, ResetState
from stackward.steps.service import Cordon
from stackward.steps.stale_guest import KillDomain

CLAIM, DOWN, RESET, EVACUATE, STOPPED = "claim", "force down", "reset", "evacuate", "stopped"
KILL = "kill domain"
COMMAND = "stackward node evacuate"


def stages_of(
    facts: EvacuationFacts,
    asked: EvacuateRequest,
    moves: Sequence[Move[World]],
    whose: Whose,
) -> Iterator[Stage[World]]:
    """Return what is done to the node first, and then to its servers."""
    host, node = facts.fence.host, facts.leaving.node
    claim = Cordon(
        host=host,
        provider=node.provider.id,
        reason=asked.reason,
        replaces=node.claim.run if node.claim else None,
        with_trait=False,
    )
    yield Stage(name=CLAIM, moves=(Move(thing=host, how=CLAIM, steps=(claim,)),))
    if node.ha_hosts and not isinstance(node.ha_hosts, Unread):
        yield telling_instance_ha(host, is_in_maintenance=True)
    if whose is not Whose.PERSON:
        yield from fencing(facts.fence, COMMAND)
    yield Stage(
        name=DOWN,
        moves=(Move(thing=host, how=DOWN, steps=(ForceDown(host=host),)),),
        needs=tuple(proofs_of_death(facts.fence, whose, asked.confirmed_off)),
    )
    by_id = {each.id: each for each in node.servers}
    kills = tuple(_kills(facts, asked, by_id, moves))
    if kills:
        proofs = tuple(proofs_of_silence(facts.fence, whose, asked.confirmed_off))
        yield Stage(name=KILL, moves=kills, needs=proofs, goes_on=True, sets_aside=True)
    resets = [
        Move(
            thing=move.thing,
            thing_id=move.thing_id,
            how=RESET,
            steps=(ResetState(server=move.thing_id, name=move.thing, source=host),),
        )
        for move in moves
        if move.thing_id in asked.reset_state
    ]
    if resets:
        yield Stage(name=RESET, moves=tuple(resets), goes_on=True, sets_aside=True)
    was_off = {each for each, server in by_id.items() if server.status == "SHUTOFF"}
    # Its power is read before each request: one that has some again is cut once more.
    silent = proofs_of_silence(facts.fence, whose, asked.confirmed_off)
    others = proofs_of_others(facts.leaving, [each.thing_id for each in moves])
    needs = (*silent, *others, *_logs(facts, moves))
    for name, is_off in ((EVACUATE, False), (STOPPED, True)):
        those = tuple(each for each in moves if (each.thing_id in was_off) is is_off)
        if those:
            yield Stage(
                name=name,
                moves=those,
                at_once=asked.how.at_once,
                needs=needs,
                goes_on=True,
                sets_aside=True,
            )


def _kills(
    facts: EvacuationFacts,
    asked: EvacuateRequest,
    servers: Mapping[str, Server],
    moves: Sequence[Move[World]],
) -> Iterator[Move[World]]:
    """Return the end of each guest that is named, of a server that is evacuated then."""
    for move in moves:
        steps = tuple(
            KillDomain(
                node=str(other.node),
                host=other.host,
                server=move.thing_id,
                name=move.thing,
                source=facts.fence.host,
                disks=tuple(
                    str(disk.path)
                    for disk in domain.disks
                    if disk.directory_of(move.thing_id) is not None
                ),
            )
            for other, domain in ended(servers[move.thing_id], facts.leaving, asked)
        )
        if steps:
            yield Move(thing=move.thing, thing_id=move.thing_id, how=KILL, steps=steps)


def _logs(facts: EvacuationFacts, moves: Sequence[Move[World]]) -> Iterator[Check[World]]:
    """Return what must be readable: each target says in its log which disk it used."""
    for host in sorted({str(each.expects["target"]) for each in moves}):
        other = facts.leaving.others[host]
        if other.node and other.has_domains:
            yield LogIsReadable(node=other.node)


def moves_of(
    judged: Sequence[Judged], packing: Packing, facts: EvacuationFacts, asked: EvacuateRequest
) -> Iterator[Move[World]]:
    """Return the evacuation of each server that may go and has a place."""
    node = facts.leaving.node
    for each in judged:
        placed = packing.placed.get(each.server.id)
        if each.is_blocked or placed is None or placed.candidate.host is None:
            continue
        server, target = each.server, placed.candidate.host
        promised, wish = each.promised[target], wish_of(each.server)
        yield Move(
            thing=server.label,
            thing_id=server.id,
            how=promised.value,
            steps=(
                Evacuate(
                    server=server.id,
                    name=server.label,
                    source=node.host,
                    node=facts.fence.name,
                    promised=promised,
                    target=target,
                    also_off=nodes_off_too(server, facts.leaving),
                    **witnesses_of(facts.fence, asked.fence),
                ),
                *_cleared(server, facts),
            ),
            expects={
                "target": target,
                "provider": placed.candidate.provider,
                "needs": node.needs[server.id].amounts,
                "pinned": True,
                "bytes": None,
                "wish": wish.value if wish else None,
            },
        )


def _cleared(server: Server, facts: EvacuationFacts) -> Iterator[RemoveAttachments]:
    """Return what takes the dead node out of Cinder's books, for a server with volumes."""
    if server.volume_ids:
        yield RemoveAttachments(server=server.id, name=server.label, dead=facts.leaving.node.host)
