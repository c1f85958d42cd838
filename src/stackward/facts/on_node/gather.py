"""Report all that a check asks of a node, as one JSON document; run there with its own python3.

It is sent over ssh as it is: standard library only, no later Python than 3.7 needed, nothing
written, nothing installed. What needs root is asked of `sudo -n`, command by command, with the
words of `ports/root.py`. What sudo refuses is reported as refused. Outputs are sent back unchanged:
they are read there.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from typing import Any

UNIT_FACTS = (
    "Id,LoadState,ActiveState,SubState,Result,UnitFileState,NRestarts,WantedBy,RequiredBy,"
    "TriggeredBy,ActiveEnterTimestampMonotonic,ConditionResult,AssertResult,Type,MainPID,"
    "FreezerState,ControlGroup"
)
DATABASE_FACTS = (
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN"
    " ('max_connections','version','read_only','super_read_only','innodb_read_only',"
    "'innodb_force_recovery','innodb_snapshot_isolation','offline_mode','wsrep_on',"
    "'wsrep_desync','wsrep_reject_queries');"
    " SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected','Max_used_connections',"
    "'Slave_running','wsrep_ready','wsrep_cluster_status','wsrep_cluster_size',"
    "'wsrep_local_state_comment','wsrep_flow_control_paused');"
    " SELECT 'sessions', COUNT(*) FROM information_schema.PROCESSLIST"
    " WHERE DB IS NOT NULL AND USER <> 'system user';"
    " SELECT STATE, CONCAT(COUNT(*), ' ', MAX(TIME)) FROM information_schema.PROCESSLIST"
    " WHERE COMMAND IN ('Query','Execute') AND (STATE LIKE 'Waiting for % lock'"
    " OR STATE IN ('Waiting for table flush','Waiting for disk space')) GROUP BY STATE"
)
# By its own socket: root's settings may name an address where another node answers.
OWN_SERVER = ("--host=localhost", "--protocol=socket")
# What `rabbitmqctl list_queues` and `list_bindings` report of one virtual host, for all of them at
# once: each start of that tool takes half a second of CPU.
RABBITMQ_FACTS = (
    "io:put_chars([rabbit_json:encode([#{vhost => V, up => rabbit_vhost_sup_sup:is_vhost_alive(V),"
    " queues => [[case P of {resource, _, _, N} -> N; _ -> P end || {_, P} <- I] ||"
    " I <- rabbit_amqqueue:info_all(V, [name, messages, consumers, type])],"
    " bindings => [[P || {_, P} <- I] ||"
    " I <- rabbit_binding:info_all(V, [source_name, destination_name])]}"
    " || V <- rabbit_vhost:list_names()]), 10])."
)
STORE_SETTINGS = (
    "^(\\[|(enabled_backends|stores|default_store|filesystem_store_datadirs?|volume_driver"
    "|nfs_mount_point_base|nfs_shares_config|volume_group|lvm_type|state_path|instances_path) *=)"
)
ROOM = "%S %b %a %c %d"
TEST = ("/usr/bin/test", "-w")
STAT = ("/usr/bin/stat", "-f", "-c", ROOM)
# What sudo has started is root's, so nobody here could end it: it ends by itself.
LIMIT = ("/usr/bin/timeout", "-k", "1", "10")
LIMIT_INSIDE = ("/usr/bin/timeout", "4")
LONG_LIMIT = ("/usr/bin/timeout", "-k", "1", "3600")
VOLUME_GROUPS = [
    *LIMIT,
    *("/usr/sbin/vgs", "--readonly", "--noheadings", "--nosuffix", "--units", "b"),
    *("-o", "vg_name,vg_attr,vg_size,vg_free"),
]
MOUNTS = (*LIMIT_INSIDE, "/usr/bin/cat", "/proc/self/mountinfo")
ON_DISK = {
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "vfat", "overlay", "jfs", "reiserfs",
}  # fmt: skip
ON_NETWORK = {"nfs", "nfs4", "ceph", "fuse.ceph", "fuse.glusterfs", "cifs", "gfs2", "ocfs2"}
IN_MEMORY = {"/run", "/tmp", "/dev/shm"}  # noqa: S108  # looked at, not used
LOG_LINES = 3
USAGE = 64  # how crm_mon ends on an option that it does not know
CRM_MON = [*LIMIT, "/usr/sbin/crm_mon"]
# What matters of all that a kernel logs as a warning or a notice: there are many of those.
WARNED = (
    "table full|eighbou?r table overflow|TCP: out of memory|page allocation failure|still trying"
)
WARNINGS = [
    *("/usr/bin/timeout", "5", "/usr/bin/journalctl", "-k", "-b", "-p", "4..5"),
    *("--since=-24h", "-n", "50"),
    *("--no-pager", "-o", "short-unix"),
]
CONNTRACK = "/proc/sys/net/netfilter/nf_conntrack_"
POLICY = "{{.Name}} {{.HostConfig.RestartPolicy.Name}}"
WANTING_FACTS = "Id,LoadState,ActiveState,SubState,UnitFileState,WantedBy,RequiredBy,TriggeredBy"
MOST_WANTING = 60  # units
QUEUE_FACTS = ["name", "messages", "consumers", "type"]
BINDING_FACTS = ["source_name", "destination_name", "routing_key"]
MOST_VHOSTS = 8  # of RabbitMQ in addition to `/`: each takes two commands
AMQP, AMQPS = 5672, 5671
AMQP_HEADER = b"AMQP\x00\x00\x09\x01"  # the first words of a client: version 0-9-1
AMQP_START = re.compile(rb"\x01\x00\x00....\x00\x0a\x00\x0a", re.DOTALL)  # `Connection.Start`
NO_DISKS = ("/proc/", "/sys/", "/dev/", "/run/", "/var/lib/docker/", "/var/lib/containers/")
MOUNT_FIELDS = 6  # of mountinfo, up to the options of the mount
STAT_FIELDS = 20  # up to its start time
LOGS_OF = 6  # units in trouble
MEMCACHED = 11211
MEMCACHED_SETTINGS = "/etc/memcached.conf"
ENGINES = ("docker", "podman")
# How the processes of a container are marked by the kernel: cgroups made by systemd, or not.
SCOPES = {
    "docker": r"/docker[-/][0-9a-f]{12,64}\b",
    "podman": r"/libpod(?:_parent/libpod)?-[0-9a-f]{12,64}\b",
}
MOST_PROGRAMS = 40
SS = ("/usr/bin/ss", "/usr/sbin/ss")
LIBVIRT = {"libvirtd.service", "virtqemud.service"}
LIBVIRT_CONTAINER = "nova_libvirt"
# For the guests of a node: if one hangs, its answer is not awaited.
GUESTS = {
    "machine": ["sysinfo"],
    "guests": ["list", "--all", "--uuid", "--name"],
    "guest facts": ["domstats", "--state", "--block", "--raw", "--nowait"],
}
NETWORK_CARDS = "/sys/class/net"
DMI = "/sys/class/dmi/id/product_"
OF_PACKAGES = ("/usr/lib/systemd/system", "/lib/systemd/system", "/usr/local/lib/systemd/system")
SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # not on the path of an ordinary login
BUS = "dbus.service"
NO_SUDO = "sudo: there is none on this node"
NOT_ASKED = "no time was left for it in this look"
LATE = "no answer in time"
LEAST_S = 0.1  # a command that has less is not begun
LIMIT_S = 4.0  # of a command: such as `-T 4` of Open vSwitch's tools
FAIR = 0.5  # of its own limit, what a question must have had: with less, silence proves nothing
OTHERS_S = 0.5  # until all who wait for a list of containers have been asked
BRIEFLY_S = 0.5  # for what the kernel knows at once
READ_S = 0.05  # from its last word until that is kept
OWN_END_S = 2  # after the deadline this script is ended by its own alarm, also if it hangs
WEB_S = 4.0  # for an answer over HTTP, at least
WEB_PART = 0.5  # of all the time that there is, where that is more: a busy node needs it
WEB_BYTES = 4096  # of an answer: its head and the beginning of a page
WEB_WORDS = 300  # characters of it that go home, of one that says that it failed
MOST_PLACES = 4  # where one component listens on its ports
WEB_SERVERS = {"apache2.service", "httpd.service"}  # each with many sites
BAD_REQUEST, SERVER_ERROR = 400, 500
TLS_ALERT = b"\x15\x03"
SPEAKS_TLS = "it speaks TLS, and none of these logins works"
CLOSED = "it closes the connection without an answer"
# How MariaDB and MySQL greet a client, before any login: version 10 of their protocol.
GREETING = re.compile(rb"^...\x00\x0a[0-9]+\.", re.DOTALL)
OWN_SOCKET = re.compile(r"(?m) (/\S*/(?:mysqld?|mariadbd?)\.sock)$")
# Who takes clients over TCP: units, containers, usual ports, a client's first words, and what
# answers them.
TAKERS = {
    "rabbitmq": ({"rabbitmq-server.service"}, ["rabbitmq"], {AMQP, AMQPS}, AMQP_HEADER, AMQP_START),
    "memcached": (
        {"memcached.service"}, ["memcached"], {MEMCACHED}, b"stats\r\n", re.compile(rb"END\r\n$"),
    ),
}  # type: dict[str, tuple[set[str], list[str], set[int], bytes, Any]]  # fmt: skip
WORDS_BYTES = 65536  # of what a process says first


class Commands:
    """Commands that run side by side, each until the one deadline; each is read as it writes."""

    def __init__(self, within_s: float) -> None:
        self.ends = time.monotonic() + within_s
        self.began = {}  # type: dict[str, float]
        self.started = {}  # type: dict[str, subprocess.Popen[bytes] | None]
        self.reading = {}  # type: dict[str, threading.Thread]
        self.ended = {}  # type: dict[str, dict[str, object]]

    def start(self, name: str, words: list[str]) -> None:
        """Start a command, if this node has it; without `sudo`, report that for what needs it."""
        kept = unstartable(words)
        if kept is not None:
            if kept:
                self.ended[name] = {"code": None, "out": "", "err": kept}
            return
        if self.ends - time.monotonic() < LEAST_S:
            self.ended[name] = {"code": None, "out": "", "err": NOT_ASKED}
            return
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        reading = threading.Thread(target=self.read, args=(name, process), daemon=True)
        self.started[name], self.reading[name] = process, reading
        self.began[name] = time.monotonic()
        reading.start()

    def read(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Keep what a command prints; end it at the deadline."""
        try:
            out, err = process.communicate(timeout=max(0.0, self.ends - time.monotonic()))
            self.ended[name] = {"code": process.returncode, "out": text(out), "err": text(err)}
        except subprocess.TimeoutExpired:
            # What sudo has started is root's: it is left to its own end.
            with contextlib.suppress(PermissionError):
                if os.path.basename(str(process.args[0])) == "timeout":  # type: ignore[index]
                    process.terminate()  # it ends what it has started; killed, it would leave that
                else:
                    process.kill()
                    process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()

    def end(self, name: str) -> dict[str, object]:
        """Return what a command printed; wait for it until the deadline."""
        if self.started.pop(name, None) is not None:
            self.reading[name].join(max(0.0, self.ends - time.monotonic()) + READ_S)
            late = {"code": None, "out": "", "err": unheard(self.ends - self.began[name])}
            self.ended.setdefault(name, late)  # type: ignore[arg-type]
        return self.ended.get(name, {})

    def soon(self, name: str) -> dict[str, object]:
        """Return what a command printed by now; wait so that others keep a fair time after it.

        If the time is longer than that, this command gets half of it: those after it have a part of
        all of it, too.
        """
        if name in self.reading:
            began, after_s = self.began[name], FAIR * LIMIT_S + OTHERS_S
            own_s = max(LIMIT_S, WEB_PART * (self.ends - began))
            until = min(self.ends - after_s, began + own_s)
            self.reading[name].join(max(0.0, until - time.monotonic()))
        return self.ended.get(name, {})

    def all(self) -> dict[str, dict[str, object]]:
        """Return what all commands printed."""
        for name in list(self.started):
            self.end(name)
        return self.ended


