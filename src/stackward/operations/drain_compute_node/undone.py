"""What a node that another run has taken out of service still needs for the end of a drain.

The next drain does this and nothing else, no matter which run left it undone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from stackward.model.claim import Claim
from stackward.model.compute_process import RunningAs
from stackward.model.node import ComputeNode
from stackward.model.placement import DISABLED
from stackward.model.run import RunState
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.requests.drain_compute_node import DrainRequest
from stackward.wording import count_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What is missing, as the facts say, and which claim the node has."""

    claim: Claim
    servers: tuple[Server, ...]  # that must leave
    lacks_trait: bool
    runs: bool  # nova-compute must be kept off, and is not, or not for good
    is_untold: bool  # maintenance is not reported to the instance-HA service
    unread: Unread | None  # why nobody can say whether nova-compute is kept off
    can_move: bool  # the node's nova-compute is there: servers can leave, placement hears of it

    @property
    def is_any(self) -> bool:
        """Say whether anything is missing, or may be."""
        return self.is_known or self.unread is not None

    @property
    def is_known(self) -> bool:
        """Say whether anything is known to be missing."""
        return bool(self.servers) or self.lacks_trait or self.runs or self.is_untold

    @property
    def lacks_compute(self) -> bool:
        """Say whether some of it needs the node's nova-compute, and that is not there."""
        return (bool(self.servers) or self.lacks_trait) and not self.can_move

    @property
    def words(self) -> str:
        """Say what is missing."""
        return "; ".join(self._each())

    def _each(self) -> Iterator[str]:
        if self.servers:
            yield f"{count_of(len(self.servers), 'server is', 'servers are')} still there"
        if self.lacks_trait:
            yield f"placement does not have the trait {DISABLED}"
        if self.runs:
            yield "its nova-compute can still start"
        if self.is_untold:
            yield "maintenance was not reported to the instance-HA service"


def find_undone(facts: ComputeNode, asked: DrainRequest) -> Undone | None:
    """Return what is missing on a node that another run claims, once that run is over.

    None if the run goes on or may go on, and if the node has no such claim.
    """
    if facts.claim is None or not (facts.is_in_maintenance or facts.is_claim_idle):
        return None
    kept_off = facts.is_kept_off
    unread = kept_off if asked.keeps_off and isinstance(kept_off, Unread) else None
    # A drain that succeeded has proved it; of any other, a service that is up runs.
    is_proved = facts.claiming_run in {RunState.SUCCEEDED, None}
    is_seen_up = unread is not None and facts.service.is_up and not is_proved
    undone = Undone(
        claim=facts.claim,
        servers=tuple(each for each in facts.servers if asked.takes(each)),
        lacks_trait=DISABLED not in facts.provider.traits,
        runs=asked.keeps_off and (kept_off is False or is_seen_up),
        is_untold=is_untold(facts, asked),
        unread=None if is_seen_up else unread,
        can_move=facts.service.is_up and kept_off is not True,
    )
    return replace(undone, unread=None) if is_proved and not undone.is_known else undone


def as_if_up(facts: ComputeNode, undone: Undone | None) -> ComputeNode:
    """Return the facts to judge: a nova-compute that is down is no fault where nothing needs it."""
    if undone is None or undone.can_move or undone.servers or may_be_dead(facts):
        return facts
    running = facts.running_as
    if (
        isinstance(running, RunningAs)
        and not running.processes
        and running.unit_load != "not-found"
    ):
        running = None  # what is off already need not be seen to run
    return replace(facts, service=replace(facts.service, is_up=True), running_as=running)


def may_be_dead(facts: ComputeNode) -> bool:
    """Say whether nothing was heard of the machine."""
    return isinstance(facts.domains, Unread) and facts.domains.may_be_dead


def tells_ha(facts: ComputeNode, asked: DrainRequest) -> bool:
    """Say whether to report to the instance-HA service; not for a node that keeps servers."""
    return (
        bool(facts.ha_hosts) and not isinstance(facts.ha_hosts, Unread) and asked.empties_the_node
    )


def is_untold(facts: ComputeNode, asked: DrainRequest) -> bool:
    """Say whether to report to it, because it does not leave the node alone yet."""
    if isinstance(facts.ha_hosts, Unread) or not tells_ha(facts, asked):
        return False
    return not all(each.is_in_maintenance for each in facts.ha_hosts)


def is_whole(facts: ComputeNode) -> bool:
    """Say whether the run that claims the node had emptied it: servers there have come since.

    Of a run that this journal does not know it is taken to be so.
    """
    is_over_well = facts.claiming_run in {RunState.SUCCEEDED, None}
    return is_over_well and not facts.is_left_occupied
