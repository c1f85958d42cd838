"""Chains: runs that follow each other under one approval; stopped, killed, taken over."""

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from engine.chains import (
    KINDS,
    OPERATIONS,
    SMALL,
    THREE,
    TIDY,
    UNHURRIED,
    WHOLE,
    Place,
    TidyYard,
    chain_of_three,
)
from engine.fakes import YardWorld
from killing import Fate, killed
from postgres import Server
from stackward.adapters.store.kept import open_histories
from stackward.engine.approval import BegunBy
from stackward.engine.invariants import broken_in
from stackward.engine.pace import Pace
from stackward.errors import Locked, Refused, Superseded
from stackward.lab.waiting import wait_until
from stackward.model.claim import Claim
from stackward.model.health import Unwell
from stackward.model.run import Attempt, Run, RunState, Said, Turn, last_attempts
from stackward.plan import APART, DOMAIN, Blocked, Move, Plan, from_json
from stackward.ports.children import InItem
from stackward.report.chains import chain_table

WITHIN_S = 60.0  # a guard against hanging, not a measure
BOTH = pytest.mark.parametrize(
    "place",
    [pytest.param("sqlite", id="sqlite"), pytest.param("postgresql", id="postgresql")],
    indirect=True,
)
WELL = {each: ["succeeded"] for each in THREE}


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    is_on_postgres = getattr(request, "param", "sqlite") == "postgresql"
    url = request.getfixturevalue("postgres").emptied_database() if is_on_postgres else ""
    place = Place(tmp_path, database=url)
    yield place
    with open_histories(url or f"sqlite:///{tmp_path}/journal.sqlite") as kept:
        broken = [(each.invariant.name, each.found) for one in kept for each in broken_in(one)]
    place.close()
    assert not broken


@BOTH
def test_each_item_is_an_ordinary_run_and_they_follow_each_other(place: Place) -> None:
    run = place.approved()

    ended = place.carry_out(run)

    children = [each for [each] in place.children(run).values()]
    assert (ended.state, place.states(run)) == (RunState.SUCCEEDED, WELL)
    assert [place.changes(each) for each in THREE] == [WHOLE] * 3
    assert [each.holds for each in children] == [("y1",), ("y2",), ("y3",)]
    ends = [each.ended_at for each in children]
    assert all(
        a and b.began_at and a <= b.began_at for a, b in zip(ends, children[1:], strict=False)
    )


def test_all_is_under_one_approval(place: Place) -> None:
    run = place.approved()

    place.carry_out(run)

    approvals = {(each.approval.by, each.approval.how) for [each] in place.children(run).values()}
    assert approvals == {("ann", f"chain {run.id}")}


def test_a_chain_holds_nothing_of_what_is_still_to_come(place: Place) -> None:
    run = place.approved()

    alone = place.approved_alone("y2")

    assert (run.holds, run.comes_to, alone.holds) == ((), THREE, ("y2",))


def test_who_plans_for_a_node_that_is_to_come_is_shown_the_chain_that_waits(place: Place) -> None:
    begins = place.now + timedelta(hours=1)
    turn = Turn(at=begins, by=begins + timedelta(hours=1), asked="--at 01:00")
    run = place.approved(for_workers=True, turn=turn)

    assert [each.id for each in place.journal.waiting(["y3"])] == [run.id]


def test_the_first_that_does_not_end_well_stops_the_chain(place: Place) -> None:
    place.yard("y2").set(fails=["b"])
    run = place.approved()

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (
        RunState.STOPPED,
        {"y1": ["succeeded"], "y2": ["stopped"]},
    )
    assert f"run `{place.children(run)['y2'][0].id}` is stopped" in (ended.ending.reason or "")
    assert place.changes("y3") == []


def test_resumed_it_goes_on_with_the_run_that_failed(place: Place) -> None:
    place.yard("y2").set(fails=["b"])
    run = place.approved()
    place.carry_out(run)
    place.yard("y2").set(fails=[])

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (RunState.SUCCEEDED, WELL)
    assert place.changes("y1") == WHOLE
    assert place.changes("y2") == ["carry a", "seal a", "carry b", "carry b", "seal b"]


def test_a_run_that_was_over_is_planned_anew_when_the_chain_is_resumed(place: Place) -> None:
    run = place.approved()
    place.yard("y2").set(haunted=True)
    assert place.carry_out(run).state is RunState.STOPPED
    place.yard("y2").set(haunted=False)

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (
        RunState.SUCCEEDED,
        {**WELL, "y2": ["failed", "succeeded"]},
    )
    assert place.changes("y2") == WHOLE


def test_what_was_brought_to_its_end_by_hand_is_found_done(place: Place) -> None:
    place.yard("y2").set(fails=["b"])
    run = place.approved()
    place.carry_out(run)
    place.yard("y2").set(fails=[])
    place.carry_out(place.children(run)["y2"][0])

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (RunState.SUCCEEDED, WELL)


