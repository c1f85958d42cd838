"""Faults of BMCs, on a lab whose nodes are one `sleep` each: made, seen, mended and gone."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import pytest

from lab_builders import a_lab
from lab_unit.test_bmc import SleepChassis, answers_as, serve_forever, wait_for
from stackward.lab.bmc import PowerState, ResetType, power_state, reset, write_auth_file
from stackward.lab.bmcs import bmc_of, folder_of, password_of
from stackward.lab.faults import FAULTS
from stackward.lab.scene import Scene
from stackward.lab.spec import BMC_USER, Lab
from stackward.overriding import override

NUMBER = 200 - os.getpid() % 50  # of no lab that runs


class Bench(Scene):
    """A scene whose machines are such nodes."""

    @property
    @override
    def machine(self) -> Any:  # as the lab's own
        return SleepChassis(folder_of(self.lab), self.target)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Serve the BMCs of a lab that is not there but for them."""
    lab = replace(a_lab(tmp_path_factory.mktemp("lab")), number=NUMBER)
    password = password_of(lab)
    write_auth_file(folder_of(lab) / "htpasswd", BMC_USER, password)
    bmcs = [bmc_of(lab, node) for node in lab.nodes]
    service = get_context("fork").Process(target=serve_forever, args=(bmcs, folder_of(lab)))
    service.start()
    try:
        wait_for(lambda: all(answers_as(bmc, password) for bmc in bmcs))
        yield lab
    finally:
        service.terminate()
        service.join(10)
        for node in lab.nodes:
            with suppress(ProcessLookupError):
                if pid := SleepChassis(folder_of(lab), node.name).pid():
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def scene(lab: Lab) -> Bench:
    for node in lab.nodes:
        reset(bmc_of(lab, node), password_of(lab), ResetType.ON)
    return Bench(lab, "c01")


@pytest.mark.parametrize("name", ["bmc-wrong-node", "bmc-lies-off"])
def test_a_fault_of_a_bmc_shows_and_once_mended_is_gone(scene: Bench, name: str) -> None:
    fault = FAULTS[name]
    before = (fault.seen(scene), fault.gone(scene))

    fault.make(scene)
    while_it_holds = (fault.seen(scene), fault.gone(scene))
    fault.mend(scene)

    assert before == (False, True)
    assert while_it_holds == (True, False)
    assert (fault.seen(scene), fault.gone(scene)) == (False, True)
    assert scene.machine.is_on()


def test_a_bmc_that_lies_says_on_until_it_is_told_to_cut_the_power(scene: Bench) -> None:
    bmc, password = bmc_of(scene.lab, scene.node), password_of(scene.lab)
    FAULTS["bmc-lies-off"].make(scene)
    FAULTS["bmc-lies-off"].seen(scene)
    said = [power_state(bmc, password)]

    reset(bmc, password, ResetType.FORCE_OFF)
    said.append(power_state(bmc, password))
    FAULTS["bmc-lies-off"].mend(scene)

    assert said == [PowerState.ON, PowerState.OFF]
    assert scene.machine.is_on()


def test_a_bmc_with_a_wrong_cable_cuts_the_power_of_the_other_node(scene: Bench) -> None:
    bmc = bmc_of(scene.lab, scene.node)
    FAULTS["bmc-wrong-node"].make(scene)

    reset(bmc, password_of(scene.lab), ResetType.FORCE_OFF)
    FAULTS["bmc-wrong-node"].mend(scene)

    alive = {node: SleepChassis(folder_of(scene.lab), node).is_on() for node in ("c01", "c02")}
    assert alive == {"c01": True, "c02": False}
