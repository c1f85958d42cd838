"""What commands print: data to stdout, in the form that was asked for."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from stackward.report.tables import Form, Table, render_rows

FormOption = Annotated[Form, typer.Option("-f", "--format", help="How to print it.")]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option("-c", "--column", metavar="NAME", help="Only this column; may be repeated."),
]


def refuse_columns(there: Sequence[str], named: Sequence[str] | None) -> None:
    """Refuse a column that will not be there, before anything is done whose rows would have it."""
    Table(columns=tuple(there), rows=()).only(named or ())


def show(table: Table, form: Form, columns: Sequence[str] | None = None) -> None:
    """Print the rows, cut to `columns` if any are named."""
    sys.stdout.write(render_rows(table.only(columns or ()), form))
