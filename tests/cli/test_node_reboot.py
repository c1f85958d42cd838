"""`stackward node reboot NODE --in-place`, on a cloud of fakes."""

from dataclasses import replace

import pytest

from builders import a_server, an_id
from cli import test_return
from cli.test_return import NODE, Site
from stackward.adapters.store.listing import FILE, list_runs
from stackward.model.who_ran import WHO_RAN
from texts import folded

site = test_return.site  # the fixture
REBOOT = ("node", "reboot", NODE, "--in-place")
DB, OFF = an_id("db-01"), an_id("db-02")


def asked(site: Site, server: str) -> list[str]:
    return [each.action for each in site.cloud.nova.actions.get(server, [])]


def test_a_node_is_rebooted_and_exactly_who_ran_runs_again(site: Site) -> None:
    code, out, said = site.run(*REBOOT, "--yes")

    assert code == 0, said
    assert (asked(site, DB), asked(site, OFF)) == (["stop", "start"], [])
    assert (site.shell.reboots[NODE], site.shell.cut_by_reboot) == (1, set())
    assert "1 server runs on `compute-07`" in folded(out)
    service = site.cloud.nova.computes[NODE]
    assert (service.is_enabled, service.is_up) == (True, True)


def test_a_dry_run_changes_nothing_and_says_who_stays_off(site: Site) -> None:
    code, out, _ = site.run(*REBOOT, "--dry-run")

    assert (code, asked(site, DB), site.shell.reboots[NODE]) == (0, [], 0)
    assert "`db-02` stays as it is (SHUTOFF)" in folded(out)
    assert "1 server runs there: stopped before" in folded(out)


def test_what_becomes_of_the_servers_must_be_said(site: Site) -> None:
    code, _, said = site.run("node", "reboot", NODE, "--yes")

    assert (code, site.shell.reboots[NODE]) == (2, 0)
    assert "it is not said what becomes of the servers on the node" in folded(said)
    assert "`--in-place`" in said


def test_a_guest_that_was_cut_off_is_named(site: Site) -> None:
    site.shell.cut_off.add(DB)

    code, out, _ = site.run(*REBOOT, "--yes")

    assert code == 0
    assert "Nova cut it off" in folded(out)


def test_one_that_does_not_come_back_stops_the_run_and_a_resume_goes_on(site: Site) -> None:
    site.shell.not_booting.add(NODE)
    code, _, said = site.run(*REBOOT, "--timeout", "60", "--yes")
    run = list_runs(site.state_dir / FILE, 1)[0].id
    assert (code, asked(site, DB)) == (4, ["stop"])
    assert "not back 60 s after it was told to reboot" in folded(said)

    site.shell.not_booting.clear()
    site.shell.boot(NODE)
    code, _, said = site.run("run", "resume", run)

    assert code == 0, said
    assert (asked(site, DB), site.shell.reboots[NODE]) == (["stop", "start"], 1)


def test_a_reboot_that_was_cancelled_midway_is_ended_by_return_and_recover(site: Site) -> None:
    """The ways on that the refused undo names: the list on the node tells who ran."""
    site.shell.not_booting.add(NODE)
    site.run(*REBOOT, "--timeout", "60", "--yes")
    run = list_runs(site.state_dir / FILE, 1)[0].id
    site.run("run", "cancel", run)
    site.shell.boot(NODE)
    code, _, said = site.run("run", "undo", run, "--yes")
    assert (code, "no boot is taken back" in folded(said)) == (3, True)

    returned = site.run("node", "return", NODE, "--yes")
    recovered = site.run("node", "recover", NODE, "--yes")

    assert (returned[0], recovered[0]) == (0, 0), (returned[2], recovered[2])
    assert (asked(site, DB), asked(site, OFF)) == (["stop", "start"], [])


def test_a_paused_server_refuses_it_with_the_way_out(site: Site) -> None:
    site.cloud.nova.known[DB] = a_server("PAUSED")

    code, _, said = site.run(*REBOOT, "--yes")

    assert (code, site.shell.reboots[NODE], site.shell.files) == (3, 0, {})
    assert "server unpause" in folded(said)


def test_a_server_that_still_runs_is_cut_off_by_no_reboot(site: Site) -> None:
    """A guest that Nova does not know is there: nothing is rebooted."""
    site.shell.strays[NODE] = [an_id("stray")]

    code, _, said = site.run(*REBOOT, "--yes")

    assert (code, site.shell.reboots[NODE]) == (4, 0), said
    assert "was not begun: `compute-07` its libvirt runs" in folded(said)


def test_the_list_outlives_the_run(site: Site) -> None:
    site.run(*REBOOT, "--yes")

    assert DB in site.shell.files[NODE, WHO_RAN]


@pytest.mark.parametrize("word", ["nowhere", ""])
def test_an_unknown_node_is_bad_input(site: Site, word: str) -> None:
    assert site.run("node", "reboot", word, "--in-place", "--yes")[0] == 2


def test_a_login_without_the_right_is_refused_before_anything_is_stopped(site: Site) -> None:
    site.shell.refused[NODE] = "sudo: a password is required"

    code, _, said = site.run(*REBOOT, "--yes")

    assert (code, asked(site, DB)) == (3, [])
    assert "STACKWARD_REBOOT" in said


def test_a_server_with_a_tier_that_is_off_is_not_started(site: Site) -> None:
    site.cloud.nova.known[OFF] = replace(
        site.cloud.nova.known[OFF], metadata=(("stackward:priority", "1"),)
    )

    assert site.run(*REBOOT, "--yes")[0] == 0
    assert asked(site, OFF) == []
