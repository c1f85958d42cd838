"""What was declared for a move that fails is carried out, whoever dies meanwhile."""

import pytest

from engine.fakes import Crash, Fate, House
from stackward.model.run import RunState

POINTS = 21  # of a run whose first move fails and is sealed for that


def test_a_failed_move_is_taken_back_and_the_run_is_over(house: House) -> None:
    house.yard.set(fails=["a"])

    run = house.carry_out(house.approved(seal_failed=True))

    assert (run.state, house.yard.changes) == (RunState.FAILED, ["carry a", "seal a"])
    assert run.ending.says == "the shelf is full"
    assert run.ending.details == ("since then: seal `a`",)


def test_what_cannot_be_taken_back_is_resumed_and_only_that(house: House) -> None:
    house.yard.set(fails=["a"], trouble="no wax")
    run = house.approved(seal_failed=True)

    stopped = house.carry_out(run)
    house.yard.set(trouble="")
    ended = house.carry_out(run)

    assert stopped.state is RunState.STOPPED
    assert stopped.ending.reason == "carry `a`: it came back; taking it back: no wax is left"
    assert (ended.state, house.yard.changes) == (RunState.FAILED, ["carry a", "seal a"])
    assert ended.ending.reason == "carry `a`: it came back"


@pytest.mark.parametrize("dies_at", range(1, POINTS + 1))
def test_a_crash_while_a_move_is_taken_back_is_harmless(house: House, dies_at: int) -> None:
    house.yard.set(fails=["a"])
    run = house.approved(seal_failed=True)
    with pytest.raises(Crash):
        house.carry_out(run, Fate(dies_at))

    ended = house.journal.run(run.id)
    if not ended.state.is_over:
        ended = house.carry_out(run)

    assert ended.state is RunState.FAILED
    assert house.yard.changes.count("seal a") == 1
