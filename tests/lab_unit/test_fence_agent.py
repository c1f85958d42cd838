"""The fence agent of a lab answers as all do, and is asked by the adapter for fence agents."""

from pathlib import Path

import pytest

from lab_builders import a_lab
from stackward.adapters.power.agent import Agent
from stackward.adapters.power.logins import Logins
from stackward.adapters.ssh.processes import Processes
from stackward.errors import NotUnderstood, StepFailed
from stackward.lab.fence_agent import DONE, FAILED, OFF, answer, main, program_of, write_program
from stackward.lab.spec import Lab
from stackward.model.power import PowerState

WITHIN_S = 30.0
PLUGS = ("c01", "c02")


class Machine:
    """A machine that an outlet feeds."""

    def __init__(self, *, has_power: bool) -> None:
        self.has_power, self.switched = has_power, list[str]()

    def is_on(self) -> bool:
        return self.has_power

    def power_on(self) -> None:
        self.has_power = True
        self.switched.append("on")

    def cut_power(self) -> None:
        self.has_power = False
        self.switched.append("off")


def ask(machine: Machine, *lines: str) -> tuple[int, str]:
    said: list[str] = []
    code = answer(lines, PLUGS, lambda _: machine, said.append)
    return code, "".join(said)


@pytest.mark.parametrize(
    ("action", "has_power", "code", "switched"),
    [
        ("status", True, DONE, []),
        ("status", False, OFF, []),
        ("off", True, DONE, ["off"]),
        ("off", False, DONE, []),
        ("on", False, DONE, ["on"]),
        ("on", True, DONE, []),
        ("reboot", True, DONE, ["off", "on"]),
        ("monitor", True, DONE, []),
    ],
)
def test_an_action_ends_and_switches_as_it_must(
    action: str, code: int, switched: list[str], *, has_power: bool
) -> None:
    machine = Machine(has_power=has_power)

    assert ask(machine, "plug=c02\n", f"action={action}\n")[0] == code
    assert machine.switched == switched


def test_its_outlets_are_the_nodes() -> None:
    assert ask(Machine(has_power=True), "action=list\n") == (DONE, "c01,\nc02,\n")


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("plug=c09\n", "action=off\n"), "there is no outlet `c09`: there are c01, c02"),
        (("action=off\n",), "there is no outlet `None`"),
        (("plug=c01\n", "action=explode\n"), "there is no action `explode`"),
    ],
)
def test_what_there_is_not_switches_nothing(lines: tuple[str, ...], why: str) -> None:
    machine = Machine(has_power=True)

    with pytest.raises(ValueError, match=why):
        ask(machine, *lines)

    assert machine.switched == []


def test_an_outlet_that_fails_is_not_called_done() -> None:
    machine = Machine(has_power=True)

    def fail() -> None:
        raise StepFailed("the fuse is blown")

    machine.cut_power = fail  # type: ignore[method-assign]

    with pytest.raises(StepFailed):
        ask(machine, "plug=c01\n", "action=off\n")


def test_the_program_of_a_lab_is_understood_by_the_adapter(tmp_path: Path) -> None:
    """No node of this lab was ever made: each outlet is off."""
    lab = a_lab(tmp_path)
    (lab.folder / "lab.json").write_text(lab.to_json())
    write_program(lab)

    told = agent_of(lab, "c01").describe(WITHIN_S)

    assert (told.state, told.can_force_off) == (PowerState.OFF, True)
    assert told.reset_types == ("on", "off", "reboot")
    with pytest.raises(NotUnderstood, match="ended with 1"):
        agent_of(lab, "c09").state(WITHIN_S)


def agent_of(lab: Lab, plug: str) -> Agent:
    return Agent(
        program=str(program_of(lab)),
        options={"plug": plug},
        logins=Logins(lab.folder / "none"),
        processes=Processes(),
    )


def test_a_folder_without_a_lab_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fence_agent", str(tmp_path)])

    assert main() == FAILED
    assert capsys.readouterr().err.startswith("fence_lab: ")
