"""`stackward node evacuate`, on a cloud of fakes: a dead node, a living one, a lost disk."""

import pytest

from builders import an_id
from cli import test_return
from cli.test_fence import Site
from cli.test_return import NODE
from stackward.adapters.store.listing import FILE, list_runs
from stackward.model.hardware import Hardware
from texts import folded

EVACUATE = ("node", "evacuate", NODE, "--reason", "INC-4711")
DB = an_id("db-01")


@pytest.fixture
def site(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Site:
    plain = test_return.site.__wrapped__(tmp_path, monkeypatch, capsys)  # type: ignore[attr-defined]  # the fixture
    return Site(plain.state_dir, capsys)


def asked_of(site: Site) -> list[str]:
    return [each.action for each in site.cloud.nova.actions.get(DB, [])]


def test_the_servers_of_a_dead_node_are_elsewhere_and_off(site: Site) -> None:
    code, out, said = site.seen_well().die().run(*EVACUATE, "--yes")

    server = site.cloud.nova.known[DB]
    assert (code, server.status, server.host == NODE) == (0, "SHUTOFF", False), said
    assert asked_of(site) == ["evacuate"]
    assert "run `01RUN`, evacuate `compute-07`: succeeded" in out
    assert site.cloud.nova.computes[NODE].is_forced_down


def test_a_dry_run_says_which_disk_each_will_have_and_changes_nothing(site: Site) -> None:
    code, out, _ = site.seen_well().die().run(*EVACUATE, "--dry-run")

    [row] = [line for line in out.splitlines() if line.startswith("| db-01")]
    assert (code, asked_of(site), "| own" in row) == (0, [], True)


def test_a_disk_that_no_other_node_sees_is_given_up_only_by_name(site: Site) -> None:
    site.seen_well().die().shell.shares_instances = False
    code, _, said = site.run(*EVACUATE, "--yes")
    assert (code, f"--accept-data-loss {DB}" in folded(said)) == (3, True)

    code, _, said = site.run(*EVACUATE, "--accept-data-loss", DB, "--yes")

    assert (code, asked_of(site)) == (0, ["evacuate"]), said


def test_a_living_node_is_refused(site: Site) -> None:
    code, _, said = site.seen_well().run(*EVACUATE, "--yes")

    assert (code, site.ordered, asked_of(site)) == (3, [], [])
    assert "stackward node drain compute-07" in folded(said)


def test_the_device_of_another_machine_gets_no_order(site: Site) -> None:
    site.power.devices[NODE].hardware = Hardware.of(macs=["52:54:00:00:00:08"])
    site.seen_well().lose(NODE)

    code, _, _ = site.run(*EVACUATE, "--yes")

    assert (code, site.ordered, asked_of(site)) == (3, [], [])


@pytest.mark.parametrize("flag", ["--queue", "--at=01:00", "--window=01:00-05:00"])
def test_it_is_left_to_no_worker_and_to_no_later_time(site: Site, flag: str) -> None:
    code, _, said = site.seen_well().die().run(*EVACUATE, flag, "--yes")

    assert (code, asked_of(site)) == (2, [])
    assert "while somebody watches it" in folded(said)


def test_it_is_not_undone(site: Site) -> None:
    site.seen_well().die().run(*EVACUATE, "--yes")

    [run] = list_runs(site.state_dir / FILE, 9)

    code, out, said = site.run("run", "undo", run.id, "--dry-run")

    assert (code, "does not bring evacuated servers back" in folded(out)) == (3, True), out + said
