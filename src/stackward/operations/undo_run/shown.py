"""What the plan of an undo says: what it does, and what it leaves as it is."""

from collections.abc import Iterator

from stackward.model.run import RunState
from stackward.moving.leaving_servers import STALLS
from stackward.operations.undo_run.rules import why_node_is_left
from stackward.operations.undo_run.undoing import Undoing
from stackward.plan import Plan, Request
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.wording import count_of


def left_alone(facts: Undoing) -> Iterator[str]:
    """Name all else that the run did and that is not undone, each with why."""
    if facts.returning and (why := why_node_is_left(facts)):
        yield f"`{facts.returning.name}` is left as it is: {why}"
    for each, why in facts.node_gone:
        yield f"`{each.name}` is left alone: {why}"
    for one in facts.unproved:
        yield (
            f"`{one.name}` is left alone: its move was never proved, and it is {one.status} "
            f"on `{one.host}`"
        )


def notices(facts: Undoing, back: Plan[World] | None, ways: list[Plan[World]]) -> Iterator[str]:
    """Say what users of the cloud will notice."""
    if facts.state is RunState.STOPPED:
        yield f"run `{facts.run}` is given up by that: it can be resumed no more"
    if back and facts.returning:
        name = facts.returning.name
        yield f"from the uncordon on, servers are placed on `{name}` again"
        yield "one small server is booted there and removed again"
        if facts.claimed_before:
            yield f"`{name}` was disabled before that run too: {facts.claimed_before}"
    for way in ways:
        if count := sum(len(stage.moves) for stage in way.stages):
            going = count_of(count, "server moves", "servers move")
            yield (f"{going} back to `{way.facts['node']}`; {STALLS}")
    if back and any(way.stages for way in ways):
        yield "whether there is room for each is asked again once the node is in service"


def beyond(asked: Request, facts: Undoing) -> Iterator[str]:
    """Say what a plan that takes all of a run back does besides, and what nothing takes back."""
    for words in facts.destroyed:
        yield f"the old copy of an evacuated server on the node is lost permanently: {words}"
    if isinstance(asked, DrainRequest):
        yield (
            f"the return of run `{facts.run}` is undone by a drain: every server that is on the "
            "node now leaves it"
        )
