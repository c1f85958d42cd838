"""Servers that are built, moved and deleted all the time, as in a cloud that is in use."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from real_lab import RealLab, until
from stackward.lab import proof
from stackward.lab.client import connect
from stackward.lab.load import attach_volume, wait_status, wait_volume

NAME = "churn"
ACTS = ("built", "moved live", "moved cold", "given a volume", "deleted")
MOVES_S = 180


@dataclass
class Churn:
    """What was done so far, and what went wrong; one of its own ends it for all."""

    lab: RealLab
    done: Counter[str] = field(default_factory=Counter)
    errors: list[BaseException] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def goes_on(self, at_least: int) -> bool:
        """Say whether it goes on, and has not done each thing so often yet."""
        return not self.errors and any(self.done[act] < at_least for act in ACTS)

    def turn(self, name: str, node: str) -> None:
        """Build, move and delete a server again and again, until all is over."""
        try:
            cloud = connect(self.lab.spec)  # a thread has a connection of its own
            while not self.is_over.is_set():
                self._life(cloud, name, node)
        except BaseException as error:  # noqa: BLE001  # the main thread asks for it
            self.errors.append(error)

    def _life(self, cloud: Any, name: str, node: str) -> None:  # noqa: ANN401  # the SDK's own
        compute, server = cloud.compute, str(proof.boot(cloud, name, node).id)
        proof.wait_active(cloud, server)
        self.done["built"] += 1
        compute.live_migrate_server(server, host=None, block_migration="auto")
        _elsewhere(cloud, server, "ACTIVE", node)
        self.done["moved live"] += 1
        volume = attach_volume(cloud, compute.get_server(server))
        self.done["given a volume"] += 1
        now = compute.get_server(server).hypervisor_hostname
        compute.migrate_server(server)
        _elsewhere(cloud, server, "VERIFY_RESIZE", now)
        compute.confirm_server_resize(server)
        wait_status(cloud, server, "ACTIVE")
        self.done["moved cold"] += 1
        proof.remove(cloud, server)
        self.done["deleted"] += 1
        wait_volume(cloud, volume.id, "available")
        cloud.block_storage.delete_volume(volume.id)


def _elsewhere(cloud: Any, server: str, status: str, node: str) -> None:  # noqa: ANN401  # same
    """Wait until a server is at rest on another node."""

    def is_there() -> bool:
        found = cloud.compute.get_server(server)
        assert found.status != "ERROR", (found.fault or {}).get("message")
        is_at_rest = (found.status, found.task_state) == (status, None)
        return bool(is_at_rest and found.hypervisor_hostname != node)

    until(is_there, within_s=MOVES_S)


@contextmanager
def churning(lab: RealLab, nodes: Sequence[str]) -> Iterator[Churn]:
    """Have a server live and die on each of these nodes, until this is left; none stays."""
    churn = Churn(lab)
    turns = [
        threading.Thread(target=churn.turn, args=(f"{NAME}-{at}", node))
        for at, node in enumerate(nodes)
    ]
    for each in turns:
        each.start()
    try:
        yield churn
    finally:
        churn.is_over.set()
        for each in turns:
            each.join()
        left = [one.id for one in lab.cloud.compute.servers(name=f"^{NAME}-")]
        proof.remove(lab.cloud, *left)
