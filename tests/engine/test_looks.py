"""The looks at what is under way keep their time; a world that answers slowly has a pause."""

from dataclasses import dataclass, field, replace

import pytest
from typing_extensions import override

from engine.fakes import FakeClock, House, YardWorld
from stackward.engine import carry_out
from stackward.model.run import RunState


@dataclass
class ListeningClock(FakeClock):
    """Remembers how long was waited."""

    waited: list[float] = field(default_factory=list)

    @override
    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        super().wait(seconds)


@pytest.mark.parametrize(
    ("look_s", "pause_s"),
    [
        pytest.param(0.0, 1.0, id="a look that takes no time"),
        pytest.param(0.25, 0.75, id="it begins a second after the last one began"),
        pytest.param(5.0, 0.5, id="a slow world has half a second between two"),
    ],
)
def test_the_pause_is_shorter_by_what_the_look_took(
    house: House, look_s: float, pause_s: float
) -> None:
    clock = house.clock = ListeningClock()
    house.yard.set(takes=6, boxes={"a": "old"})
    run = house.approved(seal=False)

    def poll(world: YardWorld) -> YardWorld:
        clock.passed += look_s
        return world

    ended = carry_out(run.id, replace(house.context(), poll=poll), house.brakes)

    first, *later = clock.waited
    assert (ended.state, first) == (RunState.SUCCEEDED, 1.0)
    assert len(later) >= 2
    assert set(later) == {pause_s}
