"""A move may still begin, or what stands against it now."""

import pytest

from builders import an_id
from stackward.moving.again import objection
from stackward.plan import Blocked, Move, Plan, Stage, Warned
from stackward.ports.world import World
from stackward.requests.reboot_server import RebootRequest
from stackward.steps.server_power import StartServer

DB = an_id("db-01")
START = StartServer(server=DB, name="db-01")
REQUEST = RebootRequest(server=DB)


def a_move(how: str = "live", *, can_stop: bool = False, thing_id: str = DB) -> Move[World]:
    """Return a move of `db-01`; one that is slow goes another way, if it can."""
    instead = (START,) if can_stop else ()
    return Move(
        thing="db-01",
        thing_id=thing_id,
        how=how,
        steps=(START,),
        on_slow=(START,) if can_stop else (),
        instead=instead,
    )


def a_plan(*moves: Move[World], **changes: tuple[object, ...]) -> Plan[World]:
    stages = (Stage(name="move", moves=moves),)
    return Plan(title="drain", request=REQUEST, stages=stages, **changes)  # type: ignore[arg-type]  # its fields


@pytest.mark.parametrize(
    ("planned", "now"),
    [
        pytest.param(a_move(), a_move(), id="the same"),
        pytest.param(a_move(), a_move(can_stop=True), id="it may be stopped now, and need not"),
        pytest.param(a_move(can_stop=True), a_move(can_stop=True), id="it may be stopped still"),
    ],
)
def test_a_move_that_a_new_plan_has_too_may_begin(planned: Move[World], now: Move[World]) -> None:
    assert objection(a_plan(now), planned) is None


@pytest.mark.parametrize(
    ("planned", "fresh", "reason"),
    [
        pytest.param(
            a_move(),
            a_plan(a_move("cold")),
            "may not move now: the plan moves it live; it would now be moved cold",
            id="another way",
        ),
        pytest.param(
            a_move(can_stop=True),
            a_plan(a_move()),
            "may not move now: the plan moves it live; it would now be moved live, "
            "and not be stopped where that is slow",
            id="it may be stopped no more",
        ),
        pytest.param(
            a_move(),
            a_plan(
                warnings=(Warned("db-01", "stays on `c02`: is in ERROR", "", DB, "stays-away"),),
                notices=("nothing moves",),
            ),
            "may not move now: stays on `c02`: is in ERROR; nothing moves",
            id="it would stay",
        ),
        pytest.param(
            a_move(),
            a_plan(a_move(thing_id=an_id("db-02")), notices=("`db-01` is left alone",)),
            "may not move now: `db-01` is left alone",
            id="another would move",
        ),
        pytest.param(
            a_move(),
            a_plan(),
            "may not move now: a plan that is made now does not have it",
            id="nothing is said of it",
        ),
    ],
)
def test_a_move_that_a_new_plan_has_not_is_refused_with_what_that_plan_says(
    planned: Move[World], fresh: Plan[World], reason: str
) -> None:
    found = objection(fresh, planned)

    assert found is not None
    assert found.reason == reason
    assert (found.thing, found.thing_id, found.remedy) == ("db-01", DB, "plan again")


def test_what_blocks_a_new_plan_is_said_as_it_is() -> None:
    blocked = Blocked("db-01", "is in ERROR", "repair it", DB, "in-error")

    assert objection(a_plan(a_move(), blockers=(blocked,)), a_move()) == blocked
