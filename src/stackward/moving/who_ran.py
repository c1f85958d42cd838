"""Which servers ran when a node was lost: one judgement for all that bring them up again.

    ran = judge_who_ran(past, loss)

`past` is read by `facts/who_ran.py`: the server, Nova's action log, how we saw its guest while the
node lived, libvirt's log of it. `loss` is the moment at which the node was lost at the latest. If
the node is back, it is the boot since then; if it is dead, the last sign of life. The answer of
each server is to start, to leave off, or contradicted, with every witness and its time.

The first witness is the list that our reboot wrote on the node before it stopped anything. It
decides if nobody has asked for anything since. A server that the reboot itself stopped did run. Its
stops are known by their requests, never by the account. Without the requests, the list only
contradicts a stop by that account. Otherwise the last action of the server's owner decides, before
the loss or since. Otherwise all witnesses that know must agree.

Read in nova 31.0 compute/manager.py (`_sync_power_states`), service.py and instance_actions.py:
Once nova-compute has started, Nova stops each server that it has as running and that libvirt does
not have. The time is random, by default up to 60 s later (`periodic_fuzzy_delay`). It also stops a
server whose guest switched itself off. Both are a `stop` without a user; only the time
distinguishes them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from stackward.model.server import ServerAction
from stackward.model.unread import Unread
from stackward.model.utc_time import utc_time
from stackward.model.who_ran import (
    STARTS,
    STOPS,
    GuestEvent,
    GuestLine,
    Listed,
    Loss,
    Past,
    StartOrNot,
    Testimony,
    Was,
    WhoRan,
    newer_than,
)
from stackward.wording import in_utc

OWNER, NOVA, LIBVIRT, OUR_LOOK = "its owner", "Nova", "libvirt's log", "our last look"
LISTED = "our list"

# A host that is shut down ends its guests, and Nova may have seen that before it ended itself.
_SHUTTING_DOWN = timedelta(minutes=5)
_RUNS = {"running", "blocked", "idle"}
_IS_OFF = {"shut off", "crashed"}


def judge_who_ran(past: Past, loss: Loss) -> WhoRan:
    """Say whether a server is to run again, and by which witnesses."""
    listed = _listed(past, loss)
    told = (*([listed] if listed else ()), *_testimonies(past, loss))
    if listed is not None and listed.was is Was.UNKNOWN:
        return WhoRan(
            server=past.server,
            answer=StartOrNot.CONTRADICTED,
            because=listed.words,
            testimonies=told,
        )
    decided = listed or next((each for each in told if each.witness == OWNER), None)
    if decided is not None:
        answer = StartOrNot.START if decided.was is Was.RUNNING else StartOrNot.LEAVE_OFF
        return WhoRan(server=past.server, answer=answer, because=decided.words, testimonies=told)
    sure = [each for each in told if each.was is not Was.UNKNOWN]
    because = "; ".join(f"{each.witness}: {each.words}" for each in sure or told)
    match {each.was for each in sure}:
        case found if found == {Was.RUNNING}:
            answer = StartOrNot.START
        case found if found == {Was.OFF}:
            answer = StartOrNot.LEAVE_OFF
        case _:
            answer = StartOrNot.CONTRADICTED
    return WhoRan(
        server=past.server,
        answer=answer,
        because=because or "no witness knows",
        testimonies=told,
    )


def _is_stop(action: ServerAction) -> bool:
    """Say whether an action leaves its server without a guest that works."""
    return action.action in STOPS


def _orders(actions: Sequence[ServerAction]) -> Iterator[ServerAction]:
    return (each for each in actions if each.action in STARTS | STOPS)


def _testimonies(past: Past, loss: Loss) -> Iterator[Testimony]:
    yield _nova(past, loss)
    yield _libvirt(past, loss)
    if past.seen is not None:
        yield _look(past, loss)


# --- the list of an own reboot ------------------------------------------------------------------


def _listed(past: Past, loss: Loss) -> Testimony | None:
    """Return what the list says; None: others have asked for something since.

    A user has stopped a server, and nothing shows whether that stop was one of the reboot: then it
    is not known whether the server should run.
    """
    listed = past.listed
    if listed is None or isinstance(past.actions, Unread):
        return None
    orders = [*_orders(past.actions)]
    if any(_is_stop_of(each, listed) for each in orders):
        since = [*takewhile(lambda each: not _is_stop_of(each, listed), orders)]
        is_last = all(_found_off(each, loss) for each in since)
        return _told(listed, Was.RUNNING, "ran") if is_last else None
    return _not_stopped_by(listed, past.server.id, past.actions, loss)


def _not_stopped_by(
    listed: Listed, server: str, actions: Sequence[ServerAction], loss: Loss
) -> Testimony | None:
    """Return what the list says of a server that no known request of its run has stopped."""
    newer = newer_than(listed.known[server], actions) if server in listed.known else None
    since = [each for each in _orders(newer or ()) if not _found_off(each, loss)]
    if newer is None or any((each.action, each.user) != ("stop", listed.user) for each in since):
        return None
    if not since:
        ran = server in listed.ran
        return _told(listed, Was.RUNNING if ran else Was.OFF, "ran" if ran else "was off")
    if listed.has_all_stops or server not in listed.ran:
        return None
    words = (
        f"and was stopped since; only the database of that run shows who asked, and it {_ELSEWHERE}"
    )
    return _told(listed, Was.UNKNOWN, "ran", words)


_ELSEWHERE = "is not here or has no answer"


def _told(listed: Listed, was: Was, how: str, more: str = "") -> Testimony:
    words = f"it {how} at {in_utc(listed.at)}, before run {listed.run} rebooted its node"
    return Testimony(
        witness=LISTED, was=was, words=f"{words}, {more}" if more else words, at=listed.at
    )


def _is_stop_of(action: ServerAction, listed: Listed) -> bool:
    return action.action == "stop" and action.request_id in listed.stops


def _found_off(action: ServerAction, loss: Loss) -> bool:
    """Say whether Nova has found it off after the boot."""
    return (action.action, action.user) == ("stop", None) and _at(action) > loss.not_after


# --- Nova ---------------------------------------------------------------------------------------


def _nova(past: Past, loss: Loss) -> Testimony:
    if isinstance(past.actions, Unread):
        return _nobody_knows(NOVA, f"its action log cannot be read: {past.actions.why}")
    orders = [*_orders(past.actions)]
    since = [each for each in orders if each.user is None and _at(each) > loss.not_after]
    before = [each for each in orders if each not in since]
    if not before:
        return _nobody_knows(NOVA, "its action log does not go back far enough")
    last = before[0]
    words = f"user {last.user} asked for `{last.action}` at {in_utc(last.started)}"
    if last.user is not None and (_is_stop(last) or _at(last) > loss.not_after):
        was = Was.OFF if _is_stop(last) else Was.RUNNING
        return Testimony(witness=OWNER, was=was, words=words, at=_at(last))
    if last.user is None and _is_stop(last):
        return _switched_itself_off(last, loss)
    return _left_running(past, last, since, loss)


def _left_running(
    past: Past, last: ServerAction, since: Sequence[ServerAction], loss: Loss
) -> Testimony:
    """Say whether it still ran at the loss, after the last order that left it running."""
    if last.message:
        failed = f"`{last.action}` of {in_utc(last.started)} failed"
        return _nobody_knows(NOVA, failed, _at(last))
    if since and _is_stop(since[0]):
        words = f"Nova itself stopped it at {in_utc(since[0].started)}, after the loss"
    elif past.server.vm_state == "active":
        words = "Nova calls it ACTIVE"
    else:
        status = past.server.status
        return _nobody_knows(NOVA, f"it is {status}, and no action made it so", _at(last))
    return Testimony(witness=NOVA, was=Was.RUNNING, words=words, at=loss.not_after)


def _switched_itself_off(stop: ServerAction, loss: Loss) -> Testimony:
    at = _at(stop)
    words = f"its guest was found to be off at {in_utc(at)}, before the loss"
    if loss.not_after - at <= _SHUTTING_DOWN:
        words += ": the node may have been shut down at that time"
        return _nobody_knows(NOVA, words, at)
    return Testimony(witness=NOVA, was=Was.OFF, words=words, at=at)


# --- libvirt's log ------------------------------------------------------------------------------


def _libvirt(past: Past, loss: Loss) -> Testimony:
    if isinstance(past.log, Unread):
        return _nobody_knows(LIBVIRT, f"cannot be read: {past.log.why}")
    before = [each for each in past.log if each.at <= loss.not_after]
    since = [each for each in past.log if each.at > loss.not_after]
    if any(each.event is GuestEvent.STARTED for each in since):
        last = since[-1]
        if last.event is GuestEvent.ENDED and last.reason == "shutdown":
            words = f"its guest ran again after the loss, and ended at {in_utc(last.at)}"
            return Testimony(witness=LIBVIRT, was=Was.OFF, words=words, at=last.at)
    if not before:
        return _nobody_knows(LIBVIRT, "has nothing from the time before the loss")
    return _at_the_loss(before, _last_stop(past, loss))


def _last_stop(past: Past, loss: Loss) -> datetime | None:
    """Return when Nova last had it stopped before the loss: a loss before that leaves no line."""
    actions = () if isinstance(past.actions, Unread) else past.actions
    stops = (_at(each) for each in _orders(actions) if _is_stop(each))
    return next((at for at in stops if at <= loss.not_after), None)


def _at_the_loss(before: Sequence[GuestLine], stopped: datetime | None) -> Testimony:
    last = before[-1]
    at = in_utc(last.at)
    if last.event is not GuestEvent.ENDED:
        begun = next((one for one in reversed(before) if one.event is GuestEvent.STARTED), last)
        words = f"its guest was started at {in_utc(begun.at)}, and its end is not in the log"
        if stopped is not None and stopped > begun.at:
            words += f"; Nova had it stopped at {in_utc(stopped)}"
            return _nobody_knows(LIBVIRT, words, begun.at)
        return Testimony(witness=LIBVIRT, was=Was.RUNNING, words=words, at=last.at)
    signalled = next(
        (one for one in reversed(before[:-1]) if one.event is not GuestEvent.ENDED),
        None,
    )
    if signalled is not None and signalled.event is GuestEvent.SIGNALLED:
        # So end those that Nova stops, and those of a host that is shut down.
        return _nobody_knows(LIBVIRT, f"its guest was ended from outside at {at}", last.at)
    if last.reason == "shutdown":
        return Testimony(
            witness=LIBVIRT, was=Was.OFF, words=f"its guest shut down at {at}", at=last.at
        )
    return _nobody_knows(
        LIBVIRT, f"its guest ended at {at} ({last.reason or 'no reason'})", last.at
    )


# --- our own looks ------------------------------------------------------------------------------


def _look(past: Past, loss: Loss) -> Testimony:
    seen = past.seen
    assert seen is not None  # noqa: S101  # asked before
    words = f"its guest was {seen.state or 'not there'} at {in_utc(seen.at)}"
    if seen.at > loss.not_after:
        return _nobody_knows(OUR_LOOK, f"{words}, after the loss", seen.at)
    if isinstance(past.actions, Unread):
        return _nobody_knows(OUR_LOOK, f"{words}, and what came then is not known", seen.at)
    newer = [
        each
        for each in _orders(past.actions)
        if seen.at < _at(each) and (each.user is not None or _at(each) <= loss.not_after)
    ]
    if newer:
        return _nobody_knows(OUR_LOOK, f"{words}; `{newer[0].action}` came after that", seen.at)
    was = Was.RUNNING if seen.state in _RUNS else Was.OFF if seen.state in _IS_OFF else Was.UNKNOWN
    return Testimony(witness=OUR_LOOK, was=was, words=words, at=seen.at)


def _nobody_knows(witness: str, words: str, at: datetime | None = None) -> Testimony:
    return Testimony(witness=witness, was=Was.UNKNOWN, words=words, at=at)


def _at(action: ServerAction) -> datetime:
    return utc_time(action.started)
