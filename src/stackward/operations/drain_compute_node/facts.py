"""Read a node that is to be emptied: whose it is, and what room other runs count on."""

from dataclasses import replace
from platform import node

from stackward.facts.compute import read_compute_node
from stackward.facts.maintenance import leaves_servers
from stackward.facts.moved import known_run
from stackward.facts.observed import keep_names, read_remembered
from stackward.facts.promised import read_promised
from stackward.model.node import ComputeNode
from stackward.model.unread import Unread
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.status.run import state_now


def read_drain(
    world: World,
    journal: Journal,
    asked: DrainRequest,
    run_id: str | None,  # noqa: ARG001  # a drain compares its plan before it claims anything
) -> ComputeNode:
    """Return the node as it is now.

    The journal tells how the run stands that has the node, and what room other runs count on.
    """
    facts = read_compute_node(world, asked.node, remembered=read_remembered(world, journal))
    if not isinstance(facts.domains, Unread):
        keep_names(world, journal, facts.name, facts.host)
    facts = _with_promised(facts, world, journal)
    if facts.claim and (known := known_run(journal, facts.claim.run)):
        state, is_left = state_now(known, node(), world.clock.now()), leaves_servers(known)
        facts = replace(facts, claiming_run=state, is_left_occupied=is_left)
    return facts


def read_one(world: World, journal: Journal, asked: DrainRequest, server: str) -> ComputeNode:
    """Return the node with one of its servers only, in as many calls as that needs by itself."""
    return _with_promised(read_compute_node(world, asked.node, only=server), world, journal)


def _with_promised(facts: ComputeNode, world: World, journal: Journal) -> ComputeNode:
    promised = read_promised(journal, world.cloud.identity().id, but_for=facts.host)
    return replace(facts, promised=promised)
