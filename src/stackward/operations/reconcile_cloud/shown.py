"""What the plan of a repair says beside its steps."""

from collections.abc import Iterator, Sequence

from stackward.model.disagreement import Case
from stackward.model.testimony import HostTestimony
from stackward.operations.reconcile_cloud.facts import KILLS, ReconcileFacts
from stackward.operations.reconcile_cloud.killing import ended_hosts, guest_on
from stackward.operations.reconcile_cloud.rules import GUEST_ENDED
from stackward.plan import Warned
from stackward.requests.reconcile_cloud import ReconcileRequest


def counted(repaired: int, alone: int) -> str:
    """Say how many cases there are, and how many of them nothing is done about."""
    if not repaired and alone:
        return f"{alone}, nothing is repaired"
    return f"{repaired + alone}" + (f", {alone} of them left alone" if alone else "")


def notices(
    facts: ReconcileFacts, asked: ReconcileRequest, repaired: Sequence[Case]
) -> tuple[str, ...]:
    """Say what users will notice."""
    found = tuple(
        f"`{case.thing}`: its guest on `{one.host}` ends; what is in its memory is lost, its disk "
        "stays"
        for case, one, _ in _ended(facts, asked, repaired)
    )
    return found or ("nothing: no guest, disk or address is touched",)


def warnings_of_kills(
    facts: ReconcileFacts, asked: ReconcileRequest, repaired: Sequence[Case]
) -> Iterator[Warned]:
    """Name each guest that is ended: that is approved with the plan."""
    for case, one, state in _ended(facts, asked, repaired):
        yield GUEST_ENDED.warns(case.thing, case.thing_id, where=one.host, state=state)


def _ended(
    facts: ReconcileFacts, asked: ReconcileRequest, repaired: Sequence[Case]
) -> Iterator[tuple[Case, HostTestimony, str]]:
    for case in repaired:
        if case.name not in KILLS:
            continue
        for one in ended_hosts(facts.found.testimony, case, asked):
            domain = guest_on(one, case.thing_id)
            yield case, one, domain.state if domain else "gone"
