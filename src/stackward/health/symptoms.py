"""Every finding of a health check, with its reason, its remedy, and why it is one.

The reference page is made from this list. `name` is stable: alert rules are written with it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from stackward.masking import masked
from stackward.model.health import Finding, State
from stackward.model.service import NOVA_COMPUTE
from stackward.ports import login

_RESTART = re.compile(r"\brestart\b")
# Ending a nova-compute gives up the moves that it drives.
_ALL_MOVES = "`openstack server migration list`"
_WHILE_AT_REST = f"while no move is in progress there ({_ALL_MOVES}): "
# Seen on a lab: libvirtd ends with the bus, and logins wait for a logind that has lost it.
BUS = "dbus"
_AFTER_THE_BUS = (
    "; then `systemctl restart systemd-logind`, otherwise logins hang; start the units that ended "
    "with D-Bus: if libvirt is a unit of the node, that unit (`libvirtd` or `virtqemud`); if "
    "networkd runs, `systemctl restart systemd-networkd`, otherwise it accepts no commands"
)


@dataclass(frozen=True, slots=True)
class Symptom:
    """One rule's words; `{...}` is filled in where it is found."""

    name: str
    state: State
    reason: str
    remedy: str
    why: str

    def found(
        self,
        component: str,
        node: str | None = None,
        /,
        evidence: Sequence[str] = (),
        **words: object,
    ) -> Finding:
        """Return the finding."""
        said = {"component": component, "node": node, **words}
        remedy = self.remedy
        if component == NOVA_COMPUTE and _RESTART.search(remedy):
            remedy = _WHILE_AT_REST + remedy
        if component == BUS and _RESTART.search(remedy):
            remedy += _AFTER_THE_BUS
        return Finding(
            rule=self.name,
            state=self.state,
            component=component,
            node=node,
            reason=masked(self.reason.format(**said)),
            remedy=masked(remedy.format(**said)),
            evidence=tuple(map(masked, evidence)),
            about=str(words.get("mount") or words.get("until") or words.get("reader") or ""),
        )


def of_host(finding: Finding, host: str | None) -> Finding:
    """Return the finding with the commands that ask for Nova's host, where that is known."""
    if host is None or finding.component != NOVA_COMPUTE:
        return finding
    moves = f"`openstack server migration list --host {host}`"
    return replace(finding, remedy=finding.remedy.replace(_ALL_MOVES, moves))


# --- the machine --------------------------------------------------------------------------------

