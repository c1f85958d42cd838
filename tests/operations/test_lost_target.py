"""An evacuation whose target dies after it has started the guest: set aside, and never repeated."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from math import inf
from pathlib import Path

import pytest

from builders import an_id
from dying import NODE, Site
from killing import Fate
from operations.test_killed import with_one_that_died
from stackward.model.run import Run, RunState
from stackward.requests.evacuate_compute_node import EvacuateRequest

DB = an_id("db-01")
_DOWN_AFTER_S = 60  # `service_down_time`
ASKED = EvacuateRequest(node=NODE, reason="its board burned")
AGAIN = replace(ASKED, reset_state=(DB,))


def evacuated(site: Site, happens: Callable[[Site, str], None]) -> Run:
    """Evacuate it, while something happens to its target once that builds the server."""
    nova, own = site.cloud.nova, site.cloud.nova.evacuate

    def evacuate(server: str, target: str, /) -> str:
        request = own(server, target)
        nova.left_alone.add(nova.migrations[-1].id)
        nova.migrations[-1] = replace(nova.migrations[-1], status="pre-migrating", target=target)
        happens(site, target)
        return request

    nova.evacuate = evacuate  # type: ignore[method-assign]  # its target never ends it
    return site.carry_out(site.approved(ASKED), Fate())


def falls_silent(site: Site, target: str, from_s: float, until_s: float = inf) -> None:
    """Have its nova-compute not report between two times; Nova calls it down after a while."""
    nova, begun = site.cloud.nova, site.clock.monotonic()

    def go_on() -> None:
        passed = site.clock.monotonic() - begun
        silent_s = passed - from_s if from_s <= passed < until_s else 0
        at = nova.now - timedelta(seconds=silent_s)
        nova.computes[target] = replace(
            nova.computes[target], is_up=silent_s < _DOWN_AFTER_S, updated=at.isoformat()
        )

    site.clock.on_wait.append(go_on)


def dies(site: Site, target: str) -> None:
    falls_silent(site, target, from_s=0)
    site.shell.units[target] = ("failed", "enabled")


def restarts(site: Site, _: str) -> None:
    site.shell.compute_age_s = 5


def is_slow_and_unheard(site: Site, target: str) -> None:
    is_slow(site, target)
    falls_silent(site, target, from_s=350, until_s=470)


def is_slow_and_unrecognized(site: Site, target: str) -> None:
    is_slow(site, target)
    site.shell.without_unit.add(target)


def is_slow(site: Site, _: str) -> None:
    nova = site.cloud.nova
    number, since = nova.migrations[-1].id, site.clock.monotonic()

    def go_on() -> None:
        if site.clock.monotonic() - since > 900:
            nova.left_alone.discard(number)

    site.clock.on_wait.append(go_on)


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        pytest.param(dies, "is down, and nothing happens for 3", id="it stays down"),
        pytest.param(restarts, "was started again while it built the server", id="it restarts"),
    ],
)
def test_a_target_that_dies_is_named_and_the_order_is_not_repeated(
    happens: Callable[[Site, str], None], why: str, tmp_path: Path
) -> None:
    site = with_one_that_died(tmp_path)

    ended = evacuated(site, happens)

    assert (ended.state, site.asked) == (RunState.STOPPED, {"db-01": ["evacuate"]})
    assert why in str(ended.ending)
    assert "its guest may run there, and Nova does not know of it" in str(ended.ending)
    again = site.carry_out(ended, Fate())
    assert (again.state, site.asked) == (RunState.STOPPED, {"db-01": ["evacuate"]})
    site.close()


@pytest.mark.parametrize("happens", [is_slow, is_slow_and_unheard, is_slow_and_unrecognized])
def test_a_target_that_only_takes_long_is_waited_for(
    happens: Callable[[Site, str], None], tmp_path: Path
) -> None:
    site = with_one_that_died(tmp_path)

    ended = evacuated(site, happens)

    assert (ended.state, site.asked) == (RunState.SUCCEEDED, {"db-01": ["evacuate"]})
    site.close()
