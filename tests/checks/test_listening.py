"""Who reports to Nova still runs; who does not is known by the reports of others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from builders import a_service
from fakes.cloud import FakeCloud
from fakes.world import a_world
from stackward.checks.listening import LISTEN_S, LONGEST_S, listen
from stackward.model.service import ComputeService
from stackward.ports.world import World

HOST, OTHER = "compute-07", "compute-08"
OWN, PEER = ("nova-compute", HOST), ("nova-compute", OTHER)
CONDUCTOR = ("nova-conductor", "ctl")


@dataclass
class Reports:
    """Services that report each in an interval of its own, in seconds, while time is waited for."""

    world: World
    every_s: Mapping[tuple[str, str], float]
    down: tuple[tuple[str, str], ...] = ()
    forced: tuple[tuple[str, str], ...] = ()
    down_after_s: float = 1e9  # without a report, from the beginning

    def begin(self) -> None:
        """Have the cloud tell of them."""
        assert isinstance(self.world.cloud, FakeCloud)
        self.world.nova.services = self.services  # type: ignore[method-assign]  # as Nova would

    def services(self) -> tuple[ComputeService, ...]:
        return tuple(self._told(*one) for one in (OWN, PEER, CONDUCTOR))

    def _told(self, binary: str, host: str) -> ComputeService:
        now = self.world.clock.monotonic()
        every = self.every_s.get((binary, host))
        late = every is None and now >= self.down_after_s and (binary, host) == OWN
        one = a_service(host, binary=binary)
        return replace(
            one,
            updated=f"report {now // every if every else 0:g}",
            is_up=(binary, host) not in self.down and not late,
            is_forced_down=(binary, host) in self.forced,
        )


@pytest.mark.parametrize(
    ("every_s", "more", "silent", "within_s"),
    [
        pytest.param({PEER: 10}, {}, True, 30, id="a neighbour has reported three times"),
        pytest.param({PEER: 10, CONDUCTOR: 1}, {}, True, 30, id="another kind does not count"),
        pytest.param({CONDUCTOR: 10}, {"down": (PEER,)}, True, 30, id="no neighbour is up"),
        pytest.param({OWN: 10, PEER: 10}, {}, False, 10, id="it reports"),
        pytest.param({OWN: 12, PEER: 10}, {}, False, 12, id="it reports a little later"),
        pytest.param({PEER: 60}, {}, True, 180, id="they report each minute"),
        pytest.param({PEER: 90}, {}, None, LONGEST_S / 3, id="they report too seldom"),
        pytest.param({}, {}, None, LONGEST_S / 3, id="nobody reports"),
        pytest.param({PEER: 60}, {"down": (OWN,)}, True, 0, id="Nova calls it down"),
        pytest.param({PEER: 60}, {"down_after_s": 20}, True, 20, id="Nova calls it down by now"),
        pytest.param(
            {PEER: 10}, {"down": (OWN,), "forced": (OWN,)}, True, 30,
            id="forced down is no word of Nova's own",
        ),
        pytest.param(
            {OWN: 10, PEER: 10}, {"down": (OWN,), "forced": (OWN,)}, False, 10,
            id="forced down, and it reports",
        ),
        pytest.param(
            {}, {"down": (OWN, PEER, CONDUCTOR)}, None, LISTEN_S,
            id="Nova calls all down: then nobody is heard",
        ),
    ],
)  # fmt: skip
def test_whether_nova_hears_from_it(
    every_s: Mapping[tuple[str, str], float],
    more: dict[str, object],
    silent: bool | None,  # noqa: FBT001  # a column of the table
    within_s: float,
) -> None:
    world = a_world(FakeCloud())
    Reports(world, every_s, **more).begin()  # type: ignore[arg-type]  # columns of the table

    heard = listen(world, HOST)

    assert heard.silent is silent
    assert world.clock.monotonic() == pytest.approx(within_s, abs=2)


def test_a_host_of_which_nova_has_no_record_is_not_heard() -> None:
    assert listen(a_world(FakeCloud()), "compute-99").silent is True
