"""A lab comes up, goes down and is put back to its first state, whatever became of it."""

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab_builders import a_lab
from left_behind import left_behind
from real_lab import STACKWARD, RealLab
from stackward.errors import ExitCode, Refused, StepFailed
from stackward.lab import machine
from stackward.lab.client import connect
from stackward.lab.cloud import layers_for
from stackward.lab.proof import boot
from stackward.report.progress import Phases

# From a warm cache, on a machine that is otherwise idle: what a shared machine cannot promise.
BAR_S = 90


@pytest.mark.soak
def test_a_reset_lab_has_its_first_server_within_the_bar(lab: RealLab) -> None:
    """It ends once a server on each node has become ACTIVE and is removed."""
    assert lab.timed("reset") < BAR_S


def test_a_reset_lab_is_as_on_its_first_day(lab: RealLab) -> None:
    boot(lab.cloud, "doomed", "c01")
    lab.run("break", "disk-full", "c01")

    lab.run("reset")

    assert list(connect(lab.spec).compute.servers(all_projects=True)) == []
    assert lab.read("status")["faults"] == []


def test_down_leaves_nothing_and_up_brings_all_back(lab: RealLab) -> None:
    cloud = connect(lab.spec)
    server = boot(cloud, "keeper", "c01")

    lab.run("down")
    left = left_behind(lab.spec)
    lab.run("up")

    assert left == []
    assert lab.read("status")["state"] == "done"
    assert connect(lab.spec).compute.get_server(server.id).name == "keeper"
    cloud.compute.delete_server(server.id)


@pytest.mark.usefixtures("is_root")
def test_a_disk_that_the_mounts_of_another_process_hold_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else `down` says that nothing is left, and the next `up` finds the disk in use."""
    monkeypatch.setattr(machine, "POWER_CHANGE_S", 0.1)
    disk = tmp_path / "shared.img"
    machine.make_disk(disk, 1)
    (tmp_path / "shared").mkdir()
    subprocess.run(["mount", "-o", "loop", disk, tmp_path / "shared"], check=True)
    holds = ["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo; exec sleep 60"]
    with subprocess.Popen(holds, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            holder.stdout.readline()
            subprocess.run(["umount", tmp_path / "shared"], check=True)

            with pytest.raises(StepFailed, match="still in use"):
                machine.wait_until_let_go(disk)
        finally:
            holder.kill()
    monkeypatch.undo()
    machine.wait_until_let_go(disk)


@contextmanager
def damaged(file: Path) -> Iterator[None]:
    """Let a file be another one for a while."""
    content, times = file.read_bytes(), file.stat()
    file.write_bytes(content + b"x")
    try:
        yield
    finally:
        file.write_bytes(content)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_damaged_layer_is_refused_by_its_name(lab: RealLab) -> None:
    [layer] = lab.spec.cache.glob("layers/base-*")

    with damaged(layer / "tree/etc/issue.net"):
        refused = lab.call("up")

    assert refused.returncode == ExitCode.BLOCKED
    assert f"the cached layer `{layer.name}` is damaged" in refused.stderr
    assert "hint: " in refused.stderr


def test_a_name_that_is_taken_is_refused_and_nothing_changes(lab: RealLab) -> None:
    births = lab.births()

    refused = lab.call("up", "--computes", "3")

    assert refused.returncode == ExitCode.BLOCKED
    assert f"the lab `{lab.name}` is there, and not as asked for" in refused.stderr
    assert "computes: is 2, asked for 3" in refused.stderr
    assert lab.births() == births


@pytest.mark.usefixtures("is_root")
def test_a_network_that_was_taken_since_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    taken = a_lab(tmp_path, network="127.0.0.0/24")

    with pytest.raises(Refused, match=r"the network 127\.0\.0\.0/24 of the lab `lab` is in use"):
        layers_for(taken, Phases(), mirror=None)

    assert not taken.cache.exists()


@pytest.mark.usefixtures("lab")
def test_what_is_not_root_is_told_so() -> None:
    ended = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", STACKWARD, "lab", "up"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ended.returncode != 0
    assert "root" in ended.stderr


@pytest.mark.soak
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
