"""Times in the words of tools stay as the tool wrote them; ours are read in local time."""

import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from typing_extensions import override

from builders import a_node, a_server, an_id, asking
from fakes.nodes import NO_ROUTE
from fakes.site import Site
from stackward.errors import StackwardError
from stackward.model.health import Finding, Gap, Health, Kept, Note
from stackward.model.run import Approval, Attempt, Event, Run, RunState, Said, Settled
from stackward.model.values import Json
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.plan import Blocked, Warned, to_json
from stackward.report.audit import audit_records, audit_table
from stackward.report.errors import render_error
from stackward.report.following import Follower, Story
from stackward.report.health import changes, lines_of
from stackward.report.names import Names
from stackward.report.plans import refusal, render_plan
from stackward.report.proofs import render_proofs
from stackward.report.runs import steps_table
from stackward.report.tables import Form, Table, render_rows
from stackward.report.times import Words
from stackward.wording import in_utc

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OURS = datetime(2026, 11, 27, 0, 10, 5, tzinfo=UTC)
TOOLS = (
    "2026-11-26T00:10:05Z",  # containerd, etcd, Redfish
    "2026-11-26T00:10:05.123456+00:00",  # rsyslog
    "2026-11-26T00:10:05.5Z",
    "2026-11-26 00:10:05 UTC",  # PostgreSQL
)
TEXT = f"it says: since {', '.join(TOOLS)}; not seen since {in_utc(OURS)}"

