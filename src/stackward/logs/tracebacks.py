"""Tracebacks of Python, as services log them: chains of causes, and those sent over RPC."""

import re
from collections.abc import Sequence
from functools import lru_cache

from stackward.logs.event import Frame, Raised

_FIRST = "Traceback (most recent call last):"
_PACKED = rf"{_FIRST}\n"  # as it was sent: with the two characters of an escape
_CALL = 'File "'
_BEGINS = re.compile(r"(?P<before>.*)Traceback \(most recent call last\):\s*$")
_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>\d{1,7}), in (?P<function>.+?)\s*$')
# An exception's line begins at the margin, with a dotted name; what follows a colon is its message.
_RAISED = re.compile(r"(?P<exception>[A-Za-z_][\w.]*)(?:: ?(?P<message>.*))?$")
_REMOTE = "_Remote"  # ends the class of an exception that came over RPC
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
            # A remote traceback stands in the message of the error that brought it home.
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
