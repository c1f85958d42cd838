"""The INI form: `[group]`, `[group:children]`, `[group:vars]`, a host per line."""

import ast
import re
import shlex
import warnings

from stackward.adapters.inventory.draft import UNGROUPED, Draft
from stackward.adapters.inventory.patterns import names_in
from stackward.adapters.inventory.written import Place, Variable, cannot_read

_SECTION = re.compile(r"\[(?P<group>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:#.*)?")
_CHILD = re.compile(r"(?P<group>[^:\]\s]+)\s*(?:#.*)?")


def read_ini(text: str, draft: Draft) -> None:
    """Read all lines into the draft."""
    group, kind = UNGROUPED, "hosts"
    for number, raw in enumerate(text.splitlines(), start=1):
        line, place = raw.strip(), draft.at(number)
        if not line or line[0] in "#;":
            continue
        section = _SECTION.fullmatch(line)
        if section:
            group, kind = section["group"], section["kind"] or "hosts"
            _open_section(group, kind, draft, place)
        elif line.startswith("[") and line.endswith("]"):
            raise cannot_read(
                place, f"`{line}` is not a section", hint="write `[group]`, without spaces"
            )
        elif kind == "hosts":
            _read_host(line, group, draft, place)
        elif kind == "children":
            draft.add_child(group, _child(line, place), place)
        else:
            name, value = _assigned(line, place)
            draft.set_for_group(group, name, _variable(name, value, place))


def _open_section(group: str, kind: str, draft: Draft, place: Place) -> None:
    if kind not in {"hosts", "children", "vars"}:
        raise cannot_read(
            place,
            f"there is no section `[{group}:{kind}]`",
            hint=f"write `[{group}]`, `[{group}:children]` or `[{group}:vars]`",
        )
    if kind == "vars":
        draft.expect_group(group, place)
    else:
        draft.add_group(group)


def _child(line: str, place: Place) -> str:
    child = _CHILD.fullmatch(line)
    if child is None:
        raise cannot_read(place, f"`{line}` is not the name of one group")
    return child["group"]


def _read_host(line: str, group: str, draft: Draft, place: Place) -> None:
    pattern, *assignments = _words(line, place)
    names, port = names_in(pattern, place)
    if pattern.endswith(":"):
        raise cannot_read(
            place,
            f"`{pattern}` ends with a colon, and no port follows",
            hint="if this file is YAML, give it a name that ends with `.yaml`",
        )
    for name in names:
        draft.add_host(name, group, port, place)
        for assignment in assignments:
            variable, value = _assigned(assignment, place)
            draft.set_for_host(name, variable, _variable(variable, value, place))


def _words(line: str, place: Place) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError as error:
        raise cannot_read(place, f"{str(error).lower()} after `{_first_word(line)}`") from None


def _assigned(text: str, place: Place) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        why = f"what begins with `{_first_word(text)}` is not of the form `name=value`"
        raise cannot_read(place, why)
    return name.strip(), value.strip()


def _first_word(text: str) -> str:
    """Return what can be shown of a line; a password may follow."""
    return re.split(r"[\s=:'\"]", text, maxsplit=1)[0]


def _variable(name: str, text: str, place: Place) -> Variable:
    """Return a value as Ansible reads it: as a Python literal where it is one, else as it is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return Variable(text, place)
    match value:
        case None:
            return Variable(None, place)
        case bytes():
            return Variable(value.decode("utf-8", "replace"), place)
        case list() | tuple() | set() | dict():
            return Variable(None, place, hidden=f"`{name}` is not a text")
        case _:
            return Variable(str(value), place)
