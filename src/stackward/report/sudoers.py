"""The sudoers file that lets a login run what Stackward runs as root on a node, and no more."""

from collections.abc import Iterator

from stackward.ports.root import ALL, For, alias

_WHAT = {
    For.CHECK: "`stackward cloud check` and `node check`: they only look.",
    For.DRAIN: "`stackward node drain`: it keeps nova-compute off.",
    For.RETURN: "`stackward node return` and `run undo`: nova-compute comes back.",
    For.GATE: "`stackward node gate`: nova-compute waits after a crash, or starts.",
    For.REBOOT: "`stackward node reboot`: who runs is written down there, and the node reboots.",
    For.RECOVER: "`stackward node recover`: who ran, by libvirt's logs. It only looks.",
    For.LOGS: "`stackward log`: the scanner that is sent there. Who may run this is root.",
}
BY_CHOICE = (For.LOGS,)  # equals root: an administrator grants it by removing the `#`
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_HEAD = """\
# What Stackward runs as root on a node, word for word. Made by docs/generate.py.
# Install as /etc/sudoers.d/stackward (owner root, mode 0440) after `visudo -cf` of it.
# `{login}` is the user of the inventory. Leave out the last line of what it is not to do.
# A last line behind a `#` gives all of root: without it that login reads what its groups may read.
"""


def sudoers_file(login: str) -> str:
    """Return the whole file, with an alias for each operation."""
    parts = [_HEAD.format(login=login)]
    for operation, what in _WHAT.items():
        lines = [one.in_sudoers for one in ALL if operation in one.needed_for]
        listed = ", \\\n  ".join(lines)
        parts.append(f"# {what}\nCmnd_Alias {alias(operation)} = \\\n  {listed}\n")
    grants = [
        f"{'# ' if one in BY_CHOICE else ''}{login} ALL=(root) NOPASSWD: {alias(one)}\n"
        for one in _WHAT
    ]
    return "\n".join([*parts, "".join([*_bounds(), *grants])])


def _bounds() -> Iterator[str]:
    """Give these commands their own environment and path, no matter what else the node has."""
    for operation in _WHAT:
        yield f'Defaults!{alias(operation)} env_reset, secure_path="{_PATH}"\n'
