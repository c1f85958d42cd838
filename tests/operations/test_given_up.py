"""An operation that was given up at any write or change can be asked for anew, and ends well then.

Its worker is lost, and a person gives the run up: what it left undone is done by the next one, and
what it did is not done twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from builders import asking
from dying import NODE, Site, of_cloud
from killing import killed
from operations.test_killed import AWAY, COLD, IN, LIVE, OUT, drained, with_two
from stackward.model.run import Run, RunState
from stackward.plan import Request
from stackward.requests.return_compute_node import ReturnRequest


def drained_anew(site: Site, run: Run) -> Run:
    """Drain the node again, once what the drain that was given up has begun is over."""
    if not run.state.is_over:
        run = site.given_up(run)
    assert run.state in {RunState.CANCELLED, RunState.SUCCEEDED}
    site.confirm_what_waits()
    return site.anew(asking(at_once=1))


def returned_anew(site: Site, run: Run) -> Run:
    """Return the node again, once what the return that was given up has begun is over."""
    if run.state is RunState.SUCCEEDED:
        return run
    run = site.given_up(run)
    assert run.state is RunState.CANCELLED
    return site.well(ReturnRequest(node=NODE))


def failing(place: Path) -> Site:
    """Given a drained node on which no server can be booted: its return closes it again."""
    site = drained(place)
    site.cloud.nova.fault = "no hypervisor"
    return site


def mended_and_returned_anew(site: Site, run: Run) -> Run:
    """Mend the node, and return it again."""
    if not run.state.is_over:
        run = site.given_up(run)
    assert run.state in {RunState.CANCELLED, RunState.FAILED}
    site.cloud.nova.fault = None
    return site.well(ReturnRequest(node=NODE))


@dataclass(frozen=True)
class Case:
    """What is given up, what follows, and what is then so."""

    prepare: Callable[[Path], Site]
    asked: Request
    then: Callable[[Site, Run], Run]
    ends: dict[str, object]


MOVED = {"hosts": AWAY, "asked": {"db-01": LIVE, "db-02": COLD}}  # no acceptance server is left
CASES = {
    "drain": Case(
        with_two, asking(at_once=1), drained_anew, {**MOVED, "built": 0, "starts": 0, **OUT}
    ),
    "return": Case(drained, ReturnRequest(node=NODE), returned_anew, {**MOVED, "starts": 1, **IN}),
    "return that closes the node again": Case(
        failing, ReturnRequest(node=NODE), mended_and_returned_anew, {**MOVED, "starts": 1, **IN}
    ),
}
IN_THE_SOAK = [pytest.param(n, marks=pytest.mark.soak) for n in (2, 3)]


@pytest.mark.parametrize("first", [1, *IN_THE_SOAK])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_was_given_up_at_any_write_or_change_is_done_by_the_next_run(
    case: Case, first: int, tmp_path: Path
) -> None:
    """One move at a time: what a second one goes on with, while the worker dies, is no death."""
    place = tmp_path / "prepared"
    place.mkdir()
    prepared = case.prepare(place)
    prepared.close()
    ends = {"state": RunState.SUCCEEDED, **case.ends}

    operation = of_cloud(prepared, lambda _: case.asked, ends, case.then)

    killed(operation, tmp_path, every=3, first=first)
