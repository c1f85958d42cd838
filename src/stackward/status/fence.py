"""A node to fence, and all that must be known of it."""

from dataclasses import dataclass
from datetime import datetime

from stackward.model.aggregate import Aggregate
from stackward.model.health import Finding
from stackward.model.maintenance import Holder
from stackward.model.node import Role
from stackward.model.power import PowerDevice
from stackward.model.service import ComputeService
from stackward.model.unread import Unread
from stackward.model.witness import Witnesses
from stackward.status.life import Life, Signs, judge_life
from stackward.status.outage import Compute
from stackward.status.power_device import Remembered, SwitchedOn


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceFacts:
    """A node and all that its fence has to know; read once."""

    name: str  # as the inventory calls the machine
    host: str  # as Nova calls its service
    read_at: datetime
    service: ComputeService
    is_named: bool  # the inventory has it
    device: PowerDevice | Unread | None  # None: the inventory names none
    own: Remembered | None = None  # what it said of itself while it was well
    others: tuple[Remembered, ...] = ()  # what others have said
    switched_on: SwitchedOn | None = None  # by a return of ours
    signs: Signs
    witnesses: Witnesses
    addresses: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()  # nodes that call it
    guests: int | None = None  # with power, by libvirt there; None: it did not say
    servers: int = 0  # with power, by Nova
    why_not_kept_off: str | None = None  # why its nova-compute is not stopped first; None: it is
    computes: tuple[Compute, ...] = ()
    silent_parts: tuple[str, ...] = ()  # of Nova's control plane: none of that kind reports
    deaf: tuple[str, ...] = ()  # other hosts that Nova calls up: none answers a call over RPC
    broken_members: tuple[Finding, ...] = ()  # of RabbitMQ and MariaDB, on other nodes
    unread_members: tuple[str, ...] = ()  # of which of them it is not known, and why
    aggregates: tuple[Aggregate, ...] = ()
    roles: tuple[Role, ...] = ()
    holders: tuple[Holder, ...] = ()
    identified_at: datetime | None = None  # when it last said who it is, where it says nothing now

    @property
    def life(self) -> Life:
        """Say how alive it is."""
        return judge_life(self.signs)

    @property
    def running(self) -> tuple[int, str]:
        """Return how many guests have power there, and who says so."""
        return (self.servers, "Nova") if self.guests is None else (self.guests, "libvirt")

    @property
    def heard(self) -> tuple[str, ...]:
        """Return what is heard of it now, in words."""
        return self.witnesses.heard
