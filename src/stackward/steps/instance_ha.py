"""Report maintenance to the instance-HA service, so that it does not evacuate the node.

It knows Nova's hosts by their names. What others have reported to it before us is left as it is.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from stackward.plan import Look, Mark, Standing
from stackward.ports.world import World
from stackward.steps.in_turn import ask_in_turn


@dataclass(frozen=True, slots=True, kw_only=True)
class TellInstanceHa:
    """Say to the instance-HA service that a host is in maintenance, or that it is over."""

    kind: ClassVar[str] = "tell-instance-ha"
    is_prompt: ClassVar[bool] = True

    host: str
    is_in_maintenance: bool

    @property
    def summary(self) -> str:
        """Say what it does."""
        what = "is in maintenance" if self.is_in_maintenance else "is looked after again"
        return f"report to the instance-HA service that `{self.host}` {what}"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "`openstack segment host update --on_maintenance`, with the other word"

    def mark(self, world: World, /) -> Mark:
        """Note what was reported to it before."""
        told = (each.is_in_maintenance for each in world.masakari.ha_hosts(self.host))
        return {"was": ["in maintenance" if each else "looked after" for each in told]}

    def look(self, world: World, _: Mark | None, /) -> Look:
        """Done when it says so of every entry of the host."""
        entries = world.masakari.ha_hosts(self.host)
        if all(each.is_in_maintenance == self.is_in_maintenance for each in entries):
            return Look(Standing.DONE, saw={"entries": len(entries)})
        return Look(Standing.TODO)

    def start(self, world: World, /) -> str | None:
        """Report it."""
        tell = partial(world.masakari.set_ha_host, is_in_maintenance=self.is_in_maintenance)
        asked = ask_in_turn(
            [
                partial(tell, entry)
                for entry in world.masakari.ha_hosts(self.host)
                if entry.is_in_maintenance != self.is_in_maintenance
            ]
        )
        return ", ".join(filter(None, asked)) or None
