"""Values of foreign answers are taken as they are meant, or not at all."""

import pytest

from stackward.answers import figure, text_or_none, truth, whole


@pytest.mark.parametrize(
    ("given", "count"),
    [
        pytest.param(0, 0, id="none"),
        pytest.param(7, 7, id="a number"),
        pytest.param("7", 7, id="its digits"),
        pytest.param(2**63 - 1, 2**63 - 1, id="the largest"),
    ],
)
def test_a_count_is_read(given: object, count: int) -> None:
    assert whole(given) == count


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(-1, id="less than nothing"),
        pytest.param("-1", id="less than nothing, in digits"),
        pytest.param(2**63, id="more than there can be"),
        pytest.param(True, id="a truth value"),
        pytest.param(1.0, id="a fraction"),
        pytest.param("\u0661", id="a digit of another script"),
        pytest.param("", id="no digits"),
        pytest.param(None, id="nothing"),
    ],
)
def test_what_is_no_count_is_not_taken_for_one(given: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        whole(given)


@pytest.mark.parametrize("given", [float("nan"), float("inf"), 2.0**63, True, "1.5", None])
def test_what_is_no_finite_number_is_not_taken_for_one(given: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        figure(given)


@pytest.mark.parametrize("given", [0, 1, "true", None])
def test_only_a_truth_value_is_one(given: object) -> None:
    with pytest.raises(TypeError):
        truth(given)


def test_null_is_no_text() -> None:
    assert text_or_none(None) is None
    with pytest.raises(TypeError):
        text_or_none(0)
