"""The paths of moves and steps in the journal: what is stored, and that one module spells it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sources import walked
from stackward.plan.path import (
    Part,
    is_of,
    move_of,
    part_of,
    path_of_move,
    path_of_step,
    stage_of,
)

SOURCE = Path("src/stackward")
GRAMMAR = SOURCE / "plan" / "path.py"
WITHOUT_PATHS = {"model", "anatomy", "ports", "lab"}  # rooms below the grammar, and the lab's house
MEET_PATHS = {"run", "plan", "journal"}  # whoever imports of these can meet a path
CUTS = {"partition", "rpartition", "split", "rsplit", "startswith", "removeprefix"}


@pytest.mark.parametrize(
    ("part", "place", "stored"),
    [
        (Part.STEPS, 0, "move/web-3/0"),
        (Part.STEPS, 12, "move/web-3/12"),
        (Part.SLOW, 0, "move/web-3/slow-0"),
        (Part.INSTEAD, 3, "move/web-3/instead-3"),
        (Part.FAILED, 1, "move/web-3/failed-1"),
    ],
)
def test_a_path_is_stored_as_ever_and_read_back(part: Part, place: int, stored: str) -> None:
    path = path_of_step(path_of_move("move", "web-3"), place, part)

    assert path == stored
    assert (stage_of(path), move_of(path), part_of(path)) == ("move", "move/web-3", part)


@pytest.mark.parametrize("path", ["move/web-3/later-0", "move/web-3/slow-", "move/web-3/", "move"])
def test_a_part_that_this_version_does_not_know_is_none(path: str) -> None:
    assert part_of(path) is None


def test_a_step_is_of_its_own_move_and_not_of_one_whose_name_begins_alike() -> None:
    assert is_of("move/web-3/0", "move/web-3")
    assert not is_of("move/web-30/0", "move/web-3")


# --- nobody else spells them ---------------------------------------------------------------------


def spellings(source: str) -> Iterator[str]:
    """Return each expression that makes or cuts a path of the journal by itself."""
    words = tuple(part.value for part in Part if part.value)
    # What is said in a text for people is a sentence, and has a space.
    for node in walked(source):
        match node:
            case ast.Constant(value=str(text)) if " " not in text and any(
                text.lstrip("/").startswith(word) for word in words
            ):
                yield ast.unparse(node)
            case ast.JoinedStr(values=values) if _joins_by_a_slash(values):
                yield ast.unparse(node)
            case ast.Call(func=ast.Attribute(value=of, attr=cut), args=[first, *_]) if (
                cut in CUTS and _cuts_at_a_slash(cut, first) and _is_a_path(of)
            ):
                yield ast.unparse(node)


def _joins_by_a_slash(values: list[ast.expr]) -> bool:
    """Say whether an f-string is `{...}/{...}` or `{...}/` and nothing else, of a step or move."""
    shape = "".join("x" if isinstance(each, ast.FormattedValue) else _text(each) for each in values)
    is_path = shape.startswith("x/") and not set(shape) - set("x/0123456789-abcdefghijklmnop")
    return is_path and any(_is_a_path(each) for each in values)


def _is_a_path(of: ast.expr) -> bool:
    """Say whether the words of an expression are those of a path, a stage, a step or a move."""
    named = {
        each.id if isinstance(each, ast.Name) else each.attr
        for each in ast.walk(of)
        if isinstance(each, ast.Name | ast.Attribute)
    }
    keys = {each.value for each in ast.walk(of) if isinstance(each, ast.Constant)}
    words = {"path", "prefix", "stage", "step", "move", "at", "attempt", "event", "_path"}
    return bool((named | keys) & words)


def _cuts_at_a_slash(cut: str, argument: ast.expr) -> bool:
    match argument:
        case ast.Constant(value="/"):  # how a path of a file begins; none of ours does
            return not cut.endswith("startswith")
        case ast.Constant(value=str(text)):
            return text.endswith("/")
        case ast.JoinedStr(values=values):
            return _text(values[-1]).endswith("/")
        case _:
            return False


def _text(of: ast.expr) -> str:
    return str(of.value) if isinstance(of, ast.Constant) else ""


def _meets_paths(source: str) -> bool:
    modules = (each.module or "" for each in walked(source) if isinstance(each, ast.ImportFrom))
    return any(MEET_PATHS & set(module.split(".")) for module in modules)


def test_nobody_but_the_grammar_spells_a_path_of_the_journal() -> None:
    elsewhere = [
        f"{file}: {found}"
        for file in SOURCE.rglob("*.py")
        if file != GRAMMAR
        and file.relative_to(SOURCE).parts[0] not in WITHOUT_PATHS
        and _meets_paths(file.read_text("utf-8"))
        for found in spellings(file.read_text("utf-8"))
    ]

    assert elsewhere == []


@pytest.mark.parametrize(
    "spelled",
    [
        'f"{stage.name}/{move.key}"',
        """f"{stage['name']}/{move['thing_id']}\"""",
        'f"{path}/{place}"',
        'f"{path}/0"',
        'f"{path}/slow-{place}"',
        'f"{stage.name}/{move.key}/{prefix}{place}"',
        'attempt.step.rpartition("/")[0]',
        'attempt.step.startswith(f"{HA_OFF}/")',
        'event.step.split("/")',
        '"/slow-" in said',
        'has_begun(it, "failed-")',
    ],
)
def test_the_walk_finds_a_path_that_is_spelled_by_hand(spelled: str) -> None:
    assert list(spellings(spelled))
