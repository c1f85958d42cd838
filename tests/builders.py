"""Values for tests: say only what matters to the test, the rest is an ordinary small cloud."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from stackward.facts.needs import need_of
from stackward.model.claim import Claim
from stackward.model.compute_process import RunningAs
from stackward.model.domain import Disk, Domain
from stackward.model.flavor import Flavor
from stackward.model.hypervisor import Hypervisor
from stackward.model.network import Port
from stackward.model.node import ComputeNode
from stackward.model.placement import DISABLED, Candidate, Provider
from stackward.model.project import Project
from stackward.model.server import Server, ServerGroup
from stackward.model.service import ComputeService
from stackward.model.wish import WISH, Consent
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.how_to_move import HowToMove

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
RARE = {"VGPU": 4, "MEM_ENCRYPTION_CONTEXT": 4}
CPU = frozenset({"HW_CPU_X86_SSE2", "HW_CPU_X86_AVX2"})

_STATES = {"ACTIVE": ("active", 1), "PAUSED": ("paused", 3), "SHUTOFF": ("stopped", 4)}
_GUESTS = {"ACTIVE": "running", "PAUSED": "paused", "SHUTOFF": "shut off"}


@cache
def an_id(name: str) -> str:
    """Return the id of a thing of this name."""
    return str(uuid5(NAMESPACE_DNS, name))


def a_flavor(ram_mib: int = 2048, vcpus: int = 1, disk_gib: int = 0, **specs: str) -> Flavor:
    """Return a flavor; in extra specs write `__` for the colon."""
    return Flavor(
        name="small",
        vcpus=vcpus,
        ram_mib=ram_mib,
        disk_gib=disk_gib,
        extra_specs=extra_specs(specs),
    )


def extra_specs(specs: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return extra specs as a flavor has them; `__` is the colon."""
    return tuple(sorted((name.replace("__", ":"), value) for name, value in specs.items()))


def a_server(status: str = "ACTIVE", name: str = "db-01", **changes: Any) -> Server:  # noqa: ANN401  # any field
    """Return a server on `compute-07` whose states agree."""
    vm_state, power_state = _STATES.get(status, (status.lower(), 1))
    host = changes.get("host", "compute-07")
    server = Server(
        id=an_id(name),
        name=name,
        status=status,
        vm_state=vm_state,
        task_state=None,
        power_state=power_state,
        host=host,
        flavor=a_flavor(),
        project="demo",
        ports=(a_port(name, host=host),),
        launched="2026-11-20T10:00:00.000000",
    )
    return replace(server, **changes)


def a_port(server: str = "db-01", host: str | None = "compute-07", **changes: Any) -> Port:  # noqa: ANN401  # any field
    """Return a well-bound port."""
    return replace(Port(id=an_id(f"port-{server}"), server=an_id(server), host=host), **changes)


def a_domain(server: Server, **changes: Any) -> Domain:  # noqa: ANN401  # any field
    """Return the guest of a server."""
    path = f"/var/lib/nova/instances/{server.id}/disk"
    domain = Domain(
        server=server.id,
        name=f"instance-{server.name}",
        state=_GUESTS.get(server.status, "running"),
        disks=(Disk(device="vda", path=path, used_bytes=2**20, size_bytes=2**24),),
    )
    return replace(domain, **changes)


def a_service(host: str = "compute-07", **changes: Any) -> ComputeService:  # noqa: ANN401  # any field
    """Return a nova-compute service that is enabled and up."""
    service = ComputeService(
        id=an_id(f"service-{host}"),
        binary="nova-compute",
        host=host,
        is_enabled=True,
        is_up=True,
    )
    return replace(service, **changes)


def a_candidate(host: str = "compute-08", ram_mib: int = 65536, **changes: Any) -> Candidate:  # noqa: ANN401  # any field
    """Return an empty node with room."""
    candidate = Candidate(
        provider=an_id(host),
        name=host,
        host=host,
        capacity={"VCPU": 64, "MEMORY_MB": ram_mib, "DISK_GB": 1000, **RARE},
        used={},
        traits=CPU,
    )
    return replace(candidate, **changes)


