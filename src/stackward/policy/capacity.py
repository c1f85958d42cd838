"""Whether there is room elsewhere: which nodes may take each server, and whether all find a place.

Placement has said which nodes have room for *one* server of each kind. Here the servers are packed
together: first spread as the scheduler spreads, the emptiest node first; where that leaves one
out, first-fit decreasing. The expected target is one answer of many; it is pinned only where a node
would end nearly full, where another choice could leave a later server without a place.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heapreplace

from stackward.model.node import ComputeNode
from stackward.model.placement import Candidate, Need, Resources
from stackward.model.server import Server
from stackward.plan import Blocked, Warned
from stackward.policy.aggregates import Aggregates, Force, Kept
from stackward.policy.rule import Rule

NO_SUCH_CPU = Rule(
    "no-such-cpu",
    "no node with room has all features of its CPU: {lacking} is missing",
    "pass `--allow-downtime`: it starts again on the other CPU; or pass `--leave-behind {id}`",
    "libvirt refuses a running guest on a CPU without the features that it was started with.",
)
AFFINITY = Rule(
    "affinity",
    "cannot leave this node: its server group `{group}` keeps its members together, and they are "
    "here",
    "to leave it on this node, pass `--leave-behind {id}`",
    "nova 31.0 scheduler/filters/affinity_filter.py: the group's hosts hold the node itself, so "
    "the scheduler finds no other.",
)
ANTI_AFFINITY = Rule(
    "anti-affinity",
    "must stay apart from its group `{group}`, which is on every node with room",
    "bring another node with room into service, then plan again; or pass `--leave-behind {id}`",
    "nova 31.0 scheduler/filters/affinity_filter.py: it limits the members of a group on a node.",
)
ZONE = Rule(
    "zone",
    "was asked for in the zone `{zone}`{unsaid}, which has no other node with room",
    "bring another node of that zone into service, then plan again; or pass `--leave-behind {id}`",
    "A server that was asked for in a zone stays in it.",
)
AGGREGATE = Rule(
    "aggregate",
    "aggregates keep it off every node with room ({why})",
    "bring a node that fits into service, or change the aggregate, then plan again; "
    "or pass `--leave-behind {id}`",
    "nova 31.0 scheduler/filters: aggregates keep nodes for projects (`filter_tenant_id`) and "
    "flavors (`aggregate_instance_extra_specs`). These keys have no other use, and its own node "
    "fulfils them: so they count as in force.",
)
MAY_FIND_NO_HOST = Rule(
    "may-find-no-host",
    "Nova may find no host for it: an aggregate may keep it off every node with room ({why})",
    "see `enabled_filters` and `[scheduler]` in the nova.conf of the schedulers: if they have "
    "`{by}`, bring a node that fits into service first",
    "No API shows which filters are on; Nova's default has none of the filters that read "
    "aggregates.",
)
NOT_ON_TARGET = Rule(
    "not-on-target",
    "cannot go to `{target}`: {why}",
    "leave `--target` out, or name a node with room; or pass `--leave-behind {id}`",
    "Nova would not choose the target that you named.",
)
NO_ROOM = Rule(
    "no-room",
    "has no room elsewhere: needs {needs}; {has}; short of {short}",
    "make room or bring another node into service, then plan again; or pass `--leave-behind {id}`",
    "Placement offers no node, or the room of those it offers goes to the other servers.",
)


NEARLY_FULL = 0.9

_UNITS = {"MEMORY_MB": "MiB memory", "DISK_GB": "GiB disk", "VCPU": "VCPU", "PCPU": "PCPU"}


Wanted = tuple[Server, Need, Sequence[Candidate]]
"""A server, what it needs, and the nodes that may take it."""

KeptOff = Mapping[str | None, Kept]
"""The rule that keeps a server off a host, for each host that has one."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The nodes that may take servers of one kind, or the rule that leaves none."""

    candidates: tuple[Candidate, ...] = ()
    rule: Rule | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    only_live: bool = False  # the rule is against a live migration, not against a cold one
    cold: "Choice | None" = None  # where it may go when it is stopped for its move
    doubtful: tuple[Candidate, ...] = ()  # more nodes, if a rule that cannot be seen is not asked
    doubt: Kept | None = None  # the rule that no candidate fulfils, or no doubtful one

    @property
    def all(self) -> tuple[Candidate, ...]:
        """Return all nodes that Nova may choose."""
        return self.candidates + self.doubtful

    @property
    def widened(self) -> "Choice":
        """Return the choice of all nodes, the doubtful ones among them."""
        return replace(self, candidates=self.all, doubtful=())

    def warns(self, server: Server) -> Warned | None:
        """Return the warning that Nova may find no host."""
        if self.doubt is None or self.doubtful:
            return None
        return MAY_FIND_NO_HOST.warns(server.label, server.id, why=self.doubt.why, by=self.doubt.by)

    def blocks(self, server: Server) -> Blocked | None:
        """Return the verdict on one server of the kind."""
        if self.rule is None:
            return None
        return self.rule.blocks(server.label, server.id, **self.words)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a server is expected to go."""

    candidate: Candidate
    is_pinned: bool


@dataclass(frozen=True, slots=True)
class Packing:
    """Where each server is expected to go, and which find no place."""

    placed: Mapping[str, Placed] = field(default_factory=dict)
    left_out: tuple[Blocked, ...] = ()


class Chooser:
    """Finds the nodes that may take a server; servers of one kind are judged once."""

    def __init__(self, node: ComputeNode, target: str | None = None) -> None:
        self._node = node
        self._target = target
        self._found: dict[tuple[object, ...], Choice] = {}
        self._aggregates = Aggregates(node.aggregates)

    def choose(self, server: Server) -> Choice:
        """Say which nodes may take the server; the rule that leaves none is named."""
        need = self._node.needs[server.id]
        of_image = (server.image_properties, server.is_zone_known)
        kind = (need, server.project, server.flavor, of_image, server.group)
        if kind not in self._found:
            self._found[kind] = self._choose(server, need)
        return self._found[kind]

    def _choose(self, server: Server, need: Need) -> Choice:
        found = self._node.candidates.get(need, ())
        usable = tuple(each for each in found if each.is_usable and each.host)
        group = server.group.name if server.group else ""
        if not usable:
            return self._nowhere(server, need)
        if self._is_held_here(server):
            return Choice(rule=AFFINITY, words={"group": group})
        kept = self._aggregates.keeping_off(server, need, [each.host for each in usable])
        certain = {host: each for host, each in kept.items() if each.force is Force.CERTAIN}
        fitting = tuple(each for each in usable if each.host not in certain)
        if not fitting:
            why = certain[usable[0].host].why
            return Choice(rule=AGGREGATE, words={"why": why})
        apart = _apart(server, fitting)
        if not apart:
            return Choice(rule=ANTI_AFFINITY, words={"group": group})
        return self._on_target(apart, kept)

    def _on_target(self, candidates: tuple[Candidate, ...], kept: KeptOff) -> Choice:
        if self._target is None:
            return self._with_cpu(candidates, kept)
        there = tuple(each for each in candidates if self._target in {each.host, each.name})
        if there:
            return self._with_cpu(there, kept)
        why = "it has no room, or its zone, aggregates or group keep it out"
        return Choice(rule=NOT_ON_TARGET, words={"target": self._target, "why": why})

    def _with_cpu(self, candidates: tuple[Candidate, ...], kept: KeptOff) -> Choice:
        """Keep the nodes whose CPU has all that the server was started with.

        nova-compute reports the features of the CPU model that it gives to guests as traits
        HW_CPU_*.
        """
        features = frozenset(
            each for each in self._node.provider.traits if each.startswith("HW_CPU_")
        )
        alike = tuple(each for each in candidates if features <= each.traits)
        cold = _in_doubt(candidates, kept)
        if alike:
            return replace(_in_doubt(alike, kept), cold=cold)
        closest = min((features - each.traits for each in candidates), key=len)
        return Choice(
            rule=NO_SUCH_CPU,
            words={"lacking": ", ".join(sorted(closest)[:5])},
            only_live=True,
            cold=cold,
        )

    def _nowhere(self, server: Server, need: Need) -> Choice:
        """Placement offers nothing: say by which rule, as far as that can be seen."""
        if need.zone is not None and not self._is_zone_elsewhere(need.zone):
            unsaid = "" if server.is_zone_known else " (as far as this Nova, before 2.96, can say)"
            return Choice(rule=ZONE, words={"zone": need.zone, "unsaid": unsaid})
        needs = in_units(need.amounts)
        return Choice(
            rule=NO_ROOM,
            words={
                "needs": needs,
                "has": "placement offers no other node in service",
                "short": needs,
            },
        )

    def _is_zone_elsewhere(self, zone: str) -> bool:
        its = [each for each in self._node.aggregates if each.zone == zone]
        hosts = {host for each in its for host in each.hosts}
        return not its or bool(hosts - {self._node.host})

    def _is_held_here(self, server: Server) -> bool:
        group = server.group
        if group is None or group.policy != "affinity" or group.unknown:
            return False
        return all(host == self._node.host for _, host in group.elsewhere)


def _in_doubt(candidates: tuple[Candidate, ...], kept: KeptOff) -> Choice:
    """Prefer the nodes that fulfil every rule, be it in force or not."""
    sure = tuple(each for each in candidates if each.host not in kept)
    doubt = next((kept[each.host] for each in candidates if each.host in kept), None)
    if not sure:
        return Choice(candidates, doubt=doubt)
    doubtful = tuple(each for each in candidates if each.host in kept)
    return Choice(sure, doubtful=doubtful, doubt=doubt)


def _apart(server: Server, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    group = server.group
    if group is None or group.policy != "anti-affinity":
        return candidates
    times = Counter(host for _, host in group.elsewhere)
    return tuple(each for each in candidates if times[each.host or ""] < group.max_per_host)


def pack(wanted: Sequence[Wanted], reserved: Mapping[str, Resources]) -> Packing:
    """Find a place for every server, the biggest first; those that find none are named."""
    largest = _largest(wanted)
    ordered = sorted(wanted, key=lambda each: (-_share(each[1], largest), each[0].id))
    room, placed = _place(ordered, reserved, spread=True)
    if not all(placed.values()):
        room, placed = _place(ordered, reserved, spread=False)
    return Packing(
        placed={
            server: Placed(candidate, is_pinned=room.fill(candidate) > NEARLY_FULL)
            for server, candidate in placed.items()
            if candidate
        },
        left_out=tuple(
            _short(server, need, among, room)
            for server, need, among in ordered
            if not placed[server.id]
        ),
    )


def _place(
    ordered: Sequence[Wanted], reserved: Mapping[str, Resources], *, spread: bool
) -> tuple["_Room", dict[str, Candidate | None]]:
    room = _Room(reserved)
    return room, {
        server.id: room.take(server, need, among, spread=spread) for server, need, among in ordered
    }


class _Room:
    """The room on each node as servers take it, and who of a group is where."""

    def __init__(self, reserved: Mapping[str, Resources]) -> None:
        self._reserved = reserved
        self._taken: dict[str, dict[str, int]] = {}
        self._groups: Counter[tuple[str, str]] = Counter()
        self._queues: dict[tuple[int, Need, str], list[tuple[float, int]]] = {}

    def take(
        self, server: Server, need: Need, among: Sequence[Candidate], *, spread: bool
    ) -> Candidate | None:
        """Take room on the emptiest node that has it, or on the first.

        Room only shrinks. So a node that is too full for one server of a kind is also too full for
        the next. A node that has become fuller is put back at its new place when its turn comes.
        """
        group = server.group
        queue = self._queues.setdefault(
            (id(among), need, group.id if group else ""),
            [(0.0, position) for position in range(len(among))],
        )
        while queue:
            known, position = queue[0]
            candidate = among[position]
            if not self._fits(server, need, candidate):
                heappop(queue)
            elif spread and (now := self.fill(candidate)) > known:
                heapreplace(queue, (now, position))
            else:
                self._put(server, need, candidate)
                return candidate
        return None

    def _put(self, server: Server, need: Need, candidate: Candidate) -> None:
        taken = self._taken.setdefault(candidate.provider, {})
        for name, amount in need.resources:
            taken[name] = taken.get(name, 0) + amount
        if server.group:
            self._groups[server.group.id, candidate.provider] += 1

    def free(self, candidate: Candidate, name: str) -> int:
        """Return what is left of one resource class."""
        taken = self._taken.get(candidate.provider, {}).get(name, 0)
        reserved = self._reserved.get(candidate.provider, {}).get(name, 0)
        return candidate.capacity.get(name, 0) - candidate.used.get(name, 0) - reserved - taken

    def fill(self, candidate: Candidate) -> float:
        """Return how full the node's fullest resource class is, 0 to 1."""
        return max(
            (1 - self.free(candidate, name) / total
             for name, total in candidate.capacity.items() if total),
            default=0.0,
        )  # fmt: skip

    def _fits(self, server: Server, need: Need, candidate: Candidate) -> bool:
        if any(self.free(candidate, name) < amount for name, amount in need.resources):
            return False
        group = server.group
        if group is None or group.policy != "anti-affinity":
            return True
        there = sum(host == candidate.host for _, host in group.elsewhere)
        return there + self._groups[group.id, candidate.provider] < group.max_per_host


