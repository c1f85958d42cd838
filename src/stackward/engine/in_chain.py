"""What was approved with a chain, and since then: what may pass when one of its runs is planned.

The warnings are those of all its plans in their present form: the chain itself moves servers from
one node to another. Decisions belong to one run. Anything new stops the chain; an event may approve
it.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stackward.errors import BadInput
from stackward.model.claim import read_claim
from stackward.model.run import (
    APPROVED_MORE,
    Approval,
    Event,
    Run,
    RunState,
    Settled,
    last_attempts,
)
from stackward.plan import BeginsRun, Kinds, OperationInRun, Plan, from_json, load_request
from stackward.plan.path import path_of_step
from stackward.ports.children import InItem
from stackward.ports.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """The present plan of a run of a chain, with the part of it that was not approved."""

    place: InItem
    plan: Plan[Any]
    lines: tuple[str, ...]  # new warnings and other decisions; blockers are in the plan


class ApprovedInChain:
    """What was approved for the runs of a chain."""

    def __init__(self, plan: Plan[Any], events: Iterable[Event]) -> None:
        """Take the approved plan of the chain, and what happened in it."""
        self._warnings = {each.key for each in plan.warnings}
        self._more: dict[tuple[str, int], Event] = {}
        for event in events:
            if event.what == APPROVED_MORE:
                self._more[event.thing, _part(event)] = event
                self._warnings |= {_key(each) for each in _list(event.says.get("warnings"))}

    def by(self, place: InItem) -> str | None:
        """Return who approved what was new in a run; None: nothing was new."""
        more = self._more.get((place.item, place.part))
        return str(more.says["by"]) if more else None

    def new_in(
        self,
        plan: Plan[Any],
        place: InItem,
        decisions: Mapping[str, str],
        own: Container[str] = (),
    ) -> tuple[str, ...]:
        """Return what of a plan was not approved; `decisions` are those of the approved plan.

        `own` are the runs of the item so far: if one of them has claimed the node, the item did it.
        """
        more = self._more.get((place.item, place.part))
        said = more.says.get("decisions") if more and decisions else None
        before = said if isinstance(said, dict) else decisions
        warned = [
            f"`{each.thing}` has a new warning: {each.reason}"
            for each in plan.warnings
            if each.key not in self._warnings
        ]
        decided = [
            f"{name}: was {was}, is {now}"
            for name, was in before.items()
            if (now := plan.decisions.get(name, "not said")) != was and not _is_claim_of(own, now)
        ]
        return (*warned, *decided)


def what_is_new(
    run: Run,
    journal: Journal,
    operations: Mapping[str, OperationInRun[Any]],
    kinds: Kinds,
    world: Any,  # noqa: ANN401  # any world that its runs need
) -> Iterator[New]:
    """Plan each run that a stopped chain could not begin; return what is new in it."""
    chain = from_json(run.plan, kinds)
    approved = ApprovedInChain(chain, journal.events(run.id))
    for step in _not_begun(run, chain, journal):
        last = journal.child(run.id, step.place.item, step.place.part)
        if last is not None and not _is_planned_anew(last):
            continue  # it is gone on with, or found done
        request = load_request(step.asked, kinds)
        try:
            plan = operations[request.kind].plan(world, request, None)
        except BadInput:
            continue  # the chain says so when it comes to it
        own = runs_of_item(journal, run.id, step.place)
        new = approved.new_in(plan, step.place, step.decisions, own)
        if new or plan.blockers:
            yield New(place=step.place, plan=plan, lines=new)


def _not_begun(run: Run, chain: Plan[Any], journal: Journal) -> Iterator[BeginsRun]:
    """Return the steps whose last attempt failed: its run was not begun, or has not ended well."""
    last = last_attempts(journal.attempts(run.id))
    for stage, move in chain.moves():
        for place, step in enumerate(move.steps):
            attempt = last.get(path_of_step(stage.path_of(move), place))
            has_failed = attempt is not None and attempt.settled is Settled.FAILED
            if has_failed and isinstance(step, BeginsRun):
                yield step


def _is_planned_anew(last: Run) -> bool:
    """Say whether another run follows one in its chain: that one is over, and did not end well."""
    return last.state.is_over and last.state is not RunState.SUCCEEDED


def runs_of_item(journal: Journal, chain: str, place: InItem) -> frozenset[str]:
    """Return the ids of the runs that a chain has started for one of its items."""
    return frozenset(run.id for run in journal.children(chain) if run.item == place.item)


def _is_claim_of(own: Container[str], decided: str) -> bool:
    """Say whether a decision is that one of these runs has claimed the node."""
    claim = read_claim(decided)
    return claim is not None and claim.run in own


def approve_more(run: Run, new: New, approval: Approval, journal: Journal) -> None:
    """Write down that the new part of the plan of a run of a chain is approved."""
    event = Event(
        at=approval.at,
        epoch=run.epoch,
        what=APPROVED_MORE,
        thing=new.place.item,
        says={
            "by": approval.by,
            "how": approval.how,
            "part": new.place.part,
            "reason": "; ".join(new.lines),
            "warnings": [list(each.key) for each in new.plan.warnings],
            "decisions": dict(new.plan.decisions),
        },
    )
    journal.approve_more(run.id, event)


def _part(event: Event) -> int:
    part = event.says.get("part")
    return part if isinstance(part, int) else 0


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _key(value: object) -> tuple[str, str]:
    thing, worry = _list(value)
    return str(thing), str(worry)
