"""Whether processes answer their APIs, which call them over RPC for any user who asks.

No setting is needed for that, as it is for a ping, and no login on a node. Where several share a
queue, an answer proves that one of them lives.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote

from stackward.anatomy import REPORTED_TO, Anatomy, Call, Component
from stackward.health import symptoms
from stackward.health.messages import (
    STILL_HANGS_S,
    age_of,
    is_asked,
    judge_failed_calls,
    kept_of,
    node_of,
    why_not_call,
)
from stackward.health.presence import log_of, restart_of
from stackward.health.processes import Present
from stackward.model.cloud_state import (
    CallTarget,
    CloudState,
    Heartbeat,
    Rpc,
    RpcAnswer,
)
from stackward.model.health import Finding, Gap, Kept

_NAME = "{name}"


def worth_calling(
    state: CloudState, present: Present, anatomy: Anatomy, before: CloudState | None
) -> tuple[list[CallTarget], dict[str, RpcAnswer]]:
    """Return the processes to call, and what is known without a call, by queue.

    A call that stays unanswered holds a worker of the API. So a process is not called again if its
    last call still hangs, or if it is known to be deaf.
    """
    targets, known = [], {}
    for component in anatomy.components.values():
        if component.call is None:
            continue
        for queue, those in _sharing(state, component).items():
            why = _why_not(state, present, anatomy, component, those)
            last = before.calls.get(queue) if before else None
            if not any(is_asked(state, one) for one in those):
                continue
            if why:
                known[queue] = RpcAnswer(outcome=Rpc.NOT_ASKED, why=why)
            elif before and last and (hanging := _hanging(state, before, last)):
                known[queue] = hanging
            else:
                targets.append(_target(anatomy, component, component.call, queue, those[0]))
    # What all of a kind share is one call, and there may be many backends: it comes first.
    return sorted(targets, key=lambda one: "." in one.queue), known


def _sharing(state: CloudState, component: Component) -> Mapping[str, list[Heartbeat]]:
    """Return the processes behind each queue; those that are down only where none is up."""
    found: dict[str, list[Heartbeat]] = {}
    for one in state.heartbeats:
        if one.binary == component.heartbeat:
            found.setdefault(_queue(component, one), []).append(one)
    return {queue: [one for one in those if one.is_up] or those for queue, those in found.items()}


def _queue(component: Component, one: Heartbeat) -> str:
    """Return the queue that a call goes to: its own, its cluster's, or that of all of its kind."""
    own = component.call is not None and _NAME in component.call.path
    return f"{component.topic}.{one.cluster or one.name}" if own else str(component.topic)


def _why_not(
    state: CloudState,
    present: Present,
    anatomy: Anatomy,
    component: Component,
    those: list[Heartbeat],
) -> str:
    """Return why these need not be called; one that is deaf among them may get the call."""
    why = why_not_call(state, present, anatomy, component)
    return next((why[one] for one in those if why[one]), "")


def _hanging(state: CloudState, before: CloudState, last: RpcAnswer) -> RpcAnswer | None:
    asked_at = last.asked_at or before.read_at
    still = (state.read_at - asked_at).total_seconds() < STILL_HANGS_S
    return replace(last, asked_at=asked_at) if last.outcome is Rpc.SILENT and still else None


def _target(
    anatomy: Anatomy, component: Component, call: Call, queue: str, one: Heartbeat
) -> CallTarget:
    return CallTarget(
        queue=queue,
        kinds=_api_of(anatomy, component).catalog_types,
        path=call.path.replace(_NAME, quote(one.name, safe="")),
        answer=call.answer,
    )


def _api_of(anatomy: Anatomy, component: Component) -> Component:
    """Return the API that can be made to call a component."""
    return next(
        each
        for each in anatomy.components.values()
        if each.service == component.service and each.catalog in REPORTED_TO
    )


def _answers(
    state: CloudState, anatomy: Anatomy
) -> Iterator[tuple[Component, list[Heartbeat], RpcAnswer]]:
    """Return each queue to which a call went, or was to go: whose it is, and what came."""
    for component in anatomy.components.values():
        for queue, those in _sharing(state, component).items() if component.call else ():
            if answer := state.calls.get(queue):
                yield component, those, answer


def judge_calls(state: CloudState, present: Present, anatomy: Anatomy) -> Iterator[Finding]:
    """Judge the calls without an answer; a process that a ping found deaf has its finding."""
    for component, those, answer in _answers(state, anatomy):
        pings = [state.pings.get(f"{component.topic}.{one.name}") for one in those]
        if answer.outcome not in {Rpc.SILENT, Rpc.EMPTY}:
            continue
        if any(one is not None and one.outcome is Rpc.SILENT for one in pings):
            continue
        only = those[0] if len(those) == 1 else None
        node = node_of(state, only) if only else None
        what = f"its API had no answer within {answer.took_s:.0f} s"
        if not only:
            what = f"of {len(those)} that share a queue, the one that was called gave no answer"
        yield symptoms.RPC_DEAF.found(
            component.name,
            node,
            [f"`{one.name}`: {age_of(one)}" for one in those],
            what=what,
            restart=restart_of(
                present.get((component.name, node)) if node else None, component.name
            ),
        )


def judge_failed(state: CloudState, anatomy: Anatomy) -> Iterator[Finding]:
    """Judge the calls that an API was asked for, and could not make."""
    failed: dict[str, list[tuple[str, RpcAnswer]]] = {}
    for component, those, answer in _answers(state, anatomy):
        who = ", ".join(f"`{one.name}`" for one in those)
        api = _api_of(anatomy, component).name
        failed.setdefault(api, []).append((f"{component.name} of {who}", answer))
    for api, calls in failed.items():
        yield from judge_failed_calls(api, calls, log_of(anatomy[api]))


def is_called(component: Component, node: str, state: CloudState) -> bool:
    """Say whether all of a component on a node has answered its API, and could have been no other.

    A process for each of its backends may run there.
    """
    if component.call is None:
        return False
    own = [
        (queue, those)
        for queue, those in _sharing(state, component).items()
        if any(node_of(state, one) == node for one in those)
    ]
    return bool(own) and all(
        len(those) == 1 and queue in state.calls and state.calls[queue].outcome is Rpc.ANSWERED
        for queue, those in own
    )


def gaps_of_calls(state: CloudState, anatomy: Anatomy) -> Iterator[Gap]:
    """Name the processes of which a call by their APIs has shown nothing, and why."""
    for component, those, answer in _answers(state, anatomy):
        kind, why, cure = _kept(answer, len(those))
        for one in those if why else ():
            yield Gap(
                kind=kind,
                component=component.name,
                where=node_of(state, one),
                what=f"whether {component.name} answers its API",
                why=why,
                cure=cure,
                is_proof=True,
            )


def _kept(answer: RpcAnswer, sharing: int) -> tuple[Kept, str, str]:
    if answer.outcome is Rpc.ANSWERED and sharing > 1:
        why = f"one of {sharing} that share a queue has answered, and not which"
        return Kept.NO_QUESTION, why, ""
    return kept_of(answer)


def proof_of_calls(component: Component, state: CloudState, anatomy: Anatomy) -> str:
    """Say how many of a component's processes have answered their API; empty where none has."""
    told = [(those, one) for each, those, one in _answers(state, anatomy) if each is component]
    took = [one.took_s for _, one in told if one.outcome is Rpc.ANSWERED]
    of = sum(len(those) for those, _ in told)
    return f"{len(took)} of {of} answer over RPC, within {max(took):.2f} s" if took else ""
