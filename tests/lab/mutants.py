"""The table of mutants: every way in which each part of a cloud is made ill, one at a time.

What there is to be made ill is read: from the anatomy, and from what runs on the nodes. Only what
no rule can know stands here by hand, each with its reason.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stackward.anatomy import Anatomy, read_anatomy

TRANSIENT = "/run/systemd/system"  # a drop-in there is gone with the next boot
LOCK = "mutant-lock"  # the unit that holds MariaDB's lock
WAIT = "n=0; until {test}; do n=$((n+1)); [ $n -lt {most} ] || exit 9; sleep 0.1; done"


class Fault(StrEnum):
    """What is done to a unit, or to a store."""

    STOPPED = "stopped"
    FROZEN = "frozen"
    KILLED = "killed, its restart prevented"
    MASKED = "stopped and masked"
    RESTARTED = "killed, restarted by systemd"
    ON_DEMAND = "stopped; its socket starts it"
    DISABLED = "disabled, but answering"
    TAKES_NO_WRITES = "answers, and takes no writes"


class Setting(StrEnum):
    """How the cloud is set that is looked at."""

    AS_IT_IS = "as it is"
    NO_PINGS = "no RPC pings"
    NO_SUDO = "a login without sudo"


class Word(StrEnum):
    """What the check may say of it."""

    FOUND = "a finding"
    NOT_PROVED = "not proved"
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A unit that runs on a node, or that a socket starts there."""

    node: str
    unit: str
    restarts: bool  # by systemd, once it is killed
    is_enabled: bool
    sockets: tuple[str, ...] = ()  # that would start it


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One thing made ill in one way: how, how it is mended, and what the check is to say."""

    node: str
    component: str
    unit: str
    fault: Fault
    make: str
    mend: str
    expected: Word = Word.FOUND
    first: tuple[
        str, ...
    ] = ()  # the components that may be named first; its own where there is none
    why: str = ""  # of what is expected, where that is no finding, or of another component

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what tells it from all others."""
        return (self.node, self.component, self.unit, self.fault.value)

    @property
    def name(self) -> str:
        """Return it for a person."""
        return f"{self.node}: {self.unit} {self.fault.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What is expected of some mutants although they are like others."""

    units: frozenset[str]
    faults: frozenset[Fault]
    expected: Word = Word.FOUND
    first: tuple[str, ...] = ()
    nodes: frozenset[str] = frozenset()  # only there, where there are any
    why: str = field(kw_only=True)


COMPUTES = frozenset({"c01", "c02"})  # where a login asks logind: they have `pam_systemd`
FIRST = frozenset({"ctl", "c01"})
ON_EACH = frozenset({Fault.STOPPED, Fault.FROZEN, Fault.KILLED, Fault.MASKED})

# The listed set. Each says why its mutants are expected to be seen otherwise.
LISTED = (
    Listed(
        units=frozenset({"dbus.service"}),
        faults=frozenset({Fault.FROZEN}),
        first=("dbus", "machine"),
        why="a login itself may wait for it: then nothing on that node can be asked in time",
    ),
    # Seen: its socket starts a new one at once, to which nobody comes who was on the old one.
    Listed(
        units=frozenset({"dbus.service"}),
        faults=frozenset({Fault.ON_DEMAND}),
        first=("logind", "dbus", "machine", "libvirtd", "nova-compute"),
        why="logind and networkd are not on the new bus: where logins ask logind, each waits 25 s; "
        "libvirtd ends with the old one, and nova-compute disables itself",
    ),
    Listed(
        units=frozenset({"systemd-logind.service"}),
        faults=frozenset({Fault.FROZEN}),
        first=("logind", "machine"),
        why="where logins ask it, ours waits for it too: then nothing on that node can be asked "
        "in time",
    ),
    Listed(
        units=frozenset({"systemd-logind.service"}),
        faults=frozenset({Fault.STOPPED, Fault.KILLED}),
        nodes=COMPUTES,
        expected=Word.OK,
        why="our own login has the message bus start it, and it answers",
    ),
    Listed(
        units=frozenset({"polkit.service"}),
        faults=frozenset({Fault.STOPPED}),
        expected=Word.OK,
        why="the message bus starts it when it is needed: nothing is amiss",
    ),
    Listed(
        units=frozenset({"virtlogd.service"}),
        faults=frozenset({Fault.ON_DEMAND}),
        expected=Word.NOT_PROVED,
        why="nothing of it runs, and a question would start it: then the look would be what it is "
        "well by",
    ),
    # Seen: found by name where nova-compute had not come back yet, and by that where it had.
    Listed(
        units=frozenset({"virtlogd.service"}),
        faults=frozenset({Fault.STOPPED, Fault.KILLED}),
        first=("virtlogd", "libvirtd", "nova-compute"),
        why="libvirtd ends with its socket; nova-compute has both started again, and disables "
        "itself until it looks again",
    ),
    Listed(
        units=frozenset({"libvirtd.service"}),
        faults=frozenset({Fault.ON_DEMAND}),
        first=("nova-compute", "libvirtd"),
        why="nova-compute has lost its connection, and disables itself until it looks again",
    ),
    Listed(
        units=frozenset({"ovn-northd.service"}),
        faults=frozenset({Fault.STOPPED, Fault.MASKED}),
        first=("ovn-databases", "ovn-northd"),
        why="as Debian stops it (`ovn-ctl stop_northd`), its databases are stopped as well",
    ),
)  # fmt: skip


