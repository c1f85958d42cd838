"""Groups of options: a command takes each as one parameter, and typer sees its flags."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from inspect import signature
from typing import Annotated

import pytest
import typer

from stackward.cli.options import (
    HOW_SERVERS_MOVE,
    InventoryChoice,
    Movers,
    Output,
    Pace,
    Planning,
    WhenSlow,
    grouped,
    how_to_move,
)
from stackward.cli.subjects import subject
from stackward.model.wish import Consent
from stackward.report.tables import Form
from stackward.requests.how_to_move import HowToMove

Seen = tuple[str, Planning, Output, bool]


def run(*words: str) -> Seen:
    """Return what a command with two groups was called with."""
    seen: list[Seen] = []
    app = subject("For tests.")

    @app.command()
    @grouped
    def act(
        name: Annotated[str, typer.Argument()],
        *,
        planning: Planning,
        sure: Annotated[bool, typer.Option("--sure")] = False,
        output: Output,
    ) -> None:
        seen.append((name, planning, output, sure))

    typer.main.get_command(app).main([*words], standalone_mode=False)
    return seen[0]


def test_what_is_not_given_is_what_the_group_says() -> None:
    name, planning, output, sure = run("c01")

    assert (name, sure) == ("c01", False)
    assert (asdict(planning), asdict(output)) == (asdict(Planning()), asdict(Output()))


def test_what_is_given_is_in_its_group() -> None:
    name, planning, output, sure = run(
        "c01", "--plan-out", "p", "--sure", "--dry-run", "-f", "json", "-c", "A", "-c", "B"
    )

    assert (name, sure) == ("c01", True)
    assert (planning.dry_run, str(planning.plan_out)) == (True, "p")
    assert (output.form, output.columns, output.wide) == (Form.JSON, ["A", "B"], False)


def test_the_flags_stand_where_the_group_stands() -> None:
    @grouped
    def act(*, choice: InventoryChoice, name: str, output: Output) -> None: ...

    flags = [one.name for group in (InventoryChoice, Output) for one in fields(group)]
    assert [*signature(act).parameters] == [*flags[:2], "name", *flags[2:]]


@pytest.mark.parametrize(
    ("form", "column", "expected"),
    [
        (Form.TABLE, None, False),
        (Form.JSON, None, False),
        (Form.VALUE, None, True),
        (Form.CSV, None, True),
        (Form.TABLE, ["Name"], True),
    ],
)
def test_rows_alone_are_asked_for_by_a_form_or_a_column(
    form: Form,
    column: Sequence[str] | None,
    expected: bool,  # noqa: FBT001  # a case
) -> None:
    assert Output(form=form, column=[*column] if column else None).is_of_rows is expected


def test_how_servers_move_is_what_the_flags_say() -> None:
    movers = Movers(allow_downtime=True, leave_behind=["a", "b"], consent=["c=CHG-77", "d = mail"])

    assert how_to_move(movers, Pace(parallel=5, timeout=60, when_slow=WhenSlow.ABORT)) == HowToMove(
        allow_downtime=True,
        leave_behind=("a", "b"),
        consents=(
            Consent(server="c", reference="CHG-77"),
            Consent(server="d", reference="mail"),
        ),
        at_once=5,
        slow_after_s=60.0,
        when_slow="abort",
    )


def test_without_flags_servers_move_as_a_stored_request_without_them_says() -> None:
    assert how_to_move(Movers(), Pace()) == HowToMove()
    assert len(HOW_SERVERS_MOVE) == len(fields(HowToMove))
