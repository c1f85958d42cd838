"""What a verdict on a return advises settles it: every rule that a return can raise."""

from dataclasses import dataclass

import pytest

from builders import NOW, a_service
from fakes.neutron import LAB_NET
from operations.return_compute_node.test_after_evacuation import (
    DISCARDING,
    SILENT,
    evacuated,
    one_open,
)
from operations.return_compute_node.test_plan import (
    CLAIM,
    CONTAINED,
    NONE,
    OF_UNIT,
    disabled,
    drained,
)
from raising import assert_followed, raised_by
from stackward.model.compute_process import RunningAs
from stackward.model.disk_seen import DiskSeen
from stackward.model.maintenance import Holder, ReturningNode
from stackward.model.unread import Hindrance, Unread
from stackward.operations.return_compute_node.plan import plan_return
from stackward.requests.return_compute_node import ReturnRequest

ASKED = ReturnRequest(node="compute-07")
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"
WAY = "see how far ssh comes: `ssh -v ops@192.0.2.7 true`"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A verdict, and the node or the request once its remedy was followed."""

    before: ReturningNode
    advice: str  # a part of the remedy
    after: ReturningNode | None = None  # None: the same
    asked: ReturnRequest = ASKED
    asks_then: ReturnRequest = ASKED


FOLLOWED = {
    "identity-remembered": Case(
        before=drained(identified_at=NOW), advice="its address in Nova (`host_ip`)",
        after=drained(),
    ),
    "node-silent": Case(
        before=drained(marks=Unread("no route", Hindrance.WAY, WAY)), advice=WAY, after=drained(),
    ),
    "nothing-to-return": Case(
        before=drained(service=a_service(), marks=NONE), advice="node drain compute-07",
        after=drained(),
    ),
    "foreign-claim": Case(
        before=drained(service=disabled("fan")), advice="service set --enable",
        after=drained(service=a_service()),
    ),
    "claim-unknown": Case(
        before=drained(is_claim_known=False), advice="node return compute-07 --run 01DRAIN",
        asks_then=ReturnRequest(node="compute-07", run="01DRAIN"),
    ),
    "held": Case(
        before=drained(holders=(Holder(run="01X", title="drain", state="running"),)),
        advice="run cancel 01X", after=drained(),
    ),
    "runs-although-off": Case(
        before=drained(running_as=RunningAs(processes=(OF_UNIT,))),
        advice="find out who started it",
        after=drained(running_as=RunningAs()),
    ),
    "second-compute": Case(
        before=drained(running_as=RunningAs(unit_load="masked", processes=(CONTAINED,))),
        advice="remove what keeps it stopped",
        after=drained(marks=NONE, running_as=RunningAs(processes=(CONTAINED,))),
    ),
    "no-unit-to-start": Case(
        before=drained(marks=NONE, running_as=RunningAs(unit_load="not-found")),
        advice="start it with what manages it",
        after=drained(
            marks=NONE, running_as=RunningAs(unit_load="not-found", processes=(CONTAINED,))
        ),
    ),
    "return/old-copies": Case(
        before=evacuated(), advice="--discard-old-disks", asks_then=DISCARDING,
    ),
    "return/needless-discard": Case(
        before=evacuated(evacuations=()), advice="leave that flag out", asked=DISCARDING,
        asks_then=ASKED,
    ),
    "return/still-here": Case(
        before=evacuated(evacuations=(one_open(lives_on="compute-07"),)),
        advice="node evacuate compute-07 --only", asked=DISCARDING, asks_then=DISCARDING,
        after=evacuated(),
    ),
    "evacuation/lives-on-source": Case(
        before=drained(evacuations=(one_open(lives_on="compute-07"),)),
        advice="node drain compute-07", after=drained(evacuations=(one_open(),)),
        asks_then=DISCARDING,
    ),
    "return/evacuations-unread": Case(
        before=evacuated(evacuations=Unread("Nova answered 500")), advice="see that Nova answers",
        after=evacuated(evacuations=()),
    ),
    "return/disk-unread": Case(
        before=evacuated(evacuations=(one_open(disk=Unread("no route")),)), asked=DISCARDING,
        advice="make `compute-08` answer", after=evacuated(), asks_then=DISCARDING,
    ),
    "return/disk-unseen": Case(
        before=evacuated(evacuations=(one_open(disk=DiskSeen()),)), asked=DISCARDING,
        advice="stop nova-compute on", asks_then=DISCARDING,
        after=evacuated(evacuations=(one_open(disk=DiskSeen(), is_heard=False),)),
    ),
    "return/device-unread": Case(
        before=drained(marks=SILENT, device=Unread("its BMC does not answer")),
        advice="switch the node on yourself", after=drained(),
    ),
    "return/by-hand": Case(
        before=drained(
            marks=SILENT, service=disabled(CLAIM, is_forced_down=True), has_device=False
        ),
        advice="set `--boot-timeout`",
        after=drained(service=disabled(CLAIM, is_forced_down=True)),
    ),
    "no-port": Case(
        before=drained(), advice="name a network with `--network`",
        after=drained(networks=(LAB_NET,)),
        asks_then=ReturnRequest(node="compute-07", network="lab-net"),
    ),
}  # fmt: skip

NOT_FOLLOWED = {
    "return/forced-down": "it says what the return does",
    "return/old-copies-discarded": "`--discard-old-disks` was given: it says what is lost by it",
    "processes-unseen": "it asks for a look at the processes there, which changes nothing",
    "ha-unseen": "it asks for a look at the instance-HA service, which changes nothing",
    "nothing-to-undo": "there is nothing to do, as it says; it is of the undo of a return",
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_settles_a_verdict(name: str) -> None:
    assert_followed(name, FOLLOWED[name], plan_return)


def test_each_rule_is_followed_or_says_why_not() -> None:
    assert sorted([*FOLLOWED, *NOT_FOLLOWED]) == sorted(raised_by("return_compute_node"))
