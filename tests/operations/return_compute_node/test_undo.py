"""By which drain a return is taken back: the node is kept out as it had been before."""

from dataclasses import replace

import pytest

from stackward.operations.return_compute_node.undo import ReturnRecord, drain_again
from stackward.requests.how_to_move import HowToMove
from stackward.requests.undo_run import UndoRequest

ASKED = UndoRequest(run="01BACK")
RETURNED = ReturnRecord(
    node="compute-07",
    is_uncordoned=True,
    reason="bad DIMM",
    kept_off_by=("maintenance file", "drop-in"),
)


def test_the_node_is_kept_as_it_was_kept_before() -> None:
    again = drain_again("01BACK", RETURNED, replace(ASKED, how=HowToMove(at_once=5)))

    assert (again.node, again.reason) == ("compute-07", "bad DIMM")
    assert (again.keep_service, again.with_mask, again.how.at_once) == (False, False, 5)


def test_the_service_is_kept_running_where_that_is_asked_for() -> None:
    """Where nova-compute runs in a container by now, the drain that undoes could not stop it."""
    assert drain_again("01BACK", RETURNED, replace(ASKED, keep_service=True)).keep_service


@pytest.mark.parametrize(
    ("kept_off_by", "keep_service", "with_mask"),
    [
        pytest.param((), True, False, id="by nothing: its service runs on"),
        pytest.param(("drop-in",), False, False, id="without a mask: without one again"),
        pytest.param(("drop-in", "mask"), False, True, id="with a mask: with one again"),
    ],
)
def test_how_it_had_been_kept_off(
    kept_off_by: tuple[str, ...], *, keep_service: bool, with_mask: bool
) -> None:
    again = drain_again("01BACK", replace(RETURNED, kept_off_by=kept_off_by), ASKED)

    assert (again.keep_service, again.with_mask) == (keep_service, with_mask)


def test_where_the_reason_is_not_known_it_is_the_undo_itself() -> None:
    again = drain_again("01BACK", replace(RETURNED, reason=None), ASKED)

    assert again.reason == "run 01BACK is undone"
