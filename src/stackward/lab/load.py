"""Fill a lab with servers that an operator would meet: running, stopped, paused, with a volume.

Some are there for the loss of a node: with a tier, with a priority, switched off by their guest
before it, and stopped by their owner after it.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stackward.errors import BadInput, Refused, StepFailed
from stackward.lab import proof, ssh
from stackward.lab.client import connect
from stackward.lab.spec import Lab
from stackward.lab.waiting import last_seen

SETTLES_S = 120
GROUP = "load-apart"
TIER, PRIORITY = "database", "10"
TIERED = "tiny-database"  # the flavor
EPHEMERAL = "tiny-ephemeral"  # the same
EPHEMERAL_GIB = 1


class Kind(StrEnum):
    """What a server of the load is like."""

    ACTIVE = "ACTIVE"
    SHUTOFF = "SHUTOFF"
    PAUSED = "PAUSED"
    WITH_VOLUME = "ACTIVE, with a volume"
    IN_GROUP = "ACTIVE, in an anti-affinity group"
    FIRST_OF_ITS_TIER = "ACTIVE, with priority 10"
    IN_TIER = "ACTIVE, of the tier `database`"
    BY_ITS_GUEST = "SHUTOFF, by its own guest"
    STOPPED_LATER = "ACTIVE; its owner stops it after a loss"
    WITH_EPHEMERAL = "ACTIVE, with an ephemeral disk"


# The first eleven, in order; all that follow just run.
FIRST = (
    *(Kind.ACTIVE, Kind.SHUTOFF, Kind.PAUSED, Kind.WITH_VOLUME, Kind.IN_GROUP, Kind.ACTIVE),
    *(Kind.FIRST_OF_ITS_TIER, Kind.IN_TIER, Kind.BY_ITS_GUEST, Kind.STOPPED_LATER),
    Kind.WITH_EPHEMERAL,
)
FLAVORS = {Kind.IN_TIER: TIERED, Kind.WITH_EPHEMERAL: EPHEMERAL}
_OFF = {Kind.SHUTOFF, Kind.BY_ITS_GUEST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A server of the load."""

    name: str
    id: str
    node: str
    kind: Kind


def kind_of(position: int) -> Kind:
    """Return what the server at that position, from 1, is like."""
    return FIRST[position - 1] if position <= len(FIRST) else Kind.ACTIVE


def fill(lab: Lab, count: int, node: str | None, tell: Callable[[str], None]) -> list[Loaded]:
    """Make sure that the servers `load-1` to `load-COUNT` are there and as they should be.

    They belong to the project `demo`; without `node` they are spread over the compute nodes.

    Raises BadInput for a node that runs no guests, StepFailed when a server does not become what
    it should be.
    """
    nodes = [compute.name for compute in lab.compute_nodes]
    if node is not None:
        if lab.node(node).name not in nodes:
            raise BadInput(
                f"`{node}` is not a compute node",
                hint="compute nodes: " + ", ".join(f"`{name}`" for name in nodes),
            )
        nodes = [node]
    cloud = connect(lab, project="demo")
    group = anti_affinity_group(cloud) if count >= FIRST.index(Kind.IN_GROUP) + 1 else None
    if count >= FIRST.index(Kind.IN_TIER) + 1:
        make_flavor(connect(lab), TIERED, extra={"stackward:tier": TIER})
    if count >= FIRST.index(Kind.WITH_EPHEMERAL) + 1:
        make_flavor(connect(lab), EPHEMERAL, ephemeral_gib=EPHEMERAL_GIB)
    there = {server.name: server for server in cloud.compute.servers()}

    def one(position: int) -> Loaded:
        name, kind = f"load-{position}", kind_of(position)
        place = nodes[(position - 1) % len(nodes)]
        server = there.get(name)
        if server is None:
            hints = {"group": group.id} if group and kind is Kind.IN_GROUP else {}
            flavor = FLAVORS.get(kind, proof.FLAVOR)
            server = proof.boot(cloud, name, place, flavor=flavor, scheduler_hints=hints)
        if kind is Kind.BY_ITS_GUEST:
            server = off_by_its_guest(lab, cloud, server.id)
        server = become(cloud, server.id, kind)
        tell(f"{name} on {server.hypervisor_hostname}: {kind}")
        return Loaded(name=name, id=server.id, node=server.hypervisor_hostname, kind=kind)

    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(one, range(1, count + 1)))


def become(cloud: Any, server_id: str, kind: Kind) -> Any:  # noqa: ANN401  # the SDK's own
    """Bring a server into the state that its kind asks for and return it."""
    compute = cloud.compute
    server = compute.get_server(server_id)
    if server.status in ("BUILD", "ERROR"):
        server = proof.wait_active(cloud, server_id)
    wanted = "SHUTOFF" if kind in _OFF else "PAUSED" if kind is Kind.PAUSED else "ACTIVE"
    if server.status == "SHUTOFF" and wanted != "SHUTOFF":  # its node lost its power
        compute.start_server(server_id)
        server = wait_status(cloud, server_id, "ACTIVE")
    if server.status == "ACTIVE" and wanted == "SHUTOFF":
        compute.stop_server(server_id)
    elif server.status == "ACTIVE" and wanted == "PAUSED":
        compute.pause_server(server_id)
    server = wait_status(cloud, server_id, wanted)
    if kind is Kind.WITH_VOLUME and not list(compute.volume_attachments(server_id)):
        attach_volume(cloud, server)
    if kind is Kind.FIRST_OF_ITS_TIER:
        compute.set_server_metadata(server_id, **{"stackward:priority": PRIORITY})
    return server


