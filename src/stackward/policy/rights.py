"""Whether what a plan runs as root on a node may be run there."""

from collections.abc import Iterator

from stackward.model.unread import Unread
from stackward.plan import Verdict
from stackward.policy.maintenance import NODE_SILENT
from stackward.policy.node import DOMAINS_UNREACHED, NODE_DEAD
from stackward.policy.rule import Rule
from stackward.ports.root import line, names_of
from stackward.ports.shell import Rights

RIGHT_MISSING = Rule(
    "right-missing",
    "`{login}` has no right there to run a command of the plan as root, of {right} ({why})",
    "install the shipped sudoers file there (guide `Without root`), or add the line "
    "`{line}`; then plan again",
    "It would be refused in the middle of the run, after servers have moved.",
)
RIGHTS_UNREAD = Rule(
    "rights-unread",
    "the rights of the login to run the plan's commands as root there could not be read: {why}",
    "see `sudo -n -l` there",
    "If a right is missing, the run stops before its end.",
)


def judge_rights(node: str, rights: Rights | Unread) -> Iterator[Verdict]:
    """Name the commands that sudo refuses there, each with the line that allows it."""
    if isinstance(rights, Unread):
        yield RIGHTS_UNREAD.warns(node, why=rights.why)
        return
    if not rights.refused:
        return
    commands = tuple(rights.refused)
    yield RIGHT_MISSING.blocks(
        node,
        login=rights.login,
        right=" and ".join(names_of(commands)),
        why="; ".join(dict.fromkeys(rights.refused.values())),
        line=line(*commands, login=rights.login),
    )


def is_silent(blockers: Iterator[str]) -> bool:
    """Say whether it is known by what blocks that the node does not answer: why ask again."""
    return not {*blockers}.isdisjoint(_SILENT)


_SILENT = {NODE_DEAD.name, DOMAINS_UNREACHED.name, NODE_SILENT.name}
