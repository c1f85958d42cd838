"""Answers of others, read strictly: a shape that we do not know is reported, never guessed.

A reader is written for the shape that it knows, and takes values out with the functions here. All
that another shape makes it raise becomes one error, `NotUnderstood`, with what was read.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from stackward.errors import NotUnderstood, StackwardError
from stackward.masking import masked

_MOST = 2**63  # no count of bytes, inodes or connections is larger
_SHOWN = 160  # characters of an answer that a message quotes

# What reading an unknown shape raises: no such key, another type, no number, too deep, too large.
ODD = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


@contextmanager
def understood(what: str, given: str = "") -> Iterator[None]:
    """Raise `NotUnderstood` for any error that an unknown shape raises in the block.

    `what` names the command or the request, `given` is its answer.
    """
    try:
        yield
    except ODD as error:
        raise NotUnderstood(
            f"{what} gave an answer that is not understood",
            says=shortly(_odd_part(given, error)) or None,
        ) from error


def _odd_part(given: str, error: Exception) -> str:
    """Return the line that was not understood, if the error names one; if not, return all."""
    named = error.args[0] if error.args else None
    return named if isinstance(named, str) and named.strip() and named in given else given


def why(error: StackwardError) -> str:
    """Return what went wrong with what was read, in one line."""
    said = f"{error.message}: {error.says}" if error.says else error.message
    return " ".join(said.split())


def shortly(text: str) -> str:
    """Return the beginning of an answer on one line, without its secrets."""
    words = " ".join(masked(text).split())
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}..."


def document(given: str) -> Mapping[str, object]:
    """Read a JSON object."""
    return mapping(json.loads(given))


def mapping(given: object) -> Mapping[str, object]:
    """Return an object of JSON."""
    if not isinstance(given, Mapping):
        raise TypeError(given)
    return given


def rows(given: object) -> Sequence[object]:
    """Return a list of JSON; a text is none."""
    if not isinstance(given, list | tuple):
        raise TypeError(given)
    return given


def text(given: object) -> str:
    """Return a text."""
    if not isinstance(given, str):
        raise TypeError(given)
    return given


def text_or_none(given: object) -> str | None:
    """Return a text, or None where there is null."""
    return None if given is None else text(given)


def texts(given: object) -> tuple[str, ...]:
    """Return a list of texts."""
    return tuple(map(text, rows(given)))


def truth(given: object) -> bool:
    """Return a truth value."""
    if not isinstance(given, bool):
        raise TypeError(given)
    return given


def whole(given: object) -> int:
    """Return a count: a whole number that is not negative, as a number or in digits."""
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(given)
    if not 0 <= given < _MOST:
        raise ValueError(given)
    return given


def figure(given: object) -> float:
    """Return a number that is finite."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(given)
    if not math.isfinite(given) or abs(given) >= _MOST:
        raise ValueError(given)
    return float(given)


def one_of(given: object, *known: str) -> str:
    """Return a word, where it is one of those that are known."""
    if given not in known:
        raise ValueError(given)
    return text(given)


def lines(given: str) -> list[str]:
    """Return the lines that are not empty."""
    return [line.rstrip("\r") for line in given.split("\n") if line.strip()]


def cells(line: str, count: int) -> list[str]:
    """Return the cells of a line, which tabs separate."""
    found = line.split("\t")
    if len(found) != count:
        raise ValueError(line)
    return found