def unheard(given_s: float, limit_s: float = LIMIT_S) -> str:
    """Say that no answer came; an answer would have counted, even after very little time."""
    return LATE if given_s >= FAIR * limit_s else NOT_ASKED


def text(raw: bytes) -> str:
    """Return an output as text, with any content."""
    return raw.decode("utf-8", "replace")


def program(words: list[str]) -> str:
    """Return the program of a command that is needed here, behind `sudo` and `timeout`."""
    words = words[2:] if words[0] == "sudo" else words
    if os.path.basename(words[0]) != "timeout":
        return words[0]
    return words[4] if words[1] == "-k" else words[2]


def is_there(program: str) -> str | None:
    """Return where a program lies on this node, perhaps elsewhere than it usually does."""
    return shutil.which(program) or shutil.which(os.path.basename(program))


def unstartable(words: list[str]) -> str | None:
    """Return why a command is not started, empty where its program is not there; None if it can be.

    Sudo allows a program by its whole path: one of that name elsewhere is there, but not allowed.
    """
    needed, is_by_sudo = program(words), words[0] == "sudo"
    there = is_there(needed)
    if there is None:
        return ""
    if is_by_sudo and shutil.which("sudo") is None:
        return NO_SUDO
    if is_by_sudo and shutil.which(needed) is None:
        return f"sudo: it allows `{needed}`, and the node has `{there}`"
    return None


def as_root(words: list[str]) -> list[str]:
    """Return a command as root may run it: by itself, or through sudo.

    Root takes the program from its own path: it may lie elsewhere than sudo allows it.
    """
    if os.geteuid() != 0:
        return ["sudo", "-n", *words]
    needed = program(words)
    there = shutil.which(os.path.basename(needed)) or needed
    return [there if word == needed else word for word in words]


def see_sbin() -> None:
    """Look for programs where root has them, too: `rabbitmqctl` and `mariadbd` are there."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join([*path, *(each for each in SBIN if each not in path)])


def read(path: str) -> str:
    """Return a file; an empty text where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def started_at() -> float | None:
    """Return when this node's first process began: also a container has that for itself."""
    boot = re.search(r"^btime (\d+)$", read("/proc/stat"), re.MULTILINE)
    first = read("/proc/1/stat").rpartition(")")[2].split()
    if not boot or len(first) < STAT_FIELDS:
        return None
    return int(boot.group(1)) + int(first[19]) / os.sysconf("SC_CLK_TCK")


def container() -> str:
    """Return what kind of container this is; an empty text on a machine of its own."""
    return (read("/run/systemd/container") or read("/run/host/container-manager")).strip()


