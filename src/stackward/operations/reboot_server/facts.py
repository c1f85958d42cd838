"""Read a server to reboot: its guest, its node, and what Cinder has of its volumes."""

from dataclasses import dataclass, field
from datetime import datetime

from stackward.facts.attachments import read_attachments
from stackward.facts.bringing_up import find_server
from stackward.facts.maintenance import read_holders
from stackward.facts.moved import known_run
from stackward.model.attachments import Attachments
from stackward.model.claim import Claim, read_claim
from stackward.model.maintenance import Holder
from stackward.model.run import RunState
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.service import ComputeService
from stackward.model.stalled_move import Guest
from stackward.model.unread import Unread
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.reboot_server import RebootRequest
from stackward.status.definition import definition_of, is_uefi
from stackward.status.lookups import hypervisor_of, once_on, service_of
from stackward.status.proof import Row, boot_of
from stackward.status.stalled import read_guests


@dataclass(frozen=True, slots=True, kw_only=True)
class RebootFacts:
    """A server, and all that its reboot has to know; read once."""

    server: Server
    read_at: datetime
    service: ComputeService | None = None  # of its host; None: Nova has none, or it is on no host
    has_domains: bool = True  # False: its hypervisor is not libvirt's
    guest: Guest | Unread | None = None  # on its own node; None: its hypervisor has no domains
    boot: str | Unread | None = None  # which one of its guest runs; None: same
    # The same guest on nodes where Nova once had it:
    guest_locations: tuple[Guest, ...] | Unread = ()
    holders: tuple[Holder, ...] = ()  # runs that are going on and have its node for themselves
    claiming: RunState | None = None  # of the run that claims its node, where our journal knows it
    attachments: Attachments = field(default_factory=Attachments)
    is_uefi: bool = False  # its boot entries are kept next to its disks

    @property
    def claim(self) -> Claim | None:
        """Return Stackward's claim on its node, if it is that which disables the service."""
        if self.service is None or self.service.is_enabled:
            return None
        return read_claim(self.service.disabled_reason)


def read_reboot(
    world: World, journal: Journal, asked: RebootRequest, run_id: str | None
) -> RebootFacts:
    """Return the server as it is now; `run_id` is the run that asks: it does not hold itself up.

    The number of calls follows the server's volumes, and its last moves if its guest is not there.
    """
    server = find_server(world, asked.server)
    facts = RebootFacts(server=server, read_at=world.clock.now(), has_domains=False)
    if server.status == IN_DOWN_CELL or server.host is None:
        return facts
    service = service_of(world.nova, server.host)
    claim = read_claim(service.disabled_reason) if service else None
    claiming = known_run(journal, claim.run) if claim else None
    hypervisor = hypervisor_of(world.nova, server.host)
    guest = _own_guest(world, server, server.host)
    boot = boot_of(world, server.id, hypervisor)
    return RebootFacts(
        server=server,
        read_at=facts.read_at,
        service=service,
        has_domains=hypervisor is None or hypervisor.has_domains,
        guest=guest,
        boot=(Unread(str(boot.unread)) if boot.applies else None)
        if isinstance(boot, Row)
        else boot,
        guest_locations=_guest_locations(world, server, guest),
        holders=read_holders(journal, world.cloud.identity().id, server.host, but=run_id),
        claiming=claiming.state if claiming else None,
        attachments=read_attachments(world, server),
        is_uefi=asked.is_hard and is_uefi(definition_of(world, server.id, server.host)),
    )


def _own_guest(world: World, server: Server, host: str) -> Guest | Unread | None:
    found = read_guests(world, server.id, [host])
    return found if isinstance(found, Unread) else next(iter(found), None)


def _guest_locations(
    world: World, server: Server, guest: Guest | Unread | None
) -> tuple[Guest, ...] | Unread:
    """Look for a guest of it where Nova once had it, if none runs on its own node."""
    if not isinstance(guest, Guest) or guest.is_alive:
        return ()
    # If a guest is there, only its last moves may have left another one.
    hosts = once_on(world.nova, server, only_recent=guest.state is not None)
    return read_guests(world, server.id, hosts)
