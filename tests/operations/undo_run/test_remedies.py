"""What a verdict on an undo advises settles it: every rule that an undo itself can raise.

What the return or the homecoming raises by which a run is undone is followed with those.
"""

from dataclasses import dataclass, replace

import pytest

from builders import a_candidate, a_service
from operations.undo_run.test_plan import (
    AGAIN,
    ASKED,
    BACK,
    HOME,
    NO_WAY,
    ON,
    UNFINISHED,
    a_closed,
    a_drain,
    a_way_home,
    disabled,
    undone_by,
)
from raising import assert_followed, raised_by, verdicts_of
from stackward.model.run import RunState
from stackward.model.wish import Consent
from stackward.operations.undo_run.plan import plan_undo
from stackward.operations.undo_run.undoing import Undoing, WayBack
from stackward.requests.how_to_move import HowToMove
from stackward.requests.undo_run import UndoRequest

ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"
BY_HAND = "it is done by hand, and this undo is never made"
NOTHING = "there is nothing to do, as it says"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A verdict, and the run or the request once its remedy was followed."""

    before: Undoing
    advice: str  # a part of the remedy
    after: Undoing | None = None  # None: the same
    asked: UndoRequest = ASKED
    asks_then: UndoRequest = ASKED


def asking(**how: object) -> UndoRequest:
    return replace(ASKED, how=HowToMove(**how))  # type: ignore[arg-type]  # its fields


def to_open(*, is_enabled: bool) -> Undoing:
    """Return an undo of which a server is left; its node is closed by others, or open again."""
    service = a_service() if is_enabled else disabled("01OTHER")
    [away] = a_way_home().away
    assert away.node is not None
    offered = dict.fromkeys(away.node.candidates, (a_candidate("compute-07"),))
    node = replace(away.node, candidates=offered)
    home = replace(a_way_home(), service=service, away=(replace(away, node=node),))
    return a_drain(
        returning=a_closed(service=service, marks=ON),
        has_kept_off=False,
        ways_back=(WayBack(request=HOME, home=home),),
    )


FOLLOWED = {
    "undo-too-early": Case(
        before=a_drain(state=RunState.RUNNING), advice="`stackward run cancel 01DRAIN` ends it",
        after=a_drain(state=RunState.CANCELLED),
    ),
    "undo-unfinished": Case(
        before=a_drain(**UNFINISHED),
        advice="`stackward run cancel 01DRAIN`, then `stackward run resume 01DRAIN`",
        after=a_drain(state=RunState.CANCELLED),
    ),
    "undo-goes-on": Case(
        before=undone_by(RunState.STOPPED),
        advice="`stackward run cancel 01U` ends it; then plan again",
        after=undone_by(RunState.CANCELLED),
    ),
    "unknown-left-behind": Case(
        before=a_drain(), advice="leave the flag out", asked=asking(leave_behind=("nonsense",)),
    ),
    "unknown-consent": Case(
        before=a_drain(), advice="leave the flag out",
        asked=asking(consents=(Consent(server="nonsense", reference="CHG-77"),)),
    ),
    "not-moved-back": Case(
        before=to_open(is_enabled=False),
        advice="`stackward node return compute-07 --bring-back --run 01DRAIN`",
        after=to_open(is_enabled=True),
    ),
}  # fmt: skip

NOT_FOLLOWED = {
    "undone": NOTHING,
    "nothing-to-undo": NOTHING,
    "no-way-back": BY_HAND,
    "unknown-kind": BY_HAND,
    "undo/not-joined": BY_HAND,
    "undo-cloud-not-said": "it asks for a look at which cloud this is, which changes nothing",
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_settles_a_verdict(name: str) -> None:
    assert_followed(name, FOLLOWED[name], plan_undo)


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (undone_by(RunState.SUCCEEDED), "undone"),
        (a_drain(has_changed=False), "nothing-to-undo"),
        (a_drain(back=NO_WAY), "no-way-back"),
        (a_drain(kind="rebalance-ring", back=None), "unknown-kind"),
        (a_drain(back=(*BACK, AGAIN)), "undo/not-joined"),
        (a_drain(is_cloud_known=False), "undo-cloud-not-said"),
    ],
)
def test_what_is_not_followed_is_said_all_the_same(facts: Undoing, name: str) -> None:
    plan = plan_undo(facts, ASKED)

    assert name in [each.worry for each in verdicts_of(plan)]
    assert name in NOT_FOLLOWED


def test_each_rule_is_followed_or_says_why_not() -> None:
    assert sorted([*FOLLOWED, *NOT_FOLLOWED]) == sorted(raised_by("undo_run"))
