"""What the tests promise: `kept.txt` has their names, and how many tests of that name there were.

It was made when the fast tests were cut down, so that none is lost by another cut. A test that gets
another name has it changed there. One that goes, or has fewer parameters, is an entry of
`moved.toml`, with what keeps its promise now. A new test needs no line.
"""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
KEPT, MOVED = Path(__file__).with_name("kept.txt"), Path(__file__).with_name("moved.toml")

collected = pytest.StashKey[Counter[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Count all tests that were found, before any are left out; of one that was named, none."""
    whole = [] if any("::" in each for each in config.args) else items
    config.stash[collected] = Counter(item.nodeid.partition("[")[0] for item in whole)


@dataclass(frozen=True)
class Moved:
    """Promises that others keep now: how many tests of each name are left, and who keeps them."""

    why: str
    by: tuple[str, ...]
    left: dict[str, int]


def promises(text: str) -> Iterator[tuple[str, int]]:
    """Return each name as pytest has it, and how many tests it had."""
    file = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            file = line
            continue
        name, _, count = line.strip().partition(" ")
        yield f"{file}::{_whole(name)}", int(count or 1)


def moves(text: str) -> Iterator[Moved]:
    """Return what is kept elsewhere."""
    for one in tomllib.loads(text)["moved"]:
        left = {
            f"{file}::{_whole(name)}": count
            for file, names in one["left"].items()
            for name, count in names.items()
        }
        yield Moved(one["why"], tuple(one["by"]), left)


def _whole(name: str) -> str:
    return name if "::" in name else f"test_{name}"


def is_there(promise: str) -> bool:
    """Say whether a test of that name is written; one of a class may come from what it extends."""
    file, *classes, name = promise.split("::")
    path = TESTS / file
    if not path.exists():
        return False
    if not classes:
        return name in _names(path)
    return classes[0] in _names(path) and any(
        name in _names(each) for each in path.parent.glob("*.py")
    )


@cache
def _names(path: Path) -> frozenset[str]:
    walked = ast.walk(ast.parse(path.read_text("utf-8")))
    return frozenset(n.name for n in walked if isinstance(n, ast.FunctionDef | ast.ClassDef))


def lost(
    before: Iterator[tuple[str, int]], moved: Sequence[Moved], counts: Counter[str]
) -> Iterator[str]:
    """Return each promise that nobody keeps, and each of which fewer tests were found."""
    left = {promise: count for one in moved for promise, count in one.left.items()}
    for promise, count in before:
        least = left.get(promise, count)
        if least and not is_there(promise):
            yield f"{promise}: there is no such test"
        elif 0 < counts[f"tests/{promise}"] < least:
            yield f"{promise}: {counts[f'tests/{promise}']} tests; there were {least}"
