"""A boot gate on a real node: shut after a loss of power, open after a planned reboot.

Given a node with a gate; when it boots; then its nova-compute runs, or it waits and is named so.
"""

from collections.abc import Iterator

import pytest

from lab.drains import Drains
from lab.looks import check, findings
from real_lab import RealLab, until

NODE = "c01"


@pytest.fixture
def gated(drains: Drains) -> Iterator[Drains]:
    """Put a gate on a node; it is taken away at the end."""
    done(drains, "install")
    yield drains
    done(drains, "remove")


def done(drains: Drains, verb: str) -> None:
    ended = drains.call("node", "gate", verb, NODE, "--yes")
    assert ended.returncode == 0, ended.stderr


def booted_since(lab: RealLab, before: str) -> bool:
    return lab.births_of_living().get(NODE, before) != before and "done" in lab.on(
        NODE, "systemctl is-system-running --wait >/dev/null; echo done"
    )


def is_active(lab: RealLab) -> bool:
    return lab.on(NODE, "systemctl is-active nova-compute || true").strip() == "active"


def lose_power(lab: RealLab) -> None:
    """Let the node lose its power, and come back."""
    before = lab.births()[NODE]
    lab.run("power", "off", NODE)
    lab.run("power", "on", NODE)
    until(lambda: booted_since(lab, before))


def test_a_node_that_waits_at_its_gate_is_opened(gated: Drains) -> None:
    lab = gated.lab
    lose_power(lab)

    waits = not is_active(lab)
    named = until(lambda: [each for each in findings(check(lab)[1]) if each["rule"] == "gate-shut"])
    done(gated, "open")

    assert waits
    assert [each["node"] for each in named] == [NODE]
    assert f"stackward node gate open {NODE}" in named[0]["remedy"]
    assert is_active(lab)


def test_a_planned_reboot_opens_it(gated: Drains) -> None:
    lab = gated.lab
    before = lab.births()[NODE]

    lab.on(NODE, "systemd-run --quiet --on-active=1 systemctl reboot")

    until(lambda: booted_since(lab, before))
    until(lambda: is_active(lab))


def test_a_drained_node_is_returned_through_its_gate(gated: Drains) -> None:
    lab = gated.lab
    assert gated.drain(NODE).code == 0
    lose_power(lab)

    back = gated.call("node", "return", NODE, "--network", "lab-net", "--yes")

    assert back.returncode == 0, back.stderr
    assert is_active(lab)
