"""What the plan of an evacuation says besides its verdicts."""

from collections.abc import Iterator, Sequence

from stackward.moving.fencing import said_of_members
from stackward.operations.evacuate_compute_node.facts import EvacuationFacts
from stackward.operations.evacuate_compute_node.starting import Coming, said_of_coming
from stackward.operations.evacuate_compute_node.without_device import rests_on_word
from stackward.plan import Move
from stackward.ports.world import World
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.wording import count_of


def notices(
    facts: EvacuationFacts,
    asked: EvacuateRequest,
    moves: Sequence[Move[World]],
    coming: Sequence[Coming],
) -> Iterator[str]:
    """Say what is noticed of it."""
    fence = facts.fence
    if rests_on_word(fence, asked.fence):
        yield (
            f"no device switches `{fence.name}`: its power is not cut. All witnesses are asked "
            "before each request; a sign of life ends the run"
        )
    else:
        yield f"`{fence.name}` loses its power at once, without a shutdown"
    if fence.why_not_kept_off:
        yield (
            f"its nova-compute is not stopped first ({fence.why_not_kept_off}): it will start by "
            "itself once the node has power again, and destroy what was evacuated"
        )
    if moves:
        yield (
            f"{count_of(len(moves), 'server is', 'servers are')} built elsewhere, "
            f"{asked.how.at_once} at once, and left stopped there; then those that ran are "
            f"started, {asked.starts_at_once} at once"
        )
    yield from said_of_coming(coming)
    yield from said_of_members(fence)
    yield "the dead node keeps their allocations at placement until it returns"
    if asked.how.leave_behind or asked.only:
        yield "what stays has no node until this one is back"
