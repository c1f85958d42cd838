"""What proves a repair: the witnesses that it did not change."""

from collections.abc import Iterator, Sequence

from stackward.checks.agreement import AllocatedWhereTheyAre, BoundOnce, GuestEnded, HoldNothing
from stackward.operations.reconcile_cloud.facts import DOUBLE, KILLS, LEFT, ORPHAN, ReconcileFacts
from stackward.operations.reconcile_cloud.killing import ended_by
from stackward.plan import Check
from stackward.ports.world import World
from stackward.requests.reconcile_cloud import ReconcileRequest


def proofs(
    facts: ReconcileFacts, asked: ReconcileRequest, words: Sequence[str]
) -> Iterator[Check[World]]:
    """Prove all that the plan names: what others have repaired since counts as well."""
    parts = [word.split(" ") for word in words]
    if double := tuple(part[1] for part in parts if part[0] == DOUBLE):
        yield AllocatedWhereTheyAre(servers=double)
    if orphans := tuple(part[1] for part in parts if part[0] == ORPHAN):
        yield HoldNothing(consumers=orphans)
    if left := dict.fromkeys((part[2], part[1]) for part in parts if part[0] == LEFT):
        yield BoundOnce(ports=tuple(left))
    killed = {part[1] for part in parts if part[0] in KILLS}
    guests = tuple(
        (server, host)
        for server, host in ended_by(asked, facts.found.testimony)
        if server in killed
    )
    if guests:
        yield GuestEnded(guests=guests)
