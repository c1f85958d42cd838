"""Read a node that is to return to service, and what an earlier return has left undone."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from stackward.errors import BadInput
from stackward.facts.maintenance import read_returning_node
from stackward.facts.moved import Did, has_begun, read_did
from stackward.facts.observed import keep_names
from stackward.kinds import KINDS
from stackward.model.maintenance import Marks, ReturningNode
from stackward.model.run import RunState
from stackward.model.unread import Unread
from stackward.plan import Request
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.reboot_compute_node import RebootNodeRequest
from stackward.requests.return_compute_node import ReturnRequest
from stackward.steps.acceptance import BootAcceptance, acceptance_servers
from stackward.steps.service import Uncordon

_LATEST = 1000  # runs in which those of the node are looked for
_LOOKED_AT = 5  # of those that changed it


def read_return(
    world: World, journal: Journal, asked: ReturnRequest, run_id: str | None
) -> ReturningNode:
    """Return the node as it is now; the journal says which run holds it, and what left it."""
    facts = read_returning_node(world, journal, KINDS, asked, but=run_id)
    facts = _with_what_is_left(facts, world, journal, but=run_id)
    if not isinstance(facts.marks, Unread):
        keep_names(world, journal, facts.name, facts.host)
    return facts


def read_return_after(
    world: World, journal: Journal, asked: ReturnRequest, before: Request
) -> ReturningNode:
    """Return the same as it will be once the node was drained and rebooted, if that comes before.

    Which run will have the claim is not known then; it is that of the same chain.
    """
    facts = read_return(world, journal, asked, None)
    is_drained = isinstance(before, RebootNodeRequest) and before.is_drained
    if not is_drained or isinstance(facts.marks, Unread) or not facts.service.is_enabled:
        return facts
    kept_off = Marks(has_file=True, has_drop_in=True, is_masked=True)
    return replace(facts, marks=kept_off, running_as=None, drained=None, is_foreseen=True)


def _with_what_is_left(
    facts: ReturningNode, world: World, journal: Journal, *, but: str | None
) -> ReturningNode:
    """Find what earlier returns have started and not ended: others were given up, or have failed.

    The last run that changed the node shows whether it was proved; any of the latest may have left
    its acceptance server.
    """
    here = world.cloud.identity().id
    did = [*islice(_changed(journal, here, facts.host, but=but), _LOOKED_AT)]
    last = did[0] if did else None
    booted = [
        each.run.id
        for each in did
        if any(map(has_begun, each.attempts_at(BootAcceptance.kind)))
        and each.run.state is not RunState.SUCCEEDED
    ]
    is_opened = last is not None and any(map(has_begun, last.attempts_at(Uncordon.kind)))
    is_unproved = is_opened and last is not None and last.run.state is not RunState.SUCCEEDED
    return replace(
        facts,
        unproved=last.run.id if last and is_unproved else None,
        left_servers=tuple(run for run in booted if acceptance_servers(world, run)),
    )


def _changed(journal: Journal, cloud: str, host: str, *, but: str | None) -> Iterator[Did]:
    """Return what runs did that had the node, and changed something; the newest first."""
    for run in journal.runs(limit=_LATEST, cloud=cloud):
        if host not in run.holds or run.id == but:
            continue
        try:
            did = read_did(journal, run, KINDS)
        except BadInput:  # of another version
            continue
        if did.has_changed:
            yield did
