"""A move has left a guest on another node: it is ended there, and the server is brought up once."""

from dataclasses import replace
from pathlib import Path

from builders import an_id
from dying import NODE, Site, of_cloud
from killing import Fate, killed
from operations.test_killed import with_one_that_ran
from stackward.model.run import RunState
from stackward.operations import plan_request
from stackward.requests.evacuate_compute_node import EvacuateRequest

DB, LEFT = an_id("db-01"), "compute-09"
ASKED = EvacuateRequest(node=NODE, reason="its board burned", kill_domain=(f"{LEFT}/{DB}",))


def with_a_guest_left(place: Path) -> Site:
    """Given that libvirt on another node runs a guest of a server; it has the disk open."""
    site = with_one_that_ran(place)
    site.shell.instances_path = "/var/lib/nova/instances"
    site.shell.domains[LEFT, DB] = "running"
    site.shell.locked = {DB}
    return site


def ended_there(site: Site) -> list[str]:
    return [each for each in site.shell.done if DB in each]


def test_it_is_ended_and_the_server_is_brought_up_once(tmp_path: Path) -> None:
    site = with_a_guest_left(tmp_path)

    site.well(ASKED)

    assert ended_there(site) == [f"destroy {DB}", f"undefine --keep-nvram {DB}"]
    assert (site.hosts["db-01"], site.running) == ("compute-08", {"db-01": 1})
    site.close()


def test_without_its_name_nothing_is_ended(tmp_path: Path) -> None:
    site = with_a_guest_left(tmp_path)

    plan = plan_request(site.world(), site.journal, replace(ASKED, kill_domain=()))

    assert "evacuate/living-copy" in [each.worry for each in plan.blockers]
    assert ended_there(site) == []
    site.close()


def test_a_login_without_the_right_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    site = with_a_guest_left(tmp_path)
    site.shell.not_ending.add(LEFT)

    plan = plan_request(site.world(), site.journal, ASKED)

    [blocked] = plan.blockers
    assert (blocked.worry, "polkit" in blocked.reason) == ("evacuate/may-not-end", True)
    site.close()


def test_a_disk_that_went_with_its_guest_stops_that_server(tmp_path: Path) -> None:
    site = with_a_guest_left(tmp_path)
    run = site.approved(ASKED)
    site.shell.removes_disks = True

    ended = site.carry_out(run, Fate())

    assert (ended.state, site.asked["db-01"]) == (RunState.STOPPED, ["create"])
    assert f"so is /var/lib/nova/instances/{DB}/disk" in str(ended.ending)
    site.close()


def test_a_server_that_nova_has_elsewhere_by_then_keeps_its_guest(tmp_path: Path) -> None:
    site = with_a_guest_left(tmp_path)
    run, nova = site.approved(ASKED), site.cloud.nova
    own = nova.force_down

    def force_down(service: str, /) -> str:
        nova.known[DB] = replace(nova.known[DB], host=LEFT)
        return own(service)

    nova.force_down = force_down  # type: ignore[method-assign]  # Nova learns of the move just then
    ended = site.carry_out(run, Fate())

    assert (ended.state, ended_there(site)) == (RunState.STOPPED, [])
    site.close()


def test_a_death_at_any_write_ends_it_once_and_brings_it_up_once(tmp_path: Path) -> None:
    place = tmp_path / "prepared"
    place.mkdir()
    prepared = with_a_guest_left(place)
    prepared.close()
    ends = {"state": RunState.SUCCEEDED, "asked": {
        "db-01": ["create", "evacuate", "start"], "db-02": ["create", "stop"],
    }}  # fmt: skip

    killed(of_cloud(prepared, lambda _: ASKED, dict(ends)), tmp_path, every=4)
