"""Have the APIs call processes over RPC, one after the other: an answer proves that one lives."""

from collections.abc import Sequence

from stackward.facts.cloud_state import TOLD_S
from stackward.facts.rpc import MOST_UNANSWERED, RPC_S, unanswered, unheard
from stackward.model.cloud_state import (
    NO_TIME,
    CallTarget,
    Catalog,
    Endpoint,
    Failed,
    Failure,
    Rpc,
    RpcAnswer,
)
from stackward.ports.deadline import Deadline
from stackward.ports.probes import Probes

_ALIVE_S = 2.0  # for any answer at all from an API whose call got none
HELD = "an unanswered call over RPC holds the last worker of its API"


def call_by_apis(
    probes: Probes,
    catalog: Catalog | None,
    targets: Sequence[CallTarget],
    *,
    deadline: Deadline,
    within_s: float = RPC_S,
) -> dict[str, RpcAnswer]:
    """Call each of the targets, and return what came of it, by queue.

    A call without an answer holds a worker of the API. So the calls stop after the second such
    call. They stop earlier if the API has no other worker: then it would be silent for its next
    client.
    """
    told: dict[str, RpcAnswer] = {}
    why = ""
    for target in targets:
        endpoint = catalog.endpoint(target.kinds) if catalog else None
        if endpoint is None:
            continue
        why = why or _why_stop(told, deadline, within_s)
        if why:
            told[target.queue] = RpcAnswer(outcome=Rpc.NOT_ASKED, why=why)
            continue
        told[target.queue] = _call(probes, endpoint, target, deadline.within(within_s))
        if unanswered(told) and not _is_alive(probes, endpoint, deadline):
            why = HELD
    return told


def _why_stop(told: dict[str, RpcAnswer], deadline: Deadline, within_s: float) -> str:
    if (silent := unanswered(told)) >= MOST_UNANSWERED:
        return f"{silent} calls over RPC are unanswered already, and each holds a worker"
    return "" if deadline.allows(within_s) else NO_TIME


def _call(probes: Probes, endpoint: Endpoint, target: CallTarget, limit_s: float) -> RpcAnswer:
    put: list[str] = []

    def ask() -> RpcAnswer:
        put.append(target.queue)
        return probes.apis.call(endpoint, target.path, answer=target.answer, within_s=limit_s)

    answer = probes.together.ask({target.queue: ask}, within_s=limit_s + TOLD_S)[target.queue]
    return answer or unheard(limit_s, is_put=bool(put))


def _is_alive(probes: Probes, endpoint: Endpoint, deadline: Deadline) -> bool:
    """Say whether an API still answers anything: 4xx and 5xx are answers, too."""
    came = probes.apis.reach(endpoint.url, within_s=deadline.within(_ALIVE_S))
    return not (isinstance(came, Failed) and came.how is Failure.NO_ANSWER)
