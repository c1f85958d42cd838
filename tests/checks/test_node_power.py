"""Whether a node is dead: what proves it, what disproves it, what does neither."""

from dataclasses import replace
from threading import Barrier, Event
from typing import Any

import pytest

from fakes.cloud import FakeCloud
from fakes.power import FakeDevice, FakePower
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.adapters.together import Threads
from stackward.checks.node_power import IsConfirmedOff, IsItsDevice, IsPoweredOff, NoSignOfLife
from stackward.model.hardware import Hardware
from stackward.model.power import PowerState
from stackward.plan import CheckResult, Holds, Refuted, Unverified
from stackward.ports.world import World

TOGETHER_S = 60.0  # a guard: what goes on together meets at once
NODE, PEERS = "compute-07", ("compute-08",)
MAC = "52:54:00:00:00:07"
OFF = IsPoweredOff(node=NODE)
SILENT = NoSignOfLife(node=NODE, host=NODE, addresses=(NODE,), peers=PEERS)
SAME = IsItsDevice(node=NODE, by="identity", macs=(MAC,), seen_at="2026-11-21T03:00:00+00:00")
FELL = IsItsDevice(node=NODE, by="silence", heard=("it answered",), addresses=(NODE,), peers=PEERS)
WORD = IsItsDevice(node=NODE, by="word", reference="INC-4711")


def world(*, is_dead: bool = True, **device: Any) -> World:  # noqa: ANN401  # its fields
    cloud = FakeCloud()
    shell = FakeShell(cloud)
    if is_dead:
        shell.silent.add(NODE)
        cloud.nova.computes[NODE] = replace(cloud.nova.computes[NODE], is_up=False)
    known = {"state": PowerState.OFF, "hardware": Hardware.of(macs=[MAC]), **device}
    return a_world(cloud, shell, power=FakePower(shell, {NODE: FakeDevice(**known)}))


def of_shell(answer_to: Any, **changes: Any) -> CheckResult:  # noqa: ANN401  # a check; fields
    known = world()
    for name, value in changes.items():
        setattr(known.shell, name, value)
    answer: CheckResult = answer_to.ask(known)
    return answer


@pytest.mark.parametrize("check", [OFF, SILENT, SAME, FELL, WORD], ids=lambda one: one.kind)
def test_of_a_dead_node_each_holds(check: Any) -> None:  # noqa: ANN401  # any of them
    assert isinstance(check.ask(world()), Holds)


@pytest.mark.parametrize(
    ("check", "given", "expected"),
    [
        pytest.param(OFF, {"state": PowerState.ON}, Refuted, id="it has power"),
        pytest.param(OFF, {"is_deaf": True}, Unverified, id="its device does not answer"),
        pytest.param(OFF, {"is_vague": True}, Unverified, id="its device does not say"),
        pytest.param(SILENT, {"is_dead": False}, Refuted, id="it answers"),
        pytest.param(FELL, {"is_dead": False}, Refuted, id="what was heard is heard still"),
        pytest.param(
            SAME, {"hardware": Hardware.of(macs=["52:54:00:00:00:08"])}, Refuted,
            id="its device is another machine's",
        ),
        pytest.param(SAME, {"hardware": Hardware()}, Unverified, id="it says no more whose"),
        pytest.param(SAME, {"is_deaf": True}, Unverified, id="nor does it answer"),
    ],
)  # fmt: skip
def test_what_disproves_it_and_what_proves_nothing(
    check: Any,  # noqa: ANN401  # any of them
    given: dict[str, Any],
    expected: type[CheckResult],
) -> None:
    assert isinstance(check.ask(world(**given)), expected)


def test_a_word_holds_where_no_device_can_tell_and_no_longer() -> None:
    said = IsConfirmedOff(node=NODE, reference="INC-4711")
    unswitched = world()
    unswitched.power.devices.clear()  # type: ignore[attr-defined]  # the fake's

    answers = said.ask(unswitched), said.ask(world())

    assert [type(each) for each in answers] == [Holds, Unverified]
    assert "a person's word: INC-4711" in str(answers[0])


def test_a_kernel_that_answers_is_a_sign_of_life_although_ssh_is_silent() -> None:
    answer = of_shell(SILENT, pinging={NODE})

    assert isinstance(answer, Refuted)
    assert "answers ping (asked from `compute-08`)" in answer.reason
    assert "do not evacuate it" in answer.remedy