NODE_UNREACHABLE = Symptom(
    "node-unreachable",
    State.BROKEN,
    "cannot be reached: {why}",
    "check its power and its network (its console, its BMC), and how far ssh comes: {login}; if it "
    "no longer exists, take it out of the inventory",
    "Its services may be down, and nothing can be seen of them.",
)
SSH_LOST = Symptom(
    "ssh-lost",
    State.UNKNOWN,
    "it is alive ({living} reports from it), but SSH does not reach it: {why}",
    "see how far ssh comes: {login}; if that address or port is not its own, set `ansible_host` "
    "and `ansible_port` in the inventory; if it is, check on its console that its sshd runs",
    "A node that cannot be looked at cannot be repaired either.",
)
NODES_LOST = Symptom(
    "nodes-lost",
    State.DEGRADED,
    "{count} of {of} nodes cannot be reached, all at once: {names}",
    "look first for what they share: a switch, a rack, its power; then look at each one, by its "
    "console or its BMC",
    "Many machines rarely fail at the same time by themselves. One cause is reported once.",
)
NODES_UNSEEN = Symptom(
    "nodes-unseen",
    State.UNKNOWN,
    "{count} of {of} nodes are alive (services report from them), but were not seen: {names}",
    "look first at the way from here to them: the network of SSH, a jump host, the load of this "
    "machine; see how far ssh comes: {login}; or pass a longer `--timeout`",
    "If many cannot be reached at once, it is usually the way to them.",
)
CLOCKS_ASTRAY = Symptom(
    "clocks-astray",
    State.DEGRADED,
    "the clocks of {count} of {of} nodes are off ours, by {least} to {most} s",
    "see `chronyc tracking` or `timedatectl`, first on this machine: if all nodes are off by the "
    "same time, the clock of this machine is wrong",
    "Tokens, heartbeats and replication compare times of different machines.",
)
HOST_KEY_UNKNOWN = Symptom(
    "host-key-unknown",
    State.UNKNOWN,
    "its host key is not known here: {why}",
    login.KEY_UNKNOWN,
    "A key that nobody has compared may be that of another machine. Stackward accepts none.",
)
HOST_KEYS_UNKNOWN = Symptom(
    "host-keys-unknown",
    State.UNKNOWN,
    "the host keys of {count} of {of} nodes are not known here: {names}",
    login.KEYS_UNKNOWN,
    "This is normal on a machine, or for a user, that has not logged in to the nodes before.",
)
HOST_KEY_CHANGED = Symptom(
    "host-key-changed",
    State.UNKNOWN,
    "its host key is not the one that is known here: {why}",
    login.KEY_CHANGED,
    "Another machine may have taken its address. A node that was reinstalled looks the same.",
)
HOST_KEYS_CHANGED = Symptom(
    "host-keys-changed",
    State.UNKNOWN,
    "the host keys of {count} of {of} nodes are not those that are known here: {names}",
    login.KEYS_CHANGED,
    "Nodes that were reinstalled have new keys. So do machines that have taken their addresses.",
)
SSH_SETTING_WRONG = Symptom(
    "ssh-setting-wrong",
    State.UNKNOWN,
    "ssh cannot start on the machine where Stackward runs: {why}",
    login.SETTINGS,
    "The node was not asked, so the fault is not its own.",
)
SSH_SETTINGS_WRONG = Symptom(
    "ssh-settings-wrong",
    State.UNKNOWN,
    "ssh cannot start on the machine where Stackward runs, for {count} of {of} nodes: {names}",
    login.SETTINGS,
    "The nodes were not asked, so the fault is not their own.",
)
LOGIN_REFUSED = Symptom(
    "login-refused",
    State.UNKNOWN,
    "it refuses the SSH login: {why}",
    login.REFUSED,
    "Nothing on the node can be seen.",
)
LOGINS_REFUSED = Symptom(
    "logins-refused",
    State.UNKNOWN,
    "{count} of {of} nodes refuse the SSH login: {names}",
    login.REFUSED,
    "If many nodes refuse a login at once, it is usually the user or the key.",
)
NODE_SILENT = Symptom(
    "node-silent",
    State.BROKEN,
    "gave no answer in time: {why}",
    "log in and see what hangs: `uptime`, `ps aux` (state D), the kernel log; a slow node may only "
    "need a longer `--timeout`",
    "A node that accepts a login and then hangs often has a disk or a mount that does not answer.",
)
NODE_LATE = Symptom(
    "node-late",
    State.UNKNOWN,
    "it is alive ({living} reports from it), but did not answer in time: {why}",
    "look at its load (`uptime`); a busy node needs a longer `--timeout`; if it still does not "
    "answer, log in and see what hangs; if a login takes 20 s or more and then works, logind "
    "hangs, or has lost D-Bus, which was started again: `systemctl restart systemd-logind`",
    "This look saw nothing on it.",
)
NODE_USELESS = Symptom(
    "node-useless",
    State.UNKNOWN,
    "login works, but the check script does not run: {why}",
    "install `python3` on it; nothing else is needed there",
    "The check of a node is one script that its own python3 runs.",
)
NODE_UNKNOWN = Symptom(
    "node-unknown",
    State.UNKNOWN,
    "its address is not known: {why}",
    "write the address itself into the inventory, not a variable or a template; `stackward node "
    "list` shows what was read",
    "A guess could lead to another machine.",
)
ANSWER_ODD = Symptom(
    "answer-not-understood",
    State.UNKNOWN,
    "Stackward does not understand the answer of {what}",
    "run the command on the node and look at its answer; another version of it may answer in "
    "another form: report that to Stackward",
    "Its part stays unknown. It never counts as ok or as broken.",
)
NOT_IN_INVENTORY = Symptom(
    "not-in-inventory",
    State.UNKNOWN,
    "{binary} reports from it, but the inventory does not name it",
    "add the node to the inventory by the name that the cloud has for it; if it is there by "
    "another name, give it its address: `ansible_host`",
    "Nothing on the node can be seen.",
)
NEITHER_UP_NOR_IN_INVENTORY = Symptom(
    "not-in-inventory-and-down",
    State.UNKNOWN,
    "{binary} is known to the cloud and down, and the inventory does not name its node",
    "add the node to the inventory; only if the machine is gone permanently, and no server is left "
    "on it (`openstack server list --all-projects --host {node}`), remove its records: "
    "`openstack compute service delete`, `openstack network agent delete`",
    "Nothing on the node can be seen. A machine that is switched off looks just like one that "
    "is gone.",
)
DISK_FULL = Symptom(
    "disk-full",
    State.BROKEN,
    "`{mount}` is full: {free} of {size} free",
    "free space there (`du -xh {mount} | sort -h | tail`), old logs and images first",
    "Databases, queues and guests stop at the first write that finds no room.",
)
DISK_FILLING = Symptom(
    "disk-filling",
    State.DEGRADED,
    "`{mount}` is {percent} % full: {free} of {size} free",
    "free space there before it is full: `du -xh {mount} | sort -h | tail`",
    "The next write may find no room.",
)
INODES_OUT = Symptom(
    "inodes-out",
    State.BROKEN,
    "`{mount}` has no inodes left ({percent} % are used)",
    "find the many small files: `find {mount} -xdev -printf '%h\\n' | sort | uniq -c | sort -n`",
    "No file can be made there, even with free space.",
)
INODES_SHORT = Symptom(
    "inodes-short",
    State.DEGRADED,
    "{percent} % of the inodes of `{mount}` are used",
    "find the many small files: `find {mount} -xdev -printf '%h\\n' | sort | uniq -c | sort -n`",
    "Soon no file can be made there, even with free space.",
)
READ_ONLY = Symptom(
    "read-only",
    State.BROKEN,
    "`{mount}` ({type}) is read-only",
    "see the kernel log for the error; check the file system with `fsck` before you mount it "
    "writable again",
    "A file system becomes read-only after an error; services there fail at their next write.",
)
DISK_ERROR = Symptom(
    "disk-error",
    State.BROKEN,
    "`{mount}` does not answer: {error}",
    "see the kernel log and the disk; do not trust the data that is mounted there",
    "A dead disk may stay mounted: only a read from it shows that it is dead.",
)
MEMORY_SHORT = Symptom(
    "memory-short",
    State.DEGRADED,
    "{available} of {total} of memory are available ({percent} %){huge}",
    "see which processes use it: `ps aux --sort -rss | head`; on a compute node, move servers away",
    "The kernel ends processes when there is none left, guests and databases first.",
)
CONNTRACK_FULL = Symptom(
    "conntrack-full",
    State.BROKEN,
    "the table of tracked connections of its kernel is full: {count} of {most}",
    "see which connections fill it (`conntrack -S`, `conntrack -L`); then raise "
    "`net.netfilter.nf_conntrack_max` with `sysctl`",
    "The kernel drops new connections. Old ones continue, so logins seem to work.",
)
CONNTRACK_FILLING = Symptom(
    "conntrack-filling",
    State.DEGRADED,
    "the table of tracked connections of its kernel is {percent} % full: {count} of {most}",
    "see which connections fill it (`conntrack -S`, `conntrack -L`); then raise "
    "`net.netfilter.nf_conntrack_max` with `sysctl` before it is full",
    "Once it is full, the kernel drops new connections.",
)
KERNEL_ERRORS = Symptom(
    "kernel-errors",
    State.DEGRADED,
    "the kernel has met {count} in the last 24 hours{last}",
    "see `journalctl -k -b -p notice`; replace disks and memory before they fail",
    "Faults of disks, memory, file systems and hung tasks show there first. Harmless errors, which "
    "every machine has, do not count; older ones since the boot are a note.",
)
CLOCK_ASTRAY = Symptom(
    "clock-astray",
    State.DEGRADED,
    "its clock is {ahead} s off the clock of this machine",
    "see `chronyc tracking` or `timedatectl`, there and on this machine",
    "Tokens, heartbeats and replication compare times of different machines.",
)
CLOCK_FREE = Symptom(
    "clock-free",
    State.DEGRADED,
    "its clock is synchronised with nothing",
    "see `chronyc sources` or `timedatectl`; start chrony or systemd-timesyncd",
    "It drifts, and nobody notices until tokens are refused and heartbeats look old.",
)
OTHER_FAILED = Symptom(
    "other-unit-failed",
    State.DEGRADED,
    "units have failed that belong to no component: {units}",
    "see `systemctl status` of each; if it does not matter, `systemctl reset-failed`",
    "A component may need them, or one may be a backup that nobody misses yet.",
)

