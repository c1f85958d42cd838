"""Whether a node may be fenced: its own rules, each next to its words.

A fence is refused if the device may be that of another machine, or if more than this node may be
broken. A living node loses its guests by a fence: so the operator must give their number.
"""

from collections.abc import Iterator
from typing import Any

from stackward.model.hardware import Hardware
from stackward.model.power import PowerDevice, PowerReturns
from stackward.model.unread import Unread
from stackward.plan import Verdict
from stackward.policy.maintenance import HELD
from stackward.policy.rule import Rule
from stackward.requests.fence_compute_node import FenceRequest
from stackward.status.fence import FenceFacts
from stackward.status.life import Life
from stackward.status.outage import all_down, find_outage
from stackward.status.power_device import Identified, Whose, identify
from stackward.wording import count_of, in_utc

# --- its device ---------------------------------------------------------------------------------

NOT_NAMED = Rule(
    "fence/not-named",
    "the inventory does not name this machine",
    "name it in the inventory, with its `bmc_url`, or `fence_agent` and `fence_options`",
    "The inventory has its device and its addresses.",
)
NO_DEVICE = Rule(
    "fence/no-device",
    "the inventory names no device that switches its power",
    "give it `bmc_url`, or `fence_agent` and `fence_options`, in the inventory; or check at the "
    "machine itself that it has no power, then `stackward node evacuate {name} --confirmed-off "
    "REFERENCE`",
    "Without a device nothing shows that it has no power.",
)
DEVICE_UNREAD = Rule(
    "fence/device-unread",
    "its device cannot be read: {why}",
    "{way}; then plan again",
    "A device that does not answer before the request proves nothing after it.",
)
NO_FORCE_OFF = Rule(
    "fence/no-force-off",
    "its device cannot cut the power at once: it knows {known}",
    "name a device that can: another `fence_agent`, or the outlets of its power strip",
    "A shutdown waits for the operating system, which may never end.",
)
WRONG_DEVICE = Rule(
    "fence/wrong-device",
    "its device says Off, but it answers: {heard}",
    "find out which machine that device switches (its serial number, its cable), and correct the "
    "inventory",
    "A machine without power does not answer. So the device belongs to another machine.",
)
ANOTHERS_DEVICE = Rule(
    "fence/another-device",
    "its device is that of another machine{owner}: it says {said}, but this node said {own}",
    "correct the inventory; if its board or its network cards were replaced, "
    "`stackward node check {name}` on the living node records its new identity",
    "The request would cut the power of a machine that is well.",
)
WHOSE_DEVICE = Rule(
    "fence/whose-device",
    "nothing shows that its device is this node's: {why}",
    "look at the machine itself: check that it has no power and that this device switches it; then "
    "pass `--confirmed-off REFERENCE`, such as the number of a ticket",
    "An inventory may be wrong by one line. While a node is well, `stackward cloud check` records "
    "which machine it is.",
)
WORD_ALONE = Rule(
    "fence/word-alone",
    "only `--confirmed-off` says that its device is this node's: {reference}",
    "if the word is wrong, another machine loses its power",
    "The word is kept with the run.",
)
PROVED_LATER = Rule(
    "fence/proved-later",
    "whether its device is really this node's is shown only when the power is cut: the node "
    "answers now, and must stop answering",
    "if it still answers after that, another machine has lost its power: the run says so; find "
    "that machine, and switch it on",
    "While a node is well, `stackward cloud check` records which machine it is.",
)
BOOTS_BY_ITSELF = Rule(
    "fence/boots-by-itself",
    "it boots by itself when power returns to its site",
    "set its firmware to stay off, or to its state before the power loss",
    "A node that boots starts its nova-compute, which acts on the servers that it had.",
)

# --- is it dead? --------------------------------------------------------------------------------

