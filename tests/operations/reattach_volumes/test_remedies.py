"""What a verdict on a repair of volumes advises settles it: every rule that it can raise."""

from dataclasses import dataclass, replace

import pytest

from operations.reattach_volumes.test_plan import (
    ALSO_ONLY_NOVA,
    ASKED,
    CASES,
    ELSEWHERE,
    GUEST_LACKS,
    NOT_WAITING,
    ONLY_CINDER,
    ONLY_NOVA,
    TWICE,
    YES,
    facts,
    row,
)
from raising import assert_followed, raised_by
from stackward.model.volume import NovaAttachment
from stackward.operations.reattach_volumes.facts import ReattachFacts
from stackward.operations.reattach_volumes.plan import plan_reattach
from stackward.requests.reattach_volumes import ReattachRequest

AGREE = "it asks people to agree: nothing of a cloud changes by it"
BY_HAND = "it leaves the volume to people; a plan for it stays refused"
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A verdict, and the server or the request once its remedy was followed."""

    before: ReattachFacts
    advice: str  # a part of the remedy
    after: ReattachFacts | None = None  # None: the same
    asked: ReattachRequest = ASKED
    asks_then: ReattachRequest = ASKED


def case(name: str, advice: str, after: ReattachFacts | None = None) -> Case:
    """Return a case of the plans' own table."""
    return Case(before=CASES[name][0], advice=advice, after=after or facts())


FOLLOWED = {
    "held": case("a run has its node", "run watch 01D"),
    "reattach/cell-down": case("its cell is down", "repair that cell"),
    "reattach/nowhere": case("it is on no node", "server unshelve"),
    "reattach/busy": case("Nova works on it", "wait until that is done"),
    "reattach/wrong-status": case("it is paused", "bring it to ACTIVE"),
    "reattach/node-down": case("its node is down", "stackward node check compute-07"),
    "reattach/forced-down": case("its node was forced down", "service set --up"),
    "reattach/unread": case("Cinder is away", "make it answer"),
    "reattach/no-guest": case("its guest does not run", "server triage", facts(GUEST_LACKS)),
    "reattach/off": case("it is off, and needs a reboot", "server start", facts(ONLY_NOVA)),
    "reattach/recent": case(
        "Cinder wrote to it just now", "plan again once",
        CASES["Cinder wrote to it a while ago"][0],
    ),
    "reattach/guest-has-it": Case(
        before=facts(replace(ONLY_CINDER, libvirt=YES)), advice="take the disk DEVICE out",
        after=facts(ONLY_CINDER),
    ),
    "reattach/other-server": case("another server has it", "detach it from", facts(ONLY_NOVA)),
    "reattach/unknown-record": Case(
        before=facts(replace(TWICE, of_nova=NovaAttachment(volume="v1", device="/dev/vdb"))),
        advice="openstack volume attachment delete",
    after=facts(replace(row(), of_nova=NovaAttachment(volume="v1", device="/dev/vdb"))),
    ),
    "reattach/also-lost": Case(
        before=CASES["a reboot would delete another volume's record"][0],
        advice="name it too", after=facts(GUEST_LACKS, ALSO_ONLY_NOVA),
    ),
    "reattach/device-moves": case(
        "its device would be another", "attach a volume that becomes vdb",
        facts(row("v0", "vdb"), row("v2", "vdc"), row("v1", "vdd", hosts=("compute-08",))),
    ),
    "reattach/no-console": Case(
        before=facts(ELSEWHERE, console=None), advice="--ready none", asks_then=NOT_WAITING,
    ),
}  # fmt: skip

NOT_FOLLOWED = {
    "locked": AGREE,
    "reattach/reboots": AGREE,
    "reattach/loses-disk": AGREE,
    "reattach/not-waited": AGREE,
    "reattach/multiattach": BY_HAND,
    "reattach/encrypted": BY_HAND,
    "reattach/other-project": BY_HAND,
    "reattach/root": BY_HAND,
    "reattach/no-device": BY_HAND,
    "reattach/no-act": "the reference of volume states has the remedies, with tests of their own",
    "reattach/no-volume": BY_HAND,
    "reattach/not-attached": "there is nothing to mend, as it says",
    "reattach/no-undo": "there is nothing to do, as it says",
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_settles_a_verdict(name: str) -> None:
    assert_followed(name, FOLLOWED[name], plan_reattach)


def test_each_rule_is_followed_or_says_why_not() -> None:
    assert sorted([*FOLLOWED, *NOT_FOLLOWED]) == sorted(raised_by("reattach_volumes"))
