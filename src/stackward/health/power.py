"""Whether the power of each node can be cut, and that be proved: its device is asked.

Nothing is switched. What a fence does itself is proved by the fence.
"""

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

from stackward.anatomy import read_anatomy
from stackward.errors import BadInput, NotUnderstood, Refused, StackwardError, Unreachable
from stackward.facts.survey import survey_node
from stackward.model.hardware import Alike, Hardware
from stackward.model.health import State
from stackward.model.power import DeviceName, PowerCheck, PowerDevice, PowerFinding
from stackward.model.survey import Unseen
from stackward.ports.power import PowerReader
from stackward.ports.probes import Probes

Told: TypeAlias = PowerDevice | StackwardError | None  # None: no device is named
Own: TypeAlias = Hardware | str  # or why the node did not report it

LATE_S = 2.0  # so much later a look gives up what should have ended by itself


def check_power(
    probes: Probes, power: PowerReader, nodes: Sequence[str], within_s: float
) -> tuple[PowerCheck, ...]:
    """Ask the devices of these nodes, and the nodes themselves, side by side.

    Raises BadInput where the file with the logins cannot be used.
    """
    devices = probes.together.begin(
        {node: partial(_told_by, power, node, within_s) for node in nodes}
    )
    selves = probes.together.begin(
        {node: partial(_own_of, probes, node, within_s) for node in nodes}
    )
    late = Unreachable("no answer in time")
    told = devices.told(within_s=within_s + LATE_S)
    own = selves.told(within_s=within_s + LATE_S)
    return tuple(
        judge_power(node, power.device(node), told.get(node, late), own.get(node, "no answer"))
        for node in nodes
    )


def _told_by(power: PowerReader, node: str, within_s: float) -> Told:
    if power.device(node) is None:
        return None
    try:
        return power.describe(node, within_s=within_s)
    except BadInput:
        raise
    except StackwardError as error:
        return error


def _own_of(probes: Probes, node: str, within_s: float) -> Own:
    seen = survey_node(probes.shell, probes.clock, read_anatomy(), node, within_s=within_s)
    if isinstance(seen, Unseen):
        return seen.why
    return Hardware.of(uuid=seen.board.uuid, serial=seen.board.serial, macs=seen.board.macs)


def judge_power(node: str, name: DeviceName | None, told: Told, own: Own) -> PowerCheck:
    """Say whether the node can be fenced with a proof."""
    found: list[PowerFinding] = []
    agreeing: tuple[str, ...] = ()
    match told:
        case None:
            found.append(
                PowerFinding(
                    name="power/no-device",
                    state=State.DEGRADED,
                    says=f"the inventory names no device that switches the power of `{node}`",
                    remedy="give it `bmc_url`, or `fence_agent` and `fence_options`; without one, "
                    "a person must cut its power and answer for that",
                )
            )
        case StackwardError():
            found.append(_not_asked(told))
        case PowerDevice():
            found += _orders(told)
            if isinstance(own, Hardware):
                agreeing = told.hardware.agreeing(own)
            found += _machine(node, told, own)
    return PowerCheck(
        node=node,
        name=name,
        told=told if isinstance(told, PowerDevice) else None,
        agreeing=agreeing,
        findings=tuple(found),
    )


def _not_asked(error: StackwardError) -> PowerFinding:
    words = f"{error.message}: {error.says}" if error.says else error.message
    if isinstance(error, Refused):
        return PowerFinding(
            name="power/refused",
            state=State.BROKEN,
            says=words,
            remedy=error.hint or "see the device's own page or log",
        )
    if isinstance(error, NotUnderstood):
        remedy = error.hint or "see on the device's own page what it says of the power"
        return PowerFinding(
            name="power/not-understood", state=State.UNKNOWN, says=words, remedy=remedy
        )
    return PowerFinding(
        name="power/silent",
        state=State.UNKNOWN,
        says=words,
        remedy=error.hint
        or "try its own page; a BMC that hangs often works again after its own restart, "
        "which does not change the node",
    )


def _orders(told: PowerDevice) -> list[PowerFinding]:
    if told.can_force_off:
        return []
    if told.can_force_off is None:
        return [
            PowerFinding(
                name="power/orders-not-told",
                state=State.DEGRADED,
                says="the device does not say whether it can cut the power at once",
                remedy="see in its manual that it knows `ForceOff`",
            )
        ]
    return [
        PowerFinding(
            name="power/no-force-off",
            state=State.BROKEN,
            says="the device cannot cut the power at once: it has "
            + (", ".join(told.reset_types) or "no such order"),
            remedy="update its firmware, or name a `fence_agent` that can",
        )
    ]


def _machine(node: str, told: PowerDevice, own: Own) -> list[PowerFinding]:
    if not told.hardware:
        return [
            _not_proved(
                "the device does not say whose power it switches",
                "see for yourself that it is this node's: a person must confirm its fence",
            )
        ]
    if not isinstance(own, Hardware):
        return [
            _not_proved(
                f"`{node}` did not say which machine it is: {own}",
                "check again once it answers over ssh",
            )
        ]
    match told.hardware.compare(own):
        case Alike.SAME:
            return []
        case Alike.DIFFERENT:
            return [
                PowerFinding(
                    name="power/wrong-machine",
                    state=State.BROKEN,
                    says=f"the device switches another machine than `{node}`: it has "
                    f"{_in_words(told.hardware)}; the node has {_in_words(own)}",
                    remedy=f"correct the device of `{node}` in the inventory, and do not fence it "
                    "before: that would cut the power of the other machine",
                )
            ]
        case Alike.UNTOLD:
            return [
                _not_proved(
                    "the device and the node have no identity that can be compared: the device "
                    f"says {_in_words(told.hardware)}; the node says {_in_words(own) or 'nothing'}",
                    "let root log in to the node: only root may read its UUID and serial number",
                )
            ]


def _not_proved(says: str, remedy: str) -> PowerFinding:
    return PowerFinding(name="power/not-proved", state=State.DEGRADED, says=says, remedy=remedy)


def _in_words(hardware: Hardware) -> str:
    told = (
        hardware.uuid and f"UUID {hardware.uuid}",
        hardware.serial and f"serial number {hardware.serial}",
        hardware.macs and f"MAC {', '.join(sorted(hardware.macs))}",
    )
    return ", ".join(each for each in told if each)
