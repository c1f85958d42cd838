"""What `virsh` answers, read for every room that asks it; another form is `NotUnderstood`."""

import re

from stackward.answers import lines, one_of, understood, whole
from stackward.model.unread import Hindrance, Unread
from stackward.ports.login import way_to
from stackward.ports.shell import Answer

# With the login's own rights: a user in the group `libvirt` there has them.
MAY_END = ("virsh", "--connect", "qemu:///system")

_STATES = (
    "no state", "running", "idle", "paused", "in shutdown", "shut off", "crashed", "pmsuspended",
)  # fmt: skip
_JOBS = ("None", "Bounded", "Unbounded", "Completed", "Failed", "Cancelled", "Unknown")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_READ = re.compile(r"block\.\d+\.rd\.bytes")
_DAEMON = re.compile(r"^Running against daemon: (\d\S*)$", re.MULTILINE)


NO_VIRSH = "`virsh` is not there"
INSTALL_VIRSH = (
    "install `virsh` there (the package `libvirt-clients`; `libvirt-client` on Red Hat's "
    "systems), on the machine itself if libvirt runs in a container"
)
SEE_LIBVIRT = (
    "see there why libvirt does not answer (`virsh --readonly --connect qemu:///system list`; "
    "`systemctl status libvirtd` or `virtqemud`, or its container), and repair it"
)
_NOT_FOUND = 127  # as `env` and each shell end where there is no such program


def refused(answer: Answer, command: str) -> Unread:
    """Return why `virsh` did not say what it was asked for."""
    if answer.code == _NOT_FOUND:
        return Unread(NO_VIRSH, Hindrance.LACKING)
    return Unread(f"`virsh {command}` says: {answer.err.strip() or answer.code}")


def cure_of(unread: Unread) -> str:
    """Return what to do so that libvirt of a node can be read."""
    if unread.by is Hindrance.LACKING:
        return INSTALL_VIRSH
    return SEE_LIBVIRT if unread.by is None else way_to(unread)


def read_state(out: str) -> str:
    """Read `virsh domstate`: one word or two."""
    with understood("`virsh domstate`", out):
        return one_of(out.strip(), *_STATES)


def read_boot(out: str) -> str | None:
    """Read `virsh domid`: the number of a guest that runs; None where it says that none does."""
    with understood("`virsh domid`", out):
        word = out.strip()
        return None if word == "-" else str(whole(word))


def read_definition(out: str) -> str:
    """Read `virsh dumpxml`: one domain, whole."""
    with understood("`virsh dumpxml`", out):
        text = out.strip()
        if not (text.startswith("<domain") and text.endswith("</domain>")):
            raise ValueError(text[:40])
        return text


def read_job(out: str) -> bool:
    """Read `virsh domjobinfo`: its first line is `Job type:` and a word."""
    with understood("`virsh domjobinfo`", out):
        name, _, kind = lines(out)[0].partition(":")
        one_of(name, "Job type")
        return one_of(kind.strip(), *_JOBS) != _JOBS[0]


def read_bytes_read(out: str) -> int:
    """Read `virsh domstats --block --raw` of one guest: what it has read from its disks."""
    with understood("`virsh domstats`", out):
        first, *facts = lines(out)
        if not first.startswith("Domain: "):
            raise ValueError(first)
        pairs = [_fact(line) for line in facts]
        return sum(whole(value) for name, value in pairs if _READ.fullmatch(name))


def _fact(line: str) -> tuple[str, str]:
    name, found, value = line.strip().partition("=")
    if not found:
        raise ValueError(line)
    return name, value


def read_ids(out: str) -> list[str]:
    """Read `virsh list --uuid`: an id in each line."""
    with understood("`virsh list`", out):
        return [read_id(line.strip()) for line in lines(out)]


def read_id(given: str) -> str:
    """Return the id of a guest. Raises ValueError where it is none."""
    if _ID.fullmatch(given) is None:
        raise ValueError(given)
    return given


def read_daemon(out: str) -> str:
    """Read `virsh version --daemon`: the version of the daemon that answered."""
    with understood("`virsh version`", out):
        found = _DAEMON.search(out)
        if found is None:
            raise ValueError(out)
        return found[1]