def show(units: Iterable[str]) -> str:
    """Return the words that ask systemd about units, and about all that run."""
    return (
        "systemctl show --property=Id,LoadState,ActiveState,UnitFileState,Restart,TriggeredBy "
        + " ".join(units)
        + " $(systemctl list-units --type=service,socket --state=active --plain --no-legend"
        " | cut -d' ' -f1) || true"
    )


def units_of(anatomy: Anatomy) -> dict[str, str]:
    """Return each unit that the anatomy names, with its component."""
    return {
        unit: component.name
        for component, deployed in anatomy.deployed()
        for unit in deployed.units
    }


def blocks_of(shown: str) -> dict[str, Mapping[str, str]]:
    """Read what `systemctl show` says, by the names of the units."""
    blocks = (
        dict(line.partition("=")[::2] for line in block.splitlines())
        for block in shown.split("\n\n")
    )
    return {block["Id"]: block for block in blocks if block.get("LoadState", "") != "not-found"
            and "Id" in block}  # fmt: skip


def running(node: str, shown: str) -> Iterator[Running]:
    """Return what runs on a node, or would at once: of a socket, its service."""
    told = blocks_of(shown)
    sockets_up = {name for name, one in told.items() if one["ActiveState"] == "active"}
    for name, one in sorted(told.items()):
        if not name.endswith(".service"):
            continue
        sockets = tuple(one.get("TriggeredBy", "").split())
        is_on_demand = any(socket in sockets_up for socket in sockets)
        if one["ActiveState"] != "active" and not is_on_demand:
            continue
        yield Running(
            node=node,
            unit=name,
            restarts=one.get("Restart", "no") not in {"no", "on-success"},
            is_enabled=one.get("UnitFileState") == "enabled",
            sockets=tuple(each for each in sockets if each.endswith(".socket")),
        )


def mutants_of(one: Running, anatomy: Anatomy) -> Iterator[Mutant]:
    """Return every mutant of a unit; none where no component of the anatomy has it.

    What systemd itself mends or will do is tried on the first node of a role; all else on each.
    """
    component = units_of(anatomy).get(one.unit)
    is_first = one.node in FIRST
    for fault, how in MADE.items() if component else ():
        made = how(one) if fault in ON_EACH or is_first else None
        if made is None:
            continue
        make, mend = made
        if one.unit in AFTER and fault in ENDS:
            mend = f"{mend}\n{AFTER[one.unit]}"
        excepted = listed_as(one, fault)
        expected = Word.OK if fault in {Fault.RESTARTED, Fault.ON_DEMAND} else Word.FOUND
        why = {
            Fault.RESTARTED: "systemd has mended it; that it did is told as a note",
            Fault.ON_DEMAND: "it starts when it is needed: nothing is amiss",
        }.get(fault, "")
        yield Mutant(
            node=one.node,
            component=component or "",
            unit=one.unit,
            fault=fault,
            make=make,
            mend=mend,
            expected=excepted.expected if excepted else expected,
            first=excepted.first if excepted else (),
            why=excepted.why if excepted else why,
        )


