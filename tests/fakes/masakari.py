"""What stands for Masakari in the fast tests."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stackward.model.instance_ha import HaHost, HaNotification

if TYPE_CHECKING:
    from fakes.cloud import FakeCloud


@dataclass
class FakeMasakari:
    """Masakari, in a cloud whose catalog has it."""

    guards: dict[str, HaHost] = field(default_factory=dict)  # of the instance-HA service
    notified: dict[str, tuple[HaNotification, ...]] = field(default_factory=dict)  # by host
    calls: Counter[str] = field(default_factory=Counter)
    cloud: "FakeCloud" = field(init=False, repr=False)

    def ha_hosts(self, host: str, /) -> tuple[HaHost, ...]:
        self.calls["ha_hosts"] += 2
        entry = self.guards.get(host)
        return (entry,) if entry and "instance-ha" in self.cloud.catalog else ()

    def notifications_of(self, entry: HaHost, /) -> tuple[HaNotification, ...]:
        return self.notified.get(entry.host, ())

    def set_ha_host(self, entry: HaHost, /, *, is_in_maintenance: bool) -> None:
        self.guards[entry.host] = replace(entry, is_in_maintenance=is_in_maintenance)
