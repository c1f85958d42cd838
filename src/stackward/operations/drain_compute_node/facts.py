"""Read a node to empty: which run has it, what was done to it, what room is left."""

from dataclasses import replace
from platform import node

from stackward.errors import BadInput, Uncertain, Unreachable
from stackward.facts.compute import read_compute_node
from stackward.facts.maintenance import leaves_servers
from stackward.facts.moved import known_run
from stackward.facts.observed import keep_names, read_remembered
from stackward.facts.reserved import read_reserved
from stackward.kinds import KINDS
from stackward.model.node import ComputeNode
from stackward.model.run import Run, RunState
from stackward.model.unread import Unread
from stackward.plan import Standing
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.status.evacuations import lives_on_source
from stackward.status.half_way import left_half_way
from stackward.status.run import state_now
from stackward.steps.service import KeepOff


def read_drain(
    world: World,
    journal: Journal,
    asked: DrainRequest,
    run_id: str | None,  # noqa: ARG001  # a drain compares its plan before it claims anything
) -> ComputeNode:
    """Return the node as it is now.

    The journal shows the state of the run that has the node, and what room other runs count on.
    What that run has left undone is seen on the node itself.
    """
    facts = read_compute_node(world, asked.node, remembered=read_remembered(world, journal))
    if not isinstance(facts.domains, Unread):
        keep_names(world, journal, facts.name, facts.host)
    facts = replace(
        _with_reserved(facts, world, journal),
        evacuations=lives_on_source(world, facts.host, facts.servers),
    )
    if (claim := facts.claim) is None:
        return facts
    facts = replace(facts, is_kept_off=_read_kept_off(world, facts))
    if known := known_run(journal, claim.run):
        facts = replace(
            facts,
            claiming_run=state_now(known, node(), world.clock.now()),
            is_claim_idle=_is_idle(journal, known),
            is_left_occupied=leaves_servers(known),
        )
    return facts


def _read_kept_off(world: World, facts: ComputeNode) -> bool | Unread:
    """Say whether nova-compute is off and stays off, as the step that does it would find it.

    With or without the mask: an earlier drain may have been asked to leave that out.
    """
    if facts.running_as is None:  # no node of the inventory is known to be it
        unnamed = facts.instances_filesystem
        return unnamed if isinstance(unnamed, Unread) else Unread("it was not asked")
    try:
        look = KeepOff(node=facts.name, reason="", with_mask=False).look(world, None)
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    if look.standing is Standing.UNKNOWN:
        return Unread(look.reason or "its processes could not be read")
    return look.standing is Standing.DONE


def _is_idle(journal: Journal, run: Run) -> bool:
    """Say whether a run has stopped for good, should nobody resume it: it has no node any more.

    One whose worker has died is not: its node is its own until somebody ends it.
    """
    if run.state is not RunState.STOPPED:
        return False
    attempts = journal.attempts(run.id)
    if any(attempt.is_in_flight for attempt in attempts):
        return False
    try:
        return not left_half_way(journal, run, KINDS)(attempts)
    except BadInput:  # of another version: what it left is not known here
        return False


def read_one(world: World, journal: Journal, asked: DrainRequest, server: str) -> ComputeNode:
    """Return the node with one of its servers only, in as many calls as that needs by itself."""
    return _with_reserved(read_compute_node(world, asked.node, only=server), world, journal)


def _with_reserved(facts: ComputeNode, world: World, journal: Journal) -> ComputeNode:
    reserved = read_reserved(journal, world.cloud.identity().id, but_for=facts.host)
    return replace(facts, reserved=reserved)
