"""Stores that take no writes, or have no room: found by name, each once."""

from typing import Any

import pytest

from fakes.site import Site
from stackward.model.health import Finding, Health, Kept, State

GIB = 2**30
IMAGES = "/var/lib/glance/images"
SHARE = "/var/lib/cinder/mnt/e789e4c8ed88af70b5eed340fcaaad94"
INSTANCES = "/var/lib/nova/instances"
COMPONENT = {IMAGES: "glance-api", SHARE: "cinder-volume", INSTANCES: "nova-compute"}
NODE = {IMAGES: "ctl", SHARE: "ctl", INSTANCES: "c01"}
FULL, FILLING = [4096, 1000, 5, 1000, 900], [4096, 1000, 80, 1000, 900]
NO_INODES = [4096, 1000, 900, 1000, 0]


def change(site: Site, path: str, /, **facts: Any) -> None:  # noqa: ANN401  # what it writes
    """Let a store be otherwise."""
    [row] = [one for one in site.told(NODE[path])["stores"] if one["path"] == path]
    row |= facts


def refuse_writes(site: Site, path: str, code: int | None = 1, err: str = "") -> None:
    site.command(NODE[path], f"store writable {path}", code, err=err)


def roots(health: Health) -> list[Finding]:
    return [finding for finding in health.findings if finding.under is None]


def only(health: Health) -> Finding:
    [found] = roots(health)
    return found


@pytest.mark.parametrize("path", COMPONENT)
def test_a_store_on_a_mount_that_is_read_only_is_found_once(path: str) -> None:
    """Whoever may write there is told no by the kernel, too."""
    site = Site()
    change(site, path, read_only=True)
    refuse_writes(site, path)

    found = only(site.look())

    assert (found.rule, found.component, found.node, found.state) == (
        "store-read-only",
        COMPONENT[path],
        NODE[path],
        State.BROKEN,
    )
    assert path in found.reason


@pytest.mark.parametrize("path", COMPONENT)
def test_a_store_that_its_user_may_not_write_to_is_found(path: str) -> None:
    site = Site()
    refuse_writes(site, path)

    found = only(site.look())

    assert (found.rule, found.component) == ("store-not-writable", COMPONENT[path])
    assert "namei" in found.remedy


@pytest.mark.parametrize(
    ("path", "facts", "rule"),
    [
        pytest.param(IMAGES, {"is_there": False}, "store-missing", id="no such folder"),
        pytest.param(SHARE, {"mount": "/"}, "share-not-mounted", id="a share is not mounted"),
        pytest.param(
            IMAGES, {"mount": IMAGES, "room": FULL}, "store-full", id="full, by a disk of its own"
        ),
        pytest.param(
            IMAGES, {"mount": IMAGES, "room": NO_INODES}, "store-full", id="no inodes are left"
        ),
        pytest.param(IMAGES, {"mount": IMAGES, "room": FILLING}, "store-filling", id="nearly full"),
    ],
)
def test_what_else_keeps_a_store_from_keeping(path: str, facts: dict[str, Any], rule: str) -> None:
    site = Site()
    change(site, path, **facts)

    assert only(site.look()).rule == rule


def test_a_store_that_does_not_answer_is_found() -> None:
    site = Site()
    refuse_writes(site, SHARE, None, "no answer in time")

    assert only(site.look()).rule == "store-silent"


@pytest.mark.parametrize(
    ("left", "rule", "state"),
    [(5, "disk-full", State.BROKEN), (80, "disk-filling", State.DEGRADED)],
)
def test_a_full_disk_and_the_store_on_it_are_one_finding(
    left: int, rule: str, state: State
) -> None:
    site = Site()
    change(site, INSTANCES, room=[4096, 1000, left, 1000, 900])
    [disk] = [one for one in site.told("c01")["filesystems"] if one["mount"] == INSTANCES]
    disk |= {"size": 4096 * 1000, "free": 4096 * left}

    found = only(site.look())

    assert (found.rule, found.where, found.state) == (rule, "machine on c01", state)
    assert f"nova-compute keeps its instances there: `{INSTANCES}`" in found.evidence