# --- processes ----------------------------------------------------------------------------------

UNIT_DOWN = Symptom(
    "unit-down",
    State.BROKEN,
    "{how}",
    "`systemctl start {units}`; if it stops again, run it in the foreground as `{user}`: "
    "`{command}`",
    "It should run on this node: it is enabled at boot, or another unit wants it.",
)
TRIGGER_DOWN = Symptom(
    "trigger-down",
    State.BROKEN,
    "{how}",
    "`systemctl start {units}`",
    "A socket, a timer or a path starts a service when it is needed. While it is down, nothing "
    "listens there, or nothing starts the service.",
)
SOCKET_DOWN = Symptom(
    "socket-down",
    State.BROKEN,
    "{how}",
    "`systemctl stop {services}`, then `systemctl start {units} {services}`: systemd starts no "
    "socket of a service that runs",
    "The service was started by something else. Who calls it by this socket finds nothing.",
)
GATE_SHUT = Symptom(
    "gate-shut",
    State.BROKEN,
    "`{unit}` waits at the boot gate of its node: it has booted without a planned reboot, after a "
    "crash or a loss of power",
    "see first whether its servers were evacuated: `stackward node return {node} --dry-run`. When "
    "nova-compute starts, it removes their guests and disks here. Then `stackward node return "
    "{node}`; or, if none was evacuated, `stackward node gate open {node}`",
    "Somebody has installed a gate with `stackward node gate install`, so that a start waits for a "
    "person.",
)
UNIT_ENDED = Symptom(
    "unit-ended",
    State.BROKEN,
    "`{unit}` is active (exited): its process has ended, but systemd still calls it active",
    "look first in its log ({log}) for why it ended; then `systemctl restart {unit}`: a start does "
    "nothing to an active unit",
    "Scripts of /etc/init.d are units of `RemainAfterExit=yes`: systemd does not notice their end, "
    "and starts nothing again.",
)
PROCESS_STOPPED = Symptom(
    "process-stopped",
    State.BROKEN,
    "`{unit}` is active, but its process is stopped: somebody has sent it a signal or frozen it",
    "look first who stopped it, and why (a backup, somebody who debugs it: `ps -eo "
    "pid,stat,wchan:30,unit,cmd | grep {unit}` shows T); then `systemctl kill --signal=CONT "
    "{unit}`; after `systemctl freeze`, use `systemctl thaw {unit}`",
    "For systemd a stopped process is still running: it keeps its sockets and its connections, and "
    "does nothing. If it answers no question, nothing else shows this.",
)
CONTAINER_DOWN = Symptom(
    "container-down",
    State.BROKEN,
    "the container `{unit}` is not running: {state}",
    "`{engine} {start} {unit}`; if it stops again, see `{engine} logs {unit}`",
    "The container exists, so it should run on this node.",
)
HELPER_DOWN = Symptom(
    "helper-container-down",
    State.DEGRADED,
    "the container `{unit}`, which helps it, is not running: {state}",
    "`{engine} {start} {unit}`; if it stops again, see `{engine} logs {unit}`",
    "The component works without it for a while: Keystone until it rotates or distributes its "
    "keys, nova-compute until a server moves with its disk.",
)
CONTAINER_ILL = Symptom(
    "container-unhealthy",
    State.DEGRADED,
    "the container `{unit}` fails its own health check",
    "see `{engine} inspect {unit}` for the check, and its log: {log}",
    "Its check does what its user would do.",
)
ENGINE_SILENT = Symptom(
    "engine-silent",
    State.BROKEN,
    "`{engine} ps` does not answer, so nothing is known of its containers",
    "look first what it waits for: `ps -eo pid,stat,wchan:30,cmd | grep {engine}` (T: somebody "
    "has stopped it; D: a disk does not answer), and `journalctl -u {engine}`; repair that; a "
    "restart of an engine ends its containers, unless Docker has `live-restore`",
    "Containers keep running under an engine that hangs. None can be started, stopped or looked "
    "into, and missing ones are not seen.",
)
SWITCHED_OFF = Symptom(
    "switched-off",
    State.BROKEN,
    "`{unit}` is {how}, but it belongs here: {sign}",
    "look first who switched it off, and why (`journalctl`, the shell's history, what manages the "
    "node's configuration); to start it again: {back}; if it should not run here any more, disable "
    "it as well (`systemctl unmask {unit}`, `systemctl disable {unit}`) and remove its record"
    "{and_its_queue}",
    "systemd never starts it, and sees no fault. Other evidence of the cloud shows that it is "
    "missing; one sign alone, which a removed service may leave, is not enough.",
)
NETWORK_UNMANAGED = Symptom(
    "network-unmanaged",
    State.DEGRADED,
    "`{unit}` is stopped and {how}, but it set up this machine's network at boot",
    "look first who switched it off, and why; to start it again: {back}",
    "Addresses and routes stay until something changes them: a reboot, a cable, a new bridge. Then "
    "nothing sets them up.",
)
SWITCHED_OFF_HERE = Symptom(
    "switched-off-here",
    State.DEGRADED,
    "`{unit}` is {how}, but it belongs here: {sign}; others do its work elsewhere",
    "look first who switched it off, and why (`journalctl`, the shell's history, what manages the "
    "node's configuration); to start it again: {back}; if it should not run here any more, disable "
    "it as well: `systemctl unmask {unit}`, `systemctl disable {unit}`{and_its_queue}",
    "The cloud has one less of it, and systemd sees no fault.",
)
MASKED_BUT_RUNS = Symptom(
    "masked-but-runs",
    State.DEGRADED,
    "`{unit}` runs, but is masked: it will not start at boot, nor after it was stopped",
    "look first who masked it, and why; if the service should run here: `systemctl unmask {unit}`",
    "Nothing can start a masked unit. It runs only until it next ends.",
)
MASKED_AND_FALLEN = Symptom(
    "masked-and-fallen",
    State.BROKEN,
    "`{unit}` has ended, and systemd does not start it again: it is {state}, and masked",
    "look first in {log} for why it ended, and who masked it, and why; if it should run: "
    "`systemctl unmask {unit}`, then `systemctl start {unit}`",
    "A unit that runs may be masked. When it ends, nothing starts it again, with any `Restart=`.",
)
UNIT_RESTARTING = Symptom(
    "unit-restarting",
    State.BROKEN,
    "`{unit}` does not stay up: {restarts}, the last {ago}",
    "see `journalctl -u {unit}` and {log}",
    "systemd starts it again and again; in between it looks alive.",
)
UNIT_STARTING = Symptom(
    "unit-starting",
    State.DEGRADED,
    "`{unit}` is still starting ({state})",
    "wait, then check again; if it stays so, see `journalctl -u {unit}`",
    "It does not serve yet.",
)
NOT_AT_BOOT = Symptom(
    "not-at-boot",
    State.DEGRADED,
    "`{unit}` runs, but would not start at the next boot",
    "{cure}",
    "It would be missing after a reboot, and nobody would remember why.",
)
PORT_CLOSED = Symptom(
    "port-closed",
    State.BROKEN,
    "it runs, but listens on no port; expected: {ports}",
    "see its log ({log}) for what keeps it from listening",
    "A process that hangs at its start looks alive to systemd.",
)
CONNECTION_MISSING = Symptom(
    "connection-missing",
    State.BROKEN,
    "it has no connection to {to}",
    "look first in its log ({log}) for why, and whether the port of {to} can be reached from "
    "there; then `{restart}`",
    "It keeps one at all times. A process that has lost it looks alive, and does nothing.",
)
CONNECTION_HALF_OPEN = Symptom(
    "connection-half-open",
    State.BROKEN,
    "it has {count} to {to} that {to} does not know",
    "`{restart}`; then look for a firewall or a switch that drops idle connections",
    "The other end is gone. It waits for an answer that will never come.",
)

