"""The stages by which a node loses its power, and the statements that prove it dead."""

from collections.abc import Iterator

from stackward.checks.node_power import (
    IsConfirmedOff,
    IsItsDevice,
    IsPoweredOff,
    NoSignOfLife,
)
from stackward.model.power import CUT, PowerDevice
from stackward.plan import Check, Move, Stage
from stackward.ports.world import World
from stackward.status.fence import FenceFacts
from stackward.status.power_device import Whose
from stackward.steps.node_power import PowerOff, TryKeepOff
from stackward.wording import first_of

KEEP_OFF, FENCE = "keep off", CUT


def device_of(facts: FenceFacts) -> str:
    """Return the device of the node, in words."""
    return facts.device.name.text if isinstance(facts.device, PowerDevice) else "none"


def fencing(facts: FenceFacts, by: str) -> Iterator[Stage[World]]:
    """Return the stages; `by` is the command that asked for them."""
    if facts.why_not_kept_off is None:
        keep = TryKeepOff(node=facts.name, reason=f"it was fenced by `{by}`")
        yield Stage(name=KEEP_OFF, moves=(Move(thing=facts.host, how=KEEP_OFF, steps=(keep,)),))
    off = PowerOff(node=facts.name, host=facts.host, device=device_of(facts))
    yield Stage(name=FENCE, moves=(Move(thing=facts.host, how=FENCE, steps=(off,)),))


def said_of_members(facts: FenceFacts) -> Iterator[str]:
    """Say of which members of RabbitMQ and MariaDB it is not known whether they are well."""
    if facts.unread_members:
        yield (
            "whether RabbitMQ and MariaDB are well is not known of all nodes: "
            f"{first_of(facts.unread_members, 3)}"
        )


def proofs_of_death(
    facts: FenceFacts, whose: Whose, reference: str | None
) -> Iterator[Check[World]]:
    """Return what proves that the node is dead; `reference` is a person's word."""
    if whose is not Whose.PERSON:
        yield IsPoweredOff(node=facts.name)
    yield from proofs_of_silence(facts, whose, reference)


def proofs_at_the_end(
    facts: FenceFacts, whose: Whose, reference: str | None
) -> Iterator[Check[World]]:
    """Return what shows that it was dead until the end: its device, or else all witnesses."""
    if whose is Whose.PERSON:
        yield from proofs_of_silence(facts, whose, reference)
    else:
        yield IsPoweredOff(node=facts.name)


def proofs_of_silence(
    facts: FenceFacts, whose: Whose, reference: str | None
) -> Iterator[Check[World]]:
    """Return what proves that nothing of the node lives, and whose device says what it says."""
    if whose is Whose.PERSON:
        yield IsConfirmedOff(node=facts.name, reference=reference or "")
    else:
        yield _is_its_device(facts, whose, reference)
    yield NoSignOfLife(
        node=facts.name, host=facts.host, addresses=facts.addresses, peers=facts.peers
    )


def _is_its_device(facts: FenceFacts, whose: Whose, reference: str | None) -> Check[World]:
    own = facts.own.hardware if facts.own else None
    return IsItsDevice(
        node=facts.name,
        by=whose.value,
        uuid=own.uuid if own else None,
        serial=own.serial if own else None,
        macs=tuple(sorted(own.macs)) if own else (),
        seen_at=_seen_at(facts, whose),
        heard=facts.heard,
        addresses=facts.addresses,
        peers=facts.peers,
        reference=reference,
    )


def _seen_at(facts: FenceFacts, whose: Whose) -> str | None:
    """Return when that was seen by which its device is known."""
    if whose is Whose.BOOT:
        return facts.switched_on.booted if facts.switched_on else None
    return facts.own.seen_at if facts.own else None
