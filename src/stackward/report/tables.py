"""Rows as a table for people, or as JSON, YAML, CSV or bare values for programs.

Every form carries the same rows. Only the table is cut to what a person can read: an absent value
is empty there, and null in JSON and YAML.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stackward.errors import BadInput
from stackward.report.text import printable

_Scalar = str | int | float | bool | None
Cell = _Scalar | Sequence[_Scalar]


class Form(StrEnum):
    """How rows are printed; the names are those of OpenStack's own clients."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    VALUE = "value"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and the rows under them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def only(self, columns: Sequence[str]) -> "Table":
        """Keep the named columns, in that order; capitals do not matter. None named: keep all."""
        if not columns:
            return self
        position = {name.casefold(): index for index, name in enumerate(self.columns)}
        unknown = [name for name in columns if name.casefold() not in position]
        if unknown:
            raise BadInput(
                f"there is no column {', '.join(f'`{name}`' for name in unknown)}",
                hint=f"the columns are {', '.join(f'`{name}`' for name in self.columns)}",
            )
        chosen = [position[name.casefold()] for name in columns]
        return Table(
            columns=tuple(self.columns[index] for index in chosen),
            rows=tuple(tuple(row[index] for index in chosen) for row in self.rows),
        )

    def records(self) -> list[dict[str, Cell]]:
        """Return each row as a mapping from column to value."""
        return [dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows]


def render_rows(table: Table, form: Form) -> str:
    """Return all rows in the form asked for, with a line end."""
    match form:
        case Form.TABLE:
            return _boxed(table.columns, [[_shown(cell) for cell in row] for row in table.rows])
        case Form.VALUE:
            return "".join(" ".join(map(_shown, row)) + "\n" for row in table.rows)
        case Form.CSV:
            return _as_csv(table)
        case Form.JSON | Form.YAML:
            return render_records(table.records(), form)


def render_one(record: Mapping[str, Cell], form: Form) -> str:
    """Return one thing: in a table, a line per field; as data, a single mapping."""
    match form:
        case Form.TABLE:
            return _boxed(("Field", "Value"), [[name, _shown(v)] for name, v in record.items()])
        case Form.VALUE:
            return "".join(f"{_shown(value)}\n" for value in record.values())
        case Form.CSV:
            return _as_csv(Table(columns=tuple(record), rows=(tuple(record.values()),)))
        case Form.JSON | Form.YAML:
            return render_records({name: _plain(value) for name, value in record.items()}, form)


def render_records(records: object, form: Form) -> str:
    """Return data as JSON, or as YAML when that is asked for."""
    if form is Form.YAML:
        import yaml  # noqa: PLC0415  # 20 ms that only this form needs

        return str(yaml.safe_dump(records, sort_keys=False, allow_unicode=True))
    return json.dumps(records, indent=2, ensure_ascii=False) + "\n"


def _plain(cell: Cell) -> Cell:
    return list(cell) if isinstance(cell, tuple) else cell


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return printable(cell)
    if isinstance(cell, Sequence):
        return ", ".join(map(_shown, cell))
    return str(cell)


def _as_csv(table: Table) -> str:
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([_shown(cell) for cell in row] for row in table.rows)
    return written.getvalue()


def _boxed(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"

    def line(cells: Sequence[str]) -> str:
        padded = (f" {cell:<{width}} " for cell, width in zip(cells, widths, strict=True))
        return "|" + "|".join(padded) + "|"

    return "\n".join([rule, line(columns), rule, *map(line, rows), *([rule] if rows else []), ""])
