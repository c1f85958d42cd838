"""Which servers are brought up, which stay off, and why: each server judged by itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from stackward.model.attachments import Attachments
from stackward.model.bringing_up import ServerToBringUp
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.model.utc_time import utc_time_or_none
from stackward.model.who_ran import StartOrNot, WhoRan
from stackward.moving.bringing_up import BUSY, judge_start
from stackward.moving.who_ran import judge_who_ran
from stackward.operations.recover_compute_node.facts import RecoveryFacts
from stackward.operations.recover_compute_node.rules import (
    ATTACHMENTS_UNREAD,
    LOSES_ATTACHMENT,
    NO_GUEST,
    NOT_KNOWN,
    STORAGE_MISSING,
    TASK_LEFT,
)
from stackward.plan import Verdict
from stackward.requests.recover_compute_node import RecoverRequest
from stackward.wording import in_utc

_RUNS = {"running", "blocked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Returning:
    """What becomes of one server, and from what."""

    server: Server
    answer: StartOrNot
    because: str
    runs: bool = False  # it runs already: there is nothing to do


def who_returns(facts: RecoveryFacts, asked: RecoverRequest) -> tuple[Returning, ...]:
    """Say of each server whether it is brought up; by the words of the operator first."""
    loss = facts.loss
    if loss is None:
        return ()
    return tuple(
        _by_word(judge_who_ran(past, loss), asked, runs=_runs(facts, past.server))
        for past in facts.pasts
    )


def _runs(facts: RecoveryFacts, server: Server) -> bool:
    is_on = (server.vm_state, server.task_state) == ("active", None)
    return is_on and facts.state_of(server.id) in _RUNS


def _by_word(ran: WhoRan, asked: RecoverRequest, *, runs: bool) -> Returning:
    server = ran.server
    answer, because = ran.answer, ran.because
    if asked.only and server.id not in asked.only:
        answer, because = StartOrNot.LEAVE_OFF, "`--only` names others"
    elif server.id in asked.leave_off:
        answer, because = StartOrNot.LEAVE_OFF, "`--leave-off` was given"
    elif server.id in asked.start:
        answer, because = StartOrNot.START, "`--start` was given"
    return Returning(server=server, answer=answer, because=because, runs=runs)


def to_run(facts: RecoveryFacts, returning: tuple[Returning, ...]) -> list[ServerToBringUp]:
    """Return those that run in the end: those that the node has brought up by itself, too."""
    return [
        facts.to_bring_up[each.server.id] for each in returning if each.answer is StartOrNot.START
    ]


def to_start(facts: RecoveryFacts, returning: tuple[Returning, ...]) -> list[ServerToBringUp]:
    """Return those that are brought up."""
    return [
        facts.to_bring_up[each.server.id]
        for each in returning
        if each.answer is StartOrNot.START and not each.runs
    ]


def judge_returning(facts: RecoveryFacts, returning: tuple[Returning, ...]) -> Iterator[Verdict]:
    """Find all that blocks bringing them up; name those of which nobody knows."""
    for each in returning:
        server = each.server
        if each.runs or each.answer is StartOrNot.LEAVE_OFF:
            continue
        if each.answer is StartOrNot.CONTRADICTED:
            yield NOT_KNOWN.warns(server.label, server.id, because=each.because)
            continue
        yield from _judge_start(facts, server)
        if (attachments := facts.to_bring_up[server.id].made_anew) is not None:
            yield from _judge_anew(server, attachments)
        if isinstance(facts.directories, frozenset) and server.id not in facts.directories:
            yield STORAGE_MISSING.blocks(server.label, server.id)


def _judge_start(facts: RecoveryFacts, server: Server) -> Iterator[Verdict]:
    """Check what any start needs; a `task_state` from before the loss will never end by itself."""
    since = utc_time_or_none(server.updated)
    is_left = (
        since is not None
        and not isinstance(facts.booted, Unread)
        and since < facts.booted
        and facts.is_answering is True
        and not facts.is_coming_up
    )
    for verdict in judge_start(facts.to_bring_up[server.id], as_node_returns=True):
        if since is not None and is_left and verdict.worry == BUSY.name:
            told = {"task": server.task_state, "since": in_utc(since)}
            yield TASK_LEFT.blocks(server.label, server.id, **told)
        else:
            yield verdict


def _judge_anew(server: Server, attachments: Attachments) -> Iterator[Verdict]:
    """Ask what is lost by the hard reboot of a server whose guest is not there."""
    if isinstance(attachments.cinder, Unread):
        why = attachments.cinder.why
        yield ATTACHMENTS_UNREAD.blocks(server.label, server.id, why=why)
        return
    if deleted := attachments.deleted_by_reboot:
        yield LOSES_ATTACHMENT.blocks(server.label, server.id, deleted=", ".join(deleted))
        return
    yield NO_GUEST.warns(server.label, server.id)
