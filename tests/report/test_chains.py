"""A chain as rows, and the exit code with which a command that waited for it ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from operations.chain.test_plan import NAMES, a_request, in_racks, plans_of
from stackward.errors import ExitCode
from stackward.model.run import Approval, Attempt, Run, RunState, Said, Settled
from stackward.moving.estimates import with_past_runs
from stackward.operations.chain.plan import plan_chain
from stackward.plan import Plan, dump
from stackward.ports.world import World
from stackward.report.chains import StartedRuns, chain_for_people, chain_table, time_of_chain
from stackward.report.downtimes import longest_downtimes
from stackward.report.plans import moves_table, render_plan
from stackward.report.runs import outcome
from stackward.report.tables import Form, render_rows
from stackward.requests.chain import ChainItem, ChainRequest
from stackward.requests.undo_run import UndoRequest
from texts import folded

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLAN = plan_chain(plans_of(*NAMES), a_request(*NAMES))


def an_attempt(
    item: str, settled: Settled | None, *, state: str = "", minute: int = 0, reason: str = ""
) -> Attempt:
    at = NOON + timedelta(minutes=minute)
    return Attempt(
        step=f"items/{item}/0",
        number=1,
        epoch=1,
        mark={},
        intended_at=at,
        settled=settled,
        settled_at=at if settled else None,
        said=Said(reason=reason or None),
        saw={"run": f"01{item}", "state": state} if state else {},
    )


def a_chain(state: RunState) -> Run:
    approval = Approval(by="ann", at=NOON, how="--yes")
    return Run(id="01M8", title="drain", plan="{}", approval=approval, state=state, comes_to=NAMES)


def test_it_says_what_is_done_what_goes_on_and_what_is_left() -> None:
    made = [
        an_attempt("c1", Settled.DONE, state="succeeded"),
        an_attempt("c2", None),
    ]

    rows = chain_table(PLAN, made).rows

    assert [row[:4] for row in rows] == [
        ("c1", "drain", "done", "01c1"),
        ("c2", "drain", "now", None),
        ("c3", "drain", "left", None, None)[:4],
    ]


def test_it_says_how_a_run_ended_or_why_there_is_none() -> None:
    made = [
        an_attempt("c1", Settled.FAILED, state="unverified", reason="it is unverified"),
        an_attempt("c2", Settled.FAILED, reason="`c2` is held by run `01X`"),
    ]

    rows = chain_table(PLAN, made).rows

    assert [(row[2], row[5]) for row in rows] == [
        ("unverified", "it is unverified"),
        ("not done", "`c2` is held by run `01X`"),
        ("left", None),
    ]


@pytest.mark.parametrize(
    ("first", "code"),
    [
        pytest.param("failed", ExitCode.FAILED, id="failed"),
        pytest.param("unverified", ExitCode.UNVERIFIED, id="unverified"),
        pytest.param("refused", ExitCode.BLOCKED, id="refused"),
        pytest.param("stopped", ExitCode.STOPPED, id="stopped"),
        pytest.param("", ExitCode.STOPPED, id="none: what is new asks"),
    ],
)
def test_the_exit_code_is_that_of_the_first_run_that_did_not_end_well(
    first: str, code: ExitCode
) -> None:
    made = [
        an_attempt("c1", Settled.FAILED, state=first, minute=1),
        an_attempt("c3", Settled.DONE, state="succeeded"),
        *([an_attempt("c2", Settled.FAILED, state="stopped", minute=2)] if first else []),
    ]

    error = outcome(a_chain(RunState.STOPPED), made)

    assert error is not None
    assert error.exit_code == code


def test_a_chain_whose_runs_have_all_ended_well_in_the_end_is_well() -> None:
    assert outcome(a_chain(RunState.SUCCEEDED), [an_attempt("c1", Settled.DONE)]) is None


# --- how long it takes, and took ----------------------------------------------------------------


def a_run(item: str, began: int, ended: int | None, part: int = 0, **changes: Any) -> Run:  # noqa: ANN401  # any field
    """Return a run of a chain, from one second to another."""
    run = Run(
        id=f"01{item}{part}",
        title="drain",
        plan="{}",
        approval=Approval(by="ann", at=NOON, how="chain"),
        state=RunState.RUNNING if ended is None else RunState.SUCCEEDED,
        began_at=NOON + timedelta(seconds=began),
        ended_at=None if ended is None else NOON + timedelta(seconds=ended),
        chain="01M8",
        item=item,
        part=part,
    )
    return replace(run, **changes)


def test_each_node_has_its_time_and_the_downtime_of_its_servers() -> None:
    begun = StartedRuns([a_run("c1", 0, 95), a_run("c2", 95, None)], {"01c10": 40})
    made = [an_attempt("c1", Settled.DONE, state="succeeded"), an_attempt("c2", None)]

    rows = chain_table(PLAN, made, begun).records()

    assert [(row["Seconds"], row["Item seconds"], row["Downtime"]) for row in rows] == [
        (95, 95, 40),
        (None, None, None),
        (None, None, None),
    ]


def test_an_item_of_several_runs_has_the_time_from_the_first_to_the_last() -> None:
    runs = [a_run("c1", 0, 60), a_run("c1", 65, 100, part=1), a_run("c2", 100, 130)]

    begun = StartedRuns(runs)

    assert (begun.seconds_of("c1", 2), begun.seconds_of("c2", 2)) == (100, None)
    assert begun.newest("c1", 1) is runs[1]


def test_a_run_that_was_repeated_counts_from_the_first() -> None:
    failed = a_run("c1", 0, 30, state=RunState.FAILED)

    begun = StartedRuns([failed, replace(a_run("c1", 50, 80), id="01again")])

    assert begun.seconds_of("c1", 1) == 80


def test_a_person_is_shown_no_column_that_says_nothing() -> None:
    empty = chain_for_people(chain_table(PLAN, []), PLAN)
    begun = StartedRuns([a_run("c1", 0, 95)])
    timed = chain_for_people(chain_table(PLAN, [], begun), PLAN)

    assert empty.columns == ("Item", "How", "State", "Run", "Since", "Says")
    assert timed.columns[6:] == ("Seconds",)


def test_the_longest_downtime_of_a_run_is_by_the_times_of_the_service() -> None:
    def stopped(server: str, seconds: int, number: int = 1) -> Attempt:
        down = NOON + timedelta(seconds=5)
        times = {"down_since": down, "up_since": down + timedelta(seconds=seconds)}
        saw = {name: at.isoformat() for name, at in times.items()}
        return replace(
            an_attempt("x", Settled.DONE), step=f"start/{server}/0", number=number, saw=saw
        )

    made = {
        "01a": [stopped("s1", 40), stopped("s2", 90), an_attempt("c1", Settled.DONE)],
        "01b": [an_attempt("c1", Settled.DONE)],
    }

    assert longest_downtimes(made) == {"01a": 90}


PAST = (100.0, 120.0, 200.0)


@pytest.mark.parametrize(
    ("at_once", "past", "says"),
    [
        pytest.param(1, PAST, "about 6 min (5 to 10), by 3 past runs on this cloud", id="in turn"),
        pytest.param(3, PAST, "about 2 min (2 to 3), by 3 past runs on this cloud", id="at once"),
        pytest.param(1, PAST[:1], "about 5 min (5 to 5), by 1 past run on this cloud", id="by one"),
        pytest.param(1, (), "not known: there is no past run of each kind", id="none"),
    ],
)
def test_how_long_all_of_it_takes_is_told_by_past_runs(
    at_once: int, past: tuple[float, ...], says: str
) -> None:
    plans = [with_past_runs(plan, "drain", past) for plan in plans_of(*NAMES)]
    plan = plan_chain(plans, a_request(*NAMES, at_once=at_once))

    shown = folded(render_plan(plan, 80))

    assert f"how long all of it takes: {says}" in shown
    assert "past runs of" not in shown


def test_one_domain_after_another_takes_longer_than_all_at_once() -> None:
    def told(racks: list[Plan[World]]) -> str:
        plans = [with_past_runs(plan, "drain", (120.0,)) for plan in racks]
        return time_of_chain(plan_chain(plans, a_request("c1", "c2", at_once=2)))

    assert told(in_racks("c1", "c2")).startswith("about 4 min")
    assert told(plans_of("c1", "c2")).startswith("about 2 min")


def test_the_rows_of_a_plan_are_each_of_its_own_run_in_whatever_order() -> None:
    names = ("c1", "c2", "c3")
    plans = in_racks(*names)
    plans[1] = with_past_runs(plans[1], "drain", (70.0,))

    rows = moves_table(plan_chain(plans, a_request(*names, at_once=2))).records()

    assert [(row["Item"], row["Seconds"]) for row in rows] == [
        ("c1", None),
        ("c3", None),
        ("c2", 70),
    ]


def test_where_an_item_has_several_runs_a_row_keeps_what_its_run_does_and_names_it() -> None:
    item = ChainItem(
        name="c1",
        asked=dump(UndoRequest(run="01B")),
        then=(dump(UndoRequest(run="01A")),),
    )
    plans = [
        replace(plan, title=title)
        for plan, title in zip(
            plans_of("c1", "c1"),
            ("undo run `01B`, bring servers back to `c1`", "undo run `01A`, return `c1`"),
            strict=True,
        )
    ]
    asked = ChainRequest(what="undo", items=(item,), undoes="01M8")

    plan = plan_chain(plans, asked)

    for table in (chain_table(plan, []), moves_table(plan)):
        assert [row[1] for row in table.rows] == [
            "undo: bring servers back to `c1`",
            "undo: return `c1`",
        ]
        shown = render_rows(table, Form.TABLE, 80)
        assert "undo: return" in shown
        assert max(map(len, shown.splitlines())) <= 80
