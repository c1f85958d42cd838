"""Prove that a lab's cloud works: boot a server with a network on each node, then remove it."""

from collections.abc import Sequence
from typing import Any

from stackward.errors import StepFailed
from stackward.lab.client import connect
from stackward.lab.spec import Lab
from stackward.lab.waiting import last_seen, wait_until

NAME = "lab-proof"
FLAVOR = "tiny"
ACTIVE_S = 180
GONE_S = 60


def prove(lab: Lab, nodes: Sequence[str]) -> None:
    """Boot a server on each of these compute nodes, see it ACTIVE, and remove it.

    All at the same time. Raises StepFailed with Nova's words when one does not become ACTIVE.
    """
    cloud = connect(lab)
    # Of a proof that died:
    remove(cloud, *(left.id for left in cloud.compute.servers(name=f"^{NAME}")))
    servers: list[Any] = []
    try:
        for node in nodes:
            servers.append(boot(cloud, f"{NAME}-{node}", node))  # noqa: PERF401  # one may fail
        for server in servers:
            wait_active(cloud, server.id)
    finally:
        remove(cloud, *(server.id for server in servers))


def boot(  # what is left out is Nova's to choose
    cloud: Any,  # noqa: ANN401  # the SDK's own
    name: str,
    node: str,
    *,
    address: str | None = None,
    flavor: str = FLAVOR,
    **more: Any,  # noqa: ANN401  # as above
) -> Any:  # noqa: ANN401  # as above
    """Ask for a server with a NIC on a named node and return it; it is not there yet."""
    network = {"uuid": cloud.network.find_network("lab-net", ignore_missing=False).id}
    return cloud.compute.create_server(
        name=name,
        flavor_id=cloud.compute.find_flavor(flavor, ignore_missing=False).id,
        image_id=cloud.image.find_image("guest", ignore_missing=False).id,
        networks=[network | ({"fixed_ip": address} if address else {})],
        host=node,
        **more,
    )


def wait_active(cloud: Any, server_id: str) -> Any:  # noqa: ANN401  # as above
    """Wait until a server is ACTIVE and return it.

    Raises StepFailed with Nova's fault when it ends otherwise or takes too long.
    """
    server = last_seen(
        lambda: cloud.compute.get_server(server_id),
        lambda server: server.status in ("ACTIVE", "ERROR") and server.task_state is None,
        within_s=ACTIVE_S,
    )
    if server.status != "ACTIVE":
        fault = (server.fault or {}).get("message")
        raise StepFailed(
            f"the server `{server.name}` is {server.status} and not ACTIVE",
            service="Nova",
            says=fault,
        )
    return server


def remove(cloud: Any, *servers: str) -> None:  # noqa: ANN401  # as above
    """Delete servers by their ids, all at once, and wait until they are gone.

    Raises StepFailed when one stays.
    """
    for each in servers:
        cloud.compute.delete_server(each, ignore_missing=True)
    for each in servers:

        def is_gone(gone: str = each) -> bool:
            return all(server.id != gone for server in cloud.compute.servers(all_projects=True))

        if not wait_until(is_gone, within_s=GONE_S, every_s=0.5):
            raise StepFailed(f"the server {each} was deleted and is still there")
