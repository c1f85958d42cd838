"""Return a drained compute node to service: start it, prove that it works, let servers come.

Not for a node that somebody else has disabled, nor for one that was fenced.
Undone by draining it again. Its servers come home by `bring_back_servers`, in a run of its own:
until the node is uncordoned, placement offers it to nobody.
"""

from dataclasses import replace

from stackward.checks.instance_ha import InstanceHaKnows
from stackward.checks.service import (
    HasInventory,
    InService,
    IsUp,
    LibvirtAnswers,
    NetworkAgentsAlive,
    NoAcceptanceServer,
    ServesRpc,
)
from stackward.model.maintenance import ReturningNode
from stackward.model.unread import Unread
from stackward.moving.instance_ha import telling_instance_ha
from stackward.operations.return_compute_node.acceptance import Parts, choose_parts
from stackward.operations.return_compute_node.rules import (
    HA_UNSEEN,
    NO_PORT,
    is_run_elsewhere,
    judge_return,
)
from stackward.operations.return_compute_node.shown import facts_shown, notices
from stackward.plan import Blocked, Move, Plan, Stage, Verdict, Warned
from stackward.ports.world import World
from stackward.requests.return_compute_node import ReturnRequest
from stackward.steps.acceptance import BootAcceptance, RemoveAcceptance
from stackward.steps.service import BringUp, Cordon, Uncordon


def plan_return(facts: ReturningNode, asked: ReturnRequest) -> Plan[World]:
    """Plan the node's return from facts alone; `BadInput` where a word names no image or such."""
    parts = choose_parts(facts, asked)
    over = _over(facts, asked)
    tells_ha = facts.is_ha_ours and bool(facts.guarded) and not isinstance(facts.guarded, Unread)
    telling = (
        # Last, once the node has proved itself: then its failures are failures again.
        [telling_instance_ha(facts.host, is_in_maintenance=False)] if tells_ha else []
    )
    verdicts: list[Verdict] = list(judge_return(facts, over))
    if parts.network is None:
        verdicts.append(NO_PORT.warns(facts.name))
    if isinstance(facts.guarded, Unread):
        verdicts.append(HA_UNSEEN.warns(facts.name, host=facts.host, why=facts.guarded.why))
    return Plan(
        title=f"return `{facts.name}` to service",
        request=replace(asked, run=facts.drained.run if facts.drained else None, over=over),
        holds=(facts.host,),
        decisions={"claim": str(facts.claim or "none")},
        facts=facts_shown(facts, parts),
        notices=tuple(notices(facts)),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=(*_stages(facts, parts), *telling),
        verify=(
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


def _stages(facts: ReturningNode, parts: Parts) -> tuple[Stage[World], ...]:
    host, provider = facts.host, facts.hypervisor.id
    claim = facts.claim.run if facts.claim else None
    remove = RemoveAcceptance(host=host)
    boot = BootAcceptance(
        host=host,
        zone=facts.service.zone,
        image=parts.image.id,
        flavor=parts.flavor.id,
        network=parts.network.id if parts.network else None,
    )
    again = Cordon(host=host, provider=provider, reason=_reason_again(facts), over=claim)
    accept: Move[World] = Move(
        thing=host,
        how="accept",
        # No server can be booted there before the uncordon: COMPUTE_STATUS_DISABLED is a mandatory
        # pre-filter of the scheduler. So it follows at once, and a failure closes the node again.
        steps=(Uncordon(host=host, provider=provider, claim=claim), boot, remove),
        on_failed=(remove, again),
    )
    start: Stage[World] = Stage(
        name="start",
        moves=(Move(thing=host, how="start", steps=(BringUp(node=facts.name, host=host),)),),
    )
    tidying = tuple(
        Move[World](thing=run, how="remove", steps=(RemoveAcceptance(host=host, run=run),))
        for run in facts.left_servers
    )
    return (
        *(() if is_run_elsewhere(facts) else (start,)),
        # Servers of ours that nobody else will remove; nova-compute is needed for that.
        *((Stage(name="tidy", moves=tidying),) if tidying else ()),
        Stage(
            name="accept",
            moves=(accept,),
            needs=(
                IsUp(host=host),
                ServesRpc(host=host, hypervisor=provider),
                LibvirtAnswers(host=host, node=facts.name),
                HasInventory(host=host, provider=provider),
                NetworkAgentsAlive(host=host),
            ),
        ),
    )


def _reason_again(facts: ReturningNode) -> str:
    was = f"; it was out for: {facts.claim.reason}" if facts.claim else ""
    return f"its return failed at the acceptance server, `run show` tells why{was}"
