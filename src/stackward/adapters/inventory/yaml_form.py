"""The YAML form: groups within groups, each with `hosts`, `children` and `vars`.

The text is read as nodes, not as values: so each word keeps its line, and nothing is constructed
from a tag such as `!vault`.
"""

import re
from collections.abc import Iterator

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from stackward.adapters.inventory.draft import Draft
from stackward.adapters.inventory.patterns import names_in
from stackward.adapters.inventory.variables import USED
from stackward.adapters.inventory.written import Place, Variable, by_ansible, cannot_read
from stackward.errors import BadInput

_PLAIN = "tag:yaml.org,2002:"
_NULL, _TEXT, _MERGE = f"{_PLAIN}null", f"{_PLAIN}str", f"{_PLAIN}merge"
_KINDS = {"int": "a number", "float": "a number", "bool": "true or false", "timestamp": "a date"}
_PARTS = ("hosts", "children", "vars")
_VAULTED = ("!vault", "!vault-encrypted")
_UNSAFE = "!unsafe"  # text in which nothing is filled in


def read_groups(document: "Document", draft: Draft) -> None:
    """Read the whole inventory into the draft."""
    _refuse_other_kinds(document)
    groups = _Groups(document, draft)
    for name, below, place in document.entries(document.root, "the inventory"):
        groups.read(name, below, place)


def read_variables(source: str, text: str) -> Iterator[tuple[str, Variable]]:
    """Return the variables of a file in `group_vars/` or `host_vars/`."""
    document = Document(source, text)
    yield from document.variables(document.root)


def _refuse_other_kinds(document: "Document") -> None:
    """Refuse what is a mapping too, but no inventory itself."""
    for name, below, place in document.entries(document.root, "the inventory"):
        if name == "plugin" and isinstance(below, ScalarNode) and below.value:
            raise cannot_read(
                place,
                f"this configures the inventory plugin `{below.value}`, and Stackward runs none",
                hint=by_ansible(),
            )


class Document:
    """A document as nodes, with the line of each."""

    def __init__(self, source: str, text: str) -> None:
        self._source = source
        self._checked: set[int] = set()
        try:
            self._loader = yaml.SafeLoader(text)
            self.root = self._loader.get_single_node()
        except yaml.YAMLError as error:
            raise self._not_yaml(error) from None
        except RecursionError:
            raise cannot_read(Place(source, 1), "it is nested too deeply") from None

    def refuse_other_than_mapping(self) -> None:
        """Raise BadInput where Ansible does not take the file for an inventory in YAML."""
        if not isinstance(self.root, MappingNode):
            raise self._not_a_mapping(self.root, "the inventory")

    def place(self, node: Node) -> Place:
        """Return the line of a node."""
        return Place(self._source, node.start_mark.line + 1)

    def entries(self, node: Node | None, what: str) -> Iterator[tuple[str, Node, Place]]:
        """Return the keys of a mapping with what is below them; nothing for an empty one.

        A text alone is a key with nothing below, as it is for Ansible.
        """
        if node is None or node.tag == _NULL:
            return
        if isinstance(node, ScalarNode) and node.tag == _TEXT:
            yield node.value, ScalarNode(_NULL, "", node.start_mark), self.place(node)
            return
        for key, value in self._pairs(node, what):
            if not isinstance(key, ScalarNode):
                raise cannot_read(self.place(key), f"{what} has a key that is not a name")
            if key.tag != _TEXT:
                raise cannot_read(
                    self.place(key),
                    f"`{key.value}` is {_kind(key)} in YAML, not a name",
                    hint=f'write it in quotes: `"{key.value}":`',
                )
            yield key.value, value, self.place(key)

    def variables(self, node: Node | None) -> Iterator[tuple[str, Variable]]:
        """Return the variables of a mapping; the value of a list, say, is not known here."""
        if node is None or self._is_nothing(node):
            return
        for key, value in self._pairs(node, "what should hold variables", repeatable=True):
            if isinstance(key, ScalarNode):
                yield key.value, self._variable(key.value, value)

    def _pairs(self, node: Node, what: str, *, repeatable: bool = False) -> list[tuple[Node, Node]]:
        if not isinstance(node, MappingNode):
            raise self._not_a_mapping(node, what)
        self._refuse_repeated(node, repeatable=repeatable)
        try:
            self._loader.flatten_mapping(node)  # what `<<: *anchor` includes
        except yaml.YAMLError as error:
            raise self._not_yaml(error) from None
        # What a mapping says itself comes after what it merges, and wins.
        last = {_identity(key): (key, value) for key, value in node.value}
        return list(last.values())

    def _refuse_repeated(self, node: MappingNode, *, repeatable: bool) -> None:
        """Refuse a key that is written twice: Ansible reads the last one, and drops the first.

        Of variables that Stackward does not use, the last one is as good.
        """
        if id(node) in self._checked:
            return  # and what it merges is in it by now
        self._checked.add(id(node))
        first: dict[str, Place] = {}
        for key, _ in node.value:
            if not isinstance(key, ScalarNode) or key.tag == _MERGE:
                continue
            if key.value in first and (key.value in USED or not repeatable):
                raise cannot_read(
                    self.place(key),
                    f"`{key.value}` is there twice, first on line {first[key.value].line}",
                    hint="join the two: Ansible drops the first one and reads the second",
                )
            first[key.value] = self.place(key)

    def _variable(self, name: str, node: Node) -> Variable:
        place = self.place(node)
        if node.tag in _VAULTED:
            return Variable(None, place, hidden=f"`{name}` is encrypted")
        if not isinstance(node, ScalarNode):
            return Variable(None, place, hidden=f"`{name}` is not a text")
        if node.tag == _UNSAFE:
            return Variable(str(node.value), place)
        value = self._value(node)
        return Variable(None if value is None else str(value), place)

    def _value(self, node: ScalarNode) -> object:
        """Return what YAML makes of a word: `022` is 18, and `yes` is true."""
        if not node.tag.startswith(_PLAIN):
            raise cannot_read(self.place(node), "it has a tag that Ansible does not know")
        try:
            value: object = self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError, AttributeError) as error:
            problem = getattr(error, "problem", None) or f"not a {node.tag.removeprefix(_PLAIN)}"
            raise cannot_read(self.place(node), f"this is not YAML: {problem}") from None
        return value

    def _is_nothing(self, node: Node) -> bool:
        if isinstance(node, ScalarNode):
            return not self._value(node)
        return isinstance(node, SequenceNode) and not node.value

    def _not_a_mapping(self, node: Node | None, what: str) -> BadInput:
        return cannot_read(
            Place(self._source, 1) if node is None else self.place(node),
            f"{what} is not a mapping of names",
            hint="write `name:` on a line of its own, and what belongs to it below",
        )

    def _not_yaml(self, error: yaml.YAMLError) -> BadInput:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        place = Place(self._source, mark.line + 1 if mark else 1)
        # A password may begin with `*`, `&` or `!`, and is quoted then.
        said = re.sub(r"(alias|anchor|tag.*?) '.*", r"\1", str(problem), flags=re.DOTALL)
        return cannot_read(place, f"this is not YAML: {said}")


