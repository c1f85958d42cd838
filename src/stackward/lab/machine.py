"""A node as a machine: its disk, its power, and who it is.

The state of its power is never remembered: it is read from the node's cgroup each time.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackward.errors import Refused, StepFailed
from stackward.lab.cgroups import Cgroup
from stackward.lab.command import python_module, run, tail_of
from stackward.lab.spec import Lab, Node
from stackward.lab.waiting import wait_until

POWER_CHANGE_S = 20
CLEAN_STOP_S = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What a node boots: its image, and where its own changes to it go."""

    layers: tuple[Path, ...]
    writable: Path
    disk: Path | None
    shared: tuple[tuple[Path, str], ...] = ()
    own_instances: bool = False


class Machine:
    """One node of a lab, with its power switch.

    This is the `Chassis` that the node's BMC works on.
    """

    def __init__(self, lab: Lab, node: Node) -> None:
        self.lab = lab
        self.node = node
        self.name = node.name
        self.folder = lab.node_folder(node.name)
        self.cgroup = Cgroup(lab.folder, node.name)

    def is_on(self) -> bool:
        """Say whether any process of the node lives."""
        return self.cgroup.is_populated()

    def power_on(self) -> None:
        """Boot the node as it was last set up; returns once its init runs. On an on node: nothing.

        Raises StepFailed with the console's last words when the node does not start.
        """
        with self._switch():
            if self.is_on():
                return
            wait_until_let_go(self.folder / "disk.img")
            self.cgroup.remove()  # what the last boot left in it
            self.cgroup.start(
                [
                    "unshare",
                    "--mount",
                    "--propagation",
                    "private",
                    *python_module("stackward.lab.keeper", self.folder / "machine.json"),
                ],
                log=self.console,
            )
            alive = wait_until(
                lambda: self.cgroup.init_pid() is not None, within_s=POWER_CHANGE_S, every_s=0.02
            )
        if not alive:
            raise StepFailed(
                f"the node `{self.name}` did not start",
                says=tail_of(self.console, 800).strip() or None,
                hint=f"its console is in {self.console}",
            )

    def cut_power(self) -> None:
        """Kill the node as a power cut would; returns once nothing of it is left.

        Raises StepFailed when a process of it survives.
        """
        with self._switch():
            self.cgroup.kill()
            wait_until_let_go(self.folder / "disk.img")

    def press_power_button(self) -> None:
        """Ask the node to shut down cleanly; returns at once."""
        pid = self.cgroup.init_pid()
        if pid is not None:
            os.kill(pid, signal.SIGRTMIN + 4)  # systemd: start poweroff.target

    def shut_down(self) -> None:
        """Shut the node down cleanly and wait for it; cut its power when it takes too long."""
        self.press_power_button()
        wait_until(lambda: not self.is_on(), within_s=CLEAN_STOP_S, every_s=0.1)
        self.cut_power()

    def answers_ssh(self) -> bool:
        """Say whether something listens on the node's SSH port."""
        return port_open(self.node.address, 22)

    def forget(self) -> None:
        """Remove the disk of a node that is off: it will boot as if for the first time."""
        with self._switch():
            if self.is_on():
                raise Refused(f"the node `{self.name}` is on", hint="power it off first")
            (self.folder / "disk.img").unlink(missing_ok=True)

    def set_up(self, system: System, files: Sequence[dict[str, object]]) -> None:
        """Write down what the node is to boot, and make its disk when it has none."""
        for folder in (self.folder, self.folder / "root", system.writable):
            folder.mkdir(parents=True, exist_ok=True)
        if system.disk is not None and not system.disk.exists():
            make_disk(system.disk, self.node.kind.disk_gib)
        cables = [{"host": self.node.host_interface, "bridge": self.lab.bridge, "inside": "host0"}]
        if self.node.host_data_interface:
            cables.append(
                {
                    "host": self.node.host_data_interface,
                    "bridge": self.lab.data_bridge,
                    "inside": "data0",
                }
            )
        cables = [{**cable, "mac": mac} for cable, mac in zip(cables, self.node.macs, strict=True)]
        instances = {
            "from_disk": "instances",
            "to": "/var/lib/nova/instances",
            "owner": "nova:nova",
        }
        spec: dict[str, Any] = {
            "machine": self.node.host_interface,
            "hostname": self.name,
            "root": str(self.folder / "root"),
            "layers": [str(layer) for layer in system.layers],
            "writable": str(system.writable),
            "disk": str(system.disk) if system.disk else None,
            "disk_binds": [instances] if system.own_instances else [],
            "binds": [[str(source), target] for source, target in system.shared],
            "cables": cables,
            "files": list(files),
        }
        (self.folder / "machine.json").write_text(json.dumps(spec, indent=1))

    @property
    def console(self) -> Path:
        """The file that holds what the node's console showed."""
        return self.folder / "console.log"

    @contextlib.contextmanager
    def _switch(self) -> Iterator[None]:
        """Let one power change happen at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "power.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def make_disk(disk: Path, gib: int) -> None:
    """Make a sparse file with a file system of `gib` GiB in it."""
    unfinished = disk.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with unfinished.open("wb") as file:
        file.truncate(gib << 30)
    # No journal: a power cut of a node is no power cut of this kernel. No reserve: full is full.
    features = ["-O", "^has_journal", "-m", "0", "-E", "lazy_itable_init=1,nodiscard"]
    run(["mkfs.ext4", "-q", *features, unfinished])
    unfinished.rename(disk)


def wait_until_let_go(disk: Path) -> None:
    """Wait for the kernel to let go of a disk: it does so after the last process is gone.

    Raises StepFailed when it is still held after 20 s.
    """
    if not wait_until(lambda: not in_loop_device(disk), within_s=POWER_CHANGE_S, every_s=0.02):
        raise StepFailed(
            f"the disk {disk} is still in use",
            hint="`lsns -t mnt` lists what has mounts of its own; `losetup -a` lists held disks",
        )


def in_loop_device(file: Path) -> bool:
    """Say whether a loop device still holds `file`."""
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            if backing.read_text().strip().removesuffix(" (deleted)") == str(file):
                return True
    return False


def port_open(address: str, port: int, timeout_s: float = 1) -> bool:
    """Say whether a TCP connection can be made."""
    try:
        with socket.create_connection((address, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def free_gib(folder: Path) -> float:
    """Return the free space of the file system that holds `folder`, or its nearest parent."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free / (1 << 30)


def each(machines: Sequence[Machine], action: Callable[[Machine], None]) -> None:
    """Do `action` to all machines at the same time; raise the first error afterwards."""
    with ThreadPoolExecutor(max_workers=len(machines) or 1) as pool:
        for ended in [pool.submit(action, machine) for machine in machines]:
            ended.result()