def off_by_its_guest(lab: Lab, cloud: Any, server_id: str) -> Any:  # noqa: ANN401  # as above
    """Have the guest of a server switch itself off; return the server once Nova calls it off.

    Nova finds it off by itself, and asks for a stop without a user: about 20 s later. One that is
    off already is left so.

    Raises StepFailed when it does not get there.
    """
    server = cloud.compute.get_server(server_id)
    if server.status == "SHUTOFF":
        return server
    server = proof.wait_active(cloud, server_id)
    ssh.on_node(lab, server.hypervisor_hostname, _typed(server.instance_name, server.id))
    return wait_status(cloud, server_id, "SHUTOFF")


def _typed(domain: str, server_id: str) -> str:
    # A guest that ticks may not have its shell yet, and what is typed before that is lost; QEMU
    # reads from a terminal only while somebody has it open.
    log = f"/var/lib/nova/instances/{server_id}/console.log"
    # When QEMU ends, it hangs up the terminal: that would kill any process that has it open.
    return f"""
trap '' HUP
exec 3<>$(virsh ttyconsole {domain})
timeout 90 sh -c "until grep -q tick {log}; do sleep 0.5; done"
for _ in 1 2 3 4 5 6 7 8 9; do
    printf '\\rpoweroff -f\\r' >&3
    timeout 5 sh -c "while virsh domstate {domain} | grep -q running; do sleep 0.3; done" && exit
done
exit 1
"""


def stop_after_loss(lab: Lab) -> Loaded:
    """Have the owner stop the server of the load that he stops after a loss of its node.

    A node that is dead carries that out once it is back: the order is given, and not waited for.

    Raises Refused where the load has no such server, or where it is off already.
    """
    cloud = connect(lab, project="demo")
    name = f"load-{FIRST.index(Kind.STOPPED_LATER) + 1}"
    server = next((each for each in cloud.compute.servers() if each.name == name), None)
    if server is None or server.status != "ACTIVE":
        raise Refused(
            f"`{name}` is {server.status}" if server else f"there is no server `{name}`",
            stands="nothing was changed",
            hint=f"`stackward lab load {FIRST.index(Kind.STOPPED_LATER) + 1}` has it run",
        )
    cloud.compute.stop_server(server.id)
    node = server.hypervisor_hostname
    return Loaded(name=name, id=server.id, node=node, kind=Kind.STOPPED_LATER)


def make_flavor(
    cloud: Any,  # noqa: ANN401  # as above
    name: str,
    *,
    ephemeral_gib: int = 0,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Make sure that there is a flavor like the usual one, with that in addition."""
    compute = cloud.compute
    if compute.find_flavor(name) is not None:
        return
    usual = compute.find_flavor(proof.FLAVOR, ignore_missing=False)
    made = compute.create_flavor(
        name=name,
        ram=usual.ram,
        vcpus=usual.vcpus,
        disk=usual.disk,
        ephemeral=ephemeral_gib,
        is_public=True,
    )
    if extra:
        compute.create_flavor_extra_specs(made, dict(extra))


def wait_status(cloud: Any, server_id: str, wanted: str) -> Any:  # noqa: ANN401  # as above
    """Wait until a server has a status and nothing is being done to it; return it.

    Raises StepFailed when it does not get there.
    """

    def is_there(server: Any) -> bool:  # noqa: ANN401  # as above
        return server.status == wanted and server.task_state is None

    server = last_seen(lambda: cloud.compute.get_server(server_id), is_there, within_s=SETTLES_S)
    if not is_there(server):
        task = f", {server.task_state}," if server.task_state else ""
        raise StepFailed(f"the server `{server.name}` is {server.status}{task} and not {wanted}")
    return server


def attach_volume(cloud: Any, server: Any) -> Any:  # noqa: ANN401  # as above
    """Make a volume of 1 GiB, attach it to a server, and return it once Cinder calls it in use.

    Raises StepFailed when Cinder does not get there.
    """
    volume = cloud.block_storage.create_volume(name=f"{server.name}-volume", size=1)
    wait_volume(cloud, volume.id, "available")
    cloud.compute.create_volume_attachment(server.id, volume_id=volume.id)
    return wait_volume(cloud, volume.id, "in-use")


def wait_volume(cloud: Any, volume_id: str, wanted: str) -> Any:  # noqa: ANN401  # as above
    """Wait until a volume has a status; return it.

    Raises StepFailed when it does not get there.
    """
    volume = last_seen(
        lambda: cloud.block_storage.get_volume(volume_id),
        lambda volume: volume.status in (wanted, "error"),
        within_s=SETTLES_S,
    )
    if volume.status != wanted:
        raise StepFailed(f"the volume `{volume.name}` is {volume.status} and not {wanted}")
    return volume


def anti_affinity_group(cloud: Any) -> Any:  # noqa: ANN401  # as above
    """Return the server group of the load, made when there is none."""
    for group in cloud.compute.server_groups():
        if group.name == GROUP:
            return group
    return cloud.compute.create_server_group(name=GROUP, policy="anti-affinity")
