"""Which rules an operation can raise, and who uses what of `policy/`: read from the code.

A name at the top of a module uses those that it names, in `policy/`, `moving/` or an operation's
folder. Who names a rule only to compare with its name (`RULE.name`) does not raise it.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import stackward
from sources import nodes_in, parsed, walked
from stackward.plan import Blocked, Plan, Warned
from stackward.policy.rule import Rule

SOURCE = Path(stackward.__file__).parent
ROOMS = ("policy.", "moving.", "operations.")

Name = tuple[str, str]  # a module below `stackward`, and a name at its top


@cache
def _named_by(name: Name, *, with_compared: bool) -> frozenset[Name]:
    """Return what a name at the top of a module names; nothing of one that is read nowhere here."""
    module, top = name
    nodes = _below_tops(module).get(top, ()) if module in _texts() else ()
    if not nodes:
        return frozenset()
    return frozenset(_named_in(nodes, *_imported(module), with_compared=with_compared))


@cache
def _below_tops(module: str) -> Mapping[str, Sequence[ast.AST]]:
    """Return each name at the top of a module, with all nodes of what it is."""
    return {name: nodes_in(nodes) for name, nodes in _tops_of(module).items()}


@cache
def _tops_of(module: str) -> Mapping[str, list[ast.stmt]]:
    """Return each name at the top of a module; only then it is parsed."""
    return _tops(parsed(_texts()[module]))


@cache
def _texts() -> Mapping[str, str]:
    """Return what is in the three rooms, and whatever else imports from `policy/`."""
    texts = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts): path.read_text()
        for path in sorted(SOURCE.rglob("*.py"))
    }
    return {
        module: text
        for module, text in texts.items()
        if module.startswith(ROOMS) or "stackward.policy" in text
    }


def _tops(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    tops: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        for name in _bound_by(node):
            tops.setdefault(name, []).append(node)
    return tops


def _bound_by(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.Assign():
            return [each.id for each in node.targets if isinstance(each, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def _named_in(
    found: Sequence[ast.AST], known: dict[str, Name], rooms: dict[str, str], *, with_compared: bool
) -> Iterator[Name]:
    passed = {
        id(each.value)
        for each in found
        if isinstance(each, ast.Attribute) and each.attr == "name" and not with_compared
    }
    for node in found:
        match node:
            case _ if id(node) in passed:
                pass
            case ast.Name(id=name) if name in known:
                yield known[name]
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in rooms:
                yield rooms[name], attr
            case _:
                pass


@cache
def _imported(module: str) -> tuple[dict[str, Name], dict[str, str]]:
    """Return what the names of a module are: those of others, and modules themselves."""
    known = {name: (module, name) for name in _tops_of(module)}
    rooms: dict[str, str] = {}
    for node in walked(_texts()[module]):
        if not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stackward")):
            continue
        source = (node.module or "").removeprefix("stackward").removeprefix(".")
        for each in node.names:
            inner = f"{source}.{each.name}" if source else each.name
            if inner in _texts():
                rooms[each.asname or each.name] = inner
            else:
                home = source if source in _texts() else f"{source}.__init__"
                known[each.asname or each.name] = (home, each.name)
    return known, rooms


def _reached(start: set[Name], *, with_compared: bool = False) -> set[Name]:
    found, new = set[Name](), start
    while new:
        found |= new
        named = [_named_by(name, with_compared=with_compared) for name in new]
        new = set[Name]().union(*named) - found
    return found


def _tops_in(place: str) -> set[Name]:
    """Return all names at the tops of a module, or of those in a folder."""
    return {
        (module, name)
        for module in _texts()
        if module == place or module.startswith(f"{place}.")
        for name in _tops_of(module)
    }


def rules_of(*places: str) -> set[str]:
    """Return the names of the rules that what is in these folders or modules can raise."""
    start = {name for place in places for name in _tops_in(place)}
    return {
        found.name
        for module, name in _reached(start)
        if module in _texts()
        and isinstance(found := getattr(import_module(f"stackward.{module}"), name, None), Rule)
    }


def raised_by(operation: str) -> set[str]:
    """Return the rules that a plan of an operation can raise: its own, and those of any plan."""
    return rules_of(f"operations.{operation}", "operations.__init__")


def verdicts_of(plan: Plan[Any]) -> list[Blocked | Warned]:
    """Return all that stands against a plan, or is approved with it."""
    return [*plan.blockers, *plan.warnings]


def assert_followed(name: str, case: Any, plan: Callable[[Any, Any], Plan[Any]]) -> None:  # noqa: ANN401  # of any operation
    """Assert that a verdict is settled by what its remedy says.

    A case has what is `before` and what is `asked`, a part of the remedy (`advice`), and what is
    `after` that (None: the same) and what one `asks_then`.
    """
    after = case.before if case.after is None else case.after
    before, then = plan(case.before, case.asked), plan(after, case.asks_then)
    assert_settled(name, case.advice, before, then)


def assert_settled(name: str, advice: str, before: Plan[Any], then: Plan[Any]) -> None:
    """Assert that a verdict gives this advice, and that it and all blockers are gone afterwards."""
    [remedy] = [each.remedy for each in verdicts_of(before) if each.worry == name]
    assert advice in remedy
    assert then.blockers == ()
    assert name not in [each.worry for each in verdicts_of(then)]


@cache
def users_of_policy() -> dict[str, set[str]]:
    """Return each public name of `policy/`, with the rooms and operations that come to use it."""
    own = _tops_in("policy")
    users: dict[Name, set[str]] = {name: set() for name in own if not name[1].startswith("_")}
    others = {(module, name) for module in _texts() for name in _tops_of(module)} - own
    for other in others:
        named = _named_by(other, with_compared=True)
        for found in _reached(own & named, with_compared=True):
            if found in users:
                users[found].add(_user(other[0]))
    return {f"{module}.{name}": found for (module, name), found in users.items()}


def names_of_policy() -> list[str]:
    """Return the public names of `policy/`; only its own modules are read."""
    return sorted(
        f"policy.{path.stem}.{name}"
        for path in (SOURCE / "policy").glob("*.py")
        for name in _tops(parsed(path.read_text()))
        if not name.startswith("_")
    )


def _user(module: str) -> str:
    room, *rest = module.split(".")
    return f"{room}.{rest[0]}" if room == "operations" and len(rest) > 1 else room