def test_nothing_follows_a_canary_that_does_not_end_well(place: Place) -> None:
    place.yard("y1").set(fails=["a"])
    run = place.approved(canary=1, at_once=3)

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (RunState.STOPPED, {"y1": ["stopped"]})


def test_all_others_follow_a_canary_that_has_ended_well(place: Place) -> None:
    run = place.approved(canary=1, at_once=2)

    ended = place.carry_out(run)

    [first], [second], [third] = (place.children(run)[each] for each in THREE)
    assert ended.state is RunState.SUCCEEDED
    begun = [each.began_at for each in (second, third) if each.began_at]
    assert all(first.ended_at <= at for at in begun if first.ended_at)
    assert len(begun) == 2


def test_no_more_go_on_at_once_than_were_approved(tmp_path: Path) -> None:
    yards = tuple(f"y{number}" for number in range(6))
    place = Place(tmp_path, yards=yards)
    place.yard("y0").set(standing=["a"])
    run = place.approved(at_once=2)
    thread, ended = carried_out_aside(place, run)
    assert wait_until(lambda: "y1" in place.states(run), within_s=WITHIN_S, every_s=0.005)

    place.yard("y0").set(standing=[])
    thread.join(WITHIN_S)

    spans = [(each.began_at, each.ended_at) for each in place.journal.children(run.id)]
    together = [sum(a <= at < b for a, b in spans if a and b) for at, _ in spans if at]
    place.close()
    assert (ended[0].state, max(together)) == (RunState.SUCCEEDED, 2)


def overlapping(place: Place, run: Run) -> set[frozenset[str]]:
    """Return the pairs of items whose runs were begun and not over at the same time."""
    runs = place.journal.children(run.id)
    return {
        frozenset((one.item, other.item))
        for one in runs
        for other in runs
        if one.item != other.item
        and one.began_at
        and other.began_at
        and other.ended_at
        and one.began_at < other.ended_at
        and (one.ended_at is None or other.began_at < one.ended_at)
    }


FIVE = ("y1", "y2", "y3", "y4", "y5")
RACKS = {"y1": "a", "y2": "b", "y3": "a", "y4": "b", "y5": "a"}


def in_racks(place: Place, *apart: str) -> None:
    """Put the yards in two failure domains; the first of one never goes on beside these."""
    for yard in place.yards:
        place.yard(yard).set(**{**SMALL, DOMAIN: RACKS[yard]})
    if apart:
        place.yard("y1").set(**{APART: list(apart)})


def test_one_failure_domain_after_another_and_never_two_that_a_group_keeps_apart(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path, yards=FIVE)
    in_racks(place, "y3")
    place.yard("y2").set(standing=["a"])
    run = place.approved(at_once=2)
    thread, ended = carried_out_aside(place, run)
    assert wait_until(lambda: "y4" in place.states(run), within_s=WITHIN_S, every_s=0.005)

    place.yard("y2").set(standing=[])
    thread.join(WITHIN_S)

    pairs, states = overlapping(place, run), place.states(run)
    place.close()
    assert (ended[0].state, states) == (RunState.SUCCEEDED, {each: ["succeeded"] for each in FIVE})
    assert pairs <= {frozenset(("y1", "y5")), frozenset(("y3", "y5")), frozenset(("y2", "y4"))}
    assert frozenset(("y2", "y4")) in pairs


def test_one_that_others_had_in_its_turn_is_late_and_waits_for_the_other_domain(
    tmp_path: Path,
) -> None:
    """It is free again while the second domain goes on: it does not begin beside that."""
    place = Place(tmp_path, yards=FIVE)
    in_racks(place)
    place.yard("y4").set(fails=["a"])
    run = place.approved(at_once=2)
    other = place.approved_alone("y3")
    stopped, states = place.carry_out(run), place.states(run)
    place.cancel(other)
    place.yard("y4").set(standing=["a"], fails=[])
    thread, ended = carried_out_aside(place, run)
    assert wait_until(
        lambda: place.states(run).get("y4") == ["running"], within_s=WITHIN_S, every_s=0.005
    )
    beside = place.states(run)

    place.yard("y4").set(standing=[])
    thread.join(WITHIN_S)

    [late], [second] = place.children(run)["y3"], place.children(run)["y4"]
    whole = place.states(run)
    place.close()
    assert (stopped.state, "y3" in states) == (RunState.STOPPED, False)
    assert states["y4"] == ["stopped"]
    assert "y3" not in beside
    assert (ended[0].state, whole) == (
        RunState.SUCCEEDED,
        {each: ["succeeded"] for each in FIVE},
    )
    assert second.ended_at
    assert late.began_at
    assert second.ended_at <= late.began_at


@dataclass
class LongPlanned:
    """Plans how a yard is tidied; one of them only once it is let go."""

    yard: str
    is_asked: threading.Event = field(default_factory=threading.Event)
    is_let_go: threading.Event = field(default_factory=threading.Event)

    def plan(self, world: YardWorld, request: TidyYard, run_id: str | None) -> Plan[YardWorld]:
        if request.yard == self.yard and run_id is None:
            self.is_asked.set()
            assert self.is_let_go.wait(WITHIN_S)
        return TIDY.plan(world, request, run_id)

    def judge(self, world: YardWorld, request: TidyYard, move: Move[YardWorld]) -> Blocked | None:
        return TIDY.judge(world, request, move)


