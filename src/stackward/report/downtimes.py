"""For how long servers were stopped, by the times of the service in the journal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from stackward.model.run import Attempt
from stackward.plan.path import move_of


def downtime_of(attempts: Sequence[Attempt]) -> int | None:
    """Return for how many seconds the server of a move was stopped; None: not known."""
    down = [at for each in attempts if isinstance(at := each.saw.get("down_since"), str)]
    up = [at for each in attempts if isinstance(at := each.saw.get("up_since"), str)]
    if not (down and up):
        return None
    took = datetime.fromisoformat(up[-1]) - datetime.fromisoformat(down[0])
    return round(took.total_seconds())


def longest_downtimes(made: Mapping[str, Iterable[Attempt]]) -> dict[str, int]:
    """Return the longest downtime of a server in each run; those are left out that had none."""
    found: dict[str, int] = {}
    for run, attempts in made.items():
        of_moves: dict[str, dict[str, Attempt]] = {}
        for each in attempts:  # the last one at each step
            of_moves.setdefault(move_of(each.step), {})[each.step] = each
        told = [downtime_of(list(each.values())) for each in of_moves.values()]
        if known := [each for each in told if each is not None]:
            found[run] = max(known)
    return found
