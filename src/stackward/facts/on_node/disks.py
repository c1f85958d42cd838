"""Run on a node that may take servers: report which of their disks it sees. It changes nothing.

It gets one document of JSON: {"servers": [ids], "directories": [paths]}. It needs only the right to
read. It reports what it may not read.
"""

import fcntl
import json
import os
import pwd
import re
import stat
import struct
import sys
from typing import Any

QCOW2 = b"QFI\xfb"
DEEPEST = 16
AT_DEVICE, AT_ROOT, AT_MOUNT = 2, 3, 4  # of the words of a line of mountinfo
# QEMU 10 block/file-posix.c: bytes on which it holds locks while a guest has the image open.
LOCKED_FROM, LOCKED_BYTES = 100, 200
F_OFD_GETLK = 36  # linux/fcntl.h; Python has no name for it before 3.13
FLOCK = "hhqqi4x"


def main() -> None:
    """Print what is seen, as one document."""
    asked = json.loads(sys.argv[1])
    try:
        nova = pwd.getpwnam("nova").pw_uid
    except KeyError:
        nova = None
    told = {
        server: [seen_in(os.path.join(place, server), nova) for place in asked["directories"]]
        for server in asked["servers"]
    }
    sys.stdout.write(json.dumps({"version": 1, "told": told}) + "\n")


def seen_in(path: str, nova: "int | None") -> "dict[str, Any]":
    """Return what is seen of the directory of a server."""
    seen: dict[str, Any] = {
        "path": path,
        "there": False,
        "writable": None,
        "disks": {},
        "locked": [],
        "written": None,
        "storage": None,
        "place": None,
        "unread": None,
    }
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return seen
    except OSError as error:
        return {**seen, "unread": str(error)}
    seen["there"] = True
    seen["storage"], seen["place"] = storage_of(os.path.realpath(path), found.st_dev)
    if nova is not None:
        is_own = found.st_uid == nova and bool(found.st_mode & stat.S_IWUSR)
        is_ro = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
        seen["writable"] = is_own and not is_ro
    try:
        names = sorted(os.listdir(path))
        kinds = kinds_in(path) if "disk.info" in names else {}
        for name in names:
            if name == "disk" or name.startswith(("disk.eph", "disk.swap")):
                whole = os.path.join(path, name)
                seen["disks"][name] = chain_of(whole, kinds.get(whole))
                seen["written"] = max(seen["written"] or 0, written(whole))
                if not seen["disks"][name] and is_locked(whole):
                    seen["locked"].append(name)
    except (OSError, ValueError) as error:
        seen["unread"] = str(error)
    return seen


def storage_of(path: str, device: int) -> "tuple[str | None, str | None]":
    """Return the type and the source of the file system that has a folder, and its path in there.

    Of the mounts of that file system, the nearest one above the folder counts. Of two at one place
    the later one counts, which is on top.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    nearest, told = "", (None, None)  # type: str, tuple[str | None, str | None]
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounted:
        for line in mounted:
            left, _, right = line.partition(" - ")
            words, others = left.split(), right.split()
            if len(words) <= AT_MOUNT or words[AT_DEVICE] != number or not others[1:]:
                continue
            root, where = unescaped(words[AT_ROOT]), unescaped(words[AT_MOUNT])
            is_above = path == where or path.startswith(where.rstrip("/") + "/")
            if is_above and len(where) >= len(nearest):
                inside = os.path.join(root, os.path.relpath(path, where))
                storage = f"{others[0]} {unescaped(others[1])}"
                nearest, told = where, (storage, os.path.normpath(inside))
    return told


def unescaped(where: str) -> str:
    """Return a path of mountinfo, which spells out white space and backslashes in octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), where)


def written(path: str) -> int:
    """Return when a file was written last; 0 where it leads nowhere."""
    try:
        return int(os.stat(path).st_mtime)
    except OSError:
        return 0


def kinds_in(path: str) -> "dict[str, str]":
    """Return the format of each disk, as Nova itself wrote it down: no guest can change that."""
    with open(os.path.join(path, "disk.info"), encoding="utf-8") as written:
        kinds: dict[str, str] = json.load(written)
    return kinds


def is_locked(path: str) -> bool:
    """Say whether some QEMU has an image open, on this node or on another that shares it."""
    asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, LOCKED_FROM, LOCKED_BYTES, 0)
    with open(path, "rb") as disk:
        told = fcntl.fcntl(disk, F_OFD_GETLK, asked)
    return bool(struct.unpack(FLOCK, told)[0] != fcntl.F_UNLCK)


def chain_of(path: str, kind: "str | None") -> str:
    """Return why a disk is not whole; "" where each part of it is there."""
    for _ in range(DEEPEST):
        try:
            size = os.stat(path).st_size
        except OSError as error:
            return str(error)
        if size == 0:
            return f"{path} is empty"
        if kind == "raw":
            return ""
        with open(path, "rb") as disk:
            head = disk.read(20)
            if head[:4] != QCOW2:
                return "" if kind is None else f"{path} is not in the format {kind}"
            offset, length = struct.unpack(">QI", head[8:20])
            if not offset:
                return ""
            disk.seek(offset)
            behind = disk.read(min(length, 4096)).decode()
        path, kind = os.path.join(os.path.dirname(path), behind), None
    return f"its chain is deeper than {DEEPEST}"


main()
