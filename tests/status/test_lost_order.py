"""An order of an evacuation is lost by evidence alone: all of it, and never by time."""

from dataclasses import replace
from typing import Any

import pytest

from fakes.cloud import FakeCloud
from fakes.world import a_world
from stackward.model.migration import Migration
from stackward.model.survey import Queue
from stackward.model.unread import Unread
from stackward.status.lost_order import OrderSeen, later_move, why_not_lost

RECORD = Migration(
    id=7, uuid="u", server="s", kind="evacuation", status="accepted", source="c07", target="c08"
)
READ = Queue(name="conductor", messages=0, consumers=2)
UNREAD = Unread("no answer")
LOST = OrderSeen(
    record=RECORD,
    begun=False,
    conductors=(True, True),
    queues=(READ,),
    later=replace(RECORD, id=9, status="done"),
    quiet_s=180.0,
)


def test_it_is_lost_where_all_of_it_says_so() -> None:
    assert why_not_lost(LOST) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"begun": True}, "the conductor has started it", id="begun"),
        pytest.param({"begun": UNREAD}, "cannot be read: no answer", id="not known to be begun"),
        pytest.param({"conductors": ()}, "not every nova-conductor is up", id="no conductor"),
        pytest.param(
            {"conductors": (True, False)}, "not every nova-conductor is up", id="one is frozen"
        ),
        pytest.param({"quiet_s": 179.0}, "less than 180 s ago", id="just given"),
        pytest.param({"quiet_s": None}, "less than 180 s ago", id="nobody knows when"),
        pytest.param({"queues": UNREAD}, "cannot be read: no answer", id="no queue can be read"),
        pytest.param({"queues": ()}, "has no queue `conductor`", id="no queue"),
        pytest.param(
            {"queues": (READ, replace(READ, messages=1))}, "1 message waits", id="one waits"
        ),
        pytest.param({"queues": (replace(READ, consumers=0),)}, "nobody reads", id="unread"),
        pytest.param({"queues": (replace(READ, is_down=True),)}, "is down", id="queue down"),
        pytest.param({"later": None}, "no later request", id="nothing came after it"),
        pytest.param(
            {"later": None, "quiet_s": 99999.0}, "no later request", id="time alone is no evidence"
        ),
    ],
)
def test_without_one_of_them_it_may_come(changes: dict[str, Any], why: str) -> None:
    assert why in str(why_not_lost(replace(LOST, **changes)))


@pytest.mark.parametrize(("kind", "is_evidence"), [("evacuation", True), ("live-migration", False)])
def test_only_a_later_evacuation_shows_that_orders_were_carried_out(
    kind: str, *, is_evidence: bool
) -> None:
    """The record of another move is written after its order was taken: its number tells nothing."""
    cloud = FakeCloud()
    later = replace(RECORD, id=9, kind=kind, status="running")
    cloud.nova.newest_migrations = lambda *_: (later,)  # type: ignore[method-assign]

    assert later_move(a_world(cloud), RECORD) == (later if is_evidence else None)
