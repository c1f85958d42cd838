"""Call services over RPC from where they run: one script and one round trip for all of a place."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from itertools import groupby
from typing import Any

from stackward.answers import document, figure, lines, mapping, text, understood, why
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.facts.rpc import RPC_S
from stackward.model.cloud_state import NO_TIME, UNREACHED, PingTarget, Rpc, RpcAnswer
from stackward.ports.deadline import FAIR, Deadline
from stackward.ports.probes import Probes
from stackward.ports.shell import Shell
from stackward.ports.together import Round

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


def begin_pings(
    probes: Probes, targets: Iterable[PingTarget], deadline: Deadline, *, within_s: float
) -> "Pings":
    """Begin to call each of them over RPC, once."""
    there: dict[Place, list[PingTarget]] = {}
    for target in targets:
        there.setdefault((target.node, target.engine, target.container), []).append(target)
    questions: dict[Place, Callable[[], Mapping[str, RpcAnswer]]] = {
        place: partial(_ping, probes.shell, place, called, min(within_s, RPC_S), deadline)
        for place, called in there.items()
    }
    return Pings(there, probes.together.begin(questions))


@dataclass(frozen=True, slots=True)
class Pings:
    """Calls that have been started."""

    targets: Mapping[Place, Sequence[PingTarget]]
    round: Round[Place, Mapping[str, RpcAnswer]]

    def told(self, *, within_s: float) -> dict[str, RpcAnswer]:
        """Return what came of each, by its own queue."""
        told = self.round.told(within_s=within_s)
        late = RpcAnswer(outcome=Rpc.NOT_ASKED, why=LATE)
        return {
            target.queue: told.get(place, {}).get(target.queue, late)
            for place, called in self.targets.items()
            for target in called
        }


@cache
def script() -> str:
    """Return what is run on a node."""
    return files(__package__).joinpath("on_node/ping.py").read_text("utf-8")


def _ping(
    shell: Shell,
    place: Place,
    targets: Sequence[PingTarget],
    within_s: float,
    deadline: Deadline,
) -> Mapping[str, RpcAnswer]:
    whole_s = deadline.within(within_s + STARTING_S)
    if not deadline.allows(within_s + _THERE_AND_BACK_S):
        return not_called(targets)
    node, engine, container = place
    words = [*PYTHON, json.dumps(_asked(targets, within_s, whole_s))]
    if engine and container:
        words = [engine, "exec", "-i", container, *words]
    try:
        answer = shell.run(
            node,
            words,
            as_root=bool(container),
            given=script(),
            within_s=whole_s,
        )
    except Uncertain:
        return parse_pings("", "", targets)
    except Unreachable as error:
        return parse_pings("", f"{UNREACHED}: {error.message}", targets)
    return parse_pings(answer.out, answer.err, targets)


def not_called(targets: Iterable[PingTarget]) -> dict[str, RpcAnswer]:
    """Return what is known of those that no time was left for."""
    return {one.queue: RpcAnswer(outcome=Rpc.NOT_ASKED, why=NO_TIME) for one in targets}


def _asked(targets: Sequence[PingTarget], within_s: float, whole_s: float) -> dict[str, Any]:
    """Return what the script gets: only where the settings are, and which services to call."""
    shared = sorted(targets, key=_settings)
    return {
        "within_s": within_s,
        "least_s": within_s * FAIR,
        "ends_s": whole_s - _THERE_AND_BACK_S,
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
    """Read what the script printed; a service that is not named in it was not called."""
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
