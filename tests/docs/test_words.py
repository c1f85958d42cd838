"""The glossary, `docs/concepts/words.md`: a word has one meaning, and each word is explained."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from sources import walked

ROOT = Path(__file__).parents[2]
NEVER = [
    word["never"] for word in tomllib.loads((ROOT / "tests/docs/language.toml").read_text())["word"]
]


def test_the_words_that_are_tested_are_those_of_the_page() -> None:
    """`test_language.py` looks for them in all texts."""
    page = (ROOT / "docs/concepts/words.md").read_text()
    rows = re.findall(r"^\| \*\*(.*?)\*\* \| .* \| (.*?) \|$", page, re.MULTILINE)
    plain = {
        word
        for named, never in rows
        if named.split(",")[0] in {"finding", "plan", "run", "wave"}
        for word in never.split(", ")
    }
    tested = re.compile("|".join(NEVER))

    # An action is Nova's: that is what its API calls it.
    assert sorted(word for word in plain if not tested.fullmatch(word)) == ["action"]


LATER = "## Words that are kept for what comes"


def words_of(part: str) -> set[str]:
    """Return the words that a part of the page explains."""
    rows = re.findall(r"^\| \*\*(.*?)\*\*", part, re.MULTILINE)
    return {word for row in rows for word in re.split(r", | / ", row)}


@pytest.mark.parametrize(
    "word",
    ["operation", "track", "hold", "claim", "witness", "observation", "plan", "run", "chain"],
)
def test_a_word_of_the_code_is_explained(word: str) -> None:
    assert word in words_of((ROOT / "docs/concepts/words.md").read_text().split(LATER)[0])


def test_a_word_that_is_kept_for_later_is_no_name_of_anything_yet() -> None:
    """Once something has the name, its row stands in the first table: it is there to be used."""
    later = words_of((ROOT / "docs/concepts/words.md").read_text().split(LATER)[1])
    classes = {
        node.name.lower()
        for path in (ROOT / "src").rglob("*.py")
        for node in walked(path.read_text())
        if isinstance(node, ast.ClassDef)
    }

    assert later == {"gate"}
    assert later & classes == set()


def test_nothing_that_is_read_or_written_here_is_called_a_runbook() -> None:
    """The decisions keep the words of their time; of an alert it is Prometheus' own word."""
    older = {"docs/adr/0019-an-operation-is-a-folder.md", "docs/concepts/words.md"}
    older |= {"tests/docs/language.toml"}  # which forbids it
    alerts = {"docs/examples/stackward-alerts.yaml", "docs/examples/stackward-alerts-test.yaml"}
    files = [
        path
        for place in ("src", "tests", "docs", "bench")
        for path in (ROOT / place).rglob("*")
        if path.suffix in {".py", ".md", ".toml", ".yaml"} and path != Path(__file__)
    ]

    said = {
        str(path.relative_to(ROOT))
        for path in [*files, *ROOT.glob("*.md")]
        if "runbook" in path.name or "runbook" in path.read_text().lower()
    }

    assert said == older | alerts
