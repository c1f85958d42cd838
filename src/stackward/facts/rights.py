"""Ask a node which commands a login may run as root there, before anything depends on it."""

from collections.abc import Sequence

from stackward.errors import BadInput, Uncertain, Unreachable
from stackward.model.unread import Unread
from stackward.ports.root import Words
from stackward.ports.shell import Rights, Shell


def read_rights(shell: Shell, node: str, commands: Sequence[Words]) -> Rights | Unread:
    """Return what of these commands the login may not run as root; nothing is run."""
    try:
        return shell.rights(node, commands)
    except (Unreachable, Uncertain, BadInput) as error:
        return Unread.of(error)