PLAN = plan_drain(a_node(a_server()), asking(when_slow="abort"))
MOVE = f"move/{an_id('db-01')}"
RUN = Run(
    id="01M8",
    title=PLAN.title,
    plan=to_json(PLAN),
    approval=Approval(by="ann", at=NOON, how="--yes"),
    state=RunState.RUNNING,
)


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the operator be in Berlin."""
    before = os.environ.get("TZ", "UTC")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.setenv("TZ", before)
    time.tzset()


class Terminal(io.StringIO):
    """Whoever writes there believes that a person looks on."""

    @override
    def isatty(self) -> bool:
        return True


def a_look() -> Health:
    """Return a look at a cloud of which one node does not answer."""
    site = Site()
    site.nodes.told["c01"] = NO_ROUTE
    return site.look()


def with_finding(change: Callable[[Finding], Finding] = lambda finding: finding) -> Health:
    """Return the same with its first finding only, changed."""
    health = a_look()
    [root, *_] = health.findings
    components = tuple(
        replace(one, findings=tuple(change(each) for each in one.findings if each == root))
        for one in health.components
    )
    return replace(health, components=components, gaps=(), notes=())


def with_reason() -> Health:
    return with_finding(lambda finding: replace(finding, reason=TEXT))


def with_remedy() -> Health:
    return with_finding(lambda finding: replace(finding, remedy=TEXT))


def of(health: Health) -> str:
    return "\n".join(lines_of(health))


def a_finding_under_another() -> str:
    health = with_finding()
    [component] = [one for one in health.components if one.findings]
    [root] = component.findings
    under = replace(root, component="nova", under=root.where, reason=TEXT)
    others = [one for one in health.components if one != component]
    both = replace(component, findings=(root, under))
    return of(replace(health, components=(both, *others)))


def a_gap() -> str:
    gap = Gap(kind=Kept.RIGHTS, component="nova", where="c01", what="the log", why=TEXT)
    return of(replace(with_finding(), gaps=(gap,)))


def an_event(what: str, **says: str) -> Event:
    return Event(at=NOON, epoch=1, what=what, step="", thing="c01", says=says)


def the_picture_of_a_run() -> str:
    out = Terminal()
    progress: dict[str, Json] = {f"{MOVE}/0": {"standing": "underway", "reason": TEXT}}
    started = Event(
        at=NOON, epoch=1, what="intended", step=f"{MOVE}/0", says={"attempt": 1, "mark": {}}
    )
    with Follower(Story(PLAN), out) as shown:
        shown.show(replace(RUN, progress=progress), [started], NOON)
    return out.getvalue()


PLACES: dict[str, Callable[[], str]] = {
    "a finding's reason": lambda: of(with_reason()),
    "a finding's remedy": lambda: of(with_remedy()),
    "a finding that another explains": a_finding_under_another,
    "a finding that is new": lambda: "".join(changes(None, with_reason())),
    "a note": lambda: of(replace(with_finding(), notes=(Note(where="c01", says=TEXT),))),
    "a gap": a_gap,
    "an error's message": lambda: render_error(StackwardError(TEXT)),
    "an error's details": lambda: render_error(StackwardError("no", details=[TEXT])),
    "how things stand after an error": lambda: render_error(StackwardError("no", stands=TEXT)),
    "an error's hint": lambda: render_error(StackwardError("no", hint=TEXT)),
    "a blocker": lambda: render_plan(replace(PLAN, blockers=(Blocked("c01", TEXT, "wait"),))),
    "a blocker's remedy": lambda: render_plan(replace(PLAN, blockers=(Blocked("c01", "", TEXT),))),
    "a refusal": lambda: render_error(
        refusal(replace(PLAN, blockers=(Blocked("c01", TEXT, "wait"),)))
    ),
    "a warning": lambda: render_plan(replace(PLAN, warnings=(Warned("c01", TEXT),))),
    "what users will notice": lambda: render_plan(replace(PLAN, notices=(TEXT,))),
    "a proof": lambda: "".join(render_proofs([("unverified", TEXT)])),
    "a line of a run": lambda: "".join(Story(PLAN).take([an_event("failed", reason=TEXT)])),
    "the words of a service in a run": lambda: "".join(
        Story(PLAN).take([an_event("failed", Nova=TEXT)])
    ),
    "a table": lambda: render_rows(Table(columns=("Says",), rows=((Words(TEXT),),)), Form.TABLE),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_tools_time_is_found_again_in_its_log_and_ours_is_local(place: str) -> None:
    shown = " ".join(PLACES[place]().split())

    assert [said for said in TOOLS if said not in shown] == []
    assert "not seen since 2026-11-27 01:10:05 CET" in shown
    assert "[UTC]" not in shown


def test_the_picture_of_a_run_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "400")

    shown = the_picture_of_a_run()

    assert f"it says: since {', '.join(TOOLS)}; not seen since 2026-11-27 01:10:05 CET" in shown


@pytest.mark.parametrize("form", [Form.JSON, Form.CSV, Form.VALUE, Form.YAML])
def test_programs_read_ours_in_utc_without_a_mark_that_no_parser_knows(form: Form) -> None:
    shown = render_rows(Table(columns=("Says",), rows=((Words(TEXT),),)), form)

    assert "not seen since 2026-11-27T00:10:05Z" in " ".join(shown.split())
    assert "[UTC]" not in shown


SAW: dict[str, Json] = {
    "says": TEXT,
    "down_since": "2026-11-27T00:10:05.123456+00:00",
    "mark": {"at": ["2026-11-27T00:10:05Z"]},
}


def an_attempt() -> Attempt:
    return Attempt(
        step="s", number=1, epoch=1, mark={}, intended_at=NOON, settled_at=NOON,
        settled=Settled.FAILED, said=Said(reason=TEXT), saw=SAW,
    )  # fmt: skip


def steps_of_the_run() -> str:
    return render_rows(steps_table([an_attempt()], RUN, Names()), Form.TABLE)


def audit_of_the_run() -> str:
    return render_rows(audit_table(audit_records(RUN, None, [an_attempt()], [])), Form.TABLE)


@pytest.mark.parametrize("show", [steps_of_the_run, audit_of_the_run])
def test_an_attempt_is_shown_so_too(show: Callable[[], str]) -> None:
    shown = " ".join(show().split())

    assert f"it says: since {', '.join(TOOLS)}; not seen since 2026-11-27 01:10:05 CET" in shown
    assert "[UTC]" not in shown


def test_a_value_that_is_a_time_is_local_in_the_audit() -> None:
    """It stands alone, so it is no part of what a tool said."""
    shown = audit_of_the_run()

    assert "down_since: 2026-11-27 01:10:05 CET" in shown
    assert "before: at 2026-11-27 01:10:05 CET" in shown
