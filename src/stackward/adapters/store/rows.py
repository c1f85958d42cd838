"""Runs, attempts and events as rows, and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from stackward.masking import masked_in
from stackward.model.run import Approval, Attempt, Event, Run, RunState, Said, Settled, Turn


def stamp(at: datetime | None) -> str | None:
    """Return a time as text that sorts."""
    return at.isoformat(timespec="microseconds") if at else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def at_of(text: str) -> datetime:
    """Return the time of a text."""
    return datetime.fromisoformat(text)


def text_of(value: object) -> str:
    """Return a JSON value as text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def words_of(value: object) -> str:
    """Return as text what may have words of others; here, at last, a secret in it is masked."""
    return text_of(masked_in(value))


def said_text(said: Said) -> str:
    """Return as text what was said; what was not said is left out."""
    return words_of({name: value for name, value in asdict(said).items() if value})


def _said(text: str) -> Said:
    stored = json.loads(text)
    return Said(**{**stored, "details": tuple(stored.get("details", ()))})


def run_row(run: Run) -> dict[str, Any]:
    """Return a new run as a row."""
    return {
        "id": run.id,
        "title": run.title,
        "plan": run.plan,
        "approval": text_of({**asdict(run.approval), "at": stamp(run.approval.at)}),
        "holds": text_of(list(run.holds)),
        "state": run.state.value,
        "epoch": run.epoch,
        "ending": said_text(run.ending),
        "progress": text_of(run.progress),
        "for_workers": run.for_workers,
        "cloud": run.cloud,
        "chain": run.chain,
        "item": run.item or None,
        "comes_to": text_of(list(run.comes_to)) if run.comes_to else None,
        "part": run.part,
        "passes_on": run.passes_on,
        **turn_row(run.turn),
    }


def turn_row(turn: Turn | None) -> dict[str, Any]:
    """Return when a run may begin as a part of its row."""
    return {
        "due_at": stamp(turn.at) if turn else None,
        "due_by": stamp(turn.by) if turn else None,
        "until": stamp(turn.until) if turn else None,
        "turn_asked": turn.asked if turn else None,
    }


def _turn(fields: Mapping[str, Any]) -> Turn | None:
    if (at := _time(fields.get("due_at"))) is None:
        return None
    by, until = _time(fields["due_by"]), _time(fields["until"])
    return Turn(at=at, by=by, until=until, asked=fields["turn_asked"])


def to_run(fields: Mapping[str, Any]) -> Run:
    """Return the run of a row."""
    approval = json.loads(fields["approval"])
    return Run(
        id=fields["id"],
        title=fields["title"],
        plan=fields["plan"],
        approval=Approval(by=approval["by"], at=at_of(approval["at"]), how=approval["how"]),
        holds=tuple(json.loads(fields["holds"])),
        state=RunState(fields["state"]),
        epoch=fields["epoch"],
        worker=fields["worker"],
        beat_at=_time(fields["beat_at"]),
        began_at=_time(fields["began_at"]),
        ended_at=_time(fields["ended_at"]),
        ending=_said(fields["ending"]),
        cancel_asked_by=fields["cancel_asked_by"],
        progress=json.loads(fields["progress"]),
        # A file of an older version is listed as it is; the next write brings it up to date.
        for_workers=bool(fields.get("for_workers", False)),
        deaths=fields.get("deaths", 0),
        cloud=fields.get("cloud"),
        undone_by=fields["undone_by"],
        turn=_turn(fields),
        chain=fields.get("chain"),
        item=fields.get("item") or "",
        comes_to=tuple(json.loads(fields.get("comes_to") or "[]")),
        part=fields.get("part") or 0,
        passes_on=bool(fields.get("passes_on", False)),
    )


def attempt_row(run_id: str, attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as a row."""
    return {
        "run_id": run_id,
        "step": attempt.step,
        "number": attempt.number,
        "epoch": attempt.epoch,
        "mark": words_of(attempt.mark),
        "intended_at": stamp(attempt.intended_at),
        "answered_at": stamp(attempt.answered_at),
        "settled_at": stamp(attempt.settled_at),
        "settled": attempt.settled,
        "said": said_text(attempt.said),
        "saw": words_of(attempt.saw),
    }


def to_attempt(fields: Mapping[str, Any]) -> Attempt:
    """Return the attempt of a row."""
    return Attempt(
        step=fields["step"],
        number=fields["number"],
        epoch=fields["epoch"],
        mark=json.loads(fields["mark"]),
        intended_at=at_of(fields["intended_at"]),
        answered_at=_time(fields["answered_at"]),
        settled_at=_time(fields["settled_at"]),
        settled=Settled(fields["settled"]) if fields["settled"] else None,
        said=_said(fields["said"]),
        saw=json.loads(fields["saw"]),
    )


def to_event(fields: Mapping[str, Any]) -> Event:
    """Return the event of a row."""
    return Event(
        number=fields["number"],
        at=at_of(fields["at"]),
        epoch=fields["epoch"],
        what=fields["what"],
        thing=fields["thing"],
        step=fields["step"],
        says=json.loads(fields["says"]),
    )
