"""Who ran when a node was lost: by its owner, by Nova, by libvirt's log, by our own looks."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from builders import NOW, a_server
from stackward.model.node_boot import NodeBoot
from stackward.model.server import ServerAction
from stackward.model.unread import Unread
from stackward.model.who_ran import (
    GuestEvent,
    GuestLine,
    Listed,
    Loss,
    Past,
    Seen,
    StartOrNot,
    is_left_off,
)
from stackward.moving.who_ran import judge_who_ran

LOSS = Loss(not_after=NOW, words="it booted")
LONG_AGO, BEFORE, JUST_BEFORE = (NOW - timedelta(minutes=m) for m in (600, 60, 2))
SINCE, LATER = NOW + timedelta(minutes=1), NOW + timedelta(minutes=5)
NO_LOG = Unread("permission denied")


def act(
    name: str, at: datetime, user: str | None = "eve", message: str | None = None
) -> ServerAction:
    started = at.replace(tzinfo=None).isoformat(timespec="microseconds")
    return ServerAction(
        action=name, request_id=f"req-{name}-{started}", user=user, started=started, message=message
    )


MADE = act("create", LONG_AGO)
BY_NOVA = act("stop", SINCE, None)


def line(event: str, at: datetime, reason: str = "") -> GuestLine:
    return GuestLine(event=GuestEvent[event], at=at, reason=reason)


STARTED = line("STARTED", LONG_AGO)
STARTED_SINCE = line("STARTED", SINCE)
SIGNALLED = line("SIGNALLED", JUST_BEFORE)
SHUT_DOWN_JUST_BEFORE = line("ENDED", JUST_BEFORE, "shutdown")
SHUT_DOWN_SINCE = line("ENDED", LATER, "shutdown")
SHUT_DOWN = line("ENDED", BEFORE, "shutdown")


def past(
    *actions: ServerAction,
    status: str = "SHUTOFF",
    seen: Seen | None = None,
    log: tuple[GuestLine, ...] | Unread = NO_LOG,
) -> Past:
    """Return what is known of a server; the actions newest first."""
    return Past(server=a_server(status), actions=actions, seen=seen, log=log)


OURS = act("stop", JUST_BEFORE, "ops")
BY_US = frozenset({OURS.request_id})


def listed(
    *actions: ServerAction, ran: bool = True, stops: frozenset[str] | None = frozenset()
) -> Past:
    """Return what is known of a server that a reboot of ours has written down as it was made.

    `stops` are the requests of that reboot; None: its journal is elsewhere.
    """
    given = past(*actions)
    names = {given.server.id: MADE.request_id}
    told = Listed(
        run="01R",
        user="ops",
        at=BEFORE,
        boot=NodeBoot(id="1c8b", first_process=7, at=LONG_AGO),
        stops=stops or frozenset(),
        has_all_stops=stops is not None,
        ran=names if ran else {},
        off={} if ran else names,
    )
    return replace(given, listed=told)


CASES: dict[str, tuple[Past, StartOrNot]] = {
    "our reboot has stopped it": (listed(OURS, MADE, stops=BY_US), StartOrNot.START),
    "our reboot may have stopped it, by a journal that is elsewhere": (
        listed(OURS, MADE, stops=None), StartOrNot.CONTRADICTED,
    ),
    "another user stopped it after a list of which the journal is elsewhere": (
        listed(act("stop", JUST_BEFORE), MADE, stops=None), StartOrNot.LEAVE_OFF,
    ),
    "it was off as a reboot began of which the journal is elsewhere": (
        listed(MADE, ran=False, stops=None), StartOrNot.LEAVE_OFF,
    ),
    "its owner rebooted it after our list, and our reboot has stopped it": (
        listed(OURS, act("reboot", BEFORE), MADE, stops=BY_US), StartOrNot.START,
    ),
    "its owner started it after our list, and our reboot has stopped it": (
        listed(OURS, act("start", BEFORE), MADE, ran=False, stops=BY_US), StartOrNot.START,
    ),
    "a backup was made of it since our reboot has stopped it": (
        listed(act("createImage", LATER), OURS, MADE, stops=BY_US), StartOrNot.START,
    ),
    "the same user stopped it again since": (
        listed(act("stop", LATER, "ops"), OURS, MADE, stops=BY_US), StartOrNot.LEAVE_OFF,
    ),
    "our reboot has found it off": (listed(MADE, ran=False), StartOrNot.LEAVE_OFF),
    "it ran as our reboot began, and Nova has stopped it since": (
        listed(BY_NOVA, MADE), StartOrNot.START,
    ),
    "its owner stopped it after our list": (listed(act("stop", LATER), MADE), StartOrNot.LEAVE_OFF),
    "its owner started it after our list": (
        listed(act("start", LATER), OURS, MADE, stops=BY_US), StartOrNot.START,
    ),
    "its guest ended after our list, and before the boot": (
        listed(act("stop", BEFORE + timedelta(minutes=1), None), MADE), StartOrNot.LEAVE_OFF,
    ),
    "it was started again after our reboot, and stopped by the same user later": (
        listed(
            act("stop", JUST_BEFORE, "ops"), act("start", BEFORE, "ops"),
            act("stop", BEFORE, "ops"), MADE,
            stops=frozenset({act("stop", BEFORE, "ops").request_id}),
        ),
        StartOrNot.LEAVE_OFF,
    ),
    "the same user stopped it after our list, and our reboot did not": (
        listed(OURS, MADE, stops=frozenset({"req-other"})), StartOrNot.LEAVE_OFF,
    ),
    "its log does not go back to our list": (listed(BY_NOVA), StartOrNot.CONTRADICTED),
    "Nova stopped it as the node returned": (past(BY_NOVA, MADE), StartOrNot.START),
    "Nova still calls it ACTIVE": (past(MADE, status="ACTIVE"), StartOrNot.START),
    "its owner stopped it before": (past(act("stop", BEFORE), MADE), StartOrNot.LEAVE_OFF),
    "its owner stopped it since": (past(act("stop", LATER), BY_NOVA, MADE), StartOrNot.LEAVE_OFF),
    "its owner stopped and started it before": (
        past(BY_NOVA, act("start", BEFORE), act("stop", LONG_AGO), MADE), StartOrNot.START,
    ),
    "its owner started it since": (
        past(act("start", LATER), act("stop", BEFORE), MADE), StartOrNot.START,
    ),
    "its owner had paused it, and Nova stopped it": (
        past(BY_NOVA, act("pause", BEFORE), MADE), StartOrNot.LEAVE_OFF,
    ),
    "its owner had it rescued": (past(act("rescue", BEFORE), MADE), StartOrNot.LEAVE_OFF),
    "its owner had it suspended": (past(act("suspend", BEFORE), MADE), StartOrNot.LEAVE_OFF),
    "its owner had it shelved": (past(act("shelve", BEFORE), MADE), StartOrNot.LEAVE_OFF),
    "its guest switched itself off before": (
        past(act("stop", BEFORE, None), MADE), StartOrNot.LEAVE_OFF,
    ),
    "it was found off minutes before: the node may have been shut down": (
        past(act("stop", JUST_BEFORE, None), MADE), StartOrNot.CONTRADICTED,
    ),
    "it was found off minutes before, and its guest had shut down by itself": (
        past(act("stop", JUST_BEFORE, None), MADE, log=(STARTED, SHUT_DOWN_JUST_BEFORE)),
        StartOrNot.LEAVE_OFF,
    ),
    "what its owner did besides decides nothing": (
        past(BY_NOVA, act("attach_volume", BEFORE), MADE), StartOrNot.START,
    ),
    "its last start failed": (
        past(act("start", BEFORE, message="Error"), MADE), StartOrNot.CONTRADICTED,
    ),
    "it is off, and no action made it so": (past(MADE), StartOrNot.CONTRADICTED),
    "its action log was archived": (past(BY_NOVA), StartOrNot.CONTRADICTED),
    "its action log cannot be read": (
        Past(server=a_server(), actions=Unread("503"), log=NO_LOG), StartOrNot.CONTRADICTED,
    ),
    "its action log was archived, and libvirt tells that it ran": (
        past(BY_NOVA, log=(STARTED,)), StartOrNot.START,
    ),
    "libvirt agrees with Nova": (past(BY_NOVA, MADE, log=(STARTED,)), StartOrNot.START),
    "libvirt has an end that Nova does not know": (
        past(BY_NOVA, MADE, log=(STARTED, SHUT_DOWN)), StartOrNot.CONTRADICTED,
    ),
    "libvirt's end came by a signal, from outside": (
        past(BY_NOVA, MADE, log=(STARTED, SIGNALLED, SHUT_DOWN_JUST_BEFORE)),
        StartOrNot.START,
    ),
    "it was found off, and libvirt has no end of it: it was lost once before": (
        past(act("stop", BEFORE, None), MADE, log=(STARTED,)), StartOrNot.LEAVE_OFF,
    ),
    "it ran again since, and switched itself off": (
        past(BY_NOVA, MADE, log=(STARTED, STARTED_SINCE, SHUT_DOWN_SINCE)),
        StartOrNot.CONTRADICTED,
    ),
    "we saw it run": (
        past(BY_NOVA, seen=Seen(state="running", at=BEFORE)), StartOrNot.START,
    ),
    "we saw it off, and Nova calls it ACTIVE": (
        past(BY_NOVA, MADE, seen=Seen(state="shut off", at=BEFORE)), StartOrNot.CONTRADICTED,
    ),
    "we saw it off since: that tells nothing of before": (
        past(BY_NOVA, MADE, seen=Seen(state="shut off", at=SINCE)), StartOrNot.START,
    ),
    "we saw it off, and its owner started it then": (
        past(BY_NOVA, act("start", BEFORE), seen=Seen(state="shut off", at=LONG_AGO)),
        StartOrNot.START,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_who_ran(name: str) -> None:
    given, answer = CASES[name]

    found = judge_who_ran(given, LOSS)

    assert found.answer is answer, found
    assert found.because


@pytest.mark.parametrize(
    ("given", "is_left"),
    [
        pytest.param(listed(OURS, MADE, stops=BY_US), True, id="its run has stopped it"),
        pytest.param(
            listed(act("start", SINCE), OURS, MADE, stops=BY_US), False, id="started since"
        ),
        pytest.param(listed(OURS, MADE), False, id="stopped by a colleague of that account"),
        pytest.param(listed(OURS, MADE, stops=None), True, id="the journal is elsewhere"),
        pytest.param(
            listed(act("stop", LATER, "ops"), act("start", SINCE), OURS, MADE, stops=None),
            False,
            id="the journal is elsewhere, and it was started since",
        ),
        pytest.param(listed(OURS, stops=None), False, id="the log does not go back to the list"),
        pytest.param(listed(MADE, ran=False), False, id="it was off"),
    ],
)
def test_whom_an_earlier_reboot_has_left_off(given: Past, *, is_left: bool) -> None:
    assert given.listed is not None
    assert not isinstance(given.actions, Unread)

    assert is_left_off(given.listed, given.server.id, given.actions) is is_left


def test_each_witness_says_what_it_tells_and_when() -> None:
    given = past(BY_NOVA, MADE, seen=Seen(state="running", at=BEFORE), log=(STARTED,))

    found = judge_who_ran(given, LOSS)

    assert [(one.witness, one.was.value, one.at) for one in found.testimonies] == [
        ("Nova", "running", NOW),
        ("libvirt's log", "running", LONG_AGO),
        ("our last look", "running", BEFORE),
    ]
    assert "Nova itself stopped it at 2026-11-22T03:01:00Z[UTC], after the loss" in found.because


def test_what_cannot_be_read_is_one_witness_less_and_says_so() -> None:
    found = judge_who_ran(past(BY_NOVA, MADE), LOSS)

    assert found.answer is StartOrNot.START
    assert "cannot be read: permission denied" in [one.words for one in found.testimonies]
