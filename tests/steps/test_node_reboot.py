"""Rebooting a node with its servers on it, against the fake cloud: list, stop, reboot, start."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import a_server, an_id
from engine.fakes import FakeClock
from fakes.cloud import FakeCloud
from fakes.power import FakeDevice, FakePower
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.errors import StepFailed
from stackward.model.server import ServerAction
from stackward.model.who_ran import WHO_RAN, Listed
from stackward.plan import Look, Standing
from stackward.plan.step import CUT_OFF, SET_ASIDE
from stackward.ports.root import REBOOT, WRITE_WHO_RAN
from stackward.ports.world import Acting, World
from stackward.status.listed import read_listed
from stackward.steps.node_reboot import (
    ListWhoRuns,
    RebootNode,
    StartAgain,
    StopForReboot,
)

NODE, DB, OFF = "compute-07", an_id("db-01"), an_id("db-02")
LIST = ListWhoRuns(node=NODE, host=NODE, known=(DB, OFF), runs=(DB,))
STOP = StopForReboot(server=DB, name="db-01", host=NODE, node=NODE)
BOOT = RebootNode(node=NODE, host=NODE, within_s=600.0)
START = StartAgain(server=DB, name="db-01", host=NODE, node=NODE, within_s=60.0)


class Site:
    """A node with one server that runs, and one that is off."""

    def __init__(self) -> None:
        self.cloud = FakeCloud()
        self.cloud.nova.add(a_server(), a_server("SHUTOFF", name="db-02"))
        self.shell = FakeShell(self.cloud)
        self.power = FakePower(self.shell)
        self.clock = FakeClock(on_wait=[self.cloud.nova.pass_time])
        self.shell.clock = self.clock
        self.requests: set[str] = set()  # that the run has made, by its journal

    def world(self, run: str = "01R") -> World:
        return replace(
            a_world(self.cloud, self.shell),
            power=self.power,
            clock=self.clock,
            acting=Acting(run, "ann", "bastion", asked=lambda: frozenset(self.requests)),
        )

    def listed(self) -> "Site":
        LIST.start(self.world())
        return self

    def stopped(self) -> "Site":
        self.listed()
        self.stop()
        return self

    def stop(self) -> None:
        """Let the run stop its server, and its journal have the request."""
        request = STOP.start(self.world())
        assert request is not None
        self.requests.add(request)
        self.clock.wait(1.0)

    def asked(self, action: str, user: str | None, server: str = DB) -> None:
        """Let somebody else act on a server."""
        made = ServerAction(
            action=action, request_id=f"req-{action}-{user}", user=user, started="2026-11-22T03:30"
        )
        self.cloud.nova.actions.setdefault(server, []).append(made)


@pytest.fixture
def site() -> Site:
    return Site()


def aside(look: Look) -> str:
    assert look.standing is Standing.DONE
    return str(look.saw[SET_ASIDE])


# --- the list -----------------------------------------------------------------------------------


def test_who_runs_is_written_on_the_node_with_the_newest_request_of_each(site: Site) -> None:
    site.asked("start", "eve")
    world = site.world()
    stood = LIST.look(world, None).standing

    LIST.start(world)

    listed = read_listed(site.shell, NODE)
    assert isinstance(listed, Listed)
    assert (stood, LIST.look(world, {}).standing) == ("todo", "done")
    assert (listed.run, listed.user) == ("01R", "ops")
    assert (listed.ran, listed.off) == ({DB: "req-start-eve"}, {OFF: ""})


def test_the_list_of_another_run_is_none_of_ours(site: Site) -> None:
    LIST.start(site.world("01OTHER"))

    assert LIST.look(site.world(), {}).standing is Standing.TODO


def test_a_server_that_came_since_the_plan_ends_it_before_anything_is_stopped(site: Site) -> None:
    site.cloud.nova.add(a_server(name="new-1"), a_server("SHUTOFF", name="new-2"))

    look = LIST.look(site.world(), None)

    assert (look.standing, look.reason) == (
        Standing.FAILED, "came to the node since it was planned: new-1",
    )  # fmt: skip


def test_a_list_is_not_written_where_the_boot_cannot_be_read(site: Site) -> None:
    site.shell.booted = None

    with pytest.raises(StepFailed, match="cannot be read"):
        LIST.start(site.world())


def test_one_that_was_started_since_the_plan_ends_it_before_anything_is_stopped(
    site: Site,
) -> None:
    site.cloud.nova.known[OFF] = a_server(name="db-02")

    look = LIST.look(site.world(), None)

    assert (look.standing, look.reason) == (
        Standing.FAILED, "was started since the reboot was planned: db-02",
    )  # fmt: skip
    with pytest.raises(StepFailed, match="started since"):
        LIST.start(site.world())
    assert (NODE, WHO_RAN) not in site.shell.files


def test_a_start_that_goes_on_is_waited_for_before_the_list_but_not_for_ever(site: Site) -> None:
    site.cloud.nova.known[OFF] = a_server("SHUTOFF", name="db-02", task_state="powering-on")

    look = LIST.look(site.world(), None)

    assert (look.standing, look.is_over) == (Standing.UNDERWAY, True)
    assert look.reason == "Nova is at work on db-02 (powering-on)"


@pytest.mark.parametrize("left", ["", '{\n "at": "2026', "{}"])
def test_a_list_that_is_torn_is_written_anew_and_nothing_else_is_done_by_it(
    site: Site, left: str
) -> None:
    site.shell.files[NODE, WHO_RAN] = left
    world = site.world()

    looks = (LIST.look(world, None), STOP.look(world, None), BOOT.look(world, None))
    of_start = START.look(world, None)
    LIST.start(world)

    assert [each.standing for each in looks] == ["todo", "unknown", "unknown"]
    assert of_start.standing is Standing.UNKNOWN
    assert "is not understood" in str(of_start.reason)
    assert LIST.look(world, {}).standing is Standing.DONE


def test_a_list_is_replaced_once_the_new_one_is_on_the_disk(site: Site) -> None:
    site.listed()

    assert site.shell.done == [" ".join(words) for words in WRITE_WHO_RAN]
    assert [each for _, each in site.shell.files] == [WHO_RAN]


def test_a_list_of_a_node_that_does_not_answer_is_not_known(site: Site) -> None:
    site.shell.silent.add(NODE)

    assert LIST.look(site.world(), None).standing is Standing.UNKNOWN


# --- a stop -------------------------------------------------------------------------------------


def test_a_stop_is_proved_and_says_how_the_guest_ended(site: Site) -> None:
    world = site.listed().world()
    stood = STOP.look(world, None).standing
    mark = STOP.mark(world)
    STOP.start(world)
    site.clock.wait(1.0)

    look = STOP.look(world, mark)

    assert (stood, look.standing) == ("todo", "done")
    assert (look.saw["ended"], CUT_OFF in look.saw) == ("shutdown", False)


def test_a_guest_that_nova_cut_off_is_named(site: Site) -> None:
    site.shell.cut_off.add(DB)
    world = site.world()
    mark = STOP.mark(world)
    STOP.start(world)
    site.clock.wait(1.0)

    look = STOP.look(world, mark)

    assert look.saw[CUT_OFF] == look.reason
    assert look.reason == "its guest did not shut down in time: Nova cut it off"


def test_one_that_is_off_by_now_is_left_alone(site: Site) -> None:
    site.listed().cloud.nova.known[DB] = a_server("SHUTOFF")

    assert aside(STOP.look(site.world(), None)) == "it is SHUTOFF by now, and not by this run"


def test_one_that_moved_away_is_left_alone_and_one_at_work_is_waited_for(site: Site) -> None:
    site.listed().cloud.nova.known[DB] = a_server(host="compute-08")
    moved = aside(STOP.look(site.world(), None))
    site.cloud.nova.known[DB] = a_server(task_state="rebooting")

    at_work = STOP.look(site.world(), None)

    assert moved == "it is on `compute-08` by now"
    assert (at_work.standing, at_work.is_over) == (Standing.UNDERWAY, True)
    assert "(rebooting)" in str(at_work.reason)


def test_nothing_is_stopped_for_a_boot_that_was_already(site: Site) -> None:
    """The node went down and came up after the list was written: owners may have started theirs."""
    site.listed().shell.blips[NODE] += 1

    look = STOP.look(site.world(), None)

    assert (look.standing, site.cloud.nova.known[DB].status) == (Standing.FAILED, "ACTIVE")
    assert "has booted since who runs was written down" in str(look.reason)
    assert "`stackward node recover compute-07` starts" in str(look.remedy)


def test_nothing_is_stopped_without_the_list_of_this_run_or_where_the_boot_is_not_told(
    site: Site,
) -> None:
    of_none = STOP.look(site.world(), None)
    of_another = STOP.look(site.listed().world("01OTHER"), None)
    site.shell.booted = None

    looks = (of_none, of_another, STOP.look(site.world(), None))
    assert {each.standing for each in looks} == {Standing.UNKNOWN}


def test_one_that_was_deleted_is_gone(site: Site) -> None:
    del site.listed().cloud.nova.known[DB]

    assert STOP.look(site.world(), None).saw["gone"] is True


# --- the reboot ---------------------------------------------------------------------------------


def test_a_reboot_is_proved_by_another_boot(site: Site) -> None:
    world = site.stopped().world()
    stood = BOOT.look(world, None).standing
    mark = BOOT.mark(world)
    BOOT.start(world)

    look = BOOT.look(world, mark)

    assert (stood, look.standing, site.shell.reboots[NODE]) == ("todo", "done", 1)
    assert look.saw["booted"] != look.saw["booted before"]
    assert site.shell.cut_by_reboot == set()


def test_one_that_never_ends_to_start_is_not_waited_for_for_ever_and_names_for_what(
    site: Site,
) -> None:
    site.shell.starting[NODE] = ["mnt-old.mount", "remote-fs.target"]
    world = site.stopped().world()
    mark = BOOT.mark(world)
    BOOT.start(world)
    site.clock.wait(600.0)
    late, resumed = BOOT.look(world, mark), BOOT.look(world, None)

    assert (late.standing, resumed.standing, resumed.is_over) == ("failed", "underway", True)
    assert "systemd there is starting; it waits for mnt-old.mount" in str(late.reason)
    assert "it waits for mnt-old.mount" in str(resumed.reason)


def test_one_that_has_booted_since_is_not_rebooted_again_whoever_asks(site: Site) -> None:
    world = site.stopped().world()
    BOOT.start(world)

    assert BOOT.look(world, None).standing is Standing.DONE


def test_without_the_list_of_this_run_nothing_is_rebooted(site: Site) -> None:
    of_none = BOOT.look(site.world(), None)
    of_another = BOOT.look(site.listed().world("01OTHER"), None)

    assert (of_none.standing, of_another.standing) == ("unknown", "unknown")
    assert "is of run 01R" in str(of_another.reason)


def test_an_order_that_came_to_nothing_is_seen_to_be_none(site: Site) -> None:
    site.shell.ignores_reboot.add(NODE)
    world = site.stopped().world()
    mark = BOOT.mark(world)
    BOOT.start(world)
    at_first = BOOT.look(world, mark).standing
    site.clock.wait(30.0)

    assert (at_first, BOOT.look(world, mark).standing) == ("underway", "todo")


@pytest.mark.parametrize("has_device", [True, False])
def test_one_that_does_not_come_back_is_waited_for_then_named_with_its_power(
    site: Site, *, has_device: bool
) -> None:
    site.shell.not_booting.add(NODE)
    if has_device:
        site.power.devices[NODE] = FakeDevice()
    world = site.stopped().world()
    mark = BOOT.mark(world)
    BOOT.start(world)
    at_first = BOOT.look(world, mark)
    site.clock.wait(600.0)

    look = BOOT.look(world, mark)

    power = "its device says that its power is on" if has_device else "names no device"
    assert (at_first.standing, look.standing) == ("underway", "failed")
    console = "Redfish gives no lines of it" if has_device else "no device of the inventory"
    assert power in str(look.reason)
    assert f"its console cannot be read: {console}" in str(look.reason)
    for way in ("run resume", f"node fence {NODE} --check", "run cancel", f"node evacuate {NODE}"):
        assert f"`stackward {way}" in str(look.remedy), way
    assert "does not reboot it again" in str(look.remedy)


def test_of_a_chain_it_is_the_chain_that_is_resumed_and_the_run_that_is_cancelled(
    site: Site,
) -> None:
    site.shell.not_booting.add(NODE)
    world = site.stopped().world()
    acting = world.acting
    assert acting is not None
    world = replace(world, acting=replace(acting, chain="01CHAIN"))
    mark = BOOT.mark(world)
    BOOT.start(world)
    site.clock.wait(600.0)

    remedy = str(BOOT.look(world, mark).remedy)

    assert "`stackward run resume 01CHAIN` goes on" in remedy
    assert f"`stackward run cancel {acting.run}`" in remedy


def test_it_is_told_by_the_one_command_that_the_sudoers_file_allows(site: Site) -> None:
    site.stopped().shell.done.clear()
    BOOT.start(site.world())

    assert site.shell.done == [" ".join(REBOOT)]


# --- the start ----------------------------------------------------------------------------------


def test_what_this_run_has_stopped_is_started_and_proved(site: Site) -> None:
    world = site.stopped().world()
    stood = START.look(world, None).standing
    mark = START.mark(world)
    START.start(world)
    site.clock.wait(1.0)

    assert (stood, START.look(world, mark).standing) == ("todo", "done")
    assert site.cloud.nova.boots[DB] == 1


def test_one_that_was_off_is_left_off(site: Site) -> None:
    world = site.listed().world()
    start = replace(START, server=OFF)

    assert aside(start.look(world, None)) == "it was off when who ran was written down"


def test_one_that_was_started_after_the_list_and_ran_as_it_was_stopped_is_started(
    site: Site,
) -> None:
    site.cloud.nova.known[DB] = a_server("SHUTOFF")
    site.listed().asked("start", "eve")
    site.cloud.nova.known[DB] = a_server()
    site.stop()

    assert START.look(site.world(), None).standing is Standing.TODO


@pytest.mark.parametrize(
    "action", ["createImage", "createBackup", "attach_volume", "lock", "changePassword", "reboot"]
)
@pytest.mark.parametrize("is_before", [True, False])
def test_what_leaves_a_server_on_keeps_none_off_that_ran(
    site: Site, action: str, *, is_before: bool
) -> None:
    site.listed()
    if is_before:
        site.asked(action, "backup")
    site.stop()
    if not is_before:
        site.asked(action, "backup")

    assert START.look(site.world(), None).standing is Standing.TODO


def test_one_that_a_colleague_has_stopped_by_the_same_account_is_left_off(site: Site) -> None:
    site.listed().asked("stop", "ops")
    site.cloud.nova.known[DB] = a_server("SHUTOFF")
    before = aside(START.look(site.world(), None))
    site.cloud.nova.known[DB] = a_server()
    site.stop()
    site.asked("stop", "ops")

    since = aside(START.look(site.world(), None))

    assert "user ops asked for `stop`" in before
    assert "user ops asked for `stop`" in since


@pytest.mark.parametrize("action", ["stop", "pause", "delete"])
def test_what_somebody_else_has_asked_for_since_is_left_as_it_is(site: Site, action: str) -> None:
    site.stopped().asked(action, "eve")

    assert f"user eve asked for `{action}`" in aside(START.look(site.world(), None))


def test_an_owner_who_stopped_it_before_this_run_could_has_it_left_off(site: Site) -> None:
    site.listed().asked("stop", "eve")
    site.cloud.nova.known[DB] = a_server("SHUTOFF")

    assert "user eve asked for `stop`" in aside(START.look(site.world(), None))


def test_a_guest_that_ended_by_itself_before_this_run_could_stop_it_is_left_off(
    site: Site,
) -> None:
    site.listed().asked("stop", None)
    site.cloud.nova.known[DB] = a_server("SHUTOFF")

    why = aside(START.look(site.world(), None))

    assert why == "its guest had ended before it was stopped"


def test_a_log_that_was_archived_since_starts_nothing(site: Site) -> None:
    site.asked("create", "eve")
    site.stopped()
    site.cloud.nova.actions[DB].clear()

    assert "does not go back" in aside(START.look(site.world(), None))


def test_the_list_of_another_run_starts_nothing(site: Site) -> None:
    world = site.stopped().world("01OTHER")

    assert START.look(world, None).standing is Standing.UNKNOWN


def test_one_that_cannot_boot_is_set_aside(site: Site) -> None:
    world = site.stopped().world()
    mark = START.mark(world)
    START.start(world)
    site.cloud.nova.consoles[DB] = "Kernel panic - not syncing"
    site.clock.wait(1.0)

    assert "cannot boot" in aside(START.look(world, mark))


def test_a_step_of_the_clock_is_no_boot(site: Site) -> None:
    world = site.stopped().world()
    assert site.shell.booted is not None
    site.shell.booted += timedelta(minutes=7)

    assert BOOT.look(world, None).standing is Standing.TODO
