"""Which names and addresses are of the same machine: one rule for all that compares hosts.

A whole name equals only the same whole name. A short name equals the same short name, or the one
whole name that begins with it. An address is compared as an address. What that leaves open is
decided by what the node says of itself, and after that by the address that Nova has of it.

This is the only place that cuts a host name at a dot.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

from stackward.wording import count_of, in_utc

Address: TypeAlias = IPv4Address | IPv6Address
Key: TypeAlias = str | Address

# What any machine may call itself (the usual lines of /etc/hosts).
_EVERYBODYS = {"localhost", "ip6-localhost", "ip6-loopback", "localhost4", "localhost6"}
_IRONIC = "ironic"
_SHORTENED = 60  # of a name that is shown


# --- names and addresses ------------------------------------------------------------------------


class Likeness(StrEnum):
    """What two names say of two machines."""

    SAME = "same"
    ALIKE = "alike"  # one is short, and the other, a whole one, begins with it
    DIFFERENT = "different"
    UNTOLD = "untold"  # one of them is what every machine calls itself


def address_of(text: str) -> Address | None:
    """Return the address that a text is, however it is spelled; None where it is a name."""
    try:
        found = ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or found
    return found


def is_everybodys(name: str) -> bool:
    """Say whether any machine may have this name or address: then it distinguishes none."""
    if address := address_of(name):
        return address.is_loopback or address.is_unspecified or address.is_link_local
    return first_label(name) in _EVERYBODYS


def compare(one: str, other: str) -> Likeness:
    """Say what two names, or addresses, say of two machines."""
    if is_everybodys(one) or is_everybodys(other):
        return Likeness.UNTOLD
    first, second = _key(one), _key(other)
    if first == second:
        return Likeness.SAME
    if not isinstance(first, str) or not isinstance(second, str):
        return Likeness.DIFFERENT
    if _is_whole(first) == _is_whole(second) or first_label(first) != first_label(second):
        return Likeness.DIFFERENT
    return Likeness.ALIKE


def spelled_as(host: str, names: Iterable[str]) -> frozenset[str]:
    """Return those of the names by which somebody may call a host: short where another is whole.

    The name itself is one, also a name that any machine may have, such as `localhost`.
    """
    alike = {Likeness.SAME, Likeness.ALIKE}
    return frozenset(one for one in set(names) if one == host or compare(one, host) in alike)


def first_label(name: str) -> str:
    """Return the short form of a name; an address has none, and stays whole."""
    key = _key(name)
    return key.partition(".")[0] if isinstance(key, str) else str(key)


def machine_part(host: str) -> str:
    """Return the machine of a Cinder host, `host@backend#pool`."""
    return host.partition("#")[0].partition("@")[0]


def queue_names(topic: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the RabbitMQ queues that a process of these hosts may have for itself."""
    return tuple(dict.fromkeys(f"{topic}.{name}" for name in names))


def are_all_ironic(kinds: Collection[str]) -> bool:
    """Say whether a host is none of the machines, by the kinds of its hypervisors: all Ironic's."""
    return bool(kinds) and all(kind.lower() == _IRONIC for kind in kinds)


def _key(name: str) -> Key:
    return address_of(name) or name.strip().rstrip(".").lower()


def _is_whole(key: str) -> bool:
    return "." in key


def _longest(names: Iterable[str]) -> list[str]:
    """Leave out short names where a whole one of the same machine says more."""
    known = list(dict.fromkeys(names))
    wholes = {first_label(name) for name in known if isinstance(k := _key(name), str) and "." in k}
    return [name for name in known if _key(name) not in wholes]


class Hosts:
    """The hosts of the cloud, by the names that they may be called by."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._keys: dict[Key, list[str]] = {}
        self._labels: dict[str, list[str]] = {}
        for host in hosts:
            if not is_everybodys(host):
                self._labels.setdefault(first_label(host), []).append(host)
            self._keys.setdefault(_key(host), []).append(host)

    def called(self, *names: str) -> tuple[str, ...]:
        """Return the hosts that have one of a machine's names; where none has, those alike."""
        keys = dict.fromkeys(map(_key, names))
        if same := [host for key in keys for host in self._keys.get(key, ())]:
            return tuple(same)
        return tuple(
            host
            for name in _longest(names)
            for host in self._labels.get(first_label(name), ())
            if compare(name, host) is Likeness.ALIKE
        )


