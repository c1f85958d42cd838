"""Which kernel a node runs, and which was chosen for its next boot."""

from dataclasses import dataclass

from stackward.answers import lines
from stackward.ports.shell import Shell

_CONTAINER = ("systemd-detect-virt", "--container")
_RELEASE = ("uname", "-r")
# Where Debian's packages of kernels keep which of them is booted next.
_CHOSEN = ("readlink", "-e", "/vmlinuz", "/boot/vmlinuz")
_NO_CONTAINER = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """The kernel of a node."""

    runs: str
    chosen: str  # empty: no link there shows it
    is_container: bool  # it runs the kernel of its host


def read_kernel(shell: Shell, node: str) -> Kernel:
    """Return it. Raises `Unreachable` or `Uncertain` where the node does not answer."""
    return Kernel(
        runs=_told(shell, node, _RELEASE),
        chosen=_told(shell, node, _CHOSEN).rpartition("/vmlinuz-")[2],
        is_container=_told(shell, node, _CONTAINER) not in {"", _NO_CONTAINER},
    )


def _told(shell: Shell, node: str, words: tuple[str, ...]) -> str:
    """Return the first line of an answer; of what is not there, nothing."""
    return next(iter(lines(shell.run(node, words).out)), "").strip()
