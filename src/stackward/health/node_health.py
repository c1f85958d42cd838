"""How the machines are: reached, disks, memory, kernel, clock. Pure; each rule is a `Symptom`."""

import re
from collections.abc import Iterable, Iterator, Sequence

from stackward.anatomy import MACHINE
from stackward.health import symptoms
from stackward.health.causes import TOGETHER
from stackward.health.gaps import gap_of, no_right
from stackward.health.presence import processes_by
from stackward.model.blind import Blind
from stackward.model.cloud_state import CloudState, Heartbeat
from stackward.model.health import Finding, Gap, Kept, Note
from stackward.model.login import Login
from stackward.model.survey import (
    ACTIVE,
    NETWORKD_RAN,
    Filesystem,
    KernelError,
    NodeClock,
    Survey,
    Unseen,
)
from stackward.ports.login import words_for
from stackward.wording import count_of, first_of, in_size, in_utc

FULL, FILLING = 99, 90  # percent
ROOM_LEFT = 20 * 1024**3  # bytes: a disk with so many free is not full, however large it is
INODES_SHORT = 90
MEMORY_SHORT = 4  # percent available
# How long an error of the kernel counts as one of today: a day. By default, mcelog counts hardware
# errors over a day (`uc-error-threshold = 1 / 24h`). It is also the time between two daily looks at
# the logs.
TODAY_S = 24 * 3600
ASTRAY_S = 2.0
SHOWN = 3  # lines of evidence, names
MANY = 3  # machines of which something is so at once
BUS = "dbus"
NETWORKD = "systemd-networkd.service"
OTHER_NETWORKS = ("NetworkManager.service", "networking.service")
# What `systemctl` says, for a login that is not root, where nobody listens on the bus.
_NO_BUS = re.compile(r"Failed to connect to (system scope )?bus")

# Of all that a kernel calls an error, what no healthy machine logs.
SERIOUS = re.compile(
    r"I/O error|Out of memory|oom-kill|Machine [Cc]heck|Hardware Error|soft lockup|hard LOCKUP"
    r"|blocked for more than|EXT4-fs error|Shutting down filesystem|metadata corruption"
    r"|Remounting filesystem read-only|critical (medium|target) error|uncorrectable|BTRFS.*corrupt"
    r"|table full, dropping packet|[Nn]eighbou?r table overflow|TCP: out of memory"
    r"|page allocation failure|not responding, still trying|NETDEV WATCHDOG"
    r"|rcu.*self-detected stall"
)


def used_percent(free: int, size: int) -> int:
    """Return how full something is, in whole percent: what is not quite reached is not reached."""
    return 100 * (size - free) // size if size else 0


def judge_machines(state: CloudState) -> Iterator[Finding]:
    """Judge each machine of the inventory."""
    for node, survey in state.surveys.items():
        if isinstance(survey, Unseen) and survey.kind is Blind.ODD:
            what = "the script that is sent to it"
            yield symptoms.ANSWER_ODD.found(MACHINE, node, [survey.why], what=what)
        elif isinstance(survey, Unseen) and survey.kind is Blind.NOT_ASKED:
            continue  # no time was left: that is no answer against it
        elif isinstance(survey, Unseen):
            yield _unseen(node, survey, _reports(state, node), *_logins(state, [node]))
        else:
            yield from _misread(survey)
            yield from _judge_engines(survey)
            yield from _judge_survey(survey)
    if not state.only:
        yield from _not_in_inventory(state)


