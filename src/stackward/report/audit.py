"""The record of a run for accounting: who, what, by which request, what was read.

The fields of an exported record are a contract: they are added to, never renamed. Times are ISO
8601 in UTC; what is not known is null.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from stackward.masking import masked_in
from stackward.model.run import Attempt, Event, Run
from stackward.plan import ASKED_BY, Move, Plan, Step
from stackward.report.gone import GONE, how_it_went, is_gone
from stackward.report.names import Names, steps_of
from stackward.report.proofs import PROOFS
from stackward.report.runs import told
from stackward.report.tables import Table
from stackward.report.text import printable
from stackward.report.times import Words, for_programs, local, time_in, utc

FIELDS: Mapping[str, Mapping[str, str]] = {
    "run": {
        "title": "what the run should do",
        "kind": "the kind of the request",
        "request": "what was asked for, with every flag",
        "state": "the state of the run",
        "reason": "why it did not succeed",
        "asked_by": "who requested the plan; null for plans of older versions",
        "holds": "the nodes that it needed for itself",
        "began_at": "when a worker first started it",
        "ended_at": "when it ended, or stopped",
        "undoes": "the run that it undoes",
        "undone_by": "the run that undid it",
    },
    "approval": {
        "at": "when",
        "by": "who approved the plan",
        "how": "`prompt`, or `--yes`",
        "warnings": "the warnings that were approved with the plan, one text each",
    },
    "attempt": {
        "at": "when it was intended; this is written before any request",
        "step": "its path: stage, thing, number; `slow-`, `instead-`, `failed-` before the number "
        "of one that is no ordinary one",
        "kind": "the kind of the step; null where this version cannot read the plan",
        "what": "the step in words, with the id of its server where another one has that name",
        "thing": "what it is for",
        "thing_id": "the same by its id",
        "number": "which attempt at the step",
        "epoch": "the number of the worker of the run that made it: 1 is the first",
        "answered_at": "when the service accepted the request",
        "settled_at": "when a look at the world showed how it ended",
        "state": "`done`, `failed`, `foreign`, `unsent`, `lost`, `moot`; `gone`: its server was "
        "deleted, or others have moved it; null: in progress",
        "request_ids": "the ids of its requests, as in the logs of the services",
        "reason": "why it ended so, in our words",
        "service": "who said the next",
        "says": "in that service's words",
        "mark": "what was newest in the world just before; null: it was found done already",
        "saw": "what was read at the look that settled it: of a move, every row of its proof",
    },
    "proof": {
        "at": "when",
        "number": "the event's",
        "epoch": "as above",
        "outcome": "`proved`, `not applicable`, `found otherwise`, `unverified`",
        "text": "the statement; where it does not hold, what was read instead",
        "read": "by what it holds; null where it does not, and in runs of older versions",
    },
    "event": {
        "at": "when",
        "number": "the event's; they only grow",
        "epoch": "as above",
        "what": "what happened: `taken up`, `cancel asked`, `waiting`, `is slow`, `undone`, ...",
        "thing": "what it is about",
        "step": "the path of the step, or of the move",
        "about": "the same in words; null: the run",
        "says": "what is known of it: `by`, `worker`, `reason`, ...",
    },
}
"""Each kind of record, and its fields after `record` and `run`, with what they mean."""

_OF_ATTEMPTS = {"intended", "answered", "found done"}


def audit_records(
    run: Run, plan: Plan[Any] | None, attempts: Sequence[Attempt], events: Sequence[Event]
) -> list[dict[str, Any]]:
    """Return every record of a run, in the order of time; for a step without a plan, its subject.

    What is secret was masked when it was written; a journal of an older version is masked here.
    """
    steps = dict(steps_of(plan)) if plan else {}
    names = Names.of_run(run, plan, events)
    begun = [_run(run, plan), _approval(run, plan)]
    rest = [_attempt(each, steps.get(each.step), names) for each in attempts]
    rest += [_proof(each) for each in events if each.what in PROOFS]
    rest += [_event(each, names) for each in events if not _is_told(each)]
    rest.sort(key=lambda record: str(record["at"]))
    return [{"record": each["record"], "run": run.id, **_masked(each)} for each in (*begun, *rest)]


def render_audit(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the records as JSON, one a line."""
    return "".join(json.dumps(for_programs(each), ensure_ascii=False) + "\n" for each in records)


def audit_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """Return a row per attempt, proof and other event, for people."""
    return Table(
        columns=("At", "Record", "What", "State", "Requests", "Read"),
        rows=tuple(_row(each) for each in records if each["record"] not in {"run", "approval"}),
        gives_way=("Record",),
        goes_last=("Requests",),
    )


