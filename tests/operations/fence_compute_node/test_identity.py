"""Whose device it is that the inventory names for a node."""

import pytest

from stackward.model.hardware import Hardware
from stackward.status.power_device import Remembered, Whose, identify

OWN = Hardware.of(uuid="4c4c4544-0058-4b10-8051-b7c04f324233", macs=["52:54:00:00:00:07"])
OTHER = Hardware.of(uuid="4c4c4544-0058-4b10-8051-b7c04f324299", macs=["52:54:00:00:00:08"])
NOTHING = Hardware()
ONE_CARD = Hardware.of(macs=["52:54:00:00:00:07"])


def said(hardware: Hardware, node: str = "compute-07") -> Remembered:
    return Remembered(node=node, hardware=hardware, seen_at="2026-11-22T03:00:00+00:00")


@pytest.mark.parametrize(
    ("told", "own", "others", "heard", "whose"),
    [
        pytest.param(OWN, said(OWN), [], False, Whose.IDENTITY, id="it says what the node said"),
        pytest.param(ONE_CARD, said(OWN), [], False, Whose.IDENTITY, id="one card is enough"),
        pytest.param(OTHER, said(OWN), [], False, Whose.ANOTHERS, id="another machine"),
        pytest.param(
            OTHER, said(OWN), [], True, Whose.ANOTHERS, id="another machine, whatever is heard"
        ),
        pytest.param(
            OTHER, None, [said(OTHER, "compute-08")], True, Whose.ANOTHERS,
            id="what compute-08 once said",
        ),
        pytest.param(NOTHING, said(OWN), [], False, Whose.UNKNOWN, id="it cannot say"),
        pytest.param(NOTHING, said(OWN), [], True, Whose.SILENCE, id="it cannot say; one is heard"),
        pytest.param(OWN, None, [], False, Whose.UNKNOWN, id="nobody has seen the node well"),
        pytest.param(OWN, None, [], True, Whose.SILENCE, id="nor this one, and it is heard"),
        pytest.param(
            ONE_CARD, said(OWN), [said(ONE_CARD, "compute-08")], False, Whose.UNKNOWN,
            id="a card that another node has too identifies nobody",
        ),
        pytest.param(
            OWN, said(OWN), [said(ONE_CARD, "compute-08")], False, Whose.IDENTITY,
            id="the same, and a UUID that it alone has",
        ),
    ],
)  # fmt: skip
def test_whose_device_it_is(
    told: Hardware, own: Remembered | None, others: list[Remembered], *, heard: bool, whose: Whose
) -> None:
    assert identify(told, own, others, is_heard=heard).whose is whose


def test_the_owner_of_anothers_device_is_named() -> None:
    found = identify(OTHER, said(OWN), [said(OTHER, "compute-08")], is_heard=False)

    assert found.owner == "compute-08"
