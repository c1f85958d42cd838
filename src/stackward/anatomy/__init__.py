"""List the components of a cloud: each once, as data. A new component is one entry, no code.

Every `*.toml` file in this folder has components. A component's own tables are its flavours, one
for each way in which clouds are deployed. The words of an entry are the fields below.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from stackward.errors import BadInput
from stackward.wording import near_to, perhaps

Part = TypeVar("Part")

MACHINE = "machine"
RAFT = "raft"
WEB_SERVERS = ("apache2.service", "httpd.service")  # run what is deployed as a site
FLAVOURS = {
    "debian": "packages of Debian and Ubuntu, run by systemd",
    "kolla": "containers of Kolla, run by Docker or Podman",
}

# The types that a service may have in the catalog, where more than the official one are in use.
OTHER_TYPES = {"block-storage": ("block-storage", "volumev3", "block-store", "volume")}

# The order in which the operator's chapter restores a site: what must work before what.
PRIORITIES = {
    1: "internal network connectivity",
    2: "backing storage services",
    3: "public network connectivity for user virtual machines",
    4: "nova-compute, networking and cinder hosts",
    5: "user virtual machines",
    10: "message queue and database services",
    15: "Keystone services",
    20: "cinder-scheduler",
    21: "image catalogue and delivery services",
    22: "nova-scheduler services",
    98: "cinder-api",
    99: "nova-api services",
    100: "dashboard node",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database of a component, and where its configuration names it."""

    name: str
    file: str
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What shows that the component works."""

    kind: str  # one of PROBES
    shows: str  # in the operator's words: "image list"
    path: str = ""
    version: str | None = None  # the microversion that it is asked with


def _name_of(program: str) -> str:
    return program.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A command on its node that only the running process can answer, and that changes nothing.

    It ends by itself: its own time limit, or `timeout`, is part of the words. For root each word
    that is executed is an absolute path, as `ports/root.py` says.
    """

    ask: tuple[str, ...]
    what: str  # that it asks for, in the operator's words: "its connection to the databases"
    expects: str  # a regular expression, found in the answer of one that is well
    refutes: str | None = None  # found in the answer of one that is not, or where its tool fails
    reserve: str | None = None  # of one of all: found in the answer of one in reserve
    absent: str | None = None  # found where its tool fails, and nobody need listen
    has_none: str | None = None  # found where its tool fails: it answers, and may be without that
    off_bus: str | None = None  # found where its tool fails: it runs, and the message bus lost it
    reads: str | None = None  # one of READERS: the answer is read by code, which judges it too
    without: str = ""  # in words: why nobody need listen
    is_for_root: bool = True
    container: str | None = None  # that it is asked in, where the node has no such tool itself
    inside: tuple[str, ...] = ()  # the words there, where its control socket has another place
    unit: str | None = None  # of the process that is asked, where its component has several
    only_with: str | None = None  # a unit: asked only where that runs
    by_way_of: str | None = None  # a component there: while that is silent, so is the way to this
    one_of_all: bool = False  # exactly one in the cloud must answer like this, and no other

    @property
    def program(self) -> str:
        """Return the program that is needed, as it is run."""
        return self.ask[2] if _name_of(self.ask[0]) == "timeout" else self.ask[0]

    @property
    def tool(self) -> str:
        """Return the name of the program that is needed."""
        return _name_of(self.program)


