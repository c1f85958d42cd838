"""What a lab asks of this machine, and refuses before anything is built."""

import subprocess
from pathlib import Path

import pytest

from lab_builders import a_lab
from stackward.errors import Refused, StepFailed
from stackward.lab import machine
from stackward.lab.cloud import layers_for
from stackward.report.progress import Phases


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


@pytest.mark.usefixtures("is_root")
def test_a_network_that_was_taken_since_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    taken = a_lab(tmp_path, network="127.0.0.0/24")

    with pytest.raises(Refused, match=r"the network 127\.0\.0\.0/24 of the lab `lab` is in use"):
        layers_for(taken, Phases(), mirror=None)

    assert not taken.cache.exists()
