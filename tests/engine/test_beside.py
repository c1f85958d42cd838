"""Which item of a chain may begin beside others, whatever happened to the chain before."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stackward.engine.beside import is_bounded, next_to_begin
from stackward.plan import Move, are_together
from stackward.steps.chain import CarryOutRun


def an_item(name: str, domain: str = "", apart: tuple[str, ...] = ()) -> Move:
    step = CarryOutRun(item=name, title=name, asked={}, domain=domain, apart=apart)
    return Move(thing=name, how="reboot", steps=(step,))


A1, A2, B1, B2 = (an_item(name, name[0]) for name in ("a1", "a2", "b1", "b2"))
APART = an_item("a3", "a", apart=("a1",))


@pytest.mark.parametrize(
    ("waiting", "moving", "begun", "expected"),
    [
        pytest.param([A1, B1], [], [], A1, id="the first"),
        pytest.param([A2, B1], [A1], [A1], A2, id="beside one of its domain"),
        pytest.param([B1, B2], [A1], [A1], None, id="not beside one of another domain"),
        pytest.param([APART, A2], [A1], [A1], A2, id="not beside one with which it has a group"),
        pytest.param([A1], [APART], [APART], None, id="nor the other way round"),
        pytest.param([A1, B1], [], [B1], B1, id="one that was begun goes on before others"),
        pytest.param([A1], [], [B1], None, id="one that was begun, and that others have, counts"),
        pytest.param([A1, B1], [A2], [A2, B1], None, id="nothing new beside two of two domains"),
    ],
)
def test_who_is_next(
    waiting: list[Move], moving: list[Move], begun: list[Move], expected: Move | None
) -> None:
    assert next_to_begin(waiting, moving, begun) == expected


def test_without_domains_and_groups_nothing_is_bounded() -> None:
    assert not is_bounded([an_item("a"), an_item("b")])
    assert is_bounded([an_item("a"), A1])
    assert is_bounded([an_item("a", apart=("b",)), an_item("b")])


@dataclass
class Night:
    """A chain that is carried out, stopped, left by its worker and resumed, as chance has it."""

    items: list[Move]
    at_once: int
    begun: list[Move] = field(default_factory=list)  # and not done: their nodes may be down
    moving: list[Move] = field(default_factory=list)
    done: list[Move] = field(default_factory=list)
    passed_over: list[Move] = field(default_factory=list)  # others have them

    @property
    def waiting(self) -> list[Move]:
        gone = [*self.moving, *self.done, *self.passed_over]
        return [each for each in self.items if each not in gone]

    def begin(self, *, is_locked: bool) -> None:
        if len(self.moving) == self.at_once or not self.waiting:
            return
        if (move := next_to_begin(self.waiting, self.moving, self.begun)) is None:
            return
        if is_locked:
            self.passed_over.append(move)
            return
        self.moving.append(move)
        if move not in self.begun:
            self.begun.append(move)

    def end(self, place: int) -> None:
        if self.moving:
            move = self.moving.pop(place % len(self.moving))
            self.begun.remove(move)
            self.done.append(move)

    def stop_and_resume(self, *, is_turned: bool) -> None:
        """Leave it wherever it is: what was begun has stopped midway."""
        self.moving.clear()
        self.passed_over.clear()
        if is_turned:
            self.items.reverse()  # whatever the order is, the rule holds


NAMES = [f"n{number}" for number in range(6)]
ITEMS = some.tuples(
    *(
        some.builds(
            an_item,
            some.just(name),
            some.sampled_from(["rack-1", "rack-2", "rack-3"]),
            some.lists(some.sampled_from([each for each in NAMES if each != name]), max_size=2).map(
                tuple
            ),
        )
        for name in NAMES
    )
)
WHAT = some.one_of(
    some.tuples(some.just("begin"), some.booleans()),
    some.tuples(some.just("end"), some.integers(0, 3)),
    some.tuples(some.just("stop"), some.booleans()),
)


@given(ITEMS, some.integers(1, 4), some.lists(WHAT, max_size=40))
def test_never_are_two_down_that_may_not_be(
    items: tuple[Move, ...], at_once: int, happens: list[tuple[str, int]]
) -> None:
    night = Night(list(items), at_once)
    for what, how in happens:
        match what:
            case "begin":
                night.begin(is_locked=bool(how))
            case "end":
                night.end(how)
            case _:
                night.stop_and_resume(is_turned=bool(how))
        down = night.begun
        assert all(are_together(one, other) for one in down for other in down if one is not other)
        assert len(night.moving) <= at_once


@given(ITEMS, some.integers(1, 4), some.lists(some.integers(0, 3), min_size=12, max_size=12))
def test_all_are_done_in_the_end(items: tuple[Move, ...], at_once: int, ends: list[int]) -> None:
    night = Night(list(items), at_once)
    for place in ends:
        for _ in range(at_once):
            night.begin(is_locked=False)
        night.end(place)

    assert night.waiting == []
    assert sorted(each.thing for each in night.done) == NAMES