ALIVE = Rule(
    "fence/alive",
    "it is not dead ({life}): {signs}",
    "{first}; or cut the power of the node all the same, which kills {count}: "
    "`--kill-guests {number}`",
    "For a living node there is the drain, which stops no server.",
)
MISCOUNTED = Rule(
    "fence/miscounted",
    "`--kill-guests {given}` was given, but {count} have power on it, as {source} says",
    "see which they are (`openstack server list --all-projects --host {host}`); if they may be "
    "lost, pass `--kill-guests {number}`",
    "The number shows that you know what is lost.",
)
GUESTS_KILLED = Rule(
    "fence/guests-killed",
    "it is not dead ({life}): {count} will lose power and memory, as `--kill-guests` allows; "
    "{source} has counted them",
    "{first}",
    "A fence is not a shutdown.",
)
MAY_RUN = Rule(
    "fence/may-run",
    "it is {life}: {count} may still run there, as Nova says, and will lose power",
    "{first}",
    "A server may serve its users although its node cannot be asked.",
)
UNNEEDED = Rule(
    "fence/unneeded",
    "`{flag}` was given, and it is not needed: {why}",
    "leave that flag out",
    "A flag that is not needed may be meant for another node.",
)

# --- is it the only one? ------------------------------------------------------------------------

OUTAGE = Rule(
    "fence/outage",
    "{down} of the {total} of {of} are down: {names}",
    "look first at what they share (their network, their switch, RabbitMQ: `stackward cloud "
    "check`); if they are really down, name all of them: `--accept-outage {all}`",
    "If most nodes are silent at once, they are usually well, and only cut off.",
)
OUTAGE_ACCEPTED = Rule(
    "fence/outage-accepted",
    "{down} of the {total} of {of} are down, as `--accept-outage` says: {names}",
    "",
    "`--accept-outage` was given.",
)
NOT_DOWN = Rule(
    "fence/not-down",
    "`--accept-outage` names `{given}`, which is not down",
    "name each node that is down, and no other: `--accept-outage {all}`",
    "A list with a node that is well is for another outage.",
)
CONTROL_BROKEN = Rule(
    "fence/control-broken",
    "no {parts} on another node reports to Nova: what Nova says of its nodes is old",
    "repair that first: `stackward cloud check` names what is broken; then plan again",
    "nova-compute reports over RabbitMQ and nova-conductor: if they fail, nodes that are well look "
    "silent, one after the other. And Nova could evacuate nothing.",
)
RPC_BROKEN = Rule(
    "fence/rpc-broken",
    "Nova has {hosts} as up, but none of them answers a call over RabbitMQ: what Nova says of its "
    "nodes may be old",
    "repair that first: `stackward cloud check` names what is broken, such as RabbitMQ; then plan "
    "again",
    "nova-compute reports over RabbitMQ. MariaDB accepts writes: the rows of services that are up "
    "were written within the last minute.",
)
MEMBER_BROKEN = Rule(
    "fence/member-broken",
    "{part} is broken on `{node}`: {reason}",
    "{remedy}; then plan again",
    "Nodes that are connected to that member look silent, and may be well. `stackward cloud check` "
    "judges it by the same rule.",
)
NO_WITNESS = Rule(
    "fence/no-witness",
    "no other node can check whether it answers: {why}",
    "make `ssh` work to another compute node or a controller, with `python3` and `ping` there; "
    "then plan again",
    "Other nodes prove that it is dead: they call it at all of its addresses.",
)
OTHER_ROLE = Rule(
    "fence/other-role",
    "it is also {role}: {effect}",
    "{remedy}",
    "Everything that runs on the machine loses its power.",
)

_PARTS = {"rabbitmq": "RabbitMQ", "mariadb": "MariaDB"}
_FIRST = {
    Life.CUT_OFF: "look first at its network and its console: it has power",
    Life.HUNG: "look first at its console: its kernel answers",
    Life.COMPUTE_DEAD: "repair its nova-compute (`systemctl status nova-compute` there), then "
    "`stackward node drain {host}`",
    Life.NO_SSH: "make `ssh` to it work, then `stackward node drain {host}`",
    Life.WELL: "`stackward node drain {host}` moves its servers off it",
    Life.NOT_YET_KNOWN: "plan again in two minutes: a heartbeat may be a memory",
    Life.UNKNOWN: "see `stackward node check {host}` for what cannot be read",
}


