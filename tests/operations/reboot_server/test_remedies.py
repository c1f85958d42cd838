"""What a verdict on a reboot advises settles it: every rule that a reboot can raise."""

from dataclasses import dataclass, replace

import pytest

from builders import a_server
from operations.reboot_server.test_plan import (
    CINDER_AWAY,
    CLAIMED,
    HARD,
    NONE,
    ONLY_CINDER,
    ONLY_NOVA,
    OTHER,
    SOFT,
    VOLUME,
    WELL,
    busy,
    facts,
)
from raising import assert_followed, raised_by
from stackward.model.maintenance import Holder
from stackward.model.run import RunState
from stackward.model.stalled_move import Guest
from stackward.model.unread import Hindrance, Unread
from stackward.operations.reboot_server.facts import RebootFacts
from stackward.operations.reboot_server.plan import plan_reboot
from stackward.requests.reboot_server import RebootRequest

AGREE = "it asks people to agree: nothing of a cloud changes by it"
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"
GONE = replace(facts(), guest=NONE, boot="off", guest_locations=(OTHER,))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A verdict, and the server or the request once its remedy was followed."""

    before: RebootFacts
    advice: str  # a part of the remedy
    after: RebootFacts | None = None  # None: the same
    asked: RebootRequest = SOFT
    asks_then: RebootRequest = SOFT


FOLLOWED = {
    "reboot/cell-down": Case(
        before=facts(server=a_server("UNKNOWN", host=None)), advice="repair that cell",
        after=facts(),
    ),
    "reboot/nowhere": Case(
        before=facts(server=a_server("SHELVED_OFFLOADED", host=None)), advice="server unshelve",
        after=facts(),
    ),
    "reboot/busy": Case(
        before=busy("REBOOT", "rebooting"), advice="wait until that is done", after=facts(),
    ),
    "reboot/stopped": Case(
        before=facts("SHUTOFF", "shut off", boot="off"), advice="server start", after=facts(),
    ),
    "reboot/keeps-memory": Case(
        before=facts("PAUSED", "paused"), advice="server unpause", after=facts(),
    ),
    "reboot/memory-lost": Case(
        before=facts("SUSPENDED", "shut off", boot="off"), advice="server resume", after=facts(),
        asked=HARD,
    ),
    "reboot/in-error": Case(
        before=facts("ERROR", "shut off"), advice="pass `--hard`", asks_then=HARD,
    ),
    "reboot/wrong-status": Case(
        before=facts("RESCUE"), advice="server unrescue", after=facts(),
    ),
    "reboot/node-down": Case(
        before=facts(service=None), advice="repair nova-compute", after=facts(),
    ),
    "reboot/forced-down": Case(
        before=facts(service=replace(CLAIMED, is_enabled=True, is_up=False, is_forced_down=True)),
        advice="service set --up", after=facts(),
    ),
    "held": Case(
        before=facts(holders=(Holder(run="01D", title="drain", state="running"),)),
        advice="run watch 01D", after=facts(),
    ),
    "reboot/node-claimed": Case(
        before=facts(service=CLAIMED, claiming=RunState.STOPPED), advice="run show 01DRAIN",
        after=facts(service=CLAIMED, claiming=RunState.CANCELLED),
    ),
    "reboot/guest-unread": Case(
        before=replace(facts(), guest=Unread("no route")), advice="then plan again", after=facts(),
    ),
    "reboot/guest-unseen": Case(
        before=replace(GONE, guest_locations=Unread("no route", by=Hindrance.WAY)),
        advice="make `ssh` to it work",
        after=GONE, asks_then=HARD,
    ),
    "reboot/no-guest": Case(before=GONE, advice="pass `--hard`", asks_then=HARD),
    "reboot/guest-busy": Case(
        before=replace(facts(), guest=Guest(node="compute-07", state="running", has_job=True)),
        advice="wait until it says `None`", after=facts(),
    ),
    "reboot/guest-disagrees": Case(
        before=facts(guest="paused"), advice="pass `--hard`", asks_then=HARD,
    ),
    "reboot/only-nova": Case(
        before=ONLY_NOVA, advice="nova-manage volume_attachment refresh", after=facts(**WELL),
    ),
    "reboot/only-cinder": Case(
        before=ONLY_CINDER, advice="openstack volume show v9", after=facts(),
    ),
    "reboot/not-deleted": Case(
        before=facts(**WELL), advice="leave the flag out",
        asked=replace(HARD, delete_attachments=("a1",)), asks_then=HARD,
    ),
    "reboot/volumes-unread": Case(
        before=facts(**VOLUME, attachments=CINDER_AWAY), advice="make Cinder answer",
        after=facts(**WELL),
    ),
    "reboot/attachments-unread": Case(
        before=facts(attachments=CINDER_AWAY), advice="make Cinder answer", after=facts(),
    ),
}  # fmt: skip

NOT_FOLLOWED = {
    "locked": AGREE,
    "reboot/node-out": AGREE,
    "reboot/out-of-error": "the cause of a fault is not among the facts",
    "reboot/guest-disagreed": "why libvirt paused a guest is not among the facts",
    "reboot/guest-elsewhere": "a drain says how it is settled, and its own remedy is followed",
    "reboot/made-anew": "it asks for a look at other nodes, which changes nothing",
    "reboot/uefi-reset": "it asks for a look into the guest, which changes nothing",
    "reboot/no-undo": "there is nothing to do, as it says",
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_settles_a_verdict(name: str) -> None:
    assert_followed(name, FOLLOWED[name], plan_reboot)


def test_each_rule_is_followed_or_says_why_not() -> None:
    assert sorted([*FOLLOWED, *NOT_FOLLOWED]) == sorted(raised_by("reboot_server"))
