"""What Nova, libvirt, placement, Neutron and Cinder each say of the servers of a cloud.

Each is a witness that was asked by itself. What one of them could not be asked is `Unread`: it says
neither yes nor no.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from stackward.model.domain import Domain
from stackward.model.migration import Migration
from stackward.model.network import Port
from stackward.model.placement import Resources
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.model.volume import Attachment, Volume


class Source(StrEnum):
    """The witnesses, in the order of the table."""

    NOVA = "Nova"
    LIBVIRT = "libvirt"
    PLACEMENT = "placement"
    NEUTRON = "Neutron"
    CINDER = "Cinder"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTestimony:
    """What is said of one of Nova's hosts."""

    host: str
    provider: str  # its account at placement
    node: str | None = None  # which node of the inventory it is, where that is known
    is_up: bool = True  # its nova-compute
    # None: its hypervisor has no domains.
    domains: tuple[Domain, ...] | Unread | None = ()
    allocations: Mapping[str, Resources] | Unread = field(default_factory=dict)  # by consumer
    ports: tuple[Port, ...] | Unread = ()  # of servers, that have any binding there


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudTestimony:
    """What was said by all of them, asked once."""

    at: datetime
    hosts: tuple[HostTestimony, ...]
    servers: Mapping[str, Server]
    is_whole: bool = True  # False: a cell is down, and Nova leaves out what it has
    records: tuple[Migration, ...] = ()  # of moves that have not ended
    volumes: Mapping[str, Volume] | Unread | None = field(default_factory=dict)  # None: no Cinder
    attachments: tuple[Attachment, ...] | Unread | None = ()

    def unread(self) -> tuple[tuple[Source, str, Unread], ...]:
        """Return what could not be read: the witness, the host (none: all), and why."""
        found: list[tuple[Source, str, Unread]] = []
        for one in self.hosts:
            asked = (
                (Source.LIBVIRT, one.domains),
                (Source.PLACEMENT, one.allocations),
                (Source.NEUTRON, one.ports),
            )
            found += [(who, one.host, told) for who, told in asked if isinstance(told, Unread)]
        cinder = next(
            (one for one in (self.volumes, self.attachments) if isinstance(one, Unread)), None
        )
        return (*found, *([(Source.CINDER, "", cinder)] if cinder else []))
