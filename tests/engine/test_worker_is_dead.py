"""A worker is dead by one definition, whoever asks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stackward.engine import Rhythm
from stackward.engine.worker import SILENT, state_now
from stackward.model.run import Approval, Run, RunState

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
RUN = Run(
    id="0" * 14,
    title="drain `c01`",
    plan="{}",
    approval=Approval(by="ops", at=NOW, how="prompt"),
    state=RunState.RUNNING,
    worker="another-machine:17",
)


@pytest.mark.parametrize(
    ("silent_s", "state"),
    [
        pytest.param(29, RunState.RUNNING, id="heard of 29 s ago: it lives"),
        pytest.param(31, RunState.STOPPED, id="heard of 31 s ago: it is dead"),
    ],
)
def test_a_worker_is_dead_after_half_a_minute(silent_s: float, state: RunState) -> None:
    run = replace(RUN, beat_at=NOW - timedelta(seconds=silent_s))

    assert state_now(run, "this-machine", NOW) is state


def test_workers_take_over_by_the_same_definition() -> None:
    assert Rhythm().silent_s == SILENT.total_seconds()
