"""Which lines of a log were shown, by what a tail has told."""

from lab.logs import doubled, missing

LINE = "2026-11-28 14:23:33.277 2134 WARNING nova.compute.manager [req-1] Received an event"
EVENT = "2026-11-28 14:23:33.277 Received an event"
LATER = "2026-11-28 14:23:33.278 Received an event"


def test_a_line_that_no_event_shows_is_missing() -> None:
    assert missing([LINE], [EVENT]) == []
    assert missing([LINE], [LATER]) == [LINE]


def test_what_a_service_said_twice_is_not_doubled() -> None:
    """Nova does, within a millisecond."""
    assert doubled([LINE, LINE], [EVENT, EVENT]) == []


def test_what_was_written_once_and_shown_twice_is_doubled() -> None:
    assert doubled([LINE], [EVENT, EVENT]) == [EVENT]
    assert doubled([], [EVENT]) == []  # of an earlier time: `missing` tells of lines
    assert doubled([], [EVENT, EVENT]) == [EVENT]
