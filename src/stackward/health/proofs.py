"""Whether a component on a node is proved to work: it answered, or did work, during this look.

A process that is frozen still runs for systemd, keeps its connections, and its last report stays
fresh for a while. So signs of life prove nothing. What counts is an answer that only the running
process can give. Another way to prove is one more function in `WAYS`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from stackward.anatomy import MACHINE, Anatomy, Component
from stackward.health.calls import is_called
from stackward.health.messages import NO_RPC, ages, is_kept_off, knows_all_queues
from stackward.health.pings import is_pinged
from stackward.health.presence import Presence
from stackward.health.processes import Present, own_tool, takes_clients
from stackward.health.questions import has_answered
from stackward.health.web import has_answered as is_heard
from stackward.model.cloud_state import Answered, CloudState, Rpc
from stackward.model.health import Gap, Kept
from stackward.model.service import NOVA_COMPUTE
from stackward.model.survey import NodeClock, Survey, Unseen

# A record of this age was written while we looked: it came by way of a conductor that works.
# Nova and Cinder write whole seconds.
WRITTEN_NOW_S = 2.0
FUTURE_S = -1.0  # an age below that is no age
CONDUCTOR = "nova-conductor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A component on a node, with all that the look has read."""

    component: Component
    node: str
    state: CloudState
    present: Present
    anatomy: Anatomy

    @property
    def here(self) -> Presence | None:
        """Return it as its node was seen; None where it was not seen there."""
        return self.present.get((self.component.name, self.node))

    @property
    def is_only_one(self) -> bool:
        """Say whether it is known to run nowhere else: then an answer of any is its own."""
        unseen = any(isinstance(one, Unseen) for one in self.state.surveys.values())
        if unseen or self.state.left_out:
            return False
        those = [node for name, node in self.present if name == self.component.name]
        return self.state.only is None and those == [self.node]


def _is_reached(place: Place) -> bool:
    return place.component.name == MACHINE and isinstance(
        place.state.surveys.get(place.node), Survey
    )


def _api_answered(place: Place) -> bool:
    answer = place.state.probes.get(place.component.name)
    return isinstance(answer, Answered) and place.is_only_one


def _was_called(place: Place) -> bool:
    return place.component.name == NOVA_COMPUTE and any(
        answer.outcome is Rpc.ANSWERED
        for host, answer in place.state.rpc.items()
        if place.node in {host, place.state.nodes.get(host)}
    )


def _was_pinged(place: Place) -> bool:
    return is_pinged(place.component, place.node, place.state, place.present, place.anatomy)


def _was_called_by_api(place: Place) -> bool:
    return is_called(place.component, place.node, place.state)


def _answered_questions(place: Place) -> bool:
    return place.here is not None and has_answered(place.here)


def _answered_over_http(place: Place) -> bool:
    return place.here is not None and is_heard(place.here)


def _own_tool_answered(place: Place) -> bool:
    own = own_tool(place.here) if place.here else None
    return own is not None and own.answer is not None and not isinstance(own.answer, Unseen)


def _took_clients(place: Place) -> bool:
    return place.here is not None and takes_clients(place.here)


def _carried_a_report(place: Place) -> bool:
    return place.component.name == CONDUCTOR and place.is_only_one and _age_of_report(place) != ""


def _age_of_report(place: Place) -> str:
    """Say how old the newest report of a nova-compute is, where it was written while we looked.

    A wrong clock gives no age. One report from the future, or one node whose clock is seconds away
    from ours, is enough: then no age proves anything.
    """
    known = [age for kind in (NOVA_COMPUTE, CONDUCTOR) for age in ages(place.state, kind)]
    clock = place.here.survey.clock if place.here else None
    is_astray = isinstance(clock, NodeClock) and abs(clock.ahead_s) >= -FUTURE_S
    if is_astray or any(age < FUTURE_S for age in known):
        return ""
    newest = min(ages(place.state, NOVA_COMPUTE), default=None)
    written = newest is not None and newest <= WRITTEN_NOW_S
    return f"{max(0.0, newest):.0f} s" if written and newest is not None else ""


def proof_of_report(
    component: Component, state: CloudState, present: Present, anatomy: Anatomy
) -> str:
    """Say by which report the only conductor is proved; empty where it is not."""
    for name, node in present:
        place = Place(component=component, node=node, state=state, present=present, anatomy=anatomy)
        if name == component.name and _carried_a_report(place):
            return f"recorded a heartbeat of nova-compute {_age_of_report(place)} ago"
    return ""


WAYS: tuple[Callable[[Place], bool], ...] = (
    _is_reached,
    _api_answered,
    _was_called,
    _was_pinged,
    _was_called_by_api,
    _answered_questions,
    _answered_over_http,
    _own_tool_answered,
    _took_clients,
    _carried_a_report,
)


def proved(state: CloudState, present: Present, anatomy: Anatomy) -> frozenset[tuple[str, str]]:
    """Return all that was seen on nodes and has shown in this look that it works."""
    places = (
        Place(component=one.component, node=node, state=state, present=present, anatomy=anatomy)
        for (_, node), one in present.items()
    )
    return frozenset((one.component.name, one.node) for one in places if _is_proved(one))


def _is_proved(place: Place) -> bool:
    return any(way(place) for way in WAYS)


Instances: TypeAlias = Mapping[str, tuple[str, ...]]


def unproved(
    state: CloudState, present: Present, anatomy: Anatomy, places: Instances
) -> Iterator[Place]:
    """Return each component on a node that nothing has proved.

    What has no node at all, such as an API elsewhere, is judged by its API alone.
    """
    for name, nodes in places.items():
        if name not in anatomy.components:
            continue
        for node in nodes:
            place = Place(
                component=anatomy[name], node=node, state=state, present=present, anatomy=anatomy
            )
            is_off = is_kept_off(state, place.component, node, present)  # on purpose: a note
            if not is_off and not _is_proved(place):
                yield place


def gap_of_place(place: Place) -> Gap:
    """Return why a component on a node is not proved, where no question to it says why."""
    kind, why, cure = Kept.NO_QUESTION, "it answers no request, so nothing can test it", ""
    here, survey = place.here, place.state.surveys.get(place.node)
    calls = place.component.topic is not None
    if isinstance(survey, Unseen) or survey is None:
        kind, why = Kept.SPARED, "nothing was seen there"
    elif isinstance(survey.units, Unseen):
        kind, why = Kept.SPARED, "systemd did not answer there"
    elif here is None:
        why = "it reports, but no unit or container of it is known on its node"
    elif not here.runs:
        why = "it has just been started, or it starts when it is needed"
    elif calls and not place.state.is_rpc_asked:
        kind, why, cure = Kept.OFF, NO_RPC, "leave `--no-rpc` out"
    elif place.component.name == NOVA_COMPUTE:
        kind, why = Kept.SPARED, "no record of Nova's is known to be of this node"
    elif calls and not knows_all_queues(place.present):
        kind, why = Kept.SPARED, "not all queues could be read, so it was not called over RPC"
    elif place.component.catalog and isinstance(
        place.state.probes.get(place.component.name), Answered
    ):
        why = "its API answers, but not which of its processes did"
    elif place.component.catalog:
        why = "its API was not asked"
    return Gap(
        kind=kind,
        component=place.component.name,
        where=place.node,
        what=place.component.name,
        why=why,
        cure=cure,
        is_proof=True,
    )
