"""Call services over RPC from where they run: one script and one round trip for all of a place."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from importlib.resources import files
from itertools import groupby
from typing import Any

from stackward.answers import document, figure, lines, mapping, text, understood, why
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.facts.cloud_state import LEEWAY_S, RPC_S, ask_rpc
from stackward.model.cloud_state import Catalog, PingTarget, Rpc, RpcAnswer
from stackward.ports.lookout import Lookout
from stackward.ports.shell import Shell

STARTING_S = 4.0  # the way there and back, and loading the libraries there
_THERE_AND_BACK_S = 1.0  # of it, what the script cannot use
PYTHON = ("python3", "-I", "-")

# What is raised there, in the operator's words.
WHY = {
    "FileNotFoundError": "its settings are not where they usually are",
    "ConfigFilesNotFoundError": "its settings are not where they usually are",
    "ConfigFilesPermissionDeniedError": "this login may not read its settings",
    "ConfigDirNotFoundError": "this login may not read its settings",
    "PermissionError": "this login may not read its settings",
    "MessageDeliveryFailure": "RabbitMQ cannot be reached with its settings",
    "ModuleNotFoundError": "its `python3` has no oslo.messaging",
    "ImportError": "its `python3` has no oslo.messaging",
    "NoTimeLeft": "the node was too slow to ask within the time for this look",
}
LATE = "no answer in time"

Place = tuple[str, str | None, str | None]  # a node; there, the engine and name of a container


def call_all(
    lookout: Lookout,
    catalog: Catalog | None,
    hypervisors: Mapping[str, str],
    others: Sequence[PingTarget],
    within_s: float,
) -> tuple[Mapping[str, RpcAnswer], Mapping[str, RpcAnswer]]:
    """Call over RPC: nova-computes through Nova and, at the same time, others from where they run.

    Returns what came of it: of nova-computes by host, of others by their own queues.
    """
    each_s = min(within_s, RPC_S)
    calls: dict[str, Callable[[], Mapping[str, RpcAnswer]]] = {
        "rpc": lambda: ask_rpc(lookout, catalog, hypervisors, within_s=each_s),
        "pings": lambda: ping_services(lookout, others, within_s=each_s),
    }
    # Each has an end of its own, sooner than this one, which is for one call after the other.
    ends_s = (len(hypervisors) + 2) * (each_s + STARTING_S + LEEWAY_S)
    told = lookout.together.ask(calls, within_s=ends_s)
    return told["rpc"] or {}, told["pings"] or {}


def ping_services(
    lookout: Lookout, targets: Iterable[PingTarget], *, within_s: float
) -> dict[str, RpcAnswer]:
    """Call each of them over RPC, once, and return what came of it by its own queue."""
    there: dict[Place, list[PingTarget]] = {}
    for target in targets:
        there.setdefault((target.node, target.engine, target.container), []).append(target)
    questions: dict[Place, Callable[[], Mapping[str, RpcAnswer]]] = {
        place: partial(_ping, lookout.shell, place, called, within_s)
        for place, called in there.items()
    }
    ends_s = within_s + STARTING_S
    told = lookout.together.ask(questions, within_s=ends_s + LEEWAY_S)
    late = RpcAnswer(outcome=Rpc.NOT_ASKED, why=LATE)
    return {
        target.queue: (told[place] or {}).get(target.queue, late)
        for place, called in there.items()
        for target in called
    }


@cache
def script() -> str:
    """Return what is run on a node."""
    return files(__package__).joinpath("on_node/ping.py").read_text("utf-8")


def _ping(
    shell: Shell, place: Place, targets: Sequence[PingTarget], within_s: float
) -> Mapping[str, RpcAnswer]:
    node, engine, container = place
    words = [*PYTHON, json.dumps(_asked(targets, within_s))]
    if engine and container:
        words = [engine, "exec", "-i", container, *words]
    try:
        answer = shell.run(
            node,
            words,
            as_root=bool(container),
            given=script(),
            within_s=within_s + STARTING_S,
        )
    except (Unreachable, Uncertain) as error:
        return parse_pings("", error.message, targets)
    return parse_pings(answer.out, answer.err, targets)


def _asked(targets: Sequence[PingTarget], within_s: float) -> dict[str, Any]:
    """Return what the script is told: no more than where the settings are, and who is called."""
    shared = sorted(targets, key=_settings)
    return {
        "within_s": within_s,
        "ends_s": within_s + STARTING_S - _THERE_AND_BACK_S,
        "groups": [
            {
                "exchange": exchange,
                "settings": settings,
                "targets": [{"topic": one.topic, "server": one.server} for one in group],
            }
            for (exchange, settings), group in groupby(shared, _settings)
        ],
    }


def _settings(one: PingTarget) -> tuple[str, tuple[str, ...]]:
    return one.exchange, one.settings


def parse_pings(out: str, err: str, targets: Iterable[PingTarget]) -> dict[str, RpcAnswer]:
    """Read what the script printed; who is not named in it was not called."""
    called = list(targets)
    if not out.strip():
        words = lines(err) or [LATE]
        return {one.queue: RpcAnswer(outcome=Rpc.NOT_ASKED, why=words[-1]) for one in called}
    try:
        with understood("the script that calls over RPC", out):
            whole = document(out)
            told, because = mapping(whole["told"]), text(whole.get("why", LATE))
            missing = {"outcome": "not asked", "why": because}
            return {one.queue: _answer(mapping(told.get(one.queue, missing))) for one in called}
    except NotUnderstood as error:
        odd = RpcAnswer(outcome=Rpc.NOT_ASKED, why=why(error))
        return {one.queue: odd for one in called}


def _answer(told: Mapping[str, object]) -> RpcAnswer:
    why = text(told.get("why", ""))
    return RpcAnswer(
        outcome=Rpc(text(told["outcome"])),
        took_s=figure(told.get("took_s", 0.0)),
        why=WHY.get(why, why),
    )
