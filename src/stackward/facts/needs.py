"""What a server will ask of its next node: the question that Nova's scheduler puts to placement.

After nova 31.0 (2025.1): `scheduler/utils.py` ResourceRequest, `scheduler/request_filter.py`
compute_status_filter and map_az_to_placement_aggregate.
"""

import re

from stackward.model.compute import DISABLED, Flavor, Need, Server

_MIB_PER_GIB = 1024
_SPEC = re.compile(r"^(resources|trait)([A-Za-z0-9_-]*):(.+)$")


def need_of(server: Server) -> Need:
    """Return what one server asks for; equal needs are asked once."""
    amounts = _amounts(server.flavor, has_image=server.has_image)
    required: list[str] = []
    forbidden = [DISABLED]
    groups: dict[str, dict[str, int]] = {}
    group_traits: dict[str, list[str]] = {}
    for name, value in server.flavor.extra_specs:
        spec = _SPEC.match(name)
        if spec is None:
            continue
        what, group, of = spec.groups()
        if what == "resources" and value.isdigit():
            (groups.setdefault(group, {}) if group else amounts)[of] = int(value)
        elif what == "trait" and group:
            group_traits.setdefault(group, []).append(of if value == "required" else f"!{of}")
        elif what == "trait":
            (required if value == "required" else forbidden).append(of)
    return Need(
        resources=tuple(sorted((name, amount) for name, amount in amounts.items() if amount)),
        required=tuple(sorted(required)),
        forbidden=tuple(sorted(forbidden)),
        zone=server.pinned_zone,
        further=_granular(groups, group_traits),
    )


def _amounts(flavor: Flavor, *, has_image: bool) -> dict[str, int]:
    # A server that boots from a volume has no root disk on the node.
    root = flavor.disk_gib if has_image else 0
    swap = -(-flavor.swap_mib // _MIB_PER_GIB)
    cpus = "PCPU" if flavor.spec("hw:cpu_policy") == "dedicated" else "VCPU"
    amounts = {
        cpus: flavor.vcpus,
        "MEMORY_MB": flavor.ram_mib,
        "DISK_GB": root + flavor.ephemeral_gib + swap,
    }
    if (flavor.spec("hw:mem_encryption") or "").lower() in {"1", "true", "yes"}:
        amounts["MEM_ENCRYPTION_CONTEXT"] = 1
    return amounts


def _granular(
    groups: dict[str, dict[str, int]], traits: dict[str, list[str]]
) -> tuple[tuple[str, str], ...]:
    asked = [
        (f"resources{name}", ",".join(f"{of}:{amount}" for of, amount in sorted(amounts.items())))
        for name, amounts in sorted(groups.items())
    ]
    asked += [
        (f"required{name}", ",".join(sorted(names)))
        for name, names in sorted(traits.items())
        if name in groups
    ]
    return tuple(asked)
