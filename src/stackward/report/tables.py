"""Rows as a table for people, or as JSON, YAML, CSV or bare values for programs.

Every form carries the same rows. Only the table on a terminal is made to fit: long cells are
wrapped, and where that is not enough, columns are left out, the least important first. A number
stays with its unit, and an id in one piece, as long as anything else can give way.
"""

import csv
import io
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import zip_longest

from stackward.errors import BadInput
from stackward.report.text import as_json, printable, steers, words_of
from stackward.report.times import Words, for_programs, in_words, local, utc

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
    told_elsewhere: tuple[str, ...] = ()  # they repeat another column or what is below
    stays_whole: tuple[str, ...] = ()  # those that are broken only when no more may be left out
    goes_last: tuple[str, ...] = ()  # those that go only where the rest would not fit at all

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
        return replace(self._with(chosen), told_elsewhere=())  # alone: nothing is below

    def has(self, column: str) -> bool:
        """Say whether any row has something in a column."""
        at = self.columns.index(column)
        return any(row[at] not in {None, ""} for row in self.rows)

    def without(self, column: str) -> "Table":
        """Leave a column out."""
        return self._with([at for at, name in enumerate(self.columns) if name != column])

    def _with(self, chosen: Sequence[int]) -> "Table":
        return replace(
            self,
            columns=tuple(self.columns[index] for index in chosen),
            rows=tuple(tuple(row[index] for index in chosen) for row in self.rows),
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


def render_records(data: object, form: Form) -> str:
    """Return data as JSON, or as YAML when that is asked for."""
    records = for_programs(data)
    if form is Form.YAML:
        import yaml  # noqa: PLC0415  # 20 ms that only this form needs

        written = str(yaml.safe_dump(records, sort_keys=False, allow_unicode=True))
        return str(yaml.safe_dump(records, sort_keys=False)) if steers(written) else written
    return as_json(records, indent=2) + "\n"


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
        return printable(str(for_programs(cell)))
    if isinstance(cell, datetime):
        return utc(cell)
    if isinstance(cell, Sequence):
        return ", ".join(map(_shown, cell))
    return str(cell)


def _for_people(cell: Cell) -> str:
    """Return a cell as people read it: unchanged, except times, which are in their own zone."""
    if isinstance(cell, datetime):
        return local(cell)
    if isinstance(cell, Words):
        return printable(in_words(cell.plain))
    if isinstance(cell, Sequence) and not isinstance(cell, str):
        return ", ".join(filter(None, map(_for_people, cell)))
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
_ID = 40  # a UUID, also with `req-` before it: it is there to be copied, so it is not broken
_SHORT = 24  # a word as long as that, such as a run's id, is broken after all longer ones
_MOST_ROWS = 100  # that decide how wide each column is
_PARTS = re.compile(r"(?<=/)(?=[^/]{4})")  # between those of a path; a short end stays where it is


def _fitted(table: Table, width: int | None) -> str:
    """Return the table in that many columns; a column that is left out is named below it."""
    left_out: list[str] = []
    while True:
        cells = [[_for_people(cell) for cell in row] for row in table.rows]
        widths = [max(map(width_of, column)) for column in zip(table.columns, *cells, strict=True)]
        if width is None or _whole(widths) <= width:
            break
        # Nothing is lost with these: no other column is narrowed for them.
        needless = [name for name in table.told_elsewhere if name in table.columns]
        needless += [name for name in table.gives_way if _is_empty(table, cells, name)]
        narrowed = None if needless else _narrowed(table.columns, cells, widths, width)
        may_go = (*needless, *table.gives_way, *(() if narrowed else table.goes_last))
        goes = next((name for name in may_go if name in table.columns), None)
        is_well = narrowed and _height(cells, narrowed) <= _MOST_LINES
        if goes is None or (is_well and not _breaks(table, widths, narrowed)):
            # Nothing more can go: where words do not fit either, they are broken.
            for keeps in () if narrowed else (_SHORT, 0):
                narrowed = narrowed or _narrowed(table.columns, cells, widths, width, keeps=keeps)
            widths = narrowed or widths
            break
        if goes not in needless:
            left_out.append(goes)
        table = table.without(goes)
    text = _boxed(table.columns, cells, widths)
    if left_out:
        text += f"not shown: {', '.join(left_out)}; `--wide` shows all columns\n"
    return text


def _breaks(table: Table, widths: Sequence[int], narrowed: Sequence[int] | None) -> bool:
    """Say whether a column is narrowed that stays whole as long as another can go."""
    each = zip(table.columns, widths, narrowed or widths, strict=True)
    return any(now < wide for name, wide, now in each if name in table.stays_whole)


def _whole(widths: Sequence[int]) -> int:
    return sum(widths) + _BORDERS * len(widths) + 1


def _is_empty(table: Table, cells: Sequence[Sequence[str]], name: str) -> bool:
    at = table.columns.index(name) if name in table.columns else None
    return at is not None and not any(row[at] for row in cells)


def _narrowed(
    columns: Sequence[str],
    cells: Sequence[Sequence[str]],
    widths: Sequence[int],
    width: int,
    *,
    keeps: int = sys.maxsize,
) -> list[int] | None:
    """Return narrower columns that fit; None where they would not.

    `keeps`: words that are wider than that may be broken too. That column gives way which makes the
    table the least longer if it gives all that it can; of several, the one with the most to give.
    """
    now, least = list(widths), list(widths)
    for at, (name, wide) in enumerate(zip(columns, widths, strict=True)):
        words = [word for row in cells for word in words_of(row[at])]
        kept = [word for word in words if width_of(word) <= keeps]
        longest = max(map(_least_of, kept), default=0)
        least[at] = max(min(_NARROWEST, wide), longest, width_of(name))
    if _whole(least) > width:
        return None
    deciding = cells[:_MOST_ROWS]
    known: dict[tuple[int, int], list[int]] = {}

    def heights(at: int, wide: int) -> list[int]:
        if (at, wide) not in known:
            known[at, wide] = [len(_broken(row[at], wide)) for row in deciding]
        return known[at, wide]

    while (over := _whole(now) - width) > 0:

        def cost(at: int, over: int = over) -> tuple[int, int]:
            gives = min(over, now[at] - least[at])
            tried = [heights(each, wide - gives * (each == at)) for each, wide in enumerate(now)]
            return (sum(map(max, zip(*tried, strict=True))), least[at] - now[at])

        at = min((each for each in range(len(now)) if now[each] > least[each]), key=cost)
        now[at] -= min(max(1, over // 8), now[at] - least[at])  # in steps: others may give next
    return now


def _least_of(word: str) -> int:
    """Return how wide a column must be for a word; a path is broken between its parts."""
    if width_of(word) <= _ID:
        return width_of(word)
    return min(_ID, max(map(width_of, _PARTS.split(word))))


def _height(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> int:
    return max(
        (
            len(_broken(cell, width))
            for row in cells
            for cell, width in zip(row, widths, strict=True)
        ),
        default=1,
    )


def _broken(cell: str, width: int) -> list[str]:
    """Return a cell as lines: broken between words, a longer word between its parts."""
    if width_of(cell) <= width:
        return [cell]
    lines, line = [], ""
    for word in words_of(cell):
        blank = " " if line else ""
        if width_of(line + blank + word) <= width:
            line += blank + word
            continue
        if line:
            lines.append(line)
        *full, line = _cut(word, width)
        lines += full
    return [*lines, line]


def _cut(word: str, width: int) -> list[str]:
    """Return a word in pieces that fit: a path between its parts, and at last anywhere."""
    pieces = [""]
    for part in _PARTS.split(word):
        for piece in [part] if width_of(part) <= width else part:
            if pieces[-1] and width_of(pieces[-1] + piece) > width:
                pieces.append(piece)
            else:
                pieces[-1] += piece
    return pieces


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes; some letters take two, some none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415  # most names need it not

    return cell_len(text)


def _boxed(columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"

    def lines(cells: Sequence[str]) -> list[str]:
        wrapped = [_broken(cell, width) for cell, width in zip(cells, widths, strict=True)]
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
