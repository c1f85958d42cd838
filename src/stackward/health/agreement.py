"""Whether the witnesses agree: two looks, and only what both have seen and nobody acts on counts.

Servers are built, moved and deleted all the time, and no list is read at one moment: what one look
sees may be the middle of something. The second look is made only where the first saw anything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stackward.facts.testimony import read_testimony
from stackward.health.disagreements import BY_NAME, find_cases
from stackward.model.disagreement import Case
from stackward.model.identity import Itself
from stackward.model.testimony import CloudTestimony
from stackward.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What came of it."""

    testimony: CloudTestimony  # of the last look
    cases: tuple[Case, ...]
    looks: int = 1
    passed: tuple[Case, ...] = ()  # seen by one look alone, or acted on: not counted


def reconcile(  # noqa: PLR0913  # how it looks
    world: World,
    *,
    wait_s: float,
    remembered: Mapping[str, Itself] | None = None,
    host: str | None = None,
    always_twice: bool = False,
    waiting: Callable[[int, float], None] | None = None,
) -> Agreement:
    """Look, wait and look again; with a host, only at the cases that touch it.

    `waiting` is called with the number of cases that the first look saw, and the length of the
    wait. `always_twice` looks again even if the first look saw no case: something else is compared,
    too.
    """
    first = read_testimony(world, remembered)
    seen = _of_host(find_cases(first), host)
    if not seen and not always_twice:
        return Agreement(testimony=first, cases=())
    before = _newest(world, seen)
    if waiting is not None:
        waiting(len(seen), wait_s)
    world.clock.wait(wait_s)
    second = read_testimony(world, remembered)
    known = {one.key for one in seen}
    again = [one for one in _of_host(find_cases(second), host) if one.key in known]
    after = _newest(world, again)
    cases = tuple(
        one
        for one in again
        if one.server is None or before.get(one.server) == after.get(one.server)
        if not BY_NAME[one.name].needs_absence or _is_absent(world, one)
    )
    kept = {one.key for one in cases}
    return Agreement(
        testimony=second,
        cases=cases,
        looks=2,
        passed=tuple(one for one in seen if one.key not in kept),
    )


def _of_host(cases: Sequence[Case], host: str | None) -> tuple[Case, ...]:
    return tuple(one for one in cases if host is None or host in one.hosts)


def _newest(world: World, cases: Sequence[Case]) -> dict[str, str]:
    """Return the newest request in the action log of each server that a case is about."""
    servers = dict.fromkeys(one.server for one in cases if one.server)
    found = {}
    for each in servers:
        actions = world.nova.actions_of(each)
        found[each] = actions[0].request_id if actions else ""
    return found


def _is_absent(world: World, case: Case) -> bool:
    """Say whether Nova has no such server: a list may have missed it."""
    return world.nova.server(case.thing_id) is None
