"""Which boot of a node runs, and when that began by its own clock."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from stackward.answers import lines, understood, whole
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.node_boot import NodeBoot
from stackward.model.unread import Unread
from stackward.ports.shell import Shell
from stackward.wording import first_of

BOOTED = ("cat", "/proc/1/stat", "/proc/stat", "/proc/sys/kernel/random/boot_id")
JOBS = ("systemctl", "list-jobs", "--no-legend", "--plain")
_SHOWN = 3
_TICKS = 100  # a second: the kernel's USER_HZ, the same on all machines that run OpenStack
_STARTED = 19  # the place of the start, after the name of the program


def read_booted(shell: Shell, node: str) -> datetime | Unread:
    """Return when the first process of a node began, by its own clock."""
    boot = read_boot(shell, node)
    return boot if isinstance(boot, Unread) else boot.at


def read_boot(shell: Shell, node: str) -> NodeBoot | Unread:
    """Return which boot of a node runs."""
    try:
        answer = shell.run(node, BOOTED)
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    if answer.code != 0:
        return Unread(f"`{' '.join(BOOTED)}` says: {answer.err.strip() or answer.code}")
    try:
        with understood(f"`{' '.join(BOOTED)}`", answer.out):
            return parse_boot(answer.out)
    except NotUnderstood as error:
        return Unread.of(error)


def parse_boot(out: str) -> NodeBoot:
    """Read when the first process began and when the machine did, and the name of its boot."""
    first, *others, boot = lines(out)
    ticks = whole(first.rpartition(")")[2].split()[_STARTED])
    [machine] = [each.split()[1] for each in others if each.startswith("btime ")]
    began = datetime.fromtimestamp(whole(machine), UTC)
    return NodeBoot(
        id=str(UUID(boot.strip())),
        first_process=ticks,
        at=began + timedelta(seconds=ticks / _TICKS),
    )


def read_jobs(shell: Shell, node: str) -> str:
    """Say for which units systemd waits while it starts; nothing if it does not say."""
    try:
        answer = shell.run(node, JOBS)
    except (Unreachable, Uncertain):
        return ""
    rows = [each.split() for each in lines(answer.out)] if answer.code == 0 else []
    # Its number, its unit, what is done to it, and whether that goes on or waits for others.
    going = [row[1] for row in rows if row[3:] == ["running"]]
    return first_of(going, _SHOWN)
