"""Histories of runs as an engine would write them, without carrying anything out."""

from builders import NOW
from stackward.adapters.store.journal import SqlJournal
from stackward.model.run import Event, Run, RunState, Said
from stackward.plan.outline import Outline, outline_of
from stackward.plan.path import Part


def bring_to(journal: SqlJournal, run: Run, stage: str) -> None:
    """Let each step of the stages before this one be found done, where it is not settled yet."""
    _find_done(journal, run, until=stage)


def end(journal: SqlJournal, run: Run, state: RunState) -> Run:
    """End the run so; one that succeeds has all its steps done, and its checks proved."""
    if state is RunState.SUCCEEDED:
        _find_done(journal, run)
        for _ in range(_outline(journal, run).checks):
            journal.tell(run.id, Event(at=NOW, epoch=run.epoch, what="proved"))
    return journal.end(run.id, run.epoch, state, NOW, Said())


def _find_done(journal: SqlJournal, run: Run, until: str = "") -> None:
    begun = {attempt.step for attempt in journal.attempts(run.id)}
    for name, moves in _outline(journal, run).stages:
        if name == until:
            return
        for move in moves:
            for step in move.steps(Part.STEPS):
                if step not in begun:
                    journal.found_done(run.id, run.epoch, step, NOW, {})


def _outline(journal: SqlJournal, run: Run) -> Outline:
    outline = outline_of(run.plan)
    assert outline is not None
    for event in journal.events(run.id):
        outline = outline.with_caught_up(event)
    return outline
