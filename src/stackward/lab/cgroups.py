"""A cgroup for each thing of a lab that runs.

What lives in it is the truth, and killing it leaves nothing.
"""

import contextlib
import hashlib
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from stackward.errors import Refused, StepFailed
from stackward.lab.waiting import wait_until

TOP = "stackward-lab"
DEATH_S = 20


class Cgroup:
    """The cgroup of one node, or of one other process, of the lab whose files are in `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        # Two state directories may each have a lab of the same name.
        place = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
        self.path = cgroup_root() / TOP / f"{folder.name}-{place}" / name

    def is_populated(self) -> bool:
        """Say whether any process lives in it."""
        try:
            return "populated 1" in (self.path / "cgroup.events").read_text()
        except OSError:  # no such cgroup, or it vanished under the read: nothing runs in it
            return False

    def start(self, command: Sequence[str | Path], *, log: Path) -> None:
        """Start a process in it that outlives this one; returns once it is in there.

        It waits at a pipe until it has been put in: a starter that dies first takes it along,
        so nothing of a node ever runs outside its cgroup.

        Raises StepFailed when it ends before it is in.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        once_in = 'read go && { setsid "$@" </dev/null & }'
        with log.open("ab") as sink:
            starter = subprocess.Popen(
                ["sh", "-c", once_in, "sh", *map(str, command)],
                stdin=subprocess.PIPE, stdout=sink, stderr=subprocess.STDOUT, cwd="/",
            )  # fmt: skip
        try:
            (self.path / "cgroup.procs").write_text(str(starter.pid))
            starter.communicate(b"go\n")
        except OSError as error:
            starter.kill()
            starter.wait()
            raise StepFailed(f"cannot start `{command[0]}` in {self.path}: {error}") from error

    def init_pid(self) -> int | None:
        """Return the host's id of the process in it that is PID 1 of a container, or None."""
        for procs in self.path.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                for pid in procs.read_text().split():
                    status = Path("/proc", pid, "status").read_text()
                    if re.search(r"^NSpid:\t\d+\t1$", status, re.MULTILINE):
                        return int(pid)
        return None

    def is_frozen(self) -> bool:
        """Say whether all that is in it is stopped."""
        try:
            return "frozen 1" in (self.path / "cgroup.events").read_text()
        except OSError:  # as above
            return False

    def freeze(self) -> None:
        """Stop all that is in it at its present point; returns once all of it is stopped.

        Raises StepFailed when something does not stop, or when nothing is in it.
        """
        self._freeze("1")
        if not wait_until(self.is_frozen, within_s=DEATH_S, every_s=0.02):
            self._freeze("0")
            raise StepFailed(f"a process in {self.path} could not be frozen")

    def thaw(self) -> None:
        """Let it go on; returns once it does."""
        self._freeze("0")
        if not wait_until(lambda: not self.is_frozen(), within_s=DEATH_S, every_s=0.02):
            raise StepFailed(f"a process in {self.path} does not go on")

    def _freeze(self, state: str) -> None:
        try:
            (self.path / "cgroup.freeze").write_text(state)
        except OSError as error:
            raise StepFailed(f"{self.path} cannot be frozen or thawed: {error}") from error

    def kill(self) -> None:
        """Kill all that is in it and remove it; returns once nothing is left.

        Raises StepFailed when a process survives.
        """
        with contextlib.suppress(FileNotFoundError):
            (self.path / "cgroup.kill").write_text("1")
        if not wait_until(lambda: not self.is_populated(), within_s=DEATH_S, every_s=0.02):
            raise StepFailed(f"a process in {self.path} does not die")
        self.remove()

    def remove(self) -> None:
        """Remove it, and those above it when they are empty too."""
        below = [path for path in self.path.rglob("*") if path.is_dir()]
        for path in (*sorted(below, reverse=True), self.path, *list(self.path.parents)[:2]):
            with contextlib.suppress(OSError):  # others may live in those above
                path.rmdir()


def cgroup_root() -> Path:
    """Return where the host has mounted its cgroup v2 tree.

    Raises Refused when it has not.
    """
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    raise Refused(
        "no cgroup v2 tree is mounted on this machine",
        stands="nothing was changed",
        hint="boot it with systemd, or mount one: `mount -t cgroup2 none /sys/fs/cgroup/unified`",
    )