# --- stores: images, volumes, instances ---------------------------------------------------------

STORE_MISSING = Symptom(
    "store-missing",
    State.BROKEN,
    "the folder of its {kind} is not there: `{path}`",
    "see whether a disk or a share should be mounted there (`findmnt --fstab`), and what "
    "`{settings}` names; then mount it",
    "Nothing can be stored there, and the data there cannot be reached.",
)
SHARE_NOT_MOUNTED = Symptom(
    "share-not-mounted",
    State.BROKEN,
    "a share of its {kind} is not mounted at `{path}`",
    "see whether the server of the share answers (`showmount -e SERVER`; `{settings}` names the "
    "file of the shares), and {log} for why the mount failed; cinder-volume mounts it again by "
    "itself as soon as it can",
    "Volumes of that share cannot be reached, and none can be made.",
)
STORE_SILENT = Symptom(
    "store-silent",
    State.BROKEN,
    "the folder of its {kind} does not answer: `{path}`",
    "see what is mounted there (`findmnt`), and whether that server or disk answers; processes "
    "that wait for it are in state D: `ps -eo pid,stat,wchan:30,cmd`",
    "If the server of a share is gone, every process that touches the share waits.",
)
STORE_READ_ONLY = Symptom(
    "store-read-only",
    State.BROKEN,
    "the folder of its {kind} is read-only: `{path}`, on the mount `{mount}`",
    "see why (`findmnt -T {path}`; the kernel log: a file system becomes read-only after an error; "
    "`/etc/fstab`; the export of a share); then `mount -o remount,rw {mount}`",
    "Reads still work, so lists look well. Every write fails.",
)
STORE_NOT_WRITABLE = Symptom(
    "store-not-writable",
    State.BROKEN,
    "its user `{user}` cannot write to the folder of its {kind}: `{path}`",
    "see owner and mode of each folder above it: `namei -l {path}`; usually "
    "`chown {user}: {path}` repairs it; for a share, see what its server allows",
    "Reads still work, so lists look well. Every write fails.",
)
STORE_FULL = Symptom(
    "store-full",
    State.BROKEN,
    "the folder of its {kind} is full: `{path}`: {left}",
    "free space or inodes there (`du -xh {path} | sort -h | tail`), or make it larger; for "
    "images, volumes and servers use only their API",
    "The next image, volume or server there fails, and guests that grow stop.",
)
STORE_FILLING = Symptom(
    "store-filling",
    State.DEGRADED,
    "the folder of its {kind} is {percent} % full: `{path}`: {left}",
    "free space or inodes there before it is full: `du -xh {path} | sort -h | tail`",
    "The next image, volume or server may find no room.",
)
VOLUME_GROUP_ILL = Symptom(
    "volume-group-ill",
    State.BROKEN,
    "its volume group `{group}` {how}",
    "see `vgs` and `pvs` on the node, and the kernel log for the disk that is missing",
    "No volume can be made there, and volumes on a missing disk are gone.",
)

# --- Pacemaker ----------------------------------------------------------------------------------

CLUSTER_STOPPED = Symptom(
    "cluster-stopped",
    State.BROKEN,
    "Pacemaker runs `{resource}` nowhere: {why}",
    "look first at `pcs status --full` and at its failures; if it should run: `pcs resource enable "
    "{resource}` where it was disabled, `pcs node unstandby` where its nodes are in standby, `pcs "
    "resource cleanup {resource}` once the cause of a failure is repaired",
    "If a cluster runs a service, no unit is enabled on any node: only Pacemaker misses it.",
)
CLUSTER_FAILED = Symptom(
    "cluster-failed",
    State.BROKEN,
    "Pacemaker calls `{resource}` {how} there",
    "look first at `pcs status --full` and at the log of the service; repair the cause, then `pcs "
    "resource cleanup {resource}`",
    "Its agent asks the service itself, and got no good answer. After its limit of failures, "
    "Pacemaker does not try again.",
)
PACEMAKER_SILENT = Symptom(
    "pacemaker-silent",
    State.BROKEN,
    "its unit runs, but `crm_mon` fails: {why}",
    "see `journalctl -u pacemaker` and `journalctl -u corosync`, and `pcs status` on another node",
    "If a node is lost, nothing starts its services elsewhere.",
)
PACEMAKER_NO_QUORUM = Symptom(
    "pacemaker-no-quorum",
    State.BROKEN,
    "the cluster has no quorum",
    "see which nodes are missing (`pcs status --full`), and the network between them",
    "Without a majority Pacemaker stops its services, or leaves them as they are.",
)

