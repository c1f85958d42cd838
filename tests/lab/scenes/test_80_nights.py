"""A lab that goes down leaves nothing and comes up with all that it had; then it is called well.

Ten looks in a row have no finding: the first comes as soon as `lab up` is done, the second while
servers are built.
"""

import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from lab.looks import check, findings, is_well
from lab.stage import Stage, scene
from left_behind import left_behind
from real_lab import STACKWARD, RealLab, until

LOAD_S = 300
LOOKS = 10
MOST_LOOKS = 20
# Why a look did not see something: the machine was too slow, and what hangs on that.
CUT_SHORT = {"deadline", "spared"}
ANSWERS = {
    "nova-compute": 3,
    "nova-conductor": 1,
    "nova-scheduler": 1,
    "cinder-scheduler": 1,
    "cinder-volume": 1,
    "neutron-rpc-server": 1,
}
# What nothing here can prove, each with why it cannot.
NOT_PROVED = {
    "the clock": "the node is a container, and its host keeps these",
    "the kernel log": "the node is a container, and its host keeps these",
    "neutron-periodic-workers": "it answers no request, so nothing can test it",
    # virtlogd is started by the first guest of a node.
    "virtlogd": "it has just been started, or it starts when it is needed",
}


@dataclass(frozen=True, kw_only=True)
class Night:
    """What a lab that was down has left, and what looks said of it once it was up."""

    left: list[str]
    state: str
    keeper: str
    looks: tuple[tuple[int, dict[str, Any]], ...]  # also those that a busy machine cut short
    last: dict[str, Any]
    of_one_node: tuple[int, dict[str, Any]]


@scene(budget_s=240)
def night(stage: Stage) -> Generator[Night]:
    """Let the lab go down and come up."""
    lab, drains = stage.lab, stage.drains
    stage.all_in_service()
    lab.run("drop", "masakari")
    drains.remove_left_over("keeper")
    drains.remove(*stage.servers_called("load-").values())  # else none is built while it is looked
    keeper = drains.boot("keeper", stage.nodes[0])
    until(lambda: lab.server(keeper).status == "ACTIVE")
    until(lambda: is_well(lab), within_s=240)
    stage.begins()
    lab.run("down")
    left = left_behind(lab.spec)
    lab.run("up")
    looks = [check(lab)]
    again = RealLab(lab.name)  # the client of before has a token of before
    with being_loaded(again):
        looks.append(check(lab))
    while len(looks) < MOST_LOOKS and sum(is_whole(told) for _, told in looks) < LOOKS:
        looks.append(check(lab))
    lab.wait_until_all_is_old_enough()
    yield Night(
        left=left,
        state=lab.read("status")["state"],
        keeper=again.server(keeper).name,
        looks=tuple(looks),
        last=until(lambda: told if is_whole(told := check(lab)[1]) else None),
        of_one_node=check(lab, "node", "check", stage.nodes[0]),
    )
    drains.remove(keeper)


def is_whole(told: dict[str, Any]) -> bool:
    """Say whether a look had the time that it needed: on a machine as busy as this, it may not."""
    return not {each["kind"] for each in told["unknown"]} & CUT_SHORT


@contextmanager
def being_loaded(lab: RealLab) -> Iterator[None]:
    """Have servers built on a lab meanwhile; they are removed at the end."""
    loading = subprocess.Popen(
        [STACKWARD, "lab", "load", "4", "--name", lab.name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: any(one.status == "BUILD" for one in loaded(lab)))
        yield
        assert loading.poll() is None, "the load was there before the look had ended"
    finally:
        assert loading.wait(LOAD_S) == 0
        for one in loaded(lab):
            lab.cloud.compute.delete_server(one.id)
        until(lambda: not loaded(lab))


def loaded(lab: RealLab) -> list[Any]:
    """Return the servers of the load."""
    return list(lab.cloud.compute.servers(all_projects=True, name="^load-"))


def test_down_leaves_nothing_and_up_brings_all_back(night: Night) -> None:
    assert night.left == []
    assert (night.state, night.keeper) == ("done", "keeper")


def test_a_cloud_that_is_well_has_no_finding_ten_times_in_a_row(night: Night) -> None:
    whole = [(code, told["unknown"]) for code, told in night.looks if is_whole(told)]

    assert [found for _, told in night.looks for found in findings(told)] == []
    assert whole == [(0, [])] * LOOKS


@pytest.mark.parametrize("component", ANSWERS)
def test_services_are_proved_to_answer(night: Night, component: str) -> None:
    count = ANSWERS[component]
    [one] = [one for one in night.last["components"] if one["name"] == component]

    assert one["shown_by"].startswith(f"{count} of {count} answer over RPC")


def test_what_is_not_proved_on_a_healthy_lab_is_exactly_what_cannot_be(night: Night) -> None:
    found = {one["what"]: one["why"] for one in night.last["not_proved"]}

    assert found.items() <= NOT_PROVED.items()
    assert found.keys() >= NOT_PROVED.keys() - {"virtlogd"}
    assert night.last["unknown"] == []


def test_one_node_is_looked_at_alone(night: Night) -> None:
    code, told = night.of_one_node

    assert code == 0
    assert {node for one in told["components"] for node in one["nodes"]} == {"c01"}
