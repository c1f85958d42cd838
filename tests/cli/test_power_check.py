"""`node fence --check`: whole outputs and exit codes; nothing is switched."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fakes.nodes import NO_ROUTE
from fakes.power import FakeDevice
from fakes.site import Site
from stackward.cli import main
from stackward.model.hardware import Hardware
from stackward.model.inventory import Inventory
from stackward.ports.probes import Probes

UUID = "4c4c4544-0042-3510-8054-b7c04f4e5a32"
C01 = Hardware.of(uuid=UUID, macs=["3c:fd:fe:9e:01:02"])
C02 = Hardware.of(macs=["3c:fd:fe:9e:02:02"])


class Desk:
    """Where an operator types: a controller and two compute nodes, each with its own device."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.site = Site()
        self._path, self._capsys = path, capsys
        path.write_text("c01\nc02\n")
        del self.site.nodes.told["ctl"]
        for node, hardware in (("c01", C01), ("c02", C02)):
            self.site.told(node)["machine"] = {
                "uuid": hardware.uuid or "",
                "serial": "",
                "macs": sorted(hardware.macs),
            }
            self.site.power.devices[node] = FakeDevice(hardware=hardware)

    def run(self, *words: str) -> tuple[int, str, str]:
        code = main(
            ["node", "fence", *words, "--inventory", str(self._path)], open_probes=self._open
        )
        return (code, *self._capsys.readouterr())

    @contextmanager
    def _open(self, known: Inventory, os_cloud: str | None) -> Iterator[Probes]:
        yield self.site.probes()

    @property
    def c01(self) -> FakeDevice:
        return self.site.power.devices["c01"]


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path / "inventory", capsys)


def test_nodes_that_could_be_fenced_with_a_proof(desk: Desk) -> None:
    code, out, _ = desk.run("--check", "-f", "json")

    assert code == 0
    assert json.loads(out) == [
        {
            "Node": node,
            "State": "ok",
            "Power": "on",
            "Same machine by": by,
            "When power returns": "it does what it did before",
            "Device": f"Redfish at bmc-{node}",
            "Orders": ["On", "ForceOff", "GracefulShutdown"],
            "Findings": [],
        }
        for node, by in (("c01", ["UUID", "1 MAC address"]), ("c02", ["1 MAC address"]))
    ]


def test_nothing_is_switched(desk: Desk) -> None:
    desk.run("--check")

    assert desk.site.power.ordered == []


def swap(desk: Desk) -> None:
    devices = desk.site.power.devices
    devices["c01"], devices["c02"] = devices["c02"], devices["c01"]


def set_on_c01(**fields: Any) -> Callable[[Desk], None]:  # noqa: ANN401  # of a device
    def change(desk: Desk) -> None:
        for name, value in fields.items():
            setattr(desk.c01, name, value)

    return change


def silence_c01(desk: Desk) -> None:
    desk.site.nodes.told["c01"] = NO_ROUTE


def unname_c01(desk: Desk) -> None:
    del desk.site.power.devices["c01"]


@pytest.mark.parametrize(
    ("change", "words", "code", "finding"),
    [
        pytest.param(swap, ["c01"], 7, "power/wrong-machine", id="the device of another"),
        pytest.param(
            set_on_c01(refuses_login=True), ["c01"], 7, "power/refused", id="a wrong password"
        ),
        pytest.param(
            set_on_c01(reset_types=("On",)), ["c01"], 7, "power/no-force-off", id="no ForceOff"
        ),
        pytest.param(set_on_c01(is_deaf=True), ["c01"], 8, "power/silent", id="deaf"),
        pytest.param(set_on_c01(is_deaf=True), [], 6, "power/silent", id="one of two is deaf"),
        pytest.param(
            set_on_c01(is_vague=True), ["c01"], 8, "power/not-understood", id="says no state"
        ),
        pytest.param(unname_c01, ["c01"], 6, "power/no-device", id="no device is named"),
        pytest.param(
            set_on_c01(hardware=Hardware()), ["c01"], 6, "power/not-proved", id="says not whose"
        ),
        pytest.param(silence_c01, ["c01"], 6, "power/not-proved", id="the node is silent"),
        pytest.param(
            set_on_c01(hardware=Hardware.of(serial="5FQ5T32")),
            ["c01"],
            6,
            "power/not-proved",
            id="nothing that both tell",
        ),
    ],
)
def test_what_would_keep_a_fence_from_working_is_found(
    desk: Desk, change: Callable[[Desk], None], words: list[str], code: int, finding: str
) -> None:
    change(desk)

    ended, out, _ = desk.run(*words, "--check", "-f", "json")

    assert ended == code
    assert json.loads(out)[0]["Findings"] == [finding]


def test_a_device_of_another_machine_is_shown_with_both(desk: Desk) -> None:
    swap(desk)

    code, out, _ = desk.run("c01", "--check")

    assert code == 7
    lines = out.partition("\n\n")[2].splitlines()
    assert lines[0] == "broken: c01 [power/wrong-machine]"
    assert lines[1].endswith(
        "another machine than `c01`: it has MAC 3c:fd:fe:9e:02:02; the node has "
        "UUID 4c4c4544-0042-3510-8054-b7c04f4e5a32, MAC 3c:fd:fe:9e:01:02"
    )
    assert lines[2].startswith("  remedy  correct the device of `c01` in the inventory, and do not")


def test_a_node_that_the_inventory_does_not_name_is_refused(desk: Desk) -> None:
    code, _, err = desk.run("c99", "--check")

    assert code == 2
    assert "the inventory has no node `c99`" in err


def test_without_check_it_is_refused(desk: Desk) -> None:
    assert desk.run("c01")[0] == 2