def listed_as(one: Running, fault: Fault) -> Listed | None:
    """Return what is declared of a mutant."""
    for each in LISTED:
        if (
            one.unit in each.units
            and fault in each.faults
            and one.node in (each.nodes or {one.node})
        ):
            return each
    return None


Made = tuple[str, str]  # how it is made, and what is undone before all is started again


# Who was connected to the bus is not connected to the new one: systemd itself, logind, libvirt.
AFTER_THE_BUS = (
    "systemctl start dbus.socket dbus.service\nsystemctl daemon-reexec\n"
    "systemctl try-restart systemd-logind polkit systemd-networkd 2>&1\n"
    "systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-tcp.socket libvirtd 2>&1\n"
    "systemctl stop nova-compute 2>&1\ntrue"
)
ENDS = {Fault.STOPPED, Fault.MASKED, Fault.KILLED, Fault.ON_DEMAND}  # and stays ended for others
# Seen: nova-compute had disabled itself, and did not enable itself once libvirt was back.
AFTER = {
    "dbus.service": AFTER_THE_BUS,
    "libvirtd.service": "systemctl stop nova-compute",
    "virtlogd.service": "systemctl stop nova-compute",
}


def _gone(one: Running) -> str:
    # A script of /etc/init.d stays active, whatever became of its process.
    ended = f'[ "$(systemctl show -P SubState {one.unit})" = exited ]'
    return WAIT.format(test=f"! systemctl is-active -q {one.unit} || {ended}", most=300)


def _stopped(one: Running) -> Made:
    return f"systemctl stop {' '.join(one.sockets)} {one.unit}\n{_gone(one)}", ""


def _masked(one: Running) -> Made:
    units = " ".join([*one.sockets, one.unit])
    return (
        f"{_stopped(one)[0]}\nsystemctl mask {units} 2>&1",
        f"systemctl unmask {units} 2>&1",
    )


def _killed(one: Running) -> Made:
    drop_in = f"{TRANSIENT}/{one.unit}.d"
    # A socket would start it again.
    sockets = f"systemctl stop {' '.join(one.sockets)} 2>&1\n" if one.sockets else ""
    make = (
        f"{sockets}mkdir -p {drop_in}\n"
        f"printf '[Service]\\nRestart=no\\n' > {drop_in}/mutant.conf\n"
        f"systemctl daemon-reload\nsystemctl kill --signal=KILL {one.unit}\n{_gone(one)}"
    )
    mend = (
        f"rm -rf {drop_in}\nsystemctl daemon-reload\n"
        f'[ "$(systemctl show -P SubState {one.unit})" != exited ] || systemctl restart {one.unit}'
    )
    return make, mend


def _frozen(one: Running) -> Made:
    processes = f"/sys/fs/cgroup$(systemctl show -P ControlGroup {one.unit})/cgroup.procs"
    all_stand = (
        f'! {{ for pid in $(cat "{processes}"); do cat /proc/$pid/stat; done; }} '
        "| sed 's/.*) //' | grep -qv '^T'"
    )
    return (
        f"systemctl kill --signal=STOP --kill-whom=all {one.unit}\n"
        + WAIT.format(test=all_stand, most=50),
        f"systemctl kill --signal=CONT --kill-whom=all {one.unit} || true",
    )


def _restarted(one: Running) -> Made | None:
    is_back = (
        f"[ $(systemctl show -P NRestarts {one.unit}) -gt $before ]"
        f" && systemctl is-active -q {one.unit}"
    )
    make = (  # what fell before, by another mutant, is forgotten
        f"systemctl reset-failed {one.unit}\nbefore=$(systemctl show -P NRestarts {one.unit})\n"
        f"systemctl kill --signal=KILL {one.unit}\n" + WAIT.format(test=is_back, most=900)
    )
    return (make, f"systemctl reset-failed {one.unit}") if one.restarts else None


def _on_demand(one: Running) -> Made | None:
    return (f"systemctl stop {one.unit} 2>&1", "") if one.sockets else None


