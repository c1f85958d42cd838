"""Return a compute node to service: start it, prove that it works, let servers come.

It was drained, or fenced and evacuated. Not for a node that somebody else has disabled.
Undone by draining it again; what its nova-compute has destroyed of old copies is lost. Its servers
come home by `bring_back_servers`, in a run of its own: until the node is uncordoned, placement
offers it to nobody.
"""

from dataclasses import replace

from stackward.checks.evacuations import EvacuationsSettled
from stackward.checks.instance_ha import InstanceHaKnows
from stackward.checks.service import (
    InService,
    NoAcceptanceServer,
    ServesRpc,
)
from stackward.model.maintenance import ReturningNode
from stackward.model.unread import Unread
from stackward.moving.instance_ha import telling_instance_ha
from stackward.operations.return_compute_node.acceptance import choose_parts
from stackward.operations.return_compute_node.rules import (
    HA_UNSEEN,
    NO_PORT,
    judge_evacuations,
    judge_return,
)
from stackward.operations.return_compute_node.shown import facts_shown, notices
from stackward.operations.return_compute_node.stages import stages_of
from stackward.plan import Blocked, Plan, Verdict, Warned
from stackward.ports.world import World
from stackward.requests.return_compute_node import ReturnRequest


def plan_return(facts: ReturningNode, asked: ReturnRequest) -> Plan[World]:
    """Plan the node's return from facts alone; `BadInput` where a word names no image or such."""
    parts = choose_parts(facts, asked)
    over = _over(facts, asked)
    tells_ha = facts.is_ha_ours and bool(facts.ha_hosts) and not isinstance(facts.ha_hosts, Unread)
    telling = (
        # Last, once the node has proved itself: then its failures are failures again.
        [telling_instance_ha(facts.host, is_in_maintenance=False)] if tells_ha else []
    )
    verdicts: list[Verdict] = [
        *judge_return(facts, over),
        *judge_evacuations(facts, is_discard_asked=asked.discard_old_disks),
    ]
    if parts.network is None:
        verdicts.append(NO_PORT.warns(facts.name))
    if isinstance(facts.ha_hosts, Unread):
        verdicts.append(HA_UNSEEN.warns(facts.name, host=facts.host, why=facts.ha_hosts.why))
    return Plan(
        title=f"return `{facts.name}` to service",
        request=replace(asked, run=facts.drained.run if facts.drained else None, over=over),
        holds=(facts.host,),
        decisions={} if facts.is_foreseen else {"claim": str(facts.claim or "none")},
        facts=facts_shown(facts, parts),
        notices=tuple(notices(facts)),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=(*stages_of(facts, parts), *telling),
        verify=(
            *((EvacuationsSettled(host=facts.host),) if facts.evacuations else ()),
            InService(host=facts.host, provider=facts.hypervisor.id),
            ServesRpc(host=facts.host, hypervisor=facts.hypervisor.id),
            NoAcceptanceServer(host=facts.host),
            *([InstanceHaKnows(host=facts.host, is_in_maintenance=False)] if tells_ha else ()),
        ),
    )


def _over(facts: ReturningNode, asked: ReturnRequest) -> str | None:
    """Return the run whose claim may be lifted unknown: the one that claims it, if it was named."""
    is_named = facts.claim is not None and facts.claim.run == asked.run
    return asked.run if is_named and not facts.is_claim_known else asked.over
