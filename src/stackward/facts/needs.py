"""What a server will ask of its next node: the question that Nova's scheduler puts to placement.

After nova 31.0 (2025.1): `scheduler/utils.py` ResourceRequest, `scheduler/request_filter.py`
compute_status_filter, map_az_to_placement_aggregate and packed_virtqueue_filter. Not asked here:
the second question of `select_destinations`, for dedicated CPUs on nodes that still use
`vcpu_pin_set`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stackward.facts.cpus import CpuConflict, Cpus, cpus_of, is_true, thread_policy_of
from stackward.model.flavor import Flavor
from stackward.model.placement import DISABLED, Need, Provider
from stackward.model.server import Server

_MIB_PER_GIB = 1024
_SPEC = re.compile(r"^(resources|trait)([A-Za-z0-9_-]{1,64})?:(.+)$")
_TRAIT = "trait:"
_NOT_A_CLASS = re.compile(r"[^0-9A-Z]+")


@dataclass(slots=True)
class _Question:
    """What has been gathered: amounts and traits by group; the group without a name is ""."""

    amounts: dict[str, dict[str, int]] = field(default_factory=lambda: {"": {}})
    required: dict[str, set[str]] = field(default_factory=lambda: {"": set()})
    forbidden: dict[str, set[str]] = field(default_factory=lambda: {"": {DISABLED}})

    def adds_trait(self, group: str, trait: str, word: str) -> None:
        """Take a trait; if its value is neither of these two words, Nova logs that and goes on."""
        if word == "required":
            self.required.setdefault(group, set()).add(trait)
        elif word == "forbidden":
            self.forbidden.setdefault(group, set()).add(trait)

    def asks_for(self, *names: str) -> bool:
        """Say whether any group asks for one of these resource classes, even for 0 of it."""
        return any(name in group for group in self.amounts.values() for name in names)


def need_of(server: Server, here: Provider | None = None) -> Need:
    """Return what one server asks for; equal needs are asked once.

    `here` is the account of the node that the server is on, which corrects two guesses. If the
    image cannot be seen (an older Nova, a server that boots from a volume), the allocation shows
    the CPUs that the image dedicates. If this node does not report a trait for a feature either,
    this Nova does not ask for that trait.
    """
    flavor, image = server.flavor, dict(server.image_properties or ())
    asked = _Question()
    _take_specs(asked, flavor, image)
    _take_cpus(asked, flavor, image)
    allocated = here.allocations.get(server.id, {}) if here else {}
    if server.image_properties is None and not asked.asks_for("PCPU") and allocated.get("PCPU"):
        asked.amounts[""] |= {name: allocated.get(name, 0) for name in ("PCPU", "VCPU")}
    _take_flavor(asked, flavor, has_image=server.has_image)
    for trait in _traits_of_features(flavor, image):
        if here is None or trait in here.traits:
            asked.adds_trait("", trait, "required")
    _take_features(asked, flavor, image)
    plain = asked.amounts.pop("")
    return Need(
        resources=tuple(sorted((name, amount) for name, amount in plain.items() if amount)),
        required=tuple(sorted(asked.required.pop(""))),
        forbidden=tuple(sorted(asked.forbidden.pop(""))),
        zone=server.pinned_zone,
        further=(*_granular(asked), *_group_policy(flavor)),
    )


def _take_specs(asked: _Question, flavor: Flavor, image: Mapping[str, str]) -> None:
    for name, value in flavor.extra_specs:
        if (spec := _SPEC.match(name)) is None:
            continue
        what, group, of = spec.groups(default="")
        if what == "trait":
            asked.adds_trait(group, of, value)
        elif value.strip().isdecimal():
            asked.amounts.setdefault(group, {})[of] = int(value)
    for name, value in image.items():
        if name.startswith(_TRAIT) and value == "required":
            asked.adds_trait("", name.removeprefix(_TRAIT), value)


def _take_cpus(asked: _Question, flavor: Flavor, image: Mapping[str, str]) -> None:
    cpus = cpus_of(flavor, image)
    if isinstance(cpus, CpuConflict):  # blocks: no node is asked for it
        cpus = Cpus()
    if cpus.shared is not None:
        asked.amounts[""]["VCPU"] = cpus.shared
    if cpus.dedicated is not None:
        asked.amounts[""]["PCPU"] = cpus.dedicated
    match thread_policy_of(flavor, image):
        case "isolate":
            asked.adds_trait("", "HW_CPU_HYPERTHREADING", "forbidden")
        case "require":
            asked.adds_trait("", "HW_CPU_HYPERTHREADING", "required")
        case _:
            pass


def _take_flavor(asked: _Question, flavor: Flavor, *, has_image: bool) -> None:
    """Take the flavor's own figures, except those that its extra specs ask for by themselves."""
    plain = asked.amounts[""]
    if not asked.asks_for("VCPU", "PCPU"):
        plain["VCPU"] = flavor.vcpus
    if not asked.asks_for("MEMORY_MB"):
        plain["MEMORY_MB"] = flavor.ram_mib
    if not asked.asks_for("DISK_GB"):
        # A server that boots from a volume has no root disk on the node.
        root = flavor.disk_gib if has_image else 0
        swap = -(-flavor.swap_mib // _MIB_PER_GIB)
        plain["DISK_GB"] = root + flavor.ephemeral_gib + swap


def _take_features(asked: _Question, flavor: Flavor, image: Mapping[str, str]) -> None:
    if is_true(flavor.spec("hw:mem_encryption")) or is_true(image.get("hw_mem_encryption")):
        asked.amounts[""]["MEM_ENCRYPTION_CONTEXT"] = 1
    for label in (flavor.spec("hw:pmem") or "").split(","):
        if label.strip():
            name = "CUSTOM_PMEM_NAMESPACE_" + _NOT_A_CLASS.sub("_", label.strip().upper())
            asked.amounts[""][name] = asked.amounts[""].get(name, 0) + 1


def _traits_of_features(flavor: Flavor, image: Mapping[str, str]) -> Iterator[str]:
    def given(key: str, prefix: str = "hw") -> str | None:
        return flavor.spec(f"{prefix}:{key}") or image.get(f"{prefix}_{key}")

    if version := given("tpm_version"):
        yield f"COMPUTE_SECURITY_TPM_{'2_0' if version == '2.0' else '1_2'}"
        yield f"COMPUTE_SECURITY_TPM_{'CRB' if given('tpm_model') == 'tpm-crb' else 'TIS'}"
    if given("secure_boot", "os") == "required":
        yield "COMPUTE_SECURITY_UEFI_SECURE_BOOT"
    if given("pci_numa_affinity_policy") == "socket":
        yield "COMPUTE_SOCKET_PCI_NUMA_AFFINITY"
    if mode := given("maxphysaddr_mode"):
        yield f"COMPUTE_ADDRESS_SPACE_{'EMULATED' if mode == 'emulate' else 'PASSTHROUGH'}"
    is_uefi = image.get("hw_firmware_type") == "uefi"
    if is_uefi and is_true(image.get("hw_firmware_stateless")):
        yield "COMPUTE_SECURITY_STATELESS_FIRMWARE"
    if is_true(flavor.spec("hw:virtio_packed_ring")) or is_true(image.get("hw_virtio_packed_ring")):
        yield "COMPUTE_NET_VIRTIO_PACKED"


def _granular(asked: _Question) -> Iterator[tuple[str, str]]:
    wanted = {
        name: [f"{of}:{amount}" for of, amount in sorted(amounts.items()) if amount]
        for name, amounts in sorted(asked.amounts.items())
    }
    groups = [name for name, amounts in wanted.items() if amounts]
    yield from ((f"resources{name}", ",".join(wanted[name])) for name in groups)
    for name in groups:
        its = [*sorted(asked.required.get(name, ()))]
        its += [f"!{trait}" for trait in sorted(asked.forbidden.get(name, ()))]
        if its:
            yield f"required{name}", ",".join(its)


def _group_policy(flavor: Flavor) -> Iterator[tuple[str, str]]:
    if flavor.spec("group_policy") == "isolate":
        yield "group_policy", "isolate"
