"""What moves and steps are called: in words, by the names of their servers."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from builders import a_node, a_server, an_id, asking
from stackward.model.run import Approval, Event, Run
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.plan import CAUGHT_UP, dump_move, to_json
from stackward.report.names import Names
from stackward.report.runs import events_table, steps_table
from stackward.report.tables import Form, render_rows

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIRST, SECOND = an_id("first"), an_id("second")
PLAN = plan_drain(
    a_node(
        replace(a_server(), id=FIRST, name="web"),
        replace(a_server(), id=SECOND, name="web"),
        a_server("SHUTOFF", name="db-01"),
    ),
    asking(when_slow="abort"),
)
DB = an_id("db-01")
RUN = Run(
    id="01M8",
    title=PLAN.title,
    plan=to_json(PLAN),
    approval=Approval(by="ann", at=NOON, how="--yes"),
)
NEW = Event(
    at=NOON,
    epoch=1,
    what=CAUGHT_UP,
    step="arrivals",
    says={
        "moves": [
            {
                **dump_move(PLAN.stages[1].moves[0]),
                "thing": "new",
                "thing_id": an_id("new"),
            }
        ]
    },
)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param("cordon/compute-07/0", "cordon `compute-07`", id="a node"),
        pytest.param(f"move/{DB}/0", "cold-migrate `db-01` off `compute-07`", id="one of its name"),
        pytest.param(f"move/{DB}/1", "confirm the migration of `db-01`", id="its second step"),
        pytest.param(
            f"move/{FIRST}/0",
            f"live-migrate `web` ({FIRST}) off `compute-07`",
            id="a name that repeats",
        ),
        pytest.param(
            f"move/{SECOND}/slow-0",
            f"abort the live migration of `web` ({SECOND})",
            id="the same, for the slow",
        ),
        pytest.param("other/thing/0", "other/thing/0", id="none of this plan"),
    ],
)
def test_a_step_is_said_in_words(path: str, said: str) -> None:
    assert Names.of_plan(PLAN).of_step(path) == said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"move/{DB}/1", "move `db-01`, step 1"),
        (f"move/{SECOND}/slow-0", f"move `web` ({SECOND}), step slow-0"),
        (f"arrivals/{an_id('new')}/0", "arrivals `new`, step 0"),
    ],
)
def test_of_a_plan_that_this_version_does_not_understand_the_server_is_named(
    path: str, said: str
) -> None:
    assert Names.of_run(RUN, None, [NEW]).of_step(path) == said


def test_what_is_no_plan_has_no_names() -> None:
    assert Names.of_run(replace(RUN, plan="{}"), None, [NEW]).of_step(f"move/{DB}/0") == (
        f"move/{DB}/0"
    )


@pytest.mark.parametrize(
    ("step", "thing", "said"),
    [
        pytest.param(f"move/{DB}/0", "db-01", "cold-migrate `db-01`", id="step"),
        pytest.param(f"move/{FIRST}", "web", f"`web` ({FIRST})", id="a move"),
        pytest.param("", "01RUN", "`01RUN`", id="a thing"),
        pytest.param("move", "", "move", id="a stage"),
        pytest.param("", "", "", id="the run"),
    ],
)
def test_an_event_says_what_it_is_about(step: str, thing: str, said: str) -> None:
    event = Event(at=NOON, epoch=1, what="x", step=step, thing=thing)

    assert Names.of_plan(PLAN).of_event(event).removesuffix(" off `compute-07`") == said


@pytest.mark.parametrize("width", [80, 100, 120])
def test_on_a_terminal_words_stand_in_place_of_paths(width: int) -> None:
    names, event = Names.of_plan(PLAN), Event(at=NOON, epoch=1, what="x", step=f"move/{DB}/0")

    text = render_rows(events_table([event], names), Form.TABLE, width)

    assert ("cold-migrate `db-01`" in text, DB in text, "not shown" in text) == (True, False, False)


def test_programs_have_both() -> None:
    assert {"Step", "What"} <= set(steps_table([], RUN, Names()).columns)
    assert {"Step", "About"} <= set(events_table([], Names()).columns)
