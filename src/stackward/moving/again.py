"""Whether a move may still begin, by a plan that was made again for its server alone."""

from stackward.plan import Blocked, Move, Plan
from stackward.ports.world import World


def objection(fresh: Plan[World], move: Move[World]) -> Blocked | None:
    """Say what blocks a move now, by a fresh plan for its server alone."""
    if fresh.blockers:
        return fresh.blockers[0]
    moves = [each for _, each in fresh.moves() if each.thing_id == move.thing_id]
    now = [each.how for each in moves]
    if any(each.how == move.how and (each.instead or not move.instead) for each in moves):
        return None
    why = "; ".join([*(each.reason for each in fresh.warnings), *fresh.notices])
    if now:
        why = f"the plan moves it {move.how}; it would now be moved {now[0]}"
        why += ", and not be stopped where that is slow" if move.instead else ""
    why = why or "a plan that is made now does not have it"
    return Blocked(move.thing, f"may not move now: {why}", "plan again", move.thing_id)
