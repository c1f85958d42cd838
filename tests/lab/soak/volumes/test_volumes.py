"""Volumes that only some witnesses have are found by `volume list`, mended by `volume reattach`.

Given a server that runs; when a call that was lost leaves a volume half attached, the guest loses a
disk, or Cinder has it on another node; then it is shown, the least that mends it is planned and
carried out, and all three witnesses agree, each volume with its device of before.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.drains import Drains
from real_lab import RealLab, until
from stackward.lab import proof
from stackward.lab.load import attach_volume, wait_volume

# Each fault, what `volume list` says of its volume, and what mends it.
FAULTS = [
    (
        "attachment-one-sided",
        "Cinder has it, Nova and libvirt do not",
        ["remove what only Cinder has"],
    ),
    ("volume-stuck", "it is `detaching` to Cinder", ["roll back the detach"]),
]
# The guest of the lab has no login: its sign of life is a line every 3 s.
READY = "^tick "
ELSEWHERE = """mariadb cinder -e "
UPDATE volume_attachment SET attached_host='{host}' WHERE volume_id='{volume}' AND deleted=0;
UPDATE volumes SET updated_at=UTC_TIMESTAMP() - INTERVAL 1 HOUR WHERE id='{volume}'"
"""
AGED = """mariadb cinder -e "
UPDATE volumes SET updated_at=UTC_TIMESTAMP() - INTERVAL 1 HOUR WHERE id='{volume}'"
"""


@pytest.fixture(autouse=True)
def _ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKWARD_LOGIN_PATTERN", READY)


@pytest.fixture
def server(lab: RealLab, drains: Drains) -> Iterator[str]:
    """Given a server that runs."""
    drains.remove_left_over("volumes-soak")
    made = drains.boot("volumes-soak", lab.spec.compute_nodes[0].name)
    proof.wait_active(lab.cloud, made)
    drains.wait_for_guests([made])
    yield made
    drains.remove(made)


@pytest.fixture
def volumes(lab: RealLab, server: str) -> Iterator[tuple[str, str]]:
    """Given two volumes of it, which its guest has; both are removed."""
    one = lab.cloud.compute.get_server(server)
    made = [str(attach_volume(lab.cloud, one).id) for _ in range(2)]
    for volume in made:
        lab.on("ctl", AGED.format(volume=volume))
    yield made[0], made[1]
    for volume in made:
        lab.cloud.compute.delete_volume_attachment(server, volume)
        wait_volume(lab.cloud, volume, "available")
        lab.cloud.block_storage.delete_volume(volume)


def listed(drains: Drains, server: str) -> tuple[int, list[dict[str, Any]]]:
    """Return how `volume list` ended, and its rows."""
    ended = drains.call("volume", "list", "--server", server, "-f", "json")
    return ended.returncode, json.loads(ended.stdout)["volumes"]


def planned(drains: Drains, *words: str) -> list[str]:
    """Return what a plan does, in its order."""
    ended = drains.call("volume", "reattach", *words, "--dry-run", "-f", "json", "-c", "How")
    assert ended.returncode == 0, ended.stderr
    return [str(one["How"]) for one in json.loads(ended.stdout)]


def mended(drains: Drains, *words: str) -> None:
    ended = drains.call("volume", "reattach", *words, "--yes")
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(("fault", "says", "acts"), FAULTS)
def test_a_lost_call_is_found_mended_and_proved(  # noqa: PLR0913, PLR0917  # a row of the table
    lab: RealLab, drains: Drains, server: str, fault: str, says: str, acts: list[str]
) -> None:
    lab.run("break", fault, server)
    try:
        before, rows = listed(drains, server)
        plan = planned(drains, server)
        mended(drains, server)
        after, left = listed(drains, server)
    finally:
        lab.run("mend", fault, server)

    assert before == 6
    assert [row["says"] for row in rows] == [[says]]
    assert plan == acts
    assert (after, [row["agree"] for row in left]) == (0, [True] * len(left))
    assert listed(drains, server) == (0, [])


def test_a_guest_that_has_lost_a_disk_has_it_again_by_a_reboot(
    lab: RealLab, drains: Drains, server: str, volumes: tuple[str, str]
) -> None:
    node = lab.spec.compute_nodes[0].name
    lab.on(node, f"virsh detach-disk {server} vdc --live --persistent")
    until(lambda: listed(drains, server)[0] == 6)
    plan = planned(drains, server)

    mended(drains, server)

    code, rows = listed(drains, server)
    assert plan == ["hard reboot"]
    assert code == 0
    devices = {row["volume_id"]: row["libvirt"]["device"] for row in rows}
    assert devices == {volumes[0]: "vdb", volumes[1]: "vdc"}
    drains.wait_for_guests([server])


def test_volumes_that_cinder_has_on_another_node_are_attached_again_as_the_same_devices(
    lab: RealLab, drains: Drains, server: str, volumes: tuple[str, str]
) -> None:
    other = lab.spec.compute_nodes[1].name
    for volume in volumes:
        lab.on("ctl", ELSEWHERE.format(volume=volume, host=other))
    before, rows = listed(drains, server)
    plan = planned(drains, server)

    mended(drains, server)

    code, after = listed(drains, server)
    assert (before, [row["agree"] for row in rows]) == (6, [False, False])
    assert plan == ["detach and attach"]
    assert code == 0
    devices = {row["volume_id"]: row["libvirt"]["device"] for row in after}
    assert devices == {volumes[0]: "vdb", volumes[1]: "vdc"}
    assert {row["serial"] for row in after} == {*volumes}
