"""A word has one meaning: what `docs/concepts/words.md` says it never means, no text says."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from sources import walked

ROOT = Path(__file__).parents[2]
ROOMS = (
    "policy",
    "health",
    "report",
    "cli",
    "engine",
    "steps",
    "checks",
    "status",
    "operations",
    "plan",
)
PAGES = [
    ROOT / "README.md",
    ROOT / "docs/index.md",
    *sorted(ROOT.glob("docs/guides/*.md")),
    *sorted(ROOT.glob("docs/concepts/*.md")),
]

# Each with the word that is meant. A text that also has the third speaks of another thing, which
# has the word for its own name: libvirt's jobs, Nova's task state, tasks of the kernel.
NEVER = {
    r"undrain\w*|un-drain\w*": ("return to service", None),
    r"runbooks?": ("operation", None),
    r"issues?": ("finding", "token"),  # which Keystone issues
    r"problems?": ("finding", None),
    r"jobs?": ("run", "libvirt"),
    r"workflows?": ("run", None),
    r"tasks?": ("step", "Nova|nova|hung tasks|operator with a"),
    r"batch(?:es)?": ("wave", None),
    r"VMs?|virtual machines?": ("server", "wall clock"),  # the machine that a lab was timed on
    r"workloads?": ("server", None),
    r"compute hosts?": ("compute node", None),
}


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Read them once: each word is looked for in all of them."""
    return tuple(_read_texts())


def _read_texts() -> Iterator[tuple[str, str]]:
    """Return where a text stands, and the text: what the code says, all help, and the pages."""
    for room in ROOMS:
        for path in sorted((ROOT / "src/stackward" / room).rglob("*.py")):
            nodes = walked(path.read_text())
            inner = {
                id(node.value)
                for node in nodes
                # The help of a command is its docstring; that of others is read by programmers.
                if isinstance(node, ast.Expr) and room != "cli"
            }
            for node in nodes:
                if not isinstance(node, ast.Constant) or id(node) in inner:
                    continue
                if isinstance(node.value, str) and " " in node.value:
                    yield f"{room}/{path.name}:{node.lineno}", node.value
    for page in PAGES:
        for number, line in enumerate(page.read_text().splitlines(), 1):
            if page.name != "words.md" or not line.startswith("| **"):  # there they are forbidden
                yield f"{page.name}:{number}", line


@cache
def _plain(text: str) -> str:
    """Leave out what is typed or filled in."""
    return re.sub(r"`[^`]*`|\{[^}]*\}", "", text)


@pytest.mark.parametrize("never", NEVER)
def test_no_text_uses_a_word_that_is_never_to_be_used(never: str) -> None:
    meant, unless = NEVER[never]

    said = [
        f"{where}: {text}; say {meant}"
        for where, text in texts()
        if re.search(rf"(?<![\w-])(?:{never})(?![\w-])", _plain(text), re.IGNORECASE)
        and not (unless and re.search(unless, text))
    ]

    assert said == []


def test_the_texts_are_read() -> None:
    """Of each place some: a walk that finds nothing would find no wrong word either."""
    places = {where.split("/", maxsplit=1)[0].split(":", maxsplit=1)[0] for where, _ in texts()}

    assert set(ROOMS) | {page.name for page in PAGES} <= places


def test_the_words_that_are_tested_are_those_of_the_page() -> None:
    """The page forbids them in quotation marks or plainly; here each has its pattern."""
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
    """The decisions say what was so when they were made; of an alert it is Prometheus' own word."""
    older = {"docs/adr/0019-an-operation-is-a-folder.md", "docs/concepts/words.md"}
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
