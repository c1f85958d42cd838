"""Events of one node in the order of time: parts of one event are joined, doubles count once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from stackward.logs.event import Event
from stackward.logs.formats import JOURNAL
from stackward.logs.tracebacks import read_traceback

UNDATED = "oslo-undated"
_TOGETHER_S = 1.0  # the journal dates each line of a traceback by itself
_SAME_S = 2.0  # the journal writes the same words a little later than the file
_SHOWN = 200  # characters by which words are the same


def folded(events: Iterable[Event]) -> list[Event]:
    """Join the parts of tracebacks between which another process has logged.

    The lines of one have the same file, time, process and module. Only what is no message of its
    own is joined: the frames of a traceback, and its last line after them.
    """
    kept: list[Event] = []
    at: dict[tuple[object, ...], int] = {}
    for one in events:
        own = None if one.format == UNDATED else one.at
        key = (one.node, one.file, own, one.pid, one.module)
        before = at.get(key)
        if before is not None and one.format.startswith("oslo") and _is_part(kept[before], one):
            lines = (*kept[before].more, one.message, *one.more)
            kept[before] = replace(
                kept[before],
                more=lines,
                raised=read_traceback((kept[before].message, *lines)),
                level=max(kept[before].level, one.level),
            )
            continue
        at[key] = len(kept)
        kept.append(one)
    return kept


def _is_part(first: Event, one: Event) -> bool:
    if abs((one.at - first.at).total_seconds()) > _TOGETHER_S:
        return False
    in_traceback = any("Traceback (most" in line for line in (first.message, *first.more))
    begins = one.message.startswith("Traceback (most")
    return begins or (in_traceback and (one.message[:1].isspace() or not first.raised))


def without_doubles(events: Sequence[Event]) -> tuple[list[Event], int]:
    """Leave out of the journal what is in a file too; return how many that were."""
    with_journal = {one.node for one in events if one.file == JOURNAL}
    of_files: dict[tuple[str, str], list[float]] = {}
    for one in events:
        if one.file != JOURNAL and one.node in with_journal:
            of_files.setdefault((one.node, _words(one)), []).append(one.at.timestamp())
    kept = [one for one in events if one.file != JOURNAL or not _is_among(of_files, one)]
    return kept, len(events) - len(kept)


def _is_among(of_files: Mapping[tuple[str, str], Sequence[float]], one: Event) -> bool:
    """Say whether a file of the node has the same words at about that time."""
    at = one.at.timestamp()
    return any(abs(at - each) <= _SAME_S for each in of_files.get((one.node, _words(one)), ()))


def _words(one: Event) -> str:
    return one.message.strip()[:_SHOWN]
