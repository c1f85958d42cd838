"""What one event shows: where an error arose, what it accuses, and how much it counts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from types import MappingProxyType

from stackward.diagnosis.accused import CALLS, Accused, accused_by, short
from stackward.diagnosis.code_places import NEAR, CodePlace, package_of, place_of, place_of_logger
from stackward.diagnosis.components import MIXED, component_of_module
from stackward.diagnosis.signs import MOST_READ
from stackward.logs.event import Event, Level, Raised
from stackward.logs.groups import words_of
from stackward.logs.reading import Place, Repeated

NONE_REPEATED: Mapping[Place, Repeated] = MappingProxyType({})
_OF_THE_WEB = frozenset({"uwsgi", "access", "haproxy"})  # they log answers, not reasons
_OF_ALL = frozenset({"chrony", "logind", "machine"})  # whose files, such as syslog, have all
_PERIODIC = ("oslo_service/periodic_task.py", "oslo_service/loopingcall.py")
_CARRIES = frozenset({"RemoteError"})  # an exception that brings another one home
# A store that raises these was asked for what is not there, or was given what is no value.
_OF_CALLERS = frozenset(
    {
        "AttributeError", "DBDataError", "DBDuplicateEntry", "DBError", "DBReferenceError",
        "KeyError", "StatementError", "TypeError", "ValueError",
    }
)  # fmt: skip
_FILTER = re.compile(r"Filter (?P<name>\w+) returned 0 hosts|(?P<last>\w+): \(start: \d+, end: 0\)")
# Filters in modules that are not called like them; the rest are.
_FILTERS = {
    "AffinityFilter": "affinity_filter", "AggregateCoreFilter": "core_filter",
    "AggregateDiskFilter": "disk_filter",
    "AggregateInstanceExtraSpecsFilter": "aggregate_instance_extra_specs",
    "AggregateIoOpsFilter": "io_ops_filter",
    "AggregateMultiTenancyIsolation": "aggregate_multitenancy_isolation",
    "AggregateNumInstancesFilter": "num_instances_filter", "AggregateRamFilter": "ram_filter",
    "AggregateTypeAffinityFilter": "type_filter", "DifferentBackendFilter": "affinity_filter",
    "DifferentHostFilter": "affinity_filter", "ImagePropertiesFilter": "image_props_filter",
    "SameBackendFilter": "affinity_filter", "SameHostFilter": "affinity_filter",
    "ServerGroupAffinityFilter": "affinity_filter",
    "ServerGroupAntiAffinityFilter": "affinity_filter",
    "SimpleCIDRAffinityFilter": "affinity_filter", "TypeAffinityFilter": "type_filter",
}  # fmt: skip
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")  # NUMATopology


# A caller and a service disagree on the parameters of a call over RPC.
_MISMATCH = re.compile(
    r"\(\) (?:got an unexpected keyword argument|takes |missing \d+ required |got multiple values)"
)
# Something is None where it must not be.
_OF_NONE = re.compile(
    r"'NoneType' (?:object )?"
    r"(?:has no attribute '(?P<attribute>\w+)'|is not (?P<what>subscriptable|iterable))"
)
# What of a line of code is no code: its strings, also one that ends elsewhere, and its comment.
_NO_CODE = re.compile(r"(['\"])(?:\\.|(?!\1).)*(?:\1|$)|#.*")
_BINDS = re.compile(r"\bfor ([^;]+?) in\b|\bas (\w+)|\blambda ([^:]*):|(\w+)\s*:=")
_OWNER = r"\w.)\]}'"  # the characters before an attribute, or before an index
_OWNERS = {"self", "cls"}
_ENOUGH = 2  # calls: one that failed, and its caller
_DISPATCHER = "oslo_messaging/rpc/dispatcher.py"


class Weight(IntEnum):
    """How much an event counts; a lower one counts more."""

    OWN = 0  # an error of its own
    NO_CODE = 1  # the same, and it is not known in which code
    PERIODIC = 2  # the same, of something that runs by itself
    ACCUSED = 3  # a lighter one, of a component that others accuse
    AWAY = 4  # it accuses another component
    WARNS = 5  # a warning with a traceback of its own
    HINTS = 6  # another warning
    BESIDE = 7  # an error of what services rest on, which none of them accuses
    SAYS = 8  # no warning, but it says why a request was refused
    USUAL = 9  # it was there before


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Witness:
    """An event, and what it shows."""

    event: Event
    component: str
    logged_by: str  # another component, where the exception came over RPC
    weight: Weight
    places: tuple[CodePlace, ...]  # where it arose, the likeliest first
    raised: Raised | None = None  # the first cause of its traceback
    accused: Accused | None = None
    ids: frozenset[str] = frozenset()
    repeated: Repeated | None = None  # what says the same, and was only counted

    @property
    def count(self) -> int:
        """Return how many events it is."""
        return 1 + (self.repeated.count if self.repeated else 0)

    @property
    def until(self) -> datetime:
        """Return when the last of them was."""
        return max(self.event.at, self.repeated.last) if self.repeated else self.event.at

    @property
    def is_handled(self) -> bool:
        """Say whether its exception may have been expected, and another one came of it."""
        if self.raised is None or self.raised is self.event.raised[-1]:
            return False
        return short(self.raised.exception).endswith("NotFound")

    @property
    def is_following(self) -> bool:
        """Say whether it says only that something went wrong before."""
        return self.accused is not None and self.accused.follows

    @property
    def place(self) -> CodePlace | None:
        """Return where it arose; None where that is not known."""
        return self.places[0] if self.places else None


def key_of(one: Event, component: str) -> tuple[object, ...]:
    """Return by what the same error is known again."""
    said = one.message
    if said.startswith("Traceback (most") and one.raised:
        said = one.raised[-1].message
    places = _places_of(one)
    where = places[0].module if places else None
    return component, one.module, words_of(said), one.exception, where


def _places_of(one: Event) -> tuple[CodePlace, ...]:
    raised, frames = first_cause(one)
    return places_in(frames, raised)


def component_of(one: Event, known: Mapping[tuple[str, str], str]) -> str:
    """Return whose event it is."""
    named = known.get((one.node, one.file))
    is_shared = one.component in _OF_ALL and one.format.startswith("oslo")
    if named == MIXED or (named is None and is_shared):
        modules = [f"{one.module.replace('.', '/')}.py"]
        if one.raised:
            modules += [each.module for each in _places_of(one)]
        named = next(filter(None, map(component_of_module, modules)), None)
    return named or one.component


def witness_of(
    one: Event,
    component: str,
    usual: frozenset[tuple[object, ...]],
    ids: frozenset[str],
    repeated: Mapping[Place, Repeated] = NONE_REPEATED,
) -> Witness | None:
    """Return what an event shows; None where it shows only that a user has noticed something."""
    if one.format in _OF_THE_WEB:
        return None
    raised, frames = first_cause(one)
    known = [place for place in map(place_of, raised.frames if raised else ()) if place]
    accused = accused_by(one, raised, known)
    places = (
        _places_of_a_call(component, raised, frames)
        or _with_the_store(_with_the_last(places_in(frames, raised), one, raised), one)
        or tuple(filter(None, [_place_told(one)]))
    )
    logged_by = component
    # A traceback that came over RPC is of another process.
    if raised is not None and raised.is_remote and places:
        component = component_of_module(places[0].module) or component
    weight = _weight(one, places, accused, raised)
    return Witness(
        event=one,
        component=component,
        logged_by=logged_by,
        weight=Weight.USUAL if key_of(one, component) in usual else weight,
        places=places,
        raised=raised,
        accused=accused,
        ids=ids,
        repeated=repeated.get(one.written_at) if repeated else None,
    )


def _places_of_a_call(
    component: str, raised: Raised | None, frames: Sequence[CodePlace | None]
) -> tuple[CodePlace, ...]:
    """Return who calls, and who is called, where the two disagree on the parameters."""
    if raised is None or not _MISMATCH.search(raised.message[:MOST_READ]):
        return ()
    is_called = any(frame.file.endswith(_DISPATCHER) for frame in raised.frames)
    own = [one for one in frames if one and one.is_own]
    if not is_called or any(not one.is_wrapper and not one.is_layer for one in own):
        return ()
    return one_of_each(
        CodePlace(module=module)
        for caller, called, manager in CALLS
        if called == component and caller.endswith("rpcapi.py") and manager
        for module in (caller, manager)
    )


def _with_the_last(
    places: tuple[CodePlace, ...], one: Event, raised: Raised | None
) -> tuple[CodePlace, ...]:
    """Add where the last exception of a chain arose: the first may have been handled."""
    if not places or not one.raised or one.raised[-1] is raised or any(map(_carries, one.raised)):
        return places
    last = one.raised[-1]
    others = places_in(tuple(map(place_of, last.frames)), last)[:1]
    return one_of_each([*places[:2], *others, *places[2:]])


def _with_the_store(places: tuple[CodePlace, ...], one: Event) -> tuple[CodePlace, ...]:
    """Add the store in which it arose, behind two callers: it may be at fault itself."""
    behind = [each for each in one.raised if not _carries(each)]
    own = [place for each in behind[:1] for place in map(place_of, each.frames) if place]
    deep = [place for place in own[-1:] if place.is_own and place.is_store]
    if not deep or deep[0].module in {place.module for place in places[:2]}:
        return places
    return one_of_each([*places[:2], *deep, *places[2:]])


def _place_told(one: Event) -> CodePlace | None:
    """Return what an event without a traceback shows of a place."""
    if found := _FILTER.search(one.message[:MOST_READ]):
        name = found["name"] or found["last"]
        words = _FILTERS.get(name) or _WORDS.sub("_", name).lower()
        package = "cinder" if package_of(one.module) == "cinder" else "nova"
        return CodePlace(module=f"{package}/scheduler/filters/{words}.py")
    return place_of_logger(one.module)


def _weight(
    one: Event, places: Sequence[CodePlace], accused: Accused | None, raised: Raised | None
) -> Weight:
    if one.level < Level.WARNING:
        return Weight.WARNS if raised and places and accused is None else Weight.SAYS
    if accused is not None:
        return Weight.AWAY if raised or one.level >= Level.ERROR else Weight.HINTS
    if one.level < Level.ERROR:
        return Weight.WARNS if raised and places else Weight.HINTS
    if not places:
        return Weight.NO_CODE if one.format.startswith("oslo") else Weight.BESIDE
    return Weight.PERIODIC if is_periodic(one) else Weight.OWN


def is_periodic(one: Event) -> bool:
    """Say whether it was logged by something that runs again and again by itself."""
    if one.user is not None or one.server is not None:
        return False
    files = [frame.file for each in one.raised for frame in each.frames]
    return "periodic_task" in one.module or any(file.endswith(_PERIODIC) for file in files)


def first_cause(one: Event) -> tuple[Raised | None, tuple[CodePlace | None, ...]]:
    """Return the exception that was first, with its calls.

    One that came over RPC is behind the error that has brought it; of a chain it is the first.
    Where it arose in what only stores the values of others, its caller over RPC shows more.
    """
    chain = list(one.raised)
    number = 0
    while number + 1 < len(chain) and _carries(chain[number]):
        number += 1
    behind = chain[number:]
    # A caller's own calls lead to the error that has brought the exception, not to that.
    known = [(each, tuple(map(place_of, each.frames))) for each in behind]
    known += [(behind[0], tuple(map(place_of, each.frames))) for each in reversed(chain[:number])]
    for each, places in known:
        if any(place and place.is_own and _means(place, each) for place in places):
            return each, places
    own = [(each, places) for each, places in known if any(one and one.is_own for one in places)]
    return next(iter(own or known), (None, ()))


def _means(place: CodePlace, raised: Raised) -> bool:
    return not place.is_wrapper and not (place.is_store and _is_of_caller(raised))


def _is_of_caller(raised: Raised | None) -> bool:
    """Say whether it is about what was asked for, or about a value that was given."""
    name = short(raised.exception) if raised else ""
    return name in _OF_CALLERS or name.endswith("NotFound")


def _carries(one: Raised) -> bool:
    return one.exception.endswith("_Remote") or short(one.exception) in _CARRIES


def places_in(frames: Sequence[CodePlace | None], raised: Raised | None) -> tuple[CodePlace, ...]:
    """Return where an exception arose: the innermost calls of services, one for each module.

    What only passes calls on is left out, unless there is nothing else.
    """
    meant, passed = _told_apart(frames, raised)
    if not meant and not passed:
        return tuple(one for one in reversed(frames) if one and one.package in NEAR)[:1]
    ordered = [place for _, place in meant] or [place for _, place in passed]
    is_remote = raised is not None and _carries(raised)  # it arose in the other process
    innermost = max([*meant[:1], *passed[:1]])[1]
    if giver := _giver_of_none(frames, raised):
        ordered = [giver, *ordered]
    if meant and passed and passed[0][1].module == innermost.module and not is_remote:
        # The innermost of all stays a candidate, behind two that mean more.
        ordered = [*one_of_each(ordered)[:2], innermost, *ordered]
    return one_of_each(ordered)


def has_none_from_caller(raised: Raised) -> bool:
    """Say whether a call failed on a None that its caller has handed over."""
    return _giver_of_none(tuple(map(place_of, raised.frames)), raised) is not None


_Numbered = list[tuple[int, CodePlace]]


def _told_apart(
    frames: Sequence[CodePlace | None], raised: Raised | None
) -> tuple[_Numbered, _Numbered]:
    """Return the calls of services that mean something and those that pass on, innermost first."""
    last = len(frames) - 1
    is_of_caller = _is_of_caller(raised)
    meant: _Numbered = []
    passed: _Numbered = []
    for number, place in reversed([*enumerate(frames)]):
        if place is None or not place.is_own:
            continue
        hands_on = (place.is_layer and number < last) or (
            place.is_store
            and is_of_caller
            and (number < last or not short(raised.exception if raised else "").endswith("Error"))
        )
        (passed if place.is_wrapper or hands_on else meant).append((number, place))
    return meant, passed


def _giver_of_none(frames: Sequence[CodePlace | None], raised: Raised | None) -> CodePlace | None:
    """Return the caller in another module that may have handed over the None of a failed call.

    On the line that failed only one name can be what is None, the line does not assign it, and the
    caller's line has that name as an argument.
    """
    own = [
        (number, one)
        for number, one in enumerate(frames)
        if one and one.is_own and not one.is_wrapper
    ]
    if raised is None or len(own) < _ENOUGH or len(raised.code) != len(frames):
        return None
    found = _OF_NONE.search(raised.message[:MOST_READ])
    innermost, place = own[-1]
    if found is None or innermost != len(frames) - 1:
        return None
    name = _name_of_none(_code(raised.code[innermost]), found)
    if name is None:
        return None
    for number, giver in reversed(own[:-1]):
        # As an argument: of a call, or of the first lines of one that goes on.
        asked = _without_targets(_code(raised.code[number]))
        if not re.search(rf"(?:[(,=*]|^)\s*{name}\s*(?:[,)]|$)", asked):
            return None
        if giver.module != place.module:
            return giver
    return None


def _code(line: str) -> str:
    return _NO_CODE.sub("''", line[:MOST_READ])


def _name_of_none(line: str, found: re.Match[str]) -> str | None:
    """Return the one name of a line that can be what is None; None where that is not certain."""
    if found["what"] == "iterable":
        where = r"\bin ([\w.]*[(\[{']?)"
    else:
        end = rf"\.{found['attribute']}\b" if found["attribute"] else r"\["
        where = rf"(?<![{_OWNER}])([{_OWNER}]+){end}"
    names = set(re.findall(where, line)) - _OWNERS
    name = names.pop() if len(names) == 1 else ""
    return name if name.isidentifier() and not _assigns(line, name) else None


def _assigns(line: str, name: str) -> bool:
    bound = {word for each in _BINDS.findall(line) for word in re.findall(r"\w+", " ".join(each))}
    for statement in re.split("[;:]", line):
        targets, is_assigned, _ = statement.partition("=")
        if is_assigned and "(" not in targets:
            bound |= {target.strip(" *") for target in targets.split(",")}
    return name in bound


def _without_targets(line: str) -> str:
    targets, is_assigned, value = _BINDS.sub("", line).partition("=")
    return value if is_assigned and "(" not in targets else targets + is_assigned + value


def one_of_each(places: Iterable[CodePlace]) -> tuple[CodePlace, ...]:
    """Return the first place of each module."""
    kept: dict[str, CodePlace] = {}
    for one in places:
        kept.setdefault(one.module, one)
    return tuple(kept.values())