@pytest.mark.parametrize(
    ("groups", "rules"),
    [
        pytest.param("  fast wz--n- 1000 0\n", [], id="all given to a pool: no finding"),
        pytest.param("  fast rz--n- 1000 9\n", ["volume-group-ill"], id="read-only"),
        pytest.param("  fast wz-pn- 1000 9\n", ["volume-group-ill"], id="a disk is missing"),
        pytest.param("", ["volume-group-ill"], id="it is not there"),
    ],
)
def test_a_volume_group(groups: str, rules: list[str]) -> None:
    site = Site()
    change(site, SHARE, groups=["fast"])
    site.command("ctl", "store groups", 0, out=groups)

    assert [one.rule for one in roots(site.look())] == rules


@pytest.mark.parametrize(
    ("groups", "whats"),
    [
        pytest.param(
            f"  fast wz--n- {20 * GIB} 0\n",
            ["the room of the volume group `fast` (0 bytes of 20 GiB not given away)"],
            id="all given to a pool, or to volumes",
        ),
        pytest.param(
            f"  fast wz--n- {20 * GIB} {5 * GIB}\n",
            ["the room of the volume group `fast` (5 GiB of 20 GiB not given away)"],
            id="a part of it is left",
        ),
        pytest.param("", [], id="it is not there: that is a finding"),
    ],
)
def test_the_room_of_a_volume_group_is_shown_and_not_judged(groups: str, whats: list[str]) -> None:
    """A group of which a thin pool has all is no full one, and one with a full pool looks well."""
    site = Site()
    change(site, SHARE, groups=["fast"])
    site.command("ctl", "store groups", 0, out=groups)

    health = site.look()

    gaps = [one for one in health.not_proved if "volume group" in one.what]
    assert [one.what for one in gaps] == whats
    assert {(one.component, one.where, one.kind) for one in gaps} <= {
        ("cinder-volume", "ctl", Kept.NO_QUESTION)
    }
    assert "store-filling" not in {one.rule for one in health.findings}


def test_the_stores_of_a_service_that_does_not_run_are_not_judged() -> None:
    site = Site()
    refuse_writes(site, IMAGES)
    site.stop("ctl", "glance-api.service")

    assert "store-not-writable" not in {one.rule for one in site.look().findings}


# --- what is not shown --------------------------------------------------------------------------

REFUSED = "sudo: a password is required"


def test_a_store_at_an_unusual_path_needs_a_line_of_its_own() -> None:
    site = Site()
    change(site, SHARE, by_mode=None)
    refuse_writes(site, SHARE, err=REFUSED)

    [gap] = [one for one in site.look().unknown if SHARE in one.what]

    assert (gap.kind, gap.component, gap.where) == (Kept.RIGHTS, "cinder-volume", "ctl")
    assert f"--reuid cinder --regid cinder --init-groups /usr/bin/test -w {SHARE}" in gap.cure


@pytest.mark.parametrize("by_mode", [True, False])
def test_on_a_disk_owners_and_modes_do_without_the_right(*, by_mode: bool) -> None:
    site = Site()
    change(site, SHARE, by_mode=by_mode)
    refuse_writes(site, SHARE, err=REFUSED)

    health = site.look()

    assert [one for one in health.gaps if SHARE in one.what] == []
    assert [one.rule for one in roots(health)] == ([] if by_mode else ["store-not-writable"])


def test_settings_that_may_not_be_read_leave_the_usual_path_and_a_gap() -> None:
    site = Site()
    change(site, IMAGES, is_known=False)
    site.command("ctl", "store settings glance-api", 1, err=REFUSED)

    health = site.look()

    [gap] = [one for one in health.unknown if one.what == "where glance-api has its images"]
    assert (gap.kind, roots(health)) == (Kept.RIGHTS, [])


def test_a_store_that_is_neither_file_nor_share_is_named() -> None:
    site = Site()
    change(site, IMAGES, path=None, elsewhere=["ceph"])

    [gap] = [one for one in site.look().not_proved if "`ceph`" in one.what]

    assert gap.kind is Kept.NO_QUESTION


def test_a_store_that_can_be_written_to_leaves_nothing_to_say() -> None:
    health = Site().look()

    assert roots(health) == []
    assert [one for one in health.gaps if "store" in one.what or "write" in one.what] == []
