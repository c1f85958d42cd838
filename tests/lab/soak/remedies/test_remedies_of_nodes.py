"""What is advised where a nova-compute runs outside its unit is carried out: there is one of it.

Given a node without servers, whose nova-compute is really run by something else; when a plan says
what to do; then that is done, and the next plan goes through to its end.
"""

from collections.abc import Iterator

import pytest

from lab.drains import Drains
from lab.remedies import advice, carry_out, printed, return_advice
from real_lab import until
from stackward.model.maintenance import DROP_IN, MAINTENANCE

OTHER = "other-compute"
START_OTHER = f"""
systemd-run --quiet --unit={OTHER} --uid=nova /usr/bin/nova-compute \
  --config-file=/etc/nova/nova.conf --config-file=/etc/nova/nova-compute.conf
"""
STOP_OTHER = f"systemctl stop {OTHER} 2>/dev/null; systemctl enable nova-compute 2>/dev/null; true"


@pytest.fixture
def node(drains: Drains, nodes: tuple[str, str, str]) -> Iterator[str]:
    """Given a node without servers, in service before and after."""
    name = nodes[2]
    until(lambda: drains.is_in_service(name))
    yield name
    drains.lab.on(name, STOP_OTHER)
    drains.put_back(name)


def started_otherwise(drains: Drains, node: str) -> None:
    """Have something else than the unit run nova-compute, and wait until Nova hears from it."""
    last = drains.service(node).updated_at
    drains.lab.on(node, START_OTHER)
    until(lambda: drains.reports_anew(node, last))


def runs(drains: Drains, node: str) -> int:
    """Return how many nova-computes run on a node."""
    return int(drains.lab.on(node, "pgrep -fc '^/usr/bin/python3 /usr/bin/nova-compute' || true"))


def test_a_nova_compute_that_is_no_unit_is_left_on_and_stopped_by_what_manages_it(
    drains: Drains, node: str
) -> None:
    drains.lab.on(node, "systemctl stop nova-compute")
    started_otherwise(drains, node)
    remedy = advice(drains, node, "not-a-unit")

    ended = drains.drain(node, printed(remedy, "--keep-service"))
    still = drains.service(node).state
    drains.lab.on(node, f"systemctl stop {OTHER}")

    assert ended.code == 0, ended.said
    assert still == "up"
    until(lambda: drains.service(node).state == "down")
    assert runs(drains, node) == 0


@pytest.mark.parametrize("is_unit_wanted", [True, False])
def test_of_two_nova_computes_of_a_node_one_is_left(
    drains: Drains, node: str, *, is_unit_wanted: bool
) -> None:
    ended = drains.drain(node)
    assert ended.code == 0, ended.said
    started_otherwise(drains, node)
    remedy = return_advice(drains, node, "second-compute")

    if is_unit_wanted:
        drains.lab.on(node, f"systemctl stop {OTHER}")
    else:
        carry_out(drains.lab, remedy, "systemctl unmask nova-compute", on=node)
        carry_out(drains.lab, remedy, "systemctl disable nova-compute", on=node)
        carry_out(drains.lab, remedy, "rm -f", on=node)
        assert drains.lab.on(node, f"ls {MAINTENANCE} {DROP_IN} 2>/dev/null || true") == ""

    back = drains.call("node", "return", node, "--network", "lab-net", "--yes")
    assert back.returncode == 0, back.stdout + back.stderr
    until(lambda: drains.is_in_service(node))
    assert runs(drains, node) == 1
    active, enabled = drains.unit(node)
    assert (active, enabled) == (
        ("active", "enabled") if is_unit_wanted else ("inactive", "disabled")
    )
