"""What was declared for a move that fails is carried out, whoever dies meanwhile."""

from pathlib import Path

import pytest

from engine.fakes import House, tidying
from killing import killed
from postgres import ON_BOTH
from stackward.errors import Locked
from stackward.model.run import Run, RunState, Settled


@ON_BOTH
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


@pytest.mark.parametrize(
    ("at_first", "later", "settled"),
    [
        pytest.param({}, {}, Settled.DONE, id="it arrived all the same"),
        pytest.param({}, {"fails": ["a"]}, Settled.FAILED, id="it failed"),
        pytest.param({}, {"carries": []}, Settled.LOST, id="it was never begun"),
        pytest.param(
            {"trouble": "loses answers"},
            {"carries": []},
            Settled.LOST,
            id="it was never begun, and its answer was lost",
        ),
    ],
)
def test_a_move_taken_back_unseen_is_looked_at_again_before_the_run_is_over(
    house: House, at_first: dict[str, str], later: dict[str, list[str]], settled: Settled
) -> None:
    house.yard.set(boxes={"a": "old"}, takes=2, **at_first)
    run = house.approved(seal_failed=True)
    house.clock.on_wait.append(lambda: house.yard.set(trouble="mist", standing=["a"]))

    stopped = house.carry_out(run)
    house.clock.on_wait.clear()
    with pytest.raises(Locked):
        house.approved()
    house.yard.set(trouble="", standing=[], **later)
    ended = house.carry_out(run)

    carried = [one for one in house.journal.attempts(run.id) if one.step == "carry/a/0"]
    assert stopped.state is RunState.STOPPED
    assert (ended.state, [one.settled for one in carried]) == (RunState.FAILED, [settled])
    assert house.yard.changes == ["carry a", "seal a"]  # nothing is started again


def test_a_crash_while_a_move_is_taken_back_is_harmless(tmp_path: Path) -> None:
    """Until it is being taken back, whoever takes the run up tries it once more."""

    def taken_back(house: House, run: Run) -> object:
        return run.state, house.yard.changes.count("seal a"), set(house.yard.changes)

    over = (RunState.FAILED, 1, {"carry a", "seal a"})

    killed(tidying(yard={"fails": ["a"]}, seal_failed=True, stands=taken_back, ends=over), tmp_path)