def test_while_one_run_is_planned_the_others_end_and_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = replace(UNHURRIED, straggler_s=9 * WITHIN_S)  # whoever waits for planning is too late
    place = Place(tmp_path, yards=(*THREE, "y4"), pace=hours)
    place.yard("y2").set(standing=["a"])
    run = place.approved(at_once=2)
    long = LongPlanned("y3")
    monkeypatch.setitem(OPERATIONS, "tidy-yard", long)
    thread, ended = carried_out_aside(place, run)
    assert long.is_asked.wait(WITHIN_S)

    place.yard("y2").set(standing=[])

    well = {"y1": ["succeeded"], "y2": ["succeeded"], "y4": ["succeeded"]}
    assert wait_until(lambda: place.states(run) == well, within_s=WITHIN_S)
    long.is_let_go.set()
    thread.join(WITHIN_S)
    states = place.states(run)
    place.close()
    assert (ended[0].state, states) == (RunState.SUCCEEDED, {**well, "y3": ["succeeded"]})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"fragile": ["a"]}, "`a` has a new warning: is fragile", id="a warning"),
        pytest.param({"heavy": ["a"]}, "`a` is heavy (lift it)", id="a blocker"),
        pytest.param({"gate": "shut"}, "gate: was open, is shut", id="a decision"),
    ],
)
def test_what_is_new_stops_and_asks(place: Place, change: dict[str, object], says: str) -> None:
    run = place.approved()
    place.yard("y2").set(**change)

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (RunState.STOPPED, {"y1": ["succeeded"]})
    assert says in ended.ending.details
    assert place.changes("y2") == []


def test_a_warning_that_was_approved_passes(place: Place) -> None:
    place.yard("y2").set(fragile=["a"])
    run = place.approved()

    assert place.carry_out(run).state is RunState.SUCCEEDED


def test_what_is_new_and_moves_without_a_warning_passes(place: Place) -> None:
    run = place.approved()
    place.yard("y2").set(boxes={"a": "old", "b": "old", "c": "old"})

    ended = place.carry_out(run)

    assert (ended.state, "carry c" in place.changes("y2")) == (RunState.SUCCEEDED, True)


def test_a_node_that_others_have_at_its_turn_is_not_done_and_named(place: Place) -> None:
    run = place.approved()
    other = place.approved_alone("y2")

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (
        RunState.STOPPED,
        {"y1": ["succeeded"], "y3": ["succeeded"]},
    )
    assert (ended.ending.reason or "").startswith(f"`y2` is held by run `{other.id}`")


def test_resumed_a_chain_does_what_others_had_by_then(place: Place) -> None:
    run = place.approved()
    other = place.approved_alone("y2")
    place.carry_out(run)
    place.cancel(other)

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (RunState.SUCCEEDED, WELL)
    assert place.changes("y2") == WHOLE


def test_a_node_that_is_gone_at_its_turn_stops_the_chain(place: Place) -> None:
    run = place.approved()
    (place.place / "y2").unlink()

    ended = place.carry_out(run)

    assert (ended.state, ended.ending.reason) == (RunState.STOPPED, "there is no yard `y2`")
    assert place.states(run) == {"y1": ["succeeded"]}


def carried_out_aside(place: Place, run: Run) -> tuple[threading.Thread, list[Run]]:
    ended: list[Run] = []
    thread = threading.Thread(target=lambda: ended.append(place.carry_out(run)))
    thread.start()
    return thread, ended


def wait_for_first(place: Place, run: Run) -> Run:
    """Wait until the run of the first item is carried out; it goes on until it is let go."""

    def is_going() -> bool:
        child = place.journal.child(run.id)
        return child is not None and "intended" in place.told(child)

    assert wait_until(is_going, within_s=WITHIN_S, every_s=0.005)
    child = place.journal.child(run.id)
    assert child is not None
    return child


def test_a_run_that_somebody_else_cancels_stops_the_chain_which_says_by_whom(place: Place) -> None:
    place.yard("y1").set(standing=["a"])
    run = place.approved()
    thread, ended = carried_out_aside(place, run)
    child = wait_for_first(place, run)

    place.cancel(child, by="carol")
    place.yard("y1").set(standing=[])
    thread.join(WITHIN_S)

    assert (ended[0].state, place.states(run)) == (RunState.STOPPED, {"y1": ["cancelled"]})
    assert f"run `{child.id}` was cancelled by carol" in (ended[0].ending.reason or "")


