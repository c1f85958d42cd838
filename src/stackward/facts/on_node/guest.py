"""Run on a server's node: report how its guest is, and whether all that it needs is there.

It only looks. It gets one JSON object after itself: {"server": id, "within_s": seconds}. If it does
not run as root, it reports what it may not read. Standard library only, no later Python than 3.7
needed.
"""

from __future__ import annotations

import glob
import json
import os
import pwd
import re
import stat
import struct
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from typing import Any

VIRSH = ("virsh", "--readonly", "--connect", "qemu:///system")
EACH_S = 6.0
DEEPEST = 16
LAST_BYTES = 16384  # of the console
MOST_LINES = 60
SECTOR = 512
LUKS = b"LUKS\xba\xbe"
ACL_VERSION, ACL_HEAD, ACL_ENTRY = b"\x02\0\0\0", 4, 8
ACL_OWNER, ACL_USER, ACL_OWNING_GROUP, ACL_GROUP, ACL_MASK, ACL_OTHER = 1, 2, 4, 8, 16, 32
PCS = ("x86_64", "i686", "i386")  # whose firmware boots a disk by the signature of its first sector
HEX_LINE = re.compile(r"[0-9a-f]{2}( [0-9a-f]{2}){15}")  # as `qemu-io` writes it
MOST_NAME = 4096  # bytes of the name of a backing file
MOST_OUT = 1_000_000
INSTANCES = "/var/lib/nova/instances"
QEMU_USERS = ("libvirt-qemu", "qemu")
QEMU_SETTINGS = "/etc/libvirt/qemu.conf"
USER_SETTING = re.compile(r"^\s*user\s*=\s*[\"']([^\"']+)[\"']", re.MULTILINE)
QEMU_PROGRAMS = ("qemu-system", "qemu-kvm", "kvm")


def main() -> None:
    """Print what is seen, as one document."""
    asked = json.loads(sys.stdin.read())
    sys.stdout.write(json.dumps(Look(asked["server"], asked["within_s"]).told()) + "\n")


