"""Two descriptions of machines are the same machine only where something of its own agrees."""

import pytest

from stackward.model.hardware import Alike, Hardware

BOARD = "4c4c4544-0042-3510-8054-b7c04f4e5a32"
CARD, OTHER_CARD = "3c:fd:fe:9e:01:02", "3c:fd:fe:9e:01:03"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(
            Hardware.of(uuid=BOARD), Hardware.of(uuid=BOARD.upper()), Alike.SAME,
            id="one UUID, spelled in two ways",
        ),
        pytest.param(
            Hardware.of(uuid=BOARD), Hardware.of(uuid="44454c4c-4200-1035-8054-b7c04f4e5a32"),
            Alike.SAME, id="one UUID, in the order of bytes of old firmware",
        ),
        pytest.param(
            Hardware.of(macs=[CARD, OTHER_CARD]), Hardware.of(macs=["3C-FD-FE-9E-01-02"]),
            Alike.SAME, id="the device knows one of its two network cards",
        ),
        pytest.param(
            Hardware.of(uuid=BOARD, macs=[CARD]),
            Hardware.of(uuid=BOARD.replace("4", "5"), macs=[CARD]),
            Alike.SAME, id="a BMC with a UUID of its own: the card decides",
        ),
        pytest.param(
            Hardware.of(serial="5FQ5T32"), Hardware.of(serial="5FQ5T32"), Alike.SAME,
            id="one serial number, and nothing else to compare",
        ),
        pytest.param(
            Hardware.of(uuid=BOARD, serial="5FQ5T32"),
            Hardware.of(uuid=BOARD.replace("4", "5"), serial="5FQ5T32"),
            Alike.DIFFERENT, id="two nodes of one chassis have its serial number",
        ),
        pytest.param(
            Hardware.of(macs=[CARD], serial="5FQ5T32"),
            Hardware.of(macs=[OTHER_CARD], serial="5FQ5T32"),
            Alike.DIFFERENT, id="same, told by their cards",
        ),
        pytest.param(
            Hardware.of(uuid=BOARD), Hardware.of(uuid=BOARD.replace("4", "5")), Alike.DIFFERENT,
            id="another board",
        ),
        pytest.param(
            Hardware.of(uuid=BOARD), Hardware.of(macs=[CARD]), Alike.UNTOLD,
            id="nothing that both have",
        ),
        pytest.param(Hardware(), Hardware(), Alike.UNTOLD, id="nothing at all"),
    ],
)  # fmt: skip
def test_whether_they_are_the_same_machine(one: Hardware, other: Hardware, expected: Alike) -> None:
    assert {one.compare(other), other.compare(one)} == {expected}


@pytest.mark.parametrize(
    "nobodys",
    [
        Hardware.of(uuid="00000000-0000-0000-0000-000000000000"),
        Hardware.of(uuid="ffffffff-ffff-ffff-ffff-ffffffffffff"),
        Hardware.of(uuid="03000200-0400-0500-0006-000700080009"),
        Hardware.of(uuid="Not Settable"),
        Hardware.of(serial="To Be Filled By O.E.M."),
        Hardware.of(serial="Default string"),
        Hardware.of(serial="System Serial Number"),
        Hardware.of(serial="0123456789"),
        Hardware.of(serial="00000000"),
        Hardware.of(serial=" "),
        Hardware.of(macs=["00:00:00:00:00:00", "00:00:5e:00:01:33", "ff:ff:ff:ff:ff:ff", "none"]),
    ],
)
def test_what_many_machines_have_alike_proves_nothing(nobodys: Hardware) -> None:
    assert not nobodys


def test_what_agrees_is_said_in_words() -> None:
    one = Hardware.of(uuid=BOARD, serial="5FQ5T32", macs=[CARD, OTHER_CARD])

    agreeing = one.agreeing(Hardware.of(uuid=BOARD, serial="5FQ5T32", macs=[CARD, OTHER_CARD]))

    assert agreeing == ("UUID", "2 MAC addresses", "serial number")
