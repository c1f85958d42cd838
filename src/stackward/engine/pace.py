"""How long the engine waits for what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds, all of them."""

    poll_s: float = 1.0  # from one look at the moves in progress to the next, as they begin
    grace_s: float = 15.0  # a start whose answer was lost may take this long to show itself
    accepted_s: float = 60.0  # a start that was answered must show itself by then
    patience_s: float = 300.0  # with a world that does not answer, or cannot be read
    verify_s: float = 60.0  # a fact may need a moment to become true before it can be proved
    quiet_s: float = 60.0  # a step in which nothing changes is examined as often
    straggler_s: float = 5.0  # a tick waits at most this time for a move that is busy asking
    planning_s: float = 0.2  # the same, for an item of a chain whose next run is being planned
    beat_s: float = 5.0  # between two signs of life while something else takes long
    late_s: float = 2.0  # between an intent and its start; later, the epoch is compared once more
    # Between two looks at a cloud that is not well: what a look leaves running lives 10 s more.
    look_again_s: float = 15.0
    rest_s: float = 60.0  # at most, where a service says when to come back
    starts: int = 3  # of one step by one worker, when nothing was sent or an answer was lost
