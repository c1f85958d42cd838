"""A word has one meaning: what `docs/concepts/words.md` says it never means, no text says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("policy", "report", "cli", "engine", "steps", "checks", "status", "operations", "plan")
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


def texts() -> Iterator[tuple[str, str]]:
    """Return where a text stands, and the text: what the code says, all help, and the pages."""
    for room in ROOMS:
        for path in sorted((ROOT / "src/stackward" / room).rglob("*.py")):
            tree = ast.parse(path.read_text())
            inner = {
                id(node.value)
                for node in ast.walk(tree)
                # The help of a command is its docstring; that of others is read by programmers.
                if isinstance(node, ast.Expr) and room != "cli"
            }
            for node in ast.walk(tree):
                if not isinstance(node, ast.Constant) or id(node) in inner:
                    continue
                if isinstance(node.value, str) and " " in node.value:
                    yield f"{room}/{path.name}:{node.lineno}", node.value
    for page in PAGES:
        for number, line in enumerate(page.read_text().splitlines(), 1):
            if page.name != "words.md" or not line.startswith("| **"):  # there they are forbidden
                yield f"{page.name}:{number}", line


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

    # An action is Nova's, and an operation is what a runbook is: both have meanings of their own.
    assert sorted(word for word in plain if not tested.fullmatch(word)) == ["action", "operation"]
