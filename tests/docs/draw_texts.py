"""Draw texts that an operator reads: each is shown alone to a reader who is new to Stackward.

`.venv/bin/python tests/docs/draw_texts.py` prints 100 of them; `--key` adds the kind and the name
of each, for the person who marks the answers. A seed draws the same texts again.
"""

import argparse
import ast
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).parents[1]))

import typer
from typer.core import TyperGroup

from sources import walked
from stackward import cli, errors
from stackward.errors import StackwardError
from stackward.health.symptoms import ALL as SYMPTOMS
from stackward.operations import every_rule
from stackward.policy.rule import Rule
from stackward.report.places import place
from stackward.signatures import read_signatures

HOUSE = Path(errors.__file__).parent
SEED, COUNT = 21, 100
LEAST = 3  # words of its own: a text with fewer, as `{name} {why_not}`, is one of values


class Drawn(NamedTuple):
    """A text, what it is, and the rule, command or place in the code that it is from."""

    kind: str
    name: str
    text: str


def blockers() -> Iterator[Drawn]:
    """Return each rule that can refuse a plan, as a refusal prints it."""
    warned = _warned_only()
    for rule in every_rule():
        if rule.name not in warned and _has_words(rule.reason):
            yield Drawn("blocker", rule.name, _verdict(rule))


def warnings() -> Iterator[Drawn]:
    """Return each rule that only warns: such a plan can be approved."""
    warned = _warned_only()
    for rule in every_rule():
        if rule.name in warned and _has_words(rule.reason):
            yield Drawn("warning", rule.name, _verdict(rule))


def findings() -> Iterator[Drawn]:
    """Return each finding of a look, with its remedy below it, as it is printed."""
    for one in SYMPTOMS:
        head = f"{one.state}: {{component}} on {{node}} [{one.name}]"
        yield Drawn("finding", one.name, _below(head, reason=one.reason, remedy=one.remedy))


def causes() -> Iterator[Drawn]:
    """Return each signature that a diagnosis or a triage names, with its remedy below it."""
    for one in read_signatures():
        head = f"cause: {place(one.component, '{node}')}"
        yield Drawn("cause", one.name, _below(head, means=one.means, remedy=one.remedy))


def raised() -> Iterator[Drawn]:
    """Return each error that the code raises with words of its own, with its hint."""
    classes = {name for name, one in vars(errors).items() if _is_error(one)}
    for path in sorted(HOUSE.rglob("*.py")):
        if "lab" in path.parts:
            continue
        for node in walked(path.read_text()):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in classes:
                    place = f"{path.relative_to(HOUSE)}:{node.lineno}"
                    if _has_words(words := _words(first)):
                        yield Drawn("error", place, "\n".join([f"error: {words}", *_more(node)]))


def help_lines() -> Iterator[Drawn]:
    """Return what each command says of itself."""
    for words, text in _helped((), typer.main.get_command(cli.app)):
        if words:
            yield Drawn("help", " ".join(words), f"`stackward {' '.join(words)} --help`: {text}")


KINDS: Mapping[str, Callable[[], Iterator[Drawn]]] = {
    "blocker": blockers,
    "warning": warnings,
    "finding": findings,
    "cause": causes,
    "error": raised,
    "help": help_lines,
}


@cache
def _texts_of(kind: str) -> list[Drawn]:
    return sorted(set(KINDS[kind]()))


def draw(seed: int = SEED, count: int = COUNT) -> list[Drawn]:
    """Draw as many texts of each kind, in a random order, none twice."""
    chosen = random.Random(seed)  # noqa: S311  # not for secrets
    drawn = list[Drawn]()
    for number, kind in enumerate(KINDS):
        share = count // len(KINDS) + (number < count % len(KINDS))
        drawn += chosen.sample(_texts_of(kind), share)
    chosen.shuffle(drawn)
    return drawn


def _has_words(text: str) -> bool:
    """Say whether a text has words of its own, beside its values."""
    return len(re.sub(r"`?\{[^}]*\}`?", "", text).split()) >= LEAST


def _below(head: str, **said: str | None) -> str:
    """Return what is said of a thing below its name; a remedy is never printed alone."""
    lines = (f"  {label:<8}{text}" for label, text in said.items() if text)
    return "\n".join([head, *lines])


def _verdict(rule: Rule) -> str:
    return f"`{{thing}}`: {rule.reason}" + (f" - {rule.remedy}" if rule.remedy else "")


@cache
def _warned_only() -> frozenset[str]:
    """Return the names of the rules that the code only warns of; a blocker has a remedy."""
    made: dict[str, set[str]] = {"blocks": set(), "warns": set()}
    made["warns"] |= {rule.name for rule in every_rule() if not rule.remedy}
    for path in sorted(HOUSE.rglob("*.py")):
        text = path.read_text()
        if ".warns" not in text and ".blocks" not in text:
            continue
        module = import_module(
            f"stackward.{'.'.join(path.relative_to(HOUSE).with_suffix('').parts)}"
        )
        for node in walked(text):
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr="blocks" | "warns" as how):
                    if isinstance(rule := getattr(module, name, None), Rule):
                        made[how].add(rule.name)
    return frozenset(made["warns"] - made["blocks"])


def _is_error(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, StackwardError)


def _more(call: ast.Call) -> Iterator[str]:
    """Return the lines that are printed below an error: how things are, and the hint."""
    for key in call.keywords:
        if key.arg in {"stands", "hint"} and (words := _words(key.value)):
            yield f"hint: {words}" if key.arg == "hint" else words


def _words(node: ast.expr) -> str:
    """Return a string of the code; what is filled in is in braces, by its name."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(map(_words, values))
        case ast.FormattedValue(value=value):
            return f"{{{re.split(r'[^A-Za-z_]+', ast.unparse(value).strip('()'))[-1] or 'value'}}}"
        case _:
            return ""


def _helped(words: tuple[str, ...], command: object) -> Iterator[tuple[tuple[str, ...], str]]:
    said = getattr(command, "help", None)
    if said:
        yield words, " ".join(said.split("\n\n")[0].split())
    if isinstance(command, TyperGroup):
        context = typer.Context(command)
        for name in command.list_commands(context):
            yield from _helped((*words, name), command.get_command(context, name))


def main(arguments: list[str]) -> int:
    """Print them, numbered."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seed", type=int, default=SEED)
    asked.add_argument("--count", type=int, default=COUNT)
    asked.add_argument("--key", action="store_true", help="add the kind and the name of each")
    given = asked.parse_args(arguments)
    for number, one in enumerate(draw(given.seed, given.count), 1):
        key = f" [{one.kind}, {one.name}]" if given.key else ""
        sys.stdout.write(f"{number}.{key} {one.text}\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