def test_a_port_that_refuses_is_a_sign_of_life_for_a_kernel_has_said_so() -> None:
    answer = of_shell(SILENT, refusing={NODE})

    assert isinstance(answer, Refuted)
    assert "refuses connections at 22/tcp (asked from `compute-08`)" in answer.reason


def test_an_answer_at_another_of_its_networks_is_one_too() -> None:
    known = world()
    known.shell.addresses["compute-09"] = ("10.9.0.7",)  # type: ignore[attr-defined]  # of the fake

    answer = replace(SILENT, addresses=(NODE, "10.9.0.7")).ask(known)

    assert isinstance(answer, Refuted)
    assert "10.9.0.7 takes connections" in answer.reason


def test_an_address_that_a_caller_has_itself_has_moved_and_is_no_sign() -> None:
    assert isinstance(replace(SILENT, addresses=(NODE, "compute-08")).ask(world()), Holds)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"uncalled": {NODE}}, id="no way leads there from who calls"),
        pytest.param({"silent": {NODE, "compute-08"}}, id="nobody is left to call"),
    ],
)
def test_silence_counts_only_where_it_was_called(given: dict[str, Any]) -> None:
    assert isinstance(of_shell(SILENT, **given), Unverified)
    assert isinstance(of_shell(FELL, **given), Unverified)


def test_a_heartbeat_is_a_sign_of_life_although_nothing_answers() -> None:
    known = world()
    computes = known.nova.computes  # type: ignore[attr-defined]  # of the fake
    computes[NODE] = replace(computes[NODE], is_up=True)

    def beat(seconds: float) -> None:
        computes[NODE] = replace(computes[NODE], updated=f"2026-11-22T03:00:{seconds:02.0f}")

    class Beats(type(known.clock)):  # type: ignore[misc]  # the fake
        def wait(self, seconds: float) -> None:
            super().wait(seconds)
            beat(self.passed)

    answer = SILENT.ask(replace(known, clock=Beats()))

    assert isinstance(answer, Refuted)
    assert "Nova hears from its nova-compute still" in answer.reason


def test_a_persons_word_is_called_that() -> None:
    answer = WORD.ask(world())

    assert isinstance(answer, Holds)
    assert answer.read == "a person's word: INC-4711; nothing else proves it"


def test_a_device_that_once_switched_the_node_on_is_its_own() -> None:
    booted = IsItsDevice(node=NODE, by="boot", seen_at="2026-11-21T03:00:00+00:00")
    unseen = IsItsDevice(node=NODE, by="boot")

    world = a_world(FakeCloud())
    assert isinstance(booted.ask(world), Holds)
    assert isinstance(unseen.ask(world), Unverified)


def test_it_is_called_while_its_heartbeat_is_listened_for() -> None:
    known = replace(world(), together=Threads())
    both = Barrier(2, timeout=TOGETHER_S)  # broken where one waits for the other
    call, services = known.shell.run, known.nova.services
    first = iter([both.wait])

    def called(*words: Any, **more: Any) -> Any:  # noqa: ANN401  # as the port has it
        both.wait()
        return call(*words, **more)

    def heard() -> Any:  # noqa: ANN401  # same
        next(first, lambda: 0)()
        return services()

    known.shell.run = called  # type: ignore[method-assign]  # the fake's
    known.nova.services = heard  # type: ignore[method-assign]  # same

    assert isinstance(SILENT.ask(known), Holds)


def test_a_sign_of_life_is_told_before_the_listening_is_over() -> None:
    known = replace(world(), together=Threads())
    known.shell.pinging.add(NODE)  # type: ignore[attr-defined]  # of the fake
    services, is_told, heard = known.nova.services, Event(), Event()

    def listened() -> Any:  # noqa: ANN401  # as the port has it
        is_told.wait(TOGETHER_S)
        heard.set()
        return services()

    known.nova.services = listened  # type: ignore[method-assign]  # the fake's
    answer = SILENT.ask(known)
    is_still_listening = not heard.is_set()
    is_told.set()

    assert isinstance(answer, Refuted)
    assert is_still_listening
