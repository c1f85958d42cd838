"""A run to undo: what it did, as its journal has it, and how that is now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stackward.model.maintenance import BringBackFacts, MovedServer, ReturningNode
from stackward.model.placement import Provider
from stackward.model.run import RunState
from stackward.plan import NOT_UNDONE, Blocked, Json, Request
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.return_compute_node import ReturnRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoer:
    """Another run that undoes the same one."""

    run: str
    state: RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class UnprovedMove:
    """A server whose move was started and never proved, and where it is now."""

    name: str
    host: str | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A request that takes a run back, and the facts by which its own operation plans it."""

    request: Request
    facts: object


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """A request by which servers come back to a node, and how they and the node are now."""

    request: BringBackRequest
    home: BringBackFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """A run, and all that undoing it has to know; read once."""

    run: str
    title: str
    kind: str  # of its request
    state: RunState
    read_at: datetime
    is_cloud_known: bool = True  # its plan says that it was done here
    is_of_one: bool = False  # one of its servers alone was asked for, or none
    has_changed: bool = False  # it has started something itself
    undone_by: Undoer | None = None
    back: Sequence[Request] | Blocked | None = None  # by its operation; None: by no operation here
    unfinished: tuple[str, ...] = ()  # what is in flight or unfinished, or that nobody has ended it
    # What it took out of service, and what is there to return it:
    returning: ReturningNode | None = None
    provider: Provider | None = None  # that node's
    own_claims: frozenset[str] = frozenset()  # runs whose claim on it counts as that of this run
    has_kept_off: bool = False
    has_told_ha: bool = False  # it reported maintenance to instance HA; nobody has since
    claimed_before: str | None = None  # the reason for which the node was disabled before
    # The servers that it moved, by the node that they left, and how they are now:
    ways_back: tuple[WayBack, ...] = ()
    node_gone: tuple[tuple[MovedServer, str], ...] = ()  # that node is no more: why
    unproved: tuple[UnprovedMove, ...] = ()
    destroyed: tuple[str, ...] = ()  # old copies, in the words of its plan
    left_in_chain: tuple[str, ...] = ()  # of a chain: its runs that are not undone, and why
    whole: Part | None = None  # where one request of another kind takes all of it back

    @property
    def not_undone(self) -> Mapping[str, Json]:
        """Return what the plan says of the runs of a chain that it leaves."""
        return {NOT_UNDONE: self.left_in_chain} if self.left_in_chain else {}

    @property
    def request_of_return(self) -> ReturnRequest | None:
        """Return the request by which its node returns to service."""
        back = () if isinstance(self.back, Blocked | None) else self.back
        return next((each for each in back if isinstance(each, ReturnRequest)), None)