PACEMAKER_UNCLEAN = Symptom(
    "pacemaker-member-unclean",
    State.BROKEN,
    "Pacemaker calls `{member}` unclean: it does not know what still runs there",
    "look first at `pcs status --full`, and at its fencing: that must be configured, and reach "
    "the power of that node; see corosync and Pacemaker on it, if it can be reached",
    "Until it is fenced or comes back, its services do not start elsewhere.",
)
PACEMAKER_OFFLINE = Symptom(
    "pacemaker-member-offline",
    State.DEGRADED,
    "Pacemaker calls `{member}` offline",
    "check that it is up, that `corosync.service` and `pacemaker.service` run there, and the "
    "network between the members; if it is away on purpose, put it in standby",
    "One member fewer is left to take over services, and to make a quorum.",
)

# --- RabbitMQ, MariaDB, memcached, libvirt ------------------------------------------------------

BROKER_SILENT = Symptom(
    "rabbitmq-silent",
    State.BROKEN,
    "its unit runs, but `rabbitmqctl cluster_status` fails: {why}",
    "look first what {log} says, and whether `rabbitmq-diagnostics ping` fails too; then "
    "`{restart}` on this node",
    "A broker that does not answer its own tool serves nobody.",
)
BROKER_TAKES_NONE = Symptom(
    "rabbitmq-takes-no-clients",
    State.BROKEN,
    "it answers its own tool, but accepts no clients: {why}",
    "look first whether somebody keeps clients away on purpose (`rabbitmqctl status` shows its "
    "listeners, and whether it is under maintenance; a firewall: `nft list ruleset`); then "
    "`rabbitmqctl resume_listeners`, after a drain `rabbitmq-upgrade revive`, on this node; if it "
    "stays so, see {log}",
    "Open connections still work, so its own health checks look well. A client that must connect "
    "again cannot.",
)
BROKER_ALARM = Symptom(
    "rabbitmq-alarm",
    State.BROKEN,
    "its publishers are blocked: an alarm is raised ({alarms})",
    "disk: free space where RabbitMQ keeps its data; memory: see which queues hold it "
    "(`rabbitmqctl list_queues name messages memory`) and start the services that should read "
    "them; the limits are `disk_free_limit` and `vm_memory_high_watermark` in its configuration. "
    "RabbitMQ ends the alarm itself once there is room again",
    "In the whole cluster RabbitMQ accepts no message until the alarm ends: every service stops at "
    "its next call.",
)
BROKER_PARTITION = Symptom(
    "rabbitmq-partition",
    State.BROKEN,
    "the cluster is split: {partitions}",
    "look first what each member says (`rabbitmqctl cluster_status` on every node); choose the "
    "part to keep, and restart RabbitMQ on the nodes of the other",
    "Both parts run on their own: a message is sent to one, and its reader waits at the other.",
)
BROKER_SHORT = Symptom(
    "rabbitmq-member-missing",
    State.DEGRADED,
    "members of the cluster are not running: {missing}",
    "see whether those nodes are up, and start RabbitMQ there",
    "One more loss may stop the cluster.",
)
VHOST_DOWN = Symptom(
    "rabbitmq-vhost-down",
    State.BROKEN,
    "the virtual host `{vhost}` is down on this node",
    "look first what {log} says of its message store (a full disk, a damaged file); then "
    "`rabbitmqctl restart_vhost --vhost {vhost}`",
    "The broker answers, but the queues of that virtual host on this node do not.",
)
QUEUES_UNREAD = Symptom(
    "queues-unread",
    State.DEGRADED,
    "{count} messages that nobody reads",
    "look first which service should read them, and whether it is connected; restart that one; "
    "if there is none (notifications), switch the messages off",
    "Nobody acts on these messages, and RabbitMQ's memory fills.",
)
QUEUE_UNREAD = Symptom(
    "own-queue-unread",
    State.BROKEN,
    "nobody reads its queue `{queue}` ({messages} messages wait)",
    "look first in its log for why it does not read; then `{restart}` on its node",
    "This process never gets its messages, so their work is never done.",
)
QUEUE_MISSING = Symptom(
    "own-queue-missing",
    State.BROKEN,
    "RabbitMQ has no queue `{queue}`",
    "look first whether it has one of another host name (`host` in its configuration, "
    "`rabbitmqctl list_queues`); if not, `{restart}` on its node",
    "The process declares it when it starts. Messages to it are dropped.",
)
QUEUE_DOWN = Symptom(
    "own-queue-down",
    State.BROKEN,
    "its queue `{queue}` is down, though every member of RabbitMQ runs",
    "see what RabbitMQ's log says of that queue; `rabbitmqctl list_queues -p {vhost} name state "
    "pid` shows whether it has crashed or lost its majority",
    "No message to it arrives, although RabbitMQ itself calls its cluster healthy.",
)
QUEUE_UNBOUND = Symptom(
    "own-queue-unbound",
    State.BROKEN,
    "no exchange leads to its queue `{queue}`",
    "look first whether its callers get no answer (`MessagingTimeout` in their logs); then "
    "`{restart}` on its node: it binds the queue again",
    "Calls to this process are lost on their way, while its heartbeat still arrives.",
)
DATABASE_SILENT = Symptom(
    "mariadb-silent",
    State.BROKEN,
    "its unit runs, but it does not answer: {why}",
    "see {log} on that node",
    "A database that does not answer its own client serves nobody.",
)
GALERA_NOT_READY = Symptom(
    "galera-not-ready",
    State.BROKEN,
    "it accepts no requests: the cluster is {cluster}, this member is {local}",
    "look first at {log}, and at the state of every other node; a node that is behind joins again "
    "when it is restarted; only if none is Primary, compare the `seqno` in grastate.dat of all "
    "nodes, and bootstrap the node with the highest",
    "A node without quorum refuses every statement.",
)
GALERA_SHORT = Symptom(
    "galera-member-missing",
    State.DEGRADED,
    "members of the cluster: {size}; nodes with MariaDB: {nodes}",
    "start MariaDB where it is missing, one node at a time",
    "One more loss may stop the cluster.",
)
GALERA_BEHIND = Symptom(
    "galera-member-behind",
    State.DEGRADED,
    "it is a member, but its data is not synchronised: {local}",
    "wait while a member joins: the donor gives it the whole data; if it stays so, see {log}",
    "It may answer with old data, and a load balancer may have taken it out.",
)
GALERA_SLOWED = Symptom(
    "galera-slowed",
    State.DEGRADED,
    "the cluster has waited for a slow member {percent} % of the time",
    "see which member is slow (`wsrep_flow_control_sent`, its disk, its load); `FLUSH STATUS` "
    "sets the figure back to 0",
    "Every write waits for the slowest member.",
)
DATABASE_REJECTS = Symptom(
    "mariadb-rejects",
    State.BROKEN,
    "it refuses its clients: `{variable}` is set",
    "find out who set it, and why (an upgrade, a repair); when that is over, switch it off again, "
    "also in MariaDB's configuration",
    "It answers only administrators.",
)
DATABASE_READ_ONLY = Symptom(
    "mariadb-read-only",
    State.BROKEN,
    "it accepts no writes: `{variable}` is set, and {used} it",
    "look first whether another server has taken over (a switch of the primary); if not, "
    "`SET GLOBAL read_only = 0`, and make sure that its configuration does not set it again; "
    "`innodb_read_only` and `innodb_force_recovery` must be removed from the configuration, and "
    "end with a restart",
    "Reads still work, so the APIs still show lists. Every change fails.",
)
DATABASE_READ_ONLY_HERE = Symptom(
    "mariadb-read-only-here",
    State.DEGRADED,
    "it accepts no writes: `{variable}` is set, and {used} it; another server accepts them",
    "look first whether it is a reader on purpose (a proxy that splits reads from writes); if "
    "not, `SET GLOBAL read_only = 0`, and make sure that its configuration does not set it again",
    "If a load balancer sends a write here, it fails.",
)
DATABASE_RECOVERS = Symptom(
    "mariadb-recovers",
    State.DEGRADED,
    "it runs with `innodb_force_recovery = {level}`",
    "see {log} for the damage; once the data is safe, take the setting out of its configuration",
    "It is for the rescue of damaged data, not for work.",
)
DATABASE_LOCKED = Symptom(
    "mariadb-locked",
    State.BROKEN,
    "writes wait: {count}, the first for {seconds} s ({state})",
    "see who holds the lock: `SHOW PROCESSLIST` has the session, usually a backup of `root` or "
    "`mariabackup`, that started before the first one that waits; end that backup on its machine. "
    "Waiting for disk space: free space where the data is",
    "A backup or `FLUSH TABLES WITH READ LOCK` locks the whole server. Reads still work.",
)
SECOND_WRITERS = Symptom(
    "mariadb-rejects-second-writers",
    State.DEGRADED,
    "`innodb_snapshot_isolation` is ON: a client that writes a row which another client has just "
    "written gets error 1020",
    "`SET GLOBAL innodb_snapshot_isolation = OFF`, and the same in its configuration; open "
    "connections keep the old value until services open them again, by default within an hour "
    "(`connection_recycle_time`)",
    "Since MariaDB 11.6.2 it is ON by default. oslo.db before 17.4 passes the error on. A newer "
    "one repeats the call only if the service repeats calls after a deadlock. By chance an API "
    "answers 500, or a server ends in ERROR (Nova's bug 2116186), and nothing else shows why.",
)
TABLE_LOCKED = Symptom(
    "mariadb-table-locked",
    State.DEGRADED,
    "{count} waiting for a table, the first for {seconds} s ({state})",
    "see `SHOW PROCESSLIST` for the session that holds it: a change of the schema, or a "
    "transaction that nobody ended",
    "Every request that needs that table waits.",
)
CONNECTIONS_SHORT = Symptom(
    "connections-near-limit",
    State.DEGRADED,
    "{used} of {most} connections are in use",
    "raise `max_connections`, or lower `max_pool_size` and the workers of the services",
    "The next service that connects is refused.",
)
TABLES_BROKEN = Symptom(
    "table-broken",
    State.BROKEN,
    "{count} the check of `mariadb-check`",
    "look first whether MariaDB's log names them too, and keep a copy of what can be read; then "
    "restore them from the last backup; `mariadb-check --auto-repair` only repairs MyISAM and Aria",
    "Data that is read from them cannot be trusted.",
)
CACHE_SILENT = Symptom(
    "memcached-silent",
    State.BROKEN,
    "its unit runs, but it does not answer: {why}",
    "`{restart}`: its cache is emptied, and nothing is lost",
    "Every request then asks Keystone and its database.",
)
PROCESS_SILENT = Symptom(
    "process-silent",
    State.BROKEN,
    "its process runs, but does not answer when it is asked for {what}",
    "see what it waits for: {log}, `{processes}`; "
    "`{restart}` only if you know what that interrupts",
    "A frozen process still runs for systemd and keeps its sockets. It does no work.",
)
PROCESS_ILL = Symptom(
    "process-ill",
    State.BROKEN,
    "asked for {what}, {says}",
    "see {log}",
    "The process itself says that it cannot do its work.",
)
OFF_THE_BUS = Symptom(
    "off-the-bus",
    State.BROKEN,
    "`{unit}` runs, but is not on D-Bus: programs that call it there do not find it",
    "look first whether D-Bus was restarted (`journalctl -u dbus -u {unit}`, as root); then "
    "`{restart}`: no login ends by that; systemd-networkd asks for its DHCP addresses again",
    "A program that was connected to the old D-Bus daemon is not connected to the new one. Logins "
    "wait 25 s for a logind that is not there; `networkctl` and `netplan` do not reach networkd.",
)
APPLICATION_NOT_LOADED = Symptom(
    "application-not-loaded",
    State.BROKEN,
    "it runs, but its application did not load: it answers 500 to everything",
    "look first in {log} for why it did not load: usually its database was down when it started; "
    "once that is repaired, `{restart}`",
    "A web server keeps running without the application that it could not load, usually without "
    "end. No password is the cause.",
)
APPLICATION_SILENT = Symptom(
    "application-silent",
    State.DEGRADED,
    "the web server answers, but not the application behind it",
    "check again: the first request after a start loads it; if it stays so, see {log} for what it "
    "waits for, and `{restart}` only if you know which other sites that interrupts",
    "A process behind a web server may hang, while the server itself is well.",
)
NOT_ONE_ACTIVE = Symptom(
    "not-one-active",
    State.BROKEN,
    "{count} of {of} are active, where exactly one must be",
    "see its log on each of these nodes, and the lock in its database",
    "Without an active one no work is done; two active ones undo each other's work.",
)
OVSDB_NO_LEADER = Symptom(
    "ovsdb-no-leader",
    State.BROKEN,
    "{what} has no leader: {needed} of its {of} members must agree on one",
    "start members that do not run, and repair the network between them; silent: {missing}. They "
    "choose a leader by themselves. Until then keep every member and every file of the database",
    "Nothing can be written to it: no network, port or router is made or changed. The flows that "
    "are in the switches keep working.",
)
OVSDB_CUT_OFF = Symptom(
    "ovsdb-cut-off",
    State.BROKEN,
    "{what}: this member finds no leader",
    "see whether {others} run, whether their addresses can be reached from this node and its own "
    "from there, and what {log} says; it joins again by itself",
    "It accepts no writes, and its data may be old. It does not know whether the others work.",
)
OVSDB_ELECTING = Symptom(
    "ovsdb-electing",
    State.DEGRADED,
    "{what}: an election goes on, and no leader is known at this moment",
    "check again; if elections are frequent, look at the load of the nodes and at the network "
    "between them: a leader that is silent for {timer} (its election timer) is replaced",
    "Writes wait until there is a leader. That takes seconds.",
)
OVSDB_LEADERS = Symptom(
    "ovsdb-two-leaders",
    State.BROKEN,
    "{what} has {count} leaders at once: {nodes}",
    "compare what `cluster/status` says on each: two members with one Server ID come from a file "
    "of the database that was copied to another node. Keep every file until it is known which "
    "member has the newest log",
    "Each accepts writes that the other never sees.",
)
OVSDB_MEMBER_LOST = Symptom(
    "ovsdb-member-lost",
    State.DEGRADED,
    "{what}: its leader on {leader} has not heard the member at {address} {age}; it hears {heard} "
    "of {of}, and needs {needed}",
    "check that the member runs there and answers, that the other members reach its address, and "
    "what {log} says there: a member whose disk accepts no writes is silent, too. It catches up by "
    "itself",
    "The cluster works while a majority answers. The next loss may stop it.",
)
OVSDB_BEHIND = Symptom(
    "ovsdb-behind",
    State.DEGRADED,
    "{what}: {count} entries of its log are {done}",
    "check again: if the figure falls, there is nothing to do; otherwise see the load of its node, "
    "its disk, and the network to its leader",
    "Its clients see old data, and a leader that waits for it is slow.",
)
OVSDB_JOINING = Symptom(
    "ovsdb-joining",
    State.DEGRADED,
    "{what}: this member is still joining, by way of {remotes}",
    "wait, then check again; if it stays so, see whether these members run, have a leader, and can "
    "be reached from here, and what {log} says",
    "It serves nothing until it has joined the cluster.",
)
OVSDB_LEAVING = Symptom(
    "ovsdb-leaving",
    State.DEGRADED,
    "{what}: this member {how}",
    "find out who asked for that, and why; until a leader has agreed, keep it running and keep its "
    "file",
    "A cluster with one member fewer survives fewer losses.",
)
OVSDB_FAILED = Symptom(
    "ovsdb-failed",
    State.BROKEN,
    "{what}: this member has failed",
    "look first in {log} for what it could not do with its file (a full disk, a damaged one), and "
    "repair that; then `{restart}`",
    "It no longer takes part. The others work while they are a majority.",
)
LIBVIRT_SILENT = Symptom(
    "libvirt-silent",
    State.BROKEN,
    "`virsh version` fails: {why}",
    "look first what `journalctl -u libvirtd` says; then `{restart}` (guests keep "
    "running, a migration in progress may not); if it ends at once, run `{command}` in the "
    "foreground: it says why, such as a missing D-Bus",
    "Without it no server on this node can be started, stopped, moved or seen.",
)

