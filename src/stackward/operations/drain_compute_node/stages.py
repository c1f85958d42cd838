"""The stages of a drain, in their order: reported, cordoned, emptied, kept off."""

from collections.abc import Iterator

from stackward.checks.compute import IsCordoned, NoArrivals, NoServersOn
from stackward.model.node import ComputeNode
from stackward.moving.instance_ha import telling_instance_ha
from stackward.operations.drain_compute_node.undone import Undone, tells_ha
from stackward.plan import Move, Stage
from stackward.policy.on_node import foreign_consumers
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.steps.service import Cordon, KeepOff


def stages_of(
    facts: ComputeNode,
    asked: DrainRequest,
    tidying: tuple[Move[World], ...],
    moves: tuple[Move[World], ...],
    undone: Undone | None,
) -> tuple[Stage[World], ...]:
    """Return what is done to the node, and before it what tidies up and moves its servers."""
    cordon = Cordon(
        host=facts.host,
        provider=facts.provider.id,
        reason=asked.reason,
        replaces=undone.claim.run if undone else None,
    )
    is_cordoned = IsCordoned(host=facts.host, provider=facts.provider.id)
    tells = undone.is_untold if undone else tells_ha(facts, asked)
    stages = [
        # Before anything else: what goes off on purpose must not look like a failure.
        *([telling_instance_ha(facts.host, is_in_maintenance=True)] if tells else []),
        # Cordon before the moves: otherwise the scheduler refills the node while we empty it.
        Stage(name="cordon", moves=(Move(thing=facts.host, how="cordon", steps=(cordon,)),)),
    ]
    if undone is None or undone.can_move:
        stages += _moving(facts, asked, tidying, moves)
    if undone.runs if undone else asked.keeps_off:
        # Only after every confirmation: a confirm needs this node's nova-compute.
        keep_off = KeepOff(node=facts.name, reason=asked.reason, with_mask=asked.with_mask)
        stages.append(
            Stage(
                name="keep off",
                moves=(Move(thing=facts.name, how="keep off", steps=(keep_off,)),),
                needs=(is_cordoned, NoServersOn(host=facts.host)),
            )
        )
    return tuple(stages)


def _moving(
    facts: ComputeNode,
    asked: DrainRequest,
    tidying: tuple[Move[World], ...],
    moves: tuple[Move[World], ...],
) -> Iterator[Stage[World]]:
    is_cordoned = IsCordoned(host=facts.host, provider=facts.provider.id)
    nothing_comes = NoArrivals(
        host=facts.host, provider=facts.provider.id, left_over=foreign_consumers(facts)
    )
    if tidying:
        yield Stage(name="tidy", moves=tidying, needs=(is_cordoned,))
    yield Stage(
        name="move",
        moves=moves,
        at_once=asked.how.at_once,
        needs=(is_cordoned, nothing_comes),
        goes_on=True,
    )
    # Builds that the scheduler had sent here before the cordon.
    yield Stage(
        name="arrivals",
        moves=(),
        at_once=asked.how.at_once,
        needs=(is_cordoned, nothing_comes),
        goes_on=True,
        catches_up=True,
    )
