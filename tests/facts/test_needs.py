"""What a server will ask placement for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from builders import a_flavor, a_server, extra_specs
from stackward.facts.cpus import CpuConflict, cpus_of, parse_mask, thread_policy_of
from stackward.facts.needs import need_of
from stackward.model.flavor import Flavor
from stackward.model.placement import Provider


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
        pytest.param(
            {"flavor": a_flavor(vcpus=4, resources__PCPU="2")},
            {"PCPU": 2, "MEMORY_MB": 2048},
            id="PCPU of its own: no VCPU is added",
        ),
        pytest.param(
            {"flavor": a_flavor(resources1__VCPU="1")},
            {"MEMORY_MB": 2048},
            id="VCPU in a group of its own: none is added",
        ),
        pytest.param(
            {"flavor": a_flavor(resources__MEMORY_MB="4096", resources__DISK_GB="7", disk_gib=20)},
            {"VCPU": 1, "MEMORY_MB": 4096, "DISK_GB": 7},
            id="memory and disk of its own",
        ),
        pytest.param(
            {"flavor": a_flavor(resources__CUSTOM_LICENSE="-1")},
            {"VCPU": 1, "MEMORY_MB": 2048},
            id="an amount that is none is passed over",
        ),
        pytest.param(
            {"flavor": a_flavor(hw__pmem="2GB, 2GB,small-1")},
            {
                "VCPU": 1,
                "MEMORY_MB": 2048,
                "CUSTOM_PMEM_NAMESPACE_2GB": 2,
                "CUSTOM_PMEM_NAMESPACE_SMALL_1": 1,
            },
            id="persistent memory",
        ),
        pytest.param(
            {"image_properties": (("hw_mem_encryption", "True"),)},
            {"VCPU": 1, "MEMORY_MB": 2048, "MEM_ENCRYPTION_CONTEXT": 1},
            id="memory encryption by the image",
        ),
    ],
)
def test_the_amounts(server: dict[str, Any], expected: dict[str, int]) -> None:
    assert need_of(a_server(**server)).amounts == expected


def of_four(specs: Mapping[str, str]) -> Flavor:
    """Return a flavor of four CPUs."""
    return replace(a_flavor(vcpus=4), extra_specs=extra_specs(specs))


def cpus(image: dict[str, str], **specs: str) -> dict[str, int]:
    """Return the CPUs that a server of four asks for."""
    server = a_server(flavor=of_four(specs), image_properties=tuple(image.items()))
    return {name: amount for name, amount in need_of(server).resources if name.endswith("CPU")}


DEDICATED = {"hw_cpu_policy": "dedicated"}
SHARED = {"hw_cpu_policy": "shared"}


@pytest.mark.parametrize(
    ("image", "specs", "expected"),
    [
        pytest.param({}, {}, {"VCPU": 4}, id="no policy"),
        pytest.param({}, {"hw__cpu_policy": "shared"}, {"VCPU": 4}, id="shared"),
        pytest.param({}, {"hw__cpu_policy": "dedicated"}, {"PCPU": 4}, id="dedicated"),
        pytest.param(DEDICATED, {}, {"PCPU": 4}, id="dedicated by the image"),
        pytest.param(SHARED, {}, {"VCPU": 4}, id="shared by the image"),
        pytest.param(
            SHARED,
            {"hw__cpu_policy": "dedicated"},
            {"PCPU": 4},
            id="the flavor goes beyond an image",
        ),
        pytest.param(
            {},
            {"hw__cpu_policy": "dedicated", "hw__emulator_threads_policy": "isolate"},
            {"PCPU": 5},
            id="one more for isolated emulator threads",
        ),
        pytest.param(
            DEDICATED,
            {"hw__emulator_threads_policy": "isolate"},
            {"PCPU": 5},
            id="one more, dedicated by the image",
        ),
        pytest.param(
            {},
            {"hw__cpu_policy": "dedicated", "hw__emulator_threads_policy": "share"},
            {"PCPU": 4},
            id="shared emulator threads take none",
        ),
        pytest.param(
            {},
            {"hw__emulator_threads_policy": "isolate"},
            {"VCPU": 4},
            id="none where all are shared",
        ),
        pytest.param(
            {},
            {"hw__cpu_policy": "mixed", "hw__cpu_dedicated_mask": "0-1"},
            {"VCPU": 2, "PCPU": 2},
            id="mixed by a mask",
        ),
        pytest.param(
            {},
            {"hw__cpu_policy": "mixed", "hw__cpu_dedicated_mask": "^0"},
            {"VCPU": 1, "PCPU": 3},
            id="mixed: all but one",
        ),
        pytest.param(
            {},
            {"hw__cpu_policy": "mixed", "hw__cpu_dedicated_mask": "0-3,^2-3"},
            {"VCPU": 2, "PCPU": 2},
            id="mixed: a range out of a range",
        ),
        pytest.param(
            {},
            {
                "hw__cpu_policy": "mixed",
                "hw__cpu_dedicated_mask": "3",
                "hw__emulator_threads_policy": "isolate",
            },
            {"VCPU": 3, "PCPU": 2},
            id="mixed, with isolated emulator threads",
        ),
        pytest.param(
            {},
            {"hw__cpu_policy": "mixed", "hw__cpu_realtime": "yes", "hw__cpu_realtime_mask": "^0-1"},
            {"VCPU": 2, "PCPU": 2},
            id="mixed: the realtime ones are dedicated",
        ),
        pytest.param(
            {"hw_cpu_realtime_mask": "^0"},
            {"hw__cpu_policy": "mixed", "hw__cpu_realtime": "yes", "hw__cpu_realtime_mask": "^0-1"},
            {"VCPU": 1, "PCPU": 3},
            id="mixed: the image's realtime mask goes first",
        ),
        pytest.param(
            {"hw_cpu_policy": "mixed"},
            {"hw__cpu_dedicated_mask": "0"},
            {"VCPU": 3, "PCPU": 1},
            id="mixed by the image",
        ),
    ],
)
def test_the_cpus_by_policy(
    image: dict[str, str], specs: dict[str, str], expected: dict[str, int]
) -> None:
    """Table of nova 31.0 virt/hardware.py and scheduler/utils.py."""
    assert cpus(image, **specs) == expected


@pytest.mark.parametrize(
    ("image", "specs", "why"),
    [
        pytest.param(
            DEDICATED, {"hw__cpu_policy": "shared"}, "its image `dedicated`", id="shared, dedicated"
        ),
        pytest.param(
            {"hw_cpu_policy": "mixed"}, {"hw__cpu_policy": "shared"}, "`mixed`", id="shared, mixed"
        ),
        pytest.param(
            DEDICATED,
            {"hw__cpu_policy": "mixed", "hw__cpu_dedicated_mask": "0"},
            "its image `dedicated`",
            id="mixed, dedicated",
        ),
        pytest.param(
            {}, {"hw__cpu_policy": "own"}, "`hw:cpu_policy=own` is not known", id="unknown"
        ),
        pytest.param(
            {"hw_cpu_policy": "own"},
            {},
            "`hw_cpu_policy=own` is not known",
            id="unknown, of the image",
        ),
        pytest.param(
            {}, {"hw__emulator_threads_policy": "own"}, "own", id="unknown emulator policy"
        ),
        pytest.param(
            {}, {"hw__cpu_policy": "mixed"}, "which of its CPUs", id="mixed without a mask"
        ),
        pytest.param(
            {},
            {"hw__cpu_policy": "mixed", "hw__cpu_dedicated_mask": "0-3"},
            "is no part of its CPUs",
            id="mixed, and all are dedicated",
        ),
        pytest.param(
            {},
            {"hw__cpu_policy": "mixed", "hw__cpu_dedicated_mask": "2-9"},
            "is no part of its CPUs",
            id="mixed, beyond its CPUs",
        ),
        pytest.param(
            {},
            {"hw__cpu_policy": "mixed", "hw__cpu_dedicated_mask": "two"},
            "is no part of its CPUs",
            id="a mask that makes no sense",
        ),
        pytest.param(
            {},
            {"hw__cpu_policy": "mixed", "hw__cpu_realtime": "yes"},
            "none is left for the emulator",
            id="all are realtime ones",
        ),
    ],
)
def test_policies_that_nova_refuses(image: dict[str, str], specs: dict[str, str], why: str) -> None:
    found = cpus_of(of_four(specs), image)

    assert isinstance(found, CpuConflict)
    assert why in found.why


@pytest.mark.parametrize(
    ("image", "specs", "expected"),
    [
        pytest.param({}, {}, None, id="none"),
        pytest.param({}, {"hw__cpu_thread_policy": "isolate"}, "isolate", id="of the flavor"),
        pytest.param({"hw_cpu_thread_policy": "require"}, {}, "require", id="of the image"),
        pytest.param(
            {"hw_cpu_thread_policy": "isolate"},
            {"hw__cpu_thread_policy": "prefer"},
            "prefer",
            id="a flavor that prefers is what counts",
        ),
        pytest.param(
            {"hw_cpu_thread_policy": "require"},
            {"hw__cpu_thread_policy": "isolate"},
            CpuConflict("its flavor has the thread policy `isolate`, its image `require`"),
            id="they contradict each other",
        ),
    ],
)
def test_the_thread_policy(
    image: dict[str, str], specs: dict[str, str], expected: str | CpuConflict | None
) -> None:
    assert thread_policy_of(of_four(specs), image) == expected


def test_an_image_that_cannot_be_seen_is_known_by_what_placement_has() -> None:
    server = a_server(flavor=a_flavor(vcpus=4), image_properties=None)
    here = Provider(id="p", allocations={server.id: {"PCPU": 4, "MEMORY_MB": 2048}})

    assert need_of(server, here).amounts == {"PCPU": 4, "MEMORY_MB": 2048}
    assert need_of(server).amounts == {"VCPU": 4, "MEMORY_MB": 2048}


@pytest.mark.parametrize(
    ("image", "specs", "expected"),
    [
        pytest.param(
            {"trait:CUSTOM_SSD": "required"},
            {},
            ["CUSTOM_SSD"],
            id="a trait that the image requires",
        ),
        pytest.param({"trait:CUSTOM_SSD": "nice"}, {}, [], id="no trait: another word"),
        pytest.param(
            {}, {"trait__CUSTOM_SSD": "nice"}, [], id="no trait: another word of a flavor"
        ),
        pytest.param(
            {},
            {"hw__cpu_thread_policy": "require"},
            ["HW_CPU_HYPERTHREADING"],
            id="hyper-threads are required",
        ),
        pytest.param(
            {},
            {"hw__tpm_version": "2.0", "hw__tpm_model": "tpm-crb"},
            ["COMPUTE_SECURITY_TPM_2_0", "COMPUTE_SECURITY_TPM_CRB"],
            id="a TPM and its model",
        ),
        pytest.param(
            {"hw_tpm_version": "1.2"},
            {},
            ["COMPUTE_SECURITY_TPM_1_2", "COMPUTE_SECURITY_TPM_TIS"],
            id="a TPM of the image: TIS is the usual model",
        ),
        pytest.param(
            {"os_secure_boot": "required"},
            {},
            ["COMPUTE_SECURITY_UEFI_SECURE_BOOT"],
            id="secure boot",
        ),
        pytest.param({"os_secure_boot": "optional"}, {}, [], id="secure boot that is optional"),
        pytest.param(
            {},
            {"hw__pci_numa_affinity_policy": "socket"},
            ["COMPUTE_SOCKET_PCI_NUMA_AFFINITY"],
            id="PCI devices of its socket",
        ),
        pytest.param(
            {},
            {"hw__maxphysaddr_mode": "emulate"},
            ["COMPUTE_ADDRESS_SPACE_EMULATED"],
            id="address bits",
        ),
        pytest.param(
            {"hw_firmware_type": "uefi", "hw_firmware_stateless": "true"},
            {},
            ["COMPUTE_SECURITY_STATELESS_FIRMWARE"],
            id="stateless firmware",
        ),
        pytest.param(
            {"hw_firmware_stateless": "true"}, {}, [], id="stateless, but no UEFI: ignored"
        ),
        pytest.param(
            {"hw_virtio_packed_ring": "true"}, {}, ["COMPUTE_NET_VIRTIO_PACKED"], id="packed rings"
        ),
    ],
)
def test_what_flavor_and_image_require(
    image: dict[str, str], specs: dict[str, str], expected: list[str]
) -> None:
    server = a_server(flavor=of_four(specs), image_properties=tuple(image.items()))

    assert list(need_of(server).required) == expected


def test_a_feature_that_this_node_does_not_report_is_not_asked_for() -> None:
    """An older Nova knows no trait for the model of a TPM: asking for it would find no node."""
    server = a_server(flavor=a_flavor(hw__tpm_version="2.0"))
    here = Provider(id="p", traits=frozenset({"COMPUTE_SECURITY_TPM_2_0"}))

    assert need_of(server, here).required == ("COMPUTE_SECURITY_TPM_2_0",)


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

    need = need_of(a_server(flavor=flavor))

    assert need.further == (("resources1", "VGPU:1"), ("required1", "CUSTOM_A100"))
    assert need.all_required == {"CUSTOM_A100"}


def test_groups_that_are_to_be_isolated_are_asked_so() -> None:
    flavor = a_flavor(resources1__VGPU="1", resources2__VGPU="1", group_policy="isolate")

    assert ("group_policy", "isolate") in need_of(a_server(flavor=flavor)).further


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        pytest.param("0-1,3", {0, 1, 3}, id="some"),
        pytest.param("^0", {1, 2, 3}, id="all but one"),
        pytest.param("^0-99999999999", set(), id="all but more than there are"),
        pytest.param("0-99999999999", None, id="more than there are, and not counted to"),
    ],
)
def test_a_mask_of_cpus_is_read_within_those_of_the_server(
    mask: str, expected: set[int] | None
) -> None:
    assert parse_mask(mask, 4) == expected
