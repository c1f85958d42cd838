"""How long moves are expected to take, together and as people read it."""

import pytest

from stackward.model.duration import Span
from stackward.report.duration import (
    in_time,
    left_of,
    one_after_another,
    together,
)


def test_moves_at_once_share_the_time_and_stages_add_up() -> None:
    spans = [Span(low=8, likely=10, high=20)] * 3

    assert together(spans, 1) == Span(low=24, likely=30, high=60)
    assert together(spans, 2) == Span(low=16, likely=20, high=40)
    assert together(spans, 5) == spans[0]
    assert one_after_another(spans[:2]) == Span(low=16, likely=20, high=40)


def test_without_any_figure_there_is_no_total() -> None:
    assert together([], 2) is None


@pytest.mark.parametrize(
    ("passed", "left"),
    [
        pytest.param(0, Span(low=20, likely=30, high=60), id="just begun"),
        pytest.param(25, Span(low=0, likely=5, high=35), id="under way"),
        pytest.param(40, Span(low=0, likely=10, high=20), id="longer than is likely"),
        pytest.param(90, Span(low=0, likely=0, high=0), id="longer than nine of ten: any moment"),
    ],
)
def test_what_is_left_of_a_move(passed: float, left: Span) -> None:
    assert left_of(Span(low=20, likely=30, high=60), passed) == left


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (Span(low=31, likely=40, high=69), "40 s (31 to 69)"),
        (Span(low=180, likely=240, high=420), "4 min (3 to 7)"),
        (Span(low=5400, likely=7200, high=9000), "2.0 h (1.5 to 2.5)"),
    ],
)
def test_a_span_as_people_read_it(span: Span, text: str) -> None:
    assert in_time(span) == text
