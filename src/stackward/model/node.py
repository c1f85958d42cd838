"""A compute node with all that decides how its servers leave it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from stackward.model.aggregate import Aggregate
from stackward.model.claim import Claim, read_claim
from stackward.model.compute_process import RunningAs
from stackward.model.domain import Domain
from stackward.model.evacuation import OpenEvacuation
from stackward.model.hypervisor import Hypervisor
from stackward.model.instance_ha import HaHost
from stackward.model.migration import Migration
from stackward.model.placement import Candidate, Need, Provider, Resources
from stackward.model.run import RunState
from stackward.model.server import Server
from stackward.model.service import ComputeService
from stackward.model.stalled_move import Guest, StalledMove
from stackward.model.unread import Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Something else that the machine does for the cloud."""

    name: str  # "OVN gateway"
    effect: str  # what users notice when the machine is taken away
    remedy: str  # what to do before that


@dataclass(frozen=True, kw_only=True)  # no slots: `_domains` is kept once it is made
class ComputeNode:
    """A compute node and all that a drain of it has to know; read once."""

    name: str  # as the inventory calls the machine
    host: str  # as Nova calls its service
    read_at: datetime
    service: ComputeService
    hypervisor: Hypervisor
    provider: Provider
    servers: tuple[Server, ...] = ()
    resizing_away: tuple[tuple[Server, Migration], ...] = ()  # VERIFY_RESIZE, now elsewhere
    migrations: tuple[Migration, ...] = ()  # in progress, from here or to here
    # Where else the guest of a server may be that libvirt does not have here.
    guest_locations: Mapping[str, tuple[Guest, ...] | Unread] = field(default_factory=dict)
    stalled_moves: Mapping[str, StalledMove] = field(default_factory=dict)  # by server
    domains: tuple[Domain, ...] | Unread = ()
    running_as: RunningAs | Unread | None = None  # None: it was not asked for
    instances_filesystem: str | Unread = "ext4"  # of /var/lib/nova/instances
    # Of the other directories (`instances_path`) in which guests here have their disks.
    other_filesystems: Mapping[str, str | Unread] = field(default_factory=dict)
    aggregates: tuple[Aggregate, ...] = ()
    zone: str = "nova"
    failure_domain: str | Unread = ""  # by the inventory, else its zone
    roles: tuple[Role, ...] = ()
    ha_hosts: tuple[HaHost, ...] | Unread = ()  # its entries in the instance-HA service
    candidates: Mapping[Need, tuple[Candidate, ...]] = field(default_factory=dict)
    needs: Mapping[str, Need] = field(default_factory=dict)  # by server
    reserved: Mapping[str, Resources] = field(default_factory=dict)  # to other drains, by provider
    acting_run: str | None = None  # for which it was read: a claim of that run is our own
    claiming_run: RunState | None = None  # of the run that claims it, where our journal knows it
    is_claim_idle: bool = False  # that run has stopped and left nothing under way or unfinished
    is_left_occupied: bool = False  # that run was approved to leave servers here
    # Whether nova-compute is off and stays off; asked where another run claims the node.
    is_kept_off: bool | Unread | None = None
    identified_at: datetime | None = None  # when it last said who it is, where it says nothing now
    evacuations: tuple[OpenEvacuation, ...] = ()  # from here, of servers that live here

    def filesystem_of(self, directory: str) -> str | Unread:
        """Return the type of the file system that holds a directory of instances."""
        return self.other_filesystems.get(directory, self.instances_filesystem)

    @property
    def claim(self) -> Claim | None:
        """Return the claim on the node, if Stackward made one for another run than this."""
        if self.service.is_enabled:
            return None
        found = read_claim(self.service.disabled_reason)
        return None if found is None or found.run == self.acting_run else found

    @property
    def is_in_maintenance(self) -> bool:
        """Say whether a run that is over has taken the node out of service."""
        return self.claim is not None and (self.claiming_run is None or self.claiming_run.is_over)

    def domain_of(self, server: str) -> Domain | None:
        """Return the server's guest on this node, if libvirt was read and has it."""
        return None if isinstance(self.domains, Unread) else self._domains.get(server)

    @cached_property
    def _domains(self) -> Mapping[str, Domain]:
        known = () if isinstance(self.domains, Unread) else self.domains
        return {domain.server: domain for domain in known}
