"""How each server of a dead node is judged, where it may go, and which disk it will have there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from stackward.model.compute_process import RunningAs
from stackward.model.evacuation import is_under_way, is_used_up
from stackward.model.migration import Migration
from stackward.model.placement import Candidate
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.unread import Unread
from stackward.operations.evacuate_compute_node import rules
from stackward.operations.evacuate_compute_node.copies import ended, is_to_be_ended, judge_copies
from stackward.operations.evacuate_compute_node.facts import Leaving
from stackward.operations.evacuate_compute_node.placing import places_of
from stackward.plan import Blocked, Verdict
from stackward.policy import compute, volumes, wishes
from stackward.policy.capacity import Chooser, Packing, pack
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.status.evacuated import Promised
from stackward.status.lost_order import is_accepted
from stackward.wording import in_utc

_TAKEN_FROM = {"ACTIVE", "SHUTOFF"}
_LIVED_IN_MEMORY = {"PAUSED", "SUSPENDED", "RESCUE"}
_KEPT_H = timedelta(hours=24)
_TPM = ("hw:tpm_version", "hw_tpm_version")


@dataclass(frozen=True, slots=True)
class Judged:
    """All verdicts on one server, and the disk that it would have on each node that may take it."""

    server: Server
    verdicts: tuple[Verdict, ...]
    candidates: tuple[Candidate, ...] = ()
    promised: Mapping[str, Promised] = field(default_factory=dict)  # by host

    @property
    def is_blocked(self) -> bool:
        """Say whether any verdict blocks."""
        return any(isinstance(each, Blocked) for each in self.verdicts)


def judge_servers(facts: Leaving, asked: EvacuateRequest) -> tuple[list[Judged], Packing]:
    """Judge the servers that are asked for one by one, and pack them into the room elsewhere."""
    chooser = Chooser(facts.node, asked.target)
    judged = [
        _judge(server, facts, asked, chooser)
        for server in facts.node.servers
        if asked.takes(server) and is_brought(server, asked)
    ]
    wanted = [
        (each.server, facts.node.needs[each.server.id], each.candidates)
        for each in judged
        if each.candidates
    ]
    return judged, pack(wanted, facts.node.reserved)


def is_brought(server: Server, asked: EvacuateRequest) -> bool:
    """Say whether a server is brought along: one that was off only if that is asked for."""
    return asked.with_stopped or server.status != "SHUTOFF" or server.id in asked.reset_state


def _judge(server: Server, facts: Leaving, asked: EvacuateRequest, chooser: Chooser) -> Judged:
    node = facts.node
    if server.status == IN_DOWN_CELL:
        return Judged(server, (compute.CELL_DOWN.blocks(server.label, server.id),))
    verdicts: list[Verdict] = [
        *_judge_passed_over(server, facts, asked),
        *_judge_state(server, facts, asked),
        *judge_copies(server, facts, asked),
        *_judge_devices(server, facts),
        *volumes.judge_volumes(server),
        *compute.judge_cpus(server),
        *compute.judge_zone(server, node),
        *compute.judge_group(server),
        *compute.judge_lock(server),
        *wishes.judge_wish(server, asked.how.consent_to(server)),
    ]
    choice = chooser.choose(server)
    choice = choice.cold or choice  # it is built again: the CPU that it had does not bind it
    if (unplaced := choice.blocks(server)) and not choice.only_live:
        return Judged(server, (*verdicts, unplaced))
    if warned := choice.warns(server):
        verdicts.append(warned)
    found, promised = places_of(server, facts, asked, choice.all)
    return Judged(server, (*verdicts, *found), _fitting(choice.all, promised), promised)


def _fitting(
    candidates: Sequence[Candidate], promised: Mapping[str, Promised]
) -> tuple[Candidate, ...]:
    return tuple(each for each in candidates if each.host in promised)


# --- its state ----------------------------------------------------------------------------------


def _judge_state(server: Server, facts: Leaving, asked: EvacuateRequest) -> Iterator[Verdict]:
    is_reset = server.id in asked.reset_state
    said = {"task": server.task_state or "at rest", "status": server.status}
    records = facts.records.get(server.id, ())
    open_ = (
        each for each in records if is_under_way(each) and not is_used_up(each, records, server)
    )
    going = next(
        (each for each in open_ if not (is_reset and _is_left(each, server, facts, asked))), None
    )
    if going is not None:
        yield _judge_going(server, going, facts)
    elif server.task_state is not None:
        if is_reset:
            yield rules.RESET.warns(server.label, server.id, **said)
        else:
            yield rules.TASK.blocks(server.label, server.id, task=server.task_state)
    elif server.status == "ERROR":
        rule = rules.RESET.warns if is_reset else rules.IN_ERROR.blocks
        yield rule(server.label, server.id, **said)
    elif server.status == "VERIFY_RESIZE":
        yield rules.RESIZED.blocks(server.label, server.id)
    elif server.status in _LIVED_IN_MEMORY:
        rule = rules.RESET.warns if is_reset else rules.MEMORY_LOST.blocks
        yield rule(server.label, server.id, **said)
    elif server.status not in _TAKEN_FROM:
        yield rules.STATE.blocks(server.label, server.id, status=server.status)
    elif is_reset:
        why = f"it is {server.status}, and at rest"
        yield rules.UNNEEDED.blocks(server.label, server.id, flag="--reset-state", why=why)
    if server.status == "SHUTOFF" and server.task_state is None:
        yield rules.BOOTS_FOR_SECONDS.warns(server.label, server.id)


def _judge_going(server: Server, going: Migration, facts: Leaving) -> Blocked:
    """Refuse one that is being evacuated; where a reset was asked for, say why it is not lost."""
    if (why := facts.orders.get(going.id)) is not None:
        return rules.ORDER_MAY_COME.blocks(
            server.label, server.id, record=going.id, to=_to(going), why=why
        )
    return rules.REBUILDING.blocks(
        server.label, server.id, record=going.id, status=going.status, to=_to(going)
    )


def _to(record: Migration) -> str:
    """Say where it goes; the record of an order that nobody has started may not say."""
    return f"to `{record.target}`" if record.target else "to a node that Nova chooses"


def _judge_passed_over(server: Server, facts: Leaving, asked: EvacuateRequest) -> Iterator[Verdict]:
    for each in facts.records.get(server.id, ()) if server.id in asked.reset_state else ():
        if is_under_way(each) and _is_left(each, server, facts, asked):
            said = {"record": each.id, "status": each.status, "to": _to(each)}
            if is_accepted(each):
                yield rules.ORDER_LOST.warns(server.label, server.id, **said)
                continue
            ends = any(other.host == each.target for other, _ in ended(server, facts, asked))
            guest = "its guest there is ended first" if ends else "libvirt there has no guest of it"
            yield rules.PASSED_OVER.warns(server.label, server.id, **said, guest=guest)


def _is_left(record: Migration, server: Server, facts: Leaving, asked: EvacuateRequest) -> bool:
    """Say whether it is proved that nobody carries an evacuation out.

    Nothing is up on its target, and each guest there is ended before the next order. Or no
    conductor has started it, and its order is lost.
    """
    if is_accepted(record):
        return record.id in facts.orders and facts.orders[record.id] is None
    target = facts.others.get(record.target or "")
    return (
        record.status == "pre-migrating"
        and target is not None
        and not target.is_up
        and isinstance(target.running_as, RunningAs)
        and not target.running_as.processes
        and not isinstance(target.domains, Unread)
        and (
            all(each.server != record.server for each in target.domains)
            or is_to_be_ended(target, server, asked)
        )
    )


# --- what it holds ------------------------------------------------------------------------------


def _judge_devices(server: Server, facts: Leaving) -> Iterator[Verdict]:
    given = (server.flavor.spec(_TPM[0]), dict(server.image_properties or ()).get(_TPM[1]))
    if any(given):
        yield rules.TPM.blocks(server.label, server.id)
    if profile := server.flavor.spec("accel:device_profile"):
        yield compute.HAS_ACCELERATOR.blocks(server.label, server.id, what=profile)
    for port, host in compute.left_bindings(server):
        yield rules.LEFT_BINDING.blocks(server.label, server.id, port=port, left_on=host)
    own = {facts.node.host, facts.node.name}
    for volume in server.volumes:
        place = (volume.backend or "").partition("@")[0]
        if place in own:
            yield rules.VOLUME_SERVICE.blocks(
                server.label, server.id, volume=volume.id, backend=volume.backend
            )


def judge_flags(facts: Leaving, asked: EvacuateRequest) -> Iterator[Blocked]:
    """Ask whether each server that a flag names is there, and is asked for."""
    here = {each.id: each for each in facts.node.servers}
    flags = {
        "--only": asked.only,
        "--leave-behind": asked.how.leave_behind,
        "--accept-data-loss": asked.accept_data_loss,
        "--reset-state": asked.reset_state,
        "--start": asked.start,
        "--leave-off": asked.leave_off,
    }
    for flag, given in flags.items():
        for each in given:
            if each not in here:
                yield rules.NOT_HERE.blocks(
                    facts.node.name, each, flag=flag, given=each, host=facts.node.host
                )
    for flag in ("--accept-data-loss", "--reset-state", "--start", "--leave-off"):
        for server in (here[each] for each in flags[flag] if each in here):
            if not (asked.takes(server) and is_brought(server, asked)):
                why = "it is not brought up"
                yield rules.UNNEEDED.blocks(server.label, server.id, flag=flag, why=why)


def judge_left(facts: Leaving, asked: EvacuateRequest) -> Iterator[Verdict]:
    """Say which servers stay without a node, and until when they may."""
    until = (facts.node.read_at + _KEPT_H).isoformat(timespec="seconds")
    for server in facts.node.servers:
        if not asked.takes(server):
            yield rules.LEFT_BEHIND.warns(
                server.label, server.id, node=facts.node.name, until=in_utc(until)
            )
        elif not is_brought(server, asked):
            yield rules.STAYS_OFF.warns(server.label, server.id)
