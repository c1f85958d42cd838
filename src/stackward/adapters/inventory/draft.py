"""What an inventory file says, gathered line by line, then settled into values.

Precedence is Ansible's: `all`, then groups from the outermost to the innermost (equals by
`ansible_group_priority`, then by name), then the same for `group_vars/`, then the host's own
variables, then `host_vars/`; the later word wins.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from stackward.adapters.inventory.variables import node_from, refuse_shared_bmcs
from stackward.adapters.inventory.written import Place, Variable, cannot_read
from stackward.errors import BadInput
from stackward.model.inventory import Inventory

ALL, UNGROUPED = "all", "ungrouped"

# `ansible_password`, `ansible_become_pass`, `ipmi_password`, ...: whatever logs in.
_PASSWORD = re.compile(r"(^|_)(pass|passwd|password|passphrase)$")


@dataclass(slots=True)
class _Group:
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, Place] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    beside: dict[str, Variable] = field(default_factory=dict)  # from group_vars/
    is_defined: bool = False


class Draft:
    """Groups, hosts and variables as read so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._groups: dict[str, _Group] = {
            ALL: _Group(is_defined=True),
            UNGROUPED: _Group(is_defined=True),
        }
        self._hosts: dict[str, dict[str, Variable]] = {}
        self._expected: list[tuple[str, Place, str]] = []
        self._beside: dict[str, dict[str, Variable]] = {}  # from host_vars/

    def at(self, line: int) -> Place:
        """Return the place of a line."""
        return Place(self.source, line)

    def add_group(self, name: str) -> None:
        """Take note that a group is defined."""
        self._group(name).is_defined = True

    def add_child(self, group: str, child: str, place: Place) -> None:
        """Put one group under another."""
        self._group(group).children.setdefault(child, place)
        self._group(child)
        self._expected.append((child, place, f"group `{group}` has a child `{child}`"))

    def expect_group(self, group: str, place: Place) -> None:
        """Take note that a group has variables and must therefore be defined somewhere."""
        self._expected.append((group, place, f"`{group}` has variables"))

    def add_host(self, name: str, group: str) -> None:
        """Put a host into a group."""
        self._hosts.setdefault(name, {})
        self._group(group).hosts.setdefault(name)

    def set_for_host(self, host: str, name: str, value: Variable) -> None:
        """Take a host's variable."""
        _refuse_password(name, value)
        self._hosts.setdefault(host, {})[name] = value

    def set_for_group(self, group: str, name: str, value: Variable) -> None:
        """Take a group's variable."""
        _refuse_password(name, value)
        self._group(group).variables[name] = value

    def set_beside_group(self, group: str, name: str, value: Variable) -> None:
        """Take a variable from a file in `group_vars/`; it wins over the inventory itself."""
        _refuse_password(name, value)
        self._group(group).beside[name] = value

    def set_beside_host(self, host: str, name: str, value: Variable) -> None:
        """Take a variable from a file in `host_vars/`; it wins over all others."""
        _refuse_password(name, value)
        self._beside.setdefault(host, {})[name] = value

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the names of all groups."""
        return tuple(self._groups)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the names of all hosts, in the order in which they were first named."""
        return tuple(self._hosts)

    def settle(self) -> Inventory:
        """Return the values, or say what does not hold together."""
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
        return Inventory(source=self.source, nodes=nodes)

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
            ring: list[str] = list(reversed(error.args[1]))
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
        return found

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
            return int(given.text)
        except ValueError:
            why = f"`ansible_group_priority` is not a number: `{given.text}`"
            raise cannot_read(given.place, why) from None


def _refuse_password(name: str, value: Variable) -> None:
    if not _PASSWORD.search(name) or not value.text or "{{" in value.text:
        return
    raise cannot_read(
        value.place,
        f"`{name}` holds a password in plain text",
        hint="take the line out and log in by key; or keep the password in Ansible's vault",
    )
