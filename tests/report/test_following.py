"""A run while it goes on: as lines, and as a picture."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from typing_extensions import override

from builders import a_node, a_server, an_id, asking
from stackward.kinds import KINDS
from stackward.model.run import Approval, Event, Run, RunState
from stackward.model.values import Json
from stackward.operations.chain.plan import plan_chain
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.plan import dump, dump_move
from stackward.report.following import Follower, Story
from stackward.requests.chain import ChainItem, ChainRequest

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLAN = plan_drain(a_node(a_server()), asking(when_slow="abort"))
MOVE = f"move/{an_id('db-01')}"
RUN = Run(
    id="01M8",
    title=PLAN.title,
    plan="",
    approval=Approval(by="ann", at=NOON, how="--yes"),
    state=RunState.RUNNING,
)


def an_event(what: str, step: str = "", thing: str = "", later_s: int = 0, **says: Json) -> Event:
    at = NOON + timedelta(seconds=later_s)
    return Event(at=at, epoch=1, what=what, step=step, thing=thing, says=says)


STARTED = an_event("intended", f"{MOVE}/0", attempt=1, mark={})


def test_a_server_has_moved_once_with_the_last_step_of_the_way_that_it_took() -> None:
    story = Story(plan_drain(a_node(a_server()), asking(when_slow="stop-server")))
    before = story.moved

    told = story.take([an_event("settled: done", f"{MOVE}/instead-{n}") for n in range(4)])

    assert (before, story.moved) == ("0 of 1 server has moved", "1 of 1 server has moved")
    assert [line.partition(" UTC ")[2] for line in told] == [
        "stop `db-01`: done",
        "cold-migrate `db-01` off `compute-07`: done",
        "confirm the migration of `db-01`: done",
        "start `db-01` again: done",
    ]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(STARTED, "live-migrate `db-01` off `compute-07`: started", id="started"),
        pytest.param(
            an_event("intended", f"{MOVE}/0", attempt=2),
            "live-migrate `db-01` off `compute-07`: started, attempt 2",
            id="again",
        ),
        pytest.param(
            an_event("intended", f"{MOVE}/slow-0", attempt=1),
            "abort the live migration of `db-01`: started",
            id="for the slow",
        ),
        pytest.param(
            an_event("found done", f"{MOVE}/0", saw={"gone": True}),
            "live-migrate `db-01` off `compute-07`: gone: there was nothing left to do for it",
            id="gone",
        ),
        pytest.param(
            an_event("waiting", f"{MOVE}/0", "db-01", reason="no answer", says="502"),
            'live-migrate `db-01` off `compute-07`: waiting: no answer; "502"',
            id="waiting",
        ),
        pytest.param(
            an_event("is slow", MOVE, "db-01", after_s=1800),
            "`db-01`: slow, under way for 1800 s",
            id="slow",
        ),
        pytest.param(
            an_event("settled: failed", f"{MOVE}/0", reason="no", Nova="No host", request="req-1"),
            'live-migrate `db-01` off `compute-07`: failed: no; Nova says: "No host" (req-1)',
            id="failed",
        ),
        pytest.param(an_event("proved", reason="it is empty"), "proved: it is empty", id="proved"),
        pytest.param(an_event("taken up", worker="a:1"), "taken up: a:1", id="taken up"),
        pytest.param(
            an_event("failed", "", "\x1b[2Jgone", reason="x"),
            "`\\x1b[2Jgone`: failed: x",
            id="a name cannot steer the terminal",
        ),
    ],
)
def test_what_matters_is_a_line(event: Event, expected: str) -> None:
    assert Story(PLAN).take([event]) == [f"{event.at:%H:%M:%S} UTC {expected}"]


@pytest.mark.parametrize("what", ["approved", "answered", "late"])
def test_what_does_not_matter_is_none(what: str) -> None:
    assert Story(PLAN).take([an_event(what, f"{MOVE}/0")]) == []


def test_a_done_move_says_how_long_it_took_and_where_the_server_is() -> None:
    done = an_event("settled: done", f"{MOVE}/0", later_s=27, saw={"target": "compute-08"})

    lines = Story(PLAN).take([STARTED, done])

    assert lines[1] == (
        "12:00:27 UTC live-migrate `db-01` off `compute-07`: done, 27 s, now on `compute-08`"
    )


def test_one_failure_is_told_once() -> None:
    story = Story(PLAN)

    lines = story.take(
        [STARTED, an_event("settled: failed", f"{MOVE}/0", reason="no"), an_event("failed", MOVE)]
    )

    assert (len(lines), story.going(RUN)) == (2, [])


def test_a_run_whose_plan_is_not_understood_is_told_by_its_paths() -> None:
    assert Story(None).take([STARTED]) == [f"12:00:00 UTC {MOVE}/0: started"]


class Terminal(io.StringIO):
    """Whoever writes there believes that a person looks on."""

    @override
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_what_is_under_way_and_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()
    progress: dict[str, Json] = {
        f"{MOVE}/0": {"standing": "underway", "remaining_bytes": 3 * 2**20, "reason": None}
    }

    with Follower(Story(PLAN), out) as shown:
        shown.show(replace(RUN, progress=progress), [STARTED], NOON + timedelta(seconds=9))

    lines = [line.split() for line in out.getvalue().splitlines()]
    assert ["db-01", "live-migrate", "under", "way", "3", "MiB", "left", "9"] in lines
    assert "0 of 1 server has moved" in out.getvalue()


def test_of_a_chain_it_shows_what_each_run_does_and_no_column_that_is_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It had `carry-out-run` in each row, and an empty column of what is left to copy."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    item = ChainItem(name="compute-07", asked=dump(asking()))
    chain = plan_chain([PLAN], ChainRequest(what="drain", items=(item,)))
    [(stage, move)] = chain.moves()
    path = f"{stage.path_of(move)}/0"
    out = Terminal()

    with Follower(Story(chain), out) as shown:
        shown.show(RUN, [an_event("intended", path, attempt=1)], NOON + timedelta(seconds=9))

    lines = [line.split() for line in out.getvalue().splitlines()]
    assert ["compute-07", "drain", "`compute-07`", "started", "9"] in lines
    assert "To copy" not in out.getvalue()


def test_elsewhere_there_are_only_lines() -> None:
    out = io.StringIO()

    with Follower(Story(PLAN), out) as shown:
        shown.show(RUN, [STARTED], NOON)
        shown.show(RUN, [], NOON)

    assert out.getvalue() == "12:00:00 UTC live-migrate `db-01` off `compute-07`: started\n"


def test_what_a_run_catches_up_with_is_named_from_then_on() -> None:
    late = plan_drain(a_node(a_server(name="web-9")), asking()).stages[1].moves[0]
    story = Story(PLAN, KINDS)

    caught, started = story.take(
        [
            an_event("caught up", "arrivals", moves=[dump_move(late)]),
            an_event("intended", f"arrivals/{late.key}/0", attempt=1),
        ]
    )

    assert caught.endswith("new since the plan was approved: `web-9`")
    assert started.endswith("live-migrate `web-9` off `compute-07`: started")
    assert story.moved == "0 of 2 servers have moved"
