"""Which moves never end: a table of all that is known of one, and what that means."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from builders import a_server, an_id
from stackward.model.migration import Migration
from stackward.model.stalled_move import CONDUCTOR, Guest, StalledMove
from stackward.model.unread import Unread
from stackward.status.stuck import ALL, find_stuck, quiet_s, record_of

SOURCE, TARGET = "compute-07", "compute-08"
LONG, DEAD, SHORT = 300, 180, 60
HERE = (Guest(node=SOURCE, state="running"), Guest(node=TARGET, state=None))
AT_WORK = (Guest(node=SOURCE, state="running", has_job=True), Guest(node=TARGET, state="paused"))
MOVED = (Guest(node=SOURCE, state=None), Guest(node=TARGET, state="running"))
TWICE = (Guest(node=SOURCE, state="running"), Guest(node=TARGET, state="running"))
NOWHERE = (Guest(node=SOURCE, state=None), Guest(node=TARGET, state="shut off"))
UNREAD = Unread("no answer")


def a_stalled_move(
    status: str | None = None,
    quiet: float = LONG,
    task: str | None = "migrating",
    **changes: Any,  # noqa: ANN401  # any field
) -> StalledMove:
    """Return a live migration in which nothing happens; without a status there is no record."""
    migration = Migration(
        id=7,
        uuid=an_id("migration"),
        server=an_id("db-01"),
        kind="live-migration",
        status=status or "",
        source=SOURCE,
        target=TARGET,
    )
    move = StalledMove(
        server=a_server(task_state=task),
        source=SOURCE,
        migration=migration if status else None,
        quiet_s=quiet,
        guests=HERE,
    )
    return replace(move, **changes)


def name_of(move: StalledMove) -> str | None:
    stuck = find_stuck(move)
    return stuck.state.name if stuck else None


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        pytest.param(a_stalled_move(), "no-record", id="a task, and no record for long"),
        pytest.param(
            a_stalled_move(dead=frozenset({CONDUCTOR}), quiet=DEAD),
            "waits-for-conductor",
            id="no record, for there is no conductor",
        ),
        pytest.param(
            a_stalled_move("accepted", DEAD, dead=frozenset({CONDUCTOR})),
            "conductor-died",
            id="accepted by a conductor that has died",
        ),
        pytest.param(a_stalled_move("accepted"), "order-lost", id="accepted, and nobody has it"),
        pytest.param(
            a_stalled_move("preparing", SHORT, task=None, is_followed=True),
            "record-only",
            id="at rest since just now, by a newer move",
        ),
        pytest.param(
            a_stalled_move("preparing", SHORT, task=None, is_followed=True, guests=AT_WORK),
            None,
            id="followed by a newer move, but libvirt works on it",
        ),
        pytest.param(
            a_stalled_move("queued", DEAD, dead=frozenset({SOURCE})),
            "node-died",
            id="queued at a source that has died",
        ),
        pytest.param(
            a_stalled_move("preparing", DEAD, dead=frozenset({SOURCE})),
            "node-died",
            id="prepared by a source that has died",
        ),
        pytest.param(
            a_stalled_move("confirming", DEAD, None, dead=frozenset({SOURCE})),
            "node-died",
            id="to be confirmed by a source that has died",
        ),
        pytest.param(
            a_stalled_move("post-migrating", DEAD, "resize_migrated", dead=frozenset({TARGET})),
            "node-died",
            id="a cold move to a target that has died",
        ),
        pytest.param(a_stalled_move("queued"), "order-lost", id="queued in a queue that stands"),
        pytest.param(a_stalled_move("running"), "order-lost", id="running, but libvirt has no job"),
        pytest.param(
            a_stalled_move("confirming", task=None), "confirm-lost", id="confirming for long"
        ),
        pytest.param(
            a_stalled_move("completed", 0, None), "completed-not-moved", id="completed, not moved"
        ),
        pytest.param(a_stalled_move("running", task=None), "record-only", id="a record alone"),
        pytest.param(
            a_stalled_move("preparing", task=None),
            "record-only",
            id="let go by a source that starts",
        ),
    ],
)
def test_what_never_ends_is_named(move: StalledMove, expected: str) -> None:
    assert name_of(move) == expected


@pytest.mark.parametrize(
    "move",
    [
        pytest.param(a_stalled_move(quiet=SHORT), id="no record, yet"),
        pytest.param(a_stalled_move("accepted", DEAD), id="accepted, not for so long"),
        pytest.param(
            a_stalled_move("accepted", SHORT, dead=frozenset({CONDUCTOR})),
            id="the conductor is away, not for long: RabbitMQ may have been restarted",
        ),
        pytest.param(
            a_stalled_move("queued", is_queue_moving=True), id="queued behind another migration"
        ),
        pytest.param(a_stalled_move("preparing"), id="preparing may take its time"),
        pytest.param(
            a_stalled_move("preparing", dead=frozenset({CONDUCTOR})),
            id="the source has it: the conductor is not needed",
        ),
        pytest.param(a_stalled_move("running", guests=AT_WORK), id="libvirt works on it"),
        pytest.param(
            a_stalled_move("running", guests=Unread("no answer")), id="libvirt could not be asked"
        ),
        pytest.param(a_stalled_move("migrating", task="resize_migrating"), id="a disk is copied"),
        pytest.param(
            a_stalled_move("completed", task=None, source=TARGET), id="completed, and moved"
        ),
        pytest.param(a_stalled_move(task="image_snapshot"), id="busy with something else"),
        pytest.param(
            a_stalled_move("running", task=None, guests=AT_WORK),
            id="let go by somebody, while libvirt still works on it",
        ),
        pytest.param(a_stalled_move("some-new-status"), id="a status that is not known"),
        pytest.param(a_stalled_move(guests=AT_WORK), id="no record, but libvirt works on it"),
        pytest.param(
            a_stalled_move("completed", SHORT), id="completed, and Nova may be about to say so"
        ),
        pytest.param(
            a_stalled_move("running", SHORT, guests=MOVED),
            id="the guest has moved, and Nova may be about to say so",
        ),
    ],
)
def test_what_may_go_on_is_not_called_stuck(move: StalledMove) -> None:
    assert name_of(move) is None


@pytest.mark.parametrize(
    ("move", "is_offered"),
    [
        pytest.param(a_stalled_move(), True, id="libvirt has no job on either node"),
        pytest.param(a_stalled_move(guests=Unread("no answer")), False, id="it could not be asked"),
        pytest.param(
            a_stalled_move(server=a_server("PAUSED", task_state="migrating")),
            False,
            id="paused: the reset would call it active",
        ),
    ],
)
def test_a_reset_is_offered_only_where_libvirt_has_no_job_and_it_would_be_true(
    move: StalledMove, *, is_offered: bool
) -> None:
    stuck = find_stuck(move)

    assert stuck is not None
    assert ("--state active" in stuck.remedy) is is_offered


def test_the_reason_says_where_the_guest_is() -> None:
    stuck = find_stuck(a_stalled_move("completed", 0, None))

    assert stuck is not None
    assert stuck.reason.endswith("(its guest is running on `compute-07`; not on `compute-08`)")


def test_every_stuck_state_has_a_reason_a_remedy_and_a_ground() -> None:
    assert len(ALL) == 9
    assert all(state.reason and state.remedy and state.why for state in ALL)


@pytest.mark.parametrize(
    ("server", "migration", "expected"),
    [
        pytest.param("2026-11-22T02:50:00Z", "2026-11-22T02:58:00.000000", 120, id="the later"),
        pytest.param("2026-11-22T02:59:00Z", None, 60, id="no record"),
        pytest.param(None, None, 0, id="nothing is known: not quiet"),
        pytest.param("2026-11-22T03:01:00Z", None, 0, id="their clock is ahead of ours"),
    ],
)
def test_quiet_is_since_nova_last_wrote_anything(
    server: str | None, migration: str | None, expected: float
) -> None:
    record = a_stalled_move("running").migration
    assert record is not None

    quiet = quiet_s(
        a_server(updated=server),
        replace(record, updated=migration) if migration else None,
        datetime(2026, 11, 22, 3, 0, tzinfo=UTC),
    )

    assert quiet == expected


# --- where the guest runs comes first ---

RESTARTED, RESET = "restart nova-compute", "--state active"
HARMLESS = {
    MOVED: "never start, reboot or reset the server",
    TWICE: "never start, reboot or reset the server",
    NOWHERE: "look for it on all others",
    UNREAD: "make libvirt answer first",
}
# Records and tasks of a live migration in which nothing has happened for long.
STALLED = [
    ("no record", None, "migrating", frozenset()),
    ("accepted", "accepted", "migrating", frozenset()),
    ("no conductor", "accepted", "migrating", frozenset({CONDUCTOR})),
    ("queued", "queued", "migrating", frozenset()),
    ("running", "running", "migrating", frozenset()),
    ("its source has died", "running", "migrating", frozenset({SOURCE})),
    ("completed", "completed", "migrating", frozenset()),
    ("completed, let go", "completed", None, frozenset()),
]


@pytest.mark.parametrize("guests", [MOVED, TWICE, NOWHERE, UNREAD])
@pytest.mark.parametrize(("said", "status", "task", "dead"), STALLED)
def test_no_remedy_starts_or_resets_a_server_whose_guest_is_not_where_nova_has_it(
    said: str,
    status: str | None,
    task: str | None,
    dead: frozenset[str],
    guests: tuple[Guest, ...] | Unread,
) -> None:
    stuck = find_stuck(a_stalled_move(status, task=task, dead=dead, guests=guests))

    if stuck is None:  # a job that cannot be seen may go on
        assert (said, guests) == ("running", UNREAD)
        return
    assert HARMLESS[guests] in stuck.remedy
    assert RESTARTED not in stuck.remedy
    assert RESET not in stuck.remedy or guests == NOWHERE


@pytest.mark.parametrize(
    ("status", "task", "name"),
    [
        pytest.param("completed", "migrating", "completed-not-moved", id="completed"),
        pytest.param("running", "migrating", "moved-unrecorded", id="running"),
        pytest.param("preparing", "migrating", "moved-unrecorded", id="preparing"),
        pytest.param(None, "migrating", "moved-unrecorded", id="no record"),
        pytest.param("running", None, "moved-unrecorded", id="let go by a source that starts"),
    ],
)
def test_a_guest_that_has_moved_without_nova_is_named(
    status: str | None, task: str | None, name: str
) -> None:
    assert name_of(a_stalled_move(status, task=task, guests=MOVED)) == name


def test_completed_while_still_migrating_names_the_migration_and_where_the_guest_runs() -> None:
    """F04: the record is closed, the task stays, the guest runs on the target."""
    stuck = find_stuck(a_stalled_move("completed", 3600, guests=MOVED))

    assert stuck is not None
    assert stuck.state.name == "completed-not-moved"
    assert stuck.reason.startswith("its migration 7 is `completed`, but Nova still has the server")
    assert "running on `compute-08`" in stuck.reason
    assert "`virsh shutdown" in stuck.remedy


def test_a_completed_move_whose_guest_never_left_is_let_go() -> None:
    stuck = find_stuck(a_stalled_move("completed", 3600))

    assert stuck is not None
    assert "nothing has moved" in stuck.remedy
    assert f"--state active {an_id('db-01')}" in stuck.remedy


def test_a_server_that_awaits_its_confirmation_is_at_home_on_the_target() -> None:
    move = a_stalled_move("confirming", task=None, guests=MOVED)
    stuck = find_stuck(replace(move, server=a_server(host=TARGET)))

    assert stuck is not None
    assert stuck.remedy.startswith("nothing in Nova confirms it")


@pytest.mark.parametrize(
    ("status", "source", "is_of_this_move"),
    [
        pytest.param("running", SOURCE, True, id="it goes on"),
        pytest.param("completed", SOURCE, True, id="completed, and the server is where it was"),
        pytest.param("completed", TARGET, False, id="completed: it brought the server here"),
        pytest.param("error", SOURCE, False, id="it failed, earlier"),
    ],
)
def test_a_record_that_has_ended_is_of_an_earlier_move_unless_it_is_completed_here(
    status: str, source: str, *, is_of_this_move: bool
) -> None:
    record = a_stalled_move(status).migration
    assert record is not None
    other = SOURCE if source == TARGET else TARGET
    record = replace(record, source=source, target=other)

    found = record_of(a_server(task_state="migrating"), [record])

    assert (found == record) is is_of_this_move
