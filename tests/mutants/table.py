"""The table of defects: small wrong changes of the code, and the tests that must fail by each.

The entries are in `table.toml`. This reads them, and says where one no longer fits the code.
"""

import ast
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sources import parsed

ROOT = Path(__file__).parents[2]
HOUSE = "src/stackward"
TABLE = Path(__file__).with_name("table.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One defect."""

    name: str
    file: str  # below `src/stackward`
    there: str  # the text that is there, exactly once
    instead: str  # the text that replaces it
    so: str  # what would then happen to an operator
    caught_by: tuple[str, ...]  # folders, files or single tests, below `tests`

    @property
    def room(self) -> str:
        """Return the room that it is in."""
        return self.file.partition("/")[0].removesuffix(".py")

    @property
    def tests(self) -> tuple[str, ...]:
        """Return what pytest is given."""
        return tuple(f"tests/{each}" for each in self.caught_by)

    def place(self, root: Path) -> Path:
        """Return its file in a copy of the source tree."""
        return root / HOUSE / self.file

    def applied(self, text: str) -> str:
        """Return the text of its file with the defect."""
        return text.replace(self.there, self.instead)


def read_table(text: str) -> tuple[Mutant, ...]:
    """Read the table."""
    return tuple(
        Mutant(**{**entry, "caught_by": tuple(entry["caught_by"])})
        for entry in tomllib.loads(text)["mutant"]
    )


def all_mutants() -> tuple[Mutant, ...]:
    """Return all mutants."""
    return read_table(TABLE.read_text("utf-8"))


def misfits(mutants: Sequence[Mutant], root: Path = ROOT) -> Iterator[str]:
    """Say where the table no longer fits the code and the tests."""
    names = [each.name for each in mutants]
    for name in sorted({each for each in names if names.count(each) > 1}):
        yield f"two mutants are called `{name}`"
    for each in mutants:
        yield from (f"`{each.name}`: {what}" for what in _wrong_with(each, root))


def _wrong_with(mutant: Mutant, root: Path) -> Iterator[str]:
    if not mutant.so or not mutant.caught_by:
        yield "it does not say what would happen, or which tests must fail"
    for each in mutant.tests:
        file, _, test = each.partition("::")
        if not (root / file).exists():
            yield f"there is no `{file}`"
        elif test and f"def {test.partition('[')[0].rpartition('::')[2]}(" not in (
            root / file
        ).read_text("utf-8"):
            yield f"`{file}` has no test `{test}`"
    place = mutant.place(root)
    if not place.is_file():
        yield f"there is no `{mutant.file}`"
        return
    text = place.read_text("utf-8")
    if (count := text.count(mutant.there)) != 1:
        yield f"its text is {count} times in `{mutant.file}`, and must be there once"
        return
    if place.suffix == ".py":
        try:
            changed = ast.parse(mutant.applied(text))
        except SyntaxError as error:
            yield f"what it makes of `{mutant.file}` is no Python: {error}"
            return
        first = text.count("\n", 0, text.index(mutant.there)) + 1
        if _is_same(parsed(text), changed, first):
            yield "it changes nothing"


def _is_same(one: ast.Module, other: ast.Module, first: int) -> bool:
    """Compare two modules whose texts are the same before their line `first`.

    The statements before it are the same too, and to write down all of a module takes long.
    """
    below = [
        [each for each in tree.body if (each.end_lineno or 0) >= first] for tree in (one, other)
    ]
    return len(below[0]) == len(below[1]) and all(
        ast.dump(here) == ast.dump(there) for here, there in zip(*below, strict=True)
    )
