"""A node that is cut off and lives on, while its device is cabled to another node.

Its guest goes on to write. While no device is known to switch it nothing is done; once its own
device does, its power is cut first, and only then the server is brought up: never two writers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.drains import Drains
from lab.evacuations import Written, bring_back, on_a_volume, power_of, written
from real_lab import RealLab, until
from stackward.errors import ExitCode
from stackward.lab.guest import Console

NAME = "cut-writer"
SOME_TICKS = 5


@dataclass(frozen=True, kw_only=True)
class CutOff:
    """What was refused, what was done, and what the guests have written."""

    wrong: tuple[int, str]
    alive: tuple[Written, Written]  # before what was refused, and after it
    powers: set[str]  # of all nodes, after what was refused
    ended: tuple[int, str]
    host: str
    power: str  # of the node, at the end
    console: Console  # of the guest that was brought up
    after: Written


@pytest.fixture(scope="module")
def cut_off(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CutOff]:
    """Given a node that is cut off, and evacuated with the wrong device and with its own."""
    drains, node = Drains(lab, tmp_path_factory.mktemp("journal")), nodes[2]
    drains.remove_left_over("cut-")
    server = on_a_volume(lab, NAME, node)
    drains.wait_for_guests([server])
    assert drains.call("node", "check", node).returncode == 0
    lab.run("break", "bmc-wrong-node", node)
    lab.run("break", "node-network-loss", node)
    asked = ("node", "evacuate", node, "--reason", "tested", "--only", server, "--yes")
    before = written(lab, server)
    wrong = said(drains, *asked)
    until(lambda: written(lab, server).tick > before.tick)
    alive = (before, written(lab, server))
    powers = {power_of(lab, each) for each in nodes}
    lab.run("mend", "bmc-wrong-node", node)
    ended = said(drains, *asked)
    power = power_of(lab, node)
    # A guest that sees another write to its disk says so with its next tick.
    lab.tick(server, lambda tick: tick.number > SOME_TICKS)
    console = lab.console(server)
    yield CutOff(
        wrong=wrong,
        alive=alive,
        powers=powers,
        ended=ended,
        host=lab.server(server).hypervisor_hostname,
        power=power,
        console=console,
        after=written(lab, server),
    )
    bring_back(drains, node)  # a boot plugs its cables in
    lab.run("mend", "node-network-loss", node)
    drains.remove(server)


def said(drains: Drains, *words: str) -> tuple[int, str]:
    ended = drains.call(*words)
    return ended.returncode, " ".join((ended.stdout + ended.stderr).split())


def test_while_its_device_is_that_of_another_node_nothing_is_done(cut_off: CutOff) -> None:
    code, text = cut_off.wrong
    before, after = cut_off.alive

    assert code == ExitCode.BLOCKED, text
    assert "another machine" in text
    assert cut_off.powers == {"on"}
    assert after.boot == before.boot


def test_by_its_own_device_its_power_is_cut_and_the_server_is_brought_up(
    cut_off: CutOff, nodes: tuple[str, str, str]
) -> None:
    assert cut_off.ended[0] == 0, cut_off.ended[1]
    assert cut_off.power == "off"
    assert cut_off.host != nodes[2]


def test_never_have_two_guests_written_to_its_disk(cut_off: CutOff) -> None:
    before = cut_off.alive[1]

    assert cut_off.console.intruders == ()
    assert cut_off.after.boot == cut_off.console.boot_ids[-1] != before.boot
    # Nova boots it too, for some seconds, before it stops it: that may be too short to be counted.
    assert cut_off.after.boots - before.boots in {1, 2}
