"""What ran on a dead node is started elsewhere, once; what an owner has stopped stays off."""

from dataclasses import replace
from pathlib import Path

import pytest

from builders import an_id
from dying import NODE, Site
from killing import Crash, Fate
from operations.test_killed import with_one_that_ran
from stackward.model.migration import Migration
from stackward.model.power import PowerState
from stackward.model.run import Run, RunState
from stackward.operations import plan_request
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.requests.start_servers import StartRequest

DB = an_id("db-01")
ASKED = EvacuateRequest(node=NODE, reason="its board burned")
LEFT_OFF = replace(ASKED, leave_off=(DB,))


def killed(site: Site, at: str, asked: EvacuateRequest = ASKED) -> Run:
    run = site.approved(asked)
    with pytest.raises(Crash):
        site.carry_out(run, Fate(dies_at=at))
    return site.journal.run(run.id)


def stop(site: Site, by: str = "eve") -> None:
    """Let its owner stop it, as soon as Nova lets him."""
    site.clock.wait(60.0)
    site.cloud.nova.stop_server(DB)
    log = site.cloud.nova.actions[DB]
    log[-1] = replace(log[-1], user=by)
    site.clock.wait(60.0)


def test_what_ran_runs_again_and_what_was_stopped_does_not(tmp_path: Path) -> None:
    site = with_one_that_ran(tmp_path)

    site.well(replace(ASKED, with_stopped=True))

    assert site.running == {"db-01": 1}
    assert site.asked["db-02"] == ["create", "stop", "evacuate"]
    assert NODE not in site.hosts.values()
    site.close()


def test_an_owner_who_stops_it_after_its_start_keeps_it_off(tmp_path: Path) -> None:
    site = with_one_that_ran(tmp_path)
    run = killed(site, "after start_server")
    stop(site)

    ended = site.carry_out(run, Fate())

    assert (ended.state, site.running) == (RunState.FAILED, {})
    assert site.asked["db-01"] == ["create", "evacuate", "start", "stop"]
    site.close()


def test_an_owner_who_stops_it_before_its_start_keeps_it_off(tmp_path: Path) -> None:
    """He has started it himself, and stopped it: nobody but he knows what it is for."""
    site = with_one_that_ran(tmp_path)
    run = killed(site, f"before intend tier none, priority none/{DB}/0")
    site.cloud.nova.start_server(DB)
    stop(site)

    ended = site.carry_out(run, Fate())

    assert (ended.state, site.running) == (RunState.FAILED, {})
    assert site.asked["db-01"] == ["create", "evacuate", "start", "stop"]
    assert "it is SHUTOFF" in str(ended.ending)
    site.close()


@pytest.mark.parametrize(
    ("switched_on", "asked", "state"),
    [
        (1, ["create", "evacuate", "start"], RunState.SUCCEEDED),
        (99, ["create", "evacuate"], RunState.STOPPED),
    ],
)
def test_nothing_is_started_while_its_node_has_power(
    tmp_path: Path, switched_on: int, asked: list[str], state: RunState
) -> None:
    site = with_one_that_ran(tmp_path)
    run, left, own = site.approved(ASKED), [switched_on], site.power.state

    def read(node: str, /, *, within_s: float | None = None) -> PowerState:
        if left[0] and site.hosts["db-01"] != NODE:
            left[0] -= 1
            site.power.devices[NODE].state = PowerState.ON
        return own(node, within_s=within_s)

    site.power.state = read  # type: ignore[method-assign]  # somebody at the machine
    ended = site.carry_out(run, Fate())

    assert (ended.state, site.asked["db-01"]) == (state, asked), ended.ending
    site.close()


def test_one_that_was_left_off_is_started_by_hand_while_its_node_is_off(tmp_path: Path) -> None:
    site = with_one_that_ran(tmp_path)
    site.well(LEFT_OFF)
    assert site.running == {}

    site.well(StartRequest(servers=(DB,)))

    assert site.running == {"db-01": 1}
    site.close()


def test_it_is_not_started_by_hand_once_that_node_may_run_its_guest(tmp_path: Path) -> None:
    site = with_one_that_ran(tmp_path)
    site.well(LEFT_OFF)
    site.power.devices[NODE].state = PowerState.ON

    plan = plan_request(site.world(), site.journal, StartRequest(servers=(DB,)))

    assert [each.worry for each in plan.blockers] == ["start/guest-unseen"]
    site.close()


def test_what_another_evacuation_has_left_keeps_no_server_off(tmp_path: Path) -> None:
    """The nova-compute of its first target died; its record stays, and nobody carries it out."""
    site = with_one_that_ran(tmp_path)
    nova, target = site.cloud.nova, "compute-09"
    left = Migration(
        id=1, uuid="u", server=DB, kind="evacuation", status="pre-migrating",
        source=NODE, target=target,
    )  # fmt: skip
    nova.migrations.append(left)
    nova.left_alone.add(left.id)
    nova.known[DB] = replace(nova.known[DB], task_state="rebuild_spawning")
    site.shell.run(target, ["systemctl", "stop", "nova-compute"])

    site.well(replace(ASKED, reset_state=(DB,), accept_outage=(NODE, target)))

    assert (site.hosts["db-01"], site.running) == ("compute-08", {"db-01": 1})
    site.close()


def test_an_evacuation_that_fails_keeps_no_other_server_off(tmp_path: Path) -> None:
    site = with_one_that_ran(tmp_path)
    site.cloud.nova.failures[an_id("db-02")] = "no space left"

    ended = site.carry_out(site.approved(replace(ASKED, with_stopped=True)), Fate())

    assert (ended.state, site.running) == (RunState.STOPPED, {"db-01": 1})
    assert "`evacuate`" in str(ended.ending) or "ended as `error`" in str(ended.ending)
    site.close()


def test_what_is_not_evacuated_is_not_started(tmp_path: Path) -> None:
    site = with_one_that_ran(tmp_path)
    site.cloud.nova.failures[DB] = "no space left"

    ended = site.carry_out(site.approved(replace(ASKED, with_stopped=True)), Fate())

    assert (ended.state, site.asked["db-01"]) == (RunState.STOPPED, ["create", "evacuate"])
    assert (site.hosts["db-02"], site.running) == ("compute-09", {})
    site.close()
