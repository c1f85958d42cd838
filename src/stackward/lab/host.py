"""What this machine must offer before a lab can live on it; asked before anything is started."""

import importlib.util
import os
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stackward.errors import Refused
from stackward.lab.cgroups import cgroup_root
from stackward.lab.command import run
from stackward.lab.machine import free_gib

# program -> the Debian package that brings it
PROGRAMS: Mapping[str, str] = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "mkfs.ext4": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "losetup": "mount",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "find": "findutils",
}
KERNEL_FILE_SYSTEMS = ("overlay", "ext4", "cgroup2", "tmpfs")
DEVICES = ("/dev/loop-control", "/dev/net/tun")
# Packages 1, root file systems 5, a cloud's bake 1, a used lab 5: with a margin.
COLD_DISK_GIB = 14.0
WARM_DISK_GIB = 5.0
CONTROL_MEMORY_GIB = 3.5
COMPUTE_MEMORY_GIB = 1.0


def require_root() -> None:
    """Raise Refused unless this process is root."""
    if os.geteuid() != 0:
        raise Refused(
            "a lab needs root: it mounts file systems, makes networks and boots containers",
            stands="nothing was changed",
            hint="call it again as root, for example with `sudo`",
        )


def require_programs(*, install: bool, which: Callable[[str], str | None] = shutil.which) -> None:
    """Make sure of the host's programs, installing their packages when `install` says so.

    Raises Refused with the one apt line when some are missing.
    """
    packages = missing_packages(which)
    if packages and install:
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "-q", "update"], env=environment)
        run(
            ["apt-get", "-y", "-q", "install", "--no-install-recommends", *packages],
            env=environment,
        )
        packages = missing_packages(which)
    if packages:
        raise Refused(
            "programs that a lab needs are not on this machine",
            details=[
                f"{program}: in the package `{package}`"
                for program, package in PROGRAMS.items()
                if which(program) is None
            ],
            stands="nothing was changed",
            hint=f"`apt-get install {' '.join(packages)}`, or call again with `--install`",
        )
    if importlib.util.find_spec("sushy_tools") is None:
        raise Refused(
            "the nodes' BMCs need the Python package sushy-tools",
            stands="nothing was changed",
            hint="install Stackward with its extra: `pip install stackward[lab]`",
        )


def missing_packages(which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """Return the Debian packages whose programs are not on this machine."""
    missing = [package for program, package in PROGRAMS.items() if which(program) is None]
    return sorted(set(missing))


def require_kernel() -> None:
    """Raise Refused with everything that this machine's kernel cannot do."""
    known = Path("/proc/filesystems").read_text().split()
    lacks = [f"the file system {name}" for name in KERNEL_FILE_SYSTEMS if name not in known]
    lacks += [f"the device {device}" for device in DEVICES if not Path(device).exists()]
    if platform.machine() != "x86_64":
        lacks.append(f"an x86_64 processor (this is {platform.machine()})")
    if lacks:
        raise Refused(
            "this machine's kernel cannot run a lab",
            details=[f"it has no {lack}" for lack in lacks],
            stands="nothing was changed",
            hint="on a machine with modules: `modprobe -a overlay loop tun`",
        )
    cgroup_root()


@dataclass(frozen=True, slots=True)
class Room:
    """How much room this machine has, as it is asked."""

    disk_gib: Callable[[Path], float]
    memory_gib: Callable[[], float]


def require_room(
    folders: Mapping[str, Path], *, computes: int, is_cold: bool, room: Room | None = None
) -> None:
    """Raise Refused when memory or disk is short, with what is needed and what there is."""
    room = room or Room(free_gib, available_memory_gib)
    short = []
    needs_gib = COLD_DISK_GIB if is_cold else WARM_DISK_GIB
    for name, folder in folders.items():
        has_gib = room.disk_gib(folder)
        if has_gib < needs_gib:
            short.append(
                f"disk for the {name} ({folder}): needs {needs_gib:.0f} GiB, has {has_gib:.1f} GiB"
            )
    needs_gib = CONTROL_MEMORY_GIB + COMPUTE_MEMORY_GIB * computes
    has_gib = room.memory_gib()
    if has_gib < needs_gib:
        short.append(f"memory: needs {needs_gib:.1f} GiB available, has {has_gib:.1f} GiB")
    if short:
        raise Refused(
            "this machine has not enough room for the lab",
            details=short,
            stands="nothing was changed",
            hint="make room, or name another place with `--cache DIR` or STACKWARD_STATE_DIR",
        )


def available_memory_gib() -> float:
    """Return what the kernel calls available memory."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) / (1 << 20)
    return 0.0
