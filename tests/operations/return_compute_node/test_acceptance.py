"""What the acceptance server is made of: what was named, else the smallest that will do."""

from dataclasses import replace

import pytest

from fakes.glance import GUEST
from fakes.neutron import LAB_NET
from fakes.nova import TINY
from stackward.errors import BadInput
from stackward.operations.return_compute_node.acceptance import (
    choose_flavor,
    choose_image,
    choose_network,
)

BIG = replace(GUEST, id="big", name="big", size_bytes=2**40)


@pytest.mark.parametrize(
    ("smaller", "chosen"),
    [
        pytest.param({}, "s", id="the smallest"),
        pytest.param({"status": "queued"}, "big", id="not one without content"),
        pytest.param({"is_public": False}, "big", id="not somebody's own"),
        pytest.param({"is_hidden": True}, "big", id="not a hidden one"),
        pytest.param({"disk_format": "iso"}, "big", id="not an installer"),
    ],
)
def test_the_image_that_is_chosen(smaller: dict[str, object], chosen: str) -> None:
    small = replace(GUEST, id="s", size_bytes=1, **smaller)  # type: ignore[arg-type]  # its fields

    assert choose_image([BIG, small], None).id == chosen


@pytest.mark.parametrize(
    ("smaller", "chosen"),
    [
        pytest.param({}, "s", id="the smallest"),
        pytest.param({"is_disabled": True}, TINY.id, id="not a disabled one"),
        pytest.param({"is_public": False}, TINY.id, id="not one of few projects"),
        pytest.param({"extra_specs": (("hw:x", "y"),)}, TINY.id, id="not one that asks for more"),
        pytest.param({"ram_mib": 8}, TINY.id, id="not one with too little memory"),
        pytest.param({"disk_gib": 1}, TINY.id, id="not one with too small a disk"),
        pytest.param({"disk_gib": 8}, "s", id="one whose disk is large enough"),
    ],
)
def test_the_flavor_that_is_chosen(smaller: dict[str, object], chosen: str) -> None:
    image = replace(GUEST, min_ram_mib=16, virtual_bytes=5 * 2**30)
    small = replace(TINY, **{"id": "s", "ram_mib": 64, **smaller})  # type: ignore[arg-type]  # its fields

    assert choose_flavor([TINY, small], image, None).id == chosen


def test_what_is_named_is_taken_by_name_or_id() -> None:
    assert choose_image([BIG], "big") is BIG
    assert choose_flavor([TINY], GUEST, "tiny") is TINY
    assert choose_flavor([TINY], GUEST, TINY.id) is TINY
    assert choose_network([LAB_NET], "lab-net") is LAB_NET
    assert choose_network([], None) is None


def test_a_name_that_two_bear_is_refused_with_their_ids() -> None:
    with pytest.raises(BadInput) as caught:
        choose_network([LAB_NET, replace(LAB_NET, id="other")], "lab-net")

    assert set(caught.value.details) == {LAB_NET.id, "other"}


def test_an_image_without_content_is_refused() -> None:
    with pytest.raises(BadInput, match="`queued`"):
        choose_image([replace(GUEST, status="queued")], "guest")


def test_nothing_that_will_do_is_said_with_the_flag() -> None:
    with pytest.raises(BadInput) as caught:
        choose_image([], None)

    assert caught.value.hint == "name one with `--image`"
