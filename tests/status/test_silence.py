"""A machine that no device switches: one sign of life is enough; silence takes all witnesses."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from builders import a_service
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.errors import Unreachable
from stackward.model.witness import Sign
from stackward.ports.world import World
from stackward.status.silence import LifeSeen, look_for_life

NODE, PEERS = "compute-07", ("compute-08", "compute-09")
NEWEST, MINUTE_BEFORE, BEFORE = (
    "2026-11-28T10:03:21.000000",
    "2026-11-28T10:00:01.000000",
    "2026-11-28T10:00:00.000000",
)


def a_dead_one() -> World:
    """Return a cloud with a node of which nothing answers, and that is forced down."""
    cloud = FakeCloud()
    shell = FakeShell(cloud)
    shell.silent.add(NODE)
    for host in PEERS:
        cloud.nova.computes[host] = a_service(host, updated=NEWEST)
    cloud.nova.unheard.add(NODE)
    cloud.nova.has_conductor = False
    cloud.nova.computes[NODE] = a_service(NODE, is_up=False, is_forced_down=True, updated=BEFORE)
    cloud.neutron.agents[NODE] = ("ovn-controller",)
    cloud.neutron.silent_agents.add(NODE)
    return a_world(cloud, shell)


def changed(world: World, **its_service: object) -> None:
    computes = world.nova.computes  # type: ignore[attr-defined]  # the fake's
    computes[NODE] = replace(computes[NODE], **its_service)


def hears_no_other(world: World) -> None:
    computes = world.nova.computes  # type: ignore[attr-defined]  # the fake's
    computes |= {host: replace(computes[host], is_up=False) for host in PEERS}


def does_not_answer(*_: object) -> None:
    raise Unreachable("no answer")


CASES: dict[str, tuple[Callable[[World], object], Sign]] = {
    "nothing of it answers": (lambda _: None, Sign.NO),
    "it has no agents": (lambda one: one.neutron.agents.clear(), Sign.NO),  # type: ignore[attr-defined]  # the fake's
    "Nova has never heard from it": (lambda one: changed(one, updated=None), Sign.NO),
    "it answers ping": (lambda one: one.shell.pinging.add(NODE), Sign.YES),  # type: ignore[attr-defined]  # the fake's
    "it answers ssh": (lambda one: one.shell.silent.clear(), Sign.YES),  # type: ignore[attr-defined]  # the fake's
    "an agent of it is alive": (
        lambda one: one.neutron.silent_agents.clear(), Sign.YES,  # type: ignore[attr-defined]  # the fake's
    ),
    "Nova calls it up": (
        lambda one: changed(one, is_up=True, is_forced_down=False), Sign.YES,
    ),
    "somebody has called it up": (lambda one: changed(one, is_forced_down=False), Sign.YES),
    "its record was changed a minute ago": (
        lambda one: changed(one, updated=MINUTE_BEFORE), Sign.UNKNOWN,
    ),
    "its record says no time": (lambda one: changed(one, updated="soon"), Sign.UNKNOWN),
    "Nova has no record of it": (lambda one: one.nova.computes.pop(NODE), Sign.UNKNOWN),  # type: ignore[attr-defined]  # the fake's
    "Nova hears from nobody else": (hears_no_other, Sign.UNKNOWN),
    "Nova does not answer": (
        lambda one: setattr(one.nova, "services", does_not_answer), Sign.UNKNOWN,
    ),
    "Neutron does not answer": (
        lambda one: setattr(one.neutron, "network_agents_on", does_not_answer), Sign.UNKNOWN,
    ),
    "no node can call it": (lambda one: one.shell.silent.update(PEERS), Sign.UNKNOWN),  # type: ignore[attr-defined]  # the fake's
}  # fmt: skip


def looked(change: Callable[[World], object]) -> LifeSeen:
    world = a_dead_one()
    change(world)
    return look_for_life(world, NODE, [NODE], PEERS)


@pytest.mark.parametrize("name", CASES)
def test_what_a_witness_makes_of_it(name: str) -> None:
    change, sign = CASES[name]

    assert looked(change).sign is sign


def test_a_sign_of_life_counts_although_another_witness_does_not_answer() -> None:
    def both(world: World) -> None:
        CASES["Nova does not answer"][0](world)
        CASES["it answers ping"][0](world)

    found = looked(both)

    assert (found.sign, "answers ping" in found.why) == (Sign.YES, True)


def test_silence_says_what_each_witness_has_told() -> None:
    why = looked(lambda _: None).why

    assert "Nova has not heard from its nova-compute since 2026-11-28T10:00:00" in why
    assert "Neutron hears from no agent of it" in why
    assert "no answer at compute-07 (asked from `compute-08`, `compute-09`)" in why