# --- heartbeats and RPC -------------------------------------------------------------------------

HEARTBEAT_LOST = Symptom(
    "heartbeat-lost",
    State.BROKEN,
    "its API reports {binary} as down",
    "look first whether it runs there, and what its log ({log}) says; then `{restart}`",
    "It has not reported for longer than the service allows.",
)
RECORD_MISSING = Symptom(
    "record-missing",
    State.DEGRADED,
    "it runs here, and its API has no record of {binary} on this node",
    "look first at the log of {component} ({log}): if it says that its record is gone, somebody "
    "removed it while it ran, and `{restart}` makes it create another one{mapped}; otherwise "
    "`host`, `region` and `transport_url` in its settings show by which name and to which cloud it "
    "reports; if the inventory has this machine under two names, keep the name that the cloud has",
    "A process without a record gets no work, and nobody notices when it dies. Nova's services "
    "create their record only when they start.",
)
OLD_NAME_DOWN = Symptom(
    "old-name-down",
    State.DEGRADED,
    "{binary} of `{host}` is down, but {binary} of `{today}` reports, which by its names is the "
    "same machine",
    "if the machine was renamed, make sure that `openstack server list --all-projects --host "
    "{host}` is empty, then remove the old record: {removal}; if `{host}` is another machine, give "
    "that one its whole name and its own address in the inventory",
    "A restart would repair nothing: the process reports by the new name. Servers that Nova still "
    "has under the old name cannot be managed.",
)
AUTO_DISABLED = Symptom(
    "auto-disabled",
    State.DEGRADED,
    "Nova has disabled it by itself: {reason}",
    "look first whether libvirt answers on the node (`virsh version`), and repair it; nova-compute "
    "then connects again, and Nova enables the service, within a minute or two; it tries that only "
    "once: if the service stays disabled, `{restart}`; nova-compute connects when it starts",
    "nova-compute disables itself if it cannot reach libvirt (nova 31.0 virt/libvirt/host.py, "
    "_get_connection). If its report does not reach the database at that time, because the "
    "conductor or RabbitMQ is down, it does not try again.",
)
FORCED_DOWN = Symptom(
    "forced-down",
    State.DEGRADED,
    "it was forced down, by somebody or by an instance-HA service",
    "once it is certain what runs there: `openstack compute service set --up {host} nova-compute`",
    "Its servers may already run elsewhere.",
)
LIVES_ON_SOURCE = Symptom(
    "lives-on-source",
    State.DEGRADED,
    "Nova has {server} here, but the record of its old evacuation from here is still open "
    "({record}, {status}): the next start of nova-compute destroys it, with its disks",
    "do not restart nova-compute there; `stackward node drain {host}` moves the server off, then "
    "`stackward node return {host}` ends the record of its evacuation",
    "nova 31.0 compute/manager.py, _destroy_evacuated_instances: at its start it reads only the "
    "record, and never checks where the server is.",
)
BACKEND_DOWN = Symptom(
    "backend-down",
    State.BROKEN,
    "its backend `{name}` is down, though the process reports",
    "see {log} for what the driver says of its storage",
    "No volume of that backend can be made, attached or removed.",
)
RPC_DEAF = Symptom(
    "rpc-deaf",
    State.BROKEN,
    "it reports, but does not answer over RPC: {what}",
    "look first what its log says since then; then `{restart}` on its node: servers there keep "
    "running",
    "Its heartbeat still arrives, so it still gets work, which is never done: servers stay in "
    "BUILD, volumes in `creating`.",
)
CALL_FAILED = Symptom(
    "call-failed",
    State.DEGRADED,
    "it could not make {count} over RPC: {says}",
    "search {log} on its node for the time of this check; the services that it should call may be "
    "well",
    "Each request that needs such a call fails too. Whether the services that it should call "
    "answer is unknown.",
)

