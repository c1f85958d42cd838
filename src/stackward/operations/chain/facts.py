"""Read what the runs of a chain would do now."""

import json

from stackward.kinds import KINDS
from stackward.operations import plan_items
from stackward.plan import AS_OF_NOW, Plan, from_mapping, load_request
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.chain import ChainRequest


def read_chain(
    world: World, journal: Journal, asked: ChainRequest, run_id: str | None
) -> tuple[Plan[World], ...]:
    """Return the plan of each run of each item as of now; for a chain those that were approved.

    What has changed since is asked when each has its turn: that is what was approved.
    """
    if run_id is not None:
        stored = json.loads(journal.run(run_id).plan)["facts"].get(AS_OF_NOW, [])
        return tuple(from_mapping(each, KINDS) for each in stored)
    requests = [[load_request(each, KINDS) for each in item.requests] for item in asked.items]
    return tuple(plan_items(world, journal, requests))
