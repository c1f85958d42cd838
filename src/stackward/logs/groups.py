"""Errors in groups: the same module, the same words except numbers and ids, the same exception."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from stackward.logs.event import Event, Frame, Level

# Each becomes a sign; the longer forms first, for they hold shorter ones.
VARIABLE = (
    (re.compile(r"req-[0-9a-f-]{8,}"), "<req>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b(?:tap|qvo|qvb|qbr)[0-9a-f]{8}-[0-9a-f]{2}\b"), "<tap>"),
    (re.compile(r"\b0x[0-9a-f]+\b"), "<hex>"),
    (re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE), "<mac>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,Z+:-]*"), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"\b[0-9a-f]{24,64}\b"), "<id>"),
    (re.compile(r"(?<![\w<])\d+(?:\.\d+)?(?=\b|[a-zA-Z]*\b)"), "<n>"),
)
_LONGEST = 400  # characters of a message that its group is known by


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Events that say the same."""

    level: Level
    component: str
    module: str
    words: str  # the message, what varies in it replaced by signs
    exception: str | None
    frame: Frame | None  # where it was raised, of the first
    count: int
    first: datetime
    last: datetime
    nodes: tuple[str, ...]
    requests: tuple[str, ...]  # some of their ids
    example: Event


def words_of(message: str) -> str:
    """Return a message with a sign in place of each number, id and address."""
    return _with_signs(message[:_LONGEST])


@lru_cache(maxsize=4096)
def _with_signs(message: str) -> str:
    """Put the signs in. What fails on many nodes says the same words again and again."""
    words = " ".join(message.split())
    for form, sign in VARIABLE:
        words = form.sub(sign, words)
    return words


def grouped(events: Iterable[Event], *, most_requests: int = 5) -> list[Group]:
    """Group events that say the same: the gravest first, then the most frequent."""
    found: dict[tuple[object, ...], list[Event]] = {}
    for one in events:
        # Of a traceback without a message of its own, the exception's words are the message.
        message = _said(one)
        key = (one.component, one.module, one.level, words_of(message), one.exception)
        found.setdefault(key, []).append(one)
    groups = [
        Group(
            level=members[0].level,
            component=members[0].component,
            module=members[0].module,
            words=words_of(_said(members[0])),
            exception=members[0].exception,
            frame=witness(members[0]),
            count=len(members),
            first=min(one.at for one in members),
            last=max(one.at for one in members),
            nodes=tuple(sorted({one.node for one in members})),
            requests=tuple(dict.fromkeys(one.request for one in members if one.request))[
                :most_requests
            ],
            example=members[-1],
        )
        for members in found.values()
    ]
    return sorted(groups, key=lambda one: (-one.level, -one.count, one.first, one.words))


def _said(one: Event) -> str:
    if one.message.startswith("Traceback (most") and one.raised:
        return one.raised[-1].message or one.raised[-1].exception
    return one.message


_LIBRARIES = ("oslo_", "eventlet", "amqp", "kombu", "sqlalchemy", "keystoneauth", "futurist")


def witness(one: Event) -> Frame | None:
    """Return where an exception arose: the innermost call that is no library's.

    It is a better witness than the module that logged the error.
    """
    frames = one.raised[0].frames if one.raised else ()
    own = tuple(each for each in frames if not any(f"/{name}" in each.file for name in _LIBRARIES))
    return (own or frames or (None,))[-1]