def judge_together(state: CloudState, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Say in one line what is so of many machines at once: what they share may be the cause."""
    if state.only:
        return
    for symptom, least in _AT_ONCE.items():
        names = state.in_order(
            one.node for one in findings if one.rule in TOGETHER[symptom.name] and one.node
        )
        if len(names) < least:
            continue
        clocks = [
            survey.clock.ahead_s
            for name in names
            if isinstance(survey := state.surveys[name], Survey)
            and isinstance(survey.clock, NodeClock)
        ]
        # Of nodes to which there is no way, one shows as much as all.
        tried = names[:1] if symptom.name in _LIKE_ONE else names
        yield symptom.found(
            MACHINE,
            None,
            count=len(names),
            of=len(state.surveys),
            names=first_of(names, SHOWN),
            least=f"{min(clocks, default=0):+g}",
            most=f"{max(clocks, default=0):+g}",
            **words_for(_BY_RULE.get(symptom.name, Blind.UNREACHABLE), _logins(state, tried)),
        )


def _logins(state: CloudState, names: Sequence[str]) -> list[Login]:
    return [state.logins.get(name, Login(address=name)) for name in names]


def _reports(state: CloudState, node: str) -> list[Heartbeat]:
    return [one for one in state.heartbeats if state.nodes.get(one.host) == node]


# What is found where nothing was seen, whether services report from there or not.
_WHATEVER_REPORTS = {
    Blind.REFUSED: symptoms.LOGIN_REFUSED,
    Blind.KEY_UNKNOWN: symptoms.HOST_KEY_UNKNOWN,
    Blind.KEY_CHANGED: symptoms.HOST_KEY_CHANGED,
    Blind.SETTINGS: symptoms.SSH_SETTING_WRONG,
    Blind.USELESS: symptoms.NODE_USELESS,
    Blind.UNKNOWN: symptoms.NODE_UNKNOWN,
}


# From how many nodes on, something is one finding. On two nodes it may be chance: two findings.
_AT_ONCE = {
    symptoms.NODES_LOST: MANY,
    symptoms.NODES_UNSEEN: MANY,
    symptoms.CLOCKS_ASTRAY: MANY,
    symptoms.HOST_KEYS_UNKNOWN: 2,
    symptoms.HOST_KEYS_CHANGED: 2,
    symptoms.SSH_SETTINGS_WRONG: 2,
    symptoms.LOGINS_REFUSED: 2,
}
_BY_RULE = {
    symptoms.HOST_KEYS_UNKNOWN.name: Blind.KEY_UNKNOWN,
    symptoms.HOST_KEYS_CHANGED.name: Blind.KEY_CHANGED,
    symptoms.SSH_SETTINGS_WRONG.name: Blind.SETTINGS,
    symptoms.LOGINS_REFUSED.name: Blind.REFUSED,
}
_LIKE_ONE = {
    each.name
    for each in (symptoms.NODES_UNSEEN, symptoms.SSH_SETTINGS_WRONG, symptoms.LOGINS_REFUSED)
}
_NOTHING_LISTENS = "its address answers, and refuses the connection: nothing listens on that port"


def _unseen(node: str, unseen: Unseen, reports: Sequence[Heartbeat], login: Login) -> Finding:
    # What is dead may be called alive for a while, by one API longer than by another.
    living = reports[0].binary if reports and all(one.is_up for one in reports) else None
    silent = [
        f"{one.binary} is down" if one.is_known else f"{one.binary} is not known: its cell is down"
        for one in reports
        if not one.is_up
    ]
    words = {"why": unseen.why, **words_for(unseen.kind, [login])}
    refused = [_NOTHING_LISTENS] if unseen.kind is Blind.NO_SSHD else []
    match unseen.kind:
        case kind if kind in _WHATEVER_REPORTS:
            return _WHATEVER_REPORTS[kind].found(MACHINE, node, **words)
        case Blind.SILENT | Blind.LATE if living:
            return symptoms.NODE_LATE.found(MACHINE, node, living=living, **words)
        case _ if living:
            return symptoms.SSH_LOST.found(MACHINE, node, refused, living=living, **words)
        case Blind.SILENT | Blind.LATE:
            return symptoms.NODE_SILENT.found(MACHINE, node, silent, **words)
        case _:
            evidence = silent or ["no service of the cloud reports from it"]
            return symptoms.NODE_UNREACHABLE.found(MACHINE, node, [*refused, *evidence], **words)


def _misread(survey: Survey) -> Iterator[Finding]:
    for one in survey.misread:
        evidence = [one.says] if one.says else []
        yield symptoms.ANSWER_ODD.found(one.component, survey.node, evidence, what=one.what)


def _judge_engines(survey: Survey) -> Iterator[Finding]:
    for engine, programs in survey.silent_engines.items():
        inside = ", ".join(f"`{each}`" for each in programs)
        evidence = [f"in its containers run {inside}"] if inside else []
        yield symptoms.ENGINE_SILENT.found(MACHINE, survey.node, evidence, engine=engine)


def _judge_survey(survey: Survey) -> Iterator[Finding]:
    node = survey.node
    unheard = survey.units.kind if isinstance(survey.units, Unseen) else None
    if isinstance(survey.units, Unseen) and unheard not in {Blind.ODD, Blind.NOT_ASKED}:
        yield _silent_systemd(survey, survey.units)
    for filesystem in survey.filesystems:
        kept = [
            f"{of.component} keeps its {of.kind} there: `{store.path}`"
            for of in survey.stores
            for store in of.stores
            if store.mount == filesystem.mount and not store.engine
        ]
        yield from _judge_filesystem(node, filesystem, kept)
    if survey.memory_total:
        percent = round(100 * survey.memory_available / survey.memory_total)
        if percent < MEMORY_SHORT:
            yield symptoms.MEMORY_SHORT.found(
                MACHINE,
                node,
                available=in_size(survey.memory_available),
                total=in_size(survey.memory_total),
                percent=percent,
                huge=f", besides {in_size(survey.memory_huge)} in huge pages"
                if survey.memory_huge
                else "",
            )
    if survey.tracked:
        yield from _judge_tracked(node, *survey.tracked)
    if not isinstance(survey.kernel_errors, Unseen):
        new = [one for one in _serious(survey.kernel_errors) if not _is_old(one)]
        if new:
            yield symptoms.KERNEL_ERRORS.found(
                MACHINE,
                node,
                [one.says for one in new[-SHOWN:]],
                count=count_of(len(new), "serious error"),
                last=_last(new),
            )
    if isinstance(survey.clock, NodeClock):
        yield from _judge_clock(node, survey.clock)
    yield from _judge_network(survey)
    if survey.other_failed:
        names = ", ".join(f"`{name}`" for name in survey.other_failed)
        yield symptoms.OTHER_FAILED.found(MACHINE, node, units=names)


def _serious(told: Iterable[KernelError]) -> list[KernelError]:
    """Return what no healthy machine logs, the last one at the end."""
    those = [one for one in told if SERIOUS.search(one.says)]
    # One that has no time may be of now.
    return sorted(those, key=lambda one: -(one.age_s or 0.0))


def _is_old(one: KernelError) -> bool:
    return one.age_s is not None and one.age_s > TODAY_S


def _last(those: Sequence[KernelError]) -> str:
    """Say when the last one was, after a comma; nothing if no line says it."""
    times = [one.at for one in those if one.at]
    return f", the last at {in_utc(max(times))}" if times else ""


def notes_of_kernels(state: CloudState) -> Iterator[Note]:
    """Report errors that are no finding of today any more, so that none is forgotten."""
    for node, survey in state.surveys.items():
        if isinstance(survey, Unseen) or isinstance(survey.kernel_errors, Unseen):
            continue
        serious = _serious(survey.kernel_errors)
        old = [one for one in serious if _is_old(one)]
        if old and len(old) == len(serious):
            many = count_of(len(old), "serious error")
            yield Note(
                where=node,
                says=f"its kernel has met {many} since it booted, none of them in the last 24 "
                f"hours{_last(old)}: {old[-1].says}",
            )


def _judge_network(survey: Survey) -> Iterator[Finding]:
    """Judge whether somebody still manages the network that networkd has set up."""
    units = {} if isinstance(survey.units, Unseen) else survey.units
    one = units.get(NETWORKD)
    others = [units[name] for name in OTHER_NETWORKS if name in units]
    if one is None or one.active != "inactive" or NETWORKD_RAN not in survey.paths:
        return
    is_masked = one.load == "masked"
    # Where it is asked for, it is down, which is found like that of every unit.
    is_asked_for = not is_masked and (one.wanted_by or one.enabled.startswith("enabled"))
    if is_asked_for or any(each.active == ACTIVE for each in others):
        return
    back = f"`systemctl enable --now {NETWORKD}`"
    yield symptoms.NETWORK_UNMANAGED.found(
        MACHINE,
        survey.node,
        [f"`{NETWORKD_RAN}` is there: it has run since the boot"],
        unit=NETWORKD,
        how="masked" if is_masked else "disabled",
        back=f"`systemctl unmask {NETWORKD}`, then {back}" if is_masked else back,
    )


def _judge_tracked(node: str, count: int, most: int) -> Iterator[Finding]:
    """Judge the table of connections: where it is full, every new connection is dropped."""
    percent = 100 * count // most if most else 0
    if percent >= FULL:
        yield symptoms.CONNTRACK_FULL.found(MACHINE, node, count=count, most=most)
    elif percent >= FILLING:
        yield symptoms.CONNTRACK_FILLING.found(
            MACHINE, node, count=count, most=most, percent=percent
        )


def _silent_systemd(survey: Survey, units: Unseen) -> Finding:
    """Return why systemd reports nothing; a user who is not root asks it over the message bus."""
    bus = survey.answers.get((BUS, 0))
    if units.kind is Blind.SILENT and _NO_BUS.search(units.why):
        return symptoms.UNIT_DOWN.found(
            BUS,
            survey.node,
            [units.why],
            how=f"`{BUS}.service` is not to be reached",
            units=f"{BUS}.service",
            user="root",
            command="/usr/bin/dbus-daemon --system --nofork --nopidfile",
        )
    if units.kind is Blind.SILENT and isinstance(bus, Unseen) and bus.kind is Blind.SILENT:
        return symptoms.PROCESS_SILENT.found(
            BUS,
            survey.node,
            [units.why],
            what="its id",
            restart=f"systemctl restart {BUS}",
            processes=processes_by(f"systemctl restart {BUS}"),
            log="`journalctl -u dbus`, as root",
        )
    return symptoms.NODE_USELESS.found(MACHINE, survey.node, why=units.why)


def _judge_filesystem(node: str, one: Filesystem, kept: Sequence[str]) -> Iterator[Finding]:
    if one.error:
        yield symptoms.DISK_ERROR.found(MACHINE, node, kept, mount=one.mount, error=one.error)
        return
    if one.is_read_only:
        yield symptoms.READ_ONLY.found(MACHINE, node, kept, mount=one.mount, type=one.type)
    if one.size:
        percent = used_percent(one.free, one.size)
        words = {"mount": one.mount, "free": in_size(one.free), "size": in_size(one.size)}
        if percent >= FULL and one.free < ROOM_LEFT:
            yield symptoms.DISK_FULL.found(MACHINE, node, kept, **words)
        elif percent >= FILLING:
            yield symptoms.DISK_FILLING.found(MACHINE, node, kept, percent=percent, **words)
    if one.inodes:
        percent = used_percent(one.inodes_free, one.inodes)
        if percent >= FULL:
            yield symptoms.INODES_OUT.found(MACHINE, node, kept, mount=one.mount, percent=percent)
        elif percent >= INODES_SHORT:
            yield symptoms.INODES_SHORT.found(MACHINE, node, kept, mount=one.mount, percent=percent)


def _judge_clock(node: str, clock: NodeClock) -> Iterator[Finding]:
    if abs(clock.ahead_s) >= ASTRAY_S:
        yield symptoms.CLOCK_ASTRAY.found(MACHINE, node, ahead=f"{clock.ahead_s:+g}")
    if not clock.is_synchronized:
        yield symptoms.CLOCK_FREE.found(MACHINE, node)


# What reports from its own machine. Others may have any name, as the hosts of Cinder do.
_OF_MACHINES = re.compile(r"nova-compute|neutron-.*-agent|ovn-controller")


def _not_in_inventory(state: CloudState) -> Iterator[Finding]:
    silent = [
        node
        for node, survey in state.surveys.items()
        if isinstance(survey, Unseen) and node not in state.nodes.values()
    ]
    may_be = [f"it may be a node that could not be asked: {', '.join(silent[:SHOWN])}"]
    reports: dict[str, list[Heartbeat]] = {}
    for one in state.heartbeats:
        if state.nodes.get(one.host) is None and one.host not in state.bare_metal:
            reports.setdefault(one.host, []).append(one)
    for host, those in reports.items():
        # Of a host whose cell is down nothing is known: to remove its service would lose it.
        of_machine = [one for one in those if one.is_known and _OF_MACHINES.fullmatch(one.binary)]
        if not of_machine:
            continue
        # Only where nothing at all reports from it any more may the machine be gone.
        rule = symptoms.NOT_IN_INVENTORY
        if not any(one.is_up for one in those):
            rule = symptoms.NEITHER_UP_NOR_IN_INVENTORY
        why = [state.unnamed[host]] if host in state.unnamed else []
        evidence = [*why, *(may_be if silent else [])]
        if state.hypervisors_unread:
            evidence.append(
                f"Nova's hypervisors, which show the hosts of Ironic, cannot be read: "
                f"{state.hypervisors_unread.says}"
            )
        yield rule.found(MACHINE, host, evidence, binary=of_machine[0].binary)


def notes_of_identities(state: CloudState) -> Iterator[Note]:
    """Say by what old word a node is taken for a host that cannot be asked now."""
    for host, at in state.identified_at.items():
        yield Note(
            where=state.nodes[host] or host,
            says=f"it is taken for the host `{host}` by what it called itself at {in_utc(at)}",
        )


def gaps_of_machines(state: CloudState) -> Iterator[Gap]:
    """Name what was not seen of a machine: what it shares with its host, what needs a right."""
    if state.unremembered:
        yield Gap(
            kind=Kept.NO_QUESTION,  # the cloud is not to blame for it
            component=MACHINE,
            where="nodes that do not answer",
            what="what they once called themselves",
            why=f"the database of runs was not read: {state.unremembered}",
        )
    for node, way in state.left_out.items():
        yield Gap(
            kind=Kept.NO_QUESTION,
            component=MACHINE,
            where=node,
            what="all that is on it",
            why=f"Ansible reaches it by `{way}`, and Stackward uses ssh",
            cure="if it has ssh, set `ansible_connection` to `ssh` in the inventory",
        )
    for node, survey in state.surveys.items():
        if isinstance(survey, Survey):
            yield from _gaps_of_survey(survey)
        elif survey.kind is Blind.NOT_ASKED:
            yield Gap(
                kind=Kept.DEADLINE,
                component=MACHINE,
                where=node,
                what="everything that it would show",
                why=survey.why,
                is_proof=True,
            )


def _gaps_of_survey(survey: Survey) -> Iterator[Gap]:
    for what, value in (("the kernel log", survey.kernel_errors), ("the clock", survey.clock)):
        if isinstance(value, Unseen) and value.kind is not Blind.ODD:
            yield gap_of(survey, what, value)
    if isinstance(survey.units, Unseen) and survey.units.kind is Blind.NOT_ASKED:
        yield gap_of(survey, "which units run", survey.units)
    for what, unseen in survey.unread.items():
        yield gap_of(survey, what, unseen)
    if not survey.sees_owners:
        yield no_right(survey, "which process has which connection")
