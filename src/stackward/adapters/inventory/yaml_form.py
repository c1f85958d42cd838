"""The YAML form: groups within groups, each with `hosts`, `children` and `vars`.

The text is read as nodes, not as values: so each word keeps its line, and nothing is constructed
from a tag such as `!vault`.
"""

from collections.abc import Iterator

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from stackward.adapters.inventory.draft import Draft
from stackward.adapters.inventory.patterns import names_in
from stackward.adapters.inventory.variables import PORT
from stackward.adapters.inventory.written import Place, Variable, cannot_read

_NULL = "tag:yaml.org,2002:null"
_PLAIN = "tag:yaml.org,2002:"
_PARTS = ("hosts", "children", "vars")


def read_yaml(text: str, draft: Draft) -> None:
    """Read the whole document into the draft."""
    reader = _Reader(draft.source, text)
    groups = _Groups(reader, draft)
    for name, below, _ in reader.entries(reader.root, "the inventory"):
        groups.read(name, below)


def read_variables(source: str, text: str) -> Iterator[tuple[str, Variable]]:
    """Return the plain variables of a file in `group_vars/` or `host_vars/`."""
    reader = _Reader(source, text)
    yield from reader.variables(reader.root)


class _Reader:
    """A document as nodes, with the line of each."""

    def __init__(self, source: str, text: str) -> None:
        self._source = source
        try:
            self._loader = yaml.SafeLoader(text)
            self.root = self._loader.get_single_node()
        except yaml.YAMLError as error:
            raise self._not_yaml(error) from None
        except RecursionError:
            raise cannot_read(Place(source, 1), "it is nested too deeply") from None

    def place(self, node: Node) -> Place:
        return Place(self._source, node.start_mark.line + 1)

    def entries(self, node: Node | None, what: str) -> Iterator[tuple[str, Node, Place]]:
        """Return the keys of a mapping with what is below them; nothing for an empty one."""
        if node is None or node.tag == _NULL:
            return
        if not isinstance(node, MappingNode):
            raise cannot_read(
                self.place(node),
                f"{what} is not a mapping of names",
                hint="write `name:` on a line of its own, and what belongs to it below",
            )
        try:
            self._loader.flatten_mapping(node)  # what `<<: *anchor` stands for
        except yaml.YAMLError as error:
            raise self._not_yaml(error) from None
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise cannot_read(self.place(key), f"{what} has a key that is not a name")
            yield key.value, value, self.place(key)

    def variables(self, node: Node | None) -> Iterator[tuple[str, Variable]]:
        """Return what is plain text or a number; lists, mappings and `!vault` are passed over."""
        for name, value, place in self.entries(node, "what should hold variables"):
            if isinstance(value, ScalarNode) and value.tag.startswith(_PLAIN):
                yield name, Variable("" if value.tag == _NULL else value.value, place)

    def _not_yaml(self, error: yaml.YAMLError) -> Exception:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        place = Place(self._source, mark.line + 1 if mark else 1)
        return cannot_read(place, f"this is not YAML: {problem}")


class _Groups:
    """Groups within groups; one that an alias repeats is read once."""

    def __init__(self, reader: _Reader, draft: Draft) -> None:
        self._reader = reader
        self._draft = draft
        self._seen: set[tuple[str, int]] = set()

    def read(self, name: str, below: Node) -> None:
        if (name, id(below)) in self._seen:
            return
        self._seen.add((name, id(below)))
        self._draft.add_group(name)
        for part, inner, where in self._reader.entries(below, f"group `{name}`"):
            match part:
                case "hosts":
                    self._read_hosts(name, inner)
                case "children":
                    self._read_children(name, inner)
                case "vars":
                    for variable, value in self._reader.variables(inner):
                        self._draft.set_for_group(name, variable, value)
                case _:
                    raise cannot_read(
                        where,
                        f"group `{name}` has no part `{part}`",
                        hint=f"a group has {', '.join(f'`{word}`' for word in _PARTS)}",
                    )

    def _read_children(self, name: str, node: Node) -> None:
        for child, below, place in self._reader.entries(node, f"`children` of `{name}`"):
            self._draft.add_child(name, child, place)
            self.read(child, below)

    def _read_hosts(self, group: str, node: Node) -> None:
        for pattern, below, place in self._reader.entries(node, f"`hosts` of `{group}`"):
            names, port = names_in(pattern, place)
            variables = list(self._reader.variables(below))
            if port is not None:
                variables.insert(0, (PORT[0], Variable(port, place)))
            for host in names:
                self._draft.add_host(host, group)
                for variable, value in variables:
                    self._draft.set_for_host(host, variable, value)
