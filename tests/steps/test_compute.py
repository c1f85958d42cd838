"""Steps against the fake cloud: where they stand at every turn, and that they start but once."""

from dataclasses import replace

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.errors import Uncertain
from stackward.plan import GIVEN_UP, Standing
from stackward.steps.compute import (
    AbortMigration,
    ColdMigrate,
    ConfirmMigration,
    ForceComplete,
    LiveMigrate,
)
from stackward.steps.service import Cordon, KeepOff

DB = an_id("db-01")
LIVE = LiveMigrate(server=DB, name="db-01", source="compute-07")
COLD = ColdMigrate(server=DB, name="db-01", source="compute-07")
CONFIRM = ConfirmMigration(
    server=DB, name="db-01", source="compute-07", vm_state="stopped", power_state=4
)
CORDON = Cordon(host="compute-07", provider=an_id("compute-07"), reason="bad DIMM")


def a_cloud(status: str = "ACTIVE") -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(a_server(status))
    return cloud


def test_a_live_migration_from_todo_to_proved() -> None:
    cloud = a_cloud()
    world = a_world(cloud)

    stood = [LIVE.look(world, None).standing]
    mark = LIVE.mark(world)
    LIVE.start(world)
    stood.append(LIVE.look(world, mark).standing)
    cloud.nova.pass_time()
    proved = LIVE.look(world, mark)

    assert [*stood, proved.standing] == [Standing.TODO, Standing.UNDERWAY, Standing.DONE]
    assert set(proved.saw.values()) == {"compute-08", "holds", "not applicable"}


def test_a_mark_without_a_start_leaves_the_step_to_do() -> None:
    """Killed between the intent and the POST: nothing was asked."""
    world = a_world(a_cloud())

    assert LIVE.look(world, LIVE.mark(world)).standing is Standing.TODO


def test_a_start_whose_answer_was_lost_is_found() -> None:
    """Killed after the POST: the mark finds the migration, and nothing is asked twice."""
    cloud = a_cloud()
    world = a_world(cloud)
    mark = LIVE.mark(world)
    cloud.nova.live_migrate(DB, None)

    assert LIVE.look(world, mark).standing is Standing.UNDERWAY


def test_an_order_without_a_record_is_under_way() -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.migrations.clear()

    assert LIVE.look(world, mark).standing is Standing.UNDERWAY


def test_an_older_migration_is_not_taken_for_ours() -> None:
    """A to B and back to A: what was completed before our mark proves nothing."""
    cloud = a_cloud()
    world = a_world(cloud)
    cloud.nova.live_migrate(DB, "compute-08")
    cloud.nova.pass_time()
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], host="compute-07")

    assert LIVE.look(world, LIVE.mark(world)).standing is Standing.TODO


def test_a_failed_migration_is_told_in_novas_words() -> None:
    cloud = a_cloud()
    cloud.nova.failures[DB] = "No valid host was found."
    world = a_world(cloud)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.pass_time()

    look = LIVE.look(world, mark)

    assert (look.standing, look.says) == (Standing.FAILED, "No valid host was found.")
    assert look.request_id == "req-1"


def test_what_nova_keeps_no_word_on_is_told_in_the_words_of_the_sources_log() -> None:
    cloud = a_cloud()
    cloud.nova.failures[DB] = ""
    shell = FakeShell(cloud)
    says = "Live Migration failure: Unsafe migration: libvirt.libvirtError: Unsafe migration"
    begins = "2026-11-26 03:00:00.000 41"
    shell.logged["compute-07"] = [
        "cut off at the front, as the end of a log is [None req-1]\n",
        f"{begins} ERROR nova.compute.manager [None req-0] of another request\n",
        f"{begins} ERROR nova.virt.libvirt.driver [None req-1 ada] {says}\n",
    ]
    world = a_world(cloud, shell)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.pass_time()

    look = LIVE.look(world, mark)

    assert (look.service, look.says) == ("nova-compute on `compute-07`", says)


def test_a_log_that_may_not_be_read_is_said_to_be_unread() -> None:
    cloud = a_cloud()
    cloud.nova.failures[DB] = ""
    shell = FakeShell(cloud, refused={"compute-07": "sudo: a password is required"})
    world = a_world(cloud, shell)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.pass_time()

    look = LIVE.look(world, mark)

    assert look.says == "(its log was not read: sudo: a password is required)"


def test_the_targets_log_is_read_although_the_sources_may_not_be() -> None:
    cloud = a_cloud()
    cloud.nova.failures[DB] = ""
    shell = FakeShell(cloud, refused={"compute-07": "sudo: a password is required"})
    shell.logged["compute-08"] = [
        "2026-11-26 03:00:00.000 41 ERROR nova.compute.manager [None req-1 ada] no such network\n"
    ]
    world = a_world(cloud, shell)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.pass_time()

    look = LIVE.look(world, mark)

    assert (look.service, look.says) == ("nova-compute on `compute-08`", "no such network")


