"""When a node booted, by its own clock."""

from datetime import UTC, datetime, timedelta

from stackward.answers import lines, understood, whole
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.unread import Unread
from stackward.ports.shell import Shell

BOOTED = ("cat", "/proc/1/stat", "/proc/stat")
_TICKS = 100  # a second: the kernel's USER_HZ, the same on all machines that run OpenStack
_STARTED = 19  # the place of the start, after the name of the program


def read_booted(shell: Shell, node: str) -> datetime | Unread:
    """Return when the first process of a node began, by its own clock."""
    try:
        answer = shell.run(node, BOOTED)
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    if answer.code != 0:
        return Unread(f"`cat /proc/1/stat` says: {answer.err.strip() or answer.code}")
    try:
        with understood("`cat /proc/1/stat /proc/stat`", answer.out):
            return parse_booted(answer.out)
    except NotUnderstood as error:
        return Unread.of(error)


def parse_booted(out: str) -> datetime:
    """Read when the first process began, and when the machine did."""
    first, *others = lines(out)
    ticks = whole(first.rpartition(")")[2].split()[_STARTED])
    [machine] = [each.split()[1] for each in others if each.startswith("btime ")]
    began = datetime.fromtimestamp(whole(machine), UTC)
    return began + timedelta(seconds=ticks / _TICKS)
