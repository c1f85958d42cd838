"""What a verdict on an evacuation advises settles it: every rule that one can raise."""

from dataclasses import dataclass, replace

import pytest

from builders import a_group, a_port, a_server, a_service
from operations.evacuate_compute_node.test_plan import (
    ASKED,
    BROKEN,
    BY_WORD,
    CALLED_UP,
    COPY,
    DB,
    GONE,
    LOCAL,
    NO_DEVICE,
    OPEN,
    UNENDED,
    UNREAD,
    VOLUME,
    WHOLE,
    WITH_GUEST,
    apart,
    asking,
    both,
    facts,
    notified,
    record,
    recorded,
)
from raising import assert_followed, raised_by
from stackward.model.disk_seen import DiskSeen
from stackward.operations.evacuate_compute_node.facts import EvacuationFacts
from stackward.operations.evacuate_compute_node.plan import plan_evacuation
from stackward.requests.evacuate_compute_node import EvacuateRequest

AGREE = "it asks people to agree: nothing of a cloud changes by it"
DRAIN = "a drain raises it too, and follows it"
LATER = "of a run that is under way: tests/operations/test_power_again.py"
ENDING = asking(kill_domain=(f"compute-09/{DB}",))
LEAVE = asking(leave=(DB,))
MINE = a_service(is_up=False, is_enabled=False, disabled_reason="mine")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A verdict, and the node or the request once its remedy was followed."""

    before: EvacuationFacts
    advice: str  # a part of the remedy
    after: EvacuationFacts | None = None  # None: the same
    asked: EvacuateRequest = ASKED
    asks_then: EvacuateRequest = ASKED


FOLLOWED = {
    "evacuate/too-old": Case(
        before=facts(is_stopping=False), advice="upgrade Nova", after=facts(),
    ),
    "evacuate/ha-unread": Case(before=facts(ha=UNREAD), advice="let this login", after=facts()),
    "evacuate/ha-acts": Case(
        before=facts(ha=notified("running")), advice="`finished` or `ignored`",
        after=facts(ha=notified("finished")),
    ),
    "evacuate/claimed": Case(
        before=facts(node={"service": MINE}), advice="service set --enable", after=facts(),
    ),
    "evacuate/memory-lost": Case(
        before=facts(a_server("PAUSED")), advice=f"`--reset-state {DB}`",
        asks_then=asking(reset_state=(DB,)),
    ),
    "evacuate/resized": Case(
        before=facts(a_server("VERIFY_RESIZE")), advice="server resize confirm", after=facts(),
    ),
    "evacuate/state": Case(
        before=facts(a_server("DREAMING")), advice=f"`--leave-behind {DB}`", asks_then=LEAVE,
    ),
    "evacuate/in-error": Case(
        before=facts(a_server("ERROR")), advice=f"`--reset-state {DB}`",
        asks_then=asking(reset_state=(DB,)),
    ),
    "evacuate/task": Case(
        before=facts(a_server(task_state="rebooting")), advice=f"`--reset-state {DB}`",
        asks_then=asking(reset_state=(DB,)),
    ),
    "evacuate/rebuilding": Case(
        before=facts(records=recorded(record("accepted", kind="evacuation"))),
        advice="wait for its end",
        after=facts(records=recorded(record("error", kind="evacuation"))),
    ),
    "evacuate/not-silent": Case(
        before=CALLED_UP, advice="plan again in two minutes", after=NO_DEVICE,
        asked=BY_WORD, asks_then=BY_WORD,
    ),
    "evacuate/order-may-come": Case(
        before=facts(
            a_server(task_state="rebuilding"),
            records=recorded(record("accepted", kind="evacuation")), orders={7: "it waits"},
        ),
        advice="then plan again",
        after=facts(
            a_server(task_state="rebuilding"),
            records=recorded(record("accepted", kind="evacuation")), orders={7: None},
        ),
        asked=asking(reset_state=(DB,)), asks_then=asking(reset_state=(DB,)),
    ),
    "evacuate/not-here": Case(
        before=facts(), advice="take an id from", asked=asking(reset_state=("nobody",)),
    ),
    "evacuate/unneeded": Case(
        before=facts(), advice="leave that flag out", asked=asking(accept_data_loss=(DB,)),
    ),
    "evacuate/living-copy": Case(
        before=facts(others=WITH_GUEST), advice=f"`--kill-domain compute-09/{DB}`",
        asks_then=asking(kill_domain=(f"compute-09/{DB}",)),
    ),
    "evacuate/may-not-end": Case(
        before=facts(others=UNENDED), advice="let the login use libvirt",
        after=facts(others=WITH_GUEST),
        asked=ENDING, asks_then=ENDING,
    ),
    "evacuate/no-such-guest": Case(before=facts(), advice="leave that flag out", asked=ENDING),
    "evacuate/copy-unread": Case(
        before=facts(others={**both(), **GONE}, records=recorded(record())),
        advice="make libvirt there answer", after=facts(records=recorded(record())),
    ),
    "evacuate/local-disk": Case(
        before=LOCAL, advice=f"`--accept-data-loss {DB}`",
        asks_then=asking(accept_data_loss=(DB,)),
    ),
    "evacuate/disk-broken": Case(
        before=facts(others=both(BROKEN)), advice="repair the files", after=facts(),
    ),
    "evacuate/disk-apart": Case(
        before=apart(COPY), advice=f"`--accept-data-loss {DB}`",
        asks_then=asking(accept_data_loss=(DB,)),
    ),
    "evacuate/locked": Case(
        before=facts(others=both(OPEN), is_off=True), advice="wait 90 s",
        after=facts(is_off=True),
    ),
    "evacuate/disk-unread": Case(
        before=facts(others=both(DiskSeen(unread="denied"))), advice="must be able to read",
        after=facts(others=both(WHOLE)),
    ),
    "evacuate/tpm": Case(
        before=facts(a_server(image_properties=(("hw_tpm_version", "2.0"),))),
        advice=f"`--leave-behind {DB}`", asks_then=LEAVE,
    ),
    "evacuate/volume-service": Case(
        before=facts(a_server(volume_ids=("v1",), volumes=(VOLUME,))), advice="update_host",
        after=facts(
            a_server(volume_ids=("v1",), volumes=(replace(VOLUME, backend="ctl@lvm#x"),))
        ),
    ),
    "evacuate/left-binding": Case(
        before=facts(a_server(ports=(a_port(left_on=("compute-08",)),))),
        advice="remove the binding", after=facts(),
    ),
    "evacuate/no-target": Case(
        before=facts(others=both(domains=UNREAD)), advice="make it answer", after=facts(),
    ),
    "evacuate/stays-off": Case(
        before=facts(a_server("SHUTOFF")), advice="`--with-stopped`",
        asks_then=asking(with_stopped=True),
    ),
    "evacuate/not-started": Case(
        before=facts(), advice=f"`--start {DB}`", asks_then=asking(start=(DB,)),
    ),
    "evacuate/both-ways": Case(
        before=facts(), advice="leave one of the two out",
        asked=asking(start=(DB,), leave_off=(DB,)), asks_then=asking(start=(DB,)),
    ),
    "affinity": Case(
        before=facts(a_server(group=a_group("affinity"))), advice=f"`--leave-behind {DB}`",
        asks_then=LEAVE,
    ),
    "no-room": Case(
        before=facts(node={"candidates": ()}), advice="bring another node into service",
        after=facts(),
    ),
    "not-on-target": Case(
        before=facts(), advice="name a node with room", asked=asking(target="compute-99"),
        asks_then=asking(target="compute-08"),
    ),
}  # fmt: skip

OF_A_DRAIN = (
    "aggregate", "anti-affinity", "cell-down", "consented", "cpu-policy", "group-unknown",
    "has-accelerator", "identity-remembered", "locked", "may-find-no-host", "no-such-cpu",
    "no-volume-service", "run-goes-on", "run-unfinished", "volume-apart", "volume-busy",
    "volume-gone", "volume-in-error", "volume-migrates", "wish-ask", "wish-leave",
    "wish-unknown", "zone", "zone-unknown",
)  # fmt: skip
OF_A_START = (
    "start/bad-priority", "start/busy", "start/evacuated", "start/guest-elsewhere",
    "start/guest-runs", "start/guest-unread", "start/guest-unseen", "start/in-error",
    "start/nowhere", "start/tags-unread", "start/unknown-tier", "start/wrong-status",
)  # fmt: skip
ASKED_ON_NODE = "`sudo` on the node is asked: tests/cli/test_rights.py"
NOT_FOLLOWED = {
    "evacuate/boots-for-seconds": AGREE,
    "evacuate/data-lost": AGREE,
    "evacuate/copy-taken": AGREE,
    "evacuate/off-too": AGREE,
    "evacuate/guest-ended": AGREE,
    "evacuate/left-behind": AGREE,
    "evacuate/reset": AGREE,
    "evacuate/passed-over": AGREE,
    "evacuate/order-lost": AGREE,
    "evacuate/by-word": AGREE,
    "evacuate/lives": "of a run that is under way: tests/operations/test_without_device.py",
    "evacuate/power-again": LATER,
    "evacuate/taken-back": LATER,
    "evacuate/target-gone": LATER,
    "evacuate/no-undo": "of a run that is over: servers are migrated, which a drain follows",
    "right-missing": ASKED_ON_NODE,
    "rights-unread": ASKED_ON_NODE,
    **dict.fromkeys(OF_A_DRAIN, DRAIN),
    **dict.fromkeys(OF_A_START, "a start raises it too, and follows it"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_settles_a_verdict(name: str) -> None:
    assert_followed(name, FOLLOWED[name], plan_evacuation)


def test_each_rule_is_followed_or_says_why_not() -> None:
    raised = raised_by("evacuate_compute_node")
    of_a_fence = {each for each in raised if each.startswith("fence/")} | {"held"}

    assert sorted([*FOLLOWED, *NOT_FOLLOWED]) == sorted(raised - of_a_fence)
