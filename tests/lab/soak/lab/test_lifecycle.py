"""A lab comes up, goes down and is put back to its first state, whatever became of it."""

import os
import random
import signal
import subprocess

import pytest

from left_behind import left_behind
from real_lab import STACKWARD, RealLab
from stackward.lab.client import connect
from stackward.lab.proof import boot

# From a warm cache, on a machine that is otherwise idle: what a shared machine cannot promise.
BAR_S = 90


def test_a_reset_lab_has_its_first_server_within_the_bar(lab: RealLab) -> None:
    """It ends once a server on each node has become ACTIVE and is removed."""
    assert lab.timed("reset") < BAR_S


def test_a_reset_lab_is_as_on_its_first_day(lab: RealLab) -> None:
    boot(lab.cloud, "doomed", "c01")
    lab.run("break", "disk-full", "c01")

    lab.run("reset")

    assert list(connect(lab.spec).compute.servers(all_projects=True)) == []
    assert lab.read("status")["faults"] == []


@pytest.mark.usefixtures("is_root")
@pytest.mark.parametrize("seed", range(5))
def test_a_killed_up_is_finished_by_the_next(seed: int) -> None:
    """Killed with all that it started in its own session, at a moment that the seed chooses."""
    after_s = random.Random(seed).uniform(0.5, 50)  # noqa: S311  # no secret
    killed = RealLab("test-killed")
    environment = {**os.environ, "STACKWARD_LAB": killed.name}

    with subprocess.Popen(
        [STACKWARD, "lab", "up"], env=environment, start_new_session=True
    ) as process:
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    killed.run("up")
    state = killed.read("status")["state"]
    spec = killed.spec
    killed.run("down", "--purge")

    assert state == "done"
    assert left_behind(spec) == []