def test_completed_but_not_moved_is_a_failure() -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.pass_time()
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], host="compute-07")

    look = LIVE.look(world, mark)

    assert look.standing is Standing.FAILED
    assert "(completed-not-moved): its migration 1 is `completed`" in (look.reason or "")
    assert "(its guest is running on `compute-07`; not on `compute-08`)" in (look.reason or "")


def test_an_allocation_left_under_the_migration_is_no_proof() -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.pass_time()
    cloud.placement.leftovers[cloud.nova.migrations[0].uuid] = {an_id("compute-07")}

    look = LIVE.look(world, mark)

    assert look.standing is Standing.UNDERWAY
    assert "allocations" in (look.reason or "")


def test_a_target_that_cannot_be_read_is_never_taken_for_done() -> None:
    cloud = a_cloud()
    shell = FakeShell(cloud, silent={"compute-08"})
    world = a_world(cloud, shell)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.pass_time()

    assert LIVE.look(world, mark).standing is Standing.UNKNOWN


def test_somebody_elses_action_stops_us_and_is_named() -> None:
    cloud = a_cloud("SHUTOFF")
    world = a_world(cloud)
    mark = LIVE.mark(world)
    cloud.nova.cold_migrate(DB, None)

    look = LIVE.look(world, mark)

    assert look.standing is Standing.FOREIGN
    assert "user ops asked for `migrate`" in (look.reason or "")


def test_a_server_that_was_deleted_has_nothing_left_to_do() -> None:
    cloud = a_cloud()
    cloud.nova.known.clear()

    assert LIVE.look(a_world(cloud), None).standing is Standing.DONE


def test_a_server_that_has_left_already_is_proved_like_any_other() -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    cloud.nova.live_migrate(DB, None)
    cloud.nova.pass_time()

    look = LIVE.look(world, None)

    assert (look.standing, look.saw["target"]) == (Standing.DONE, "compute-08")


def test_a_server_that_has_left_and_is_broken_is_not_done() -> None:
    """Seen in Nova: what fails after the move leaves the server there, in ERROR."""
    cloud = a_cloud()
    cloud.nova.known[DB] = replace(
        cloud.nova.known[DB], host="compute-08", status="ERROR", vm_state="error"
    )

    look = LIVE.look(a_world(cloud), None)

    assert (look.standing, look.reason) == (Standing.FAILED, "it is on `compute-08`, and ERROR")


def test_a_move_of_which_nova_has_no_record_is_unknown() -> None:
    cloud = a_cloud()
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], host="compute-08")

    assert LIVE.look(a_world(cloud), None).standing is Standing.UNKNOWN


def test_nova_refuses_a_second_request() -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    LIVE.start(world)

    with pytest.raises(Uncertain):
        LIVE.start(world)


def test_a_cold_migration_is_done_only_when_it_is_confirmed_and_proved() -> None:
    cloud = a_cloud("SHUTOFF")
    world = a_world(cloud)
    mark = COLD.mark(world)
    COLD.start(world)
    moving = COLD.look(world, mark).standing
    cloud.nova.pass_time()
    moved = COLD.look(world, mark).standing
    before = CONFIRM.look(world, None).standing
    confirm_mark = CONFIRM.mark(world)
    CONFIRM.start(world)
    confirming = CONFIRM.look(world, confirm_mark).standing
    cloud.nova.pass_time()
    confirmed = CONFIRM.look(world, confirm_mark).standing

    assert [moving, moved, before, confirming, confirmed] == [
        Standing.UNDERWAY,
        Standing.DONE,
        Standing.TODO,
        Standing.UNDERWAY,
        Standing.DONE,
    ]


def test_a_confirmed_migration_that_has_left_something_behind_is_not_done() -> None:
    cloud = a_cloud("SHUTOFF")
    world = a_world(cloud)
    COLD.start(world)
    cloud.nova.pass_time()
    mark = CONFIRM.mark(world)
    CONFIRM.start(world)
    cloud.nova.pass_time()
    cloud.placement.leftovers[cloud.nova.migrations[0].uuid] = {an_id("compute-07")}

    look = CONFIRM.look(world, mark)

    assert look.standing is Standing.UNDERWAY
    assert "allocations" in (look.reason or "")


def test_a_confirmation_by_somebody_else_is_as_good() -> None:
    cloud = a_cloud("SHUTOFF")
    world = a_world(cloud)
    COLD.start(world)
    cloud.nova.pass_time()
    cloud.nova.confirm_resize(DB)
    cloud.nova.pass_time()

    assert CONFIRM.look(world, None).standing is Standing.DONE


def test_a_reverted_migration_stops_us() -> None:
    cloud = a_cloud("SHUTOFF")
    world = a_world(cloud)
    COLD.start(world)
    cloud.nova.pass_time()
    cloud.nova.migrations[0] = replace(cloud.nova.migrations[0], status="reverted")

    assert CONFIRM.look(world, None).standing is Standing.FOREIGN


