"""Tracebacks of Python, as services log them: chains of causes, and those sent over RPC."""

import re
from collections.abc import Sequence
from functools import lru_cache

from stackward.logs.event import Frame, Raised
from stackward.masking import may_hide

_FIRST = "Traceback (most recent call last):"
_PACKED = rf"{_FIRST}\n"  # as it was sent: with the two characters of an escape
_CALL = 'File "'
_BEGINS = re.compile(r"(?P<before>.*)Traceback \(most recent call last\):\s*$")
_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>\d{1,7}), in (?P<function>.+?)\s*$')
# An exception's line begins at the margin, with a dotted name; what follows a colon is its message.
_RAISED = re.compile(r"(?P<exception>[A-Za-z_][\w.]*)(?:: ?(?P<message>.*))?$")
_REMOTE = "_Remote"  # ends the class of an exception that came over RPC
_MOST_KEPT = 8 * 2**20  # characters, of one reading
_EACH = 200  # of them for each text, besides its own
_CARRIERS = (_REMOTE, "RemoteError")  # the error that brought it home


def read_traceback(lines: Sequence[str]) -> tuple[Raised, ...]:
    """Return the exceptions of an event, the first cause first; none where it has no traceback."""
    if not any(_FIRST in line for line in lines):
        return ()
    found: list[Raised] = []
    frames: list[Frame] | None = None
    code: list[str] = []
    is_remote = False
    for line in _unpacked(lines):
        # Most lines are calls, and each of these: a look for its words is faster than a match.
        if _FIRST in line and _BEGINS.match(line):
            # A remote traceback is in the message of the error that brought it home.
            is_remote = is_remote or bool(found and found[-1].exception.endswith(_CARRIERS))
            frames, code = [], []
        elif frames is None:
            continue
        elif _CALL in line and (frame := _frame(line)) is not None:
            frames.append(frame)
            code.append("")
        elif code and not code[-1] and line[:1].isspace():
            code[-1] = line.strip()
        elif frames and not line[:1].isspace() and (raised := _RAISED.match(line)):
            found.append(
                Raised(
                    exception=raised["exception"],
                    message=(raised["message"] or "").strip(),
                    frames=tuple(frames),
                    code=tuple(code),
                    is_remote=is_remote or raised["exception"].endswith(_REMOTE),
                )
            )
            frames = None
    return tuple(found)


def has_traceback(text: str) -> bool:
    """Say whether a traceback begins in a text."""
    return _FIRST in text


class Continued:
    """What continues the events of one reading: most of it is the same tracebacks again and again.

    Each is read once, and its lines are kept once.
    """

    def __init__(self) -> None:
        self._read: dict[str, tuple[tuple[str, ...], tuple[Raised, ...]]] = {}
        self._hiding: dict[tuple[str, ...], bool] = {}
        self._left = _MOST_KEPT

    def read(self, body: str) -> tuple[tuple[str, ...], tuple[Raised, ...]]:
        """Return the lines of a text and the exceptions of its tracebacks."""
        if (known := self._read.get(body)) is None:
            lines = tuple(body.split("\n"))
            known = lines, read_traceback(lines)
            size = len(body) + _EACH
            if size > self._left:
                self._read, self._hiding, self._left = {}, {}, _MOST_KEPT
            self._left -= size
            self._read[body] = known
        return known

    def may_hide(self, lines: tuple[str, ...]) -> bool:
        """Say whether lines that were read may have a secret in them."""
        if (known := self._hiding.get(lines)) is None:
            known = self._hiding[lines] = may_hide("\n".join(lines))
        return known


@lru_cache(maxsize=4096)
def _frame(line: str) -> Frame | None:
    """Read one call. Tracebacks of a service are made of the same calls again and again."""
    found = _FRAME.match(line)
    if found is None:
        return None
    return Frame(file=found["file"], line=int(found["line"]), function=found["function"].strip())


def _unpacked(lines: Sequence[str]) -> list[str]:
    r"""Spread out tracebacks that were sent as text: `['Traceback ...:\n', '  File ...\n']`."""
    spread: list[str] = []
    for line in lines:
        if _PACKED not in line:
            spread.append(line)
            continue
        before, _, packed = line.partition(_PACKED)
        spread.append(before.rstrip("['\""))
        spread.append(_FIRST)
        pieces = packed.replace("\\n", "\n").splitlines()
        spread += [re.sub(r"""^['"], ['"]|^['"]?, u?['"]|['"]\]\.?$""", "", one) for one in pieces]
    return spread