def _largest(wanted: Sequence[Wanted]) -> Resources:
    """Return the most that any node has of each resource class."""
    nodes = {each.provider: each for _, _, among in wanted for each in among}
    most: dict[str, int] = {}
    for node in nodes.values():
        for name, amount in node.capacity.items():
            most[name] = max(most.get(name, 0), amount)
    return most


def _share(need: Need, largest: Resources) -> float:
    return max((amount / (largest.get(name) or 1) for name, amount in need.resources), default=0.0)


def _short(server: Server, need: Need, among: Sequence[Candidate], room: _Room) -> Blocked:
    """Say what the last of them misses on the node that comes closest."""

    def lacks(candidate: Candidate) -> dict[str, int]:
        gaps = {name: amount - room.free(candidate, name) for name, amount in need.resources}
        return {name: gap for name, gap in gaps.items() if gap > 0}

    closest = min(
        among,
        key=lambda each: max((lacks(each)[n] / need.amounts[n] for n in lacks(each)), default=0),
    )
    gaps = lacks(closest)
    if not gaps:  # it is its group that has no further node
        group = server.group.name if server.group else ""
        return ANTI_AFFINITY.blocks(server.label, server.id, group=group)
    left = {name: max(room.free(closest, name), 0) for name in gaps}
    return NO_ROOM.blocks(
        server.label,
        server.id,
        needs=in_units({name: need.amounts[name] for name in gaps}),
        has=f"`{closest.host}` has {in_units(left)} left after the others",
        short=in_units(gaps),
    )


def in_units(amounts: Resources) -> str:
    """Return amounts as people read them; nothing of nothing."""
    return ", ".join(
        f"{amount} {_UNITS.get(name, name)}" for name, amount in sorted(amounts.items()) if amount
    )
