"""Whether a node needs a reboot: another kernel was chosen, old files still run, or it says so."""

import re
from collections.abc import Iterator, Mapping

from stackward.answers import lines
from stackward.errors import Uncertain, Unreachable
from stackward.model.unread import Unread
from stackward.ports.root import DELETED_FILES
from stackward.ports.shell import Answer, Shell, refusal
from stackward.status.kernel import read_kernel
from stackward.wording import first_of

_SAYS_SO = ("/run/reboot-required", "/var/run/reboot-required")
_TIMED_OUT = 124  # as `timeout` ends then, or with more
_HAS_ENDED = ("No such file or directory", "No such process")
_PROCESS = re.compile(r"^/proc/(?P<pid>\d+)/")
_NAMES = ("ps", "-e", "-o", "pid=", "-o", "comm=")
_SHOWN = 3

Need = str | Unread


def read_reboot_need(shell: Shell, node: str) -> tuple[Need, ...]:
    """Return why a node needs a reboot, and what of it could not be read; nothing: it needs none.

    A caller that wants to skip the reboot must not do so while something is not known.
    """
    try:
        return tuple(_needs(shell, node))
    except (Unreachable, Uncertain) as error:
        return (Unread.of(error),)


def _needs(shell: Shell, node: str) -> Iterator[Need]:
    kernel = read_kernel(shell, node)
    if not kernel.is_container and kernel.chosen and kernel.chosen != kernel.runs:
        yield f"it runs the kernel {kernel.runs}, and {kernel.chosen} was chosen for its next boot"
    elif not kernel.is_container and not kernel.chosen:
        yield Unread("no link there shows which kernel was chosen for its next boot")
    if any(shell.run(node, ["test", "-e", path]).code == 0 for path in _SAYS_SO):
        yield f"`{_SAYS_SO[0]}` is there"
    deleted = _processes(shell.run(node, DELETED_FILES, as_root=True))
    if isinstance(deleted, Unread):
        yield deleted
    elif deleted:
        names = _names(shell.run(node, _NAMES))
        found = dict.fromkeys(names.get(pid, pid) for pid in deleted)
        yield f"files that were replaced still run: {first_of(found, _SHOWN)}"


def _processes(answer: Answer) -> tuple[str, ...] | Unread:
    """Return the ids of the processes that run deleted files."""
    if (refused := refusal(answer)) is not None:
        return Unread(f"whether files that were replaced still run cannot be read: {refused}")
    found = parse_deleted(answer.out)
    if answer.code >= _TIMED_OUT:
        return Unread(f"`grep` in `/proc` ended with {answer.code}")
    # A process that ended while it was looked at is no fault.
    denied = [
        line
        for line in lines(answer.err)
        if "/maps: " in line and not line.rstrip().endswith(_HAS_ENDED)
    ]
    if denied and not found:
        return Unread(f"whether files that were replaced still run cannot be read: {denied[0]}")
    return found


def parse_deleted(out: str) -> tuple[str, ...]:
    """Read the files of `/proc` in which such lines are: the id of each process, once."""
    told = (found["pid"] for line in lines(out) if (found := _PROCESS.match(line)))
    return tuple(dict.fromkeys(told))


def _names(answer: Answer) -> Mapping[str, str]:
    pairs = (line.split(maxsplit=1) for line in lines(answer.out))
    return {pair[0]: pair[1] for pair in pairs if len(pair) > 1}
