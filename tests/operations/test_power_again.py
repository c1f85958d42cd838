"""A dead node that gets power again while its servers are brought up elsewhere."""

from itertools import count
from pathlib import Path

from builders import an_id
from dying import NODE, Site
from killing import Fate
from operations.test_killed import with_one_that_died
from stackward.model.power import PowerState
from stackward.model.run import Run, RunState
from stackward.requests.evacuate_compute_node import EvacuateRequest

ASKED = EvacuateRequest(node=NODE, reason="its board burned")
LEASE = 5  # looks
AT_FIRST = 1  # how often it is switched on: once, or each time that it is off


def evacuated(site: Site, *, switched_on: int) -> Run:
    """Evacuate it, while somebody switches it on so often once Nova was told that it is down."""
    left = [switched_on]
    own = site.power.state

    def state(node: str, /, *, within_s: float | None = None) -> PowerState:
        is_down = site.cloud.nova.computes[NODE].is_forced_down
        if is_down and left[0] and not site.cloud.nova.calls["orders"]:
            left[0] -= 1
            site.power.devices[NODE].state = PowerState.ON
        return own(node, within_s=within_s)

    run = site.approved(ASKED)
    site.power.state = state  # type: ignore[method-assign]  # somebody at the machine
    return site.carry_out(run, Fate())


def test_it_is_cut_once_more_and_nothing_is_sent_before(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)

    ended = evacuated(site, switched_on=AT_FIRST)

    assert (ended.state, site.asked) == (RunState.SUCCEEDED, {"db-01": ["evacuate"]})
    assert site.power.ordered == [(NODE, "off")]
    site.close()


def test_once_more_on_it_stops_and_nothing_is_sent(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)

    ended = evacuated(site, switched_on=99)

    assert (ended.state, site.asked) == (RunState.STOPPED, {})
    assert "has power once more" in str(ended.ending)
    assert site.hosts["db-01"] == NODE
    site.close()


def test_a_device_that_loses_its_answers_is_asked_once_more_and_no_third_time(
    tmp_path: Path,
) -> None:
    site = with_one_that_died(tmp_path)
    site.power.devices[NODE].loses_answers = True

    ended = evacuated(site, switched_on=99)

    assert (ended.state, site.asked) == (RunState.STOPPED, {})
    assert site.power.ordered == [(NODE, "off")]
    assert "has power once more" in str(ended.ending)
    site.close()


def test_a_device_that_falls_silent_after_the_order_has_had_its_once_more(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    own, device = site.power.order_off, site.power.devices[NODE]

    def order_off(node: str, /, *, within_s: float | None = None) -> None:
        own(node, within_s=within_s)
        device.is_deaf = True
        site.clock.on_wait.append(lambda: setattr(device, "is_deaf", False))

    site.power.order_off = order_off  # type: ignore[method-assign]  # its management restarts
    ended = evacuated(site, switched_on=99)

    assert (ended.state, site.asked) == (RunState.STOPPED, {})
    assert site.power.ordered == [(NODE, "off")]
    site.close()


def test_a_disk_that_nova_builds_anew_is_a_failure_though_nova_says_done(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    run = site.approved(ASKED)
    site.shell.uses_own_disks = False

    ended = site.carry_out(run, Fate())

    [record] = site.cloud.nova.migrations_of_server(an_id("db-01"))
    assert (record.status, ended.state is RunState.SUCCEEDED) == ("done", False)
    assert "ITS DISK IS NOT ITS OWN" in str(ended.ending)
    site.close()


def test_a_target_that_does_not_see_the_disk_any_more_gets_no_request(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    run = site.approved(ASKED)
    nova, own = site.cloud.nova, site.cloud.nova.force_down

    def force_down(service: str, /) -> str:
        site.shell.shares_instances = False
        return own(service)

    nova.force_down = force_down  # type: ignore[method-assign]  # the storage fails just then
    ended = site.carry_out(run, Fate())

    assert (ended.state is RunState.SUCCEEDED, site.asked) == (False, {})
    site.close()


def locked_since(site: Site) -> None:
    """Let its disk be open from when Nova is told that the node is down."""
    nova, own = site.cloud.nova, site.cloud.nova.force_down

    def force_down(service: str, /) -> str:
        site.shell.locked = {an_id("db-01")}
        return own(service)

    nova.force_down = force_down  # type: ignore[method-assign]  # somebody opens it just then


def test_a_lock_that_its_node_held_is_waited_for(tmp_path: Path) -> None:
    site, waits = with_one_that_died(tmp_path), count(1)
    run = site.approved(ASKED)
    locked_since(site)

    def let_go() -> None:
        if site.shell.locked and next(waits) > LEASE:
            site.shell.locked = set()

    site.clock.on_wait.append(let_go)
    ended = site.carry_out(run, Fate())

    assert (ended.state, site.asked) == (RunState.SUCCEEDED, {"db-01": ["evacuate"]})
    assert next(waits) > LEASE
    site.close()


def test_a_lock_that_stays_is_held_by_a_living_guest_and_nothing_is_sent(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    run = site.approved(ASKED)
    locked_since(site)

    ended = site.carry_out(run, Fate())

    assert (ended.state, site.asked) == (RunState.STOPPED, {})
    assert "a guest has its disk open" in str(ended.ending)
    site.close()
