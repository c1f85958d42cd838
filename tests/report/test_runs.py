"""Tables of runs as a terminal shows them: nothing wider than it, nothing lost without a word."""

from datetime import UTC, datetime

import pytest

from stackward.engine.invariants import INVARIANTS
from stackward.model.run import Approval, Attempt, Event, Run, RunState, Settled
from stackward.model.values import Json
from stackward.report.names import Names
from stackward.report.runs import broken_table, events_table, how_it_stands, in_plain_words
from stackward.report.tables import Form, render_rows, width_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUN = "01M8EFX7H7X90S"
STEP = "move/47baef29-c69f-57fe-b480-9ed5dc8f2929/0"
ROWS = [
    (
        RUN,
        each.name,
        f"step `{STEP}` was intended twice, at 2026-11-22T03:00:00Z and by worker `one`",
        f"keep a copy of the database; `stackward run audit {RUN}` shows each attempt",
    )
    for each in INVARIANTS[:3]
]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_what_is_out_of_order_fits_the_terminal_and_is_whole(width: int) -> None:
    text = render_rows(broken_table(ROWS), Form.TABLE, width)

    said = text.replace("|", " ").split()
    assert max(map(width_of, text.splitlines())) <= width
    assert "not shown" not in text
    assert [name for _, name, *_ in ROWS if name not in said] == []
    assert said.count("keep") == len(ROWS)


REQUEST = "req-d5f81bba-b8b9-4587-96b3-84292f2b29d9"
PROOF = {"target": "c02", "host": "holds", f"port {STEP}": "holds", "volumes": "not applicable"}
DONE = Event(
    at=NOON,
    epoch=1,
    what="settled: done",
    step=STEP,
    says={"attempt": 1, "request": REQUEST, "saw": PROOF},
)


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_what_happened_is_shown_with_its_time_and_without_the_signs_of_data(width: int) -> None:
    text = render_rows(events_table([DONE], Names()), Form.TABLE, width)

    assert max(map(width_of, text.splitlines())) <= width
    assert ("12:00:00 UTC" in text, "{" in text, "'" in text) == (True, False, False)
    assert "2 rows hold" in " ".join(text.replace("|", " ").split())


def test_programs_have_all_that_an_event_says_in_one_column() -> None:
    [record] = events_table([DONE], Names()).records()

    assert record["Says"] == ["attempt: 1", f"request: {REQUEST}", f"saw: {PROOF}"]
    assert record["Request"] == REQUEST


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(None, "none", id="nothing"),
        pytest.param(True, "yes", id="a yes"),
        pytest.param([], "none", id="no one"),
        pytest.param(["c01", "c02"], "c01, c02", id="a list"),
        pytest.param([REQUEST, REQUEST], "2", id="requests: how many"),
        pytest.param({"a": "holds", "b": {"c": 1}}, "b c 1, 1 row holds", id="rows"),
        pytest.param([{"thing": "web-9", "steps": []}], "web-9", id="moves: of whom"),
    ],
)
def test_a_value_is_said_in_plain_words(value: Json, said: str) -> None:
    assert in_plain_words(value) == said


def test_a_step_under_way_is_not_called_done() -> None:
    made = [
        Attempt(step="move/a/0", number=1, epoch=1, mark={}, intended_at=NOON),
        Attempt(
            step="move/b/0",
            number=1,
            epoch=1,
            mark={},
            intended_at=NOON,
            settled_at=NOON,
            settled=Settled.DONE,
        ),
    ]
    approval = Approval(by="ada", at=NOON, how="--yes")
    run = Run(id=RUN, title="drain", plan="{}", approval=approval, state=RunState.RUNNING)

    assert how_it_stands(run, made).endswith("running; 1 step is done, 1 under way")
