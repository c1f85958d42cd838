"""A console that is followed shows every line once."""

import pytest

from stackward.lab.consoles import TAIL, new_part
from stackward.lab.load import Kind, kind_of

TICKS = "".join(f"tick n={number}\n" for number in range(1000))


@pytest.mark.parametrize(
    ("shown", "text", "expected"),
    [
        pytest.param("", "boot\ntick 1\n", "boot\ntick 1\n", id="at first: all of it"),
        pytest.param("", "", "", id="nothing yet"),
        pytest.param("tick 1\n", "tick 1\n", "", id="nothing new"),
        pytest.param("tick 1\n", "tick 1\ntick 2\n", "tick 2\n", id="one more line"),
        pytest.param("tick 1\nti", "tick 1\ntick 2\n", "ck 2\n", id="the rest of a line"),
        pytest.param("guest# ", "guest# guest# ", "guest# ", id="the same once more"),
        pytest.param(
            TICKS, TICKS[5000:] + "tick n=1000\n", "tick n=1000\n", id="cut at its beginning"
        ),
        pytest.param(TICKS, TICKS[-TAIL:], "", id="cut, and nothing new"),
        pytest.param(TICKS, "boot\n", "boot\n", id="begun anew: the server was rebuilt"),
        pytest.param("x" * 600, "x" * 700, "x" * 100, id="one letter for ever"),
    ],
)
def test_only_what_is_new_is_shown(shown: str, text: str, expected: str) -> None:
    assert new_part(shown, text) == expected


def test_the_first_five_servers_of_a_load_are_one_of_each_kind() -> None:
    assert [kind_of(position) for position in range(1, 6)] == list(Kind)[:5]


def test_five_more_are_for_the_loss_of_a_node() -> None:
    assert [kind_of(position) for position in range(7, 12)] == list(Kind)[5:]


@pytest.mark.parametrize("position", [6, 200])
def test_all_that_follow_just_run(position: int) -> None:
    assert kind_of(position) is Kind.ACTIVE