def _disabled(one: Running) -> Made | None:
    if not one.is_enabled:
        return None
    return f"systemctl disable {one.unit} 2>&1", f"systemctl enable {one.unit} 2>&1"


MADE: Mapping[Fault, Callable[[Running], Made | None]] = {
    Fault.STOPPED: _stopped,
    Fault.FROZEN: _frozen,
    Fault.KILLED: _killed,
    Fault.MASKED: _masked,
    Fault.RESTARTED: _restarted,
    Fault.ON_DEMAND: _on_demand,
    Fault.DISABLED: _disabled,
}
"""How a unit is made ill; None where that cannot be done to this one."""


def is_touched(mutant: Mutant, setting: Setting) -> bool:
    """Say whether a setting takes something away by which a mutant could be seen.

    All others are seen as on a cloud that is as it is.
    """
    one = read_anatomy()[mutant.component]
    asks_root = any(question.is_for_root for question in one.questions)
    match setting:
        case Setting.NO_PINGS:
            return one.topic is not None
        case Setting.NO_SUDO:
            return asks_root or one.probe.kind in {"mariadb", "rabbitmq"}
        case Setting.AS_IT_IS:
            return True


# --- what answers, and takes no writes ----------------------------------------------------------

_GLANCE, _SHARES = "/var/lib/glance/images", "/var/lib/cinder/mnt"
# A shorter wait is that of every backup.
_HELD = (
    "SELECT 'held' FROM information_schema.PROCESSLIST"
    " WHERE STATE LIKE 'Waiting for % lock' AND TIME >= 6"
)
_SHARE = f"$(findmnt -rno TARGET | grep '^{_SHARES}/' | head -1)"


def stores(node: str) -> Iterator[Mutant]:
    """Return what of the controller can be made to answer and to take no writes."""
    yield from (
        _store(node, "mariadb", "read_only",
               "mariadb -e 'SET GLOBAL read_only=1'", "mariadb -e 'SET GLOBAL read_only=0'"),
        _store(node, "mariadb", "FLUSH TABLES WITH READ LOCK",
               f"systemd-run --quiet --unit={LOCK} mariadb -e"
               " 'FLUSH TABLES WITH READ LOCK; SELECT SLEEP(3600)'\n"
               + WAIT.format(test=f'mariadb -Ne "{_HELD}" | grep -q held', most=300),
               f"systemctl stop {LOCK} 2>&1; true"),
        _store(node, "rabbitmq", "its memory alarm",
               "rabbitmqctl -q set_vm_memory_high_watermark absolute 1MB\n"
               + WAIT.format(test="! rabbitmq-diagnostics -q check_local_alarms >/dev/null 2>&1",
                             most=100),
               "rabbitmqctl -q set_vm_memory_high_watermark 0.6\n"
               + WAIT.format(test="rabbitmq-diagnostics -q check_local_alarms >/dev/null 2>&1",
                             most=100)),
        _store(node, "rabbitmq", "its disk alarm",
               "rabbitmqctl -q set_disk_free_limit 900GB\n"
               + WAIT.format(test="! rabbitmq-diagnostics -q check_local_alarms >/dev/null 2>&1",
                             most=150),
               "rabbitmqctl -q set_disk_free_limit 50MB\n"
               + WAIT.format(test="rabbitmq-diagnostics -q check_local_alarms >/dev/null 2>&1",
                             most=150)),
        _store(node, "glance-api", "its store is root's",
               f"chown root:root {_GLANCE}\nchmod 0755 {_GLANCE}",
               f"chown glance:glance {_GLANCE}"),
        _store(node, "glance-api", "its store is mounted read-only",
               f"mount --bind {_GLANCE} {_GLANCE}\nmount -o remount,bind,ro {_GLANCE}",
               f"umount {_GLANCE}"),
        _store(node, "cinder-volume", "its share is mounted read-only",
               f"mount -o remount,bind,ro {_SHARE}", f"mount -o remount,bind,rw {_SHARE}"),
    )  # fmt: skip


def _store(node: str, component: str, what: str, make: str, mend: str) -> Mutant:
    return Mutant(
        node=node,
        component=component,
        unit=what,
        fault=Fault.TAKES_NO_WRITES,
        make=make,
        mend=mend,
    )
