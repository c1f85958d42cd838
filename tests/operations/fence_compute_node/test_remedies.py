"""What a verdict on a fence advises settles it: every rule that a fence can raise."""

from dataclasses import dataclass, replace

import pytest

from operations.fence_compute_node.test_plan import (
    ASKED,
    CONTRADICTED,
    CUT_OFF,
    DEAF,
    DEVICE,
    HOST,
    NONE,
    ONE_LEFT,
    OTHER,
    OWN,
    SPLIT,
    UNKNOWN,
    asking,
    facts,
    living,
)
from raising import assert_followed, raised_by
from stackward.model.maintenance import Holder
from stackward.model.power import PowerReturns
from stackward.model.witness import Witnesses
from stackward.operations.fence_compute_node.plan import plan_fence
from stackward.requests.fence_compute_node import FenceRequest
from stackward.status.fence import FenceFacts

AGREE = "it asks people to agree: nothing of a cloud changes by it"
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"
ANOTHERS = facts(device=replace(DEVICE, hardware=OTHER))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A verdict, and the node or the request once its remedy was followed."""

    before: FenceFacts
    advice: str  # a part of the remedy
    after: FenceFacts | None = None  # None: the same
    asked: FenceRequest = ASKED
    asks_then: FenceRequest = ASKED


FOLLOWED = {
    "held": Case(
        before=facts(holders=(Holder(run="01D", title="drain", state="running"),)),
        advice="run watch 01D", after=facts(),
    ),
    "fence/not-named": Case(
        before=facts(device=None, is_named=False), advice="name it in the inventory", after=facts(),
    ),
    "fence/member-broken": Case(
        before=facts(broken_members=(SPLIT,)), advice="what each member says", after=facts(),
    ),
    "fence/no-device": Case(before=facts(device=None), advice="`bmc_url`", after=facts()),
    "fence/device-unread": Case(
        before=facts(device=DEAF, signs=replace(NONE, power=UNKNOWN)), advice="then plan again",
        after=facts(),
    ),
    "fence/no-force-off": Case(
        before=facts(device=replace(DEVICE, can_force_off=False)), advice="another `fence_agent`",
        after=facts(),
    ),
    "fence/wrong-device": Case(
        before=CONTRADICTED, advice="correct the inventory", after=CUT_OFF,
    ),
    "fence/another-device": Case(before=ANOTHERS, advice="correct the inventory", after=facts()),
    "fence/whose-device": Case(
        before=facts(own=None), advice="`--confirmed-off REFERENCE`",
        asks_then=asking(confirmed_off="INC-4711"),
    ),
    "fence/proved-later": Case(
        before=living(own=None), advice="another machine has lost its power",
        after=living(own=OWN), asked=asking(kill_guests=2), asks_then=asking(kill_guests=2),
    ),
    "fence/boots-by-itself": Case(
        before=facts(device=replace(DEVICE, power_returns=PowerReturns.ON)),
        advice="set its firmware", after=facts(),
    ),
    "fence/alive": Case(
        before=living(), advice="`--kill-guests 2`", asks_then=asking(kill_guests=2),
    ),
    "fence/miscounted": Case(
        before=living(), advice="`--kill-guests 2`", asked=asking(kill_guests=7),
        asks_then=asking(kill_guests=2),
    ),
    "fence/may-run": Case(before=CUT_OFF, advice="look first at its network", after=facts()),
    "fence/unneeded": Case(
        before=facts(), advice="leave that flag out", asked=asking(kill_guests=2),
    ),
    "fence/control-broken": Case(
        before=facts(silent_parts=("nova-conductor",)), advice="stackward cloud check",
        after=facts(),
    ),
    "fence/rpc-broken": Case(
        before=facts(deaf=("compute-08",)), advice="stackward cloud check", after=facts(),
    ),
    "fence/outage": Case(
        before=facts(computes=ONE_LEFT), advice="--accept-outage compute-07,compute-08",
        asks_then=asking(accept_outage=(HOST, "compute-08")),
    ),
    "fence/not-down": Case(
        before=facts(computes=ONE_LEFT), advice="--accept-outage compute-07,compute-08",
        asked=asking(accept_outage=(HOST, "compute-08", "compute-09")),
        asks_then=asking(accept_outage=(HOST, "compute-08")),
    ),
    "fence/no-witness": Case(
        before=facts(witnesses=Witnesses(why="none"), signs=replace(NONE, ping=UNKNOWN)),
        advice="make `ssh` work to another compute node", after=facts(),
    ),
}  # fmt: skip

NOT_FOLLOWED = {
    "fence/word-alone": AGREE,
    "fence/guests-killed": AGREE,
    "fence/outage-accepted": AGREE,
    "fence/other-role": AGREE,
    "fence/no-undo": "a node comes back by a return, whose own remedies are followed",
    "identity-remembered": "a drain raises it too, and follows it",
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_settles_a_verdict(name: str) -> None:
    assert_followed(name, FOLLOWED[name], plan_fence)


def test_each_rule_is_followed_or_says_why_not() -> None:
    assert sorted([*FOLLOWED, *NOT_FOLLOWED]) == sorted(raised_by("fence_compute_node"))
