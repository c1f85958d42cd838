"""How long moves are expected to take, by those that were seen."""

import pytest

from stackward.model.duration import PastMove
from stackward.moving.duration import (
    carried_gib,
    expect,
)


def past(*seen: tuple[float, float], how: str = "live") -> list[PastMove]:
    """Return past moves: (GiB, seconds)."""
    return [PastMove(how=how, gib=gib, seconds=seconds) for gib, seconds in seen]


STEADY = past((1, 20), (2, 30), (4, 50), (8, 90))  # 10 s, and 10 s for each GiB


def test_a_live_move_carries_memory_and_copied_disk_a_cold_one_the_disk() -> None:
    assert carried_gib("live", 2048, 2**30) == 3
    assert carried_gib("cold", 2048, 2**30) == 1


@pytest.mark.parametrize(("gib", "seconds"), [(1, 20), (3, 40), (16, 170)])
def test_the_rate_and_the_fixed_part_are_those_of_the_past(gib: float, seconds: float) -> None:
    span = expect("live", gib, STEADY)

    assert span is not None
    assert (span.low, span.likely, span.high) == pytest.approx((seconds, seconds, seconds))


@pytest.mark.parametrize(
    ("how", "gib", "seen"),
    [
        pytest.param("live", 1, [], id="no history"),
        pytest.param("live", 1, past((1, 20), (2, 30)), id="two moves are too few"),
        pytest.param("cold", 1, STEADY, id="only moves of another kind"),
        pytest.param("live", 17, STEADY, id="more than twice as big as any"),
    ],
)
def test_nothing_is_said_where_the_past_does_not_tell(
    how: str, gib: float, seen: list[PastMove]
) -> None:
    assert expect(how, gib, seen) is None


def test_one_wild_figure_does_not_move_what_is_likely() -> None:
    wild = expect("live", 2, [*STEADY, *past((2, 4000))])

    assert wild is not None
    assert wild.likely == pytest.approx(30, rel=0.2)


def test_the_range_is_as_wide_as_the_past_was() -> None:
    span = expect("live", 2, past((2, 20), (2, 30), (2, 40), (2, 50), (2, 60)))

    assert span is not None
    assert (span.low, span.likely, span.high) == pytest.approx((24, 40, 56))