def machine() -> dict[str, object]:
    """Return what identifies this machine; of a container only what is its own.

    Only root can read the UUID and the serial number; libvirt shows them to others.
    """
    kept = "" if container() else DMI
    return {
        "uuid": read(kept + "uuid").strip() if kept else "",
        "serial": read(kept + "serial").strip() if kept else "",
        "macs": sorted({mac for mac in map(mac_of, network_cards()) if mac}),
    }


def network_cards() -> list[str]:
    """Return the network cards; in a container, the ends of the cables that lead into it."""
    found = []
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(NETWORK_CARDS)):
            place = os.path.join(NETWORK_CARDS, name)
            is_card = os.path.exists(place + "/device") and not os.path.exists(
                place + "/device/physfn"  # a part of another, lent to guests
            )
            far, own = read(place + "/iflink").strip(), read(place + "/ifindex").strip()
            if is_card or (container() and far not in ("", "0", own)):
                found.append(place)
    return found


def mac_of(card: str) -> str:
    """Return the address that a card was made with; in a bond all show one address."""
    return (read(card + "/bonding_slave/perm_hwaddr") or read(card + "/address")).strip()


class Timex(ctypes.Structure):
    """The beginning of the kernel's `struct timex`; the rest is room for the kernel to fill."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    ]


def clock() -> dict[str, object]:
    """Return what the kernel says of its clock; asking changes nothing."""
    told = Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    except (OSError, AttributeError):
        return {}
    return {"state": state, "status": told.status, "max_error_us": told.maxerror}


def filesystems(commands: Commands) -> list[dict[str, object]]:
    """Return each file system once, with its room; those of a network are asked from aside."""
    found = {}  # type: dict[str, dict[str, object]]
    for line in read("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        words, others = left.split(), right.split(" ", 2)
        if len(words) < MOUNT_FIELDS or len(others) < len(("kind", "source", "options")):
            continue
        device, where, options = words[2], unescaped(words[4]), words[5]
        kind, source, of_all = others
        if where.startswith("/run/host/"):  # what a container shows of its host
            continue
        is_wanted = kind in ON_DISK | ON_NETWORK or (kind == "tmpfs" and where in IN_MEMORY)
        if not is_wanted or (device in found and len(str(found[device]["mount"])) <= len(where)):
            continue
        found[device] = {
            "mount": where,
            "type": kind,
            "source": source,
            "read_only": "ro" in of_all.split(","),
            "read_only_here": "ro" in options.split(","),
        }
    for device, one in list(found.items()):
        if one["type"] in ON_NETWORK:
            name = f"statfs {one['mount']}"
            commands.start(name, ["stat", "-f", "-c", "%S %b %a %c %d", str(one["mount"])])
        elif not measure(one):
            del found[device]
    return list(found.values())


def mounts() -> list[dict[str, str]]:
    """Return what is mounted where, as far as it is seen: no mount that another one hides."""
    found = {}  # type: dict[str, dict[str, str]]
    for line in read("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        words, others = left.split(), right.split()
        if len(words) < MOUNT_FIELDS or len(others) < len(("kind", "source")):
            continue
        if unescaped(words[4]).startswith(NO_DISKS):
            continue
        found[words[0]] = {
            "parent": words[1],
            "root": unescaped(words[3]),
            "mount": unescaped(words[4]),
            "type": others[0],
            "source": unescaped(others[1]),
        }
    seen = [one for name, one in found.items() if not is_hidden(name, found)]
    names = ("mount", "root", "type", "source")
    return [{name: one[name] for name in names} for one in seen]


def is_hidden(name: str, known: dict[str, dict[str, str]]) -> bool:
    """Say whether something is mounted over a mount, or over a folder above it."""
    one, where = known[name], known[name]["mount"]
    for other, each in known.items():
        above = each["mount"].rstrip("/") + "/"
        is_above = each["parent"] == one["parent"] and where.startswith(above) and other != name
        if is_above or (each["parent"] == name != other and each["mount"] == where):
            return True
    return False


def unescaped(where: str) -> str:
    """Return a path of mountinfo, which spells out white space and backslashes in octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), where)


def measure(one: dict[str, object]) -> bool:
    """Add the room of a file system; return False for a single file, or one that is not ours."""
    where = str(one["mount"])
    try:
        if not stat.S_ISDIR(os.stat(where).st_mode):
            return False
        with contextlib.suppress(PermissionError):
            os.listdir(where)  # a disk that has died answers statvfs, but not this
        room = os.statvfs(where)
    except PermissionError:  # the way to it is closed to this login, as to disks of containers
        return False
    except OSError as error:
        one["error"] = error.strerror
        return True
    one["size"] = room.f_blocks * room.f_frsize
    one["free"] = room.f_bavail * room.f_frsize
    one["inodes"] = room.f_files
    one["inodes_free"] = room.f_favail
    return True


def owners(sockets: str) -> dict[str, str]:
    """Return the cgroup of each process that `ss` names."""
    found = {}
    for pid in set(re.findall(r"pid=(\d+)", sockets)):
        lines = read(f"/proc/{pid}/cgroup").splitlines()
        paths = [line.split(":", 2)[-1] for line in lines]
        found[pid] = max(paths, key=len) if paths else ""
    return found


