"""The room that other runs need: their plans are approved, and these moves have not started."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping

from stackward.model.placement import Resources
from stackward.model.run import Run
from stackward.plan.path import move_of, path_of_move
from stackward.ports.journal import Journal

_LOOKED_AT = 100  # the latest runs


def read_reserved(journal: Journal, cloud: str, *, but_for: str) -> dict[str, Resources]:
    """Return, by resource provider, what moves of this cloud's runs that go on will take there.

    Moves that have started are left out: placement has them in its own books. The moves of the run
    that drains `but_for` are left out too.
    """
    reserved: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    latest = journal.runs(limit=_LOOKED_AT, cloud=cloud)
    others = [run for run in latest if not (run.state.is_over or but_for in run.holds)]
    # Asked for each server that is about to move: in one look, for any number of drains.
    attempts = journal.attempts_of([run.id for run in others])
    for run in others:
        begun = {move_of(attempt.step) for attempt in attempts[run.id]}
        for path, expects in _moves(run):
            provider, needs = expects.get("provider"), expects.get("needs")
            if path not in begun and isinstance(provider, str) and isinstance(needs, dict):
                for name, amount in needs.items():
                    reserved[provider][name] += int(amount)
    return {provider: dict(needs) for provider, needs in reserved.items()}


def _moves(run: Run) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Return each move of the stored plan by its path in the journal, with what it expects."""
    for stage in json.loads(run.plan)["stages"]:
        for move in stage["moves"]:
            path = path_of_move(stage["name"], move["thing_id"] or move["thing"])
            yield path, move["expects"]
