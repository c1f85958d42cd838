"""`stackward run check`: whether the database of runs is in order."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.fakes import House
from postgres import Server, make_first_version
from stackward.adapters.store.listing import FILE
from stackward.cli import main

OLD = Path(__file__).parents[1] / "adapters/store/journal-1.sql"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("STACKWARD_DATABASE", raising=False)
    return tmp_path


def carried_out(place: Path) -> str:
    house = House(place)
    run = house.carry_out(house.approved())
    house.close()
    return run.id


def changed(place: Path, statement: str) -> None:
    """Change the file behind the journal's back."""
    with closing(sqlite3.connect(place / FILE)) as file, file:
        file.execute(statement)


def test_a_database_in_order_has_no_rows(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = carried_out(place)

    codes = [main(["run", "check", "-f", "json"]), main(["run", "check", run[:13], "-f", "json"])]

    out, said = capsys.readouterr()
    assert (codes, out.split()) == ([0, 0], ["[]", "[]"])
    assert said.splitlines() == ["1 run checked: all in order"] * 2


def test_each_thing_out_of_order_is_a_row_with_what_to_do(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = carried_out(place)
    changed(
        place,
        "INSERT INTO events SELECT 999, run_id, at, 0, 'intended', '', step, says "
        "FROM events WHERE what = 'intended' LIMIT 1",
    )

    code = main(["run", "check", "-f", "json"])

    out, said = capsys.readouterr()
    rows = json.loads(out)
    assert (code, said) == (7, "1 of 1 run not in order\n")
    assert {row["Invariant"] for row in rows} >= {"no-write-below-epoch", "nothing-after-end"}
    assert all(row["Run"] == run and f"run audit {run}" in row["Remedy"] for row in rows)


def test_the_database_is_only_read(place: Path) -> None:
    carried_out(place)
    before = (place / FILE).read_bytes()

    main(["run", "check"])

    assert (place / FILE).read_bytes() == before


def test_without_a_database_there_is_nothing_to_check_and_none_is_made(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["run", "check"])

    assert (code, (place / FILE).exists()) == (0, False)
    assert capsys.readouterr().err == "0 runs checked: all in order\n"


def test_without_a_database_there_is_no_run_that_could_be_checked(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["run", "check", "01M8"])

    assert (code, (place / FILE).exists()) == (2, False)
    assert "there is no run `01M8`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(["01X"], 2, "there is no run `01X`", id="no such run"),
        pytest.param([], 3, "is not a database of runs of Stackward", id="another's database"),
    ],
)
def test_what_cannot_be_checked_is_refused(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, says: str
) -> None:
    if words:
        carried_out(place)
    else:
        changed(place, "CREATE TABLE theirs (id INTEGER)")

    assert main(["run", "check", *words]) == code
    assert says in capsys.readouterr().err


def test_what_is_no_database_cannot_be_read(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / FILE).write_text("no database at all, but text that is long enough\n" * 40)

    assert main(["run", "check"]) == 8
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("UPDATE events SET says = '{'", id="an event is cut off"),
        pytest.param("UPDATE attempts SET settled = 'perhaps'", id="an end that there is not"),
        pytest.param("UPDATE runs SET state = 'perhaps'", id="a state that there is not"),
        pytest.param("UPDATE runs SET approval = '[]'", id="no approval"),
    ],
)
def test_a_damaged_row_is_said_to_be_in_the_database_and_no_defect_of_ours(
    place: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    carried_out(place)
    changed(place, damage)

    assert main(["run", "check"]) == 8
    assert "the database of runs is damaged" in capsys.readouterr().err


def test_a_plan_whose_moves_are_none_is_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    carried_out(place)
    changed(
        place,
        """UPDATE runs SET plan = '{"stages": [{"name": "x", "moves": [1]}], "verify": []}'""",
    )

    assert main(["run", "check", "-f", "value", "-c", "Invariant"]) == 7
    assert capsys.readouterr().out.splitlines()[0] == "plan-readable"


def test_a_database_of_a_newer_version_is_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    carried_out(place)
    changed(place, "UPDATE journal_version SET version = 99")

    assert main(["run", "check"]) == 3
    assert "newer version" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_of_the_first_version_is_checked_as_it_is(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    """Its run was made by hand, without events: that is found, and nothing is migrated."""
    if kind == "sqlite":
        with closing(sqlite3.connect(place / FILE)) as file:
            file.executescript(OLD.read_text())
    else:
        server: Server = request.getfixturevalue("postgres")
        url = server.emptied_database()
        make_first_version(server, url)
        monkeypatch.setenv("STACKWARD_DATABASE", url)

    codes = [main(["run", "check", "-f", "value", "-c", "Run"]) for _ in range(2)]

    assert codes == [7, 7]
    assert set(capsys.readouterr().out.split()) == {"01M8AAAA"}
