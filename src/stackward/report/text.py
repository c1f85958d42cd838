"""Foreign text made safe to print."""

import codecs
import json
import re
import shutil
import textwrap
from collections.abc import Iterable
from typing import TextIO

# Names of servers and words of services come from others. A control character in them could rewrite
# what the operator has already read, or forge a line that nobody wrote.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


ESCAPED = "stackward-escaped"  # for `errors=` of a stream


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""Spell out what a stream cannot write as `\uXXXX`, which JSON reads as the same text."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2] for at in range(0, len(units), 2))
    return "".join(f"\\u{int.from_bytes(pair):04x}" for pair in pairs), error.end


codecs.register_error(ESCAPED, _escaped)


def printable(text: str) -> str:
    r"""Spell out control characters: a terminal shows `\x1b`, and does not obey it."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def as_text(lines: Iterable[str]) -> str:
    """Return lines as one text; no words in them can control a terminal."""
    return "".join(f"{printable(one)}\n" for one in lines)


def steers(text: str) -> bool:
    """Say whether a text of several lines has what a terminal obeys."""
    return any(found[0] != "\n" for found in _CONTROL.finditer(text))


def as_json(data: object, indent: int | None = None) -> str:
    r"""Write data as JSON; what could steer a terminal is spelled out: `\u009b`."""
    written = json.dumps(data, ensure_ascii=False, indent=indent)
    return _CONTROL.sub(
        lambda found: "\n" if found[0] == "\n" else f"\\u{ord(found[0]):04x}", written
    )


def on_one_line(text: str) -> str:
    """Fold white space, then spell out what is left of control characters."""
    return printable(" ".join(text.split()))


def shortened(text: str, most: int) -> str:
    """Return at most so many characters of a text; three dots show that something is left out."""
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."


# What is read as one: a number with its unit, a time of day with its zone.
_VALUE = re.compile(
    r"(?<![\w.:])(?:[\d][\d.,]* (?:[kKMGTP]?i?B|bytes?|m?s|min|h|d|%|[MG]Hz)"
    r"|\d\d:\d\d:\d\d (?:[A-Z]{2,5}|[+-]\d\d:\d\d))(?!\w)"
)
_CODE = re.compile(r"`[^`\n]{1,240}`")  # a command, which is there to be copied
_GLUE = "\ue000"  # a blank at which no line is broken; a private character has no other use


def words_of(text: str) -> list[str]:
    """Return what a line may be broken between; a number keeps its unit."""
    return [_loose(word) for word in _glued(text).split(" ") if word]


def _glued(text: str) -> str:
    return _VALUE.sub(lambda found: found[0].replace(" ", _GLUE), text)


def _loose(text: str) -> str:
    return text.replace(_GLUE, " ")


def terminal_width(stream: TextIO) -> int | None:
    """Return how many columns the terminal behind a stream has; None where it is none."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def wrap(text: str, width: int | None, *, first: str = "", rest: str = "") -> list[str]:
    """Break a text into lines of at most `width` columns, between words; None: one line.

    A command is not broken: it is there to be copied, and a terminal folds what is longer than its
    line without a line end. `first` is put before the first line, `rest` before all others.
    """
    if width is None:
        return [first + text]
    whole = _CODE.sub(lambda found: found[0].replace(" ", _GLUE), text)
    lines = textwrap.wrap(
        _glued(whole),
        max(width, len(rest) + 8),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [_loose(line) for line in lines] or [first + text]
