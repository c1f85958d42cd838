"""Colour repeats what words say, on terminals only."""

import io
import re

import pytest
from typing_extensions import override

from stackward.report.colour import coloured, painted

SAMPLE = """\
| nova-api | broken     | ctl |
| glance   | not proved | ctl |
broken: nova-compute on c01 [rpc-deaf]
  reason  it is broken: no answer
  remedy  restart it
error: cannot drain `c01`
a server called broken
"""


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    @override
    def isatty(self) -> bool:
        return True


def bare(text: str) -> str:
    return re.sub(r"\x1b\[\d+m", "", text)


def test_without_its_colour_the_text_is_the_same() -> None:
    assert bare(coloured(SAMPLE)) == SAMPLE


def test_words_of_state_are_coloured_and_names_are_not() -> None:
    text = coloured(SAMPLE)

    assert "| \x1b[31mbroken\x1b[0m     |" in text
    assert "| \x1b[33mnot proved\x1b[0m |" in text
    assert "\x1b[31mbroken\x1b[0m: nova-compute" in text
    assert "  \x1b[36mremedy\x1b[0m  restart it" in text
    assert "a server called broken\n" in text
    assert "it is broken: no answer" in text


@pytest.mark.parametrize(
    ("stream", "variable", "is_coloured"),
    [
        pytest.param(Terminal(), None, True, id="a terminal"),
        pytest.param(io.StringIO(), None, False, id="a pipe"),
        pytest.param(Terminal(), ("NO_COLOR", "1"), False, id="not wanted"),
        pytest.param(Terminal(), ("TERM", "dumb"), False, id="a terminal that cannot"),
    ],
)
def test_only_a_terminal_that_may_is_coloured(
    stream: io.StringIO,
    variable: tuple[str, str] | None,
    is_coloured: bool,  # noqa: FBT001  # a column of the table
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    if variable:
        monkeypatch.setenv(*variable)

    assert (painted(SAMPLE, stream) != SAMPLE) is is_coloured
