"""Whether the instance-HA service knows that a node is in maintenance, or is not."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.plan import CheckResult, Holds, NotApplicable, Refuted
from stackward.ports.world import World
from stackward.wording import count_of


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceHaKnows:
    """The instance-HA service knows of a host's maintenance, or of its end."""

    kind: ClassVar[str] = "instance-ha-knows"

    host: str
    is_in_maintenance: bool

    @property
    def summary(self) -> str:
        """Say the statement."""
        if self.is_in_maintenance:
            return f"the instance-HA service leaves `{self.host}` alone"
        return f"the instance-HA service looks after `{self.host}`"

    def ask(self, world: World, /) -> CheckResult:
        """Look at every entry of the host."""
        entries = world.masakari.ha_hosts(self.host)
        if not entries:
            return NotApplicable(self.host, "no instance-HA service knows it")
        if all(each.is_in_maintenance == self.is_in_maintenance for each in entries):
            return Holds(
                f"on_maintenance is {self.is_in_maintenance} in {count_of(len(entries), 'segment')}"
            )
        now = "looks after it" if self.is_in_maintenance else "leaves it alone"
        return Refuted(
            self.host,
            f"the instance-HA service {now}",
            f"`openstack segment host update --on_maintenance {self.is_in_maintenance}`",
        )
