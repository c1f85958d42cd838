"""What is read of a node to fence: its signs of life at the same time, then what explains them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Barrier
from typing import Any, Generic

import pytest
from typing_extensions import override

from builders import an_id
from dying import NODE
from fakes.together import Begun, OneByOne
from operations.test_killed import with_one_that_died, with_one_to_fence
from stackward.adapters.together import Threads
from stackward.errors import Refused, Unreachable
from stackward.facts.fence import read_fence, read_fence_beside
from stackward.model.identity import Itself
from stackward.model.witness import Sign
from stackward.ports.clock import Clock
from stackward.ports.together import Key, Told
from stackward.requests.fence_compute_node import FenceRequest
from stackward.status.life import Life
from stackward.status.witnesses import hail

ASKED = FenceRequest(node=NODE)
TOGETHER_S = 60.0  # a guard: what goes on together meets at once


def test_a_silent_node_is_asked_in_all_ways_at_the_same_time(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    known = replace(site.world(), together=Threads())
    # Its names, its unit, its guests, and the two who call it.
    all_of_them = Barrier(5, timeout=TOGETHER_S)
    call = known.shell.run

    def named(node: str, /, *, within_s: float | None = None) -> None:  # noqa: ARG001  # the port's
        assert node == NODE
        all_of_them.wait()

    def called(node: str, command: Sequence[str], /, **more: Any) -> Any:  # noqa: ANN401  # the port's
        if node == NODE:
            all_of_them.wait()
            raise Unreachable(f"cannot log in to `{node}`")
        if NODE in str(command):
            all_of_them.wait()
        return call(node, command, **more)

    known.shell.run = called  # type: ignore[method-assign]  # the fake's
    known.shell.itself = named  # type: ignore[method-assign]  # same

    fence, rest = read_fence_beside(known, site.journal, ASKED, None, lambda name: name)

    assert rest == NODE
    assert (fence.signs.ssh, fence.signs.libvirt) == (Sign.NO, Sign.NO)
    site.close()


def test_a_node_that_is_another_host_is_refused_whatever_else_it_answers(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    site.shell.silent.clear()
    site.shell.says[NODE] = Itself(names=("compute-08",))

    with pytest.raises(Refused, match="says that it is `compute-08`"):
        read_fence_beside(site.world(), site.journal, ASKED, None, lambda name: name)
    site.close()


@dataclass
class Asked(Generic[Key, Told]):
    """Questions that were asked, of which it is noted when their answers are waited for."""

    begun: Begun[Key, Told]
    noted: list[tuple[str, object]]
    waited: list[float]
    clock: Clock
    takes_s: float

    @property
    def is_over(self) -> bool:
        return self.begun.is_over

    def told(self, *, within_s: float) -> dict[Key, Told]:
        self.noted += [("told", key) for key in self.begun.answers]
        self.waited.append(within_s)
        self.clock.wait(min(within_s, self.takes_s))
        return self.begun.told(within_s=within_s)


@dataclass
class Noting(OneByOne):
    """Notes what is begun, and when it is waited for; each wait takes as long."""

    clock: Clock
    takes_s: float = 0.0
    noted: list[tuple[str, object]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    hanging: set[object] = field(default_factory=set)

    @override
    def begin(  # type: ignore[override]  # what it returns is a round too
        self, questions: Mapping[Key, Callable[[], Told]], *, at_once: int = 100
    ) -> Asked[Key, Told]:
        self.noted += [("begun", key) for key in questions]
        begun = OneByOne().begin(questions, at_once=at_once)
        return Asked(begun, self.noted, self.waited, self.clock, self.takes_s)

    @override
    def ask(
        self, questions: Mapping[Key, Callable[[], Told]], *, within_s: float, at_once: int = 100
    ) -> dict[Key, Told | None]:
        return OneByOne().ask(questions, within_s=within_s, at_once=at_once)


@pytest.mark.parametrize("late", ["device", "others", "rest"])
@pytest.mark.parametrize("sign", ["signs of life", "ssh", "libvirt", "RPC"])
def test_the_silence_is_known_before_what_may_explain_it_is_asked(
    sign: str, late: str, tmp_path: Path
) -> None:
    site = with_one_that_died(tmp_path)
    together = Noting(site.clock)
    world = replace(site.world(), together=together)

    read_fence_beside(world, site.journal, ASKED, None, lambda name: name)

    known = together.noted.index(("told", f"{sign} of {NODE}"))
    assert known < together.noted.index(("begun", f"{late} of {NODE}"))
    site.close()


def test_all_its_questions_have_one_deadline(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    together = Noting(site.clock, takes_s=70.0)

    read_fence(replace(site.world(), together=together), site.journal, ASKED, None)

    assert together.waited == [300.0, 230.0, 160.0, 90.0, 20.0, 0.0, 0.0, 0.0]
    site.close()


class StillHangsError(Exception):
    """Raised by a question, to say that it hangs."""


class Forgetful(OneByOne):
    """Never starts a question again that has hung once."""

    @override
    def begin(
        self, questions: Mapping[Key, Callable[[], Told]], *, at_once: int = 100
    ) -> Begun[Key, Told]:
        told: dict[Key, Told] = {}
        for key, put in questions.items():
            if key not in self.hanging:
                try:
                    told[key] = put()
                except StillHangsError:
                    self.hanging.add(key)
        return Begun(told, is_over=len(told) == len(questions))


@pytest.mark.parametrize("hung", ["compute-08", NODE], ids=["to another node", "to this node"])
def test_a_call_that_still_hangs_is_no_sign_that_a_node_is_dead(hung: str, tmp_path: Path) -> None:
    site, together = with_one_to_fence(tmp_path), Forgetful()
    nova, uptime = site.cloud.nova, site.cloud.nova.uptime
    world = replace(site.world(), together=together)

    def hang(hypervisor: str, /) -> str | None:
        if hypervisor == an_id(hung):
            raise StillHangsError
        return uptime(hypervisor)

    nova.uptime = hang  # type: ignore[method-assign]  # the fake's
    earlier = read_fence(world, site.journal, FenceRequest(node=hung), None)
    nova.uptime = uptime  # type: ignore[method-assign]  # same

    fence = read_fence(world, site.journal, ASKED, None)

    assert (earlier.signs.rpc, fence.signs.rpc) == (Sign.NO, Sign.YES)
    site.close()


def test_a_silent_node_is_called_hung_by_the_call_of_each_look(tmp_path: Path) -> None:
    """A plan and its judge both look within the minute that Nova waits for a call."""
    site, together = with_one_to_fence(tmp_path), Forgetful()
    site.shell.silent.add(NODE)
    site.shell.pinging.add(NODE)

    calls = []

    def hang(hypervisor: str, /) -> str | None:
        calls.append(hypervisor)
        raise StillHangsError

    site.cloud.nova.uptime = hang  # type: ignore[method-assign]  # the fake's
    world = replace(site.world(), together=together)

    looks = [read_fence(world, site.journal, ASKED, None).life for _ in range(2)]

    assert looks == [Life.HUNG, Life.HUNG]
    assert calls.count(an_id(NODE)) == len(looks)
    site.close()


@pytest.mark.parametrize(
    ("answers", "deaf"),
    [
        pytest.param(("hangs", "hangs"), ("compute-08", "compute-09"), id="none was called"),
        pytest.param(("hangs", "refused"), ("compute-08",), id="the other is refused"),
        pytest.param(("silent", "refused"), ("compute-08",), id="silent, and one is refused"),
        pytest.param(("refused", "refused"), (), id="Nova calls neither"),
        pytest.param(("hangs", "well"), (), id="one answers"),
    ],
)
def test_who_was_not_called_does_not_show_that_rabbitmq_is_well(
    answers: tuple[str, str], deaf: tuple[str, ...], tmp_path: Path
) -> None:
    site, together = with_one_that_died(tmp_path), Forgetful()
    nova, uptime = site.cloud.nova, site.cloud.nova.uptime
    how = dict(zip(map(an_id, ("compute-08", "compute-09")), answers, strict=True))

    def told(hypervisor: str, /) -> str | None:
        match how[hypervisor]:
            case "hangs":
                raise StillHangsError
            case "refused":
                raise Refused("its driver has no uptime")
            case "silent":
                return None
        return uptime(hypervisor)

    nova.uptime = told  # type: ignore[method-assign]  # the fake's
    world = replace(site.world(), together=together)
    read_fence(world, site.journal, ASKED, None)

    assert read_fence(world, site.journal, ASKED, None).deaf == deaf
    site.close()


def test_who_still_calls_another_node_calls_this_one_too(tmp_path: Path) -> None:
    site, together = with_one_to_fence(tmp_path), Forgetful()
    world = replace(site.world(), together=together)
    call = world.shell.run

    def hang(*_: Any, **__: Any) -> Any:  # noqa: ANN401  # the port's
        raise StillHangsError

    world.shell.run = hang  # type: ignore[method-assign]  # the fake's
    earlier = hail(world, ["192.0.2.8"], ["compute-09"])
    world.shell.run = call  # type: ignore[method-assign]  # same

    now = hail(world, ["192.0.2.7"], ["compute-09"])

    assert (earlier.asked, now.asked) == ((), ("compute-09",))
    site.close()