class Look:
    """One look at a guest."""

    def __init__(self, server: str, within_s: float) -> None:
        self.server = server
        self.ends = time.monotonic() + within_s
        self.unread: list[str] = []

    def run(self, *words: str) -> dict[str, Any]:
        """Run a command; return what it wrote and how it ended, `code` None if it did not end."""
        left = min(EACH_S, self.ends - time.monotonic())
        if left <= 0:
            return {"code": None, "out": "", "err": "no time was left for it"}
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=left,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
            )
        except subprocess.TimeoutExpired:
            return {"code": None, "out": "", "err": f"no answer in {left:.0f} s"}
        except OSError as error:
            return {"code": None, "out": "", "err": str(error)}
        return {
            "code": done.returncode,
            "out": done.stdout.decode("utf-8", "replace")[:MOST_OUT],
            "err": done.stderr.decode("utf-8", "replace")[:4000].strip(),
        }

    def told(self) -> dict[str, Any]:
        """Return all that is seen."""
        version = self.run(*VIRSH, "version")
        told: dict[str, Any] = {
            "version": 1,
            "is_root": os.geteuid() == 0,
            "libvirt": {"code": version["code"], "err": version["err"]},
            "domain": None,
            "space": [space_at(path) for path in (INSTANCES, "/var/lib/libvirt", "/var/log", "/")],
            "memory_available": memory_available(),
        }
        if version["code"] == 0:
            told["domain"] = self.domain()
        told["own_disk"] = self.own_disk(told["domain"])
        told["unread"] = self.unread
        return told

    def domain(self) -> dict[str, Any]:
        """Return what libvirt has of it, and whether that is there."""
        given = self.run(*VIRSH, "dumpxml", self.server)
        if given["code"] != 0:
            return {"is_there": False, "code": given["code"], "err": given["err"]}
        try:
            root = ET.fromstring(given["out"])  # noqa: S314  # libvirt's own
        except ET.ParseError as error:
            self.unread.append(f"its XML: {error}")
            return {"is_there": True, "code": 0, "err": "", "name": "", "state": "", "why": ""}
        state = self.run(*VIRSH, "domstate", "--reason", self.server)["out"].strip()
        word, _, why = state.partition(" (")
        kind = root.find("./os/type")
        machine = kind.get("machine", "") if kind is not None else ""
        emulator = (root.findtext("./devices/emulator") or "").strip()
        pid = self.pid_of(root.findtext("name") or "")
        return {
            "is_there": True,
            "code": 0,
            "err": "",
            "name": root.findtext("name") or "",
            "state": word.strip(),
            "why": why.rstrip(")"),
            "is_bios": is_bios(root),
            "boots_from_disks": boots_from_disks(root),
            "has_huge_pages": root.find("./memoryBacking/hugepages") is not None,
            "machine": machine,
            "knows_machine": self.knows_machine(machine),
            "emulator": emulator,
            "has_emulator": os.path.exists(emulator) if emulator else None,
            "cpu": self.compare_cpu(root),
            "disks": [self.disk(one, pid) for one in root.findall("./devices/disk")],
            "bridges": [
                {"name": name, "is_there": os.path.isdir("/sys/class/net/" + name)}
                for name in sorted({one.get("bridge", "") for one in root.iter("source")} - {""})
            ],
            "pci": [
                {"address": one, "is_there": os.path.isdir("/sys/bus/pci/devices/" + one)}
                for one in sorted(set(pci_of(root)))
            ],
            "secrets": self.secrets(root),
            "console": self.console(root),
            "started_s": started(pid),
        }

    def pid_of(self, name: str) -> int | None:
        """Return the process of the guest; None where it has none, or it may not be read."""
        for folder in ("/run/libvirt/qemu", "/var/run/libvirt/qemu"):
            try:
                with open(f"{folder}/{name}.pid") as file:
                    pid = int(file.read().strip())
                    return pid if os.path.isdir(f"/proc/{pid}") else None
            except (OSError, ValueError):
                continue
        return None

    def knows_machine(self, machine: str) -> bool | None:
        """Say whether the node's libvirt lists the machine type; None where it does not say."""
        if not machine:
            return None
        given = self.run(*VIRSH, "capabilities")
        if given["code"] != 0:
            self.unread.append(f"machine types: {given['err']}")
            return None
        return f">{machine}</machine>" in given["out"] or f"canonical='{machine}'" in given["out"]

    def compare_cpu(self, root: ET.Element) -> dict[str, Any] | None:
        """Ask libvirt whether the node has what a named CPU model must have."""
        cpu = root.find("./cpu")
        if cpu is None or cpu.get("mode") != "custom" or root.get("type") != "kvm":
            return None
        path = f"/proc/{os.getpid()}/fd/"
        try:
            source = os.memfd_create("cpu")
            os.write(source, ET.tostring(cpu))
        except (AttributeError, OSError) as error:
            self.unread.append(f"CPU: {error}")
            return None
        given = self.run(*VIRSH, "hypervisor-cpu-compare", "--error", f"{path}{source}")
        return {"code": given["code"], "says": (given["err"] or given["out"]).strip()}

    def secrets(self, root: ET.Element) -> list[dict[str, Any]]:
        """Return the secrets that it names, with whether libvirt has them."""
        wanted = sorted({one.get("uuid", "") for one in root.iter("secret")} - {""})
        if not wanted:
            return []
        given = self.run(*VIRSH, "secret-list")
        if given["code"] != 0:
            self.unread.append(f"secrets: {given['err']}")
            return []
        return [{"uuid": one, "is_there": one in given["out"]} for one in wanted]

    def disk(self, one: ET.Element, pid: int | None) -> dict[str, Any]:
        """Return a disk of it: whether all that it is based on is there, and can be read."""
        source, target = one.find("source"), one.find("target")
        given = source.attrib if source is not None else {}
        path = given.get("file") or given.get("dev") or ""
        seen = look_at(path) if path else {}
        driver = one.find("driver")
        kind = driver.get("type", "raw") if driver is not None else "raw"
        return {
            "device": target.get("dev", "") if target is not None else "",
            "kind": one.get("device", "disk"),
            "serial": (one.findtext("serial") or "").strip(),
            "network": given.get("name") if one.get("type") == "network" else None,
            **self.image(path, kind, pid, seen),
            **({"sector": "encrypted"} if one.find(".//encryption") is not None else {}),
        }

    def own_disk(self, domain: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return the disk that Nova gave it, where libvirt has no domain that names it."""
        path = f"{INSTANCES}/{self.server}/disk"
        if (domain and domain["is_there"]) or not os.path.lexists(path):
            return None
        return {
            "device": "", "kind": "disk", "serial": "", "network": None,
            **self.image(path, format_of(path), None, look_at(path)),
        }  # fmt: skip

    def image(self, path: str, kind: str, pid: int | None, seen: dict[str, Any]) -> dict[str, Any]:
        """Return what is known of a disk that is a file or a device."""
        told: dict[str, Any] = {
            "path": path, "format": kind, "is_there": None, "unread": "", "info": None,
            "missing": None, "denied": None, "held_by": [], "sector": None, "sharing": 0,
        }  # fmt: skip
        if not path:
            return told
        told.update(seen)
        if not seen["is_there"]:
            return told
        # With its format: without it a damaged image is taken for a raw one, which is never
        # damaged.
        info = self.run("qemu-img", "info", "-U", "-f", kind, "--backing-chain", path)
        told["info"] = {"code": info["code"], "err": info["err"]}
        told["missing"] = missing_below(path)
        if told["missing"]:
            told["sharing"] = sharing(told["missing"])
        told["denied"] = denied(path)
        if os.geteuid() == 0:
            told["held_by"] = holders(path, pid)
        if info["code"] == 0:
            told["sector"] = self.sector(path, kind)
        return told

    def sector(self, path: str, kind: str) -> str | None:
        """Return what is in the first sector of a disk: `boot`, `gpt`, `empty` or `other`."""
        words = ["qemu-io", "-r", "-U", "-f", kind, "-c", f"read -v 0 {2 * SECTOR}", path]
        given = self.run(*words)
        found = bytearray()
        for line in given["out"].splitlines():
            _, colon, rest = line.partition(":")
            cells = rest.strip().split("  ")[0] if colon else ""
            if HEX_LINE.fullmatch(cells):
                found += bytes.fromhex(cells)
        if given["code"] != 0 or len(found) < 2 * SECTOR:
            self.unread.append(f"the first sector of {path}: {given['err'] or 'not understood'}")
            return None
        if bytes(found[:6]) == LUKS:
            return "encrypted"
        if bytes(found[510:512]) == b"\x55\xaa":
            return "boot"
        if bytes(found[SECTOR : SECTOR + 8]) == b"EFI PART":
            return "gpt"
        return "other" if any(found[:SECTOR]) else "empty"

    def console(self, root: ET.Element) -> dict[str, Any] | None:
        """Return the last lines that the guest has written, from the file that libvirt names."""
        logs = [one.get("file") for one in root.findall("./devices/*/log")]
        path = next((one for one in logs if one), None)
        if path is None:
            return None
        told: dict[str, Any] = {"path": path, "lines": [], "first_line": 1, "written": None}
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                told["written"] = os.fstat(file.fileno()).st_mtime
                begin = max(0, size - LAST_BYTES)
                before = 0
                for _ in range(min(256, begin // 65536 + 1)):
                    before += file.read(min(65536, begin - file.tell())).count(b"\n")
                file.seek(begin)
                lines = file.read(LAST_BYTES).decode("utf-8", "replace").splitlines()
        except OSError as error:
            self.unread.append(f"the console: {error}")
            return {**told, "unread": str(error)}
        told["lines"] = lines[-MOST_LINES:]
        told["first_line"] = before + len(lines) - len(told["lines"]) + 1
        return {**told, "unread": ""}


def is_bios(root: ET.Element) -> bool:
    """Say whether a guest boots a disk as a PC without UEFI does."""
    os_, kind = root.find("./os"), root.find("./os/type")
    if os_ is None or os_.get("firmware") == "efi":
        return False
    if os_.find("loader") is not None or os_.find("kernel") is not None:
        return False
    return kind is None or kind.get("arch", PCS[0]) in PCS


def boots_from_disks(root: ET.Element) -> bool:
    """Say whether it can boot from its disks alone: not from a CD or the network first or last."""
    if any(one.get("dev") != "hd" for one in root.findall("./os/boot")):
        return False
    ordered = [one for one in root.findall("./devices/*") if one.find("boot") is not None]
    return all(one.tag == "disk" and one.get("device", "disk") == "disk" for one in ordered)


def format_of(path: str) -> str:
    """Return the format of a disk as Nova has written it down next to it."""
    try:
        with open(os.path.join(os.path.dirname(path), "disk.info")) as file:
            return str(json.load(file)[path])
    except (OSError, ValueError, LookupError, TypeError):
        return "qcow2"


def look_at(path: str) -> dict[str, Any]:
    """Say whether a path is there; a device that its link leads to nowhere is not."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return {"is_there": False, "unread": ""}
    except OSError as error:
        return {"is_there": True, "unread": str(error)}
    return {"is_there": True, "unread": ""}


def backing_of(path: str) -> str | None:
    """Return the file that a qcow2 image is based on, by its header; None where there is none."""
    try:
        with open(path, "rb") as file:
            head = file.read(20)
            if head[:4] != b"QFI\xfb":
                return None
            begin, size = int.from_bytes(head[8:16], "big"), int.from_bytes(head[16:20], "big")
            if not begin or not 0 < size < MOST_NAME:
                return None
            file.seek(begin)
            name = os.fsdecode(file.read(size))
    except OSError:
        return None
    return name if name.startswith("/") else os.path.join(os.path.dirname(path), name)


def missing_below(path: str) -> str | None:
    """Return the first file below an image that is not there."""
    for _ in range(DEEPEST):
        below = backing_of(path)
        if below is None:
            return None
        if not os.path.exists(below):
            return below
        path = below
    return None


def sharing(base: str) -> int:
    """Count the disks of the node that are based on the same file."""
    return sum(backing_of(one) == base for one in glob.glob(f"{INSTANCES}/*/disk"))


def denied(path: str) -> dict[str, str] | None:
    """Return where QEMU's user may not go on the way to a file; None where it may, or is unknown.

    libvirt gives the file itself to that user when it starts the guest, with the mode that it has;
    the folders it leaves.
    """
    try:
        own = os.stat(path).st_mode
    except OSError:
        return None
    if stat.S_ISREG(own) and not own & stat.S_IRUSR and access_list(path) is None:
        mode = f"the file has the mode {stat.S_IMODE(own):04o}"
        return {"user": "its owner", "path": path, "why": mode}
    user = next((each for each in map(user_called, qemu_users()) if each), None)
    if user is None or user.pw_uid == 0:
        return None
    groups = set(os.getgrouplist(user.pw_name, user.pw_gid))
    folder = os.path.dirname(os.path.realpath(path))
    while True:
        try:
            found = os.stat(folder)
        except OSError:
            return None
        given = access_list(folder)
        if given is not None:
            may = may_enter(given, found, user.pw_uid, groups)
        else:
            shift = 6 if found.st_uid == user.pw_uid else 3 if found.st_gid in groups else 0
            may = bool((found.st_mode >> shift) & 1)
        if not may:
            mode = f"the folder has the mode {found.st_mode & 0o7777:04o}, owner {found.st_uid}"
            return {"user": user.pw_name, "path": folder, "why": mode}
        if folder == "/":
            return None
        folder = os.path.dirname(folder)


def access_list(path: str) -> list[tuple[int, int, int]] | None:
    """Return the POSIX ACL of a file: tag, rights, id; None where it has none.

    The kernel's include/uapi/linux/posix_acl_xattr.h: version 2, then 8 bytes for each entry.
    """
    try:
        given = os.getxattr(path, "system.posix_acl_access")
    except (AttributeError, OSError):
        return None
    if len(given) % ACL_ENTRY != ACL_HEAD or given[:ACL_HEAD] != ACL_VERSION:
        return None
    return list(struct.iter_unpack("<HHI", given[ACL_HEAD:])) or None


def may_enter(
    given: list[tuple[int, int, int]], found: os.stat_result, user: int, groups: set[int]
) -> bool:
    """Say whether an ACL lets a user enter a folder, as acl(5) has it checked."""
    mask = next((rights for tag, rights, _ in given if tag == ACL_MASK), 7)
    if found.st_uid == user:
        return any(rights & 1 for tag, rights, _ in given if tag == ACL_OWNER)
    named = [rights for tag, rights, who in given if tag == ACL_USER and who == user]
    if named:
        return bool(named[0] & mask & 1)
    of_groups = [
        rights
        for tag, rights, who in given
        if (tag == ACL_OWNING_GROUP and found.st_gid in groups)
        or (tag == ACL_GROUP and who in groups)
    ]
    if of_groups:
        return any(rights & mask & 1 for rights in of_groups)
    return any(rights & 1 for tag, rights, _ in given if tag == ACL_OTHER)


def qemu_users() -> tuple[str, ...]:
    """Return the users that QEMU may run as: those of libvirt's settings, or the usual ones."""
    try:
        with open(QEMU_SETTINGS) as file:
            found = USER_SETTING.findall(file.read())
    except OSError:
        found = []
    return tuple(one.lstrip("+") for one in found[-1:]) or QEMU_USERS


def user_called(name: str) -> pwd.struct_passwd | None:
    """Return a user; None where there is none."""
    try:
        return pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        return None


def holders(path: str, pid: int | None) -> list[dict[str, Any]]:
    """Return who has a file open for writing, except the guest itself."""
    found = []
    try:
        wanted = os.stat(path)
    except OSError:
        return []
    for folder in glob.glob("/proc/[0-9]*/fd"):
        process = int(folder.split("/")[2])
        if process in {pid, os.getpid()}:
            continue
        try:
            links = os.listdir(folder)
        except OSError:
            continue
        for link in links:
            try:
                there = os.stat(f"{folder}/{link}")
            except OSError:
                continue
            is_same = (there.st_dev, there.st_ino) == (wanted.st_dev, wanted.st_ino)
            if is_same and may_write(process, link):
                found.append({"pid": process, "program": program_of(process)})
                break
    return found


def may_write(process: int, link: str) -> bool:
    """Say whether a process has a file open for writing."""
    try:
        with open(f"/proc/{process}/fdinfo/{link}") as file:
            flags = next(line for line in file if line.startswith("flags:"))
    except (OSError, StopIteration):
        return False
    return int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY


def program_of(process: int) -> str:
    """Return the program of a process."""
    try:
        with open(f"/proc/{process}/comm") as file:
            return file.read().strip()
    except OSError:
        return "?"


def started(pid: int | None) -> float | None:
    """Return for how long a process has run, in seconds; None where that is not known."""
    if pid is None:
        return None
    try:
        with open(f"/proc/{pid}/stat") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


def pci_of(root: ET.Element) -> list[str]:
    """Return the PCI devices of the node that are passed to it."""
    found = []
    for one in root.findall("./devices/hostdev/source/address"):
        if one.get("slot"):
            parts = (int(one.get(each, "0"), 16) for each in ("domain", "bus", "slot", "function"))
            found.append("{:04x}:{:02x}:{:02x}.{:x}".format(*parts))
    return found


def space_at(path: str) -> dict[str, Any]:
    """Return the room of the file system that has a path."""
    try:
        found = os.statvfs(path)
    except OSError as error:
        return {"path": path, "unread": str(error), "free": None, "inodes": None}
    return {
        "path": path,
        "unread": "",
        "free": found.f_bavail * found.f_frsize,
        "inodes": found.f_favail if found.f_files else None,
    }


def memory_available() -> int | None:
    """Return the memory that processes may still get, in bytes."""
    try:
        with open("/proc/meminfo") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


main()
