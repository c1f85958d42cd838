"""A member of a cluster that has one database, and what it says of the others: OVSDB's Raft."""

from dataclasses import dataclass

MEMBER = "cluster member"
JOINING = "joining cluster"
LEAVING = "leaving cluster"
LEFT = "left cluster"
FAILED = "failed"
CUT_OFF = "disconnected from the cluster (election timeout)"
STATUSES = (MEMBER, JOINING, LEAVING, LEFT, FAILED, CUT_OFF)
LEADER, CANDIDATE, FOLLOWER = "leader", "candidate", "follower"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One member, as a member has it in its list."""

    server: str  # the beginning of its id: four digits
    address: str  # "tcp:192.0.2.11:6643"
    is_self: bool = False
    heard_s: float | None = None  # since its last word; None: no word yet, or not reported
    matched: int | None = None  # the last entry of the log that it is known to have, by its leader

    @property
    def host(self) -> str:
        """Return the machine of its address."""
        return self.address.partition(":")[2].rpartition(":")[0].strip("[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a cluster, as it sees itself."""

    database: str
    cluster: str | None  # its id; None: it has joined none yet
    server: str  # its own id
    address: str
    status: str  # one of STATUSES
    role: str
    term: int
    leader: str | None  # the beginning of its leader's id; None: it knows none
    election_s: float  # for how long it waits for its leader
    leads_s: float | None = None  # since it was last elected, if it says so
    last: int = 0  # the last entry of its log
    uncommitted: int = 0  # entries that no majority has yet
    unapplied: int = 0  # entries that it does not show to its clients yet
    linked: frozenset[str] = frozenset()  # members with an open connection, either way
    peers: tuple[Peer, ...] = ()  # all members, itself among them
    remotes: tuple[str, ...] = ()  # by which it tries to join

    @property
    def short(self) -> str:
        """Return its id as the others write it."""
        return self.server[:4]

    @property
    def leads(self) -> bool:
        """Say whether it is the leader, by its own word."""
        return self.role == LEADER and self.status == MEMBER


def majority(members: int) -> int:
    """Return how many members must agree."""
    return members // 2 + 1
