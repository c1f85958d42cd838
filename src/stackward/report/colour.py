"""Colour for a terminal. It only repeats what a word says: without it nothing is lost."""

import os
import re
from typing import TextIO

_GREEN, _YELLOW, _RED, _BLUE, _BOLD = "32", "33", "31", "36", "1"
_OF_WORDS = {
    _RED: ("broken", "error", "failed", "found otherwise", "blockers", "refused"),
    _YELLOW: (
        *("degraded", "unknown", "unverified", "not proved", "warning", "half-way", "stopped"),
        "warnings, approved with the plan",
    ),
    _GREEN: ("ok", "done", "proved", "succeeded"),
    _BLUE: ("remedy", "cure", "hint"),
    _BOLD: ("plan", "run"),
}
_COLOUR = {word: code for code, words in _OF_WORDS.items() for word in words}
_ANY = "|".join(sorted(map(re.escape, _COLOUR), key=len, reverse=True))
# A word counts where it begins a line, or is all of a cell.
_WORD = re.compile(rf"(?m)(?:^ *|\| )(?P<word>{_ANY})(?=:|  |$| `| +\|)")


def has_colour(stream: TextIO) -> bool:
    """Say whether a stream is a terminal that may be coloured; see https://no-color.org."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def painted(text: str, stream: TextIO) -> str:
    """Return a text as a stream shows it best: coloured on a terminal, as it is elsewhere."""
    return coloured(text) if has_colour(stream) else text


def as_grave(word: str, *, is_error: bool, stream: TextIO) -> str:
    """Return a word as an error or a warning, coloured where a stream shows that."""
    return f"\x1b[{_RED if is_error else _YELLOW}m{word}\x1b[0m" if has_colour(stream) else word


def coloured(text: str) -> str:
    """Return a text with its words of state in colour."""

    def paint(found: re.Match[str]) -> str:
        word = found["word"]
        before = found[0][: -len(word)]
        return f"{before}\x1b[{_COLOUR[word]}m{word}\x1b[0m"

    return _WORD.sub(paint, text)
