"""Nodes that run what the cloud places there, and whose units can be stopped."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from builders import NOW
from fakes.cloud import FakeCloud
from stackward.errors import Unreachable
from stackward.facts.disks_elsewhere import script as disks
from stackward.facts.domains import FILESYSTEM, LIST, STATS
from stackward.facts.guest import script as guest_script
from stackward.facts.guests import script as guests
from stackward.facts.survey import script as survey
from stackward.facts.who_ran import NOW as NOW_THERE
from stackward.model import boot_gate
from stackward.model.blind import Blind
from stackward.model.compute_process import PROCESSES
from stackward.model.identity import Directory, Itself, Known
from stackward.model.login import Login
from stackward.model.maintenance import DROP_IN, DROP_IN_TEXT, MAINTENANCE
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.ports.clock import Clock
from stackward.ports.compute_process import AGES
from stackward.ports.login import hint_for
from stackward.ports.machines import Ask
from stackward.ports.root import (
    DELETED_FILES,
    FILL_DROP_IN,
    FILL_GATE,
    FILL_GATE_DROP_IN,
    GUEST_LOGS,
    Words,
    must_be_declared,
)
from stackward.ports.shell import Answer, Rights, Shell
from stackward.status.booted import BOOTED
from stackward.status.witnesses import script

FILLED = {
    FILL_DROP_IN: (DROP_IN, DROP_IN_TEXT),
    FILL_GATE: (boot_gate.SCRIPT, boot_gate.SCRIPT_TEXT),
    FILL_GATE_DROP_IN: (boot_gate.DROP_IN, boot_gate.DROP_IN_TEXT),
}
NOVA_COMPUTE_RUNS = "/usr/bin/python3 /usr/bin/nova-compute --config-file=/etc/nova/nova.conf"


IN_A_CONTAINER = (
    f"  8 0::/system.slice/docker-4f5e6a7b8c9d{'0' * 52}.scope"
    " /var/lib/kolla/venv/bin/python3 /var/lib/kolla/venv/bin/nova-compute"
)


@cache
def _directory(hosts: tuple[str, ...]) -> Directory:
    return Directory(Known(name=host, address=host) for host in hosts)


_AT = "2026-11-22 03:00:00.000 7"


NO_VIRSH = Answer(127, "", "env: 'virsh': No such file or directory\n")


NO_LIBVIRT = Answer(1, "", "error: failed to connect to the hypervisor")


def _no_route(node: str) -> Unreachable:
    hint = hint_for(Blind.UNREACHABLE, Login(address=node))
    return Unreachable(f"cannot log in to `{node}`", says="No route to host", hint=hint)


@dataclass
class FakeShell:
    """Nodes whose libvirt runs what the cloud places there, unless told otherwise."""

    cloud: FakeCloud
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    units: dict[str, tuple[str, str]] = field(default_factory=dict)  # (active, enabled) by node
    silent: set[str] = field(default_factory=set)
    leftovers: dict[str, list[str]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    logged: dict[str, list[str]] = field(default_factory=dict)
    domains: dict[tuple[str, str], str] = field(default_factory=dict)  # other than Nova thinks
    without: set[tuple[str, str]] = field(default_factory=set)  # (node, server): no such guest
    lost: set[str] = field(default_factory=set)  # servers: no such guest until Nova boots them
    jobs: set[tuple[str, str]] = field(default_factory=set)  # (node, server)
    starts: Counter[str] = field(default_factory=Counter)
    not_starting: set[str] = field(default_factory=set)
    libvirt_down: set[str] = field(default_factory=set)
    without_virsh: set[str] = field(default_factory=set)
    strays: dict[str, list[str]] = field(default_factory=dict)  # guests that Nova has elsewhere
    inventory: tuple[Known, ...] | None = None  # None: the hosts of the cloud, by their names
    says: dict[str, Itself] = field(default_factory=dict)  # of itself, by node; else its name
    asked_names: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # anything else
    processes: dict[str, list[str]] = field(default_factory=dict)  # rows of `ps`, beside the unit's
    compute_age_s: int = 86400  # of each process of nova-compute
    hides_processes: set[str] = field(default_factory=set)  # nodes: those of others
    without_unit: set[str] = field(default_factory=set)  # nodes with no nova-compute.service
    filesystems: dict[str, str] = field(default_factory=dict)  # by directory; else ext4
    instances_path: str | None = None  # where the disks of its guests are, if that is told
    refused: dict[str, str] = field(default_factory=dict)  # by node: what sudo says there
    pinging: set[str] = field(default_factory=set)  # of the silent ones, those whose kernel answers
    refusing: set[str] = field(default_factory=set)  # of the silent ones, those that refuse 22/tcp
    booted: datetime | None = NOW - timedelta(minutes=2)  # None: it does not tell
    rebooted: dict[str, datetime] = field(default_factory=dict)  # by node: by itself, since
    on_boot: Callable[[], object] = lambda: None  # what happens as a node comes up
    reboots: Counter[str] = field(default_factory=Counter)
    starting: dict[str, list[str]] = field(default_factory=dict)  # jobs; the first never ends
    blips: Counter[str] = field(default_factory=Counter)  # by node: boots that nobody asked for
    not_booting: set[str] = field(default_factory=set)  # nodes: silent from a reboot on
    ignores_reboot: set[str] = field(default_factory=set)
    cut_by_reboot: set[str] = field(default_factory=set)  # servers that ran as their node rebooted
    cut_off: set[str] = field(default_factory=set)  # servers: their guests obey no shutdown
    kernels: tuple[str, str] = ("6.1.0-18-amd64", "6.1.0-18-amd64")  # that runs; of `/vmlinuz`
    is_container: bool = False
    deleted_ends: tuple[int, str] = (1, "")  # how `grep` ends that finds none
    runs_deleted: dict[str, str] = field(default_factory=dict)  # names of processes, by their ids
    guest_logs: str = ""  # what `grep` finds in libvirt's logs
    unmounted: set[str] = field(default_factory=set)  # servers whose directories are not there
    ahead_s: float = 0.0  # the clock of each node
    clock: Clock | None = None  # of the world; set as that is made
    reads_nothing: set[str] = field(default_factory=set)  # servers: their guests do not boot
    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)  # beside the inventory's
    gated: set[str] = field(default_factory=set)  # whose systemd has read the gate's drop-in
    systemd: dict[str, int] = field(default_factory=dict)  # its version, by node; else 257
    locked: set[str] = field(default_factory=set)  # servers whose disks some guest has open
    shares_instances: bool = True  # all nodes see the disks of all servers
    # By node and place: the inode of what is there, and when it was changed last.
    inodes: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    uses_own_disks: bool = True  # Nova agrees, when it evacuates one
    not_ending: set[str] = field(
        default_factory=set
    )  # nodes: libvirt there lets nobody end a guest
    removes_disks: bool = False  # libvirt does, as it takes a definition away
    destroyed: set[tuple[str, str]] = field(default_factory=set)  # guests, by (node, server)
    failure_domains: dict[str, str | Unread] = field(default_factory=dict)  # by node
    # The volumes of a guest where they are others than Nova has, until it is booted again:
    serials: dict[str, tuple[str, ...]] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)  # same, of devices: by volume
    not_novas: set[str] = field(default_factory=set)  # guests that something else has defined
    machines: dict[str, list[str]] = field(default_factory=dict)  # of a server's boots, in turn
    uefi: set[str] = field(default_factory=set)  # servers that boot by it
    surveys: dict[str, Mapping[str, object]] = field(default_factory=dict)  # what a look is told
    uncalled: set[str] = field(default_factory=set)  # addresses that no node has a way to
    looks: dict[tuple[str, str], str] = field(default_factory=dict)  # at guests: what was told

    def directory(self) -> Directory:
        known = Directory(self.inventory) if self.inventory else _directory(self.cloud.nova.hosts)
        said = {each: one for each in self.asked_names if (one := self._said_by(each))}
        return known.with_said(said) if said else known

    def itself(self, node: str, /, *, within_s: float | None = None) -> Itself | None:
        self.asked_names.append(node)
        return self._said_by(node)

    def _said_by(self, node: str) -> Itself | None:
        return None if node in self.silent else self.says.get(node, Itself(names=(node,)))

    def _host_of(self, node: str) -> str:
        """Return Nova's host of a node, which has another name where it says so itself."""
        said = self.says.get(node)
        own = said.all_names if said else ()
        return next((name for name in own if name in self.cloud.nova.hosts), node)

    def groups_of(self, node: str, /) -> tuple[str, ...]:
        return ("compute",) if node in self.directory() else ()

    def failure_domain(self, node: str, /) -> str | Unread | None:
        return self.failure_domains.get(node)

    def rights(self, node: str, commands: Sequence[Words], /) -> Rights:
        if node in self.silent:
            raise _no_route(node)
        for words in commands:
            must_be_declared(words)
        refused = dict.fromkeys(commands, self.refused[node]) if node in self.refused else {}
        return Rights("ops", refused)

    def run(  # noqa: C901, PLR0911, PLR0912  # one a kind of command
        self,
        node: str,
        command: Sequence[str],
        /,
        *,
        as_root: bool = False,
        given: str = "",
        within_s: float | None = None,
    ) -> Answer:
        self.asked.append(node)
        if node in self.silent:
            raise _no_route(node)
        words = list(command)
        if given == disks():
            return self._disks(json.loads(words[-1])["servers"])
        if given == guests():
            return self._guests(node)
        if guest_script() in given:
            server = json.loads(given.partition(guest_script())[2])["server"]
            told = self.looks.get((node, server))
            return NO_LIBVIRT if told is None else Answer(0, told)
        if node in self.surveys and given == survey():
            return Answer(0, json.dumps(self.surveys[node]))
        if given == script():
            return self._hail(node, json.loads(words[-1])["addresses"])
        if as_root:
            must_be_declared(words)
            if node in self.refused:
                return Answer(1, "", f"{self.refused[node]}\n")
        if tuple(words) in {BOOTED, NOW_THERE, GUEST_LOGS}:
            return self._past(node, tuple(words))
        if tuple(words) == DELETED_FILES:
            listed = "".join(f"/proc/{pid}/maps\n" for pid in self.runs_deleted)
            code, err = self.deleted_ends
            return Answer(0 if listed else code, listed, err)
        if words[:2] == ["ps", "-e"] and "comm=" in words:
            rows = [f"{pid:>7} {name}\n" for pid, name in self.runs_deleted.items()]
            return Answer(0, "".join(rows))
        if words[0] == "virsh":
            return self._virsh(node, words)
        if words[0].rpartition("/")[2] in {"find", "tail", "test", "cat", "ps", "findmnt"}:
            return self._read(node, words)
        if words[0].rpartition("/")[2] == "systemctl":
            return self._told_of_gate(node, words) or self._systemctl(node, words)
        if words[0] in {"systemd-detect-virt", "uname", "readlink"}:
            runs, chosen = self.kernels
            said = "systemd-nspawn" if self.is_container else "none"
            link = f"/boot/vmlinuz-{chosen}" if chosen else ""
            return Answer(0, {"uname": runs, "readlink": link}.get(words[0], said))
        return self._write(node, words, given)

    def _past(self, node: str, words: Words) -> Answer:
        """Tell when it booted, what time it is there, and what libvirt's logs have."""
        if words == NOW_THERE:
            now = self.clock.now() if self.clock else NOW
            return Answer(0, f"{now.timestamp() + self.ahead_s:.0f}\n")
        if words == GUEST_LOGS:
            return Answer(0 if self.guest_logs else 1, self.guest_logs)
        booted = self.rebooted.get(node, self.booted)
        if booted is None:
            return Answer(1, "", "cat: /proc/1/stat: Permission denied\n")
        began = int(booted.timestamp())
        boot = UUID(int=self.reboots[node] + self.blips[node])
        first = f"1 (systemd) S {'0 ' * 18}100 0"
        return Answer(0, f"{first}\ncpu 1 2\nbtime {began - 1}\n{boot}\n")

    def _disks(self, servers: Sequence[str]) -> Answer:
        """Say which disks a node sees of servers: all of them, unless each has its own alone."""
        told = {
            each: [
                {
                    "path": f"/var/lib/nova/instances/{each}",
                    "there": self.shares_instances,
                    "writable": self.shares_instances,
                    "disks": {"disk": ""} if self.shares_instances else {},
                    "locked": ["disk"] if each in self.locked else [],
                    "written": 1795921325 if self.shares_instances else None,
                    "storage": "nfs4 nas:/instances" if self.shares_instances else None,
                    "place": f"/{each}" if self.shares_instances else None,
                    "unread": None,
                }
            ]
            for each in servers
        }
        return Answer(0, f"Welcome\n{json.dumps({'version': 1, 'told': told})}\n")

    def _evacuated(self, node: str) -> list[str]:
        """Return what nova-compute there wrote of the servers that it has taken."""
        used = "disk on shared storage, evacuating using existing disk"
        if not (self.shares_instances and self.uses_own_disks):
            used = "disk not on shared storage, evacuating from image: 'guest'"
        nova, host = self.cloud.nova, self._host_of(node)
        taken = {
            each.server
            for each in nova.migrations
            if (each.kind, each.target, each.status) == ("evacuation", host, "done")
        }
        return [
            f"{_AT} INFO nova.compute.manager [None {one.request_id} u p] {used}\n"
            for server in sorted(taken)
            for one in nova.actions[server]
            if one.action == "evacuate"
        ]

    def _guests(self, node: str) -> Answer:
        """Say which guests a node has, with the volumes that Nova gave them."""
        said: str | None = None
        if node in self.without_virsh | self.libvirt_down:
            said = "lacking" if node in self.without_virsh else NO_LIBVIRT.err
        here = [one.id for one in self.cloud.nova.known.values() if self._has(node, one.id)]
        ids = [*here, *(one for at, one in self.domains if at == node and one not in here)]
        ids += self.strays.get(node, [])
        states = {"running": "1", "paused": "3", "shut off": "5"}
        told: list[dict[str, object]] = [
            {
                "uuid": one,
                "name": f"instance-{one[:8]}",
                "state": states[
                    "running"
                    if one in self.strays.get(node, [])
                    else self._domstate(node, one).out.strip()
                ],
                "disks": [
                    {"device": device, "path": None, "serial": volume}
                    for volume, device in self._volumes_of(one).items()
                ],
                "novas": one not in self.not_novas,
            }
            for one in dict.fromkeys(ids)
        ]
        return Answer(0, json.dumps({"version": 1, "guests": [] if said else told, "unread": said}))

    def _volumes_of(self, server: str) -> dict[str, str]:
        """Return the volumes of a guest, each with its device."""
        nova = self.cloud.nova
        names = {one.volume: one.device or "" for one in nova.volumes_of(server)}
        is_as_before = server in self.serials and not nova.boots[server]
        has = self.serials[server] if is_as_before else tuple(names)
        found = {}
        for at, volume in enumerate(has):
            device = names.get(volume, f"vd{chr(98 + at)}").rpartition("/")[2]
            is_other = volume in self.letters and volume not in nova.reattached
            found[volume] = self.letters[volume] if is_other else device
        return found

    def _hail(self, caller: str, addresses: Sequence[str]) -> Answer:
        """Call addresses from a node: what has power answers, whoever may log in there."""
        told = {}
        for address in addresses:
            owner = self._owner_of(address)
            is_alive = owner is not None and (owner not in self.silent or owner in self.pinging)
            ssh = "open" if owner not in self.silent else "silent"
            if address in self.uncalled:
                ssh, is_alive = "not sent: Network is unreachable", False
            if owner in self.refusing:
                told[address] = {"own": False, "ssh": "refused", "ping": False}
                continue
            told[address] = {
                "own": owner == caller,
                "ssh": ssh if is_alive else ssh.replace("open", "silent"),
                "ping": is_alive,
            }
        return Answer(0, f"Welcome\n{json.dumps({'version': 1, 'told': told})}\n")

    def _owner_of(self, address: str) -> str | None:
        known = {self.directory().node(one).address: one for one in self.cloud.nova.hosts}
        known |= {at: one for one, those in self.addresses.items() for at in those}
        return known.get(address)

    def _processes(self, node: str) -> Answer:
        if node in self.hides_processes:
            return Answer(0, "  9 0::/user.slice  sshd-session: ops\n")
        own = f"  7 0::/system.slice/nova-compute.service  {NOVA_COMPUTE_RUNS}"
        active, _ = self.units.get(node, ("active", "enabled"))
        is_on = active in {"active", "deactivating"} and node not in self.without_unit
        listed = ["  1 0::/init.scope  /sbin/init", *([own] if is_on else [])]
        return Answer(0, "\n".join([*listed, *self.processes.get(node, [])]))

    def _write(self, node: str, words: list[str], given: str) -> Answer:
        self.done.append(" ".join(words))
        if words[0] == "/usr/bin/rm":
            for path in words[2:]:
                self.files.pop((node, path), None)
        elif words[0] == "/usr/bin/mv":
            self.files[node, words[-1]] = self.files.pop((node, words[-2]))
        elif words[0] == "/usr/bin/sync":
            pass
        elif tuple(words) in FILLED:
            path, text = FILLED[tuple(words)]
            self.files[node, path] = text
        else:
            self.files[node, words[-1]] = given
        return Answer(0, "")

    def _read(self, node: str, words: list[str]) -> Answer:  # noqa: PLR0911  # one a command
        if words == list(PROCESSES):
            return self._processes(node)
        if words[:-1] == list(AGES):
            return Answer(0, "".join(f"{self.compute_age_s:>7}\n" for _ in words[-1].split(",")))
        if words[:-1] == list(FILESYSTEM):
            kind = self.filesystems.get(words[-1], "ext4")
            return Answer(0, json.dumps({"filesystems": [{"target": "/", "fstype": kind}]}))
        if words[0] == "find" and words[-2:] == ["-type", "d"]:
            servers = self.cloud.nova.servers_on(self._host_of(node))
            ids = [one.id for one in servers if one.id not in self.unmounted]
            return Answer(0, "".join(f"/var/lib/nova/instances/{each}\n" for each in ids))
        if words[0] == "find" and "-printf" in words:
            return Answer(0, self._told_of_places(node, words))
        if words[0] == "find":
            is_for_one = "-mindepth" not in words
            wanted = words[-1].removesuffix("*") if is_for_one else ""
            places = tuple(word for word in words[1:] if word.startswith("/"))
            here = [one for one in self.leftovers.get(node, []) if one.startswith(places)]
            left = [one for one in here if wanted in one]
            return Answer(0, "\n".join(left))
        if words[0] == "/usr/bin/tail":
            started = f"{_AT} INFO nova.service [-] Starting compute node\n"
            lines = (started, *self.logged.get(node, []), *self._evacuated(node))
            return Answer(0, "".join(lines))
        if words[:2] == ["test", "-e"] and "/instances/" in words[2]:
            return Answer(0 if self.shares_instances else 1, "")
        text = self.files.get((node, words[-1]))
        return Answer(1, "") if text is None else Answer(0, text)

    def _told_of_places(self, node: str, words: list[str]) -> str:
        """Print what `find` is asked to print of places, or of what is in them."""
        asked = [one.rstrip("/") for one in words[1:] if one.startswith("/")]
        wanted, is_below = words[words.index("-printf") + 1], "-mindepth" in words
        return "".join(
            wanted.replace("%i", str(inode)).replace("%C@", str(changed)).replace("%p", place)
            for (where, place), (inode, changed) in self.inodes.items()
            if where == node and (place.rpartition("/")[0] if is_below else place) in asked
        ).replace("\\n", "\n")

    def _virsh(self, node: str, words: list[str]) -> Answer:  # noqa: C901, PLR0911  # one a command
        if node in self.without_virsh | self.libvirt_down:
            return NO_VIRSH if node in self.without_virsh else NO_LIBVIRT
        here = [
            one
            for one in self.cloud.nova.known.values()
            if one.host == self._host_of(node) and not self._lacks(node, one.id)
        ]
        if words == list(STATS):
            states = {"active": 1, "paused": 3, "stopped": 5}
            left = {"running": 1, "paused": 3, "shut off": 5}
            return Answer(
                0,
                "".join(
                    f"Domain: 'instance-{one}'\n  state.state={left[self.domains[node, one]]}\n"
                    f"{self._disk_of(one)}\n"
                    for one in self._left_on(node, here)
                )
                + "".join(
                    f"Domain: 'instance-{one.name}'\n"
                    f"  state.state={states.get(one.vm_state, 1)}\n{self._disk_of(one.id)}\n"
                    for one in here
                ),
            )
        if words == list(LIST):
            others = [(one, one) for one in self._left_on(node, here)]
            known = [*((one.id, one.name) for one in here), *others]
            return Answer(0, "".join(f"{one} instance-{name}\n" for one, name in known))
        if {"uri", "destroy", "undefine"} & {*words}:
            return self._end(node, words)
        if "--reason" in words:
            how = "destroyed" if words[-1] in self.cut_off else "shutdown"
            return Answer(0, f"{self._domstate(node, words[-1]).out.strip()} ({how})\n\n")
        if "domstate" in words:
            return self._domstate(node, words[-1])
        if "domstats" in words:
            return self._domstats(node, words[-1])
        if "domid" in words:
            return self._domid(node, words[-1])
        if "dumpxml" in words:
            return self._definition(node, words[-1])
        if "domjobinfo" in words:
            return self._job(node, words[-1])
        ids = [*(one.id for one in here), *self.strays.get(node, [])]
        if "list" in words and "--all" not in words:
            ids = [one for one in ids if self._runs(node, one)]
        if "version" in words:
            ids = ["Using library: libvirt 11.3.0", "Running against daemon: 11.3.0"]
        return Answer(0, "".join(f"{each}\n" for each in ids))

    def _left_on(self, node: str, here: Sequence[Server]) -> list[str]:
        """Return the servers of which a guest is there that Nova has elsewhere."""
        own = {one.id for one in here}
        return [one for at, one in self.domains if at == node and one not in own]

    def _end(self, node: str, words: list[str]) -> Answer:
        """Cut the power of a guest, or take its definition away."""
        if node in self.not_ending:
            return Answer(1, "", "error: authentication unavailable: no polkit agent\n")
        if "uri" in words:
            return Answer(0, "qemu:///system\n\n")
        self.done.append(" ".join(words[3:]))
        server = words[-1]
        if (node, server) not in self.domains:
            return Answer(1, "", f"error: failed to get domain '{server}'")
        if "destroy" in words:
            self.domains[node, server] = "shut off"
            self.locked.discard(server)
        else:
            del self.domains[node, server]
            self.shares_instances &= not self.removes_disks
        return Answer(0, "")

    def _domstats(self, node: str, server: str) -> Answer:
        state = self._domstate(node, server)
        if state.code:
            return state
        found = 2**23 if server not in self.reads_nothing else 0
        return Answer(0, f"Domain: 'instance'\n  block.count=1\n  block.0.rd.bytes={found}\n\n")

    def _disk_of(self, server: str) -> str:
        if self.instances_path is None:
            return ""
        return f"  block.count=1\n  block.0.path={self.instances_path}/{server}/disk\n"

    def _job(self, node: str, server: str) -> Answer:
        if self._domstate(node, server).out.startswith("shut off"):
            return Answer(1, "", "error: Requested operation is not valid: domain is not running")
        is_at_work = (node, server) in self.jobs
        return Answer(0, f"Job type:         {'Unbounded' if is_at_work else 'None'}\n\n")

    def _domstate(self, node: str, server: str) -> Answer:
        found = self.cloud.nova.known.get(server)
        if (node, server) in self.domains:
            return Answer(0, f"{self.domains[node, server]}\n\n")
        if found is None or found.host != self._host_of(node) or self._lacks(node, server):
            return Answer(1, "", f"error: failed to get domain '{server}'")
        states = {"paused": "paused", "stopped": "shut off", "suspended": "shut off"}
        return Answer(0, f"{states.get(found.vm_state, 'running')}\n\n")

    def _lacks(self, node: str, server: str) -> bool:
        is_lost = server in self.lost and not self.cloud.nova.boots[server]
        return is_lost or (node, server) in self.without

    def _runs(self, node: str, server: str) -> bool:
        state = self._domstate(node, server)
        is_stray = server in self.strays.get(node, [])
        return is_stray or state.out.strip() not in {"shut off", "crashed", ""}

    def _reboot(self, node: str) -> None:
        """Shut a node down and boot it: what runs on it is cut off, and its units start again."""
        if node in self.ignores_reboot:
            return
        servers = self.cloud.nova.servers_on(self._host_of(node))
        self.cut_by_reboot |= {one.id for one in servers if self._runs(node, one.id)}
        self.reboots[node] += 1
        self.rebooted[node] = self.clock.now() if self.clock else NOW
        self.files.pop((node, boot_gate.OPENED), None)
        if node in self.not_booting:
            self.silent.add(node)
            return
        self.boot(node)

    def boot(self, node: str) -> None:
        """Let a node that was shut down come up: its units start, and it answers."""
        self.silent.discard(node)
        self.on_boot()
        _, enabled = self.units.get(node, ("active", "enabled"))
        self.units[node] = ("inactive", enabled)
        self._start(node, enabled)

    def _domid(self, node: str, server: str) -> Answer:
        state = self._domstate(node, server)
        if state.code:
            return state
        is_off = state.out.strip() in {"shut off", "crashed"}
        return Answer(0, f"{'-' if is_off else 10 + self.cloud.nova.boots[server]}\n\n")

    def _definition(self, node: str, server: str) -> Answer:
        state = self._domstate(node, server)
        if state.code:
            return state
        machine = self.machines.get(server, ["q35"])
        now = machine[min(self.cloud.nova.boots[server], len(machine) - 1)]
        firmware = " firmware='efi'" if server in self.uefi else ""
        disks = "".join(
            f"  <disk><target dev='{device}'/><serial>{volume}</serial></disk>\n"
            for volume, device in self._volumes_of(server).items()
        )
        return Answer(
            0,
            f"<domain type='kvm' xmlns:nova='nova'>\n  <uuid>{server}</uuid>\n"
            f"  <nova:creationTime>{self.cloud.nova.boots[server]}</nova:creationTime>\n"
            f"  <os{firmware}>\n    <type machine='{now}'>hvm</type>\n  </os>\n"
            f"{disks}</domain>\n\n",
        )

    def _start(self, node: str, enabled: str) -> None:
        kept_off = any((node, path) in self.files for path in (MAINTENANCE, DROP_IN))
        is_shut = (node, boot_gate.DROP_IN) in self.files and (
            (node, boot_gate.OPENED) not in self.files
        )
        if kept_off or is_shut or enabled == "masked":
            return
        host = self._host_of(node)
        if self.units.get(node, ("", ""))[0] == "active" and host in self.cloud.nova.computes:
            self._report(node)
            return
        self.starts[node] += 1
        if node in self.not_starting:
            self.units[node] = ("failed", enabled)
            return
        self.units[node] = ("active", enabled)
        now = f"2026-11-22T03:{self.starts[node]:02}:00.000000"
        destroyed = self.cloud.nova.act_on_evacuations(host)
        self.destroyed |= {(node, each) for each in destroyed if self._has(node, each)}
        self.strays[node] = [one for one in self.strays.get(node, []) if one not in destroyed]
        self.domains = {at: one for at, one in self.domains.items() if at[1] not in destroyed}
        self._hear(host, now)

    def _report(self, node: str) -> None:
        """Let a nova-compute that runs report once more."""
        beats = len(self.asked)
        at = f"2026-11-22T{4 + beats // 3600:02}:{beats // 60 % 60:02}:{beats % 60:02}.000000"
        self._hear(self._host_of(node), at)

    def _has(self, node: str, server: str) -> bool:
        return self._domstate(node, server).code == 0

    def _hear(self, host: str, now: str) -> None:
        """Let Nova hear from it: one that is forced down is called down all the same."""
        one = self.cloud.nova.computes[host]
        self.cloud.nova.unheard.discard(host)
        self.cloud.nova.computes[host] = replace(one, is_up=not one.is_forced_down, updated=now)

    def _told_of_gate(self, node: str, words: list[str]) -> Answer | None:
        if words[1:] == ["--version"]:
            return Answer(0, f"systemd {self.systemd.get(node, 257)} (257.7-1)\n+PAM +AUDIT\n")
        if words[1:] == ["daemon-reload"]:
            has_drop_in = (node, boot_gate.DROP_IN) in self.files
            (self.gated.add if has_drop_in else self.gated.discard)(node)
        if words[1:3] != ["show", "--property=ExecCondition"]:
            return None
        told = f"{{ path=/bin/sh ; argv[]=/bin/sh {boot_gate.SCRIPT} may-start }}"
        return Answer(0, f"ExecCondition={told if node in self.gated else ''}\n")

    def _systemctl(self, node: str, words: list[str]) -> Answer:  # noqa: C901, PLR0912  # same
        exists = node not in self.without_unit
        # A unit that does not exist is masked all the same; then it reads masked and inactive.
        usual = ("active", "enabled") if exists else ("inactive", "not-found")
        active, enabled = self.units.get(node, usual)
        if "is-" not in words[1] and words[1] != "show":
            self.done.append(" ".join(words))
        match words[1]:
            case "is-active":
                return Answer(0, f"{active}\n")
            case "is-system-running":
                is_up = node not in self.starting or not self.reboots[node]
                return Answer(0, "running\n") if is_up else Answer(1, "starting\n")
            case "list-jobs":
                first, *others = self.starting.get(node, ["none"])
                waiting = "".join(f"8 {each} start waiting\n" for each in others)
                return Answer(0, f"7 {first} start running\n{waiting}")
            case "reboot":
                self._reboot(node)
            case "is-enabled":
                return Answer(0, f"{enabled}\n")
            case "mask":
                self.units[node] = (active, "masked")
            case "unmask":
                self.units[node] = (active, "enabled")
            case "stop":
                self.units[node] = ("inactive", enabled)
                host = self._host_of(node)
                if exists and host in self.cloud.nova.computes:
                    self.cloud.nova.unheard.add(host)
                    stopped = replace(self.cloud.nova.computes[host], is_up=False)
                    self.cloud.nova.computes[host] = stopped
            case "start":
                self._start(node, enabled)
            case "show":
                lives = self.starts[node]
                if node in self.rebooted and active == "active":
                    self._report(node)
                return Answer(
                    0,
                    f"LoadState={'loaded' if exists else 'not-found'}\n"
                    f"Result={'exit-code' if active == 'failed' else 'success'}\nNRestarts=0\n"
                    f"ActiveState={active}\nInvocationID={lives:032x}\n",
                )
        return Answer(0, "")


def in_turn(shell: Shell) -> Ask:
    """Return a way to ask nodes one after the other."""
    return lambda nodes: {each: shell.itself(each) for each in nodes}
