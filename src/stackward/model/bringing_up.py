"""A server to bring up where it is, with all that decides whether that may be done."""

from dataclasses import dataclass

from stackward.model.attachments import Attachments
from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.model.stalled_move import Guest
from stackward.model.unread import Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerToBringUp:
    """One server; where its guest is, and what Nova has started with it."""

    server: Server
    guest: Guest | Unread | None = None  # on its own node; None: its hypervisor has no domains
    elsewhere: tuple[Guest, ...] | Unread = ()  # on the nodes where Nova once had it
    evacuation: Migration | None = None  # an open record: it was evacuated from here
    # The requests in its action log; what is newer later was asked since.
    known: tuple[str, ...] = ()
    # Its attachments, if Nova has it as running and libvirt does not have it. Then only a hard
    # reboot brings it up, because that makes the guest again. None: this is not the case.
    made_anew: Attachments | None = None
