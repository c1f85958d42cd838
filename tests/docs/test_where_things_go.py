"""The files and commands that CONTRIBUTING and ARCHITECTURE name are there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "src/stackward"
GUIDE = (ROOT / "CONTRIBUTING.md").read_text().split("## Where things go", maxsplit=1)[1]
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

SUBJECTS = ["component of a cloud", "rule", "step", "check", "operation", "fault"]


def code_in(text: str) -> list[str]:
    """Return what stands between backticks, and not in a block of its own."""
    return re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    )


def missing(text: str, *places: Path) -> list[str]:
    """Return the files that a text names, and that are in none of the places nor anywhere below.

    What is named with its folder is there; a bare name is that of some file.
    """
    words = [word for code in code_in(text) for word in code.split()]
    named = [word for word in words if re.fullmatch(r"(?!/|\.|-)[\w.*/-]+(/|\.(py|toml|md))", word)]
    return [
        name
        for name in named
        if not any(
            next(place.glob(name) if "/" in name else place.rglob(name), None) for place in places
        )
    ]


def commands_in(text: str) -> Iterator[tuple[str, list[str]]]:
    """Return each command of a proof: its program, and its words."""
    for line in re.findall(r"^- Proof: (.+)$", text, re.MULTILINE):
        for code in code_in(line):
            program, *words = [word for word in code.split() if "=" not in word]
            yield program, words


def part_of(subject: str) -> str:
    """Return what is said of one kind of thing."""
    [found] = re.findall(
        rf"^\*\*An? {subject}\*\*.*?(?=^\*\*An? |^And the rest)", GUIDE, re.DOTALL | re.MULTILINE
    )
    return str(found)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_of_each_kind_of_thing_its_files_are_there(subject: str) -> None:
    part = part_of(subject)

    assert re.search(r"`(src|tests)/", part)
    assert missing(part, ROOT, HOUSE / "operations") == []


@pytest.mark.parametrize("subject", SUBJECTS)
def test_of_each_kind_of_thing_a_command_proves_it(subject: str) -> None:
    commands = [*commands_in(part_of(subject))]

    assert [program for program, _ in commands][:1] == [".venv/bin/pytest"]
    for program, words in commands:
        assert program in {".venv/bin/pytest", "make"}
        known = TARGETS if program == "make" else {it for it in words if (ROOT / it).exists()}
        assert set(words) <= known


def test_every_file_that_is_named_is_there() -> None:
    assert missing(GUIDE, ROOT, HOUSE / "operations") == []
    assert missing(ARCHITECTURE, ROOT, HOUSE) == []


@pytest.mark.parametrize(
    "named",
    ["`src/stackward/steps/no.py`", "`tests/no/*.py`", "run `tests/no/` so", "`no_such.py`"],
)
def test_a_file_that_is_not_there_is_found(named: str) -> None:
    assert len(missing(named, ROOT, HOUSE)) == 1


def test_both_ways_through_the_house_are_followed() -> None:
    """A change of how a drain or a check goes is a change of the page."""
    heads = re.findall(r"^## (.+)$", ARCHITECTURE, re.MULTILINE)

    assert "An operation: `stackward node drain NODE`" in heads
    assert "A check: `stackward cloud check`" in heads
