"""Fill a lab with servers that an operator would meet: running, stopped, paused, with a volume."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stackward.errors import BadInput, StepFailed
from stackward.lab import proof
from stackward.lab.client import connect
from stackward.lab.spec import Lab
from stackward.lab.waiting import last_seen

SETTLES_S = 120
GROUP = "load-apart"


class Kind(StrEnum):
    """What a server of the load is like."""

    ACTIVE = "ACTIVE"
    SHUTOFF = "SHUTOFF"
    PAUSED = "PAUSED"
    WITH_VOLUME = "ACTIVE, with a volume"
    IN_GROUP = "ACTIVE, in an anti-affinity group"


# The first five are one of each; all that follow just run.
FIRST = (Kind.ACTIVE, Kind.SHUTOFF, Kind.PAUSED, Kind.WITH_VOLUME, Kind.IN_GROUP)


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
    there = {server.name: server for server in cloud.compute.servers()}

    def one(position: int) -> Loaded:
        name, kind = f"load-{position}", kind_of(position)
        place = nodes[(position - 1) % len(nodes)]
        server = there.get(name)
        if server is None:
            hints = {"group": group.id} if group and kind is Kind.IN_GROUP else {}
            server = proof.boot(cloud, name, place, scheduler_hints=hints)
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
    wanted = kind.value if kind in (Kind.SHUTOFF, Kind.PAUSED) else "ACTIVE"
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
    return server


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
