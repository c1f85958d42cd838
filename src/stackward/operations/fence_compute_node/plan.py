"""Fence a compute node: cut its power by its device, and prove that it is dead.

Not for a living node: drain that. A fence is not undone: the operator who switches the node on
again then returns it to service.
"""

from collections.abc import Iterator

from stackward.moving.fencing import device_of, fencing, proofs_of_death, said_of_members
from stackward.plan import Blocked, Plan, Warned
from stackward.policy.fence import (
    identified,
    judge_fence,
    signs_in_words,
)
from stackward.policy.node import judge_identity
from stackward.ports.world import World
from stackward.requests.fence_compute_node import FenceRequest
from stackward.status.fence import FenceFacts


def plan_fence(facts: FenceFacts, asked: FenceRequest) -> Plan[World]:
    """Plan the fence from facts alone."""
    verdicts = (*judge_identity(facts), *judge_fence(facts, asked))
    whose = identified(facts, asked).whose
    return Plan(
        title=f"fence `{facts.name}`",
        request=asked,
        holds=(facts.host,),
        decisions={"proof": whose.value},
        facts={
            "node": facts.name,
            "host": facts.host,
            "it is": facts.life.value,
            "signs": signs_in_words(facts),
            "device": device_of(facts),
            "guests with power": f"{facts.running[0]} by {facts.running[1]}",
            "read at": facts.read_at.isoformat(timespec="seconds"),
        },
        notices=tuple(_notices(facts)),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=tuple(fencing(facts, "stackward node fence")),
        verify=tuple(proofs_of_death(facts, whose, asked.confirmed_off)),
    )


def _notices(facts: FenceFacts) -> Iterator[str]:
    yield f"`{facts.name}` loses its power at once, without a shutdown"
    if facts.why_not_kept_off:
        yield (
            f"its nova-compute is not stopped first ({facts.why_not_kept_off}): it will start by "
            "itself once the node has power again"
        )
    yield "no server is moved by this: Nova still has them there"
    yield from said_of_members(facts)
