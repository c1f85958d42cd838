"""A right that is missing on a node is said before anything is moved, on a cloud of fakes."""

import pytest

from cli.test_drain import DRAIN, Site, site
from stackward.errors import Uncertain
from stackward.ports.shell import Rights

__all__ = ["site"]  # the fixture


def test_a_missing_right_blocks_before_anything_is_moved_and_its_remedy_removes_it(
    site: Site,
) -> None:
    site.shell.refused["compute-07"] = "sudo: a password is required"

    code, out, err = site.run(*DRAIN, "--yes")
    said = out + err
    was_untouched = site.is_untouched
    del site.shell.refused["compute-07"]  # the line is added
    then, _, _ = site.run(*DRAIN, "--yes")

    assert (code, was_untouched, then) == (3, True, 0)
    assert (
        "`ops` has no right there to run a command of the plan as root, of STACKWARD_DRAIN" in said
    )
    assert "ops ALL=(root) NOPASSWD: /usr/bin/install -D -m 0644 /dev/stdin" in said
    assert "/usr/bin/systemctl stop --no-block nova-compute.service" in said


def test_f34_where_there_is_no_sudo_a_drain_is_refused_before_anything_is_moved(site: Site) -> None:
    site.shell.refused["compute-07"] = "there is no `sudo` on it"

    code, out, err = site.run(*DRAIN, "--yes")

    assert (code, site.is_untouched) == (3, True)
    assert "there is no `sudo` on it" in out + err


def test_only_the_rights_that_a_plan_uses_are_asked_for(site: Site) -> None:
    site.shell.refused["compute-07"] = "sudo: a password is required"

    code, _, _ = site.run(*DRAIN, "--keep-service", "--yes")

    assert code == 0


def test_a_right_that_is_taken_away_meanwhile_stops_the_run_and_is_named(site: Site) -> None:
    code, _, err = site.run(*DRAIN, "--plan-out", str(site.state_dir / "plan"), "--dry-run")
    site.on_wait.append(
        lambda: site.shell.refused.update({"compute-07": "sudo: a password is required"})
    )

    applied, _, err = site.run("run", "apply", str(site.state_dir / "plan"), "--yes")

    assert (code, applied) == (0, 4)
    assert "of STACKWARD_DRAIN (sudo: a password is required)" in err
    assert "NOPASSWD: /usr/bin/install" in err


def test_rights_that_cannot_be_asked_are_a_warning(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_lost(*_: object) -> Rights:
        raise Uncertain("`compute-07` gave no answer within 120 s")

    monkeypatch.setattr(site.shell, "rights", is_lost)

    code, out, err = site.run(*DRAIN, "--dry-run")

    assert code == 0
    assert "rights-unread" in out + err
