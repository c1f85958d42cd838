"""What belongs on a node although it is switched off there: masked, or stopped and disabled.

A person who masks or disables a service may have meant it. A removed service may leave its
configuration, its queue or a link of systemd. So none of these signs is enough alone. A service
that is not installed never belongs: its files went with its package. For an installed service, the
signs of `Sign` are counted, and `ENOUGH` of them make a finding. A word that somebody left about it
(a claim of ours, the disabled reason in its API) makes it a note.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from stackward.anatomy import MACHINE, Anatomy, Component, marks_of
from stackward.health import symptoms
from stackward.health.clustered import is_left_to_cluster
from stackward.health.messages import queues_of
from stackward.health.presence import Presence, units_named
from stackward.model.claim import read_claim
from stackward.model.cloud_state import Answered, CloudState, Failed, Heartbeat
from stackward.model.compute_process import UNIT as DRAINED_UNIT
from stackward.model.health import Finding
from stackward.model.maintenance import DROP_IN, MAINTENANCE
from stackward.model.service import BY_ITSELF, NOVA_COMPUTE
from stackward.model.survey import Queue, Survey, Unit, Unseen
from stackward.wording import first_of


class Sign(StrEnum):
    """A sign that a component belongs on a node."""

    RECORD = "its API has an enabled record of it, of this node"
    NEEDED = "what runs needs it: on this machine, or in the cloud, where nobody runs it"
    API = "the catalog has its API, which does not answer, and nobody runs it"
    WANTED = "it was enabled before it was masked, and still is; or a unit wants it"
    ALONE = "so it is, something that runs or an API needs it, and nobody else does its work"
    HERE = "what runs on this node needs it; others run it elsewhere, or that was not seen"
    PART = "the rest of it runs here, and every part of it is needed"
    PROJECT = "others of its project run here"
    QUEUE = "RabbitMQ has its queue with this node's name"
    SITE = "the web server should serve it here"
    EACH = "the distribution runs it on each node where it is installed"


ENOUGH = 2
WEIGHTS = {
    Sign.RECORD: 2,
    Sign.NEEDED: 2,
    Sign.API: 2,
    Sign.WANTED: 1,
    Sign.ALONE: 1,
    Sign.HERE: 1,
    Sign.PART: 1,
    Sign.PROJECT: 1,
    Sign.QUEUE: 1,
    Sign.SITE: 1,
    Sign.EACH: 1,
}
"""How much each sign counts. A package that is installed and was never used has one of them."""

Present = Mapping[tuple[str, str], Presence]
Signs = Mapping[Sign, str]  # each with what was seen, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """A component, or a part of it, that is switched off on a node."""

    component: Component
    survey: Survey
    units: tuple[Unit, ...]
    signs: Signs
    meant: str = ""  # who switched it off on purpose, and where that is written
    queue: Queue | None = None  # its own, which RabbitMQ still has
    is_served: bool = False  # others do its work elsewhere

    @property
    def node(self) -> str:
        """Return the node's name."""
        return self.survey.node

    @property
    def strongest(self) -> str:
        """Return the sign that counts most, in words."""
        return self.signs[max(self.signs, key=lambda sign: WEIGHTS[sign])]

    @property
    def belongs(self) -> bool:
        """Say whether the signs are enough, and nobody has said that it was meant."""
        return not self.meant and sum(WEIGHTS[sign] for sign in self.signs) >= ENOUGH


def switched_off(state: CloudState, present: Present, anatomy: Anatomy) -> Iterator[Off]:
    """Return all that is installed on a node and switched off there, with the signs about it."""
    cloud = _Cloud(state, present, anatomy, *_by_place(present))
    for survey in state.surveys.values():
        if isinstance(survey, Unseen) or isinstance(survey.units, Unseen):
            continue
        for component in anatomy.components.values():
            if component.name == MACHINE:
                continue  # we came in through it
            off = tuple(
                unit
                for unit in _off(component, survey, survey.units)
                if not is_left_to_cluster(component, survey, unit)
            )
            here = present.get((component.name, survey.node))
            if here and not here.services:
                here = None  # a socket that is listened on does no work
            if off and not (here and component.is_one_of):
                yield cloud.judged(component, survey, off, here)


