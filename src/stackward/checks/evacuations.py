"""Whether a node has settled the evacuations from it."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.plan import CheckResult, Holds, Refuted
from stackward.ports.world import World
from stackward.status.evacuations import open_records
from stackward.wording import count_of


@dataclass(frozen=True, slots=True, kw_only=True)
class EvacuationsSettled:
    """No evacuation from a host is open: the next start of its nova-compute destroys nothing."""

    kind: ClassVar[str] = "evacuations-settled"

    host: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"no evacuation from `{self.host}` is open"

    def ask(self, world: World, /) -> CheckResult:
        """Read all records of it that are accepted, pre-migrating or done."""
        left = open_records(world, self.host)
        if not left:
            return Holds("Nova has no record that is accepted, pre-migrating or done")
        listed = ", ".join(f"{one.id} ({one.status})" for one in left)
        return Refuted(
            self.host,
            f"{count_of(len(left), 'record')} of evacuations from it are open: {listed}",
            "see what its nova-compute logs of `_destroy_evacuated_instances` at its start, repair "
            "that, and resume the run",
        )
