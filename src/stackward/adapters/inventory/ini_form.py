"""The INI form: `[group]`, `[group:children]`, `[group:vars]`, a host per line."""

import ast
import re
import shlex

from stackward.adapters.inventory.draft import UNGROUPED, Draft
from stackward.adapters.inventory.patterns import names_in
from stackward.adapters.inventory.variables import PORT
from stackward.adapters.inventory.written import Place, Variable, cannot_read

_SECTION = re.compile(r"\[(?P<group>[^:\[\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:[#;].*)?")


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
        elif kind == "hosts":
            _read_host(line, group, draft, place)
        elif kind == "children":
            draft.add_child(group, _words(line, place)[0], place)
        else:
            name, value = _assigned(line, place)
            draft.set_for_group(group, name, Variable(_literal(value), place))


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


def _read_host(line: str, group: str, draft: Draft, place: Place) -> None:
    pattern, *assignments = _words(line, place)
    names, port = names_in(pattern, place)
    for name in names:
        draft.add_host(name, group)
        if port is not None:
            draft.set_for_host(name, PORT[0], Variable(port, place))
        for assignment in assignments:
            variable, value = _assigned(assignment, place)
            draft.set_for_host(name, variable, Variable(_literal(value), place))


def _words(line: str, place: Place) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError as error:
        raise cannot_read(place, f"{str(error).lower()} in `{line}`") from None


def _assigned(text: str, place: Place) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise cannot_read(place, f"`{text}` is not of the form `name=value`")
    return name.strip(), value.strip()


def _literal(text: str) -> str:
    """Take quotes off, as Ansible does: it reads a value as a Python literal where it is one."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, str) else text if value is not None else ""
