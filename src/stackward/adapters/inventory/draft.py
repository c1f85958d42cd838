"""What an inventory file says, gathered line by line, then settled into values.

Precedence is Ansible's: `all`, then groups from the outermost to the innermost (equals by
`ansible_group_priority`, then by name), then the same for `group_vars/`, then the host's own
variables, then `host_vars/`; the later value wins.

A variable that has a password is not taken: only its name is kept, for a warning.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from stackward.adapters.inventory.variables import (
    PORT,
    is_template,
    node_from,
    refuse_shared_bmcs,
    refuse_shared_outlets,
)
from stackward.adapters.inventory.written import Place, Variable, cannot_read
from stackward.errors import BadInput
from stackward.model.inventory import Inventory
from stackward.wording import first_of

ALL, UNGROUPED = "all", "ungrouped"
MOST_NAMES = 5  # of passwords in one file

# `ansible_password`, `ansible_become_pass`, `ipmi_password`, ...: anything that logs in.
_PASSWORD = re.compile(r"(^|_)(pass|passwd|password|passphrase)$")


@dataclass(slots=True)
class _Group:
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, Place] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    beside: dict[str, Variable] = field(default_factory=dict)  # from group_vars/
    exists: bool = False  # as soon as a section or a key has its name
    is_defined: bool = False


class Draft:
    """Groups, hosts and variables as read so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._groups: dict[str, _Group] = {
            ALL: _Group(exists=True, is_defined=True),
            UNGROUPED: _Group(exists=True, is_defined=True),
        }
        self._hosts: dict[str, dict[str, Variable]] = {}
        self._expected: list[tuple[str, Place, str]] = []
        self._beside: dict[str, dict[str, Variable]] = {}  # from host_vars/
        self._passwords: dict[str, dict[str, int]] = {}  # the line of each, by file and name
        self._encrypted: dict[str, None] = {}  # files
        self._warnings: dict[str, None] = {}

    def at(self, line: int) -> Place:
        """Return the place of a line."""
        return Place(self.source, line)

    def add_group(self, name: str) -> None:
        """Take note that a group is defined."""
        group = self._group(name)
        group.exists = group.is_defined = True

    def add_child(self, group: str, child: str, place: Place) -> None:
        """Put one group under another."""
        self._group(group).children.setdefault(child, place)
        self._group(child)
        self._expected.append((child, place, f"group `{group}` has a child `{child}`"))

    def expect_group(self, group: str, place: Place) -> None:
        """Take note that a group has variables and must therefore be defined somewhere."""
        self._group(group).exists = True
        self._expected.append((group, place, f"`{group}` has variables"))

    def add_host(self, name: str, group: str, port: str | None, place: Place) -> None:
        """Put a host into a group; only the first port that is written after its name counts."""
        if name not in self._hosts:
            self._hosts[name] = {PORT[-1]: Variable(port, place)} if port else {}
        self._group(group).hosts.setdefault(name)

    def set_for_host(self, host: str, name: str, value: Variable) -> None:
        """Take a host's variable; Ansible gives it to the group, where one has the same name."""
        if host in self._groups and self._groups[host].exists:
            self.warn(f"{value.place}: `{host}` is a group and a node: both get `{name}`")
            self.set_for_group(host, name, value)
        elif self._may_take(name, value):
            self._hosts[host][name] = value

    def set_listed(self, host: str, name: str, value: Variable) -> None:
        """Take a host's variable from Ansible's own list, where it is settled already."""
        self._hosts[host][name] = value

    def set_for_group(self, group: str, name: str, value: Variable) -> None:
        """Take a group's variable."""
        if self._may_take(name, value):
            self._group(group).variables[name] = value

    def set_beside_group(self, group: str, name: str, value: Variable) -> None:
        """Take a variable from a file in `group_vars/`; it wins over the inventory itself."""
        if self._may_take(name, value):
            self._group(group).beside[name] = value

    def set_beside_host(self, host: str, name: str, value: Variable) -> None:
        """Take a variable from a file in `host_vars/`; it wins over all others."""
        if self._may_take(name, value):
            self._beside.setdefault(host, {})[name] = value

    def skip_encrypted(self, path: str) -> None:
        """Take note that a file is encrypted as a whole, and was not read."""
        self._encrypted.setdefault(path)

    def warn(self, text: str) -> None:
        """Take note of what the operator should read."""
        self._warnings.setdefault(text)

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the names of all groups."""
        return tuple(self._groups)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the names of all hosts, in the order in which they were first named."""
        return tuple(self._hosts)

    def settle(self) -> Inventory:
        """Return the values, or say what contradicts what."""
        self._refuse_undefined()
        parents = self._parents()
        depths = self._depths(parents)
        if not self._hosts:
            raise BadInput(
                f"cannot read the inventory `{self.source}`: it names no node",
                hint="write a node's name on a line of its own, or name another file with "
                "`--inventory FILE` or in STACKWARD_INVENTORY",
            )
        variables = {name: self._variables_of(name, parents, depths) for name in self._hosts}
        nodes = tuple(
            node_from(name, groups=self._named_groups(name, parents), variables=variables[name])
            for name in self._hosts
        )
        refuse_shared_bmcs(nodes, variables)
        refuse_shared_outlets(nodes, variables)
        return Inventory(source=self.source, nodes=nodes, warnings=tuple(self._said()))

    def _said(self) -> Iterator[str]:
        yield from self._warnings
        if self._encrypted:
            names = ", ".join(f"`{path}`" for path in self._encrypted)
            yield f"encrypted files are not read, so no setting in them counts: {names}"
        for path, found in self._passwords.items():
            named = (
                f"`{name}`" + (f" (line {line})" if line else "") for name, line in found.items()
            )
            names = first_of(named, MOST_NAMES)
            yield f"`{path}` holds passwords in plain text; they are not read: {names}"

    def _may_take(self, name: str, value: Variable) -> bool:
        """Say whether a variable may be kept; of a password, only name and place are."""
        if not _PASSWORD.search(name):
            return True
        is_switch = value.text in {"True", "False"}  # as in `set_boot_pass: true`
        if value.text and not is_switch and not is_template(value.text):
            self._passwords.setdefault(value.place.source, {})[name] = value.place.line
        return False

    def _group(self, name: str) -> _Group:
        return self._groups.setdefault(name, _Group())

    def _refuse_undefined(self) -> None:
        for name, place, why in self._expected:
            if not self._group(name).is_defined:
                raise cannot_read(
                    place,
                    f"{why}, but no group `{name}` is defined",
                    hint=f"correct the name, or add a section `[{name}]`",
                )

    def _parents(self) -> dict[str, set[str]]:
        """Return the groups directly above each group; `all` is above those that have none."""
        above: dict[str, set[str]] = {name: set() for name in self._groups}
        for name, group in self._groups.items():
            for child in group.children:
                above[child].add(name)
        for name, parents in above.items():
            if not parents and name != ALL:
                parents.add(ALL)
        return above

    def _depths(self, parents: Mapping[str, set[str]]) -> dict[str, int]:
        """Return how far each group is from `all`; refuse groups within themselves."""
        depths: dict[str, int] = {}
        try:
            for name in TopologicalSorter(parents).static_order():
                depths[name] = 1 + max((depths[parent] for parent in parents[name]), default=-1)
        except CycleError as error:
            found: list[str] = error.args[1][:-1]  # each is above the next
            start = found.index(min(found))
            ring = [*found[start:], *found[:start], found[start]]
            written = (self._groups[above].children.get(below) for above, below in pairwise(ring))
            place = next(place for place in written if place)
            raise cannot_read(place, f"a group is within itself: {' > '.join(ring)}") from None
        return depths

    def _groups_of(self, host: str, parents: Mapping[str, set[str]]) -> set[str]:
        """Return the groups that name the host and all that are above them."""
        found: set[str] = set()
        waiting = [name for name, group in self._groups.items() if host in group.hosts]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += parents[name]
        # In any file: a host that is in another group is not ungrouped, and the reverse.
        others = found - {ALL, UNGROUPED}
        return {*others, ALL} if others else {ALL, UNGROUPED}

    def _named_groups(self, host: str, parents: Mapping[str, set[str]]) -> tuple[str, ...]:
        return tuple(sorted(self._groups_of(host, parents) - {ALL, UNGROUPED}))

    def _variables_of(
        self, host: str, parents: Mapping[str, set[str]], depths: Mapping[str, int]
    ) -> dict[str, Variable]:
        def rank(name: str) -> tuple[int, int, str]:
            return (depths[name], self._priority(name), name)

        settled: dict[str, Variable] = {}
        ranked = sorted(self._groups_of(host, parents) | {ALL}, key=rank)
        for name in ranked:
            settled |= self._groups[name].variables
        for name in ranked:
            settled |= self._groups[name].beside
        return settled | self._hosts[host] | self._beside.get(host, {})

    def _priority(self, group: str) -> int:
        given = self._groups[group].variables.get("ansible_group_priority")
        if given is None:
            return 1
        try:
            return int(given.text or "")
        except ValueError:
            why = f"`ansible_group_priority` is not a number: `{given.text}`"
            raise cannot_read(given.place, why) from None
