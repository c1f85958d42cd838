"""A nova-compute that nothing on its node shows, and that reports to Nova, is not called off."""

from collections.abc import Iterator

import pytest

from lab.drains import Drains
from real_lab import until
from stackward.errors import ExitCode

# As in a container whose processes no login sees: nothing of its words tells what it is.
HIDDEN = r"""
cat > /usr/local/lib/agent.py <<'END'
import sys
from nova.cmd.compute import main
sys.argv[0] = "agent"
main()
END
systemd-run --quiet --unit=agent --uid=nova --setenv=PYTHONPATH=/usr/lib/python3/dist-packages \
  /usr/bin/python3 /usr/local/lib/agent.py \
  --config-file=/etc/nova/nova.conf --config-file=/etc/nova/nova-compute.conf
"""


@pytest.fixture
def node(drains: Drains, nodes: tuple[str, str, str]) -> Iterator[str]:
    """Given a node without servers, on which a second nova-compute runs, of the same host."""
    name = nodes[2]
    drains.lab.on(name, HIDDEN)
    yield name
    drains.lab.on(name, "systemctl stop agent 2>/dev/null; rm -f /usr/local/lib/agent.py")


def test_a_drain_does_not_call_a_nova_compute_off_from_which_nova_hears(
    drains: Drains, node: str
) -> None:
    until(lambda: "agent.py" in drains.lab.on(node, "ps -e -o args"))

    ended = drains.drain(node)
    drains.lab.on(node, "systemctl stop agent")

    assert ended.code == ExitCode.FAILED, ended.said
    assert "Nova hears from its nova-compute still" in ended.said
    assert "although its unit is inactive and `ps` shows none" in ended.said


def test_a_drain_calls_it_off_once_nova_hears_from_it_no_more(
    drains: Drains, nodes: tuple[str, str, str]
) -> None:
    ended = drains.drain(nodes[2])

    assert ended.code == 0, ended.said
    [proof] = [each for each in drains.events if "nova-compute is off on" in str(each)]
    assert "Nova" in str(proof)
