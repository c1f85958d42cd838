"""`stackward node gate`, on a cloud of fakes: a node that crashes, and one that returns."""

from dataclasses import replace

import pytest

from builders import an_id
from cli import test_return
from cli.test_return import NODE, RETURN, Site
from stackward.adapters.store.listing import FILE, list_runs
from stackward.model import boot_gate
from stackward.model.migration import Migration
from texts import folded

INSTALL = ("node", "gate", "install", NODE)


@pytest.fixture
def site(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Site:
    plain = test_return.site.__wrapped__(tmp_path, monkeypatch, capsys)  # type: ignore[attr-defined]  # the fixture
    return Site(plain.state_dir, capsys)


def crash(site: Site) -> None:
    """Lose its power, and boot again."""
    del site.shell.files[NODE, boot_gate.OPENED]
    site.shell.units[NODE] = ("inactive", "enabled")
    own = site.cloud.nova.computes[NODE]
    site.cloud.nova.computes[NODE] = replace(own, is_up=False)


def test_a_gate_is_put_there_and_is_open_for_this_boot(site: Site) -> None:
    code, out, said = site.run(*INSTALL, "--yes")

    assert code == 0, said
    assert "proved: `compute-07` has a boot gate, and it is open for this boot" in folded(out)
    assert site.shell.files[NODE, boot_gate.SCRIPT] == boot_gate.SCRIPT_TEXT
    assert site.shell.files[NODE, boot_gate.DROP_IN] == boot_gate.DROP_IN_TEXT
    assert site.shell.starts[NODE] == 0, "what runs, runs on"


def test_after_a_crash_it_is_opened_and_nova_compute_starts(site: Site) -> None:
    site.run(*INSTALL, "--yes")
    crash(site)

    code, _, said = site.run("node", "gate", "open", NODE, "--yes")

    assert (code, site.shell.starts[NODE]) == (0, 1), said
    assert "removes the guests and the disks of servers that were evacuated" in folded(said)


def test_no_gate_is_opened_past_what_a_return_guards(site: Site) -> None:
    """Its nova-compute started, and destroyed what was evacuated: a return had been refused."""
    site.run(*INSTALL, "--yes")
    crash(site)
    server = next(iter(site.cloud.nova.known.values()))
    site.cloud.nova.known[server.id] = replace(server, host="compute-08")
    site.cloud.nova.migrations.append(
        Migration(
            id=1, uuid=an_id("record"), server=server.id, kind="evacuation", status="done",
            source=NODE, target="compute-08",
        )
    )  # fmt: skip

    code, _, said = site.run("node", "gate", "open", NODE, "--yes")

    assert (code, site.shell.starts[NODE]) == (3, 0), said
    assert "1 server was evacuated from it, and their records are still open (db-01)" in folded(
        said
    )
    assert f"`stackward node return {NODE} --dry-run`" in folded(said)
    assert "`--discard-old-disks`" in folded(site.run("node", "return", NODE, "--dry-run")[1])


def test_a_return_opens_it(site: Site) -> None:
    site.run(*INSTALL, "--yes")
    crash(site)

    code, _, said = site.run(*RETURN, "--yes")

    assert (code, site.shell.starts[NODE]) == (0, 1), said
    assert "its boot gate is opened for this boot" in folded(said)


def test_what_a_drain_keeps_off_is_not_opened(site: Site) -> None:
    site.run(*INSTALL, "--yes")
    site.run("node", "drain", NODE, "--reason", "bad DIMM", "--yes")
    crash(site)

    code, _, said = site.run("node", "gate", "open", NODE, "--yes")

    assert code == 3, said
    assert "the node was also drained or fenced" in folded(said)
    assert site.run(*RETURN, "--yes")[0] == 0


def test_it_is_undone(site: Site) -> None:
    site.run(*INSTALL, "--yes")
    [run] = list_runs(site.state_dir / FILE, 9)

    code, _, said = site.run("run", "undo", run.id, "--yes")

    assert code == 0, said
    assert not [path for _, path in site.shell.files if "gate" in path]


def test_a_verb_that_there_is_not(site: Site) -> None:
    code, _, said = site.run("node", "gate", "shut", NODE)

    assert code == 2
    assert "is not one of `install`, `remove`, `open`" in folded(said)
