"""Tables of runs as a terminal shows them: nothing wider than it, nothing lost without a word."""

import pytest

from stackward.engine.invariants import INVARIANTS
from stackward.report.runs import broken_table
from stackward.report.tables import Form, render_rows, width_of

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