def test_cancelled_a_chain_ends_between_its_runs(place: Place) -> None:
    place.yard("y1").set(standing=["a"])
    run = place.approved()
    thread, ended = carried_out_aside(place, run)
    wait_for_first(place, run)

    place.cancel(run, by="bob")
    place.yard("y1").set(standing=[])
    thread.join(WITHIN_S)

    assert (ended[0].state, place.states(run)) == (RunState.CANCELLED, {"y1": ["succeeded"]})
    assert (ended[0].ending.reason, place.changes("y1")) == ("cancelled by bob", WHOLE)


def test_interrupted_a_chain_is_resumed_where_it_was(place: Place) -> None:
    place.yard("y1").set(standing=["a"])
    run = place.approved()
    thread, ended = carried_out_aside(place, run)
    wait_for_first(place, run)
    place.brakes.press()
    place.yard("y1").set(standing=[])
    thread.join(WITHIN_S)
    assert (ended[0].state, place.states(run)) == (RunState.STOPPED, {"y1": ["stopped"]})

    again = Place(place.place, database=place.database)
    whole = again.carry_out(run)

    assert (whole.state, again.states(run)) == (RunState.SUCCEEDED, WELL)
    assert [again.changes(each) for each in THREE] == [WHOLE] * 3
    again.close()


def test_a_worker_that_has_lost_the_chain_begins_no_run_of_it(place: Place) -> None:
    run = place.approved()
    former = place.journal.take_up(run.id, "former", place.now)
    place.journal.take_up(run.id, "other", place.now)
    child = place.approved_alone("y1")
    place.cancel(child)

    with pytest.raises(Superseded, match="has taken the chain"):
        place.approved_in(former, "y2")

    assert place.journal.children(run.id) == []
    place.cancel(run)
    place.journal.end(run.id, former.epoch + 1, RunState.CANCELLED, place.now, former.ending)


def stands(place: Place, run: Run) -> object:
    return (
        run.state,
        place.states(run),
        [place.changes(each) for each in THREE],
        len(place.journal.children(run.id)),
    )


ALL_WELL = (RunState.SUCCEEDED, WELL, [["carry a", "seal a"]] * 3, 3)


def test_a_chain_of_three_killed_at_any_write_goes_on_and_does_nothing_twice(
    tmp_path: Path,
) -> None:
    points = killed(chain_of_three(ends=ALL_WELL, stands=stands), tmp_path, every=2)

    assert sum(each.startswith("after add") for each in points) == 3
    assert len([each for each in points if each.startswith("after carry")]) == 3


def test_a_chain_that_goes_on_at_once_killed_at_any_write_does_nothing_twice(
    tmp_path: Path,
) -> None:
    killed(chain_of_three(ends=ALL_WELL, stands=stands, at_once=3), tmp_path, every=9, first=2)


def test_a_chain_is_killed_on_postgresql_too(tmp_path: Path, postgres: Server) -> None:
    operation = chain_of_three(ends=ALL_WELL, stands=stands, database=postgres.emptied_database)

    killed(operation, tmp_path, every=15)


def test_two_chains_of_two_operators_do_nothing_twice(place: Place) -> None:
    one, other = place.approved("y1", "y2"), place.approved("y2", "y3")
    thread, ended = carried_out_aside(place, one)
    second = place.carry_out(other)
    thread.join(WITHIN_S)

    for run in (one, other):
        if place.journal.run(run.id).state is RunState.STOPPED:
            place.carry_out(run)

    assert {place.journal.run(run.id).state for run in (one, other)} == {RunState.SUCCEEDED}
    assert [place.changes(each) for each in THREE] == [WHOLE] * 3
    assert {ended[0].state, second.state} <= {RunState.SUCCEEDED, RunState.STOPPED}


# --- between two items the whole is looked at ----------------------------------------------------

ILL = Unwell(where="rabbitmq on ctl", reason="it does not run [process-down]", remedy="start it")
UNSEEN = replace(ILL, reason="no answer in time", is_known=False)
SHORT = replace(UNHURRIED, verify_s=0.05, patience_s=0.05)


def ill_after(place: Place, yard: str, ill: Unwell, of: str = "") -> None:
    """Let the whole be ill as soon as a yard is done; or a yard of it."""

    def fall_ill() -> None:
        if "seal b" in place.changes(yard):
            place.ill[of] = ill

    place.before_look = fall_ill


@pytest.mark.parametrize("ill", [pytest.param(ILL, id="ill"), pytest.param(UNSEEN, id="unseen")])
def test_while_the_whole_is_not_well_nothing_more_begins_and_it_says_why(
    place: Place, ill: Unwell
) -> None:
    place.pace = SHORT
    ill_after(place, "y1", ill)
    run = place.approved(needs_well=True)

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (RunState.STOPPED, {"y1": ["succeeded"]})
    assert ill.says in (ended.ending.reason or "")
    assert ("is not well" in (ended.ending.reason or "")) == ill.is_known
    assert f"`stackward run resume {run.id}` continues" in " ".join(ended.ending.details)
    assert re.search(r"looked at it \d+ times, for \d+ s", " ".join(ended.ending.details))
    [waits] = [each for each in place.journal.events(run.id) if each.what == "waiting"]
    assert (waits.thing, ill.says in str(waits.says["reason"])) == ("y2", True)
    [row] = [row for row in chain_rows(place, run) if row["Item"] == "y2"]
    assert (row["State"], ill.says in str(row["Says"])) == ("not done", True)


