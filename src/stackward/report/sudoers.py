"""The sudoers file that lets a login run what Stackward runs as root on a node, and no more."""

from stackward.ports.root import ALL, For

_WHAT = {
    For.CHECK: "`stackward cloud check` and `node check`: they only look.",
    For.DRAIN: "`stackward node drain`: it keeps nova-compute off.",
    For.RETURN: "`stackward node return` and `run undo`: nova-compute comes back.",
}
_HEAD = """\
# What Stackward runs as root on a node, word for word. {made}
# Install as /etc/sudoers.d/stackward (owner root, mode 0440) after `visudo -cf` of it.
# `{login}` is the user of the inventory. Leave out the last line of what it is not to do.
"""


def sudoers_file(login: str, made: str) -> str:
    """Return the whole file, with an alias for each operation; `made` says where it is from."""
    parts = [_HEAD.format(login=login, made=made)]
    for operation, what in _WHAT.items():
        lines = [one.in_sudoers for one in ALL if operation in one.needed_for]
        listed = ", \\\n  ".join(lines)
        parts.append(f"# {what}\nCmnd_Alias STACKWARD_{operation.name} = \\\n  {listed}\n")
    grants = [f"{login} ALL=(root) NOPASSWD: STACKWARD_{operation.name}\n" for operation in _WHAT]
    return "\n".join([*parts, "".join(grants)])
