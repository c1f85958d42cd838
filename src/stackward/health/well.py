"""Whether a cloud is well as a whole, as the exit code of a check says it; and if not, why not.

Some nodes may be left out: what the asking run does to them is no illness of the cloud.
"""

from collections.abc import Collection, Iterator

from stackward.health.causes import TOGETHER
from stackward.model.health import Finding, Gap, Health, Kept, State, Unwell

_LOOK = "`stackward cloud check` says what could not be asked, and why"


def not_well(health: Health, but: Collection[str] = ()) -> tuple[Unwell, ...]:
    """Return why it is not well, what explains others first; none: it is, as far as was asked."""
    if health.is_blind:
        return (Unwell(where="the cloud", reason="nothing of it was reached", is_known=False),)
    found = (*_findings(health, but), *_unseen(health, but))
    if found or health.state.is_well or _was_left_out(health, but):
        return found
    return (Unwell(where="the cloud", reason="how it is is not known", is_known=False),)


def _findings(health: Health, but: Collection[str]) -> Iterator[Unwell]:
    for each in health.findings:
        if not each.state.is_well and not _is_of(each, health, but):
            yield Unwell(
                where=each.where,
                reason=f"{each.reason} [{each.rule}]",
                remedy=each.remedy,
                is_known=each.state is not State.UNKNOWN,  # as of a node that answered late
            )


def _is_of(finding: Finding, health: Health, but: Collection[str]) -> bool:
    """Say whether it is about a node that is left out, or follows from something on such a node."""
    if finding.node is not None:
        return finding.node in but or _follows(finding, but)
    of_each = TOGETHER.get(finding.rule)
    if of_each is None:
        return _follows(finding, but)
    # Of many machines at once: each has its own finding.
    those = [one.node for one in health.findings if one.rule in of_each]
    return bool(those) and all(node in but for node in those)


def _follows(finding: Finding, but: Collection[str]) -> bool:
    _, is_of_node, node = (finding.under or "").rpartition(" on ")
    return bool(is_of_node) and node in but


def _unseen(health: Health, but: Collection[str]) -> Iterator[Unwell]:
    """Return what there was no way to, or no time for: that is no answer at all."""
    for gap in health.gaps:
        if _is_open(gap) and gap.where not in but:
            where = f"{gap.component} on {gap.where}"
            yield Unwell(where=where, reason=gap.says, remedy=gap.cure or _LOOK, is_known=False)


def _is_open(gap: Gap) -> bool:
    return gap.kind is Kept.DEADLINE


def _was_left_out(health: Health, but: Collection[str]) -> bool:
    """Say whether all that is not well is of nodes that are left out."""
    if any(_is_open(gap) and gap.where in but for gap in health.gaps):
        return True
    # What is known to be ill explains nothing of what is not known.
    return health.state is not State.UNKNOWN and any(
        not each.state.is_well and _is_of(each, health, but) for each in health.findings
    )