@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    """An HTTP request to where its process listens on its node: any answer of it is its own.

    It needs no login, changes nothing, and asks neither the database nor Keystone.
    """

    paths: tuple[str, ...]  # it has one of these; its deployment says which
    what: str  # that it asks for, in the operator's words: "its versions"
    own: str | None = None  # a regular expression; others that listen there answer otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A place where a component keeps what users have: judged without a write."""

    kind: str  # one of STORES
    settings: str  # the file on the node that says where it is
    path: str  # where it usually is


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that makes its API call the process over RPC: only it can answer."""

    path: str  # `{name}` is what its API calls the process; without it, any of them may answer
    answer: str  # what the answer has


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A component as one flavour deploys it."""

    units: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()  # of its containers: without them it does its work all the same
    sites: tuple[str, ...] = ()  # served by Apache where one of these files is
    packages: tuple[str, ...]
    configuration: tuple[str, ...]
    settings: tuple[str, ...] = ()  # that it reads where it runs, with its way to RabbitMQ
    logs: tuple[str, ...]
    writes: tuple[str, ...] = ()  # folders of its data: next to its logs, what needs room on a disk
    user: str
    command: str  # runs it in the foreground, as that user
    stores: tuple[Store, ...] = ()
    restart: str = (
        ""  # starts it again, where a restart of its own unit does more or less than that
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of a cloud."""

    name: str
    is_: str  # what it does, in a phrase
    service: str  # the project that it belongs to
    depends_on: tuple[str, ...] = ()  # on any node that runs it
    rests_on: tuple[str, ...] = ()  # on the same machine
    holds: tuple[str, ...] = ()  # what it keeps a connection to, also while it has nothing to do
    topic: str | None = None  # its queue is `topic.host`
    more_topics: tuple[str, ...] = ()  # that it reads as well
    exchange: str | None = None  # leads there, unless its settings name another
    heartbeat: str | None = None  # its binary in the service list of its API
    restore: int
    upgrade: int  # its place in the upgrade; 0: with the distribution, not with OpenStack
    ports: tuple[int, ...] = ()
    replaces: tuple[str, ...] = ()  # where it runs in a cloud, it does their work
    agents: tuple[str, ...] = ()  # of Pacemaker: one of them may run it instead of its unit
    is_one_of: bool = False  # its units can replace one another: one that runs is enough
    on_each_node: bool = False  # the distribution runs it on every node that has it
    started_by_bus: bool = False  # the message bus starts it when somebody needs it
    catalog: str | None = None  # its type in the catalog
    databases: tuple[Database, ...] = ()
    probe: Probe
    questions: tuple[Question, ...] = ()  # which must all be answered
    http: Get | None = None
    call: Call | None = None
    flavours: Mapping[str, Deployed]

    @property
    def topics(self) -> tuple[str, ...]:
        """Return all topics of which it reads the queues."""
        return (*([self.topic] if self.topic else []), *self.more_topics)

    @property
    def catalog_types(self) -> tuple[str, ...]:
        """Return the types that it may have in the catalog, the official one first."""
        return () if self.catalog is None else OTHER_TYPES.get(self.catalog, (self.catalog,))


def keeper_of(container: str) -> str:
    """Return the unit by which Kolla has systemd start a container, if it has one."""
    return f"kolla-{container}-container.service"


def marks_of(package: str) -> tuple[str, str]:
    """Return what is there as long as a package is installed; one that was removed has neither.

    A small image may have no documents; dpkg has its sums even so.
    """
    return f"/usr/share/doc/{package}", f"/var/lib/dpkg/info/{package}.md5sums"


# The projects whose processes an API lists, each with the type of that API in the catalog.
LISTED: Mapping[str, str] = {
    "nova": "compute",
    "neutron": "network",
    "ovn": "network",
    "cinder": "block-storage",
}
REPORTED_TO = frozenset(LISTED.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeKind:
    """A way to see that a component works, and what an entry must say for it."""

    does: str
    needs: str = ""  # in words, for who writes the entry
    can: Callable[[Component], bool] = lambda _: True


def _only_of(name: str, does: str) -> ProbeKind:
    """Return a probe that depends on the kind alone: in another entry it would check this one."""
    return ProbeKind(
        does=does,
        needs=f"to be that of `{name}`, which it describes",
        can=lambda one: one.name == name,
    )


PROBES: Mapping[str, ProbeKind] = {
    "list": ProbeKind(
        does="asks its API for a list, as a user would",
        needs="`catalog`, and a `path` in its probe",
        can=lambda one: bool(one.catalog and one.probe.path),
    ),
    "account": ProbeKind(
        does="asks its API for our own account",
        needs="`catalog`",
        can=lambda one: bool(one.catalog),
    ),
    "heartbeat": ProbeKind(
        does="reads its record in the service list of its API",
        needs="`heartbeat`, its name in that list",
        can=lambda one: bool(one.heartbeat),
    ),
    "rpc": ProbeKind(
        does="has it called over RPC",
        needs="`heartbeat` and `topic`",
        can=lambda one: bool(one.heartbeat and one.topic),
    ),
    "consumer": ProbeKind(
        does="sees whether its queue has a reader",
        needs="`topic`",
        can=lambda one: bool(one.topic),
    ),
    "port": ProbeKind(
        does="sees whether it listens on its ports",
        needs="`ports`",
        can=lambda one: bool(one.ports),
    ),
    "unit": ProbeKind(does="sees how its unit or container is"),
    "node": _only_of(MACHINE, "logs in to the node"),
    "mariadb": _only_of("mariadb", "asks MariaDB for its status"),
    "rabbitmq": _only_of("rabbitmq", "asks RabbitMQ for its status and its queues"),
    "memcached": _only_of("memcached", "asks memcached for its statistics"),
    "libvirt": _only_of("libvirtd", "asks libvirt for its version"),
    "pacemaker": _only_of("pacemaker", "asks Pacemaker for the state of its resources"),
}
"""Every way to see that a component works. Another one is an entry here, and the code for it."""


STORES: Mapping[str, str] = {
    "images": "Glance's file stores: `filesystem_store_datadir` of each backend",
    "volumes": "Cinder's NFS shares, mounted below `nfs_mount_point_base`, and LVM volume groups",
    "instances": "Nova's `instances_path`",
}
"""Every kind of store, and where it is found. Another one is an entry here, and code for it."""


READERS: Mapping[str, str] = {
    RAFT: "reads it as the word of a member of a cluster, and judges the members together",
}
"""Every way to read more of an answer than whether words are in it. Another one is an entry here,
and the code for it."""


@dataclass(frozen=True, slots=True)
class Anatomy:
    """All components."""

    components: Mapping[str, Component]

    def __getitem__(self, name: str) -> Component:
        """Return a component.

        Raises BadInput where there is none of that name.
        """
        if name not in self.components:
            near = near_to(name, sorted(self.components))
            known = ", ".join(f"`{each}`" for each in sorted(self.components))
            raise BadInput(
                f"there is no component `{name}`",
                hint=perhaps(near) if near else f"components: {known}",
            )
        return self.components[name]

    def deployed(self) -> Iterable[tuple[Component, Deployed]]:
        """Return each component with each way in which it is deployed."""
        for component in self.components.values():
            for deployed in component.flavours.values():
                yield component, deployed

    def of_catalog(self, kind: str) -> Component | None:
        """Return the component whose endpoints have this type in the catalog."""
        found = (one for one in self.components.values() if one.catalog == kind)
        return next(found, None)

    def of_heartbeat(self, binary: str) -> Component | None:
        """Return the component that an API's service list calls so."""
        found = (one for one in self.components.values() if one.heartbeat == binary)
        return next(found, None)


@cache
def read_anatomy() -> Anatomy:
    """Read the components that the files of this folder declare."""
    entries = [entry for entry in files(__package__).iterdir() if entry.name.endswith(".toml")]
    return to_anatomy({entry.name: entry.read_text("utf-8") for entry in entries})


def to_anatomy(texts: Mapping[str, str] | Sequence[str]) -> Anatomy:
    """Make components of TOML, by file; they come in the order in which a site is restored.

    Raises BadInput, which names the file and the entry, if nothing would read a part of it.
    """
    named = (
        texts if isinstance(texts, Mapping) else {f"text {n + 1}": t for n, t in enumerate(texts)}
    )
    found: list[Component] = []
    files_of: dict[str, str] = {}
    for file in sorted(named):
        for name, entry in tomllib.loads(named[file]).items():
            with _in_file(file):
                if name in files_of:
                    raise _wrong(name, f"it is in `{files_of[name]}` too", "leave one of them")
                found.append(one := _component(name, entry))
                _refuse_what_nothing_reads(one)
            files_of[name] = file
    found.sort(key=lambda one: (one.restore, one.service, one.name))
    anatomy = Anatomy({component.name: component for component in found})
    units = {unit for _, deployed in anatomy.deployed() for unit in deployed.units}
    for component in found:
        with _in_file(files_of[component.name]):
            _refuse_names_of_nobody(component, anatomy.components.keys(), units)
            _refuse_who_is_never_found(component, anatomy)
    return anatomy


@contextmanager
def _in_file(file: str) -> Iterator[None]:
    try:
        yield
    except BadInput as error:
        raise BadInput(f"`{file}`: {error.message}", hint=error.hint) from error


_REFERENCES = ("depends_on", "rests_on", "holds", "replaces")
_PATTERNS = ("expects", "refutes", "reserve", "absent", "has_none", "off_bus")


def _refuse_names_of_nobody(one: Component, known: Collection[str], units: Collection[str]) -> None:
    for word in _REFERENCES:
        unknown = set(getattr(one, word)) - set(known) - {MACHINE}
        if unknown:
            why = f"`{word}` names {_named(unknown)}, which is no component"
            raise _wrong(one.name, why, f"components: {_named(known)}")
    ways = {each.by_way_of for each in one.questions if each.by_way_of}
    if unknown := ways - set(known):
        why = f"a question goes by way of {_named(unknown)}, which is no component"
        raise _wrong(one.name, why, f"components: {_named(known)}")
    asked = {unit for each in one.questions for unit in (each.only_with, each.unit) if unit}
    if unknown := asked - set(units):
        why = f"a question is about {_named(unknown)}, which is no unit of any component"
        raise _wrong(one.name, why, f"units: {_named(units)}")


def _refuse_who_is_never_found(one: Component, anatomy: Anatomy) -> None:
    """Refuse a word by which another component is found already."""
    if one.heartbeat and (other := anatomy.of_heartbeat(one.heartbeat)) is not one and other:
        why = f"`{other.name}` has the heartbeat `{one.heartbeat}` too"
        raise _wrong(one.name, why, "leave one of them")
    if one.catalog and (other := anatomy.of_catalog(one.catalog)) is not one and other:
        why = f"`{other.name}` has the type `{one.catalog}` in the catalog too"
        raise _wrong(one.name, why, "leave one of them")


def _refuse_what_nothing_reads(one: Component) -> None:
    """Refuse an entry that would be skipped silently: its component would never be looked at.

    Raises BadInput.
    """
    probe = PROBES.get(one.probe.kind)
    if probe is None:
        raise _wrong(one.name, f"there is no probe `{one.probe.kind}`", f"probes: {_named(PROBES)}")
    if not probe.can(one):
        raise _wrong(one.name, f"the probe `{one.probe.kind}` needs {probe.needs}", "add it")
    _refuse_odd_heartbeat(one)
    if one.call and not (one.heartbeat and one.topic and one.call.path.startswith("/")):
        raise _wrong(
            one.name,
            "`call` needs `heartbeat`, `topic` and a path that begins with a slash",
            "add it",
        )
    if one.http and not one.ports:
        raise _wrong(one.name, "`http` needs `ports`, where it listens", "add them")
    if one.http and not (one.http.paths and all(p.startswith("/") for p in one.http.paths)):
        raise _wrong(one.name, "a path of `http` begins with a slash", "write it so")
    _refuse_parts_at_odds(one)
    _refuse_odd_words(one)


def _refuse_odd_heartbeat(one: Component) -> None:
    if one.heartbeat and one.service not in LISTED:
        raise _wrong(
            one.name,
            f"the API of `{one.service}` has no list of services, so nobody would read its "
            "`heartbeat`",
            f"take `heartbeat` out; lists of services are read of: {_named(LISTED)}",
        )
    if one.heartbeat and one.catalog not in {None, LISTED[one.service]}:
        raise _wrong(
            one.name,
            f"`heartbeat` is read in the API of `{LISTED[one.service]}`, not of `{one.catalog}`",
            "take one of them out",
        )


def _refuse_odd_words(one: Component) -> None:
    if one.restore not in PRIORITIES:
        known = ", ".join(map(str, PRIORITIES))
        raise _wrong(
            one.name, f"there is no priority {one.restore} to `restore`", f"one of {known}"
        )
    if (one.probe.path or one.probe.version) and one.probe.kind != "list":
        raise _wrong(one.name, "only the probe `list` has a `path` or `version`", "take it out")
    if one.exchange and not one.topic:
        raise _wrong(one.name, "`exchange` needs `topic`", "add it")
    for question in one.questions:
        _refuse_question(one, question)
    _refuse_bad_patterns(one)
    if not one.flavours:
        why = "it says of no flavour how that deploys it"
        raise _wrong(one.name, why, f"add one of {_named(FLAVOURS)}")


def _refuse_question(one: Component, question: Question) -> None:
    if not all(question.ask):
        raise _wrong(one.name, "a question has an empty word", "say what is asked in `ask`")
    if not question.ask or not question.what:
        raise _wrong(one.name, "a question has no words", "say what is asked in `ask` and `what`")
    if _name_of(question.ask[0]) != "timeout" and "-T" not in question.ask:
        why = f"the question for {question.what} has no time limit"
        raise _wrong(one.name, why, "begin `ask` with `timeout`, or give its own limit with `-T`")
    if question.one_of_all and not question.reserve:
        why = "a question that is `one_of_all` needs `reserve`"
        raise _wrong(one.name, why, "say what a standby answers")


def _refuse_bad_patterns(one: Component) -> None:
    found = [(word, getattr(each, word)) for each in one.questions for word in _PATTERNS]
    for word, pattern in [*found, ("own", one.http.own if one.http else None)]:
        try:
            re.compile(pattern or "")
        except re.error as error:
            why = f"`{word}` is no regular expression: {error}"
            raise _wrong(one.name, why, "see the `re` module of Python") from error


def _refuse_parts_at_odds(one: Component) -> None:
    if any(bool(each.absent) != bool(each.without) for each in one.questions):
        raise _wrong(one.name, "of a question `absent` and `without` go together", "add the other")
    if unknown := {each.reads for each in one.questions if each.reads} - READERS.keys():
        known = f"readers: {_named(READERS)}"
        raise _wrong(one.name, f"nothing reads an answer as {_named(unknown)}", known)
    for deployed in one.flavours.values():
        if unknown := set(deployed.helpers) - set(deployed.containers):
            raise _wrong(one.name, f"{_named(unknown)} is no container of it", "name it in both")
    for store in (each for deployed in one.flavours.values() for each in deployed.stores):
        if store.kind not in STORES:
            raise _wrong(one.name, f"there is no store `{store.kind}`", f"stores: {_named(STORES)}")
        if not store.path.startswith("/") or not store.settings.startswith("/"):
            raise _wrong(one.name, "a store needs whole paths", "begin them with `/`")


def _wrong(name: str, why: str, hint: str) -> BadInput:
    return BadInput(f"the component `{name}` cannot be read: {why}", hint=hint)


def _named(words: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in sorted(words))


def _component(name: str, entry: dict[str, Any]) -> Component:
    known = {"is", *FLAVOURS, *(field.name for field in fields(Component))}
    known -= {"name", "is_", "flavours"}
    if unknown := entry.keys() - known:
        raise _wrong(name, f"it has no part {_named(unknown)}", f"parts: {_named(known)}")
    needed = {field.name.rstrip("_") for field in fields(Component) if field.default is MISSING}
    if lacking := needed - {"name", "flavours"} - entry.keys():
        raise _wrong(name, f"it has no {_named(lacking)}", f"parts: {_named(known)}")
    flavours = {each: _deployed(name, entry.pop(each)) for each in FLAVOURS if each in entry}
    # Every component depends on its machine: the entries need not say so.
    rests_on = (*entry.pop("rests_on", ()), *([MACHINE] if name != MACHINE else []))
    return Component(
        name=name,
        is_=entry.pop("is"),
        rests_on=rests_on,
        probe=_part(Probe, name, entry.pop("probe")),
        databases=tuple(_part(Database, name, each) for each in entry.pop("databases", ())),
        questions=tuple(_part(Question, name, each) for each in entry.pop("questions", ())),
        http=_part(Get, name, entry.pop("http")) if "http" in entry else None,
        call=_part(Call, name, entry.pop("call")) if "call" in entry else None,
        flavours=flavours,
        **{word: _frozen(value) for word, value in entry.items()},
    )


def _deployed(name: str, entry: dict[str, Any]) -> Deployed:
    stores = tuple(_part(Store, name, each) for each in entry.get("stores", ()))
    return _part(Deployed, name, {**entry, "stores": stores})


def _part(kind: type[Part], name: str, entry: dict[str, Any]) -> Part:
    """Make a part of an entry; a part that nobody would read is refused."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # all are dataclasses
    if unknown := entry.keys() - known:
        raise _wrong(
            name,
            f"a part of it ({kind.__name__.lower()}) has no word {_named(unknown)}",
            f"words: {_named(known)}",
        )
    needed = {field.name for field in fields(kind) if field.default is MISSING}  # type: ignore[arg-type]  # as above
    if lacking := needed - entry.keys():
        raise _wrong(
            name,
            f"a part of it ({kind.__name__.lower()}) has no {_named(lacking)}",
            f"words: {_named(known)}",
        )
    return kind(**{word: _frozen(value) for word, value in entry.items()})


def _frozen(value: Any) -> Any:  # noqa: ANN401  # any value that TOML has
    return tuple(value) if isinstance(value, list) else value
