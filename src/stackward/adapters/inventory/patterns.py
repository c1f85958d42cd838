"""Host patterns: `c[01:20]` names twenty machines, `db-[a:c]` three."""

import re
import string
from ipaddress import IPv6Address
from itertools import product

from stackward.adapters.inventory.written import Place, cannot_read

_RANGE = re.compile(r"\[([^\[\]]*)\]")
_IN_BRACKETS = re.compile(r"\[(?P<inner>[^\[\]]*)\](:(?P<port>\d+))?$")
_WITH_PORT = re.compile(r"(?P<host>.*):(?P<port>\d+)$")
# It becomes a word of ssh's command line: ssh must never read it as an option.
_NAME = re.compile(r"[\w.:%][\w.:%-]*", re.ASCII)
MOST_HOSTS = 100_000  # one pattern; beyond this it is a slip of the finger, not a cloud


class BadRange(ValueError):
    """The pattern is not a range; the text says why."""


def names_in(pattern: str, place: Place) -> tuple[list[str], str | None]:
    """Return the names that a host pattern matches, and its port, or name the line."""
    try:
        names, port = read_pattern(pattern)
    except BadRange as error:
        raise cannot_read(place, str(error), hint="ranges are written `c[01:20]`") from None
    return [as_name(name, place) for name in names], port


def as_name(text: str, place: Place) -> str:
    """Return a name that is safe on ssh's command line, or name the line."""
    if not _NAME.fullmatch(text):
        raise cannot_read(place, f"`{text}` is not a name for a machine")
    return text


def expand(pattern: str) -> list[str]:
    """Return the names that a pattern matches; a name without a range matches itself."""
    pieces = _RANGE.split(pattern)  # text, range, text, range, ..., text
    if any("[" in text or "]" in text for text in pieces[::2]):
        raise BadRange(f"`{pattern}` has a bracket without its partner")
    choices = [_members(piece) if index % 2 else [piece] for index, piece in enumerate(pieces)]
    size = 1
    for choice in choices:
        size *= len(choice)
    if size > MOST_HOSTS:
        raise BadRange(f"`{pattern}` names {size} machines, more than {MOST_HOSTS}")
    return ["".join(chosen) for chosen in product(*choices)]


def _members(inner: str) -> list[str]:
    parts = inner.split(":")
    if len(parts) not in {2, 3}:
        raise BadRange(f"`[{inner}]` is not a range")
    first, last = parts[0] or "0", parts[1]
    step = _number(parts[2], inner) if len(parts) == 3 else 1  # noqa: PLR2004  # [first:last:step]
    if step < 1:
        raise BadRange(f"`[{inner}]` never gets on: its step is {step}")
    if first in string.ascii_letters and last in string.ascii_letters and first and last:
        return _letters(first, last, step, inner)
    return _numbers(first, last, step, inner)


def _letters(first: str, last: str, step: int, inner: str) -> list[str]:
    begin, end = string.ascii_letters.index(first), string.ascii_letters.index(last)
    if begin > end:
        raise BadRange(f"`[{inner}]` runs backwards")
    return list(string.ascii_letters[begin : end + 1 : step])


def _numbers(first: str, last: str, step: int, inner: str) -> list[str]:
    begin, end = _number(first, inner), _number(last, inner)
    width = len(first) if first.startswith("0") and len(first) > 1 else 0
    if width and len(last) != width:
        raise BadRange(f"`[{inner}]` begins with {width} digits and ends with {len(last)}")
    if begin > end:
        raise BadRange(f"`[{inner}]` runs backwards")
    if (end - begin) // step >= MOST_HOSTS:
        raise BadRange(f"`[{inner}]` names more than {MOST_HOSTS} machines")
    return [str(number).zfill(width) for number in range(begin, end + 1, step)]


def _number(text: str, inner: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadRange(f"`[{inner}]` is not a range")
    return int(text)


def read_pattern(pattern: str) -> tuple[list[str], str | None]:
    """Return the names that a host pattern matches, and the port after its colon, if any.

    An IPv6 address matches itself; to have a port it is written in brackets, `[::1]:22`.
    """
    bracketed = _IN_BRACKETS.match(pattern)
    if bracketed and _is_ipv6(bracketed["inner"]):
        return [bracketed["inner"]], bracketed["port"]
    if _is_ipv6(pattern):
        return [pattern], None
    with_port = _WITH_PORT.match(pattern)
    if with_port:
        return expand(with_port["host"]), with_port["port"]
    return expand(pattern), None


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True