@pytest.mark.parametrize("order", [ForceComplete, AbortMigration])
def test_an_order_for_a_slow_move_is_given_once(
    order: type[ForceComplete] | type[AbortMigration],
) -> None:
    cloud = a_cloud()
    world = a_world(cloud)
    LIVE.start(world)
    step = order(server=DB, name="db-01")
    mark = step.mark(world)

    before = step.look(world, mark).standing
    step.start(world)

    assert (before, step.look(world, mark).standing) == (Standing.TODO, Standing.DONE)


@pytest.mark.parametrize(
    ("order", "status", "expected"),
    [
        pytest.param(AbortMigration, "queued", Standing.TODO, id="queued: can be aborted"),
        pytest.param(AbortMigration, "accepted", Standing.UNDERWAY, id="not yet to be aborted"),
        pytest.param(AbortMigration, "post-migrating", Standing.DONE, id="no more to be aborted"),
        pytest.param(ForceComplete, "queued", Standing.UNDERWAY, id="queued: forced once it runs"),
        pytest.param(ForceComplete, "running", Standing.TODO, id="running: can be forced"),
    ],
)
def test_an_order_for_a_slow_move_waits_until_nova_takes_it(
    order: type[ForceComplete] | type[AbortMigration], status: str, expected: Standing
) -> None:
    """A migration that waits for others of its node was given up without being aborted."""
    cloud = a_cloud()
    world = a_world(cloud)
    LIVE.start(world)
    cloud.nova.migrations[0] = replace(cloud.nova.migrations[0], status=status)

    assert order(server=DB, name="db-01").look(world, None).standing is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param("cancelled", True, id="aborted: it is given up"),
        pytest.param("error", None, id="failed by itself"),
    ],
)
def test_only_an_aborted_migration_counts_as_given_up(status: str, expected: bool | None) -> None:  # noqa: FBT001  # as expected
    cloud = a_cloud()
    world = a_world(cloud)
    mark = LIVE.mark(world)
    LIVE.start(world)
    cloud.nova.migrations[0] = replace(cloud.nova.migrations[0], status=status)
    cloud.nova.known[DB] = replace(cloud.nova.known[DB], task_state=None)

    look = LIVE.look(world, mark)

    assert (look.standing, look.saw.get(GIVEN_UP)) == (Standing.FAILED, expected)


def test_an_order_for_a_move_that_has_ended_has_nothing_to_do() -> None:
    world = a_world(a_cloud())

    assert ForceComplete(server=DB, name="db-01").look(world, None).standing is Standing.DONE


# --- cordon, keep off ---


def test_a_cordon_is_a_claim_that_everybody_can_read() -> None:
    cloud = a_cloud()
    world = a_world(cloud)

    CORDON.start(world)

    assert cloud.nova.computes["compute-07"].disabled_reason == (
        "stackward 01J9 by ada on bastion since 2026-11-22T03:00:00Z: bad DIMM"
    )
    assert CORDON.look(world, None).standing is Standing.DONE


def test_a_cordon_that_placement_has_not_heard_of_is_not_done() -> None:
    cloud = a_cloud()
    cloud.nova.syncs_traits = False
    world = a_world(cloud)

    CORDON.start(world)

    assert CORDON.look(world, None).standing is Standing.UNDERWAY


def test_anothers_claim_is_foreign_and_is_quoted() -> None:
    cloud = a_cloud()
    CORDON.start(a_world(cloud, run="01OTHER"))

    look = CORDON.look(a_world(cloud), None)

    assert look.standing is Standing.FOREIGN
    assert "01OTHER" in (look.reason or "")


def test_the_claim_of_a_run_that_is_over_gives_way_to_ours() -> None:
    cloud = a_cloud()
    CORDON.start(a_world(cloud, run="01OLD"))
    world = a_world(cloud)
    step = replace(CORDON, replaces="01OLD")

    before = step.look(world, None).standing
    step.start(world)

    assert (before, step.look(world, None).standing) == (Standing.TODO, Standing.DONE)
    assert "stackward 01J9 by ada" in (cloud.nova.computes["compute-07"].disabled_reason or "")


def test_a_node_is_kept_off_by_mark_drop_in_and_mask() -> None:
    cloud = a_cloud()
    shell = FakeShell(cloud)
    world = a_world(cloud, shell)
    step = KeepOff(node="compute-07", reason="bad DIMM")

    before = step.look(world, None).standing
    step.start(world)
    after = step.look(world, None).standing

    assert (before, after) == (Standing.TODO, Standing.DONE)
    assert shell.files["compute-07", "/etc/stackward/maintenance"] == "bad DIMM\n"


@pytest.mark.parametrize("done", range(5))
def test_keeping_off_that_was_cut_short_is_done_again(done: int) -> None:
    """Die after any of its five commands: the next look says what is left."""
    cloud = a_cloud()
    shell = FakeShell(cloud)
    world = a_world(cloud, shell)
    step = KeepOff(node="compute-07", reason="bad DIMM")
    step.start(world)
    shell.units["compute-07"] = ("active", "masked" if done > 3 else "enabled")
    for path in list(shell.files)[done:]:
        del shell.files[path]

    assert step.look(world, None).standing is Standing.TODO
