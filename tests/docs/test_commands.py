"""Every command that a remedy, a hint or a page names exists, with its verb and its flags."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from sources import walked
from stackward import cli
from stackward.health import symptoms
from stackward.operations import every_rule
from stackward.policy import volumes
from stackward.status import stuck

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOOLS = tomllib.loads((HERE / "commands.toml").read_text())
BLOCK_LINE = re.compile(
    r"^(?: {4,}|\$ | *- )?\$?((?:stackward|openstack|nova-manage|systemctl|rabbitmqctl|virsh) .*)$",
    re.MULTILINE,
)
SPAN = re.compile(r"`([^`\n]+)`")
WORD = re.compile(r"[a-z][a-z0-9_-]+")

PLUGINS = {
    "baremetal",
    "notification",
    "segment",
    "resource",
}  # of openstackclient: the lists of their commands are TOOLS


def openstack() -> dict[str, set[str]]:
    """Return the commands of the client with their flags."""
    lines = [each for each in (HERE / "openstack.txt").read_text().splitlines() if each[0] != "#"]
    return {name: set(flags.split()) for name, _, flags in (each.partition(":") for each in lines)}


OPENSTACK = openstack()
OF_ALL = {"-f", "-c", "--format", "--column", "--help", "--os-cloud", "--os-compute-api-version"}


def advised() -> Iterator[tuple[str, str]]:
    """Return what the rules advise: where from, and the words."""
    yield from ((f"blocker {each.name}", each.remedy) for each in every_rule())
    yield from ((f"finding {each.name}", each.remedy) for each in symptoms.ALL)
    yield from ((f"stuck state {each.name}", each.remedy) for each in stuck.ALL)
    yield from ((f"volume {each.status}", each.advice) for each in volumes.ALL.values())


def said() -> Iterator[tuple[str, str]]:
    """Return every text of the code, its docstrings aside; what is filled in becomes X."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        nodes = walked(path.read_text())
        place = str(path.relative_to(ROOT))
        docstrings = {
            id(node.value)
            for node in nodes
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in nodes:
            if isinstance(node, ast.JoinedStr):
                yield place, "".join(map(_part, node.values))
            elif isinstance(node, ast.Constant) and id(node) not in docstrings:
                yield place, node.value if isinstance(node.value, str) else ""


def _part(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "X"


def written() -> Iterator[tuple[str, str]]:
    """Return the pages."""
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        yield str(path.relative_to(ROOT)), path.read_text()


def shown() -> Iterator[tuple[str, str]]:
    """Return the commands in the blocks of the pages, each as if it stood in backticks."""
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        text = path.read_text().replace("\\\n", " ")
        for line in BLOCK_LINE.findall(text):
            yield str(path.relative_to(ROOT)), f"`{re.split(r'  +#|[`;>&]', line)[0].strip()}`"


def commands_in(text: str) -> Iterator[list[str]]:
    """Return each command in backticks: one for each part of a pipe, and for each of `a|b`."""
    for span in SPAN.findall(text):
        for part in span.split(" | "):
            plain = re.sub(r'"[^"]*"|\S*://\S*|\{[^}]*\}', "X", part)
            choices = [word.split("|") for word in plain.split()]
            for words in map(list, product(*choices)):
                if words[:2] == ["sudo", "-n"]:
                    yield words[2:]
                elif words:
                    yield words[1:] if words[0] == "sudo" else words


def wrong_with(words: list[str]) -> str | None:
    """Say what is wrong with a command; None where it exists, or where it is no command."""
    program, *rest = words or [""]
    if program == "stackward":
        return _wrong_with_ours(rest)
    if program == "openstack":
        return _wrong_with_openstack(rest)
    if program in TOOLS:
        return _wrong_with_a_tool(program, rest)
    return None


@cache
def ours() -> object:
    """Return the command `stackward`."""
    return typer.main.get_command(cli.app)


def _wrong_with_ours(words: list[str]) -> str | None:
    command, rest = ours(), iter(words)
    for word in rest:
        if word == "--":
            return wrong_with([*rest])  # what follows is another command
        if word.startswith("--"):
            by_flag = {
                flag: one
                for one in command.params  # type: ignore[attr-defined]  # typer's own click
                for flag in (*one.opts, *one.secondary_opts)
            }
            flag, has_value, _ = word.partition("=")
            if flag not in {*by_flag, "--help"}:
                return f"there is no flag {flag}"
            if not has_value and flag in by_flag and not by_flag[flag].is_flag:
                next(rest, None)
        elif isinstance(command, TyperGroup) and not word.startswith("-"):
            if word in {"X", "...", "SUBJECT", "COMMAND"}:
                return None
            command = command.get_command(typer.Context(command), word)
            if command is None:
                return f"there is no `{word}` in `stackward {' '.join(words)}`"
            if word in {"exec", "ssh"}:
                return None  # what follows is somebody else's command
    return None


def _wrong_with_openstack(words: list[str]) -> str | None:
    if words and words[0] in PLUGINS:
        return _wrong_with_a_tool(words[0], words[1:])
    plain = [word for word in words if not word.startswith("-")]
    names = [" ".join(plain[:count]) for count in range(len(plain), 0, -1)]
    name = next((each for each in names if each in OPENSTACK), None)
    if name is None:
        is_placeholder = "X" in plain[:2] or "..." in plain[:2]
        return None if is_placeholder or not plain else f"there is no `{' '.join(plain)}`"
    flags = [word.partition("=")[0] for word in words if word.startswith("-")]
    unknown = [each for each in flags if each not in OPENSTACK[name] | OF_ALL]
    return f"`{name}` has no {', '.join(unknown)}" if unknown else None


def _wrong_with_a_tool(program: str, words: list[str]) -> str | None:
    tool = TOOLS[program]
    plain = [word for word in words if not word.startswith("-")]
    verbs = [" ".join(plain[:count]) for count in (1, 2, 3)]
    is_named = bool(plain) and plain[0] not in {"X", "..."}
    if is_named and "verbs" in tool and not {*verbs} & {*tool["verbs"]}:
        return f"`{program}` has no verb `{plain[0]}`"
    flags = [word.partition("=")[0] for word in words if word.startswith("-")]
    unknown = [each for each in flags if each not in tool.get("flags", flags)]
    return f"`{program}` has no {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("texts", [advised, said, written, shown])
def test_every_command_that_is_named_exists(texts: object) -> None:
    assert callable(texts)
    found = [
        f"{place}: `{' '.join(words)}`: {wrong}"
        for place, text in texts()
        for words in commands_in(text)
        if (wrong := wrong_with(words))
    ]

    assert found == []


def test_a_remedy_names_no_tool_that_is_not_in_the_list() -> None:
    """Else nobody has looked whether it exists: add it to commands.toml, with its source."""
    unknown = {
        f"{place}: `{' '.join(words)}`"
        for place, text in advised()
        for words in commands_in(text)
        if len(words) > 1
        and WORD.fullmatch(words[0])
        and words[0] not in {"stackward", "openstack", *TOOLS}
    }

    assert unknown == set()


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("stackward node drain NODE --allow-downtime", None),
        ("stackward node drain NODE --force", "there is no flag --force"),
        ("stackward node empty", "there is no `empty` in `stackward node empty`"),
        ("openstack server set --auto-approve --state active X", None),
        ("openstack server set --status active X", "`server set` has no --status"),
        ("openstack server heal X", "there is no `server heal X`"),
        ("openstack segment host update --on_maintenance True SEGMENT X", None),
        ("rabbitmqctl forget_cluster_node X", None),
        ("rabbitmqctl forget X", "`rabbitmqctl` has no verb `forget`"),
        ("nova-manage placement heal_allocations --instance X", None),
        ("nova-manage placement heal X", "`nova-manage` has no verb `placement`"),
        ("in-use", None),
    ],
)
def test_a_command_that_does_not_exist_is_found(command: str, wrong: str | None) -> None:
    assert wrong_with(command.split()) == wrong
