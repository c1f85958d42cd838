"""`stackward server reboot`, on a cloud of fakes."""

from dataclasses import replace

import pytest

from builders import a_server, a_service, an_id
from cli import test_return
from cli.test_return import NODE, Site
from stackward.adapters.store.listing import FILE, list_runs
from stackward.model.claim import Claim
from texts import folded

site = test_return.site  # the fixture
DB = an_id("db-01")
REBOOT = ("server", "reboot", "db-01")


def actions(site: Site) -> list[str]:
    return [each.action for made in site.cloud.nova.actions.values() for each in made]


@pytest.mark.parametrize(("flags", "title"), [((), "reboot"), (("--hard",), "hard-reboot")])
def test_a_server_is_rebooted_and_its_new_boot_is_proved(
    site: Site, flags: tuple[str, ...], title: str
) -> None:
    code, out, said = site.run(*REBOOT, *flags, "--yes")

    assert (code, site.cloud.nova.boots[DB], actions(site)) == (0, 1, ["reboot"]), said
    assert f"run `01RUN`, {title} server `db-01`: succeeded" in out
    assert "proved: `db-01` runs, by a new boot, and Nova has no task for it" in folded(out)
    assert "moved" not in said + out
    assert "run undo" not in said


def test_a_dry_run_shows_the_plan_and_changes_nothing(site: Site) -> None:
    code, out, said = site.run(*REBOOT, "--dry-run")

    assert (code, actions(site)) == (0, []), said
    assert "plan: reboot server `db-01`" in out
    assert "`db-01` runs, by a new boot" in folded(out)
    assert "wait_soft_reboot_seconds" in folded(out)


def test_the_rows_of_the_plan_have_its_own_columns(site: Site) -> None:
    code, out, _ = site.run(*REBOOT, "--hard", "--dry-run", "-f", "csv")

    assert code == 0
    assert out.splitlines() == ['"Server","ID","How","On"', f'"db-01","{DB}","hard","{NODE}"']


def test_attachments_that_the_reboot_deletes_are_named_before_it_is_approved(site: Site) -> None:
    site.cloud.nova.known[DB] = replace(site.cloud.nova.known[DB], volume_ids=("v1",))
    site.cloud.cinder.attachments[DB] = (("a9", "v9"),)
    given_up = ("--delete-attachment", "a9", "--delete-attachment", "v1")

    refused, _, said = site.run(*REBOOT, "--hard", "--yes")
    code, out, _ = site.run(*REBOOT, "--hard", "--dry-run", *given_up)

    assert (refused, actions(site)) == (3, [])
    assert "pass `--delete-attachment v1`" in folded(said)
    assert code == 0
    assert "Nova has volume v1 attached to it, but Cinder has no such attachment" in folded(out)
    assert "Cinder has attachment a9 of volume v9 to it, but Nova does not know" in folded(out)


def test_a_server_that_is_off_is_refused_and_stays_off(site: Site) -> None:
    code, _, said = site.run("server", "reboot", "db-02", "--hard", "--yes")

    assert (code, actions(site)) == (3, [])
    assert f"openstack server start {an_id('db-02')}" in folded(said)


@pytest.mark.parametrize(
    ("word", "hint"), [("db-03", "openstack server list"), ("", "openstack server list")]
)
def test_a_word_that_means_no_server_is_bad_input(site: Site, word: str, hint: str) -> None:
    code, _, said = site.run("server", "reboot", word, "--yes")

    assert (code, hint in said, actions(site)) == (2, True, [])


def test_a_name_that_two_servers_have_is_refused(site: Site) -> None:
    site.cloud.nova.add(replace(a_server(name="twin"), name="db-01"))

    code, _, said = site.run(*REBOOT, "--yes")

    assert (code, actions(site)) == (2, [])
    assert DB in said
    assert an_id("twin") in said


def test_a_reboot_that_nova_calls_well_and_that_none_was_is_no_success(site: Site) -> None:
    site.cloud.nova.not_rebooting.add(DB)

    code, _, said = site.run(*REBOOT, "--yes")

    assert (code, actions(site)) == (4, ["reboot"]), said
    assert "the guest of before still runs" in folded(said)


def test_a_node_that_a_run_of_another_machine_claims_is_left_to_it(site: Site) -> None:
    claim = Claim(run="01X", operator="ann", machine="far", since="2026-11-22", reason="DIMM")
    site.cloud.nova.computes[NODE] = a_service(is_enabled=False, disabled_reason=str(claim))

    code, _, said = site.run(*REBOOT, "--yes")

    assert (code, actions(site)) == (3, [])
    assert "run `01X` of ann on far takes its node out of service" in folded(said)


def test_a_reboot_is_not_undone_and_the_reason_is_said(site: Site) -> None:
    site.run(*REBOOT, "--yes")
    run = list_runs(site.state_dir / FILE, 1)[0].id

    code, _, said = site.run("run", "undo", run, "--yes")

    assert (code, site.cloud.nova.boots[DB]) == (3, 1)
    assert "cannot be undone: the memory of the guest is gone" in folded(said)


def test_the_audit_has_the_boots_by_which_it_was_proved(site: Site) -> None:
    site.run(*REBOOT, "--yes")
    run = list_runs(site.state_dir / FILE, 1)[0].id

    code, out, _ = site.run("run", "audit", run)

    assert code == 0
    assert "libvirt on `compute-07` runs boot 11 of its guest; boot 10 ran before" in folded(out)


def test_a_definition_that_the_reboot_has_changed_is_told_and_the_one_of_before_kept(
    site: Site,
) -> None:
    site.shell.machines[DB] = ["pc", "q35"]

    code, out, said = site.run(*REBOOT, "--hard", "--yes")
    run = list_runs(site.state_dir / FILE, 1)[0].id
    _, shown, _ = site.run("run", "show", run, "--events")
    _, exported, _ = site.run("run", "audit", run, "--export")

    assert code == 0
    told = folded(out + said)
    assert "definition changed by Nova" in told
    assert "`db-01`: -<type machine='pc'>hvm</type>" in told
    assert "`db-01`: +<type machine='q35'>hvm</type>" in told
    assert ("<uuid>" in shown, "<uuid>" in exported) == (False, True)


@pytest.mark.parametrize(
    "view",
    [("show", "-c", "What"), ("show", "--events", "-c", "About"), ("audit", "-c", "What")],
    ids=" ".join,
)
def test_what_is_shown_of_a_run_names_its_server(site: Site, view: tuple[str, ...]) -> None:
    site.run(*REBOOT, "--yes")
    run = list_runs(site.state_dir / FILE, 1)[0].id

    _, out, _ = site.run("run", view[0], run, *view[1:])

    assert ("reboot `db-01`" in out, DB in out) == (True, False)


def test_a_plan_that_was_kept_is_applied_to_the_server_that_was_meant(site: Site) -> None:
    """Its name has come to mean another one since."""
    path = site.state_dir / "plan.json"
    site.run(*REBOOT, "--dry-run", "--plan-out", str(path))
    site.cloud.nova.known[DB] = replace(site.cloud.nova.known[DB], name="db-old")
    site.cloud.nova.add(replace(a_server(name="new"), name="db-01"))

    code, _, said = site.run("run", "apply", str(path), "--yes")

    assert code == 3, said
    assert (site.cloud.nova.boots, "the title was" in folded(said)) == ({}, True)