def _off(component: Component, survey: Survey, units: Mapping[str, Unit]) -> Iterator[Unit]:
    """Return the units that are installed and do not run, and that nothing starts."""
    seen = set()
    for name in units_named(component, survey):
        unit = units.get(name)
        if unit is None or unit.is_container or unit.name in seen:
            continue
        seen.add(unit.name)
        is_installed = unit.is_installed or survey.paths & _marks(component, name)
        is_started = component.started_by_bus and not _is_masked(unit)
        if unit.active == "inactive" and not (unit.is_wanted or is_started) and is_installed:
            yield unit


def _marks(component: Component, unit: str) -> set[str]:
    """Return what says that a unit's package is there: one of an init script has no file of it."""
    return {
        mark
        for deployed in component.flavours.values()
        if unit in deployed.units
        for package in deployed.packages
        for mark in marks_of(package)
    }


def _by_place(
    present: Present,
) -> tuple[dict[str, Component], dict[str, dict[str, Component]]]:
    """Return the components that run, and those of each node: a large cloud is read once."""
    kinds: dict[str, Component] = {}
    on: dict[str, dict[str, Component]] = {}
    for (name, node), one in present.items():
        kinds[name] = on.setdefault(node, {})[name] = one.component
    return kinds, on


@dataclass(frozen=True, slots=True)
class _Cloud:
    """What one look has read of the whole cloud."""

    state: CloudState
    present: Present
    anatomy: Anatomy
    kinds: Mapping[str, Component]  # the components that run anywhere
    on: Mapping[str, Mapping[str, Component]]  # those of each node

    def judged(
        self, component: Component, survey: Survey, off: tuple[Unit, ...], here: Presence | None
    ) -> Off:
        is_served = self._is_served(component)
        signs = dict(self._signs(component, survey, off, here, is_served=is_served))
        meant = self._meant(component, survey, off)
        queue = self._queue(component, survey) if Sign.QUEUE in signs else None
        return Off(
            component=component,
            survey=survey,
            units=off,
            signs=signs,
            meant=meant,
            queue=queue,
            is_served=is_served,
        )

    def _signs(
        self,
        component: Component,
        survey: Survey,
        off: tuple[Unit, ...],
        here: Presence | None,
        *,
        is_served: bool,
    ) -> Iterator[tuple[Sign, str]]:
        node = survey.node
        wanted = {
            name
            for unit in off
            if _is_masked(unit)
            for name in (*unit.wanted_by, *unit.triggered_by)
        }
        if wanted:
            yield (
                Sign.WANTED,
                f"it was enabled before: {_named(sorted(wanted))} {_verb(wanted, 'want')} it",
            )
        if here:  # a part of it: all else is said of the whole
            yield Sign.PART, f"the rest of it runs here: {_named(each.name for each in here.units)}"
            return
        if record := self._record(component, node):
            said = "is up" if record.is_up else "is down"
            yield Sign.RECORD, f"its API has {record.binary} of `{record.name}`, which {said}"
        replaced = self._that_run(lambda one: component.name in one.replaces)
        queue = None if replaced else self._queue(component, survey)
        if queue:
            yield Sign.QUEUE, f"RabbitMQ has its queue `{queue.name}`"
        yield from self._needs(component, node, is_served=is_served)
        if said := self._api(component, is_served=is_served):
            yield Sign.API, said
        mates = sorted(
            name
            for name, where in self.present
            if where == node and _are_mates(component, self.anatomy[name])
        )
        if mates and not replaced:
            yield Sign.PROJECT, f"{_named(mates)} of {component.service} {_verb(mates, 'run')} here"
        if site := sorted(survey.paths & _sites(component)):
            yield Sign.SITE, f"Apache should serve it: `{site[0]}`"
        if component.on_each_node:
            yield Sign.EACH, "each node with it installed runs it"
        if wanted and not is_served and not replaced and self._is_missed(component):
            yield Sign.ALONE, "nobody else does its work"

    def _record(self, component: Component, node: str) -> Heartbeat | None:
        own = (one for one in self._records(component, node) if one.is_enabled and one.is_known)
        # One that is up first: another may be of the machine's old name.
        return min(own, key=lambda one: not one.is_up, default=None)

    def _records(self, component: Component, node: str) -> Iterator[Heartbeat]:
        for one in self.state.heartbeats:
            if one.binary == component.heartbeat and self.state.nodes.get(one.host) == node:
                yield one

    def _queue(self, component: Component, survey: Survey) -> Queue | None:
        if component.topic is None:
            return None
        hosts = [host for host, node in self.state.nodes.items() if node == survey.node]
        names = {survey.node, *survey.itself.names, *survey.hosts.values(), *hosts}
        known = queues_of(self.present)
        own = (f"{component.topic}.{name}" for name in sorted(names))
        return next((known[name] for name in own if name in known), None)

    def _needs(
        self, component: Component, node: str, *, is_served: bool
    ) -> Iterator[tuple[Sign, str]]:
        rest = self._that_run(lambda one: component.name in one.rests_on, node)
        anywhere = self._that_run(lambda one: component.name in (*one.depends_on, *one.holds))
        here = self._that_run(lambda one: component.name in (*one.depends_on, *one.holds), node)
        if rest:
            yield Sign.NEEDED, f"{_named(rest)} on this node {_verb(rest, 'need')} it"
        elif anywhere and not is_served and self.state.has_seen_all:
            they = f"{_named(anywhere)} {_verb(anywhere, 'need')}"
            yield Sign.NEEDED, f"{they} it, and nobody in this cloud runs it"
        elif self._is_sole(component) and self.state.has_seen_all:
            yield Sign.NEEDED, "one must be active in this cloud, and nobody runs it"
        elif here:
            yield Sign.HERE, f"{_named(here)} on this node {_verb(here, 'need')} it"

    def _that_run(self, needs: Callable[[Component], bool], node: str | None = None) -> list[str]:
        among = self.kinds if node is None else self.on.get(node, {})
        return sorted(name for name, component in among.items() if needs(component))

    def _is_sole(self, component: Component) -> bool:
        """Say whether the cloud needs exactly one of it, has none, and has what it works on."""
        if not any(question.one_of_all for question in component.questions):
            return False
        names = {name for name, _ in self.present}
        return component.name not in names and set(component.depends_on) <= names

    def _is_served(self, component: Component) -> bool:
        """Say whether others do its work: on another node, or outside of the inventory."""
        if self._is_of_its_node(component):
            return False
        if any(name == component.name for name, _ in self.present):
            return True
        if isinstance(self.state.probes.get(component.name), Answered):
            return True
        if component.catalog == "identity" and isinstance(self.state.login, Answered):
            return True
        return any(
            self._leads_there(survey, component.ports)
            for survey in self.state.surveys.values()
            if isinstance(survey, Survey)
        )

    def _is_of_its_node(self, component: Component) -> bool:
        """Say whether it works for its own node only, as a clock or a switch does."""
        needed = {
            name
            for one in self.anatomy.components.values()
            for name in (*one.depends_on, *one.holds)
        }
        is_known = component.catalog or component.heartbeat or component.topic
        return not is_known and component.name not in needed

    def _leads_there(self, survey: Survey, ports: Iterable[int]) -> bool:
        """Say whether what runs is connected to some ports, or something else listens on them.

        A load balancer listens for those who are gone as well.
        """
        here = [one for (_, node), one in self.present.items() if node == survey.node]
        balances = {name for one in here if one.component.name == "haproxy" for name in one.owners}
        own = {name for one in here for name in one.owners} - balances
        return any(one.far_port in ports and one.owner in own for one in survey.links) or any(
            one.port in ports and one.owner not in balances for one in survey.listeners
        )

    def _is_missed(self, component: Component) -> bool:
        """Say whether anybody would notice that nobody runs it: what runs, or who uses its API."""
        ways = self._that_run(
            lambda one: component.name in (*one.depends_on, *one.holds, *one.rests_on)
        )
        return bool(ways) or component.name in self.state.probes

    def _api(self, component: Component, *, is_served: bool) -> str:
        answer: Answered | Failed | None = self.state.probes.get(component.name)
        if component.catalog == "identity" and answer is None:
            answer = self.state.login
        if is_served or not isinstance(answer, Failed):
            return ""
        return f"its API is in the catalog, and does not answer: {answer.says}"

    def _meant(self, component: Component, survey: Survey, off: Iterable[Unit]) -> str:
        """Return by whose word it is switched off; empty where nobody left one.

        A claim of ours holds for its own node, and for the one unit that a drain switches off.
        """
        for one in self._records(component, survey.node):
            reason = one.reason or ""
            if one.is_enabled or reason.startswith(BY_ITSELF):
                continue
            claim = read_claim(one.reason)
            if claim is None:
                return f"its API has it disabled: {reason or 'no reason given'}"
            if {unit.name for unit in off} <= {DRAINED_UNIT}:
                return f"run `{claim.run}` of {claim.operator} has drained the node"
        is_read = any(one.binary == component.heartbeat for one in self.state.heartbeats)
        marks = survey.paths & {MAINTENANCE, DROP_IN}
        if component.name == NOVA_COMPUTE and marks and not is_read:
            return f"`{min(marks)}` says that the node is in maintenance"
        return ""