# --- machines -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine as the cloud knows it."""

    host: str  # of its service or agent
    also: tuple[str, ...] = ()  # such as its hypervisor's name
    addresses: tuple[str, ...] = ()  # such as its hypervisor's `host_ip`

    @property
    def names(self) -> tuple[str, ...]:
        """Return all its names."""
        return (self.host, *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class Itself:
    """What a node says of itself."""

    names: tuple[str, ...] = ()  # its host name, short and whole
    configured: str | None = None  # `[DEFAULT] host` of its nova-compute, where it can be read
    seen_at: datetime | None = None  # None: now

    @property
    def all_names(self) -> tuple[str, ...]:
        """Return all names that it has for itself."""
        own = (self.configured, *self.names) if self.configured else self.names
        return tuple(dict.fromkeys(own))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A node as the inventory knows it."""

    name: str
    address: str
    by: tuple[str, ...] = ()  # what else decides where an ssh to it ends: its port, a jump host
    is_local: bool = False

    @property
    def place(self) -> tuple[object, ...]:
        """Return what is equal for two names of one login."""
        return (_key(self.address), *self.by)


class How(IntEnum):
    """Why a node may be a machine; the strongest sign first."""

    NAME = 0  # the inventory has its name
    ITSELF = 1  # it called itself so
    BEGINNING = 2  # its name in the inventory begins with that name, or that name with it
    ADDRESS = 3
    LOCAL = 4  # it is the machine that we run on, whose name in the inventory says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A node that may be a machine."""

    node: str
    signs: frozenset[How]
    place: tuple[object, ...]

    @property
    def strength(self) -> How:
        """Return the strongest sign."""
        return min(self.signs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which node a machine is; or why that is not known."""

    node: str | None
    why: str
    doubtful: tuple[str, ...] = ()  # the nodes that are left, where they are several
    seen_at: datetime | None = None  # when it called itself so, where it cannot be asked now


class _Index:
    """The nodes of an inventory by their names and addresses; made once."""

    def __init__(self, nodes: Iterable[Known]) -> None:
        self.nodes = {node.name: node for node in nodes}
        self.order = {name: at for at, name in enumerate(self.nodes)}
        self.names: dict[Key, list[str]] = {}
        self.shorts: dict[str, list[str]] = {}
        self.wholes: dict[str, list[str]] = {}
        self.addresses: dict[Key, list[str]] = {}
        self.locals: list[str] = []
        for node in self.nodes.values():
            self._add(node)

    def _add(self, node: Known) -> None:
        key = _key(node.name)
        if not is_everybodys(node.name):
            self.names.setdefault(key, []).append(node.name)
            if isinstance(key, str):
                labels = self.wholes if _is_whole(key) else self.shorts
                labels.setdefault(first_label(key), []).append(node.name)
        # An address that is its name is no second sign.
        if not is_everybodys(node.address) and _key(node.address) != key:
            self.addresses.setdefault(_key(node.address), []).append(node.name)
        if node.is_local or is_everybodys(node.name):
            self.locals.append(node.name)


class Directory:
    """The nodes of an inventory, by all that they may be known by."""

    def __init__(
        self, nodes: Iterable[Known] | _Index, said: Mapping[str, Itself] | None = None
    ) -> None:
        self._index = nodes if isinstance(nodes, _Index) else _Index(nodes)
        self._nodes = self._index.nodes
        self.said = {name: one for name, one in (said or {}).items() if name in self._nodes}
        self._own: dict[Key, list[str]] = {}
        self._own_labels: dict[str, list[str]] = {}
        for name, one in self.said.items():
            self._add_said(name, one)

    def _add_said(self, name: str, said: Itself) -> None:
        for own in said.all_names:
            if not is_everybodys(own):
                self._own.setdefault(_key(own), []).append(name)
        for own in _longest(said.all_names):
            if not is_everybodys(own):
                self._own_labels.setdefault(first_label(own), []).append(name)

    def __contains__(self, name: object) -> bool:
        """Say whether the inventory has a node of exactly this name."""
        return name in self._nodes

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all nodes, in their order."""
        return tuple(self._nodes)

    def node(self, name: str) -> Known:
        """Return a node by its name."""
        return self._nodes[name]

    def with_said(self, said: Mapping[str, Itself]) -> "Directory":
        """Return the same nodes with what they say, or once said, of themselves."""
        return Directory(self._index, {**self.said, **said})

    def candidates(self, machine: Machine) -> tuple[Candidate, ...]:
        """Return the nodes that a machine may be; a node that is no candidate need not be asked."""
        names = [name for name in machine.names if not is_everybodys(name)]
        signs: dict[str, set[How]] = {}

        def add(how: How, found: Iterable[str]) -> None:
            for name in found:
                signs.setdefault(name, set()).add(how)

        for name in names:
            add(How.NAME, self._index.names.get(_key(name), ()))
            add(How.ITSELF, self._own.get(_key(name), ()))
            add(How.ADDRESS, self._index.addresses.get(_key(name), ()))
        for address in machine.addresses:
            if not is_everybodys(address):
                add(How.ADDRESS, self._index.addresses.get(_key(address), ()))
                add(How.ADDRESS, self._index.names.get(_key(address), ()))
        if not any(How.NAME in each for each in signs.values()):
            for name in _longest(names):
                add(How.BEGINNING, self._alike(name))
            add(How.LOCAL, self._index.locals)
        return tuple(
            Candidate(node=name, signs=frozenset(signs[name]), place=self._nodes[name].place)
            for name in sorted(signs, key=self._index.order.__getitem__)
        )

    def _alike(self, name: str) -> list[str]:
        key = _key(name)
        if not isinstance(key, str):
            return []
        label = first_label(key)
        found = (
            self._index.shorts.get(label, [])
            if _is_whole(key)
            else self._index.wholes.get(label, [])
        )
        own = [
            node
            for node in self._own_labels.get(label, ())
            if any(compare(key, each) is Likeness.ALIKE for each in self.said[node].all_names)
        ]
        return [*found, *own]


# --- the rule -----------------------------------------------------------------------------------


def has_its_name(candidates: Sequence[Candidate]) -> bool:
    """Say whether one place alone is left, and has the very name."""
    places = {each.place for each in candidates}
    return len(places) == 1 and any(How.NAME in each.signs for each in candidates)


def confirms(said: Itself, machine: Machine) -> bool | None:
    """Say whether a node's own words are of this machine; None: they say nothing about it."""
    if said.configured and _key(said.configured) == _key(machine.host):
        return True
    own = _longest(name for name in said.all_names if not is_everybodys(name))
    named = [name for name in machine.names if address_of(name) is None]
    if not named:
        return None  # an address is no word that a node says of itself
    theirs = _longest(name for name in named if not is_everybodys(name))
    if not theirs:
        # It is called localhost in the cloud, too: that says no more than that both say so.
        return None if own else bool(said.all_names)
    if not own:
        return None
    likeness = {compare(one, other) for one in own for other in theirs}
    return bool(likeness & {Likeness.SAME, Likeness.ALIKE})


def is_certain(said: Itself, machine: Machine) -> bool:
    """Say whether a node's own words are of no other machine: by a whole name.

    A short one, `[DEFAULT] host` too, may be the name of another site's machine as well.
    """
    return any(
        _is_whole(key) and compare(one, other) is Likeness.SAME
        for one in said.all_names
        for other in machine.names
        if isinstance(key := _key(one), str)
    )


@dataclass(slots=True)
class _Sorted:
    """Candidates, one of each place, by what they say."""

    certain: bool = False  # one of those that say yes has said its whole name
    yes: list[Candidate] = field(default_factory=list)
    unknown: list[Candidate] = field(default_factory=list)
    once_no: list[Candidate] = field(default_factory=list)  # silent now, and once had another name
    no: list[Candidate] = field(default_factory=list)


def decide(
    machine: Machine,
    candidates: Sequence[Candidate],
    said: Mapping[str, Itself | None],
) -> Match:
    """Return which of the candidates the machine is; `said` is what they say of themselves."""
    found = _sort(machine, candidates, said)
    # This machine's own entry is no sign by itself, and a bare name is one of them at most.
    unknown = [each for each in found.unknown if each.signs != {How.LOCAL}]
    # A machine may have been renamed since: its name in the inventory, or its address, may be true.
    renamed = [each for each in found.once_no if each.signs & _UNASKED]
    if found.yes:
        # A silent node might say the same: the name and the address decide between them.
        rivals = [] if found.certain else [*unknown, *renamed]
        return _one_of(machine, [*found.yes, *rivals], said, _UNASKED)
    if unknown:
        return _one_of(machine, [*unknown, *renamed], said)
    # The very name outweighs what a node calls itself, where nobody else is it.
    denied = [*found.no, *found.once_no]
    if len(denied) == 1 and How.NAME in denied[0].signs:
        return _one_of(machine, denied, said)
    return Match(node=None, why=_why_none(machine, denied, said))


def _sort(
    machine: Machine, candidates: Sequence[Candidate], said: Mapping[str, Itself | None]
) -> _Sorted:
    found = _Sorted()
    for place in dict.fromkeys(each.place for each in candidates):
        here = [each for each in candidates if each.place == place]
        one = min(here, key=lambda each: each.strength)
        one = Candidate(
            node=one.node, signs=frozenset[How]().union(*(e.signs for e in here)), place=place
        )
        words = next((w for each in here if (w := said.get(each.node))), None)
        verdict = confirms(words, machine) if words else None
        is_old = words is not None and words.seen_at is not None
        if verdict and is_old:
            verdict = None  # it is no more than a sign: others may have its name by now
        found.certain |= bool(verdict and words and is_certain(words, machine))
        denied = found.once_no if is_old else found.no
        {True: found.yes, None: found.unknown, False: denied}[verdict].append(one)
    return found


_UNASKED = frozenset({How.NAME, How.ADDRESS})
_STRONG = _UNASKED | {How.ITSELF}


def _one_of(
    machine: Machine,
    left: Sequence[Candidate],
    said: Mapping[str, Itself | None],
    strong: frozenset[How] = _STRONG,
) -> Match:
    """Return the one; of several, the one with two strong signs, or with the only strong one."""
    for least in (2, 1):
        stronger = [each for each in left if len(each.signs & strong) >= least]
        if len(stronger) == 1:
            left = stronger
        elif stronger:
            break
    if len(left) == 1:
        one = left[0]
        words = said.get(one.node)
        return Match(
            node=one.node,
            why=_WHY[one.strength],
            seen_at=words.seen_at if words and How.NAME not in one.signs else None,
        )
    names = [each.node for each in left]
    listed = f"{', '.join(f'`{name}`' for name in names[:-1])} and `{names[-1]}`"
    return Match(
        node=None,
        why=f"{count_of(len(names), 'node')} of the inventory may be `{machine.host}`: {listed}",
        doubtful=tuple(names),
    )


_WHY = {
    How.NAME: "by its name",
    How.ITSELF: "by what it calls itself",
    How.BEGINNING: "by its name, one of which is short",
    How.ADDRESS: "by its address",
    How.LOCAL: "by what it calls itself",
}


def _why_none(
    machine: Machine, denied: Sequence[Candidate], said: Mapping[str, Itself | None]
) -> str:
    for each in denied:
        words = said.get(each.node)
        if words and each.signs != {How.LOCAL}:
            own = ", ".join(f"`{name[:_SHORTENED]}`" for name in words.all_names)
            sign = "address" if How.ADDRESS in each.signs else "short name"
            when = f" at {in_utc(words.seen_at)}" if words.seen_at else ""
            calls = "called itself" if words.seen_at else "calls itself"
            return f"`{each.node}` has the {sign} of `{machine.host}`, but {calls} {own}{when}"
    return f"the inventory names no node for `{machine.host}`"
