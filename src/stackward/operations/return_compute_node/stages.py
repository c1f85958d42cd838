"""The stages of a return, in their order: started, tidied up, proved to take a server."""

from stackward.checks.service import (
    HasInventory,
    IsUp,
    LibvirtAnswers,
    NetworkAgentsAlive,
    ServesRpc,
)
from stackward.model.maintenance import ReturningNode
from stackward.operations.return_compute_node.acceptance import Parts
from stackward.operations.return_compute_node.rules import is_run_elsewhere
from stackward.plan import Move, Stage
from stackward.ports.world import World
from stackward.steps.acceptance import BootAcceptance, RemoveAcceptance
from stackward.steps.boot_gate import OpenGate
from stackward.steps.service import BringUp, Cordon, Uncordon


def stages_of(facts: ReturningNode, parts: Parts) -> tuple[Stage[World], ...]:
    """Return what is done to the node until servers may come again."""
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
    opens = (OpenGate(node=facts.name),) if facts.is_gate_shut else ()
    bring_up = BringUp(node=facts.name, host=host)
    start: Stage[World] = Stage(
        name="start", moves=(Move(thing=host, how="start", steps=(*opens, bring_up)),)
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
