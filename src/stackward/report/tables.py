"""Rows as a table for people, or as JSON, YAML, CSV or bare values for programs.

Every form carries the same rows. Only the table on a terminal is made to fit: long cells are
wrapped, and where that is not enough, columns are left out, the least important first.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import zip_longest

from stackward.errors import BadInput
from stackward.report.text import printable, wrap
from stackward.report.times import Words, in_words, local, utc

_Scalar = str | int | float | bool | datetime | None
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
    gives_way: tuple[str, ...] = ()  # columns that a narrow terminal may miss, the first first

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
        return self._with(chosen)

    def without(self, column: str) -> "Table":
        """Leave a column out."""
        return self._with([at for at, name in enumerate(self.columns) if name != column])

    def _with(self, chosen: Sequence[int]) -> "Table":
        return Table(
            columns=tuple(self.columns[index] for index in chosen),
            rows=tuple(tuple(row[index] for index in chosen) for row in self.rows),
            gives_way=self.gives_way,
        )

    def records(self) -> list[dict[str, Cell]]:
        """Return each row as a mapping from column to value."""
        return [dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows]


def render_rows(table: Table, form: Form, width: int | None = None) -> str:
    """Return all rows in the form asked for, with a line end.

    `width` is that of the terminal, in columns; a pipe has none, and nothing is cut for it.
    """
    match form:
        case Form.TABLE:
            return _fitted(table, width)
        case Form.VALUE:
            return "".join(" ".join(map(_shown, row)) + "\n" for row in table.rows)
        case Form.CSV:
            return _as_csv(table)
        case Form.JSON | Form.YAML:
            return render_records(table.records(), form)


def render_one(record: Mapping[str, Cell], form: Form, width: int | None = None) -> str:
    """Return one thing: in a table, a line per field; as data, a single mapping."""
    match form:
        case Form.TABLE:
            fields = Table(columns=("Field", "Value"), rows=tuple(record.items()))
            return _fitted(fields, width)
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
    """Return a cell as a program reads it."""
    if isinstance(cell, datetime):
        return utc(cell)
    if isinstance(cell, Words):
        return str(cell)
    return (
        [str(each) if isinstance(each, Words) else each for each in cell]
        if isinstance(cell, tuple)
        else cell
    )


def _shown(cell: Cell) -> str:
    """Return a cell as a program reads it, where it can only be text."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return printable(cell)
    if isinstance(cell, datetime):
        return utc(cell)
    if isinstance(cell, Sequence):
        return ", ".join(map(_shown, cell))
    return str(cell)


def _for_people(cell: Cell) -> str:
    """Return a cell as people read it: the same, but for times, which are in their own zone."""
    if isinstance(cell, datetime):
        return local(cell)
    if isinstance(cell, Words):
        return printable(in_words(cell))
    if isinstance(cell, Sequence) and not isinstance(cell, str):
        return ", ".join(map(_for_people, cell))
    return _shown(cell)


def _as_csv(table: Table) -> str:
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([_shown(cell) for cell in row] for row in table.rows)
    return written.getvalue()


# --- a table that fits --------------------------------------------------------------------------

_BORDERS = 3  # of each cell: a line and a blank on both sides; one more line ends the row
_NARROWEST = 10  # a column that may be wrapped keeps at least as much
_MOST_LINES = 2  # of a row, while another column can be left out
_ID = 36  # a UUID is never broken: it is there to be copied


def _fitted(table: Table, width: int | None) -> str:
    """Return the table in that many columns; a column that is left out is named below it."""
    left_out: list[str] = []
    while True:
        cells = [[_for_people(cell) for cell in row] for row in table.rows]
        widths = [max(map(width_of, column)) for column in zip(table.columns, *cells, strict=True)]
        if width is None or sum(widths) + _BORDERS * len(widths) + 1 <= width:
            break
        empty = [name for name in table.gives_way if _is_empty(table, cells, name)]
        narrowed = None if empty else _narrowed(table.columns, cells, widths, width)
        goes = next((name for name in (*empty, *table.gives_way) if name in table.columns), None)
        if goes is None or (narrowed and _height(cells, narrowed) <= _MOST_LINES):
            widths = narrowed or widths
            break
        if goes in empty:
            table = table.without(goes)
            continue
        left_out.append(goes)
        table = table.without(goes)
    text = _boxed(table.columns, cells, widths)
    if left_out:
        text += f"not shown: {', '.join(left_out)}; `--wide` shows all columns\n"
    return text


def _is_empty(table: Table, cells: Sequence[Sequence[str]], name: str) -> bool:
    at = table.columns.index(name) if name in table.columns else None
    return at is not None and not any(row[at] for row in cells)


def _narrowed(
    columns: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int], width: int
) -> list[int] | None:
    """Return narrower columns that fit; None where no wrapping of whole words is enough."""
    least = [
        max(
            min(_NARROWEST, wide),
            *(min(_ID, width_of(word)) for row in cells for word in row[at].split() or [""]),
            width_of(name),
        )
        if cells
        else wide
        for at, (name, wide) in enumerate(zip(columns, widths, strict=True))
    ]
    now = list(widths)
    over = sum(now) + _BORDERS * len(now) + 1 - width
    while over > 0:
        at = max(range(len(now)), key=lambda each: now[each] - least[each])
        if now[at] <= least[at]:
            return None
        # The widest gives way first, down to the next widest: what is short stays on one line.
        now[at] -= 1
        over -= 1
    return now


def _height(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> int:
    return max(
        (len(wrap(cell, width)) for row in cells for cell, width in zip(row, widths, strict=True)),
        default=1,
    )


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes; some letters take two, some none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415  # most names need it not

    return cell_len(text)


def _boxed(columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"

    def lines(cells: Sequence[str]) -> list[str]:
        wrapped = [
            wrap(cell, width) if width_of(cell) > width else [cell]
            for cell, width in zip(cells, widths, strict=True)
        ]
        return [
            "|"
            + "|".join(
                f" {part}{' ' * (width - width_of(part))} "
                for part, width in zip(parts, widths, strict=True)
            )
            + "|"
            for parts in zip_longest(*wrapped, fillvalue="")
        ]

    body = [line for row in rows for line in lines(row)]
    return "\n".join([rule, *lines(columns), rule, *body, *([rule] if rows else []), ""])
