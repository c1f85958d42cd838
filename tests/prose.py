"""All that people read of Stackward, as texts: paragraphs of pages, and the strings of the code.

What stands between backticks, blocks of code and what is filled in are left out: they are not ours
to word. The docstrings of commands are their help. What developers read, all other docstrings and
the comments, is apart.
"""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sources import parsed

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "src/stackward"
PAGES = (
    ROOT / "README.md",
    ROOT / "docs/index.md",
    *sorted((ROOT / "docs/guides").glob("*.md")),
    *sorted((ROOT / "docs/concepts").glob("*.md")),
)
# Programs and statements for other machines, and the words of others.
NO_PROSE = (
    "adapters/store/statements.py",
    "facts/on_node/",
    "status/on_node/",
    "lab/bake.py",
    "lab/bmc_server.py",
    "lab/clock_faults.py",
    "logs/formats.py",
    "adapters/store/tables.py",
    "model/boot_gate.py",
)
# What a person reads of each table of data.
DATA = {"anatomy": ("is",), "signatures/known": ("means", "remedy", "why")}
CODE = "X"  # stands for one word that is typed or filled in

_FENCE = re.compile(r"^( *)```.*?^\1```", re.DOTALL | re.MULTILINE)
_LIST = re.compile(r"^ *(?:[-*]|\d+\.) +")
_END = re.compile(r"(?<=[.!?;])\s+|\n\s*\n")
_WORD = re.compile(r"[A-Za-z0-9][\w'./-]*")


class Text(NamedTuple):
    """A text and where it begins; `path` is relative to the repository."""

    path: str
    line: int
    words: str


@cache
def texts() -> tuple[Text, ...]:
    """Read all of them, once in a process."""
    return (*pages(), *strings(), *tables())


@cache
def notes() -> tuple[Text, ...]:
    """Read the docstrings and comments of the code, once in a process."""
    return tuple(_notes())


def sentences(text: str) -> list[str]:
    """Cut a text into sentences; a semicolon ends one too: remedies are lists of steps."""
    return [one for one in _END.split(text) if one.strip()]


def length(sentence: str) -> int:
    """Count its words."""
    return len(_WORD.findall(sentence))


def plain(text: str) -> str:
    """Leave out what is typed or filled in, and where a link leads."""
    text = re.sub(r"\]\([^)]*\)", "", text.replace("[![", "").replace("[", ""))
    return re.sub(r"`[^`]*`|\{[^}]*\}", CODE, text).replace("**", "")


# --- pages ----------------------------------------------------------------------------------------


def pages() -> Iterator[Text]:
    """Return each paragraph, each item of a list and each cell of a table."""
    for page in PAGES:
        text = page.read_text()
        if page.name == "words.md":  # its last column has what a word never means
            text = re.sub(r"^(\| \*\*.*\|) [^|]* \|$", r"\1", text, flags=re.MULTILINE)
        for line, words in _paragraphs(text):
            yield Text(str(page.relative_to(ROOT)), line, plain(words))


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    text = _FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)
    begun, held = 0, list[str]()
    listed = False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        is_code = line.startswith("    ") and not listed and not held
        is_apart = not line.strip() or line.startswith(("|", "#")) or is_code
        if held and (is_apart or _LIST.match(line)):
            yield begun, " ".join(held)
            held = []
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line.strip("|"))
            yield from ((number, cell.strip()) for cell in cells if cell.strip(" -:"))
        elif line.startswith("#"):
            yield number, line.strip("# ")
        elif line.strip() and not is_code:
            begun = begun if held else number
            held.append(_LIST.sub("", line).strip())
        listed = bool(_LIST.match(line)) or (listed and line.startswith(" "))


# --- code -----------------------------------------------------------------------------------------


def strings() -> Iterator[Text]:
    """Return each string of the code that has words in it; one that is filled in is one text."""
    for path in sorted(HOUSE.rglob("*.py")):
        name = str(path.relative_to(HOUSE))
        if name.startswith(NO_PROSE):
            continue
        tree = parsed(path.read_text())
        for line, words in _strings(tree, helped=name.startswith("cli/")):
            if " " in words.strip():
                yield Text(f"src/stackward/{name}", line, plain(words))


def _strings(node: ast.AST, *, helped: bool) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.JoinedStr):
        parts = [
            str(part.value) if isinstance(part, ast.Constant) else CODE for part in node.values
        ]
        yield node.lineno, "".join(parts)
        for part in node.values:  # `f"{'one' if it else 'the other'}"`
            if isinstance(part, ast.FormattedValue):
                yield from _strings(part.value, helped=helped)
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.lineno, node.value
        return
    if _is_pattern(node):
        return
    for child in ast.iter_child_nodes(node):
        # A string that is a statement is a docstring: that of a command is its help.
        is_said = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if not is_said or (helped and _is_command(node)):
            yield from _strings(child, helped=helped)


def _notes() -> Iterator[Text]:
    for path in sorted(HOUSE.rglob("*.py")):
        name, source = str(path.relative_to(ROOT)), path.read_text()
        for node in ast.walk(parsed(source)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (
                words := ast.get_docstring(node)
            ):
                is_help = name.startswith("src/stackward/cli/") and _is_command(node)
                if not is_help:
                    yield Text(name, node.body[0].lineno, plain(words))
        for line, words in _comments(source):
            yield Text(name, line, plain(words))


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """Return the comments, those of lines that follow one another as one text."""
    held: list[str] = []
    begun = last = 0
    for each in tokenize.generate_tokens(io.StringIO(source).readline):
        if each.type != tokenize.COMMENT:
            continue
        line, words = each.start[0], each.string.lstrip("#: ")
        is_alone = not each.line[: each.start[1]].strip()
        if held and not (is_alone and line == last + 1):
            yield begun, " ".join(held)
            held = []
        if not held:
            begun = line
        held.append(words)
        last = line if is_alone else 0
    if held:
        yield begun, " ".join(held)


def _is_pattern(node: ast.AST) -> bool:
    """Say whether it is `re.compile(...)`: that has the words of others."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"


def _is_command(node: ast.AST) -> bool:
    """Say whether it is a command, or a group of commands: those are decorated."""
    return isinstance(node, ast.FunctionDef) and bool(node.decorator_list)


def tables() -> Iterator[Text]:
    """Return what the tables of data say to people."""
    for folder, keys in DATA.items():
        for path in sorted((HOUSE / folder).glob("*.toml")):
            for words in _values(tomllib.loads(path.read_text()), keys):
                yield Text(str(path.relative_to(ROOT)), 1, plain(words))


def _values(table: dict[str, object], keys: tuple[str, ...]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _values(value, keys)
        elif key in keys and isinstance(value, str):
            yield value
