"""The stages of a return, in their order: started, tidied up, proved to take a server.

After an evacuation it is switched on first; no old guest may run there; then its nova-compute is
started until it has settled all records, and only then this is reported to Nova as up.
"""

from collections.abc import Iterator

from stackward.checks.evacuations import EvacuationsSettled
from stackward.checks.service import (
    HasInventory,
    IsUp,
    LibvirtAnswers,
    NetworkAgentsAlive,
    ServesRpc,
)
from stackward.model.evacuation import most_of_one
from stackward.model.maintenance import ReturningNode
from stackward.model.power import SWITCHED_ON, PowerDevice
from stackward.model.unread import Unread
from stackward.operations.return_compute_node.acceptance import Parts
from stackward.operations.return_compute_node.rules import is_run_elsewhere
from stackward.plan import Move, Stage
from stackward.ports.world import World
from stackward.steps.acceptance import BootAcceptance, RemoveAcceptance
from stackward.steps.boot_gate import OpenGate
from stackward.steps.node_power import PowerOn
from stackward.steps.old_copies import FenceOldGuests, StopForRecords
from stackward.steps.service import BringUp, Cordon, ForceUp, Uncordon

OLD_GUESTS, START, SETTLE, CALL_UP = "old guests", "start", "settle", "call up"


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
    tidying = tuple(
        Move[World](thing=run, how="remove", steps=(RemoveAcceptance(host=host, run=run),))
        for run in facts.left_servers
    )
    return (
        *_switched_on(facts),
        *_started(facts),
        *_called_up(facts),
        # Servers of ours that nobody else will remove; nova-compute is needed for that.
        *((Stage(name="tidy", moves=tidying),) if tidying else ()),
        Stage(
            name="accept",
            moves=(accept,),
            needs=(
                *((EvacuationsSettled(host=host),) if facts.evacuations else ()),
                IsUp(host=host),
                ServesRpc(host=host, hypervisor=provider),
                LibvirtAnswers(host=host, node=facts.name),
                HasInventory(host=host, provider=provider),
                NetworkAgentsAlive(host=host),
            ),
        ),
    )


def _switched_on(facts: ReturningNode) -> Iterator[Stage[World]]:
    """Return what comes before nova-compute may start: power, and no old guest that runs."""
    host, device = facts.host, facts.device
    if facts.is_silent:
        known = device.name.text if isinstance(device, PowerDevice) else None
        on = PowerOn(node=facts.name, host=host, device=known, within_s=facts.boot_within_s)
        yield Stage(name=SWITCHED_ON, moves=(Move(thing=host, how=SWITCHED_ON, steps=(on,)),))
    if old := _living_elsewhere(facts):
        fence = FenceOldGuests(node=facts.name, host=host, servers=old, has_device=facts.has_device)
        yield Stage(name=OLD_GUESTS, moves=(Move(thing=host, how=OLD_GUESTS, steps=(fence,)),))


def _living_elsewhere(facts: ReturningNode) -> tuple[str, ...]:
    """Return the servers of which a guest must not run there."""
    if isinstance(facts.evacuations, Unread) or not facts.hypervisor.has_domains:
        return ()
    found = {
        one.record.server for one in facts.evacuations if one.server is not None and not one.is_home
    }
    return tuple(sorted(found))


def _started(facts: ReturningNode) -> Iterator[Stage[World]]:
    """Return the start of nova-compute, and as many more as one server has records."""
    if is_run_elsewhere(facts):
        return
    host, is_down = facts.host, facts.service.is_forced_down
    # What is silent may have a gate.
    opens = (OpenGate(node=facts.name),) if facts.is_gate_shut or facts.is_silent else ()
    bring_up = BringUp(node=facts.name, host=host, is_forced_down=is_down)
    yield Stage(name=START, moves=(Move(thing=host, how=START, steps=(*opens, bring_up)),))
    open_ = () if isinstance(facts.evacuations, Unread) else facts.evacuations
    again = tuple(
        step
        for number in range(1, most_of_one(open_) + 1)
        for step in (StopForRecords(node=facts.name, host=host, number=number), bring_up)
    )
    if again:
        yield Stage(name=SETTLE, moves=(Move(thing=host, how=SETTLE, steps=again),))


def _called_up(facts: ReturningNode) -> Iterator[Stage[World]]:
    """Return the end of the fence: only once nothing more would be destroyed by a start."""
    if facts.service.is_forced_down:
        up = Move[World](thing=facts.host, how=CALL_UP, steps=(ForceUp(host=facts.host),))
        needs = (EvacuationsSettled(host=facts.host),)
        yield Stage(name=CALL_UP, moves=(up,), needs=needs)


def _reason_again(facts: ReturningNode) -> str:
    was = f"; it was out for: {facts.claim.reason}" if facts.claim else ""
    # These words are stored in plans as a decision: other words would void each stored undo.
    return f"its return failed at the acceptance server, `run show` tells why{was}"
