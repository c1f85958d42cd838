"""A lab is stored and read back as it was; what cannot be one is refused."""

import json
from typing import Any

import pytest

from lab_builders import a_lab
from stackward.errors import BadInput
from stackward.lab.spec import Lab, from_json


@pytest.mark.parametrize(
    "lab",
    [
        pytest.param(a_lab(), id="small"),
        pytest.param(a_lab(profile="scale", fake_computes=20, computes=9), id="scale"),
        pytest.param(a_lab(shared_instances=True, network="192.168.7.0/24"), id="shared"),
    ],
)
def test_a_stored_lab_is_read_back_as_it_was(lab: Lab) -> None:
    assert from_json(lab.to_json()) == lab


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty: killed before a byte was written"),
        pytest.param(a_lab().to_json()[:-20], id="cut off"),
        pytest.param("\0" * 64, id="zeros: the machine lost its power"),
        pytest.param("[]", id="not a record"),
        pytest.param("null", id="null"),
    ],
)
def test_a_file_that_is_no_lab_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 0),
        ("number", "1"),
        ("computes", None),
        ("profile", "gone"),
        ("profile", ["small"]),
        ("network", "192.0.2.7/24"),
        ("network", 7),
        ("folder", 7),
        ("colour", "red"),
    ],
)
def test_a_value_that_cannot_be_is_refused(field: str, value: Any) -> None:  # noqa: ANN401  # JSON
    stored = json.loads(a_lab().to_json())

    with pytest.raises(ValueError, match=r"."):
        from_json(json.dumps({**stored, field: value}))


def test_a_field_that_is_missing_is_named() -> None:
    stored = json.loads(a_lab().to_json())
    del stored["release"]

    with pytest.raises(ValueError, match="release"):
        from_json(json.dumps(stored))


def test_the_nodes_of_a_small_lab() -> None:
    nodes = a_lab().nodes

    assert [(node.name, node.address, node.data_address, node.bmc_address) for node in nodes] == [
        ("ctl", "192.0.2.10", None, "127.77.98.10"),
        ("c01", "192.0.2.11", "10.78.0.11", "127.77.98.11"),
        ("c02", "192.0.2.12", "10.78.0.12", "127.77.98.12"),
    ]


def test_the_nodes_of_a_scale_lab_end_with_the_one_that_fakes() -> None:
    nodes = a_lab(profile="scale", computes=1).nodes

    assert [(node.name, node.role) for node in nodes] == [
        ("ctl", "control"),
        ("c01", "compute"),
        ("f01", "fake"),
    ]


def test_ids_are_the_same_in_every_lab() -> None:
    """Baked database records name them: a lab on them must have the same."""
    one, other = a_lab().node("c01"), a_lab(name="two", number=2).node("c01")

    assert (one.machine_id, one.compute_id) == (other.machine_id, other.compute_id)


def test_an_unknown_node_is_answered_with_those_there_are() -> None:
    with pytest.raises(BadInput) as refused:
        a_lab().node("c03")

    assert refused.value.message == "there is no node `c03` in the lab `lab`"
    assert refused.value.hint == "nodes: `ctl`, `c01`, `c02`"