def judge_fence(
    facts: FenceFacts, asked: FenceRequest, *, needs_device: bool = True
) -> Iterator[Verdict]:
    """Ask whether the node may be fenced, and what is lost by it.

    Without a device, the questions are those of any node that is given up. Which run has it? Who
    can see whether it answers? Is it the only one?
    """
    for holder in facts.holders:
        yield HELD.blocks(facts.name, run=holder.run, title=holder.title, state=holder.state)
    if needs_device:
        yield from _judge_device(facts, asked)
    if not facts.witnesses.asked:
        yield NO_WITNESS.blocks(facts.name, why=facts.witnesses.text)
    if needs_device:
        yield from _judge_life(facts, asked)
    yield from _judge_outage(facts, asked)
    for role in facts.roles:
        yield OTHER_ROLE.warns(facts.name, role=role.name, effect=role.effect, remedy=role.remedy)


def identified(facts: FenceFacts, asked: FenceRequest) -> Identified:
    """Say whose device it is; a person's word counts if nothing else shows it."""
    if not isinstance(facts.device, PowerDevice):
        return Identified(whose=Whose.UNKNOWN)
    found = identify(facts.device.hardware, facts.own, facts.others, is_heard=bool(facts.heard))
    once = facts.switched_on
    if found.whose in _BY_LESS and once and once.device == facts.device.name.text:
        return Identified(whose=Whose.BOOT)
    is_said = found.whose is Whose.UNKNOWN and bool(asked.confirmed_off)
    return Identified(whose=Whose.WORD) if is_said else found


_BY_LESS = {Whose.UNKNOWN, Whose.SILENCE}


def _judge_device(facts: FenceFacts, asked: FenceRequest) -> Iterator[Verdict]:
    device = facts.device
    if not facts.is_named:
        yield NOT_NAMED.blocks(facts.name)
    elif device is None:
        yield NO_DEVICE.blocks(facts.name, name=facts.name)
    elif isinstance(device, Unread):
        way = device.hint or "see its device"
        yield DEVICE_UNREAD.blocks(facts.name, why=device.why, way=way)
    elif device.can_force_off is False:
        known = ", ".join(device.reset_types) or "no order"
        yield NO_FORCE_OFF.blocks(facts.name, known=known)
    elif facts.life is Life.CONTRADICTED:
        yield WRONG_DEVICE.blocks(facts.name, heard=facts.witnesses.text)
    else:
        yield from _judge_identity(facts, device, asked)


def _judge_identity(
    facts: FenceFacts, device: PowerDevice, asked: FenceRequest
) -> Iterator[Verdict]:
    found = identified(facts, asked)
    match found.whose:
        case Whose.ANOTHERS:
            yield ANOTHERS_DEVICE.blocks(
                facts.name,
                name=facts.name,
                owner=f", `{found.owner}`" if found.owner else "",
                said=_in_words(device.hardware),
                own=_known(facts),
            )
        case Whose.UNKNOWN:
            yield WHOSE_DEVICE.blocks(facts.name, why=_why_unknown(facts))
        case Whose.WORD:
            yield WORD_ALONE.warns(facts.name, reference=asked.confirmed_off)
        case Whose.SILENCE:
            yield PROVED_LATER.warns(facts.name)
        case Whose.IDENTITY | Whose.BOOT:
            pass
    if asked.confirmed_off and found.whose in {Whose.IDENTITY, Whose.BOOT, Whose.SILENCE}:
        why = "its device says which machine it is"
        if found.whose is Whose.BOOT:
            why = "its device has switched it on once, and it booted"
        if found.whose is Whose.SILENCE:
            why = "it is heard now, and must fall silent"
        yield UNNEEDED.blocks(facts.name, flag="--confirmed-off", why=why)
    if device.power_returns is PowerReturns.ON:
        yield BOOTS_BY_ITSELF.warns(facts.name)


