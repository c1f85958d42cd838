"""What is asked of an evacuation."""

from dataclasses import dataclass, field
from typing import ClassVar

from stackward.model.server import Server
from stackward.plan import FLAT
from stackward.requests.fence_compute_node import FenceRequest
from stackward.requests.how_to_move import HowToMove


@dataclass(frozen=True, slots=True, kw_only=True)
class EvacuateRequest:
    """What the operator asked for; servers are named by their ids."""

    kind: ClassVar[str] = "evacuate-compute-node"
    is_of_now: ClassVar[bool] = True  # what it rests on may not hold any more once it has waited

    node: str
    reason: str
    how: HowToMove = field(default=HowToMove(at_once=4), metadata=FLAT)
    target: str | None = None  # all go there
    only: tuple[str, ...] = ()  # these servers; none: all
    with_stopped: bool = False  # those that were off too
    accept_data_loss: tuple[str, ...] = ()  # of these servers what was on their disks is given up
    reset_state: tuple[str, ...] = ()  # these are first set to active, from any status
    start: tuple[str, ...] = ()  # these run again, no matter what witnesses say
    leave_off: tuple[str, ...] = ()  # these are left off
    tiers: tuple[str, ...] = ()  # in the order of their start
    kill_domain: tuple[str, ...] = ()  # NODE/ID: this guest there is ended, its disk stays
    starts_at_once: int = 2
    within_s: float = 300.0  # of each, from its start to its proof
    # As of a fence.
    kill_guests: int | None = None
    confirmed_off: str | None = None
    accept_outage: tuple[str, ...] = ()

    @property
    def fence(self) -> FenceRequest:
        """Return what is asked of the fence that comes first."""
        return FenceRequest(
            node=self.node,
            kill_guests=self.kill_guests,
            confirmed_off=self.confirmed_off,
            accept_outage=self.accept_outage,
        )

    def takes(self, server: Server) -> bool:
        """Say whether the server is asked for; one that was off is decided by its state."""
        if server.id in self.how.leave_behind:
            return False
        return not self.only or server.id in self.only
