"""ASK: what may be asked for, one plain value per operation, for all operations to use.

A request is found by its kind, and its module imported only then.
"""

from typing import Protocol, runtime_checkable

from stackward.plan.kinds import ByKind
from stackward.requests.how_to_move import HowToMove

KINDS = ByKind(
    __name__,
    {
        "bring-back-servers": "bring_back_servers.BringBackRequest",
        "chain": "chain.ChainRequest",
        "change-boot-gate": "change_boot_gate.GateRequest",
        "drain-compute-node": "drain_compute_node.DrainRequest",
        "evacuate-compute-node": "evacuate_compute_node.EvacuateRequest",
        "fence-compute-node": "fence_compute_node.FenceRequest",
        "reattach-volumes": "reattach_volumes.ReattachRequest",
        "reboot-compute-node": "reboot_compute_node.RebootNodeRequest",
        "reboot-server": "reboot_server.RebootRequest",
        "reconcile-cloud": "reconcile_cloud.ReconcileRequest",
        "recover-compute-node": "recover_compute_node.RecoverRequest",
        "return-compute-node": "return_compute_node.ReturnRequest",
        "start-servers": "start_servers.StartRequest",
        "undo-run": "undo_run.UndoRequest",
    },
)


@runtime_checkable
class MovesServers(Protocol):
    """A request by which servers move."""

    @property
    def how(self) -> HowToMove:
        """Return how they move, and what owners have agreed to."""
        ...
