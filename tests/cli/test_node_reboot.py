"""`stackward node reboot NODE --in-place`, on a cloud of fakes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import a_group, a_server, an_id
from cli import test_return
from cli.test_return import NODE, Site
from stackward.adapters.store.listing import FILE, list_runs
from stackward.model.health import Unwell
from stackward.model.run import Run
from stackward.model.server import IN_DOWN_CELL, ServerAction
from stackward.model.who_ran import WHO_RAN
from stackward.ports.root import LIST_WHO_RAN, SYNC_ITS_NAME
from stackward.ports.shell import Answer
from texts import folded

site = test_return.site  # the fixture
REBOOT = ("node", "reboot", NODE, "--in-place")
DB, OFF = an_id("db-01"), an_id("db-02")


def asked(site: Site, server: str) -> list[str]:
    return [each.action for each in site.cloud.nova.actions.get(server, [])]


def once_listed(site: Site, then: Callable[[], None]) -> None:
    """Let something happen just after who runs was written down on the node."""
    run = site.shell.run
    waits = [then]

    def ran(node: str, command: Sequence[str], /, **given: Any) -> Answer:  # noqa: ANN401  # as it
        answer = run(node, command, **given)
        if waits and tuple(command) == SYNC_ITS_NAME:
            waits.pop()()
        return answer

    site.shell.run = ran  # type: ignore[method-assign]  # one of a fake


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
    assert (
        "1 server runs there, and `--in-place` was given: Stackward will stop what runs before"
        in folded(out)
    )


def test_what_becomes_of_the_servers_must_be_said(site: Site) -> None:
    of_none = site.run("node", "reboot", NODE, "--yes")
    of_both = site.run(*REBOOT, "--drain", "--yes")

    assert (of_none[0], of_both[0], site.shell.reboots[NODE]) == (2, 2, 0)
    assert "it is not said what becomes of the servers on the node" in folded(of_none[2])
    assert "`--drain` and `--in-place` are two ways" in folded(of_both[2])


@pytest.mark.parametrize(
    ("flags", "needed"),
    [
        (("--in-place", "--network", "lab-net"), "`--network`: only `--drain` needs that"),
        (("--in-place", "--allow-downtime"), "`--allow-downtime`: only `--drain` needs that"),
        (("--drain", "--wave-timeout", "9"), "`--wave-timeout`: only `--in-place` needs that"),
    ],
)
def test_a_flag_of_the_other_way_is_not_passed_over(
    site: Site, flags: tuple[str, ...], needed: str
) -> None:
    code, _, said = site.run("node", "reboot", NODE, *flags, "--yes")

    assert (code, needed in folded(said)) == (2, True), said


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
    assert "not back 60 s after the order to reboot" in folded(said)

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
    assert (code, "a boot cannot be undone" in folded(said)) == (3, True)

    returned = site.run("node", "return", NODE, "--yes")
    recovered = site.run("node", "recover", NODE, "--yes")

    assert (returned[0], recovered[0]) == (0, 0), (returned[2], recovered[2])
    assert (asked(site, DB), asked(site, OFF)) == (["stop", "start"], [])


def test_what_a_cancelled_reboot_has_stopped_counts_as_having_run_where_its_node_died(
    site: Site,
) -> None:
    """The list on the node cannot be read any more: its run has the stops in its journal."""
    site.shell.not_booting.add(NODE)
    site.run(*REBOOT, "--timeout", "60", "--yes")
    site.run("run", "cancel", list_runs(site.state_dir / FILE, 1)[0].id)
    asked_of = ("node", "evacuate", NODE, "--reason", "its board burned", "--with-stopped")

    said = folded(site.run(*asked_of, "--dry-run", "-f", "json")[1])

    assert "`db-01` is started there: it ran at" in said
    assert "`db-02` is started there" not in said


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


def test_a_clock_that_is_set_after_the_list_is_taken_for_no_boot(site: Site) -> None:
    def step() -> None:
        assert site.shell.booted is not None
        site.shell.booted += timedelta(seconds=7)

    once_listed(site, step)

    assert site.run(*REBOOT, "--yes")[0] == 0
    assert (site.shell.reboots[NODE], asked(site, DB)) == (1, ["stop", "start"])


def test_a_colleague_who_stops_a_server_by_the_same_account_has_it_left_off(site: Site) -> None:
    def stop() -> None:
        site.cloud.nova.stop_server(DB)
        for _ in range(3):
            site.cloud.nova.pass_time()

    once_listed(site, stop)

    code, out, _ = site.run(*REBOOT, "--yes")

    assert (code, asked(site, DB)) == (1, ["stop"])
    assert "user ops asked for `stop`" in folded(out)


def test_a_backup_that_is_made_meanwhile_keeps_no_server_off(site: Site) -> None:
    made = ServerAction(
        action="createImage", request_id="req-b", user="backup", started="2026-11-22T03:00:00"
    )
    once_listed(site, lambda: site.cloud.nova.actions.setdefault(DB, []).append(made))

    assert site.run(*REBOOT, "--yes")[0] == 0
    assert asked(site, DB) == ["createImage", "stop", "start"]


def test_one_that_its_owner_starts_while_the_node_is_closed_ends_it_before_any_stop(
    site: Site,
) -> None:
    disable = site.cloud.nova.disable_service

    def closed(*words: Any, **named: Any) -> Any:  # noqa: ANN401  # as it
        site.cloud.nova.known[OFF] = a_server(name="db-02")
        return disable(*words, **named)

    site.cloud.nova.disable_service = closed  # type: ignore[method-assign]  # one of a fake

    code, _, said = site.run(*REBOOT, "--yes")

    assert (code, asked(site, DB), asked(site, OFF)) == (4, [], [])
    assert "was started since the reboot was planned: db-02" in folded(said)


def test_one_that_its_owner_starts_after_the_list_is_neither_cut_off_nor_left_off(
    site: Site,
) -> None:
    def start() -> None:
        site.cloud.nova.known[OFF] = a_server(name="db-02")

    once_listed(site, start)

    code, _, said = site.run(*REBOOT, "--yes")

    assert (code, site.shell.reboots[NODE], asked(site, OFF)) == (4, 0, [])
    assert "`db-02` was started since" in folded(said)
    assert f"`stackward node recover {NODE}` starts those" in folded(said)


def test_a_full_disk_ends_it_before_any_stop_and_not_for_good(site: Site) -> None:
    run, is_full = site.shell.run, [True]

    def ran(node: str, command: Sequence[str], /, **given: Any) -> Answer:  # noqa: ANN401  # as it
        if is_full and tuple(command) == LIST_WHO_RAN:
            is_full.clear()
            site.shell.files[node, command[-1]] = given["given"][:20]
            return Answer(1, "", "install: error writing: No space left on device")
        return run(node, command, **given)

    site.shell.run = ran  # type: ignore[method-assign]  # one of a fake
    code, _, said = site.run(*REBOOT, "--yes")
    assert (code, asked(site, DB)) == (4, [])
    assert "No space left on device" in said

    code, _, said = site.run("run", "resume", list_runs(site.state_dir / FILE, 1)[0].id)

    assert code == 0, said
    assert asked(site, DB) == ["stop", "start"]


def test_a_torn_list_is_named_in_the_plan_and_written_anew(site: Site) -> None:
    site.shell.files[NODE, WHO_RAN] = '{\n "at": "2026'

    shown = folded(site.run(*REBOOT, "--dry-run")[1])
    code, _, said = site.run(*REBOOT, "--yes")

    assert code == 0, said
    assert asked(site, DB) == ["stop", "start"]
    assert "has left on the node is damaged" in shown


def test_whom_a_cancelled_reboot_has_left_off_is_recovered_before_another(site: Site) -> None:
    """A new list would tell that it was off."""
    site.shell.strays[NODE] = [an_id("stray")]
    site.run(*REBOOT, "--yes")
    site.run("run", "cancel", list_runs(site.state_dir / FILE, 1)[0].id)
    site.run("node", "return", NODE, "--yes")
    site.shell.strays.clear()
    code, _, said = site.run(*REBOOT, "--yes")
    assert (code, asked(site, DB)) == (3, ["stop"])
    assert f"`stackward node recover {NODE}` starts it" in folded(said)

    site.run("node", "recover", NODE, "--yes")
    code, _, said = site.run(*REBOOT, "--yes")

    assert code == 0, said
    assert asked(site, DB) == ["stop", "start", "stop", "start"]


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


# --- drained, rebooted, returned, brought back --------------------------------------------------

DRAIN = ("node", "reboot", NODE, "--drain")
HOME = {"db-01": NODE, "db-02": NODE}


def test_a_node_is_emptied_rebooted_and_its_servers_come_home(site: Site) -> None:
    code, out, said = site.run(*DRAIN, "--yes")

    assert code == 0, said
    assert site.hosts == HOME
    assert asked(site, DB) == ["live-migration", "live-migration"]
    assert (site.shell.reboots[NODE], site.shell.cut_by_reboot) == (1, set())
    service = site.cloud.nova.computes[NODE]
    assert (service.is_enabled, service.is_up) == (True, True)
    assert [each.host for each in site.cloud.nova.built] == [NODE]
    assert "bring back servers" in folded(out)
    assert "undoes it" not in said  # that is refused, because of the reboot


def test_a_dry_run_of_it_shows_all_four_runs_and_has_no_blocker(site: Site) -> None:
    code, out, said = site.run(*DRAIN, "--dry-run")

    assert (code, site.hosts, site.shell.reboots[NODE]) == (0, HOME, 0), said
    for title in ("drain `compute-07`", "which is empty", "return `compute-07`", "bring servers"):
        assert title in folded(out), title


def test_the_runs_after_the_drain_are_not_shown_as_if_its_servers_were_strangers(
    site: Site,
) -> None:
    text = folded("".join(site.run(*DRAIN, "--dry-run")[1:]))

    # What they hold in placement leaves with them, and they come home.
    assert "which is neither a server of it nor a move" not in text
    assert "there is nothing to bring back" not in text
    assert "nothing moves" not in text
    assert "which servers come home is known once the drain before it is done" in text
    # The reboot of an empty node is noticed by nobody: no heading stands alone.
    assert "what users will notice: what will be proved" not in text


def test_one_that_does_not_come_back_keeps_its_servers_away_until_it_is_resumed(
    site: Site,
) -> None:
    site.shell.not_booting.add(NODE)
    code, _, said = site.run(*DRAIN, "--timeout", "60", "--yes")
    chain = next(each.id for each in list_runs(site.state_dir / FILE, 9) if each.is_chain)
    assert (code, site.hosts["db-01"]) == (4, "compute-08"), said

    site.shell.not_booting.clear()
    site.shell.boot(NODE)
    code, _, said = site.run("run", "resume", chain, "--yes")

    assert code == 0, said
    assert (site.hosts, site.shell.reboots[NODE]) == (HOME, 1)


def test_an_owner_who_agrees_agrees_to_the_way_home_too(site: Site) -> None:
    site.cloud.nova.known[DB] = replace(
        site.cloud.nova.known[DB], metadata=(("stackward:maintenance", "ask"),)
    )

    refused = site.run(*DRAIN, "--yes")
    code, _, said = site.run(*DRAIN, "--consent", f"{DB}=CHG-77", "--yes")

    assert (refused[0], code, site.hosts) == (3, 0, HOME), said


def children_of(site: Site) -> list[Run]:
    """Return the runs of the chain, in the order in which they were begun."""
    runs = list_runs(site.state_dir / FILE, 9)
    return sorted((each for each in runs if each.chain), key=lambda each: str(each.began_at))


# --- several nodes ------------------------------------------------------------------------------


def test_several_nodes_are_rebooted_one_after_the_other(site: Site) -> None:
    (site.state_dir / "inventory").write_text("compute-07\ncompute-08\n")

    code, out, said = site.run("node", "reboot", NODE, "compute-08", "--in-place", "--yes")

    assert code == 0, said
    assert site.shell.reboots == {NODE: 1, "compute-08": 1}
    assert "reboot 2 nodes: compute-07, compute-08" in folded(out)
    # It is stopped and started: one server.
    assert "as of now, 1 server is in these plans" in folded(out + said)
    assert "undoes it" not in said


def test_all_nodes_are_emptied_and_rebooted_in_turn_and_all_servers_are_home(site: Site) -> None:
    """It was refused: each server was to have room on a node that is not of the chain."""
    every = site.cloud.nova.hosts
    (site.state_dir / "inventory").write_text("\n".join(every) + "\n")
    site.cloud.nova.add(a_server(name="db-03", host="compute-08"))

    code, out, said = site.run("node", "reboot", *every, "--drain", "--yes")

    assert code == 0, said
    assert site.hosts == {**HOME, "db-03": "compute-08"}
    assert site.shell.reboots == dict.fromkeys(every, 1)
    # They come home before the next node has its turn, and `node reboot` has no such flag.
    assert "--target" not in out + said


def have_members_apart(site: Site, policy: str = "anti-affinity") -> None:
    """Given a server on each of two nodes, which are to be on different ones."""
    site.cloud.nova.add(a_server(name="db-03", host="compute-08"))
    group = a_group(policy, members=(DB, an_id("db-03")))
    for name in ("db-01", "db-03"):
        known = site.cloud.nova.known[an_id(name)]
        site.cloud.nova.known[an_id(name)] = replace(known, group_id=group.id)
    site.cloud.nova.groups[group.id] = group


def test_no_two_nodes_with_members_of_a_group_apart_are_down_at_once(site: Site) -> None:
    (site.state_dir / "inventory").write_text("compute-07\ncompute-08\n")
    have_members_apart(site)
    both = ("node", "reboot", NODE, "compute-08", "--in-place")

    code, out, said = site.run(*both, "--at-once", "2", "--yes")

    assert code == 0, said
    assert "compute-07 and compute-08: never at the same time" in folded(out + said)
    assert site.shell.reboots == {NODE: 1, "compute-08": 1}
    first, second = children_of(site)
    assert first.ended_at
    assert second.began_at
    assert first.ended_at <= second.began_at


@pytest.mark.parametrize("policy", ["anti-affinity", "soft-anti-affinity"])
def test_a_node_with_a_member_of_a_group_on_one_that_another_run_reboots_is_refused(
    site: Site, policy: str
) -> None:
    """The other run was stopped midway; once it has ended, this one is no longer refused."""
    have_members_apart(site, policy)
    site.shell.not_booting.add("compute-08")
    other = ("node", "reboot", "compute-08", "--in-place", "--timeout", "60", "--yes")
    assert site.run(*other)[0] == 4
    run = list_runs(site.state_dir / FILE, 1)[0].id

    refused = site.run(*REBOOT, "--yes")
    site.shell.not_booting.clear()
    site.shell.boot("compute-08")
    resumed = site.run("run", "resume", run)
    code, _, said = site.run(*REBOOT, "--yes")

    assert (refused[0], resumed[0], code) == (3, 0, 0), said
    assert "run 01RUN reboots `compute-08`" in folded(refused[2])
    assert site.shell.reboots == {NODE: 1, "compute-08": 1}


def leave_a_member_off(site: Site) -> None:
    """Given a reboot of the other node that was cancelled while its server was off."""
    have_members_apart(site)
    site.shell.not_booting.add("compute-08")
    other = ("node", "reboot", "compute-08", "--in-place", "--timeout", "60", "--yes")
    assert site.run(*other)[0] == 4
    site.run("run", "cancel", list_runs(site.state_dir / FILE, 1)[0].id)
    site.shell.not_booting.clear()
    site.shell.boot("compute-08")
    assert site.run("node", "return", "compute-08", "--yes")[0] == 0


def test_a_member_that_a_cancelled_reboot_has_left_off_refuses_it_until_it_is_recovered(
    site: Site,
) -> None:
    leave_a_member_off(site)

    refused = site.run(*REBOOT, "--yes")
    recovered = site.run("node", "recover", "compute-08", "--yes")
    code, _, said = site.run(*REBOOT, "--yes")

    assert (refused[0], recovered[0], code) == (3, 0, 0), recovered[2] + said
    assert "run 01RUN, which is cancelled, has stopped" in folded(refused[2])
    assert "`stackward node recover compute-08` starts it" in folded(refused[2])


def test_a_member_that_its_owner_has_off_since_refuses_nothing(site: Site) -> None:
    leave_a_member_off(site)
    site.run("node", "recover", "compute-08", "--yes")
    site.cloud.nova.stop_server(an_id("db-03"))

    code, _, said = site.run(*REBOOT, "--yes")

    assert code == 0, said


def test_a_member_in_a_cell_that_is_down_refuses_it_while_another_reboot_is_not_over(
    site: Site,
) -> None:
    have_members_apart(site)
    group = site.cloud.nova.groups[an_id("group")]
    away = a_server(IN_DOWN_CELL, name="db-04", host=None)
    site.cloud.nova.add(away)
    site.cloud.nova.groups[group.id] = replace(group, members=(DB, away.id))
    site.shell.not_booting.add("compute-08")
    other = ("node", "reboot", "compute-08", "--in-place", "--timeout", "60", "--yes")
    alone = site.run(*REBOOT, "--dry-run")
    assert site.run(*other)[0] == 4

    refused = site.run(*REBOOT, "--yes")

    assert "where 1 member runs is not known" in folded(alone[1])
    assert (alone[0], refused[0]) == (0, 3), refused[2]
    assert "boot/apart-unseen" in refused[2]


def test_nodes_of_two_racks_are_not_down_at_once(site: Site) -> None:
    (site.state_dir / "inventory").write_text("compute-07\ncompute-08\n")
    site.shell.failure_domains = {NODE: "rack-1", "compute-08": "rack-2"}

    code, out, said = site.run(
        "node", "reboot", NODE, "compute-08", "--in-place", "--at-once", "2", "--yes"
    )

    assert code == 0, said
    assert "rack-1: compute-07 rack-2: compute-08" in folded(out + said)
    first, second = children_of(site)
    assert first.ended_at
    assert second.began_at
    assert first.ended_at <= second.began_at


def test_the_first_node_that_does_not_come_back_ends_it(site: Site) -> None:
    (site.state_dir / "inventory").write_text("compute-07\ncompute-08\n")
    site.shell.not_booting.add(NODE)

    code, _, said = site.run(
        "node", "reboot", NODE, "compute-08", "--in-place", "--timeout", "60", "--yes"
    )

    assert (code, site.shell.reboots) == (4, {NODE: 1}), said


def test_a_chain_tells_before_how_long_and_after_how_long_it_took_node_by_node(site: Site) -> None:
    (site.state_dir / "inventory").write_text("compute-07\ncompute-08\n")
    both = ("node", "reboot", NODE, "compute-08", "--in-place")
    before = site.run(*both, "--dry-run")[1]
    code, out, said = site.run(*both, "--yes", "-f", "json")
    assert code == 0, said
    chain = next(each.id for each in list_runs(site.state_dir / FILE, 9) if each.is_chain)

    rows = json.loads(site.run("run", "show", chain, "-f", "json")[1])
    after = site.run(*both, "--dry-run")[1]

    assert json.loads(out)["items"] == rows
    assert [row["Item"] for row in rows] == [NODE, "compute-08"]
    assert all(row["Seconds"] == row["Item seconds"] for row in rows)
    assert rows[0]["Seconds"] > 0
    assert (rows[0]["Downtime"] is not None, rows[1]["Downtime"]) == (True, None)
    assert "how long all of it takes: not known" in folded(before)
    assert "by 2 past runs on this cloud" in folded(after)


ILL = Unwell(where="rabbitmq on ctl", reason="it does not run [process-down]", remedy="start it")


def test_a_cloud_that_is_not_well_after_the_first_node_ends_it_and_it_is_resumed_when_it_is(
    site: Site,
) -> None:
    (site.state_dir / "inventory").write_text("compute-07\ncompute-08\n")
    site.shell.on_boot = lambda: site.cloud.health.ill.update({"ctl": ILL})
    code, _, said = site.run("node", "reboot", NODE, "compute-08", "--in-place", "--yes")
    chain = next(each.id for each in list_runs(site.state_dir / FILE, 9) if each.is_chain)
    rows = json.loads(site.run("run", "show", chain, "-f", "json")[1])
    assert (code, site.shell.reboots) == (4, {NODE: 1}), said
    assert "the cloud is not well: rabbitmq on ctl: it does not run" in folded(said)
    assert "rabbitmq on ctl" in rows[1]["Says"]
    assert [row["State"] for row in rows] == ["done", "not done"]

    site.shell.on_boot = lambda: None
    site.cloud.health.ill.clear()
    code, _, said = site.run("run", "resume", chain)

    assert code == 0, said
    assert site.shell.reboots == {NODE: 1, "compute-08": 1}
    assert site.cloud.health.asked_but[-1] == frozenset()


def test_a_node_that_is_not_well_after_its_reboot_fails_it(site: Site) -> None:
    site.shell.on_boot = lambda: site.cloud.health.ill.update(
        {NODE: replace(ILL, where=f"libvirtd on {NODE}")}
    )

    code, out, said = site.run(*REBOOT, "--yes")

    assert (code, asked(site, DB)) == (1, ["stop", "start"]), said
    assert f"`{NODE}` is not well: libvirtd on {NODE}: it does not run" in folded(out + said)


# --- only those that need it --------------------------------------------------------------------


def test_a_node_that_needs_none_is_passed_over_with_the_reason(site: Site) -> None:
    code, _, said = site.run(*REBOOT, "--if-needed", "--yes")

    assert (code, site.shell.reboots[NODE]) == (0, 0)
    assert "note: `compute-07` is passed over: it needs no reboot" in folded(said)


@pytest.mark.parametrize("way", ["--in-place", "--drain"])
def test_of_several_only_those_that_need_it_are_rebooted(site: Site, way: str) -> None:
    (site.state_dir / "inventory").write_text("compute-07\ncompute-08\n")
    site.shell.files["compute-08", "/run/reboot-required"] = ""

    code, _, said = site.run("node", "reboot", NODE, "compute-08", way, "--if-needed", "--yes")

    assert (code, site.shell.reboots) == (0, {"compute-08": 1}), said
    assert "note: `compute-07` is passed over" in folded(said)
    assert "note: `compute-08` is rebooted: `/run/reboot-required` is there" in folded(said)


def test_a_node_of_which_it_is_not_known_is_not_passed_over(site: Site) -> None:
    site.shell.kernels = ("6.1.0-18-amd64", "")

    code, _, said = site.run(*REBOOT, "--if-needed", "--yes")

    assert (code, site.shell.reboots[NODE]) == (0, 1), said
    assert "no link there shows which kernel was chosen" in folded(said)
