"""The table of mutants fits the code, and what counts as caught is caught by a test."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from mutants.run import who_failed
from mutants.table import HOUSE, ROOT, TABLE, Mutant, all_mutants, misfits, read_table

LEAST = 30
# Rooms in which nothing can go wrong that an operator would see.
WITHOUT = {"overriding": "it has no code but for checkers"}

MADE_UP = Mutant(
    name="made up",
    file="app/made_up.py",
    there="1 < 2",
    instead="2 < 1",
    so="nothing",
    caught_by=("test_made_up.py::test_so",),
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a source tree that the made-up mutant fits."""
    for place, text in (
        ("src/stackward/app/made_up.py", "SO = 1 < 2\n"),
        ("tests/test_made_up.py", "def test_so() -> None: ...\n"),
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text)
    return tmp_path


def rooms() -> set[str]:
    """Return the rooms of the contract that import-linter proves, as far as they are there yet."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [found] = [it for it in settings["tool"]["importlinter"]["contracts"] if it["type"] == "layers"]
    named = {room.strip(" ()") for line in found["layers"] for room in line.split("|")}
    return {each for each in named if any((ROOT / HOUSE).glob(f"{each}*"))}


def test_each_mutant_fits_the_code_and_has_its_tests() -> None:
    assert list(misfits(all_mutants())) == []


def test_there_are_enough_of_them() -> None:
    assert len(all_mutants()) >= LEAST


def test_each_room_has_one_or_a_reason_for_none() -> None:
    theirs = {each.room for each in all_mutants()}

    assert rooms() - theirs == WITHOUT.keys()
    assert theirs <= rooms()


def test_one_that_fits_is_no_misfit(tree: Path) -> None:
    assert list(misfits([MADE_UP], tree)) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"there": "2 < 3"}, "its text is 0 times in", id="the text is gone"),
        pytest.param({"there": " "}, "its text is 4 times in", id="the text is there twice"),
        pytest.param({"file": "app/no.py"}, "there is no `app/no.py`", id="the file is gone"),
        pytest.param({"instead": "1 <"}, "is no Python", id="what it makes cannot be read"),
        pytest.param({"instead": "1  <  2"}, "it changes nothing", id="it changes nothing"),
        pytest.param({"so": ""}, "it does not say what", id="nobody knows what it is for"),
        pytest.param({"caught_by": ()}, "it does not say what", id="no test is named"),
        pytest.param({"caught_by": ("no",)}, "there is no `tests/no`", id="the folder is gone"),
        pytest.param(
            {"caught_by": ("test_made_up.py::test_no",)}, "has no test", id="the test is gone"
        ),
    ],
)
def test_one_that_does_not_fit_is_told(
    change: dict[str, str | tuple[str, ...]], says: str, tree: Path
) -> None:
    mutant = replace(MADE_UP, **change)  # type: ignore[arg-type]  # texts, and a tuple of them

    [told] = misfits([mutant], tree)

    assert says in told
    assert "`made up`" in told


def test_two_of_one_name_are_told(tree: Path) -> None:
    assert list(misfits([MADE_UP, MADE_UP], tree)) == ["two mutants are called `made up`"]


def test_the_table_is_read_as_it_is_written() -> None:
    first, *_ = read_table(TABLE.read_text("utf-8"))

    assert first.name == "one thing is counted as many"
    assert first.place(ROOT).is_file()
    assert first.tests == ("tests/test_wording.py",)


# --- what counts as caught ------------------------------------------------------------------------


def report(pytester: pytest.Pytester, source: str) -> Path:
    """Return the report of one run of tests."""
    place = pytester.path / "report.xml"
    pytester.makepyfile(test_it=source)
    pytester.runpytest_inprocess("-x", "-o", "junit_family=xunit1", f"--junitxml={place}")
    return place


def test_a_test_that_fails_has_caught_it(pytester: pytest.Pytester) -> None:
    test, _ = who_failed(report(pytester, "def test_so(): assert 2 < 1"))

    assert test == "test_it.py::test_so"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("import no_such_module", id="it cannot be collected"),
        pytest.param("def test_so(): import no_such_module", id="an import is broken"),
        pytest.param("def test_so(): return no_such_name", id="a name is missing"),
        pytest.param("def test_so(no_such_fixture): ...", id="it cannot be set up"),
        pytest.param("def test_so(): ...", id="it passes"),
        pytest.param("", id="there is none"),
    ],
)
def test_nothing_else_has(source: str, pytester: pytest.Pytester) -> None:
    test, why = who_failed(report(pytester, source))

    assert test is None
    assert why
