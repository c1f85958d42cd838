"""A queue without figures is down; who is to blame depends on whether a member is missing."""

import copy
import json
import re

import pytest

from fakes.nodes import sample
from fakes.site import Site
from stackward.model.health import Health, State


def rules(health: Health) -> list[tuple[str, str]]:
    return [(one.rule, one.where) for one in health.findings]


def down(site: Site, name: str) -> None:
    """Let a queue have no figures."""
    queues = site.told("ctl")["commands"]["rabbitmq queues"]
    queues["out"] = re.sub(rf"(?m)^{re.escape(name)}\t\d+\t\d+\t", f"{name}\t\t\t", queues["out"])
    assert f"{name}\t\t\t" in queues["out"]


@pytest.mark.parametrize(
    ("queue", "where"),
    [
        pytest.param("compute.c01", "nova-compute on c01", id="a nova-compute's"),
        pytest.param("conductor.ctl", "nova-conductor on ctl", id="a conductor's"),
        pytest.param("q-plugin.ctl", "neutron-rpc-server on ctl", id="neutron's"),
    ],
)
def test_a_queue_that_is_down_while_every_member_runs_is_found(queue: str, where: str) -> None:
    site = Site()
    down(site, queue)

    assert rules(site.look()) == [("own-queue-down", where)]


def test_a_queue_that_is_down_with_a_member_is_that_members_finding() -> None:
    site = Site()
    down(site, "compute.c01")
    answer = site.told("ctl")["commands"]["rabbitmq cluster"]
    told = json.loads(answer["out"])
    answer["out"] = json.dumps({**told, "disk_nodes": [*told["disk_nodes"], "rabbit@ctl2"]})

    assert [rule for rule, _ in rules(site.look())] == ["rabbitmq-member-missing"]


def of_another_cluster(site: Site, *, late: bool, member: str = "rabbit@ctl2") -> None:
    """Let ctl2 have a RabbitMQ of its own, where c02 has its queue."""
    commands = site.told("ctl")["commands"]
    for name in ("rabbitmq queues", "rabbitmq bindings"):
        lines = commands[name]["out"].splitlines(keepends=True)
        commands[name]["out"] = "".join(each for each in lines if "compute.c02" not in each)
    other = copy.deepcopy(sample("ctl"))
    other["hostname"] = "ctl2"
    cluster = other["commands"]["rabbitmq cluster"]
    cluster["out"] = cluster["out"].replace("rabbit@ctl", member)
    if late:
        other["commands"]["rabbitmq queues"] = {"code": None, "out": "", "err": "no answer in time"}
    site.nodes.told["ctl2"] = other


def test_a_queue_that_a_late_cluster_may_have_is_not_missing() -> None:
    site = Site()
    of_another_cluster(site, late=True)

    assert "own-queue-missing" not in {rule for rule, _ in rules(site.look())}


def test_a_late_member_of_one_cluster_hides_no_missing_queue() -> None:
    site = Site()
    of_another_cluster(site, late=True, member="rabbit@ctl")

    assert ("own-queue-missing", "nova-compute on c02") in rules(site.look())


def with_a_cell(site: Site, messages: int) -> None:
    """Let RabbitMQ have a virtual host of a cell, whose conductor on ctl reads nothing."""
    queues = f"conductor.ctl\t{messages}\t0\tclassic\n"
    site.command("ctl", "rabbitmq vhosts", 0, out="/\ncell1\n")
    site.command("ctl", "rabbitmq queues of cell1", 0, out=queues)
    bindings = "nova\tconductor.ctl\tconductor.ctl\n"
    site.command("ctl", "rabbitmq bindings of cell1", 0, out=bindings)
    site.nodes.pings["conductor.ctl"] = {"outcome": "answered", "took_s": 0.1}


def test_the_answer_of_one_cells_conductor_proves_no_other() -> None:
    site = Site()
    with_a_cell(site, 0)

    health = site.look()

    [found] = [one for one in health.components if one.name == "nova-conductor"]
    [gap] = [one for one in health.gaps if one.component == "nova-conductor"]
    assert found.state is State.NOT_PROVED
    assert "several virtual hosts have a queue of its name" in gap.why


def test_what_waits_for_a_conductor_of_another_cell_is_found() -> None:
    site = Site()
    with_a_cell(site, 7)

    [finding] = site.look().findings

    assert finding.rule == "queues-unread"
    assert finding.evidence == ("`conductor.ctl` of virtual host `cell1`: 7 messages",)
