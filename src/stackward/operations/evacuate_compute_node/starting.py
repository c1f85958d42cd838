"""Which evacuated servers are started, in which order, and why the others stay off."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stackward.checks.server import RunElsewhere
from stackward.model.server import Server
from stackward.model.who_ran import StartOrNot
from stackward.moving.bringing_up import START
from stackward.moving.fencing import proofs_of_silence
from stackward.moving.who_ran import judge_who_ran
from stackward.operations.evacuate_compute_node import rules
from stackward.operations.evacuate_compute_node.copies import nodes_off_too, proofs_of_others
from stackward.operations.evacuate_compute_node.facts import EvacuationFacts
from stackward.operations.evacuate_compute_node.without_device import witnesses_of
from stackward.plan import Move, Stage, Verdict
from stackward.policy.waves import judge_wave, waves_of
from stackward.ports.world import World
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.status.power_device import Whose
from stackward.steps.evacuation import StartEvacuated

_NOBODY = "no witness was asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """What becomes of a server once it is evacuated, and from what."""

    server: Server
    answer: StartOrNot
    because: str
    known: tuple[str, ...] = ()  # the requests in its action log


def who_comes(
    facts: EvacuationFacts, asked: EvacuateRequest, moves: Sequence[Move[World]]
) -> tuple[Coming, ...]:
    """Say of each server that is evacuated whether it is started; first by the operator's word."""
    ran = {each.server.id: judge_who_ran(each, facts.loss) for each in facts.pasts}
    requests = {
        each.server.id: tuple(one.request_id for one in each.actions)
        for each in facts.pasts
        if isinstance(each.actions, tuple)
    }
    by_id = {each.id: each for each in facts.leaving.node.servers}
    return tuple(
        _by_word(
            Coming(
                server=by_id[move.thing_id],
                answer=ran[move.thing_id].answer
                if move.thing_id in ran
                else StartOrNot.CONTRADICTED,
                because=ran[move.thing_id].because if move.thing_id in ran else _NOBODY,
                known=requests.get(move.thing_id, ()),
            ),
            asked,
        )
        for move in moves
    )


def _by_word(one: Coming, asked: EvacuateRequest) -> Coming:
    if one.server.id in asked.leave_off:
        return _with(one, StartOrNot.LEAVE_OFF, "`--leave-off` was given")
    if one.server.id in asked.start:
        return _with(one, StartOrNot.START, "`--start` was given")
    return one


def _with(one: Coming, answer: StartOrNot, because: str) -> Coming:
    return Coming(server=one.server, answer=answer, because=because, known=one.known)


def judge_coming(
    coming: Sequence[Coming], facts: EvacuationFacts, asked: EvacuateRequest
) -> Iterator[Verdict]:
    """Name those of which nobody knows whether they ran, and whose order cannot be followed."""
    for each in coming:
        server = each.server
        if server.id in asked.start and server.id in asked.leave_off:
            yield rules.BOTH_WAYS.blocks(server.label, server.id)
        elif each.answer is StartOrNot.CONTRADICTED:
            yield rules.NOT_STARTED.warns(server.label, server.id, because=each.because)
        elif each.answer is StartOrNot.START:
            yield from judge_wave(server, facts.tags, asked.tiers)


def start_stages(
    coming: Sequence[Coming],
    facts: EvacuationFacts,
    asked: EvacuateRequest,
    targets: Mapping[str, str],
    whose: Whose,
) -> Iterator[Stage[World]]:
    """Return a stage for each wave, in order; `targets` says where each server is by then."""
    starting = {each.server.id: each for each in coming if each.answer is StartOrNot.START}
    servers = [each.server for each in starting.values()]
    for wave in waves_of(servers, facts.tags, asked.tiers):
        yield Stage(
            name=wave.name,
            moves=tuple(
                _move(starting[each.id], facts, asked, targets[each.id], wave.name)
                for each in wave.servers
            ),
            at_once=asked.starts_at_once,
            needs=(
                *proofs_of_silence(facts.fence, whose, asked.confirmed_off),
                *proofs_of_others(facts.leaving, [each.id for each in wave.servers]),
            ),
            goes_on=True,
            sets_aside=True,
        )


def _move(
    one: Coming, facts: EvacuationFacts, asked: EvacuateRequest, target: str, wave: str
) -> Move[World]:
    server = one.server
    step = StartEvacuated(
        server=server.id,
        name=server.label,
        dead=facts.fence.host,
        node=facts.fence.name,
        within_s=asked.within_s,
        target=target,
        known=one.known,
        also_off=nodes_off_too(server, facts.leaving),
        **witnesses_of(facts.fence, asked.fence),
    )
    return Move(
        thing=server.label,
        thing_id=server.id,
        how=START,
        steps=(step,),
        expects={"target": target, "pinned": True, "wave": wave},
    )


def they_run(coming: Sequence[Coming], host: str) -> Iterator[RunElsewhere]:
    """Return what is proved at the end of those that are started."""
    started = tuple(sorted(each.server.id for each in coming if each.answer is StartOrNot.START))
    if started:
        yield RunElsewhere(servers=started, but_for=host)


def said_of_coming(coming: Sequence[Coming]) -> Iterator[str]:
    """Say of each server why it is started, or left off; of the unknown a warning does."""
    for each in coming:
        if each.answer is StartOrNot.START:
            yield f"`{each.server.label}` is started there: {each.because}"
    for each in coming:
        if each.answer is StartOrNot.LEAVE_OFF:
            yield f"`{each.server.label}` is left off there: {each.because}"
