"""An order of an evacuation that was lost, while the fault was only half made, can be mended."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from lab_builders import a_lab
from stackward.errors import StepFailed
from stackward.lab import evacuation_faults
from stackward.lab.evacuation_faults import end_order, lose_order, order_is_over
from stackward.lab.scene import Scene
from stackward.overriding import override

TAKES = "basic_ack"  # in the script that takes the order
ASKS_QUEUE = "list_queues"


class Nova:
    """The answers of Nova about one server, of which older records are over."""

    def __init__(self) -> None:
        self.records = [self._record(3, "done")]
        self.task: str | None = None
        self.events: list[str] = []

    @staticmethod
    def _record(number: int, status: str) -> dict[str, Any]:
        return {"id": number, "migration_type": "evacuation", "status": status}

    def post(self, *_: object, **__: object) -> SimpleNamespace:
        self.records.insert(0, self._record(4, "accepted"))
        self.task = "rebuilding"
        return SimpleNamespace(ok=True, text="")

    def get(self, place: str, **_: object) -> SimpleNamespace:
        order = {"action": "evacuate", "request_id": "req-4", "start_time": "2026-01-01T00:00:00"}
        answers = {
            "/os-migrations?instance_uuid=s": {"migrations": self.records},
            "/servers/s/os-instance-actions": {"instanceActions": [order]},
            "/servers/s/os-instance-actions/req-4": {"instanceAction": {"events": self.events}},
        }
        return SimpleNamespace(ok=True, text=json.dumps(answers[place]))

    def get_server(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(task_state=self.task)

    def reset_server_state(self, *_: object) -> None:
        self.task = None


class HalfMade(Scene):
    """A scene in which the controller does not answer any more once the order is taken."""

    nova: Nova
    is_queued = False

    @override
    def on(self, node: str, script: str, *, ok: tuple[int, ...] = (0,)) -> str:
        if TAKES in script:
            raise StepFailed("a command on `ctl` did not end within 120 s")
        if "WHERE id = 4" in script:
            self.nova.records[0]["status"] = "error"
        return ""

    @override
    def holds(self, node: str, test: str) -> bool:
        assert ASKS_QUEUE in test
        return not self.is_queued


@pytest.fixture
def half_made(monkeypatch: pytest.MonkeyPatch) -> HalfMade:
    for name in ("_ARRIVES_S", "_BEGINS_S"):
        monkeypatch.setattr(evacuation_faults, name, -1)
    nova = Nova()
    scene = HalfMade(a_lab(), "s", log_in=lambda _: SimpleNamespace(compute=nova))
    scene.nova = nova
    with pytest.raises(StepFailed):
        lose_order(scene)
    scene.remembered.clear()  # what is remembered is stored only once a fault is made
    return scene


def test_an_order_that_is_lost_is_ended(half_made: HalfMade) -> None:
    end_order(half_made)

    assert [one["status"] for one in half_made.nova.records] == ["error", "done"]
    assert order_is_over(half_made)


def test_an_order_that_is_carried_out_is_left_to_nova(half_made: HalfMade) -> None:
    half_made.nova.events = ["conductor_rebuild"]

    end_order(half_made)

    assert (half_made.nova.records[0]["status"], half_made.nova.task) == ("accepted", "rebuilding")
    assert not order_is_over(half_made)


def test_an_order_that_may_be_in_the_queue_is_not_ended(half_made: HalfMade) -> None:
    half_made.is_queued = True

    with pytest.raises(StepFailed, match="`conductor` is not seen to be empty"):
        end_order(half_made)

    assert (half_made.nova.records[0]["status"], half_made.nova.task) == ("accepted", "rebuilding")


def test_what_was_never_ordered_needs_no_end(half_made: HalfMade) -> None:
    del half_made.nova.records[0]
    half_made.nova.task = None

    end_order(half_made)

    assert order_is_over(half_made)
