"""Whether services other than nova-compute answer when they are called over RPC.

Their own messaging library answers that call, where it is set to (`rpc_ping_enabled`). Where it is
not, they stay what their signs say: looking alive, not proved.
"""

from collections.abc import Iterator

from stackward.anatomy import Anatomy, Component
from stackward.health import symptoms
from stackward.health.messages import (
    age_of,
    is_shared_name,
    judge_connections,
    judge_own_queues,
    other_sides,
    own_queues,
    queues_of,
)
from stackward.health.presence import restart_of
from stackward.health.processes import Present
from stackward.model.cloud_state import NO_TIME, UNREACHED, CloudState, PingTarget, Rpc, RpcAnswer
from stackward.model.health import Finding, Gap, Kept


def worth_pinging(state: CloudState, present: Present, anatomy: Anatomy) -> Iterator[PingTarget]:
    """Return the processes of which a call over RPC can show more than is known.

    A process that does not run, does not report or hears nothing is not called: it has a finding
    already. If nobody was seen to read a queue, the real one may have another virtual host or name:
    then silence would prove nothing.
    """
    ill = {(one.component, one.node) for one in judge_own_queues(state, present, anatomy)}
    sides, queues = other_sides(present, anatomy), queues_of(present)
    for component, node, host in own_queues(state, present, anatomy):
        here = present.get((component.name, node))
        queue = queues.get(f"{component.topic}.{host}")
        if here is None or not here.runs or queue is None or not queue.consumers:
            continue
        if (component.name, node) in ill or any(judge_connections(here, sides)):
            continue
        settings = here.deployed.settings
        if component.topic and component.exchange and settings:
            unit = here.units[0]
            yield PingTarget(
                node=node,
                engine=unit.engine,
                container=unit.name if unit.is_container else None,
                settings=settings,
                exchange=component.exchange,
                topic=component.topic,
                server=host,
            )


def _answers(
    state: CloudState, present: Present, anatomy: Anatomy
) -> Iterator[tuple[Component, str, str, RpcAnswer]]:
    """Return each process that had to be called: component, node, its name there, what came."""
    for component, node, host in own_queues(state, present, anatomy):
        if answer := state.pings.get(f"{component.topic}.{host}"):
            yield component, node, host, answer


def judge_pings(state: CloudState, present: Present, anatomy: Anatomy) -> Iterator[Finding]:
    """Judge the calls that stayed without an answer."""
    for component, node, host, answer in _answers(state, present, anatomy):
        if answer.outcome is not Rpc.SILENT:
            continue
        reports = (one for one in state.heartbeats if one.name == host)
        beat = next((one for one in reports if one.binary == component.heartbeat), None)
        here = present.get((component.name, node))
        yield symptoms.RPC_DEAF.found(
            component.name,
            node,
            [age_of(beat)] if beat else [],
            what=f"no answer within {answer.took_s:.0f} s",
            restart=restart_of(here, component.name),
        )


_NO_RIGHT = "this login may not read its settings"
_LATE = (
    NO_TIME,
    UNREACHED,
    "no answer in time",
    "the node was too slow to ask within the time for this look",
)
_SHARED = "several virtual hosts have a queue of its name, and one of those has answered"
CURE_PING = "set `rpc_ping_enabled = true` in `[DEFAULT]` of its settings, and restart it"


def gaps_of_pings(state: CloudState, present: Present, anatomy: Anatomy) -> Iterator[Gap]:
    """Name the processes that had to be called but could not be, and why."""
    for component, node, host, answer in _answers(state, present, anatomy):
        is_shared = is_shared_name(present, f"{component.topic}.{host}")
        if answer.outcome is Rpc.NOT_ENABLED:
            kind, why, cure = Kept.OFF, "it is not set to answer a call over RPC", CURE_PING
        elif answer.outcome is Rpc.ANSWERED and is_shared:
            kind, why, cure = Kept.NO_QUESTION, _SHARED, ""
        elif answer.outcome is not Rpc.NOT_ASKED:
            continue
        elif answer.why == _NO_RIGHT:
            kind, why, cure = Kept.RIGHTS, answer.why, "add the login to the service's own group"
        else:
            kind = Kept.DEADLINE if answer.why.startswith(_LATE) else Kept.NO_QUESTION
            why, cure = answer.why, ""
        yield Gap(
            kind=kind,
            component=component.name,
            where=node,
            what=f"whether {component.name} answers RPC",
            why=why,
            cure=cure,
            is_proof=True,
        )


def is_pinged(
    component: Component, node: str, state: CloudState, present: Present, anatomy: Anatomy
) -> bool:
    """Say whether a component on a node has answered over RPC, and could have been no other.

    The conductors of two cells on one node have queues of one name, and one answer.
    """
    return component.topic is not None and any(
        answer.outcome is Rpc.ANSWERED and not is_shared_name(present, f"{component.topic}.{host}")
        for one, where, host, answer in _answers(state, present, anatomy)
        if one is component and where == node
    )


def proof_of_pings(
    component: Component, state: CloudState, present: Present, anatomy: Anatomy
) -> str:
    """Say how many of a component's processes have answered; empty where none was proved to."""
    own = sum(1 for one, *_ in own_queues(state, present, anatomy) if one is component)
    took = [
        answer.took_s
        for one, _, _, answer in _answers(state, present, anatomy)
        if one is component and answer.outcome is Rpc.ANSWERED
    ]
    return f"{len(took)} of {own} answer over RPC, within {max(took):.2f} s" if took else ""
