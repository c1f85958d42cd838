"""Fence a compute node: cut its power by its device, and prove that it is dead.

Not for a node that lives: that is drained. A fence is not undone: whoever switches the node on
again returns it to service then.
"""

from collections.abc import Iterator

from stackward.checks.node_power import IsItsDevice, IsPoweredOff, NoSignOfLife
from stackward.model.power import PowerDevice
from stackward.operations.fence_compute_node.facts import FenceFacts
from stackward.operations.fence_compute_node.identity import Whose
from stackward.operations.fence_compute_node.rules import (
    identified,
    judge_fence,
    signs_in_words,
)
from stackward.plan import Blocked, Check, Move, Plan, Stage, Warned
from stackward.policy.node import judge_identity
from stackward.ports.world import World
from stackward.requests.fence_compute_node import FenceRequest
from stackward.steps.node_power import PowerOff, TryKeepOff

KEEP_OFF, FENCE = "keep off", "fence"


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
            "device": _device(facts),
            "guests with power": f"{facts.running[0]} by {facts.running[1]}",
            "read at": facts.read_at.isoformat(timespec="seconds"),
        },
        notices=tuple(_notices(facts)),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=tuple(_stages(facts)),
        verify=tuple(_proofs(facts, asked, whose)),
    )


def _device(facts: FenceFacts) -> str:
    return facts.device.name.text if isinstance(facts.device, PowerDevice) else "none"


def _stages(facts: FenceFacts) -> Iterator[Stage[World]]:
    if facts.why_not_kept_off is None:
        keep = TryKeepOff(node=facts.name, reason="it was fenced by `stackward node fence`")
        yield Stage(name=KEEP_OFF, moves=(Move(thing=facts.host, how=KEEP_OFF, steps=(keep,)),))
    off = PowerOff(node=facts.name, host=facts.host, device=_device(facts))
    yield Stage(name=FENCE, moves=(Move(thing=facts.host, how=FENCE, steps=(off,)),))


def _proofs(facts: FenceFacts, asked: FenceRequest, whose: Whose) -> Iterator[Check[World]]:
    yield IsPoweredOff(node=facts.name)
    own = facts.own.hardware if facts.own else None
    yield IsItsDevice(
        node=facts.name,
        by=whose.value,
        uuid=own.uuid if own else None,
        serial=own.serial if own else None,
        macs=tuple(sorted(own.macs)) if own else (),
        seen_at=facts.own.seen_at if facts.own else None,
        heard=facts.heard,
        addresses=facts.addresses,
        peers=facts.peers,
        reference=asked.confirmed_off,
    )
    yield NoSignOfLife(
        node=facts.name, host=facts.host, addresses=facts.addresses, peers=facts.peers
    )


def _notices(facts: FenceFacts) -> Iterator[str]:
    yield f"`{facts.name}` loses its power at once, without a shutdown"
    if facts.why_not_kept_off:
        yield (
            f"its nova-compute is not kept off first ({facts.why_not_kept_off}): it starts by "
            "itself once the node has power again"
        )
    yield "no server is moved by this: Nova still has them there"
