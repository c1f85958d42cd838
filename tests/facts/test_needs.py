"""What a server will ask placement for."""

from typing import Any

import pytest

from builders import a_flavor, a_server
from stackward.facts.needs import need_of


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        pytest.param({}, {"VCPU": 1, "MEMORY_MB": 2048}, id="a flavor"),
        pytest.param(
            {"flavor": a_flavor(disk_gib=20)},
            {"VCPU": 1, "MEMORY_MB": 2048, "DISK_GB": 20},
            id="a root disk",
        ),
        pytest.param(
            {"flavor": a_flavor(disk_gib=20), "has_image": False},
            {"VCPU": 1, "MEMORY_MB": 2048},
            id="boots from a volume: no root disk",
        ),
        pytest.param(
            {"flavor": a_flavor(hw__cpu_policy="dedicated")},
            {"PCPU": 1, "MEMORY_MB": 2048},
            id="dedicated CPUs",
        ),
        pytest.param(
            {"flavor": a_flavor(resources__VCPU="0", resources__CUSTOM_BAREMETAL="1")},
            {"CUSTOM_BAREMETAL": 1, "MEMORY_MB": 2048},
            id="resources of its own",
        ),
    ],
)
def test_the_amounts(server: dict[str, Any], expected: dict[str, int]) -> None:
    assert need_of(a_server(**server)).amounts == expected


def test_the_traits_and_the_zone() -> None:
    flavor = a_flavor(trait__CUSTOM_SSD="required", trait__CUSTOM_SLOW="forbidden")

    need = need_of(a_server(flavor=flavor, pinned_zone="z1"))

    assert (need.required, need.forbidden, need.zone) == (
        ("CUSTOM_SSD",),
        ("COMPUTE_STATUS_DISABLED", "CUSTOM_SLOW"),
        "z1",
    )


def test_granular_groups_are_asked_as_they_are() -> None:
    flavor = a_flavor(resources1__VGPU="1", trait1__CUSTOM_A100="required")

    assert need_of(a_server(flavor=flavor)).further == (
        ("resources1", "VGPU:1"),
        ("required1", "CUSTOM_A100"),
    )
