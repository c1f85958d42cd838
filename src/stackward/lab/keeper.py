"""The process that is a node's hardware: it holds the disk and the cables, and boots the system.

Run as `unshare --mount --propagation private python -m stackward.lab.keeper SPEC.json`; ends when
the node is powered off. It is in the node's own cgroup. So to kill that cgroup is a power cut that
leaves nothing: mounts, loop devices and interfaces go with the last process.

Imports the standard library only: it stays in memory for as long as the node runs.
"""

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

REBOOT = 133  # systemd-nspawn's exit code for "reboot" when it cannot restart by itself
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
MNT_DETACH = 2
# Found necessary by trying: keyrings for systemd, bpf for OVS and systemd, perf for QEMU.
SYSTEM_CALLS = "@keyring bpf perf_event_open"


def main() -> None:
    """Boot the node described in the file that is named on the command line."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    drop_mounts_of_other_labs(Path(spec["root"]))
    mount_everything(spec)
    while boot(spec) == REBOOT:
        tell("reboot")
    tell("power off")


def tell(what: str) -> None:
    """Write a line on the node's console."""
    sys.stdout.write(f"keeper: {what}\n")
    sys.stdout.flush()


def drop_mounts_of_other_labs(root: Path) -> None:
    """Let go of what other labs have mounted, in this process's own mount namespace.

    It was copied from the host's: a copy would hold their disks when they go down. What cannot be
    let go of stays: the node does not need any of it to be away.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    mounted = Path("/proc/self/mountinfo").read_text()
    for place in mounts_of_other_labs(mounted, root, is_lab):
        if libc.umount2(os.fsencode(place), MNT_DETACH) != 0:
            tell(f"cannot let go of {place}: {os.strerror(ctypes.get_errno())}")


def mounts_of_other_labs(mountinfo: str, root: Path, is_lab: Callable[[Path], bool]) -> list[Path]:
    """Return the mount points below the folders of labs that `root` is not in, the last first."""
    escaped = [line.split()[4] for line in mountinfo.splitlines()]
    places = [
        Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), it)) for it in escaped
    ]
    return [
        place
        for place in reversed(places)
        if any(is_lab(above) and above not in root.parents for above in place.parents)
    ]


def is_lab(folder: Path) -> bool:
    """Say whether a folder is a lab's."""
    return (folder / "lab.json").exists()


def mount_everything(spec: dict[str, Any]) -> None:
    """Mount cgroups, the node's disk, and the root file system over its image."""
    # The host may mount cgroups as v1: a private mount of v2 leaves that as it is.
    mount("-t", "cgroup2", "none", "/sys/fs/cgroup")
    writable = Path(spec["writable"])
    if spec["disk"]:
        # A power cut of the host, and only that, can leave the file system unclean.
        subprocess.run(["e2fsck", "-p", spec["disk"]], check=False, stdout=subprocess.DEVNULL)
        mount("-o", "loop,noatime", spec["disk"], str(writable))
    introduced = writable / "introduced"
    for part in ("upper", "work", *(bind["from_disk"] for bind in spec["disk_binds"])):
        (writable / part).mkdir(exist_ok=True)
    layers = ":".join(spec["layers"])
    options = f"lowerdir={layers},upperdir={writable}/upper,workdir={writable}/work"
    mount("-t", "overlay", "overlay", "-o", options, spec["root"])
    root = Path(spec["root"])
    for bind in spec["disk_binds"]:
        os.chown(writable / bind["from_disk"], *ids(root, bind["owner"]))
    if not introduced.exists():
        for file in spec["files"]:
            write(root, **file)
        introduced.touch()


def write(root: Path, path: str, text: str, mode: int, owner: str) -> None:
    """Write one of the files that give the node its identity."""
    file = root / path.lstrip("/")
    for parent in reversed(file.parents):
        if not parent.exists():
            parent.mkdir(mode=0o755)
            os.chown(parent, *ids(root, owner))
    # A link in an image may lead to a file of the host.
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(text)
    file.chmod(mode)
    os.chown(file, *ids(root, owner))


def ids(root: Path, owner: str) -> tuple[int, int]:
    """Return the numbers of a `user:group` of the node."""
    user, group = owner.split(":")
    return number_of(root / "etc/passwd", user), number_of(root / "etc/group", group)


def number_of(file: Path, name: str) -> int:
    """Return the number that a `passwd` or `group` file gives to a name."""
    for line in file.read_text().splitlines():
        known, _, number, *_ = line.split(":")
        if known == name:
            return int(number)
    msg = f"{file} does not know `{name}`"
    raise LookupError(msg)


def mount(*arguments: str) -> None:
    """Mount something or end here, with mount's own words in the log."""
    subprocess.run(["mount", *arguments], check=True)


def boot(spec: dict[str, Any]) -> int:
    """Boot once, in a network of its own, and return how systemd-nspawn ended."""
    ready, told_ready = os.pipe()
    wired, told_wired = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready)
        os.close(told_wired)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if libc.unshare(CLONE_NEWNET) != 0:
            os._exit(1)
        os.write(told_ready, b"1")
        os.read(wired, 1)
        os.execvp("systemd-nspawn", nspawn(spec))  # noqa: S606  # this is what the keeper is for
    os.close(told_ready)
    os.close(wired)
    os.read(ready, 1)
    for cable in spec["cables"]:
        plug_in(cable, child)
    os.write(told_wired, b"1")
    os.close(ready)
    os.close(told_wired)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def plug_in(cable: dict[str, str], child: int) -> None:
    """Make a cable from a bridge of the host into the network of process `child`."""
    host, bridge, inside = cable["host"], cable["bridge"], cable["inside"]
    # The old end of a rebooting node may still be there for a moment.
    subprocess.run(["ip", "link", "delete", host], check=False, capture_output=True)
    own = ["address", cable["mac"]] if "mac" in cable else []  # as its BMC reports it
    pair = ["type", "veth", "peer", "name", inside, *own, "netns", str(child)]
    subprocess.run(["ip", "link", "add", host, *pair], check=True)
    subprocess.run(["ip", "link", "set", host, "master", bridge, "up"], check=True)


def nspawn(spec: dict[str, Any]) -> list[str]:
    """Return the command that boots the node in the network that it is called in."""
    return [
        "systemd-nspawn",
        "--quiet",
        f"--directory={spec['root']}",
        f"--machine={spec['machine']}",
        f"--hostname={spec['hostname']}",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--network-namespace-path=/proc/self/ns/net",
        "--private-users=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=read-only",
        "--capability=all",
        f"--system-call-filter={SYSTEM_CALLS}",
        *(
            f"--bind={spec['writable']}/{bind['from_disk']}:{bind['to']}"
            for bind in spec["disk_binds"]
        ),
        *(f"--bind={source}:{target}" for source, target in spec["binds"]),
    ]


if __name__ == "__main__":
    main()