def chain_rows(place: Place, run: Run) -> Sequence[Mapping[str, object]]:
    plan = from_json(run.plan, KINDS)
    return chain_table(plan, place.journal.attempts(run.id)).records()


def test_resumed_once_the_whole_is_well_it_goes_on(place: Place) -> None:
    place.pace = SHORT
    ill_after(place, "y1", ILL)
    run = place.approved(needs_well=True)
    place.carry_out(run)
    place.before_look = lambda: None
    place.ill.clear()

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (RunState.SUCCEEDED, WELL)
    assert place.new_in(ended) == []


def test_what_passes_is_waited_for(place: Place) -> None:
    passes = [None, None]

    def pass_by() -> None:
        place.ill = {"": ILL} if passes else {}
        del passes[:1]

    place.before_look = pass_by
    run = place.approved(needs_well=True)

    assert (place.carry_out(run).state, passes) == (RunState.SUCCEEDED, [])


def test_a_look_that_takes_all_the_time_there_is_is_not_the_only_one(place: Place) -> None:
    """One command of a busy broker that answers late ends no chain."""
    place.pace = SHORT
    looks = [None]

    def answer_late() -> None:
        place.ill = {"": UNSEEN} if looks else {}
        if looks:
            looks.pop()
            time.sleep(SHORT.patience_s)

    place.before_look = answer_late
    run = place.approved(needs_well=True)

    assert (place.carry_out(run).state, looks) == (RunState.SUCCEEDED, [])


def test_the_plan_says_for_how_long_a_cloud_that_is_not_well_is_looked_at(place: Place) -> None:
    notices = " ".join(from_json(place.approved(needs_well=True).plan, KINDS).notices)

    assert f"{Pace().verify_s:.0f} s, and {Pace().patience_s:.0f} s for an answer" in notices


def test_what_the_chain_itself_does_is_no_illness(tmp_path: Path) -> None:
    """A yard goes on and looks ill by that, while the next one begins."""
    place = Place(tmp_path, yards=THREE)
    place.pace = SHORT
    place.yard("y1").set(standing=["a"])
    run = place.approved(needs_well=True, at_once=2)
    ill_after(place, "y2", ILL, of="y1")
    thread, ended = carried_out_aside(place, run)
    begun = wait_until(
        lambda: place.states(run).get("y3") == ["succeeded"], within_s=WITHIN_S, every_s=0.005
    )

    place.before_look = lambda: None
    place.ill.clear()
    place.yard("y1").set(standing=[])
    thread.join(WITHIN_S)
    place.close()
    assert (begun, ended[0].state) == (True, RunState.SUCCEEDED)
    assert frozenset({"y1"}) in place.asked_but


def test_a_run_beside_it_is_finished_when_the_whole_is_no_longer_well(tmp_path: Path) -> None:
    place = Place(tmp_path, yards=THREE)
    place.pace = SHORT
    place.yard("y1").set(standing=["a"])
    ill_after(place, "y2", ILL)
    run = place.approved(needs_well=True, at_once=2)
    thread, ended = carried_out_aside(place, run)
    assert wait_until(lambda: "failed" in place.told(run), within_s=WITHIN_S, every_s=0.005)

    place.yard("y1").set(standing=[])
    thread.join(WITHIN_S)
    states = place.states(run)
    place.close()
    assert (ended[0].state, states) == (
        RunState.STOPPED,
        {"y1": ["succeeded"], "y2": ["succeeded"]},
    )


def test_where_nothing_can_look_at_the_whole_nothing_begins(place: Place) -> None:
    place.looks = False
    run = place.approved(needs_well=True)

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (RunState.STOPPED, {})
    assert "not known whether the cloud is well" in (ended.ending.reason or "")


def test_a_chain_that_does_not_need_it_looks_at_nothing(place: Place) -> None:
    assert place.carry_out(place.approved()).state is RunState.SUCCEEDED
    assert place.asked_but == []


def test_between_two_runs_of_an_item_nothing_is_looked_at(place: Place) -> None:
    run = place.approved("y1", "y2", then_shut=["y1", "y2"], needs_well=True)

    assert place.carry_out(run).state is RunState.SUCCEEDED
    assert place.asked_but == [frozenset(), frozenset()]


# --- items of several runs ----------------------------------------------------------------------

TWO = {**WELL, "y2": ["succeeded", "succeeded"]}


def holders(place: Place) -> dict[str, str]:
    with open_histories(place.url) as kept:
        return {hold.node: hold.run for one in kept for hold in one.holds}