def _in_words(told: Hardware) -> str:
    parts = (f"UUID {told.uuid}" if told.uuid else "", *sorted(told.macs)[:2], told.serial or "")
    return ", ".join(filter(None, parts))


def _known(facts: FenceFacts) -> str:
    if facts.own is None:
        return "nothing that is kept"
    return f"{_in_words(facts.own.hardware)} at {in_utc(facts.own.seen_at)}"


def _why_unknown(facts: FenceFacts) -> str:
    if facts.own is None:
        return "no look has seen the node while it was well"
    return "its device does not say which machine it is, and nothing of the node is heard"


def _judge_life(facts: FenceFacts, asked: FenceRequest) -> Iterator[Verdict]:
    life, (number, source) = facts.life, facts.running
    if life is Life.CONTRADICTED or facts.device is None:
        return  # said of its device
    first = _FIRST.get(life, "").format(host=facts.host)
    count = count_of(number, "guest")
    said: dict[str, Any] = {"life": life.value, "count": count, "number": number, "source": source}
    if not life.is_living:
        if asked.kill_guests is not None:
            yield UNNEEDED.blocks(facts.name, flag="--kill-guests", why=f"it is {life.value}")
        if life is not Life.DEAD:
            servers = count_of(facts.servers, "server")
            yield MAY_RUN.warns(facts.name, life=life.value, count=servers, first=first)
    elif asked.kill_guests is None:
        yield ALIVE.blocks(facts.name, signs=signs_in_words(facts), first=first, **said)
    elif asked.kill_guests != number:
        yield MISCOUNTED.blocks(facts.name, given=asked.kill_guests, host=facts.host, **said)
    else:
        yield GUESTS_KILLED.warns(facts.name, first=first, **said)


def signs_in_words(facts: FenceFacts) -> str:
    """Say what each source says of the node."""
    signs = facts.signs
    named = {
        "heartbeat": signs.heartbeat,
        "RPC": signs.rpc,
        "ssh": signs.ssh,
        "ping": signs.ping,
        "power": signs.power,
        "network agent": signs.agent,
        "libvirt": signs.libvirt,
    }
    return ", ".join(f"{name} {sign.value}" for name, sign in named.items())


def _judge_outage(facts: FenceFacts, asked: FenceRequest) -> Iterator[Verdict]:
    if facts.silent_parts:
        yield CONTROL_BROKEN.blocks(facts.name, parts=" and no ".join(facts.silent_parts))
    if facts.deaf:
        yield RPC_BROKEN.blocks(facts.name, hosts=", ".join(f"`{each}`" for each in facts.deaf))
    for one in facts.broken_members:
        yield MEMBER_BROKEN.blocks(
            facts.name,
            part=_PARTS.get(one.component, one.component),
            node=one.node,
            reason=one.reason,
            remedy=one.remedy,
        )
    outage = find_outage(facts.computes, facts.aggregates, facts.host)
    down = all_down(facts.computes, facts.host)
    named, every = set(asked.accept_outage), ",".join(down)
    if outage is None:
        if named:
            why = "no more than this node is down" if len(down) == 1 else "most nodes are up"
            yield UNNEEDED.blocks(facts.name, flag="--accept-outage", why=why)
        return
    for given in sorted(named - set(down)):
        yield NOT_DOWN.blocks(facts.name, given, given=given, all=every)
    words: dict[str, Any] = {
        "down": len(outage.down),
        "total": count_of(outage.count, "compute node"),
        "of": outage.of,
        "names": ", ".join(f"`{each}`" for each in outage.down),
        "all": every,
    }
    is_accepted = set(down) <= named
    yield (OUTAGE_ACCEPTED.warns if is_accepted else OUTAGE.blocks)(facts.name, **words)
