"""What a verdict on a start advises settles it: every rule that a start can raise."""

from dataclasses import dataclass, replace

import pytest

from builders import a_flavor, a_service
from operations.start_servers.test_plan import ASKED, EVACUATION, HOST, OFF, down, facts, one
from raising import assert_followed, raised_by
from stackward.model.maintenance import Holder
from stackward.model.unread import Unread
from stackward.operations.start_servers.facts import StartFacts
from stackward.operations.start_servers.plan import plan_start
from stackward.requests.start_servers import StartRequest

AGREE = "it asks people to agree: nothing of a cloud changes by it"
WELL = facts()
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A verdict, and the servers once its remedy was followed."""

    before: StartFacts
    advice: str  # a part of the remedy
    after: StartFacts | None = WELL
    asked: StartRequest = ASKED
    asks_then: StartRequest = ASKED


FOLLOWED = {
    "start/nowhere": Case(
        before=facts(one("SHELVED_OFFLOADED", __host=None)), advice="server unshelve",
    ),
    "start/busy": Case(before=facts(one(__task_state="powering-on")), advice="wait until"),
    "start/in-error": Case(before=facts(one("ERROR")), advice="server reboot"),
    "start/wrong-status": Case(before=facts(one("RESCUE")), advice="server unrescue"),
    "start/guest-unread": Case(before=facts(one(guest=Unread("x"))), advice="then plan again"),
    "start/guest-unseen": Case(before=facts(one(elsewhere=Unread("x"))), advice="make `ssh`"),
    "start/guest-runs": Case(
        before=facts(one(guest=replace(OFF, state="running"))), advice="wait 10 minutes",
    ),
    "start/evacuated": Case(
        before=facts(one(evacuation=EVACUATION)), advice="the record ends as",
    ),
    "start/node-down": Case(before=down(), advice="repair nova-compute"),
    "start/forced-down": Case(before=down(is_forced_down=True), advice="service set --up"),
    "held": Case(
        before=facts(holders={HOST: (Holder(run="01D", title="drain", state="running"),)}),
        advice="run watch 01D",
    ),
    "start/unknown-tier": Case(
        before=facts(one(__flavor=a_flavor(stackward__tier="x"))), advice="add the tier there",
        after=None, asks_then=replace(ASKED, tiers=("x",)),
    ),
    "start/bad-priority": Case(
        before=facts(one(__metadata=(("stackward:priority", "high"),))),
        advice="set a whole number",
        after=facts(one(__metadata=(("stackward:priority", "7"),))),
    ),
    "start/tags-unread": Case(
        before=facts(tags={"demo": Unread("503")}), advice="make Keystone answer",
    ),
}  # fmt: skip

NOT_FOLLOWED = {
    "locked": AGREE,
    "start/node-out": AGREE,
    "start/guest-elsewhere": "a drain says how it is settled, and its own remedy is followed",
    "start/no-undo": "whoever wants a server off decides it for each",
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_settles_a_verdict(name: str) -> None:
    assert_followed(name, FOLLOWED[name], plan_start)


def test_each_rule_is_followed_or_says_why_not() -> None:
    assert sorted([*FOLLOWED, *NOT_FOLLOWED]) == sorted(raised_by("start_servers"))


def test_a_node_that_is_out_of_service_is_named() -> None:
    out = facts(services={HOST: a_service(is_enabled=False, disabled_reason="fan")})

    assert [each.worry for each in plan_start(out, ASKED).warnings] == ["start/node-out"]
