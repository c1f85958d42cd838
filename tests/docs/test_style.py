"""What STYLE says of the code is so: rooms, who catches everything, threads, the example."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import a_node, a_server, a_service, asking
from sources import walked
from stackward.kinds import KINDS
from stackward.plan import from_json, to_json

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "src/stackward"
STYLE = (ROOT / "STYLE.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
TO_COME = {"diagnosis", "web"}  # rooms that STYLE has a place for, and nothing fills yet


def code_in(text: str) -> list[str]:
    """Return what stands between backticks."""
    return re.findall(r"`([^`\n]+)`", text)


# --- the rooms ----------------------------------------------------------------------------------


def layers(lines: Iterable[str]) -> list[set[str]]:
    """Return the rooms of each line, those to come left out."""
    rooms = [set(re.findall(r"[a-z]+", line)) - TO_COME for line in lines]
    return [each for each in rooms if each]


def contract() -> list[set[str]]:
    """Return the layers that import-linter proves."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [found] = [it for it in settings["tool"]["importlinter"]["contracts"] if it["type"] == "layers"]
    return layers(found["layers"])


def test_style_has_the_rooms_that_are_proved_in_their_order() -> None:
    [block] = re.findall(r"^```\n(cli \| web\n.*?)^```", STYLE, re.DOTALL | re.MULTILINE)

    assert layers(block.splitlines()) == contract()


@pytest.mark.parametrize("page", ["ARCHITECTURE", "STYLE"])
def test_each_room_has_its_sentence(page: str) -> None:
    text = ARCHITECTURE if page == "ARCHITECTURE" else STYLE
    # Of each line the names that it begins with: `cli/  web/   where a person comes in`.
    pattern = r"^    ([a-z]+ +)\S" if page == "ARCHITECTURE" else r"^│   [├└]── ((?:[\w.]+/?\s+)+)"
    said = {
        room
        for found in re.findall(pattern, text, re.MULTILINE)
        for room in re.findall(r"([a-z]+)(?:/|\.py)" if page == "STYLE" else r"[a-z]+", found)
    }

    assert said - TO_COME == set[str]().union(*contract())


# --- who may do what ----------------------------------------------------------------------------


def files_of(head: str) -> set[str]:
    """Return the files that a table of STYLE has in its first column."""
    rows = STYLE.split(head, maxsplit=1)[1].split("\n\n", maxsplit=1)[0]
    return {it for row in re.findall(r"^ *\| (`.+?) \|", rows, re.MULTILINE) for it in code_in(row)}


def sources() -> Iterator[tuple[str, tuple[ast.AST, ...]]]:
    """Return what is in each module, but in those of the lab and of what runs on a node itself."""
    for path in sorted(HOUSE.rglob("*.py")):
        name = str(path.relative_to(HOUSE))
        if not name.startswith(("lab/", "facts/on_node/", "status/on_node/")):
            yield name, walked(path.read_text())


def catches_all(node: ast.AST) -> bool:
    """Say whether this is an `except` that lets no exception pass."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = [it.id for it in ast.walk(node.type) if isinstance(it, ast.Name)] if node.type else []
    return node.type is None or bool({"Exception", "BaseException"} & set(caught))


def imports(node: ast.AST) -> set[str]:
    """Return the packages that a statement imports."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    return {str(node.module).split(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def test_whatever_catches_every_exception_is_in_the_list_of_style() -> None:
    found = {name for name, nodes in sources() for node in nodes if catches_all(node)}

    assert found == files_of("| `except Exception` in |")


def test_whatever_knows_of_threads_is_in_the_list_of_style() -> None:
    threads = {"threading", "concurrent", "multiprocessing", "asyncio", "queue"}
    found = {name for name, nodes in sources() for node in nodes if imports(node) & threads}

    assert found == files_of("| Threads in |")


# --- the example ----------------------------------------------------------------------------------


def example() -> dict[str, Any]:
    """Run the module that section 4 shows, and return what it defines."""
    section = STYLE.split("## 4. How an operation reads", maxsplit=1)[1]
    [source, *_] = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    exec(compile(source, "STYLE.md", "exec"), names)  # noqa: S102  # our own page
    return names


def test_the_plan_that_is_shown_is_a_plan() -> None:
    servers = (a_server(name="web-1"), a_server("SHUTOFF", name="web-2"))

    plan = example()["plan_drain"](a_node(*servers), asking())

    assert [move.how for _, move in plan.moves()] == ["cordon", "live", "cold"]
    assert plan.blockers == ()
    assert from_json(to_json(plan), KINDS) == plan


def test_what_it_does_not_know_blocks_in_the_words_of_the_rules() -> None:
    node = a_node(a_server("TELEPORTED"), service=a_service(is_up=False))

    plan = example()["plan_drain"](node, asking())

    assert [each.worry for each in plan.blockers] == ["unknown-status", "node-down"]