@BOTH
def test_an_item_of_several_runs_has_one_after_the_other(place: Place) -> None:
    run = place.approved(then_shut=["y2"])

    ended = place.carry_out(run)

    [first, second] = place.children(run)["y2"]
    assert (ended.state, place.states(run)) == (RunState.SUCCEEDED, TWO)
    assert place.changes("y2") == [*WHOLE, "shut"]
    assert [(each.part, each.passes_on) for each in (first, second)] == [(0, True), (1, False)]
    assert first.ended_at
    assert second.began_at
    assert first.ended_at <= second.began_at
    assert holders(place) == {}


@BOTH
def test_the_node_of_an_item_is_held_from_its_first_run_to_its_last(place: Place) -> None:
    """At each write somebody holds it: the first run, the chain, then the second run."""
    run = place.approved("y2", then_shut=["y2"])
    seen: list[str | None] = []
    fate = Fate()
    fate.witness = lambda: seen.append(holders(place).get("y2"))

    place.carry_out(run, fate)

    [first, second] = [each.id for each in place.children(run)["y2"]]
    held = [each for each, before in pairwise([*seen, "end"]) if each != before]
    assert held == [None, first, run.id, second, None]


def test_nobody_gets_the_node_between_two_runs_of_an_item(place: Place) -> None:
    run = place.approved("y2", then_shut=["y2"])
    refused: list[str] = []
    fate = Fate()

    def try_it() -> None:
        if holders(place).get("y2") == run.id:
            with pytest.raises(Locked) as locked:
                place.approved_alone("y2")
            refused.append(locked.value.message)

    fate.witness = try_it

    assert place.carry_out(run, fate).state is RunState.SUCCEEDED
    assert refused
    assert all(f"is held by run `{run.id}`" in each for each in refused)


def test_an_item_is_resumed_at_the_run_that_failed(place: Place) -> None:
    run = place.approved("y1", "y2", then_shut=["y1", "y2"])
    place.yard("y1").set(trouble="forbidden")

    stopped = place.carry_out(run)
    states, held = place.states(run), holders(place)
    place.yard("y1").set(trouble="")
    ended = place.carry_out(run)

    assert (stopped.state, states) == (RunState.STOPPED, {"y1": ["succeeded", "stopped"]})
    assert held == {}
    assert (ended.state, place.states(run)) == (
        RunState.SUCCEEDED,
        {"y1": ["succeeded", "succeeded"], "y2": ["succeeded", "succeeded"]},
    )
    assert place.changes("y1") == [*WHOLE, "shut"]


def test_what_is_new_in_a_second_run_stops_there(place: Place) -> None:
    run = place.approved("y2", then_shut=["y2"])
    place.yard("y2").set(rusty=["gate"])

    ended = place.carry_out(run)

    assert (ended.state, place.states(run)) == (RunState.STOPPED, {"y2": ["succeeded"]})
    assert "`gate` has a new warning: is rusty" in ended.ending.details
    assert holders(place) == {}


def test_cancelled_a_chain_ends_between_two_runs_of_an_item(place: Place) -> None:
    place.yard("y1").set(standing=["a"])
    run = place.approved(then_shut=["y1"])
    thread, ended = carried_out_aside(place, run)
    wait_for_first(place, run)

    place.cancel(run, by="bob")
    place.yard("y1").set(standing=[])
    thread.join(WITHIN_S)

    assert (ended[0].state, place.states(run)) == (RunState.CANCELLED, {"y1": ["succeeded"]})
    assert (place.changes("y1"), holders(place)) == (WHOLE, {})


def test_a_chain_that_stopped_between_two_runs_of_an_item_can_be_cancelled(place: Place) -> None:
    run = place.approved("y2", then_shut=["y2"])
    place.yard("y2").set(rusty=["gate"])
    assert place.carry_out(run).state is RunState.STOPPED

    assert place.cancel(run).state is RunState.CANCELLED


def test_an_item_of_two_runs_killed_at_any_write_goes_on_and_does_nothing_twice(
    tmp_path: Path,
) -> None:
    done = ["carry a", "seal a"]
    ends = (RunState.SUCCEEDED, TWO, [done, [*done, "shut"], done], 4)
    operation = chain_of_three(ends=ends, stands=stands, then_shut=["y2"])

    points = killed(operation, tmp_path, every=2, first=2)

    assert sum(each.startswith("after add") for each in points) == 4


def test_an_item_of_two_runs_is_killed_on_postgresql_too(tmp_path: Path, postgres: Server) -> None:
    done = ["carry a", "seal a"]
    ends = (RunState.SUCCEEDED, TWO, [done, [*done, "shut"], done], 4)
    operation = chain_of_three(
        ends=ends, stands=stands, then_shut=["y2"], database=postgres.emptied_database
    )

    killed(operation, tmp_path, every=12, first=5)


