"""A server is never started a second time: its target dies, or the order to evacuate it is lost.

The nova-compute of a target dies after it has started a guest, and before Nova writes the new host:
a guest runs that Nova does not know of. A second target is refused until that guest is ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.drains import Drains
from lab.evacuations import Written, bring_back, on_a_volume, written
from real_lab import STACKWARD, RealLab, until
from stackward.errors import ExitCode
from stackward.lab.configuration import LOGIN

LEFT, ORDERED = "copy-left", "copy-ordered"


@dataclass(frozen=True, kw_only=True)
class Copies:
    """What the commands said, and which guests there were."""

    of_a_living_node: tuple[int, str]  # `lab break evacuation-lost`
    first: tuple[int, str]
    first_state: str
    where_left: str | None  # the host, by Nova, while the guest runs on the target
    domain_left: str  # on the target
    too_early: tuple[int, str]  # the lost order is passed over at once
    refused: tuple[int, str]
    ended: tuple[int, str]
    order: tuple[int, str]
    places: dict[str, list[str]]  # by server: the nodes that have a domain of it, in the end
    statuses: dict[str, str]
    hosts: dict[str, str]
    boots: tuple[Written, Written]  # of the one that was left: before, and in the end
    other: str


@pytest.fixture(scope="module")
def copies(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Copies]:
    """Given a dead node: the target of one server dies, the order of another is lost."""
    drains, (other, target, node) = Drains(lab, tmp_path_factory.mktemp("journal")), nodes
    drains.remove_left_over("copy-")
    made = {name: on_a_volume(lab, name, node) for name in (LEFT, ORDERED)}
    drains.wait_for_guests([*made.values()])
    assert drains.call("node", "check", node).returncode == 0
    refused = lab.call("break", "evacuation-lost", made[ORDERED])
    lab.run("break", "target-dies-after-spawn", target)
    lab.run("power", "off", node)
    until(lambda: lab.compute_state(node) == "down")
    lab.run("break", "evacuation-lost", made[ORDERED])
    before, guest = written(lab, made[LEFT]), lab.server(made[LEFT]).instance_name
    asked = ("node", "evacuate", node, "--reason", "tested", "--only")
    lost = (*asked, made[ORDERED], "--reset-state", made[ORDERED], "--to", other)
    too_early = said(drains, *lost, "--dry-run")
    going = drains.start([STACKWARD, *asked, made[LEFT], "--to", target, "--yes"])
    until(lambda: lab.compute_state(target) == "down", within_s=300)
    domain = lab.domains(target).get(guest, "absent")
    where = lab.server(made[LEFT]).hypervisor_hostname
    first = going.ended()
    state = str(drains.run["State"])
    assert drains.call("run", "cancel", drains.run["ID"]).returncode == 0
    # By it the two nodes that are down are known to be: else all is refused.
    outage = ("--accept-outage", f"{node},{target}")
    again = (*asked, made[LEFT], "--reset-state", made[LEFT], "--to", other, *outage)
    second = said(drains, *again, "--yes")
    lab.on(target, f"usermod -aG libvirt {LOGIN}")
    ended = said(drains, *again, "--kill-domain", f"{target}/{made[LEFT]}", "--yes")
    lab.on(target, f"gpasswd -d {LOGIN} libvirt")
    order = until(lambda: understood(drains, *lost, *outage, "--yes"), within_s=300)
    domains = {each: lab.domains(each) for each in (other, target)}
    named = {name: lab.server(each).instance_name for name, each in made.items()}
    yield Copies(
        of_a_living_node=(refused.returncode, refused.stderr),
        first=(first.code, " ".join(first.said.split())),
        first_state=state,
        where_left=where,
        domain_left=domain,
        too_early=too_early,
        refused=second,
        ended=ended,
        order=order,
        places={
            name: [each for each, found in domains.items() if one in found]
            for name, one in named.items()
        },
        statuses={name: lab.server(each).status for name, each in made.items()},
        hosts={name: lab.server(each).hypervisor_hostname for name, each in made.items()},
        boots=(before, written(lab, made[LEFT])),
        other=other,
    )
    lab.run("mend", "target-dies-after-spawn")
    lab.run("mend", "evacuation-lost")
    bring_back(drains, node)
    drains.remove(*made.values())


def understood(drains: Drains, *words: str) -> tuple[int, str] | None:
    """Return what a command said; nothing where a busy machine was too slow for its questions."""
    ended = said(drains, *words)
    return None if ended[0] and "cannot be read" in ended[1] else ended


def said(drains: Drains, *words: str) -> tuple[int, str]:
    ended = drains.call(*words)
    return ended.returncode, " ".join((ended.stdout + ended.stderr).split())


def test_an_order_for_a_server_of_a_living_node_cannot_be_lost(copies: Copies) -> None:
    code, text = copies.of_a_living_node

    assert code == ExitCode.BLOCKED
    assert "Nova evacuates only from a node that is down" in text


def test_a_guest_is_left_that_nova_does_not_know_of(
    copies: Copies, nodes: tuple[str, str, str]
) -> None:
    assert copies.domain_left == "running"
    assert copies.where_left == nodes[2]


def test_the_run_ends_and_says_where_its_guest_may_be(
    copies: Copies, nodes: tuple[str, str, str]
) -> None:
    code, text = copies.first

    assert code not in {0, None}
    assert copies.first_state == "stopped"
    assert f"nova-compute on its target `{nodes[1]}` is down" in text
    assert "its guest may run there, and Nova does not know of it" in text


def test_a_second_target_is_refused(copies: Copies, nodes: tuple[str, str, str]) -> None:
    code, text = copies.refused

    assert code == ExitCode.BLOCKED
    assert "evacuate/living-copy" in text
    assert f"libvirt on `{nodes[1]}` has a guest of it (running)" in text


def test_once_that_guest_is_ended_the_server_is_brought_up_once(copies: Copies) -> None:
    before, after = copies.boots

    assert copies.ended[0] == 0, copies.ended[1]
    assert copies.places[LEFT] == [copies.other]
    assert copies.hosts[LEFT] == copies.other
    assert after.boots > before.boots


def test_an_order_is_not_called_lost_at_once(copies: Copies) -> None:
    code, text = copies.too_early

    assert code == ExitCode.BLOCKED
    assert "evacuate/order-may-come" in text


def test_an_order_that_is_proved_lost_is_given_again(copies: Copies) -> None:
    assert copies.order[0] == 0, copies.order[1]
    assert "evacuate/order-lost" in copies.order[1]
    assert copies.places[ORDERED] == [copies.other]
