"""Have Nova call nova-computes over RPC: an answer proves that one serves."""

from collections.abc import Callable, Mapping
from functools import partial

from stackward.facts.cloud_state import NOVA, TOLD_S
from stackward.model.cloud_state import NO_TIME, Catalog, Endpoint, Rpc, RpcAnswer
from stackward.ports.deadline import Deadline
from stackward.ports.probes import Probes

RPC_S = 5.0
MOST_UNANSWERED = 2  # each holds a worker of nova-api for a minute
MOST_AT_ONCE = 16
STILL_HANGS = "a call of an earlier look still hangs"


def ask_rpc(
    probes: Probes,
    catalog: Catalog | None,
    hypervisors: Mapping[str, str],
    *,
    deadline: Deadline,
    within_s: float = RPC_S,
) -> dict[str, RpcAnswer]:
    """Have Nova call each of these nova-computes over RPC, and return what came of it, by host.

    Carefully: a call without an answer holds a worker of nova-api. So it begins with two at a time,
    goes faster while all answer, and stops at the second call without an answer.
    """
    endpoint = catalog.endpoint((NOVA,)) if catalog else None
    if endpoint is None:
        return {}
    waiting = list(hypervisors.items())
    told: dict[str, RpcAnswer] = {}
    at_once, why = 2, ""
    while waiting and not (why := _why_stop(told, deadline, within_s)):
        now, waiting = waiting[:at_once], waiting[at_once:]
        limit_s = deadline.within(within_s)
        put: set[str] = set()
        questions: dict[str, Callable[[], RpcAnswer]] = {
            host: partial(_ask_uptime, probes, endpoint, hypervisor, limit_s, put.add)
            for host, hypervisor in now
        }
        answers = probes.together.ask(questions, within_s=limit_s + TOLD_S)
        told |= {
            host: answer or unheard(limit_s, is_put=hypervisors[host] in put)
            for host, answer in answers.items()
        }
        at_once = min(2 * at_once, MOST_AT_ONCE) if not unanswered(told) else 1
    left = {host: RpcAnswer(outcome=Rpc.NOT_ASKED, why=why) for host, _ in waiting}
    return {**told, **left}


def _why_stop(told: Mapping[str, RpcAnswer], deadline: Deadline, within_s: float) -> str:
    if (silent := unanswered(told)) >= MOST_UNANSWERED:
        return f"{silent} calls over RPC are unanswered already, and each holds a worker"
    return "" if deadline.allows(within_s) else NO_TIME


def unanswered(told: Mapping[str, RpcAnswer]) -> int:
    """Return how many calls have had no answer."""
    return sum(1 for one in told.values() if one.outcome is Rpc.SILENT)


def unheard(within_s: float, *, is_put: bool) -> RpcAnswer:
    """Say what it means that no answer came: nothing, if the call was not made."""
    if is_put:
        return RpcAnswer(outcome=Rpc.SILENT, took_s=within_s)
    return RpcAnswer(outcome=Rpc.NOT_ASKED, why=STILL_HANGS)


def _ask_uptime(
    probes: Probes,
    endpoint: Endpoint,
    hypervisor: str,
    within_s: float,
    note: Callable[[str], None],
) -> RpcAnswer:
    note(hypervisor)
    return probes.apis.uptime(endpoint, hypervisor, within_s=within_s)
