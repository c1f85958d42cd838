"""Whether what a plan runs as root on a node may be run there."""

from collections.abc import Iterator

from stackward.model.unread import Unread
from stackward.plan import Verdict
from stackward.policy import worries
from stackward.ports.root import line, names_of
from stackward.ports.shell import Rights


def judge_rights(node: str, rights: Rights | Unread) -> Iterator[Verdict]:
    """Name the commands that sudo refuses there, each with the line that allows it."""
    if isinstance(rights, Unread):
        yield worries.RIGHTS_UNREAD.warns(node, why=rights.why)
        return
    if not rights.refused:
        return
    commands = tuple(rights.refused)
    yield worries.RIGHT_MISSING.blocks(
        node,
        login=rights.login,
        right=" and ".join(names_of(commands)),
        why="; ".join(dict.fromkeys(rights.refused.values())),
        line=line(*commands, login=rights.login),
    )


def is_silent(blockers: Iterator[str]) -> bool:
    """Say whether it is known by what blocks that the node does not answer: why ask again."""
    return not {*blockers}.isdisjoint(_SILENT)


_SILENT = {worries.NODE_DEAD.name, worries.DOMAINS_UNREACHED.name, worries.NODE_SILENT.name}
