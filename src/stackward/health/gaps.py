"""What a look did not show, each with the reason and what would cure it."""

import re

from stackward.anatomy import MACHINE
from stackward.model.blind import Blind
from stackward.model.health import Gap, Kept
from stackward.model.survey import Survey, Unseen

SUDOERS = "install the shipped sudoers file on the node (guide `Without root`)"
# MariaDB or MySQL itself refuses a login; sudo has let it through.
DATABASE = (
    "let the node's root log in to the database by its socket (`unix_socket`, `auth_socket`), or "
    "write a login that may into root's `~/.my.cnf`"
)
_OF_DATABASE = re.compile(r"\bERROR (1045|1698)\b")
ADMIN = "use a login that is an administrator's"
NEEDS_ROOT = "this login may not ask it as root"

_KEPT = {
    Blind.UNREACHABLE: Kept.DEADLINE,
    Blind.SETTINGS: Kept.DEADLINE,
    Blind.NO_SSHD: Kept.DEADLINE,
    Blind.REFUSED: Kept.RIGHTS,
    Blind.KEY_UNKNOWN: Kept.DEADLINE,
    Blind.KEY_CHANGED: Kept.DEADLINE,
    Blind.SILENT: Kept.DEADLINE,
    Blind.LATE: Kept.DEADLINE,
    Blind.USELESS: Kept.NO_QUESTION,
    Blind.UNKNOWN: Kept.DEADLINE,
    Blind.NOT_ASKED: Kept.DEADLINE,
    Blind.ODD: Kept.NO_QUESTION,
}


def gap_of(
    survey: Survey, what: str, unseen: Unseen, component: str = MACHINE, *, is_proof: bool = False
) -> Gap:
    """Return the gap that something unseen on a node leaves.

    What sudo refuses has one reason for all of a node, however each tool words it.
    """
    kind = _KEPT[unseen.kind]
    if kind is Kept.RIGHTS:
        return no_right(survey, what, component, says=unseen.why, is_proof=is_proof)
    return Gap(
        kind=kind,
        component=component,
        where=survey.node,
        what=what,
        why=unseen.why,
        is_proof=is_proof,
    )


def no_right(
    survey: Survey,
    what: str,
    component: str = MACHINE,
    *,
    says: str = NEEDS_ROOT,
    is_proof: bool = False,
) -> Gap:
    """Return the gap that a missing right leaves on a node."""
    return Gap(
        kind=Kept.RIGHTS,
        component=component,
        where=survey.node,
        what=what,
        why=f"sudo refuses: {survey.sudo_refused}" if survey.sudo_refused else says,
        cure=DATABASE if not survey.sudo_refused and _OF_DATABASE.search(says) else SUDOERS,
        is_proof=is_proof,
    )