def _is_masked(unit: Unit) -> bool:
    return unit.load == "masked"


def _are_mates(one: Component, other: Component) -> bool:
    return one.service == other.service != "foundation" and one.name != other.name


def _sites(component: Component) -> set[str]:
    return {site for deployed in component.flavours.values() for site in deployed.sites}


def _verb(names: Collection[str], word: str) -> str:
    return f"{word}s" if len(names) == 1 else word


def _named(words: Iterable[str]) -> str:
    return first_of(words, 3)


def judge_switched_off(off: Iterable[Off]) -> Iterator[Finding]:
    """Judge what is switched off although it belongs on its node."""
    for one in off:
        if one.belongs:
            yield _finding(one)


def _finding(one: Off) -> Finding:
    first = one.units[0]
    symptom = symptoms.SWITCHED_OFF
    # Where others do its work, and no record or part of it is this node's own, users feel nothing.
    if one.is_served and Sign.RECORD not in one.signs and Sign.PART not in one.signs:
        symptom = symptoms.SWITCHED_OFF_HERE
    others = [f"`{unit.name}` is {_how(unit)} too" for unit in one.units[1:]]
    back = f"`systemctl enable --now {first.name}`"
    if _is_masked(first):
        back = f"`systemctl unmask {first.name}`, then {back}"
    return symptom.found(
        one.component.name,
        one.node,
        [*one.signs.values(), *others],
        unit=first.name,
        how=_how(first),
        sign=one.strongest,
        back=back,
        and_its_queue=_and_its_queue(one),
    )


def _and_its_queue(one: Off) -> str:
    """Return what else to remove: a queue that is left stays a sign that it belongs there."""
    if one.queue is None or one.queue.consumers:
        return ""
    where = "" if one.queue.vhost == "/" else f"-p {one.queue.vhost} "
    # RabbitMQ knows this safeguard for classic queues only.
    guard = "--if-unused " if one.queue.type == "classic" else ""
    command = f"rabbitmqctl delete_queue {where}{guard}{one.queue.name}"
    return f", and the queue that it has left, which nobody reads: `{command}`"


def _how(unit: Unit) -> str:
    return "stopped and masked" if _is_masked(unit) else f"stopped and {unit.enabled or 'disabled'}"
