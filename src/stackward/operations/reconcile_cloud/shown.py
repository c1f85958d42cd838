"""What the plan of a repair says besides its steps."""

from collections.abc import Iterator, Sequence

from stackward.model.disagreement import Case
from stackward.model.orphan import Orphan, OrphanKind
from stackward.model.testimony import HostTestimony
from stackward.operations.reconcile_cloud.facts import KILLS, ReconcileFacts
from stackward.operations.reconcile_cloud.killing import ended_hosts, guest_on
from stackward.operations.reconcile_cloud.rules import GUEST_ENDED
from stackward.plan import Json, Warned
from stackward.requests.reconcile_cloud import ReconcileRequest
from stackward.wording import count_of

_HOUR_S = 3600


def title(asked: ReconcileRequest) -> str:
    """Say what the plan is."""
    if asked.remove:
        return f"remove what is left: {', '.join(asked.remove)}"
    return f"repair disagreements: {', '.join(asked.classes)}"


def shown(
    facts: ReconcileFacts, asked: ReconcileRequest, repaired: int, alone: int
) -> dict[str, Json]:
    """Return the facts that are above the steps."""
    found: dict[str, Json] = {
        "looks": facts.found.looks,
        "read at": facts.found.testimony.at.isoformat(timespec="seconds"),
        "cases": _counted(repaired, alone, "removed" if asked.remove else "repaired"),
    }
    if asked.remove:
        found["left for at least"] = f"{asked.min_age_s / _HOUR_S:g} h"
        found["undo"] = "none: what is removed stays removed"
        unread = facts.orphans.unread if facts.orphans else ()
        if unread:
            found["not known"] = "; ".join(f"{what}: {why}" for what, why in unread)
    return found


def _counted(repaired: int, alone: int, what: str) -> str:
    """Say how many cases there are, and how many of them nothing is done about."""
    if not repaired and alone:
        return f"{alone}, nothing is {what}"
    return f"{repaired + alone}" + (f", {alone} of them left alone" if alone else "")


def notices(
    facts: ReconcileFacts,
    asked: ReconcileRequest,
    repaired: Sequence[Case],
    removed: Sequence[Orphan],
) -> tuple[str, ...]:
    """Say what users will notice."""
    found = [
        f"`{case.thing}`: its guest on `{one.host}` ends; what is in its memory is lost, its disk "
        "stays"
        for case, one, _ in _ended(facts, asked, repaired)
    ]
    if ports := [one for one in removed if one.kind is OrphanKind.PORT]:
        count = count_of(len(ports), "port")
        found.append(f"the addresses of {count} are free for others once it is done")
    if volumes := [one for one in removed if one.kind is OrphanKind.VOLUME]:
        count = count_of(len(volumes), "volume")
        found.append(f"{count} can be attached again; the data stays")
    return tuple(found) or ("nothing: no guest, disk or address is touched",)


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
