"""The glossary, `docs/concepts/words.md`: a word has one meaning, and each word is explained."""

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from prose import PAGES, texts
from sources import walked
from stackward.model.health import State
from stackward.model.run import RunState
from stackward.model.sureness import Sureness

ROOT = Path(__file__).parents[2]
LANGUAGE = tomllib.loads((ROOT / "tests/docs/language.toml").read_text())
NEVER = [word["never"] for word in LANGUAGE["word"]]


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


def each_word(part: str) -> list[str]:
    """Return the words that a part of the page explains, in its order."""
    rows = re.findall(r"^\| \*\*(.*?)\*\*(?: \(.*?\))? \|", part, re.MULTILINE)
    return [word for row in rows for word in re.split(r", | / ", row)]


def words_of(part: str) -> set[str]:
    """Return them without their order."""
    return set(each_word(part))


PAGE = (ROOT / "docs/concepts/words.md").read_text()
NOW, LATER_ON = PAGE.split(LATER)


@pytest.mark.parametrize(
    "word",
    ["operation", "track", "hold", "claim", "witness", "observation", "plan", "run", "chain"],
)
def test_a_word_of_the_code_is_explained(word: str) -> None:
    assert word in words_of(NOW)


def in_outputs() -> set[str]:
    """Return the terms that outputs use: the states that code declares, and those of the list."""
    states = {str(each) for kind in (RunState, State, Sureness) for each in kind}
    return {*states, *LANGUAGE["terms"]}


def test_each_term_of_the_outputs_has_one_entry() -> None:
    entries = Counter(each_word(PAGE))

    assert in_outputs() - set(words_of(NOW)) == set()
    assert [word for word, count in entries.items() if count > 1] == []


def is_used(word: str, text: str) -> bool:
    """Say whether the word or a form of it is in a text: "evacuated", "live migration"."""
    stems = [re.escape(part.removesuffix("e")) for part in re.split("[- ]", word)]
    return bool(re.search(r"\b" + r"\w*[- ]".join(stems), text, re.IGNORECASE))


def test_each_entry_is_used() -> None:
    """In what people read; the glossary itself is left out."""
    page = "docs/concepts/words.md"
    read = "\n".join(text.words for text in texts() if text.path != page)

    assert [word for word in each_word(NOW) if not is_used(word, read)] == []
    assert [word for word in LANGUAGE["terms"] if not is_used(word, outputs())] == []


def outputs() -> str:
    """Return the strings of the code and of its tables."""
    return "\n".join(text.words for text in texts() if text.path.startswith("src/"))


def test_pages_link_to_the_glossary() -> None:
    """Once in a page, where its first terms are."""
    without = [
        str(page.relative_to(ROOT))
        for page in PAGES
        if page.name != "words.md" and "words.md)" not in page.read_text()
    ]

    assert sorted(without) == sorted(LANGUAGE["unlinked"])


def test_a_word_that_is_kept_for_later_is_no_name_of_anything_yet() -> None:
    """Once something has the name, its row stands in another table: it is there to be used."""
    later = words_of(LATER_ON)
    classes = {
        node.name.lower()
        for path in (ROOT / "src").rglob("*.py")
        for node in walked(path.read_text())
        if isinstance(node, ast.ClassDef)
    }

    assert "rebalance" in later
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
