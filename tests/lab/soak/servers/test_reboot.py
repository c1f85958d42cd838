"""`stackward server reboot` on a real cloud: the guest itself tells which boot runs.

Given a server that runs; when it is rebooted, softly or hard, or its worker is killed in the
middle; then its guest has booted once more, on the same node, and Nova was asked once.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.drains import Drains
from real_lab import STACKWARD, RealLab, until


@pytest.fixture(scope="module")
def server(lab: RealLab, nodes: tuple[str, str, str]) -> Iterator[str]:
    """Given a server that runs."""
    drains = Drains(lab, Path())
    drains.remove_left_over("rebooted-")
    made = drains.boot("rebooted-1", nodes[1])
    drains.wait_for_guests([made])
    yield made
    drains.remove(made)


def reboots(lab: RealLab, server: str) -> int:
    """Return how often Nova was asked to reboot a server."""
    return [each.action for each in lab.cloud.compute.server_actions(server)].count("reboot")


@pytest.mark.parametrize("flags", [(), ("--hard",)], ids=["soft", "hard"])
def test_the_guest_has_booted_once_more_on_the_same_node(
    drains: Drains, server: str, flags: tuple[str, ...]
) -> None:
    before, place = drains.lab.tick(server), drains.place(server)
    asked = reboots(drains.lab, server)

    ended = drains.call("server", "reboot", "rebooted-1", *flags, "--yes")

    assert ended.returncode == 0, ended.stderr
    after = drains.lab.tick(server, lambda tick: tick.boot != before.boot)
    assert after.boots == before.boots + 1
    assert (drains.place(server), reboots(drains.lab, server)) == (place, asked + 1)


def test_a_worker_that_is_killed_in_the_middle_leaves_a_mark(drains: Drains, server: str) -> None:
    before, asked = drains.lab.tick(server), reboots(drains.lab, server)
    going = drains.start([STACKWARD, "server", "reboot", server, "--hard", "--yes"])
    until(lambda: reboots(drains.lab, server) > asked)
    going.process.send_signal(signal.SIGKILL)
    going.process.wait()

    resumed = drains.resume()

    assert resumed.code == 0, resumed.said
    after = drains.lab.tick(server, lambda tick: tick.boot != before.boot)
    assert (after.boots, reboots(drains.lab, server)) == (before.boots + 1, asked + 1)


def test_a_server_that_is_off_stays_off(drains: Drains, server: str) -> None:
    drains.stop(server)

    ended = drains.call("server", "reboot", server, "--hard", "--yes")

    assert (ended.returncode, drains.place(server).status) == (3, "SHUTOFF")