def a_group(policy: str, *elsewhere: str, **changes: Any) -> ServerGroup:  # noqa: ANN401  # any field
    """Return a group with members on the hosts named."""
    group = ServerGroup(
        id=an_id("group"),
        name="pair",
        policy=policy,
        members=(),
        elsewhere=tuple((an_id(f"member-{host}"), host) for host in elsewhere),
    )
    return replace(group, **changes)


def a_node(
    *servers: Server,
    candidates: tuple[Candidate, ...] | None = None,
    **changes: Any,  # noqa: ANN401  # any field
) -> ComputeNode:
    """Return `compute-07` with these servers, all in order, and two empty nodes beside it."""
    needs = {server.id: need_of(server) for server in servers}
    room = (a_candidate(), a_candidate("compute-09")) if candidates is None else candidates
    node = ComputeNode(
        name="compute-07",
        host="compute-07",
        read_at=NOW,
        service=a_service(),
        hypervisor=Hypervisor(
            id=an_id("compute-07"),
            name="compute-07",
            host="compute-07",
            kind="QEMU",
            version=10_000_000,
        ),
        provider=Provider(
            id=an_id("compute-07"),
            allocations={server.id: needs[server.id].amounts for server in servers},
            traits=CPU,
        ),
        servers=servers,
        domains=tuple(a_domain(server) for server in servers),
        instances_filesystem="nfs4",
        needs=needs,
        candidates=dict.fromkeys(needs.values(), room),
    )
    return replace(node, **changes)


CLAIM = Claim(
    run="01J8", operator="ann", machine="bastion", since="2026-01-01T12:00:00Z", reason="DIMM"
)


def claimed(*servers: Server, **changes: Any) -> ComputeNode:  # noqa: ANN401  # any field
    """Return a node that run 01J8 has cordoned; its nova-compute runs."""
    node = a_node(*servers, service=a_service(is_enabled=False, disabled_reason=str(CLAIM)))
    provider = replace(node.provider, traits=CPU | {DISABLED})
    return replace(node, **{"provider": provider, "is_kept_off": False, **changes})


def kept_off(*servers: Server, **changes: Any) -> ComputeNode:  # noqa: ANN401  # same
    """Return a node that run 01J8 has taken out of service as a whole."""
    node = claimed(*servers, is_kept_off=True, running_as=RunningAs())
    return replace(node, **{"service": replace(node.service, is_up=False), **changes})


def asking(**given: Any) -> DrainRequest:  # noqa: ANN401  # any field
    """Return a request to drain `compute-07`; what is given says how, or is of a drain."""
    how, rest = how_of(given)
    return DrainRequest(node="compute-07", reason="bad DIMM", how=how, **rest)


def how_of(given: Mapping[str, Any]) -> tuple[HowToMove, dict[str, Any]]:
    """Part what says how servers move from all else that is given for a request."""
    names = {one.name for one in fields(HowToMove)}
    return HowToMove(**{name: given[name] for name in given if name in names}), {
        name: given[name] for name in given if name not in names
    }


def wishing(wish: str, status: str = "ACTIVE", name: str = "db-01", **changes: Any) -> Server:  # noqa: ANN401  # any field
    """Return a server whose owner has a wish."""
    return a_server(status, name, metadata=((WISH, wish),), user="eve", **changes)


def agreed(name: str = "db-01", reference: str = "CHG-77") -> dict[str, tuple[Consent, ...]]:
    """Return, for a request, that the owner of a server agrees."""
    return {"consents": (Consent(server=an_id(name), reference=reference),)}


def projects(*names: str) -> tuple[Project, ...]:
    """Return projects that are called like their ids."""
    return tuple(Project(id=name, name=name) for name in names)


def without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the mapping without one key."""
    return {name: value for name, value in mapping.items() if name != key}
