"""The state of a compute node's boot gate, and whether one can be put there."""

from stackward.answers import understood, why
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.boot_gate import (
    DROP_IN,
    DROP_IN_TEXT,
    OPENED,
    SCRIPT,
    SCRIPT_TEXT,
    BootGate,
)
from stackward.model.compute_process import UNIT
from stackward.model.unread import Unread
from stackward.ports.shell import Shell
from stackward.ports.systemd import read_facts, read_version


def read_gate(shell: Shell, node: str) -> BootGate | Unread:
    """Return what the node has of the gate; or why that could not be read."""
    try:
        script, drop_in = _text(shell, node, SCRIPT), _text(shell, node, DROP_IN)
        opened = shell.run(node, ["test", "-e", OPENED])
        with understood(f"`test -e {OPENED}`", opened.err):
            is_open = {0: True, 1: False}[opened.code]
        asked = shell.run(node, ["systemctl", "show", "--property=ExecCondition", UNIT])
        is_asked = SCRIPT in read_facts(asked.out).get("ExecCondition", "")
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    except NotUnderstood as error:
        return Unread(why(error))
    return BootGate(
        has_script=script is not None,
        has_drop_in=drop_in is not None,
        is_as_shipped=(script, drop_in) == (SCRIPT_TEXT, DROP_IN_TEXT),
        is_asked=is_asked,
        is_open=is_open,
    )


def _text(shell: Shell, node: str, path: str) -> str | None:
    """Return what a file says; None where there is none."""
    there = shell.run(node, ["test", "-e", path])
    with understood(f"`test -e {path}`", there.err):
        if not {0: True, 1: False}[there.code]:
            return None
    return shell.run(node, ["cat", path]).out


def read_systemd(shell: Shell, node: str) -> int | Unread:
    """Return the version of the node's systemd; or why that could not be read."""
    try:
        return read_version(shell.run(node, ["systemctl", "--version"]).out)
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    except NotUnderstood as error:
        return Unread(why(error))