def near(listens: str) -> str:
    """Return the address by which what listens here can be reached from here."""
    address = listens.replace("[", "").replace("]", "")
    if not address.startswith("fe80"):  # which needs its link
        address = address.partition("%")[0].replace("::ffff:", "")
    return {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104  # where it listens


def installed(units: list[str]) -> list[str]:
    """Return the units of which a package has its file here: a mask alone may be of any name."""
    return [
        unit
        for unit in units
        if any(os.path.isfile(os.path.join(place, unit)) for place in OF_PACKAGES)
    ]


class Web:
    """HTTP requests to where components listen on this node, side by side, each with its own end.

    They go over threads, for a process that is frozen takes a connection and never answers.
    """

    def __init__(self, ends: float, limit_s: float = WEB_S) -> None:
        self.ends = ends
        self.limit_s = limit_s
        self.told = []  # type: list[dict[str, object]]
        self.threads = []  # type: list[threading.Thread]

    def ask(self, name: str, place: tuple[str, int], path: str, own: str | None) -> None:
        """Ask one place for one path; `*` asks the web server itself, not what it serves."""
        told = {"name": name, "address": place[0], "port": place[1], "path": path}
        self.told.append(told)
        now = time.monotonic()
        until = min(now + self.limit_s, self.ends)
        told["came"] = {"error": unheard(until - now, self.limit_s)}  # until an answer comes
        if until - now < LEAST_S:
            return
        thread = threading.Thread(target=answer_of, args=(told, until, own), daemon=True)
        thread.start()
        self.threads.append(thread)

    def all(self) -> list[dict[str, object]]:
        """Return what came of all."""
        for thread in self.threads:
            thread.join(max(0.0, self.ends - time.monotonic()) + READ_S)
        return [dict(one) for one in self.told]


def answer_of(told: dict[str, object], until: float, own: str | None) -> None:
    """Ask over HTTP, and over TLS where a plain request is no language there."""
    place, found = (str(told["address"]), int(str(told["port"]))), {}  # type: ignore[var-annotated]
    late = dict(told["came"])  # type: ignore[call-overload]
    for secured in (False, True):
        try:
            came = heard(get(place, str(told["path"]), until, secured=secured), own)
        except socket.timeout:  # noqa: UP041  # another class until Python 3.10
            came = late
        except (OSError, ValueError) as error:  # ssl.SSLError is one of them, too
            came = {"error": str(error)[:WEB_WORDS] or type(error).__name__}
        if "status" in came or not found:
            found = came
        if not speaks_tls(found):
            break
    told["came"] = found  # at once: it may be read at any time


def speaks_tls(came: dict[str, object]) -> bool:
    """Say whether it may be TLS: it says so, or says nothing to a plain request."""
    if "status" in came:
        return came["status"] == BAD_REQUEST and bool(re.search("HTTPS|SSL", str(came["says"])))
    return came["error"] not in (LATE, NOT_ASKED)


def get(place: tuple[str, int], path: str, until: float, *, secured: bool) -> bytes:
    """Return the beginning of an answer; one that has started in time counts."""
    method = "OPTIONS" if path == "*" else "GET"
    words = f"{method} {path} HTTP/1.0\r\nHost: localhost\r\nUser-Agent: stackward\r\n\r\n"
    read = b""
    with contextlib.closing(socket.create_connection(place, left(until))) as plain:
        asked = plain
        if secured:
            plain.settimeout(left(until))
            asked = blindly(plain)
        with contextlib.closing(asked):
            asked.sendall(words.encode())
            while len(read) < WEB_BYTES:
                asked.settimeout(left(until))
                try:
                    more = asked.recv(WEB_BYTES)
                except OSError:
                    if not read:
                        raise
                    break
                if not more:
                    break
                read += more
    return read


def blindly(plain: socket.socket) -> ssl.SSLSocket:
    """Speak TLS with any process that listens there: whose it is, its cgroup says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)


def left(until: float) -> float:
    """Return the seconds that are left: never 0, because 0 would mean no end at all."""
    return max(0.01, until - time.monotonic())


def heard(read: bytes, own: str | None) -> dict[str, object]:
    """Return what of an answer goes home: its status, and its words only where it has failed."""
    if not read or read.startswith(TLS_ALERT):
        return {"error": CLOSED}
    head, _, page = text(read).replace("\r\n", "\n").partition("\n\n")
    status = re.match(r"HTTP/\d(?:\.\d)? (\d{3})\b", head)
    if not status:
        return {"error": "it answers in something else than HTTP"}
    code = int(status.group(1))
    return {
        "status": code,
        "is_own": own is None or bool(re.search(own, head + "\n\n" + page)),
        "has_request_id": bool(re.search(r"(?im)^x-\w*-?request-id:", head)),
        "says": page[:WEB_WORDS] if code >= SERVER_ERROR or code == BAD_REQUEST else "",
    }


def listeners(sockets: str) -> list[tuple[str, int, list[str]]]:
    """Return all listening sockets: address, port, and the processes, where `ss` names them."""
    found = []
    for line in sockets.splitlines():
        words = line.split(None, 5)
        if words[:1] == ["LISTEN"] and len(words) > 4:  # noqa: PLR2004  # up to the other end
            address, _, port = words[3].rpartition(":")
            if port.isdigit():
                found.append((near(address), int(port), re.findall(r"pid=(\d+)", line)))
    return found


def container_ids(commands: Commands, engine: str) -> dict[str, str]:
    """Return the id of each container that there is, by its name."""
    found = {}
    for line in str(commands.soon("containers of " + engine).get("out", "")).splitlines():
        with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError):
            one = json.loads(line)
            names = one["Names"] if isinstance(one["Names"], list) else [one["Names"]]
            found.update({str(name): str(one.get("ID") or one["Id"])[:12] for name in names})
    return found


def contained(commands: Commands) -> dict[str, list[str]]:
    """Return what runs in the containers of an engine that did not list them: names of programs.

    The kernel knows it, in any state of the engine.
    """
    found = {}  # type: dict[str, list[str]]
    for engine, mark in SCOPES.items():
        told = commands.ended.get("containers of " + engine, {"code": 0})
        if told["code"] == 0:
            continue
        names = set()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if re.search(mark, read(f"/proc/{pid}/cgroup")):
                names.add(read(f"/proc/{pid}/comm").strip())
        found[engine] = sorted(names - {""})[:MOST_PROGRAMS]
    return found


def listened(commands: Commands) -> dict[str, object]:
    """Return what `ss` shows; without root it does not say whose a socket is."""
    sockets, unowned = commands.end("sockets"), commands.end("sockets unowned")
    if sockets.get("code") != 0 and unowned:
        return dict(unowned, refused=sockets.get("err"))
    return sockets


class Places:
    """Where the components of this node listen themselves; whose a port is, only root sees.

    Another process on the same port, such as a load balancer, would answer for a dead process.
    """

    def __init__(self, commands: Commands, sockets: dict[str, object]) -> None:
        self.running = active(commands)
        self.ids = {}  # type: dict[str, str]
        for engine in ENGINES:
            alive, known = running_in(commands, engine), container_ids(commands, engine)
            self.ids.update({name: id_ for name, id_ in known.items() if name in alive})
        out = str(sockets.get("out", ""))
        self.listening, self.paths = listeners(out), owners(out)
        self.sees_owners = sockets.get("code") == 0 and not sockets.get("refused")

    def marks(self, units: set[str], containers: list[str]) -> set[str]:
        """Return the processes in these cgroups, as far as they run here."""
        inside = {self.ids[name] for name in containers if name in self.ids}
        return inside | {f"/{unit}/" for unit in units & self.running}

    def of(self, marks: set[str]) -> list[tuple[str, int]]:
        """Return where they listen: address and port; without root, all sockets that listen."""
        return [
            (address, port)
            for address, port, pids in self.listening
            if not self.sees_owners or is_owned(pids, self.paths, marks)
        ]


def ask_web(
    commands: Commands,
    asked: list[dict[str, object]],
    known: Places,
    within_s: float = 0.0,
) -> Web:
    """Ask the processes that serve over HTTP, each where it listens itself.

    Only root sees whose a port is: without root, all processes that listen there are asked.
    """
    web = Web(commands.ends, max(WEB_S, WEB_PART * within_s))
    for one in asked:
        has_site = any(os.path.exists(path) for path in list(one["sites"]))  # type: ignore[call-overload]
        shared = known.running & WEB_SERVERS if has_site else set()
        marks = known.marks(set(one["units"]) | shared, list(one["containers"]))  # type: ignore[call-overload]
        if not marks:
            continue
        places = known.of(marks)
        ports = set(one["ports"])  # type: ignore[call-overload]
        declared = [place for place in places if place[1] in ports]
        if not declared and known.sees_owners and not shared:
            declared = places  # its settings name another port
        for place in list(dict.fromkeys(declared))[:MOST_PLACES]:
            words = [str(path) for path in list(one["paths"])] + (["*"] if shared else [])  # type: ignore[call-overload]
            for path in words:
                web.ask(str(one["name"]), place, path, one["own"])  # type: ignore[arg-type]
    return web


class Talks:
    """The first words of a client, sent to where a process takes clients; each has its own end.

    No login follows, so nothing is read of what it keeps, and nothing is written.
    """

    def __init__(self, ends: float, limit_s: float = WEB_S) -> None:
        self.ends = ends
        self.limit_s = limit_s
        self.told = []  # type: list[dict[str, object]]
        self.threads = []  # type: list[threading.Thread]

    def ask(self, name: str, place: tuple[str, int], words: bytes, until_words: Any) -> None:  # noqa: ANN401  # a pattern of bytes
        """Say these words at a place, and listen until an answer has a pattern."""
        told = {"name": name, "address": place[0], "port": place[1]}  # type: dict[str, object]
        self.told.append(told)
        now = time.monotonic()
        until = min(now + self.limit_s, self.ends)
        told["came"] = {"error": unheard(until - now, self.limit_s)}
        if until - now < LEAST_S:
            return
        said = (words, until_words)
        thread = threading.Thread(target=reply_of, args=(told, until, said), daemon=True)
        thread.start()
        self.threads.append(thread)

    def all(self) -> list[dict[str, object]]:
        """Return what came of all."""
        for thread in self.threads:
            thread.join(max(0.0, self.ends - time.monotonic()) + READ_S)
        return [dict(one) for one in self.told]


def reply_of(told: dict[str, object], until: float, said: tuple[bytes, Any]) -> None:
    """Keep what a place answers: in plain words, or over TLS if it does not take those."""
    place, late = (str(told["address"]), int(str(told["port"]))), dict(told["came"])  # type: ignore[call-overload]
    found = {}  # type: dict[str, object]
    for secured in (True,) if place[1] == AMQPS else (False, True):
        try:
            came = spoken(place, until, said, secured=secured)
        except socket.timeout:  # noqa: UP041  # another class until Python 3.10
            came = late
        except ssl.SSLError as error:
            came = {"error": SPEAKS_TLS if "alert" in str(error).lower() else CLOSED}
        except OSError as error:
            came = {"error": error.strerror or str(error) or type(error).__name__}
        if not found or "out" in came or came["error"] == SPEAKS_TLS:
            found = came
        if found.get("error") not in (CLOSED, SPEAKS_TLS):
            break
    told["came"] = found  # at once: it may be read at any time


def spoken(
    place: tuple[str, int], until: float, said: tuple[bytes, Any], *, secured: bool
) -> dict[str, object]:
    """Return what is answered to the first words."""
    words, pattern = said
    read = b""
    with contextlib.closing(connected(place, until)) as plain:
        plain.settimeout(left(until))
        asked = blindly(plain) if secured else plain
        with contextlib.closing(asked), contextlib.suppress(ConnectionError):
            if words:
                asked.sendall(words)
            while not pattern.search(read) and len(read) < WORDS_BYTES:
                if time.monotonic() > until:
                    raise socket.timeout  # noqa: UP041  # as above
                asked.settimeout(left(until))
                more = asked.recv(WORDS_BYTES)
                if not more:
                    break
                read += more
    if read.startswith(TLS_ALERT):
        return {"error": SPEAKS_TLS}
    return (
        {"out": text(read), "is_whole": bool(pattern.search(read))} if read else {"error": CLOSED}
    )


def connected(place: tuple[str, int], until: float) -> socket.socket:
    """Return a connection to an address and port, or to a socket by its path."""
    if not place[0].startswith("/"):
        return socket.create_connection(place, left(until))
    near_one = socket.socket(socket.AF_UNIX)
    try:
        near_one.settimeout(left(until))
        near_one.connect(place[0])
    except OSError:
        near_one.close()
        raise
    return near_one


def ask_greeting(commands: Commands, talks: Talks) -> None:
    """Have MariaDB greet us at its own socket, where its client might not ask it.

    Never over TCP: it counts clients that leave without a login, and at last refuses all of that
    address.
    """
    if "mariadb.service" in active(commands) or "mysql.service" in active(commands):
        told = commands.soon("mariadb")
        if told and told.get("code") != 0:
            for path in dict.fromkeys(OWN_SOCKET.findall(read("/proc/net/unix"))):
                talks.ask("mariadb", (path, 0), b"", GREETING)


def ask_as_clients(commands: Commands, known: Places, within_s: float = 0.0) -> Talks:
    """Ask RabbitMQ and memcached where they take their clients, as those do."""
    talks = Talks(commands.ends, max(WEB_S, WEB_PART * within_s))
    for name, (units, containers, ports, words, pattern) in TAKERS.items():
        marks = known.marks(units, containers)
        places = known.of(marks) if marks else []
        if marks and known.sees_owners and not places:
            # A container with a network of its own: its engine listens instead of it.
            places = [place[:2] for place in known.listening]
        chosen = re.findall(r"(?m)^-p\s*(\d+)\s*$", read(MEMCACHED_SETTINGS))
        all_ports = ports | {int(port) for port in chosen if name == "memcached"}
        for place in [one for one in dict.fromkeys(places) if one[1] in all_ports][:MOST_PLACES]:
            talks.ask(name, place, words, pattern)
    return talks


def ask_amqp_elsewhere(commands: Commands, known: Places, talks: Talks) -> None:
    """Ask RabbitMQ at the ports that it names itself, if it listens on none of the usual ones.

    Its own tool needs half a second of CPU to begin: wait for it while there is time for a talk.
    """
    if any(one["name"] == "rabbitmq" for one in talks.told):
        return
    units, containers, _, words, pattern = TAKERS["rabbitmq"]
    marks = known.marks(units, containers)
    ports = amqp_ports(str(commands.soon("rabbitmq cluster").get("out", ""))) if marks else set()
    for place in [one for one in dict.fromkeys(known.of(marks)) if one[1] in ports][:MOST_PLACES]:
        talks.ask("rabbitmq", place, words, pattern)


def amqp_ports(told: str) -> set[int]:
    """Return where a cluster of RabbitMQ takes clients, by its own word."""
    with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError):
        every = json.loads(told)["listeners"].values()
        those = [one for each in every for one in each if str(one["protocol"]).startswith("amqp")]
        return {int(one["port"]) for one in those}
    return set()


def of_takers(told: list[dict[str, object]], name: str, otherwise: str) -> list[dict[str, object]]:
    """Return where one was asked as its clients do; without an error it has answered."""
    found = []
    for one in told:
        came = dict(one["came"])  # type: ignore[call-overload]
        odd = None if came.get("is_whole") else otherwise
        if one["name"] == name:
            place = {"address": one["address"], "port": one["port"]}
            found.append(dict(place, error=came.get("error", odd)))
    return found


def of_cache(told: list[dict[str, object]], *, all_are_own: bool) -> dict[str, object]:
    """Return what memcached says of itself: at the place where it fails, if there is one."""
    came = [dict(one["came"]) for one in told if one["name"] == "memcached"]  # type: ignore[call-overload]
    well = [one for one in came if one.get("is_whole")]
    ill = [one for one in came if not one.get("is_whole")]
    first = ill + well if all_are_own else well + ill
    return first[0] if first else {}


def is_owned(pids: list[str], paths: dict[str, str], marks: set[str]) -> bool:
    """Say whether one of the processes is in a cgroup of these units or containers."""
    of_them = (paths.get(pid, "") for pid in pids)
    return any(mark in f"{path}/" for path in of_them for mark in marks)


def configured(paths: list[str]) -> dict[str, str]:
    """Return `[DEFAULT] host` of each settings file that has one and may be read; nothing else."""
    found = {}
    for path in paths:
        section = ""
        for line in read(path).splitlines() if os.path.isfile(path) else ():
            given = re.match(r"host\s*=\s*(\S+)\s*$", line.strip())
            if line.startswith("["):
                section = line.strip()
            elif section == "[DEFAULT]" and given:
                found[path] = given.group(1)
    return found


def ask_all(commands: Commands, asked: dict[str, object]) -> None:
    """Start every command whose answer is wanted."""
    units = [str(unit) for unit in list(asked["units"])]  # type: ignore[call-overload]
    commands.start("units", ["systemctl", "show", "--no-pager", "-p", UNIT_FACTS, "--", *units])
    commands.start("failed", ["systemctl", "--failed", "--no-legend", "--plain", "--no-pager"])
    commands.start("whole name", ["timeout", "2", "hostname", "-f"])
    commands.start("addresses", ["timeout", "2", "ip", "-o", "addr", "show", "scope", "global"])
    commands.start("sockets", as_root([*LIMIT, next(filter(shutil.which, SS), SS[0]), "-Htnap"]))
    if os.geteuid() != 0:
        commands.start("sockets unowned", ["ss", "-Htna"])
    if not container():
        kernel = [*LIMIT, "/usr/bin/journalctl", "-k", "-b", "-p", "err", "-n", "200"]
        kernel += ["--no-pager", "-o", "short-unix"]
        commands.start("kernel", as_root(kernel))
        commands.start("kernel warnings", as_root([*WARNINGS, "-g", WARNED]))
    for engine in ENGINES:
        if shutil.which(engine):
            listed = [*of_engine(engine), "ps", "--all", "--no-trunc", "--format", "{{json .}}"]
            commands.start("containers of " + engine, as_root(listed))
            policies = [*of_engine(engine), "container", "inspect", "--format", POLICY]
            names = [str(name) for name in list(asked.get("containers", ()))]  # type: ignore[call-overload]
            if names:
                commands.start("policies of " + engine, as_root([*policies, *names]))
    if shutil.which("rabbitmqctl"):
        commands.start("rabbitmq cluster", rabbitmq("cluster_status", "--formatter", "json"))
        commands.start("rabbitmq all", rabbitmq("eval", RABBITMQ_FACTS))
    if shutil.which("mariadbd") or shutil.which("mysqld"):
        client = "/usr/bin/mariadb" if shutil.which("mariadb") else "/usr/bin/mysql"
        commands.start(
            "mariadb", as_root([*LIMIT, client, *OWN_SERVER, "-N", "-B", "-e", DATABASE_FACTS])
        )
        if asked.get("tables"):
            check = "mariadb-check" if shutil.which("mariadb-check") else "mysqlcheck"
            check_all = [f"/usr/bin/{check}", *OWN_SERVER]
            check_all += ["--all-databases", "--check", "--silent"]
            commands.start("tables", as_root([*LONG_LIMIT, *check_all]))


def ask_libvirt(commands: Commands) -> None:
    """Ask libvirt for its version while it runs: a question at its socket would start it.

    Then it would be well only because of the look.
    """
    if shutil.which("virsh") is None:
        return
    if active(commands) & LIBVIRT or any(
        LIBVIRT_CONTAINER in running_in(commands, engine) for engine in ENGINES
    ):
        readonly = ["virsh", "--readonly", "--connect", "qemu:///system"]
        commands.start("libvirt", [*readonly, "version", "--daemon"])
        for name, words in GUESTS.items():
            commands.start(name, ["timeout", "-k", "1", "3", *readonly, *words])


def of_engine(engine: str) -> list[str]:
    """Return the words before those of Docker or Podman."""
    return [*LIMIT, f"/usr/bin/{engine}"]


def ask_questions(commands: Commands, questions: list[dict[str, object]]) -> None:
    """Ask the processes that run, each by its own tool: a question must not start one."""
    of_bus = ask_bus(commands, questions)
    running, others = active(commands), []
    # First what runs as a unit: an engine of containers may hang.
    for one in [each for each in questions if each not in of_bus]:
        words = [str(word) for word in list(one["ask"])]  # type: ignore[call-overload]
        if running & set(one["units"]) and is_there(str(one["tool"])):  # type: ignore[call-overload]
            words = as_root(words) if one["is_for_root"] else words
            commands.start("question " + str(one["name"]), words)
        else:
            others.append(one)
    containers = {engine: running_in(commands, engine) for engine in ENGINES}
    for one in others:
        inside = str(one["container"])
        engine = next((each for each in ENGINES if inside in containers[each]), None)
        if engine:
            there = [str(word) for word in list(one["inside"])]  # type: ignore[call-overload]
            words = as_root([*of_engine(engine), "exec", inside, *there])
            commands.start("question " + str(one["name"]), words)


def ask_bus(commands: Commands, questions: list[dict[str, object]]) -> list[dict[str, object]]:
    """Ask the message bus at once, and return what: without root, systemd is asked by way of it."""
    those = [] if os.geteuid() == 0 else [one for one in questions if BUS in list(one["units"])]  # type: ignore[call-overload]
    for one in those:
        words = [str(word) for word in list(one["ask"])]  # type: ignore[call-overload]
        commands.start("question " + str(one["name"]), words)
    return those


def stores(commands: Commands, asked: list[dict[str, object]]) -> list[dict[str, object]]:
    """Find where components that run here keep what users have, and ask whether it can be used.

    Nothing is written: the kernel says whether their user may write.
    """
    running = active(commands)
    containers = {engine: running_in(commands, engine) for engine in ENGINES}
    here = []
    for one in asked:
        engine = next((each for each in ENGINES if one["container"] in containers[each]), None)
        if engine or running & set(one["units"]):  # type: ignore[call-overload]
            name = "store settings " + str(one["component"])
            found = as_root([*LIMIT, "/usr/bin/grep", "-shE", STORE_SETTINGS, str(one["settings"])])
            commands.start(name, found)
            if engine:
                inside = as_root([*of_engine(engine), "exec", str(one["container"]), *MOUNTS])
                commands.start("store mounts " + str(one["component"]), inside)
            here.append(dict(one, engine=engine))
    found_here = []
    for one in here:
        found_here += stores_of(commands, one)
    return found_here


def stores_of(commands: Commands, one: dict[str, object]) -> list[dict[str, object]]:
    """Ask for each store of a component."""
    component = str(one["component"])
    told = commands.end("store settings " + component)
    settings = str(told.get("out", ""))
    is_known = told.get("code") in (0, 1) and not told.get("err")
    if not is_known and os.access(str(one["settings"]), os.R_OK):
        settings, is_known = read(str(one["settings"])), True
    mounted = read("/proc/self/mountinfo")
    if one["engine"]:
        mounted = str(commands.end("store mounts " + component).get("out", ""))
    mounts = mounts_in(mounted)
    usual = str(one["path"])
    paths, elsewhere, groups = store_paths(str(one["kind"]), sections_in(settings), usual, mounts)
    if groups and shutil.which("vgs"):
        commands.start("store groups", as_root(VOLUME_GROUPS))
    common = {"component": component, "kind": one["kind"], "settings": one["settings"]}
    common.update(is_known=is_known, elsewhere=elsewhere, groups=groups, engine=one["engine"])
    found = [dict(common, path=path, **ask_store(commands, one, path, mounts)) for path in paths]
    return found or [dict(common, path=None)]


def ask_store(
    commands: Commands, one: dict[str, object], path: str, mounts: list[dict[str, str]]
) -> dict[str, object]:
    """Ask whether the user of a store may write to it, and how much room it has."""
    real = path if one["engine"] else briefly(lambda: os.path.realpath(path), path)
    under = [each for each in mounts if (real + "/").startswith(each["mount"].rstrip("/") + "/")]
    mount = max(under, key=lambda each: len(each["mount"])) if under else {}
    seen = {
        "mount": mount.get("mount", ""),
        "type": mount.get("type", ""),
        "read_only": "ro" in (mount.get("options", "") + "," + mount.get("of_all", "")).split(","),
        "by_mode": None,
        "is_there": None,
        "room": None,
        "user": one["user"],
    }  # type: dict[str, object]
    if one["engine"]:
        inside = [*of_engine(str(one["engine"])), "exec", str(one["container"]), *LIMIT_INSIDE]
        commands.start("store room " + path, as_root([*inside, *STAT, path]))
        commands.start("store writable " + path, as_root([*inside, *TEST, path]))
        return seen
    user = [*LIMIT_INSIDE, "/usr/bin/setpriv", "--reuid", str(one["user"])]
    user += ["--regid", str(one["user"]), "--init-groups"]
    if mount.get("type") in ON_DISK:
        seen["by_mode"], seen["is_there"] = briefly(
            lambda: may_write(str(one["user"]), real), (None, None)
        )
    if seen["is_there"] is False:
        return seen
    if seen["by_mode"] is None or path == one["path"]:
        commands.start("store writable " + path, as_root([*user, *TEST, path]))
    room = briefly(lambda: os.statvfs(path), None) if seen["is_there"] else None
    if room:
        seen["room"] = [room.f_frsize, room.f_blocks, room.f_bavail, room.f_files, room.f_ffree]
    else:
        commands.start("store room " + path, as_root([*user, *STAT, path]))
    return seen


def briefly(ask: Any, otherwise: Any) -> Any:  # noqa: ANN401  # what it returns
    """Return what the kernel says of a file; that of a dead disk or server may hang or fail."""
    told = []  # type: list[Any]

    def note() -> None:
        with contextlib.suppress(OSError):
            told.append(ask())

    asking = threading.Thread(target=note, daemon=True)
    asking.start()
    asking.join(BRIEFLY_S)
    return told[0] if told else otherwise


def may_write(user: str, path: str) -> tuple[bool | None, bool | None]:
    """Say by owners and modes whether a user may write to a folder, and whether it is there.

    None: that cannot be seen from here, or a list of further rights (ACL) decides.
    """
    try:
        known = pwd.getpwnam(user)
        groups = os.getgrouplist(user, known.pw_gid)
        parts = [path]
        while parts[-1] != "/":
            parts.append(os.path.dirname(parts[-1].rstrip("/")) or "/")
        for each in parts:
            told = os.stat(each)
            if "system.posix_acl_access" in os.listxattr(each):
                return None, True
            shift = 6 if told.st_uid == known.pw_uid else 3 if told.st_gid in groups else 0
            needed = 3 if each == path else 1
            if (told.st_mode >> shift) & needed != needed:
                return False, True
    except FileNotFoundError:
        return None, False
    except (OSError, KeyError):
        return None, None
    return True, True


def mounts_in(listed: str) -> list[dict[str, str]]:
    """Read mountinfo; the last of those on one path is the one that is seen."""
    found = {}
    for line in listed.splitlines():
        left, _, right = line.partition(" - ")
        words, others = left.split(), right.split(" ", 2)
        if len(words) < MOUNT_FIELDS or len(others) < len(("kind", "source", "options")):
            continue
        where = unescaped(words[4])
        found[where] = {"mount": where, "options": words[5], "type": others[0]}
        found[where].update(of_all=others[2])
    return list(found.values())


def sections_in(settings: str) -> dict[str, dict[str, str]]:
    """Read settings as oslo.config does, as far as stores need them; the last of a name counts."""
    found = {"DEFAULT": {}}  # type: dict[str, dict[str, str]]
    section = found["DEFAULT"]
    for line in settings.splitlines():
        if line.startswith("["):
            section = found.setdefault(line.partition("]")[0][1:], {})
        elif "=" in line and not line.startswith((" ", "\t", "#", ";")):
            name, _, value = line.partition("=")
            section[name.strip()] = value.strip()
    return found


def listed_in(value: str) -> list[str]:
    """Return the words of a list in settings."""
    return [word.strip() for word in value.split(",") if word.strip()]


def store_paths(
    kind: str,
    settings: dict[str, dict[str, str]],
    usual: str,
    mounts: list[dict[str, str]],
) -> tuple[list[str], list[str], list[str]]:
    """Return where stores are, which others there are, and LVM's volume groups among them."""
    default = settings["DEFAULT"]
    state = default.get("state_path", os.path.dirname(usual))
    if kind == "instances":
        path = default.get("instances_path", os.path.join(state, os.path.basename(usual)))
        return [normal(path, state)], [], []
    if kind == "images":
        return image_stores(settings, usual)
    paths, elsewhere, groups = [], [], []  # type: list[str], list[str], list[str]
    for name in listed_in(default.get("enabled_backends", "")):
        own = settings.get(name, {})
        driver = own.get("volume_driver", "cinder.volume.drivers.lvm.LVMVolumeDriver")
        if "nfs" in driver.lower():
            base = normal(own.get("nfs_mount_point_base", os.path.join(state, "mnt")), state)
            shares = read(own.get("nfs_shares_config", "/etc/cinder/nfs_shares")).splitlines()
            named = [line.split()[0] for line in shares if line.strip() and line[0] != "#"]
            paths += [os.path.join(base, digest(share)) for share in named]
            paths += [each["mount"] for each in mounts if each["mount"].startswith(base + "/")]
        elif "lvm" in driver.lower():
            groups.append(own.get("volume_group", "cinder-volumes"))
        else:
            elsewhere.append(name)
    return list(dict.fromkeys(paths)), elsewhere, list(dict.fromkeys(groups))


def image_stores(
    settings: dict[str, dict[str, str]], usual: str
) -> tuple[list[str], list[str], list[str]]:
    """Return where Glance keeps images in files, and its stores that are no files."""
    own = settings.get("glance_store", {})
    several = listed_in(settings["DEFAULT"].get("enabled_backends", ""))
    if several:
        kinds = [(settings.get(each.partition(":")[0].strip(), {}), each) for each in several]
    elif own.get("default_store", "file") in ("file", "filesystem"):
        kinds = [(own, each + ":" + each) for each in listed_in(own.get("stores", "file"))]
    else:
        kinds = [(own, own["default_store"] + ":" + own["default_store"])]
    paths, elsewhere = [], []  # type: list[str], list[str]
    for section, each in kinds:
        name, _, which = each.partition(":")
        if which.strip() in ("file", "filesystem"):
            given = section.get("filesystem_store_datadirs")
            given = given or section.get("filesystem_store_datadir", usual)
            found = [re.sub(r":\d+$", "", path) for path in listed_in(given)]
            paths += [normal(path, os.path.dirname(usual)) for path in found]
        elif which.strip() not in ("http", ""):
            elsewhere.append(name)
    return list(dict.fromkeys(paths)), elsewhere, []


def normal(path: str, state: str) -> str:
    """Return a path of settings as the kernel has it."""
    return os.path.normpath(path.replace("${state_path}", state).replace("$state_path", state))


def digest(share: str) -> str:
    """Return the folder in which os-brick mounts a share."""
    return hashlib.md5(share.encode()).hexdigest()  # noqa: S324  # a name, no secret


def active(commands: Commands) -> set[str]:
    """Return the names of the services that are active; a socket may have nobody behind it."""
    blocks = str(commands.end("units").get("out", "")).split("\n\n")
    units = [dict(re.findall(r"^(\w+)=(.*)$", block, re.MULTILINE)) for block in blocks]
    return {
        one["Id"]
        for one in units
        if one.get("ActiveState") == "active" and not one.get("Id", ".socket").endswith(".socket")
    }


def stopped(commands: Commands) -> list[str]:
    """Return the units that are active although the kernel does not run their processes now.

    A signal stopped them, or systemd has frozen them. A process under a debugger looks different.
    """
    found = []
    for block in str(commands.end("units").get("out", "")).split("\n\n"):
        one = dict(re.findall(r"^(\w+)=(.*)$", block, re.MULTILINE))
        if one.get("ActiveState") == "active" and "Id" in one:
            pids = [one["MainPID"]] if one.get("MainPID", "0") != "0" else []
            if not pids:  # such as a script of /etc/init.d
                group = one.get("ControlGroup", "")
                pids = read(f"/sys/fs/cgroup{group}/cgroup.procs").split() if group else []
            states = [read(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] for pid in pids]
            is_stopped = bool(states) and all(each == ["T"] for each in states)
            if is_stopped or one.get("FreezerState") == "frozen":
                found.append(one["Id"])
    return found


def ask_cluster(commands: Commands) -> None:
    """Ask Pacemaker what it runs, where it runs; a version before 2.0.3 by its own word for it."""
    if "pacemaker.service" not in active(commands):
        return
    commands.start("pacemaker", as_root([*CRM_MON, "--output-as=xml", "-1"]))
    if commands.end("pacemaker").get("code") == USAGE:
        commands.start("pacemaker before 2.0.3", as_root([*CRM_MON, "--as-xml", "-1"]))


def wanting(commands: Commands) -> None:
    """Ask what wants the units that no question was about so far, such as `ovn-central.service`."""
    told = str(commands.end("units").get("out", ""))
    known = set(re.findall(r"^Id=(.+)$", told, re.MULTILINE))
    named = re.findall(r"^(?:WantedBy|RequiredBy|TriggeredBy)=(.+)$", told, re.MULTILINE)
    others = {name for line in named for name in line.split() if not name.endswith(".target")}
    units = sorted(others - known)[:MOST_WANTING]
    if units:
        shown = ["systemctl", "show", "--no-pager", "-p", WANTING_FACTS, "--", *units]
        commands.start("wanting units", shown)


def running_in(commands: Commands, engine: str) -> set[str]:
    """Return the names of the containers that run, among other words."""
    listed = str(commands.soon("containers of " + engine).get("out", "")).splitlines()
    return {word for line in listed if '"running"' in line for word in re.findall(r"[\w.-]+", line)}


def rabbitmq(*words: str, vhost: str = "") -> list[str]:
    """Return a command of RabbitMQ's own tool."""
    of_vhost = ["--vhost", vhost] if vhost else []
    return as_root([*LIMIT, "/usr/sbin/rabbitmqctl", "--silent", *of_vhost, *words])


def queues_one_by_one(commands: Commands) -> None:
    """Ask for the queues of each virtual host, where RabbitMQ did not list all at once.

    That is so without the right to it, and in versions that are different inside. Virtual hosts
    that are left out stay unknown.
    """
    told = commands.end("rabbitmq all")
    has_told = told.get("code") == 0 and re.search(r"(?m)^\[", str(told.get("out", "")))
    if has_told or told.get("code") is None:
        return
    if commands.end("rabbitmq cluster").get("code") != 0:
        return
    commands.start("rabbitmq vhosts", rabbitmq("list_vhosts", "name"))
    commands.start("rabbitmq queues", rabbitmq("list_queues", *QUEUE_FACTS))
    commands.start("rabbitmq bindings", rabbitmq("list_bindings", *BINDING_FACTS))
    names = str(commands.end("rabbitmq vhosts").get("out", "")).splitlines()
    for vhost in [name for name in names if name and name != "/"][:MOST_VHOSTS]:
        queues = rabbitmq("list_queues", *QUEUE_FACTS, vhost=vhost)
        commands.start("rabbitmq queues of " + vhost, queues)
        bindings = rabbitmq("list_bindings", *BINDING_FACTS, vhost=vhost)
        commands.start("rabbitmq bindings of " + vhost, bindings)


def logs_of_troubled(commands: Commands) -> None:
    """Ask for the last words of the units that have failed or do not stay up."""
    blocks = str(commands.end("units").get("out", "")).split("\n\n")
    units = [dict(re.findall(r"^(\w+)=(.*)$", block, re.MULTILINE)) for block in blocks]
    for unit in units:
        if (
            unit.get("ActiveState") in ("failed", "activating")
            and len([name for name in commands.started if name.startswith("log ")]) < LOGS_OF
        ):
            words = [
                "journalctl",
                "-u",
                unit["Id"],
                "-n",
                str(LOG_LINES),
                "--no-pager",
                "-o",
                "cat",
            ]
            # Not through sudo: a sudoers file could name no unit but by a pattern.
            commands.start("log " + unit["Id"], words)


def main(asked: dict[str, object]) -> None:
    """Gather all and print it."""
    began = time.time()
    see_sbin()
    within_s = float(str(asked["within_s"]))
    signal.alarm(int(within_s) + OWN_END_S)
    commands = Commands(within_s)
    ask_all(commands, asked)
    ask_questions(commands, list(asked.get("questions", ())))  # type: ignore[call-overload]
    ask_libvirt(commands)
    kept = stores(commands, list(asked.get("stores", ())))  # type: ignore[call-overload]
    sockets = listened(commands)
    known = Places(commands, sockets)
    web = ask_web(commands, list(asked.get("web", ())), known, within_s)  # type: ignore[call-overload]
    talks = ask_as_clients(commands, known, within_s)
    wanting(commands)
    ask_cluster(commands)
    disks = filesystems(commands)
    logs_of_troubled(commands)
    listed = str(sockets.get("out", ""))
    ask_amqp_elsewhere(commands, known, talks)
    ask_greeting(commands, talks)
    queues_one_by_one(commands)
    talked = talks.all()
    told = commands.all()
    told.pop("sockets unowned", None)
    json.dump(
        {
            "version": 1,
            "hostname": socket.gethostname(),
            "hosts": configured([str(path) for path in list(asked.get("settings", ()))]),  # type: ignore[call-overload]
            "is_root": os.geteuid() == 0,
            "now": began,
            "monotonic": time.monotonic(),
            "took_s": time.time() - began,
            "started": started_at(),
            "boot_id": read("/proc/sys/kernel/random/boot_id").strip(),
            "container": container(),
            "machine": machine(),
            "clock": clock(),
            "memory": read("/proc/meminfo"),
            "conntrack": [read(CONNTRACK + one).strip() for one in ("count", "max")],
            "filesystems": disks,
            "mounts": mounts(),
            "stores": kept,
            "paths": [path for path in list(asked["paths"]) if os.path.exists(path)],  # type: ignore[call-overload]
            "installed": installed([str(unit) for unit in list(asked["units"])]),  # type: ignore[call-overload]
            "sockets": sockets,
            "owners": owners(listed),
            "memcached": of_cache(talked, all_are_own=known.sees_owners),
            "amqp": of_takers(talked, "rabbitmq", "it answers in another way than AMQP 0-9-1"),
            "greeting": of_takers(talked, "mariadb", "it greets nobody: it refuses all clients"),
            "web": web.all(),
            "contained": contained(commands),
            "stopped": stopped(commands),
            "commands": {name: one for name, one in told.items() if name != "sockets"},
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
