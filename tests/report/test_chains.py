"""A chain as rows, and the exit code with which a command that waited for it ends."""

from datetime import UTC, datetime, timedelta

import pytest

from operations.chain.test_plan import NAMES, a_request, plans_of
from stackward.errors import ExitCode
from stackward.model.run import Approval, Attempt, Run, RunState, Said, Settled
from stackward.operations.chain.plan import plan_chain
from stackward.report.chains import chain_table
from stackward.report.runs import outcome

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
