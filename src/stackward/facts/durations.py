"""Read from the journal how long moves took on this cloud."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stackward.model.cloud import CloudIdentity, known_cloud
from stackward.model.duration import PastMove
from stackward.model.run import Attempt, RunState, Settled
from stackward.plan.path import Part, move_of, part_of, path_of_move
from stackward.ports.journal import Journal

_LOOKED_AT = 100  # the latest runs
_AT_ONCE = 20  # runs whose attempts are read together: mostly they are enough
_MOST = 200  # past moves of all kinds: what is older than these is of another time


def read_past_moves(journal: Journal, cloud: CloudIdentity) -> tuple[PastMove, ...]:
    """Return the latest moves that runs on this cloud started themselves, and proved.

    A move that was tried twice, or that was helped because it was slow, is not usual.
    """
    past: list[PastMove] = []
    # A run that another worker resumed may have waited for that worker.
    latest = [run for run in journal.runs(limit=_LOOKED_AT, cloud=cloud.id) if run.epoch == 1]
    plans = {run.id: json.loads(run.plan) for run in latest}
    # Those of older versions are known by the name that the cloud had then.
    here = [
        each
        for each, stored in plans.items()
        if cloud.is_meant(known_cloud(stored["decisions"], stored["facts"]))
    ]
    while here and len(past) < _MOST:
        some, here = here[:_AT_ONCE], here[_AT_ONCE:]
        attempts = journal.attempts_of(some)
        for each in some:
            past += _moves_of(plans[each], attempts[each])
    return tuple(past[:_MOST])


def _moves_of(stored: Mapping[str, Any], made_all: Sequence[Attempt]) -> Iterator[PastMove]:
    attempts: dict[str, list[Attempt]] = {}
    for attempt in made_all:
        attempts.setdefault(move_of(attempt.step), []).append(attempt)
    for stage in stored["stages"]:
        for move in stage["moves"]:
            made = attempts.get(path_of_move(stage["name"], move["thing_id"]), [])
            gib = move["expects"].get("gib")
            if move["thing_id"] and isinstance(gib, int | float) and _is_usual(move, made):
                took = max(each.settled_at for each in made if each.settled_at) - min(
                    each.intended_at for each in made
                )
                yield PastMove(how=move["how"], gib=float(gib), seconds=took.total_seconds())


def _is_usual(move: Mapping[str, Any], made: list[Attempt]) -> bool:
    """Say whether each of its steps was started by the run, once, and the server has arrived."""
    has_arrived = any(each.saw.get("target") for each in made)  # not so if it was deleted
    return (
        has_arrived
        and len(made) == len(move["steps"])
        and all(
            each.settled is Settled.DONE
            and each.mark is not None
            and each.number == 1
            and part_of(each.step) is Part.STEPS
            for each in made
        )
    )


def read_past_runs(journal: Journal, cloud: CloudIdentity) -> Mapping[str, Sequence[float]]:
    """Return how many seconds the latest runs of each kind took on this cloud that ended well.

    A run that was resumed may have waited for somebody. A chain is no run of its own.
    """
    past: dict[str, list[float]] = {}
    for run in journal.runs(limit=_LOOKED_AT, cloud=cloud.id):
        is_usual = (
            run.cloud == cloud.id
            and run.epoch == 1
            and run.state is RunState.SUCCEEDED
            and not run.is_chain
        )
        if is_usual and run.began_at and run.ended_at:
            way = way_of(json.loads(run.plan)["request"])
            past.setdefault(way, []).append((run.ended_at - run.began_at).total_seconds())
    return past


def way_of(asked: Mapping[str, Any]) -> str:
    """Return what makes two runs alike: the request, and for a reboot its way."""
    return f"{asked['kind']}{', drained' if asked.get('is_drained') else ''}"
