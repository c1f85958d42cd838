"""Any name that a directory can have is good for the state directory, and for each command."""

import json
import os
from pathlib import Path

import pytest

from engine.fakes import House
from stackward.adapters.store.listing import FILE
from stackward.app.probes import memory_of
from stackward.cli import main
from stackward.settings import read_settings

NAMES = [
    "what?", "a?b=c", "a#b", "50%", "a%3Fb", "a%41b", "with blank", " ", "ann@home", "c:d", "a&b",
    "a=b", "a+b", "a;b", "it's", 'said "so"', "back\\slash", "[a]", "{a}", "*", "~", "$HOME", "`a`",
    "(a)", "a|b", "<a>", "!", "a,b", "-rf", "--", ":memory:", "file:a", "zähler", "日本",
    "two\nlines", "tab\t", "\x1b[31m",
]  # fmt: skip


@pytest.fixture(params=NAMES, ids=ascii)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place: Path = tmp_path / request.param
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(place))
    monkeypatch.delenv("STACKWARD_DATABASE", raising=False)
    return place


def test_every_command_finds_the_runs_there_and_makes_nothing_elsewhere(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "show", "01X"]) == 2  # the first command makes the database
    house = House(place)
    run = house.carry_out(house.approved()).id
    house.close()
    capsys.readouterr()

    codes = {
        words: main(["run", *words.split(), "-f", "json"])
        for words in ("list", "check", f"check {run}", f"show {run}", f"audit {run}")
    }

    out, said = capsys.readouterr()
    decoder, rows = json.JSONDecoder(), []
    while out := out.strip():
        one, end = decoder.raw_decode(out)
        rows.append(len(one))
        out = out[end:]
    assert set(codes.values()) == {0}
    assert said.count("1 run checked: all in order\n") == 2
    assert rows[:3] == [1, 0, 0]
    assert all(rows[3:])
    assert [each.name for each in place.parent.iterdir()] == [place.name]
    left = {each.name for each in place.iterdir() if each.name.startswith(FILE)}
    assert left - {f"{FILE}-wal", f"{FILE}-shm"} == {FILE}


@pytest.mark.usefixtures("place")
def test_a_look_reads_the_names_that_are_remembered_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Read to its end, an empty memory is one, and no reason for a gap."""
    main(["run", "show", "01X"])
    capsys.readouterr()
    settings = read_settings(os.environ, is_root=False)

    assert memory_of(settings)("cloud") == {}


def test_what_is_wrong_with_the_database_names_its_file(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.mkdir()
    (place / FILE).write_text("no database at all, but text that is long enough\n" * 40)

    codes = [main(["run", *words]) for words in (["list"], ["check"], ["show", "01X"])]

    assert codes == [8, 8, 8]
    assert capsys.readouterr().err.count(FILE) == 3


def test_a_file_that_cannot_be_seen_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is too long stands for all that `stat` refuses: root may look everywhere."""
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path / ("x" * 256)))
    monkeypatch.delenv("STACKWARD_DATABASE", raising=False)

    codes = [main(["run", *words]) for words in (["list"], ["check"], ["check", "01X"])]

    assert codes == [8, 8, 8]
    assert capsys.readouterr().err.count("cannot be read") == 3


def test_a_question_mark_in_the_url_of_a_file_is_refused_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STACKWARD_DATABASE", f"sqlite:///{tmp_path}/a?b")

    codes = [main(["run", *words]) for words in (["list"], ["check"], ["show", "01X"])]

    assert codes == [2, 2, 2]
    assert capsys.readouterr().err.count("write `?` as %3F") == 3
    assert list(tmp_path.iterdir()) == []
