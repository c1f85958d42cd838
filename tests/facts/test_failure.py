"""What is read of a failure: what of it goes home, what is only counted, what is asked again."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stackward.adapters.collected import open_collected
from stackward.adapters.together import Threads
from stackward.anatomy import read_anatomy
from stackward.cli import main
from stackward.diagnosis.signs import LOOKED_FOR, SIGNS, WORDS
from stackward.facts.failure import MOST_ALIKE, Failure, read_failure
from stackward.facts.logs import read_logs
from stackward.logs.event import Level
from stackward.logs.reading import NodeRead, Query, Reading

ANATOMY = read_anatomy()
SINCE = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
REQUEST = "req-b311da90-4759-4302-9f62-9c031032dd64"
SERVER = "b14691a2-3280-434e-8f07-137140553642"
OF_USER = f"[None {REQUEST} me us - - default default] [instance: {SERVER}]"
MADE = f"INFO nova.compute.manager {OF_USER} Took 3.20 seconds to build instance."
SIGN = f"WARNING nova.scheduler.utils {OF_USER} Failed to schedule_it: No valid host was found."


def log(folder: Path, *said: tuple[float, str], name: str = "nova-compute") -> None:
    """Write lines of one service of c01, each so many seconds after the window begins."""
    path = folder / f"c01/var/log/nova/{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{SINCE + timedelta(seconds=at):%Y-%m-%d %H:%M:%S.%f}"[:-3] + f" 7 {one}\n"
        for at, one in said
    ]
    path.write_text("".join(lines))


def failure_in(
    folder: Path, *, ids: Sequence[str] = (), beside: Sequence[str] = ()
) -> tuple[Failure, list[Query]]:
    asked: list[Query] = []
    with open_collected(folder) as source:

        def read(query: Query) -> Reading:
            asked.append(query)
            return read_logs(source, Threads(), ANATOMY, query, within_s=60)

        found = read_failure(read, Query(since=SINCE), LOOKED_FOR, ids=ids, beside=beside)
    return found, asked


def storm(number: int, says: str = "ERROR nova.x [-] try {} failed") -> list[tuple[float, str]]:
    return [(at / 10, says.format(at)) for at in range(number)]


def test_of_a_storm_the_first_events_are_read_and_the_others_counted(tmp_path: Path) -> None:
    log(tmp_path, *storm(400), (60, "ERROR nova.y [-] it is lost"))

    found, _ = failure_in(tmp_path)

    assert len(found.events) == MOST_ALIKE + 1
    assert found.events[-1].message == "it is lost"
    [counted] = found.reading.repeated.values()
    assert counted.like == found.events[0].written_at
    assert counted.count == 400 - MOST_ALIKE
    assert counted.last == SINCE + timedelta(seconds=39.9)
    assert found.reading.is_whole


def test_of_a_story_each_event_is_read(tmp_path: Path) -> None:
    log(tmp_path, *storm(400))

    found, _ = failure_in(tmp_path, ids=[REQUEST])

    assert len(found.events) == 400
    assert found.reading.repeated == {}


def test_what_was_usual_is_known_by_one_of_a_kind(tmp_path: Path) -> None:
    before = [(at - 3600, one) for at, one in storm(400)]
    log(tmp_path, *before, (-9, "WARNING nova.y [-] of c01"), (-8, "WARNING nova.y [-] of c02"))

    found, _ = failure_in(tmp_path)

    assert {one.message for one in found.before} == {"try 0 failed", "of c01", "of c02"}
    assert found.events == []


def test_lives_of_units_are_read_each_time(tmp_path: Path) -> None:
    log(tmp_path, *storm(200, "INFO nova.x [-] Started n{}.service - It."), name="daemon")

    found, _ = failure_in(tmp_path, beside=["Started "])

    assert len(found.asides) == 200


def test_servers_that_were_made_are_looked_for_only_where_one_was_not(tmp_path: Path) -> None:
    """A healthy cloud logs each that is made: to read all of them takes longer than all else."""
    log(tmp_path, (1, MADE))

    found, asked = failure_in(tmp_path)

    assert found.events == []
    assert [one.words for one in asked] == [(), ()]


def test_a_server_that_was_made_after_all_is_read_from_the_first_sign_on(tmp_path: Path) -> None:
    log(tmp_path, (1, MADE), (600, SIGN), (660, MADE))

    found, asked = failure_in(tmp_path)

    assert [one.message[:4] for one in found.events] == ["Fail", "Took"]
    assert [one.since for one in asked if one.words] == [SINCE + timedelta(seconds=595)]


def test_where_it_cannot_be_read_whether_a_server_was_made_after_all_that_is_said(
    tmp_path: Path,
) -> None:
    log(tmp_path, (600, SIGN), (660, MADE))

    with open_collected(tmp_path) as source:

        def read(query: Query) -> Reading:
            found = read_logs(source, Threads(), ANATOMY, query, within_s=60)
            if not query.words:
                return found
            gone = {name: NodeRead(node=name, unread="it was silent") for name in found.nodes}
            return replace(found, events=(), nodes=gone)

        found = read_failure(read, Query(since=SINCE), LOOKED_FOR)

    assert [one.message[:4] for one in found.events] == ["Fail"]
    assert [one.unread for one in found.reading.nodes.values()] == ["it was silent"]


def test_a_sign_of_no_server_asks_for_none_that_was_made(tmp_path: Path) -> None:
    log(tmp_path, (1, "ERROR nova.x [-] Unexpected API Error"))

    _, asked = failure_in(tmp_path)

    assert [one.words for one in asked] == [(), ()]


def test_a_sign_that_was_taken_back_is_noticed_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log(tmp_path, (600, SIGN), (660, MADE))

    main(["diagnose", "--from", str(tmp_path), "--since", f"{SINCE:%Y-%m-%dT%H:%MZ}", "-f", "json"])

    assert json.loads(capsys.readouterr().out)["noticed"] == []


@pytest.mark.parametrize("is_usual", [True, False])
def test_counts_are_those_of_all_events(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, is_usual: bool
) -> None:
    before = [(-60.0, "ERROR nova.x [-] try 1 failed")] if is_usual else []
    broken = [(0.1, "ERROR nova.y [-] it is broken: KeyError: 'x'")] if is_usual else []
    log(tmp_path, *before, *broken, *[(at + 1, one) for at, one in storm(400)])

    main(["diagnose", "--from", str(tmp_path), "--since", f"{SINCE:%Y-%m-%dT%H:%MZ}", "-f", "json"])
    found = json.loads(capsys.readouterr().out)

    assert found["looked"]["events"] == 400 + len(broken)
    assert found["looked"]["counted"] == 400 - MOST_ALIKE
    if is_usual:
        assert [one["count"] for one in found["ruled_out"]] == [400]
    else:
        assert found["causes"][0]["until"].startswith("2026-11-27T22:00:40.9")


def test_each_word_that_is_looked_for_is_a_part_of_a_sign_or_a_reason() -> None:
    samples = [sign.sample for sign in SIGNS if sign.level <= Level.INFO]

    assert not {one for one in WORDS if "seconds to" in one}
    assert [one for one in samples if not any(word in one for word in WORDS)] == []
