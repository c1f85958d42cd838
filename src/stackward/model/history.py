"""All that the journal holds of one run, as it was at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stackward.model.run import Attempt, Event, Run, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A node that a run has for itself; without a cloud, in every cloud."""

    node: str
    run: str
    cloud: str | None = None

    def excludes(self, other: "Hold") -> bool:
        """Say whether no other run may have the other hold together with this one."""
        is_in_one_cloud = self.cloud is None or other.cloud in {None, self.cloud}
        return self.node == other.node and self.run != other.run and is_in_one_cloud


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A run with its attempts and events, and what else the journal holds with it."""

    run: Run
    attempts: tuple[Attempt, ...] = ()
    events: tuple[Event, ...] = ()  # in the order of their numbers
    holds: tuple[Hold, ...] = ()  # of all runs
    workers: frozenset[str] = frozenset()  # the names of those that have not been missed
    states: Mapping[str, RunState] = field(default_factory=dict)  # of all runs, by id

    @property
    def own_holds(self) -> tuple[Hold, ...]:
        """Return what this run holds."""
        return tuple(hold for hold in self.holds if hold.run == self.run.id)

    @property
    def open(self) -> tuple[Attempt, ...]:
        """Return the attempts that are not settled."""
        return tuple(each for each in self.attempts if each.is_in_flight)