def _kind(key: Node) -> str:
    return _KINDS.get(key.tag.removeprefix(_PLAIN), "something else")


def _identity(key: Node) -> tuple[str, str]:
    return (key.tag, key.value) if isinstance(key, ScalarNode) else ("", str(id(key)))


class _Groups:
    """Groups within groups; one that an alias repeats is read once."""

    def __init__(self, document: Document, draft: Draft) -> None:
        self._document = document
        self._draft = draft
        self._seen: set[tuple[str, int]] = set()

    def read(self, name: str, below: Node, place: Place) -> None:
        if (name, id(below)) in self._seen:
            return
        self._seen.add((name, id(below)))
        if not isinstance(below, MappingNode) and below.tag != _NULL:
            self._draft.warn(f"{place}: `{name}` is skipped: what it has is not a group")
            return
        self._draft.add_group(name)
        for part, inner, where in self._document.entries(below, f"group `{name}`"):
            match part:
                case "hosts":
                    self._read_hosts(name, inner)
                case "children":
                    self._read_children(name, inner)
                case "vars":
                    self._read_variables(name, inner)
                case _:
                    known = ", ".join(f"`{word}`" for word in _PARTS)
                    self._draft.warn(
                        f"{where}: `{part}` is skipped: a group has {known}, and nothing else"
                    )

    def _read_children(self, name: str, node: Node) -> None:
        for child, below, place in self._document.entries(node, f"`children` of `{name}`"):
            self._draft.add_child(name, child, place)
            self.read(child, below, place)

    def _read_variables(self, name: str, node: Node) -> None:
        if isinstance(node, ScalarNode) and node.tag == _TEXT:
            return  # a name without a value
        for variable, value in self._document.variables(node):
            self._draft.set_for_group(name, variable, value)

    def _read_hosts(self, group: str, node: Node) -> None:
        for pattern, below, place in self._document.entries(node, f"`hosts` of `{group}`"):
            names, port = names_in(pattern, place)
            variables = list(self._document.variables(below))
            for host in names:
                self._draft.add_host(host, group, port, place)
                for variable, value in variables:
                    self._draft.set_for_host(host, variable, value)
