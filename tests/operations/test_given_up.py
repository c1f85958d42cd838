"""An operation that was given up at any write or change can be asked for anew, and ends well then.

Its worker is lost, and a person gives the run up: what it left undone is done by the next one, and
what it did is not done twice.
"""

from pathlib import Path

import pytest

from builders import asking
from dying import Site, of_cloud
from killing import killed
from operations.test_killed import AWAY, COLD, LIVE, OUT, with_two
from stackward.model.run import Run, RunState


def drained_anew(site: Site, run: Run) -> Run:
    """Drain the node again, once what the drain that was given up has begun is over."""
    if not run.state.is_over:
        run = site.given_up(run)
    assert run.state in {RunState.CANCELLED, RunState.SUCCEEDED}
    site.confirm_what_waits()
    return site.anew(asking(at_once=1))


DRAINED = {
    "state": RunState.SUCCEEDED,
    "hosts": AWAY,
    "asked": {"db-01": LIVE, "db-02": COLD},
    "built": 0,
    "starts": 0,
    **OUT,
}


@pytest.mark.parametrize(
    "first", [1, pytest.param(2, marks=pytest.mark.soak), pytest.param(3, marks=pytest.mark.soak)]
)
def test_a_drain_that_was_given_up_at_any_write_or_change_is_done_by_the_next_one(
    first: int, tmp_path: Path
) -> None:
    """One move at a time: what a second one goes on with, while the worker dies, is no death."""
    place = tmp_path / "prepared"
    place.mkdir()
    prepared = with_two(place)
    prepared.close()

    operation = of_cloud(prepared, lambda _: asking(at_once=1), DRAINED, drained_anew)

    killed(operation, tmp_path, every=3, first=first)
