"""An instance-HA service is told in mid-run that the node failed: it evacuates the node too."""

from dataclasses import replace
from pathlib import Path

import pytest

from dying import NODE, Site
from killing import Fate
from operations.test_killed import with_one_that_ran
from stackward.model.instance_ha import HaNotification
from stackward.model.run import RunState
from stackward.requests.evacuate_compute_node import EvacuateRequest

ASKED = EvacuateRequest(node=NODE, reason="its board burned", with_stopped=True)
ONCE = ["create", "evacuate", "start"]


def notify(site: Site, status: str) -> None:
    told = HaNotification(id="n1", kind="COMPUTE_HOST", status=status)
    site.cloud.masakari.notified[NODE] = (told,)


def notified_after_the_first(site: Site, status: str) -> None:
    """Let the service be told once Nova has the first request."""
    nova, own = site.cloud.nova, site.cloud.nova.evacuate

    def evacuate(server: str, target: str, /) -> str:
        notify(site, status)
        return own(server, target)

    nova.evacuate = evacuate  # type: ignore[method-assign]  # its monitor tells it just then


@pytest.mark.parametrize("status", ["new", "running", "error", "failed", "a later state"])
def test_what_is_under_way_is_ended_and_nothing_more_is_evacuated(
    tmp_path: Path, status: str
) -> None:
    site = with_one_that_ran(tmp_path)
    run = site.approved(ASKED)
    notified_after_the_first(site, status)

    ended = site.carry_out(run, Fate())

    assert (ended.state, site.asked["db-01"]) == (RunState.STOPPED, ONCE)
    assert site.asked["db-02"] == ["create", "stop"]
    assert f"notification n1 is `{status}`" in str(ended.ending)
    site.close()


def test_once_the_service_has_ended_the_run_goes_on(tmp_path: Path) -> None:
    site = with_one_that_ran(tmp_path)
    run = site.approved(ASKED)
    notified_after_the_first(site, "running")
    stopped = site.carry_out(run, Fate())
    del site.cloud.nova.evacuate  # nobody tells it any more
    notify(site, "finished")

    ended = site.carry_out(stopped, Fate())

    assert (ended.state, site.asked["db-01"]) == (RunState.SUCCEEDED, ONCE)
    assert site.asked["db-02"] == ["create", "stop", "evacuate"]
    site.close()


def test_before_the_first_request_nothing_is_evacuated_at_all(tmp_path: Path) -> None:
    site = with_one_that_ran(tmp_path)
    run = site.approved(replace(ASKED, with_stopped=False))
    nova, own = site.cloud.nova, site.cloud.nova.force_down

    def force_down(service: str, /) -> str:
        notify(site, "new")
        return own(service)

    nova.force_down = force_down  # type: ignore[method-assign]  # its monitor tells it just then
    ended = site.carry_out(run, Fate())

    assert (ended.state, site.asked["db-01"]) == (RunState.STOPPED, ["create"])
    site.close()
