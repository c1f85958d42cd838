"""A cluster manager on a node, and what it says of the resources that it runs: Pacemaker."""

from collections.abc import Collection
from dataclasses import dataclass

from stackward.model.identity import Likeness, compare


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource, or one instance of a clone."""

    name: str
    agent: str  # "systemd:haproxy", "ocf:heartbeat:galera"
    role: str  # "Started", "Stopped", "Promoted", ...
    wanted_role: str | None = None  # what somebody has asked for, such as "Stopped"
    nodes: tuple[str, ...] = ()  # where it runs
    is_managed: bool = True
    is_failed: bool = False
    is_blocked: bool = False  # Pacemaker can do nothing about it

    @property
    def is_off(self) -> bool:
        """Say whether somebody has asked for it not to run."""
        return self.wanted_role == "Stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A node of the cluster, by the name that the cluster has for it."""

    name: str
    is_online: bool
    is_unclean: bool = False  # nobody knows what it still runs: it has to be fenced
    is_standby: bool = False
    is_in_maintenance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAction:
    """An action on a resource that failed, and was not cleaned up."""

    resource: str
    node: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """All that Pacemaker says, as one of its nodes sees it."""

    members: tuple[Member, ...]
    resources: tuple[Resource, ...]
    failed: tuple[FailedAction, ...] = ()
    is_in_maintenance: bool = False
    has_quorum: bool = True

    def member(self, names: Collection[str]) -> Member | None:
        """Return the node of the cluster that has one of these names, by the one rule of names."""
        for likeness in (Likeness.SAME, Likeness.ALIKE):
            found = [
                one
                for one in self.members
                if any(compare(one.name, name) is likeness for name in names)
            ]
            if found:
                return found[0] if len(found) == 1 else None
        return None