def who_is_who(records: Sequence[Mapping[str, Any]]) -> str:
    """Return two lines: the run, and who asked for it and approved it."""
    run, approval = records[0], records[1]
    asked = run["asked_by"] or "somebody who is not on record"
    return printable(
        f"asked for by {asked}; approved by {approval['by']} at {_for_people(approval['at'])} "
        f"({approval['how']})"
    )


def _row(record: Mapping[str, Any]) -> tuple[Any, ...]:
    at, kind = time_in(record["at"]), record["record"]
    if kind == "attempt":
        what = f"{record['what']}{f', attempt {n}' if (n := record['number']) > 1 else ''}"
        reason = record["reason"] and Words(record["reason"])
        words = [word for word in (reason, record["says"]) if word]
        read = (*words, *told(record["saw"]))
        return (at, kind, what, record["state"] or "under way", tuple(record["request_ids"]), read)
    if kind == "proof":
        read = (Words(record["read"]),) if record["read"] else ()
        return (at, kind, Words(record["text"] or ""), record["outcome"], (), read)
    about = record["about"]
    what = f"{about}: {record['what']}" if about else record["what"]
    return (at, kind, what, None, (), told(record["says"]))


def _for_people(written: str) -> str:
    at = time_in(written)
    return local(at) if at else written


def _masked(record: Mapping[str, Any]) -> dict[str, Any]:
    masked = masked_in({name: record[name] for name in FIELDS[record["record"]]})
    assert isinstance(masked, dict)  # noqa: S101  # a mapping stays one
    return masked


def _run(run: Run, plan: Plan[Any] | None) -> dict[str, Any]:
    stored = json.loads(run.plan)
    asked_by = stored.get("facts", {}).get(ASKED_BY)
    return {
        "record": "run",
        "title": run.title,
        "kind": stored["request"]["kind"],
        "request": {name: one for name, one in stored["request"].items() if name != "kind"},
        "state": run.state.value,
        "reason": run.ending.reason,
        "asked_by": asked_by,
        "holds": list(run.holds),
        "began_at": _at(run.began_at),
        "ended_at": _at(run.ended_at),
        "undoes": plan.undoes if plan else stored.get("undoes"),
        "undone_by": run.undone_by,
    }


def _approval(run: Run, plan: Plan[Any] | None) -> dict[str, Any]:
    return {
        "record": "approval",
        "at": _at(run.approval.at),
        "by": run.approval.by,
        "how": run.approval.how,
        "warnings": [f"{each.thing} {each.reason}" for each in plan.warnings] if plan else None,
    }


def _attempt(
    attempt: Attempt, known: tuple[Move[Any], Step[Any]] | None, names: Names
) -> dict[str, Any]:
    said = attempt.said
    return {
        "record": "attempt",
        "at": _at(attempt.intended_at),
        "step": attempt.step,
        "kind": known[1].kind if known else None,
        "what": names.of_step(attempt.step),
        "thing": known[0].thing if known else None,
        "thing_id": known[0].thing_id or None if known else None,
        "number": attempt.number,
        "epoch": attempt.epoch,
        "answered_at": _at(attempt.answered_at),
        "settled_at": _at(attempt.settled_at),
        "state": GONE if is_gone(attempt.saw) else attempt.settled and attempt.settled.value,
        "request_ids": said.request_id.split(", ") if said.request_id else [],
        "reason": said.reason or (how_it_went(attempt.saw) if is_gone(attempt.saw) else None),
        "service": said.service,
        "says": said.says,
        "mark": attempt.mark,
        "saw": attempt.saw,
    }


def _proof(event: Event) -> dict[str, Any]:
    return {
        "record": "proof",
        "at": _at(event.at),
        "number": event.number,
        "epoch": event.epoch,
        "outcome": event.what,
        "text": event.says.get("reason"),
        "read": event.says.get("read"),
    }


def _event(event: Event, names: Names) -> dict[str, Any]:
    return {
        "record": "event",
        "at": _at(event.at),
        "number": event.number,
        "epoch": event.epoch,
        "what": event.what,
        "thing": event.thing or None,
        "step": event.step or None,
        "about": names.of_event(event) or None,
        "says": event.says,
    }


def _is_told(event: Event) -> bool:
    """Say whether another record says the same."""
    is_of_attempt = event.what in _OF_ATTEMPTS or event.what.startswith("settled: ")
    return is_of_attempt or event.what in {*PROOFS, "approved"}


def _at(at: datetime | None) -> str | None:
    return utc(at) if at else None
