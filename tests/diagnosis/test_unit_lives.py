"""Beginnings and ends of units, in the words of systemd."""

from datetime import UTC, datetime, timedelta

import pytest

from stackward.diagnosis.unit_lives import FORMS, WORDS, Life, changes_in, ended
from stackward.logs.event import Event, Level

BEGAN = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)


def said(message: str, at_s: float = 0, component: str = "dbus") -> Event:
    return Event(
        at=BEGAN + timedelta(seconds=at_s),
        node="c01",
        component=component,
        file="journal",
        offset=0,
        format="journal:20",
        level=Level.INFO,
        message=message,
    )


@pytest.mark.parametrize(("life", "sample"), [(life, sample) for _, life, sample in FORMS])
def test_each_form_knows_its_sample_and_is_looked_for(life: Life, sample: str) -> None:
    [change] = changes_in([said(sample)])

    assert change.life is life
    is_grave = "Failed" in sample
    assert is_grave or any(word in sample for word in WORDS)


def test_what_was_started_again_has_not_ended() -> None:
    told = [
        said("dbus.service: Deactivated successfully."),
        said("Started dbus.service - D-Bus System Message Bus.", 5),
    ]

    assert ended(changes_in(told)) == {}


def test_the_first_end_since_its_last_start_counts() -> None:
    told = [
        said("Stopped dbus.service - D-Bus System Message Bus.", -60),
        said("Started dbus.service - D-Bus System Message Bus.", -30),
        said("dbus.service: Deactivated successfully."),
        said("Stopped dbus.service - D-Bus System Message Bus.", 1),
        said("Closed dbus.socket - D-Bus System Message Bus Socket.", 2),
    ]

    assert ended(changes_in(told))["dbus", "c01"].at == BEGAN


def test_words_of_a_service_are_no_end_of_a_unit() -> None:
    assert changes_in([said("Stopped waiting for dbus.service: none came")]) == []