# --- an approval that grows ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"fragile": ["a"]}, "`a` has a new warning: is fragile", id="a warning"),
        pytest.param({"gate": "shut"}, "gate: was open, is shut", id="a decision"),
    ],
)
def test_what_is_new_is_approved_in_the_chain_which_goes_on(
    place: Place, change: dict[str, object], says: str
) -> None:
    run = place.approved("y2")
    place.yard("y2").set(**change)
    stopped = place.carry_out(run)

    [new] = place.new_in(stopped)
    place.approve_more(stopped, new, by="carol")
    ended = place.carry_out(run)

    [child] = place.journal.children(run.id)
    [told] = [each for each in place.journal.events(run.id) if each.what == "approved more"]
    assert (new.lines, ended.state) == ((says,), RunState.SUCCEEDED)
    assert (child.approval.by, told.thing, told.says["by"]) == ("carol", "y2", "carol")
    assert told.says["reason"] == says
    assert place.changes("y2") == WHOLE


def test_what_is_new_after_that_stops_the_chain_again(place: Place) -> None:
    run = place.approved("y2")
    place.yard("y2").set(fragile=["a"])
    stopped = place.carry_out(run)
    [new] = place.new_in(stopped)
    place.approve_more(stopped, new)
    place.yard("y2").set(fragile=["a", "b"])

    ended = place.carry_out(run)

    assert (ended.state, place.changes("y2")) == (RunState.STOPPED, [])
    assert [each for each in ended.ending.details if "warning" in each] == [
        "`b` has a new warning: is fragile"
    ]


def test_a_blocker_is_shown_with_what_is_new_and_is_no_more_than_that(place: Place) -> None:
    run = place.approved("y2")
    place.yard("y2").set(heavy=["a"])
    stopped = place.carry_out(run)

    [new] = place.new_in(stopped)
    place.approve_more(stopped, new)

    assert ([each.thing for each in new.plan.blockers], new.lines) == (["a"], ())
    assert place.carry_out(run).state is RunState.STOPPED


def test_of_an_item_of_several_runs_what_is_new_in_the_second_is_approved(place: Place) -> None:
    run = place.approved("y2", then_shut=["y2"])
    place.yard("y2").set(rusty=["gate"])
    stopped = place.carry_out(run)

    [new] = place.new_in(stopped)
    place.approve_more(stopped, new)
    ended = place.carry_out(run)

    assert (new.place.part, new.lines) == (1, ("`gate` has a new warning: is rusty",))
    assert (ended.state, place.changes("y2")) == (RunState.SUCCEEDED, [*WHOLE, "shut"])


def test_nothing_is_approved_for_a_chain_that_somebody_has_taken_up_since(place: Place) -> None:
    run = place.approved("y2")
    place.yard("y2").set(fragile=["a"])
    stopped = place.carry_out(run)
    [new] = place.new_in(stopped)
    place.carry_out(run)

    with pytest.raises(Locked, match="just before"):
        place.approve_more(stopped, new)


def test_a_chain_that_was_stopped_by_a_failed_run_asks_for_no_approval(place: Place) -> None:
    place.yard("y2").set(fails=["b"])
    run = place.approved()

    assert place.new_in(place.carry_out(run)) == []


# --- a chain that is cancelled, and an approval that does not grow -------------------------------


@BOTH
def test_cancelled_a_chain_cancels_its_run_that_waits_for_a_worker(place: Place) -> None:
    run = place.approved(for_workers=True)
    taken = place.journal.take_up(run.id, "dead:1", place.now)
    child = place.approved_in(taken, "y1")

    place.cancel(run, by="bob")

    cancelled = place.journal.run(child.id)
    assert (cancelled.state, cancelled.cancel_asked_by) == (RunState.CANCELLED, "bob")
    assert holders(place) == {}
    assert (place.carry_out(run).state, place.changes("y1")) == (RunState.CANCELLED, [])


@BOTH
def test_a_cancelled_chain_has_no_run_begun_for_it(place: Place) -> None:
    run = place.approved()
    taken = place.journal.take_up(run.id, "dead:1", place.now)
    place.cancel(run, by="bob")

    with pytest.raises(Refused, match="was cancelled by bob"):
        place.approved_in(taken, "y1")

    assert (place.children(run), holders(place)) == ({}, {})


