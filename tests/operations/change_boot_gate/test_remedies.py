"""What a verdict on a boot gate advises settles it: every rule that such a change can raise."""

from dataclasses import dataclass, replace

import pytest

from operations.change_boot_gate.test_plan import (
    DEAF,
    HOST,
    INSTALL,
    NOTHING,
    OPEN,
    OPENED,
    REMOVE,
    SHUT,
    facts,
)
from operations.return_compute_node.test_after_evacuation import one_open
from raising import assert_followed, raised_by
from stackward.model.instance_ha import HaHost
from stackward.model.maintenance import Holder
from stackward.operations.change_boot_gate.facts import GatedNode
from stackward.operations.change_boot_gate.plan import plan_gate
from stackward.requests.change_boot_gate import GateRequest

NOTHING_TO_DO = "there is nothing to do: the node is as it was asked for"
DONE_WITHOUT = "the advice is to do without a gate there"
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A verdict, and the node or the request once its remedy was followed."""

    before: GatedNode
    advice: str  # a part of the remedy
    after: GatedNode | None = None  # None: the same
    asked: GateRequest = INSTALL
    asks_then: GateRequest = INSTALL


FOLLOWED = {
    "held": Case(
        before=facts(holders=(Holder(run="01D", title="drain", state="running"),)),
        advice="run watch 01D", after=facts(),
    ),
    "node-silent": Case(
        before=facts(gate=DEAF), advice="then plan again", after=facts(),
    ),
    "gate/guarded": Case(
        before=facts(ha_hosts=(HaHost(id="e1", segment="s1", host=HOST),)),
        advice="openstack segment host delete s1 e1", after=facts(),
    ),
    "gate/ha-unseen": Case(
        before=facts(ha_hosts=DEAF), advice="make `openstack segment list` work",
        after=facts(),
    ),
    "gate/processes-unseen": Case(
        before=facts(running_as=DEAF), advice="see `ps -ef`", after=facts(),
    ),
    "gate/systemd-unseen": Case(
        before=facts(systemd=DEAF), advice="`systemctl --version`", after=facts(),
    ),
    "gate/old-systemd": Case(
        before=facts(systemd=242), advice="a newer release", after=facts(systemd=243),
    ),
    "gate/kept-off": Case(
        before=facts(gate=SHUT, marks=replace(NOTHING, has_file=True)),
        advice="`stackward node return compute-07`", after=facts(gate=SHUT),
        asked=OPEN, asks_then=OPEN,
    ),
    "evacuation/lives-on-source": Case(
        before=facts(gate=SHUT, evacuations=(one_open(lives_on=HOST),)),
        advice="stackward node drain compute-07", after=facts(gate=SHUT), asked=OPEN,
        asks_then=OPEN,
    ),
    "gate/evacuations-open": Case(
        before=facts(gate=SHUT, evacuations=(one_open(),)),
        advice="stackward node return compute-07 --dry-run", after=facts(gate=SHUT), asked=OPEN,
        asks_then=OPEN,
    ),
    "gate/evacuations-unread": Case(
        before=facts(gate=SHUT, evacuations=DEAF),
        advice="make Nova answer", after=facts(gate=SHUT), asked=OPEN, asks_then=OPEN,
    ),
    "gate/shut": Case(
        before=facts(gate=SHUT), advice="it is safer to return the node first",
        after=facts(gate=OPENED), asked=REMOVE, asks_then=REMOVE,
    ),
}  # fmt: skip

NOT_FOLLOWED = {
    "gate/container": DONE_WITHOUT,
    "gate/no-unit": DONE_WITHOUT,
    "gate/there": NOTHING_TO_DO,
    "gate/none": NOTHING_TO_DO,
    "gate/open": NOTHING_TO_DO,
    "gate/no-undo": NOTHING_TO_DO,
    "identity-remembered": "a drain raises it too, and follows it",
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_settles_a_verdict(name: str) -> None:
    assert_followed(name, FOLLOWED[name], plan_gate)


def test_each_rule_is_followed_or_says_why_not() -> None:
    assert sorted([*FOLLOWED, *NOT_FOLLOWED]) == sorted(raised_by("change_boot_gate"))