# --- APIs ---------------------------------------------------------------------------------------

LOGIN_UNANSWERED = Symptom(
    "login-unanswered",
    State.BROKEN,
    "Keystone does not answer: {says}",
    "check that it runs, and that this machine can reach its URL",
    "Without it no login works, and no API can be looked at.",
)
LOGIN_FAILED = Symptom(
    "login-failed",
    State.BROKEN,
    "Keystone issues no token ({says})",
    "see {log} on its node; Keystone needs its database first",
    "Without it no login works, and no API can be looked at.",
)
CREDENTIALS = Symptom(
    "credentials-refused",
    State.UNKNOWN,
    "Keystone refuses Stackward's login: {says}",
    "check the entry in clouds.yaml, or the OS_* variables",
    "The APIs cannot be looked at; the nodes can.",
)
LOGIN_UNUSABLE = Symptom(
    "login-unusable",
    State.UNKNOWN,
    "Keystone cannot be asked: the settings of Stackward's login cannot be used: {says}",
    "see the entry in clouds.yaml, or the OS_* variables: auth_url, username, password, "
    "project_name and the domains; a CA or client certificate is named by `cacert`, `cert` and "
    "`key`, by OS_CACERT, OS_CERT, OS_KEY, or by REQUESTS_CA_BUNDLE",
    "The APIs cannot be looked at; the nodes can.",
)
NO_ENDPOINT = Symptom(
    "no-endpoint",
    State.UNKNOWN,
    "its API was not asked: the catalog has no endpoint of it in region `{region}` for {meant}; "
    "it has {there}",
    "name a region and an interface that the catalog has: `region_name` and `interface` in "
    "clouds.yaml, or OS_REGION_NAME and OS_INTERFACE; or have the endpoint added",
    "An API that was not asked may be down.",
)
NO_API = Symptom(
    "no-api",
    State.UNKNOWN,
    "Keystone's catalog has no API of it that Stackward can ask",
    "log in to a project and not to a domain or the system, or see `openstack catalog list`",
    "An API that was not asked may be down.",
)
LIST_UNANSWERED = Symptom(
    "list-unanswered",
    State.BROKEN,
    "the {what} was not answered: {says}",
    "check that the process runs and its endpoint can be reached: `openstack catalog show {kind}`",
    "This is what a user would ask first.",
)
LIST_FAILED = Symptom(
    "list-failed",
    State.BROKEN,
    "the {what} failed: {status} {says}",
    "search {log} on its node for {request}; a 503 for a good token is usually a wrong password in "
    "its `[keystone_authtoken]`",
    "This is what a user would ask first.",
)
RATE_LIMITED = Symptom(
    "rate-limited",
    State.DEGRADED,
    "the {what} was refused: 429, the rate of calls is limited: {says}",
    "see what limits it: a proxy or load balancer before its API, or a quota of the provider; "
    "give this address another limit, or check less often",
    "Users share the limit. A plan or a run waits for it, a check does not.",
)
API_ODD = Symptom(
    "api-answer-not-understood",
    State.UNKNOWN,
    "Stackward does not understand the answer to the {what}: {says}",
    "see what is in front of its API: a page of HTML usually comes from a proxy; otherwise see "
    "which release it is: `openstack versions show`",
    "Its part stays unknown. It never counts as ok or as broken.",
)
CELL_DOWN = Symptom(
    "cell-down",
    State.DEGRADED,
    "a cell is down: Nova knows {count} of its hosts by name only",
    "see the database and the RabbitMQ of that cell: `nova-manage cell_v2 list_cells` names both, "
    "`nova-manage cell_v2 list_hosts` says which hosts are in it",
    "Nobody can manage its servers, and their state is unknown. Other cells still work.",
)
HOST_UNKNOWN = Symptom(
    "host-in-down-cell",
    State.UNKNOWN,
    "the state of {binary} is not known: its cell is down",
    "repair the cell first; the finding on it says how",
    "Nova shows it neither as up nor as down.",
)
TOKEN_UNKNOWN = Symptom(
    "token-not-accepted",
    State.BROKEN,
    "it refuses a token that Keystone has just issued: {says}",
    "see its `[keystone_authtoken]` and its clock; on Keystone's nodes compare the fernet keys",
    "It cannot validate tokens, so it refuses every user.",
)
LIST_SLOW = Symptom(
    "list-slow",
    State.DEGRADED,
    "the {what} took {took} s",
    "see the load of its node and of the database; compare with `stackward metrics` of other days",
    "Users notice.",
)
ENDPOINT_UNANSWERED = Symptom(
    "endpoint-unanswered",
    State.DEGRADED,
    "its {interfaces} endpoint in {region} does not answer: {url}: {says}",
    "see what should listen there; if this machine cannot reach that network, pass the interfaces "
    "that it can reach: `--interface public`",
    "Other services use other interfaces than you do.",
)
ENDPOINT_FAILED = Symptom(
    "endpoint-failed",
    State.DEGRADED,
    "its {interfaces} endpoint in {region} answers {status}: {url}",
    "see the load balancer, and whether the process behind it runs",
    "Other services use other interfaces than you do.",
)
CERTIFICATE_EXPIRED = Symptom(
    "certificate-expired",
    State.BROKEN,
    "the certificate of `{place}` expired at {until}",
    "renew it, and reload the service that uses it",
    "Every client refuses it.",
)
CERTIFICATE_EXPIRES = Symptom(
    "certificate-expires",
    State.DEGRADED,
    "the certificate of `{place}` expires in {days} days, at {until}",
    "renew it, and reload the service that uses it",
    "After that day every client refuses it.",
)

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Symptom))
