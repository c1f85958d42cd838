"""Every command that Stackward runs as root on a node, word for word.

The shipped sudoers file and the reference page are made of this list, and a shell refuses to run
anything else as root. No command takes a word that is chosen at the time: sudo compares the
commands as they are written here. Sudo cannot compare what a command reads. So the two commands
that are given a text write it to files. Nothing reads the content of the one file; only Stackward
reads that of the other, as a list of ids. Two more commands execute what they read, `SCAN_LOGS` and
`TALK`: they equal root, and the shipped file has them behind a `#`.

Sudo joins the words by blanks before it compares them, so it does not see where one word ends. A
user who may run `timeout 4 setpriv --reuid x /y` may also run a program of the user's own folder as
root, if its name is `setpriv --reuid x /y`. So every word that is executed is an absolute path,
also behind `timeout`, `setpriv` and in a container. Then no cut of the words names a program that
its caller could have written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from stackward.model import boot_gate
from stackward.model.compute_process import UNIT
from stackward.model.maintenance import DROP_IN, DROP_IN_TEXT, MAINTENANCE
from stackward.model.who_ran import WHO_RAN

Words: TypeAlias = tuple[str, ...]


class For(StrEnum):
    """The operations that need root on a node."""

    CHECK = "check"  # `cloud check`, `node check`
    DRAIN = "drain"  # `node drain`, `node evacuate`, and the undo of a return
    RETURN = "return"  # `node return`, and the undo of a drain
    GATE = "gate"  # `node gate`; of these `node return` opens it
    LOGS = "logs"  # `log follow`, `log errors`; another way is membership in groups
    REBOOT = "reboot"  # `node reboot`
    RECOVER = "recover"  # `node recover`: who ran, by libvirt's logs


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCommand:
    """One command with all of its words, what needs it, and what who may run it can do."""

    words: Words
    needed_for: tuple[For, ...]
    gives: str  # what it gives away, for the page

    @property
    def in_sudoers(self) -> str:
        """Return it as a sudoers file names it: nothing in it may match anything else."""
        return " ".join((self.words[0], *map(_escaped, self.words[1:])))


def _escaped(word: str) -> str:
    # sudoers(5): `\`, `,`, `:`, `=` and `#` are its own; `*`, `?`, `[` and `]` would be patterns. A
    # `\` before another character is refused: such a word must be spelled in another way.
    return "".join(f"\\{one}" if one in "\\,:=#*?[]!" else one for one in word)


# --- a check: it only looks ---------------------------------------------------------------------

# A process that sudo has started belongs to root, so nobody else could end it. It ends by itself,
# and at once if it does not hear that (a client of Docker may not).
_LIMIT = ("/usr/bin/timeout", "-k", "1", "10")
_LIMIT_INSIDE = ("/usr/bin/timeout", "4")
_LONG_LIMIT = ("/usr/bin/timeout", "-k", "1", "3600")
# It has two usual places; sudo allows it in each.
SOCKETS: Words = (*_LIMIT, "/usr/bin/ss", "-Htnap")
SOCKETS_BY_SBIN: Words = (*_LIMIT, "/usr/sbin/ss", "-Htnap")
KERNEL_LOG: Words = (
    *_LIMIT,
    *("/usr/bin/journalctl", "-k", "-b", "-p", "err", "-n", "200"),
    *("--no-pager", "-o", "short-unix"),
)
# What of the kernel's warnings matters; they are many, so the journal picks them, of one day.
KERNEL_WARNED = (
    "table full|eighbou?r table overflow|TCP: out of memory|page allocation failure|still trying"
)
KERNEL_WARNINGS: Words = (
    *("/usr/bin/timeout", "5", "/usr/bin/journalctl", "-k", "-b", "-p", "4..5"),
    *("--since=-24h", "-n", "50"),
    *("--no-pager", "-o", "short-unix", "-g", KERNEL_WARNED),
)
_LISTED = ("ps", "--all", "--no-trunc", "--format", "{{json .}}")
DOCKER: Words = (*_LIMIT, "/usr/bin/docker")
PODMAN: Words = (*_LIMIT, "/usr/bin/podman")
DOCKER_CONTAINERS: Words = (*DOCKER, *_LISTED)
PODMAN_CONTAINERS: Words = (*PODMAN, *_LISTED)
# All containers of the anatomy by their names, for a pattern would match others; a test holds this
# list against it.
CONTAINERS: Words = (
    "cinder_api",
    "cinder_backup",
    "cinder_scheduler",
    "cinder_volume",
    "glance_api",
    "haproxy",
    "horizon",
    "keepalived",
    "keystone",
    "keystone_fernet",
    "keystone_ssh",
    "mariadb",
    "memcached",
    "neutron_dhcp_agent",
    "neutron_l3_agent",
    "neutron_metadata_agent",
    "neutron_openvswitch_agent",
    "neutron_ovn_agent",
    "neutron_ovn_maintenance_worker",
    "neutron_ovn_metadata_agent",
    "neutron_periodic_worker",
    "neutron_rpc_server",
    "neutron_server",
    "nova_api",
    "nova_compute",
    "nova_conductor",
    "nova_libvirt",
    "nova_metadata",
    "nova_novncproxy",
    "nova_scheduler",
    "nova_ssh",
    "nova_super_conductor",
    "openvswitch_db",
    "openvswitch_vswitchd",
    "ovn_controller",
    "ovn_nb_db",
    "ovn_northd",
    "ovn_sb_db",
    "placement_api",
    "rabbitmq",
)
_POLICY = ("container", "inspect", "--format", "{{.Name}} {{.HostConfig.RestartPolicy.Name}}")
DOCKER_POLICIES: Words = (*DOCKER, *_POLICY, *CONTAINERS)
PODMAN_POLICIES: Words = (*PODMAN, *_POLICY, *CONTAINERS)
_RABBIT = (*_LIMIT, "/usr/sbin/rabbitmqctl", "--silent")
# Or a login in the group haclient; sudo is asked, as for all else.
CRM_MON: Words = (*_LIMIT, "/usr/sbin/crm_mon", "--output-as=xml", "-1")
CRM_MON_OLD: Words = (*_LIMIT, "/usr/sbin/crm_mon", "--as-xml", "-1")
# By its own socket: root's settings may name an address where another node answers.
_OWN_SERVER = ("--host=localhost", "--protocol=socket")
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
# The questions of the anatomy that only root may put, each with the container where Kolla has its
# process, and with its words there; a test holds this list against it.
_OVS: Words = ("/usr/bin/ovs-appctl", "-T", "4")  # it ends by itself
_OVN: Words = ("/usr/bin/ovn-appctl", "-T", "4")
_OVN_NB: Words = (*_OVN, "-t", "/var/run/ovn/ovnnb_db.ctl")
_OVN_SB: Words = (*_OVN, "-t", "/var/run/ovn/ovnsb_db.ctl")
_NORTHD_STATUS: Words = (*_OVN, "-t", "ovn-northd", "status")
_NORTHD_STATUS_IN_KOLLA: Words = (*_OVN, "-t", "/run/ovn/ovn-northd.ctl", "status")


def _alike(container: str, words: Words) -> tuple[str, Words, Words]:
    """Return a question that has the same words in its container."""
    return container, words, words


QUESTIONS: tuple[tuple[str, Words, Words], ...] = (
    _alike("openvswitch_vswitchd", (*_OVS, "version")),
    _alike("openvswitch_db", (*_OVS, "-t", "ovsdb-server", "ovsdb-server/list-dbs")),
    _alike("ovn_controller", (*_OVN, "-t", "ovn-controller", "connection-status")),
    ("ovn_northd", _NORTHD_STATUS, _NORTHD_STATUS_IN_KOLLA),
    _alike("ovn_nb_db", (*_OVN_NB, "ovsdb-server/list-dbs")),
    _alike("ovn_sb_db", (*_OVN_SB, "ovsdb-server/list-dbs")),
    _alike("ovn_nb_db", (*_OVN_NB, "cluster/status", "OVN_Northbound")),
    _alike("ovn_sb_db", (*_OVN_SB, "cluster/status", "OVN_Southbound")),
    _alike(
        "nova_libvirt",
        (
            *_LIMIT_INSIDE,
            *("/usr/bin/virt-admin", "--connect", "virtlogd:///system", "server-list"),
        ),
    ),
)
# Where the stores of Glance, Cinder and Nova are, and no other line of their settings: no password.
STORE_SETTINGS = (
    "^(\\[|(enabled_backends|stores|default_store|filesystem_store_datadirs?|volume_driver"
    "|nfs_mount_point_base|nfs_shares_config|volume_group|lvm_type|state_path|instances_path) *=)"
)
ROOM_FACTS = "%S %b %a %c %d"
VOLUME_GROUPS: Words = (
    *_LIMIT,
    *("/usr/sbin/vgs", "--readonly", "--noheadings", "--nosuffix", "--units", "b"),
    *("-o", "vg_name,vg_attr,vg_size,vg_free"),
)
MOUNTS: Words = (*_LIMIT_INSIDE, "/usr/bin/cat", "/proc/self/mountinfo")
# Each kind of store of the anatomy. It has a user, its settings as packages and as Kolla have them,
# and its container there. It also has the usual path, if that is a store by itself. A test compares
# this list with the anatomy.
STORES: tuple[tuple[str, tuple[str, str], str, str | None], ...] = (
    (
        "glance",
        ("/etc/glance/glance-api.conf", "/etc/kolla/glance-api/glance-api.conf"),
        "glance_api",
        "/var/lib/glance/images",
    ),
    (
        "cinder",
        ("/etc/cinder/cinder.conf", "/etc/kolla/cinder-volume/cinder.conf"),
        "cinder_volume",
        None,
    ),
    (
        "nova",
        ("/etc/nova/nova.conf", "/etc/kolla/nova-compute/nova.conf"),
        "nova_compute",
        "/var/lib/nova/instances",
    ),
)


def settings_of_stores(path: str) -> Words:
    """Return the command that shows where a component has its stores."""
    return (*_LIMIT, "/usr/bin/grep", "-shE", STORE_SETTINGS, path)


def may_write(user: str, path: str) -> Words:
    """Return what asks whether a user may write to a path; nothing is written."""
    return (*_as(user), *_TEST, path)


def room_of(user: str, path: str) -> Words:
    """Return the command that shows the room of the file system of a path, as a user sees it."""
    return (*_as(user), *_STAT, path)


def _as(user: str) -> Words:
    change = ("/usr/bin/setpriv", "--reuid", user, "--regid", user, "--init-groups")
    return (*_LIMIT_INSIDE, *change)


_TEST: Words = ("/usr/bin/test", "-w")
_STAT: Words = ("/usr/bin/stat", "-f", "-c", ROOM_FACTS)


_TABLES = ("--all-databases", "--check", "--silent")

# --- a drain and a return -----------------------------------------------------------------------

# The reason goes to its standard input. systemd asks only whether the file is there.
NOTE_MAINTENANCE: Words = ("/usr/bin/install", "-D", "-m", "0644", "/dev/stdin", MAINTENANCE)
# The text of a unit is as good as root, so it is part of the command: two lines for the shell.
MAKE_DROP_IN: Words = ("/usr/bin/install", "-D", "-m", "0644", "/dev/null", DROP_IN)


def _filled(path: str, text: str) -> Words:
    """Return what writes a text into a file that is there."""
    lines = "; ".join(f"echo '{line}'" for line in text.splitlines())
    return ("/usr/bin/sh", "-c", f"{{ {lines}; }}>{path}")


FILL_DROP_IN: Words = _filled(DROP_IN, DROP_IN_TEXT)
RELOAD: Words = ("/usr/bin/systemctl", "daemon-reload")
MASK: Words = ("/usr/bin/systemctl", "mask", UNIT)
STOP: Words = ("/usr/bin/systemctl", "stop", "--no-block", UNIT)
KEEP_OFF = (NOTE_MAINTENANCE, MAKE_DROP_IN, FILL_DROP_IN, RELOAD, MASK, STOP)  # in their order
CLEAR: Words = ("/usr/bin/rm", "-f", MAINTENANCE, DROP_IN)
UNMASK: Words = ("/usr/bin/systemctl", "unmask", UNIT)
START: Words = ("/usr/bin/systemctl", "start", "--no-block", UNIT)

# --- the boot gate ------------------------------------------------------------------------------


def _made(path: str) -> Words:
    """Return what makes an empty file, and its folder."""
    return ("/usr/bin/install", "-D", "-m", "0644", "/dev/null", path)


MAKE_GATE: Words = _made(boot_gate.SCRIPT)
FILL_GATE: Words = _filled(boot_gate.SCRIPT, boot_gate.SCRIPT_TEXT)
MAKE_GATE_DROP_IN: Words = _made(boot_gate.DROP_IN)
FILL_GATE_DROP_IN: Words = _filled(boot_gate.DROP_IN, boot_gate.DROP_IN_TEXT)
OPEN_GATE: Words = _made(boot_gate.OPENED)
# The drop-in goes before the script that it names.
CLEAR_GATE_DROP_IN: Words = ("/usr/bin/rm", "-f", boot_gate.DROP_IN)
CLEAR_GATE: Words = ("/usr/bin/rm", "-f", boot_gate.SCRIPT, boot_gate.OPENED, boot_gate.PLANNED)

# --- a reboot -----------------------------------------------------------------------------------

# The list goes to its standard input. The list outlives the boot, so it is synced to the disk. It
# is written next to the old list, which it replaces when it is whole. A full disk leaves the old
# list as it is.
_NEW_LIST = f"{WHO_RAN}.new"
LIST_WHO_RAN: Words = ("/usr/bin/install", "-D", "-m", "0644", "/dev/stdin", _NEW_LIST)
SYNC_WHO_RAN: Words = ("/usr/bin/sync", _NEW_LIST)
NAME_WHO_RAN: Words = ("/usr/bin/mv", "-f", "-T", _NEW_LIST, WHO_RAN)
SYNC_ITS_NAME: Words = ("/usr/bin/sync", WHO_RAN.rpartition("/")[0])
WRITE_WHO_RAN = (LIST_WHO_RAN, SYNC_WHO_RAN, NAME_WHO_RAN, SYNC_ITS_NAME)
REBOOT: Words = ("/usr/bin/systemctl", "reboot")
# Programs and libraries that were replaced, and that processes run still.
DELETED_FILES: Words = (
    *("/usr/bin/timeout", "-k", "1", "60", "/usr/bin/grep", "-rlE", "--include=maps"),
    "/(s?bin/[^ ]+|[^ ]+[.]so[.0-9]*) [(]deleted[)]$",
    "/proc",
)
GIVEN_A_TEXT = (NOTE_MAINTENANCE, LIST_WHO_RAN)  # those that are given what they write

# nova-compute's own words on a move that failed; Nova's API does not keep them.
COMPUTE_LOGS = ("/var/log/nova/nova-compute.log", "/var/log/kolla/nova/nova-compute.log")
COMPUTE_LOG: Words = ("/usr/bin/tail", "-q", "-c", "4000000", *COMPUTE_LOGS)

# When libvirt's guests were started and ended, by the logs of all of them, old ones too.
GUEST_LOGS: Words = (
    *(*_LIMIT, "/usr/bin/grep", "-arsE", "--include=*.log*"),
    "starting up libvirt version|shutting down, reason=|terminating on signal",
    "/var/log/libvirt/qemu",
)

# It runs the scanner that it is given to read: a user who may do that is root. `-I` keeps modules
# of the caller's folder out of it.
BOOTSTRAP = (
    "import sys;s=sys.stdin.buffer;exec(compile(s.read(int(s.readline())),'stackward','exec'))"
)
# The same for a conversation, whose two sides end it: what follows logs has no other end.
TALK: Words = ("/usr/bin/python3", "-I", "-c", BOOTSTRAP)
SCAN_LOGS: Words = (
    *("/usr/bin/timeout", "-k", "1", "40"),
    *("/usr/bin/python3", "-I", "-c", BOOTSTRAP),
)

_CHECK, _DRAIN, _RETURN, _GATE = (For.CHECK,), (For.DRAIN,), (For.RETURN,), (For.GATE,)
_REBOOT, _BACK = (For.REBOOT,), (For.RETURN, For.REBOOT)
_LOOKS = "it only looks"

ALL = (
    *(
        RootCommand(words=words, needed_for=_CHECK, gives="which process has which connection")
        for words in (SOCKETS, SOCKETS_BY_SBIN)
    ),
    RootCommand(words=KERNEL_LOG, needed_for=_CHECK, gives="errors in the kernel's log"),
    RootCommand(
        words=KERNEL_WARNINGS, needed_for=_CHECK, gives="these warnings in the kernel's log"
    ),
    RootCommand(
        words=DOCKER_CONTAINERS, needed_for=_CHECK, gives="names, commands and labels of containers"
    ),
    RootCommand(
        words=PODMAN_CONTAINERS, needed_for=_CHECK, gives="names, commands and labels of containers"
    ),
    *(
        RootCommand(words=words, needed_for=_CHECK, gives="names and restart policies")
        for words in (DOCKER_POLICIES, PODMAN_POLICIES)
    ),
    *(
        RootCommand(words=words, needed_for=_CHECK, gives="the state of Pacemaker's resources")
        for words in (CRM_MON, CRM_MON_OLD)
    ),
    *(
        RootCommand(words=(*_RABBIT, *asked), needed_for=_CHECK, gives=_LOOKS)
        for asked in (
            ("cluster_status", "--formatter", "json"),
            ("eval", RABBITMQ_FACTS),
            ("list_vhosts", "name"),
            ("list_queues", "name", "messages", "consumers", "type"),
            ("list_bindings", "source_name", "destination_name", "routing_key"),
        )
    ),
    *(
        RootCommand(
            words=(*_LIMIT, client, *_OWN_SERVER, "-N", "-B", "-e", DATABASE_FACTS),
            needed_for=_CHECK,
            gives="it only looks, at the node's own server",
        )
        for client in ("/usr/bin/mariadb", "/usr/bin/mysql")
    ),
    *(
        RootCommand(
            words=(*_LONG_LIMIT, check, *_OWN_SERVER, *_TABLES),
            needed_for=_CHECK,
            gives="it reads every table; asked for by `--tables` only",
        )
        for check in ("/usr/bin/mariadb-check", "/usr/bin/mysqlcheck")
    ),
    *(RootCommand(words=words, needed_for=_CHECK, gives=_LOOKS) for _, words, _ in QUESTIONS),
    *(
        RootCommand(
            words=(*engine, "exec", container, *words),
            needed_for=_CHECK,
            gives="it only looks, by the program of that name in that container",
        )
        for engine in (DOCKER, PODMAN)
        for container, _, words in QUESTIONS
    ),
    *(
        RootCommand(
            words=settings_of_stores(path),
            needed_for=_CHECK,
            gives="names of sections and paths in these settings; no password",
        )
        for _, paths, _, _ in STORES
        for path in paths
    ),
    *(
        RootCommand(words=words, needed_for=_CHECK, gives=f"it only looks, as `{user}`")
        for user, _, _, path in STORES
        if path
        for words in (may_write(user, path), room_of(user, path))
    ),
    *(
        RootCommand(
            words=(*engine, "exec", container, *words),
            needed_for=_CHECK,
            gives="it only looks, by the program of that name in that container",
        )
        for engine in (DOCKER, PODMAN)
        for _, _, container, path in STORES
        for words in (
            MOUNTS,
            *(
                ()
                if path is None
                else ((*_LIMIT_INSIDE, *_TEST, path), (*_LIMIT_INSIDE, *_STAT, path))
            ),
        )
    ),
    RootCommand(
        words=VOLUME_GROUPS,
        needed_for=_CHECK,
        gives="names and room of LVM's volume groups",
    ),
    RootCommand(
        words=NOTE_MAINTENANCE,
        needed_for=_DRAIN,
        gives="any text in that one file, as long as the disk has room",
    ),
    RootCommand(words=MAKE_DROP_IN, needed_for=_DRAIN, gives="that file, empty"),
    RootCommand(words=FILL_DROP_IN, needed_for=_DRAIN, gives="that file, with these two lines"),
    RootCommand(
        words=RELOAD,
        needed_for=(For.DRAIN, For.RETURN, For.GATE, For.REBOOT),
        gives="systemd reads again the unit files that root has written",
    ),
    RootCommand(words=MASK, needed_for=_DRAIN, gives="nova-compute cannot be started"),
    RootCommand(words=STOP, needed_for=_DRAIN, gives="nova-compute stops; guests run on"),
    RootCommand(words=CLEAR, needed_for=_BACK, gives="a node in maintenance is so no more"),
    RootCommand(words=UNMASK, needed_for=_BACK, gives="the same"),
    RootCommand(words=START, needed_for=(*_BACK, For.GATE), gives="nova-compute starts"),
    *(
        RootCommand(words=words, needed_for=_GATE, gives=gives)
        for words, gives in (
            (MAKE_GATE, "that file, empty: nova-compute is not started while it is empty"),
            (FILL_GATE, "that file, with these lines"),
            (MAKE_GATE_DROP_IN, "that file, empty"),
            (FILL_GATE_DROP_IN, "that file, with these lines"),
            (CLEAR_GATE_DROP_IN, "a node without a gate"),
            (CLEAR_GATE, "the same"),
        )
    ),
    RootCommand(
        words=OPEN_GATE,
        needed_for=(For.RETURN, For.GATE),
        gives="nova-compute may start, as on a node without a gate",
    ),
    RootCommand(
        words=COMPUTE_LOG,
        needed_for=(For.DRAIN, For.RETURN),
        gives="the end of nova-compute's log; a process that runs as `nova` there can make that "
        "name lead elsewhere",
    ),
    RootCommand(
        words=LIST_WHO_RAN,
        needed_for=_REBOOT,
        gives="any text in that one file, as long as the disk has room",
    ),
    RootCommand(words=SYNC_WHO_RAN, needed_for=_REBOOT, gives="that file, brought to the disk"),
    RootCommand(words=NAME_WHO_RAN, needed_for=_REBOOT, gives="that file, under its name"),
    RootCommand(words=SYNC_ITS_NAME, needed_for=_REBOOT, gives="that place, brought to the disk"),
    RootCommand(words=REBOOT, needed_for=_REBOOT, gives="the node is shut down, and boots again"),
    RootCommand(
        words=DELETED_FILES,
        needed_for=_REBOOT,
        gives="which processes run files that were replaced; asked for by `--if-needed` only",
    ),
    RootCommand(
        words=GUEST_LOGS,
        needed_for=(For.RECOVER,),
        gives="when guests were started and ended",
    ),
    RootCommand(
        words=SCAN_LOGS,
        needed_for=(For.LOGS,),
        gives="everything: it runs what it is given, as root",
    ),
    RootCommand(
        words=TALK,
        needed_for=(For.LOGS,),
        gives="everything: it runs what it is given, as root",
    ),
)

# A program inside a container: what runs there is chosen at the time, and no line of a sudoers file
# can name it. A user who may run that is root already; it is tried, and what sudo says is reported.
IN_A_CONTAINER = (("docker", "exec", "-i"), ("podman", "exec", "-i"))

_DECLARED = {one.words: one for one in ALL}


def must_be_declared(words: Sequence[str]) -> None:
    """Raise where a command is none of those that may be run as root: the caller has a defect."""
    if tuple(words) not in _DECLARED and tuple(words[:3]) not in IN_A_CONTAINER:
        message = f"not declared in ports/root.py, so never run as root: {' '.join(words[:1])}"
        raise ValueError(message)


def declared(words: Sequence[str]) -> bool:
    """Say whether the shipped sudoers file has this command."""
    return tuple(words) in _DECLARED


def line_for(words: Sequence[str], login: str = "USER") -> str:
    """Return the line of a sudoers file for a command that the shipped one cannot know."""
    one = RootCommand(words=tuple(words), needed_for=(For.CHECK,), gives=_LOOKS)
    return f"{login} ALL=(root) NOPASSWD: {one.in_sudoers}"


def line(*commands: Sequence[str], login: str = "USER") -> str:
    """Return the line of a sudoers file that lets a login run these declared commands."""
    listed = ", ".join(_DECLARED[tuple(words)].in_sudoers for words in commands)
    return f"{login} ALL=(root) NOPASSWD: {listed}"


def names_of(commands: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Return the aliases of the shipped file that have these commands; one, if it can be."""
    needed = [_DECLARED[tuple(words)].needed_for for words in commands]
    shared = [one for one in For if all(one in each for each in needed)][:1]
    return tuple(
        alias(one) for one in For if one in (shared or {one for each in needed for one in each})
    )


def alias(operation: For) -> str:
    """Return the name of what an operation may run as root, in the shipped sudoers file."""
    return f"STACKWARD_{operation.name}"


@runtime_checkable
class NeedsRoot(Protocol):
    """A step or a check that runs commands as root; a plan is refused where those are missing."""

    @property
    def node(self) -> str:
        """Return the inventory's name of the node where it does."""
        ...

    @property
    def as_root(self) -> tuple[Words, ...]:
        """Return every command that it may run as root there."""
        ...