@BOTH
@pytest.mark.parametrize("for_workers", [True, False])
@pytest.mark.parametrize("lost_by", ["cancel", "another worker"])
def test_a_chain_that_is_lost_does_not_go_on_with_its_stopped_run(
    place: Place,
    lost_by: str,
    for_workers: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    place.yard("y1").set(fails=["b"])
    run = place.approved()
    place.carry_out(run)
    [stopped] = place.children(run)["y1"]
    if for_workers:
        place.journal.queue(run.id, "ann", place.now)
    taken = place.journal.take_up(run.id, "dead:1", place.now)
    taken = replace(taken, for_workers=for_workers)
    children = place.children_of(taken)
    if lost_by == "cancel":
        place.cancel(run, by="bob")
    else:
        place.journal.take_up(run.id, "other:1", place.now)

    with pytest.raises(Refused if lost_by == "cancel" else Superseded):
        children.begin(InItem(item="y1"), {}, {})

    assert place.journal.run(stopped.id) == stopped


@BOTH
def test_a_run_of_a_cancelled_chain_that_began_nothing_is_not_left_to_others(place: Place) -> None:
    run = place.approved()
    taken = place.journal.take_up(run.id, "dead:1", place.now)
    child = place.approved_in(taken, "y1")
    going = place.journal.take_up(child.id, "dead:2", place.now)
    place.cancel(run, by="bob")

    left = place.journal.end(going.id, going.epoch, RunState.QUEUED, place.now, Said())

    assert (left.state, left.cancel_asked_by) == (RunState.CANCELLED, "bob")
    assert holders(place) == {}


def test_a_run_that_has_begun_is_brought_to_its_end_though_its_chain_is_cancelled(
    place: Place,
) -> None:
    run = place.approved()
    taken = place.journal.take_up(run.id, "dead:1", place.now)
    child = place.approved_in(taken, "y1")
    going = place.journal.take_up(child.id, "dead:2", place.now)
    place.journal.intend(going.id, going.epoch, "carry/a/0", {}, place.now)
    place.journal.end(going.id, going.epoch, RunState.QUEUED, place.now, Said())

    place.cancel(run, by="bob")

    assert place.journal.run(child.id).state is RunState.QUEUED


@pytest.mark.parametrize("ends_by", ["a person", "a stale plan"])
def test_after_a_run_of_an_item_that_is_over_another_decision_is_asked_for(
    place: Place, ends_by: str
) -> None:
    run = place.approved("y1", "y2")
    if ends_by == "a person":
        place.yard("y1").set(fails=["a"])
        place.carry_out(run)
        place.cancel(place.children(run)["y1"][0], by="carol")
        place.yard("y1").set(fails=[], gate="shut")
    else:
        taken = place.journal.take_up(run.id, "dead:1", place.now)
        place.approved_in(taken, "y1")
        place.yard("y1").set(gate="shut")
        place.carry_out(run)

    [new] = place.new_in(place.journal.run(run.id))
    ended = place.carry_out(run)

    assert (new.place.item, new.lines) == ("y1", ("gate: was open, is shut",))
    assert (ended.state, len(place.children(run)["y1"])) == (RunState.STOPPED, 1)
    assert place.changes("y1") in ([], ["carry a"])


@pytest.mark.parametrize(
    ("of", "is_asked"),
    [
        pytest.param("own", False, id="its own claim"),
        pytest.param("next", True, id="that of another item"),
        pytest.param("other", True, id="that of another run"),
    ],
)
def test_only_the_claim_of_an_earlier_run_of_the_item_is_no_other_decision(
    place: Place, of: str, *, is_asked: bool
) -> None:
    run = place.approved("y2", "y1")
    place.yard("y1").set(fails=["a"])
    place.carry_out(run)
    [child] = place.children(run)["y1"]
    place.cancel(child, by="carol")
    claims = {"own": child.id, "next": place.children(run)["y2"][0].id, "other": "01CAROL"}
    claim = Claim(run=claims[of], operator="x", machine="m", since="2026", reason="r")
    place.yard("y1").set(fails=[], gate=str(claim))

    new = place.new_in(place.journal.run(run.id))

    assert bool(new) is is_asked


@BOTH
def test_a_chain_that_waits_for_its_turn_gets_no_node_of_a_run_that_ends(place: Place) -> None:
    run = place.approved("y1", then_shut=["y1"])
    place.yard("y1").set(fails=["b"])
    place.carry_out(run)
    later = place.now + timedelta(hours=9)
    turn = Turn(at=later, by=later + timedelta(hours=4), until=later + timedelta(hours=4))
    place.journal.queue(run.id, "ann", place.now, turn=turn)
    place.yard("y1").set(fails=[])

    ended = place.carry_out(place.children(run)["y1"][0])

    assert (ended.state, holders(place)) == (RunState.SUCCEEDED, {})
    assert place.approved_alone("y1").holds == ("y1",)


def test_a_chain_that_is_left_to_a_later_time_between_two_runs_has_no_node(place: Place) -> None:
    run = place.approved("y1", then_shut=["y1"])
    taken = place.journal.take_up(run.id, "dead:1", place.now)
    begun_by = BegunBy(
        chain=run.id,
        place=InItem(item="y1", is_last=False),
        epoch=taken.epoch,
        after=run.id,
    )
    child = place.approved_alone("y1", begun_by=begun_by)
    assert place.carry_out(child).state is RunState.SUCCEEDED
    assert holders(place) == {"y1": run.id}
    later = place.now + timedelta(hours=9)

    place.journal.queue(run.id, "ann", place.now, turn=Turn(at=later, by=later))

    assert holders(place) == {}


def test_the_last_attempt_is_that_of_the_highest_number_whatever_the_clocks_say() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    first = Attempt(step="items/y1/0", number=1, epoch=1, mark={}, intended_at=at)
    second = replace(first, number=2, epoch=2, intended_at=at - timedelta(minutes=5))

    assert last_attempts([second, first]) == {"items/y1/0": second}
