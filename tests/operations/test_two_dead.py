"""Two nodes have died; a move between them may have left a guest on either."""

from pathlib import Path

import pytest

from builders import an_id
from dying import NODE, Site
from fakes.power import FakeDevice
from killing import Fate
from operations.test_killed import with_one_that_ran
from stackward.model.hardware import Hardware
from stackward.model.migration import Migration
from stackward.model.observation import Observation
from stackward.model.power import PowerState
from stackward.model.run import RunState
from stackward.operations import plan_request
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.requests.fence_compute_node import FenceRequest

DB, SECOND = an_id("db-01"), "compute-08"
BOTH = (NODE, SECOND)
ASKED = EvacuateRequest(node=NODE, reason="both burned", accept_outage=BOTH)


def with_two_dead(place: Path, hardware: Hardware | None = None) -> Site:
    """Given a second node without power, to which a move of a server was sent.

    What it once said of itself is kept, and is what its device says, unless nothing is.
    """
    site = with_one_that_ran(place)
    board = hardware or Hardware()
    site.power.devices[SECOND] = FakeDevice(hardware=board)
    site.power.order_off(SECOND)
    site.power.ordered.clear()
    seen = Observation(
        cloud=site.cloud.identity().id,
        node=SECOND,
        subject="machine",
        value={"host": SECOND, "uuid": "", "serial": "", "macs": [*board.macs]},
        source="node",
        at=site.clock.now(),
    )
    site.journal.observe([seen] if hardware else [])
    lost = Migration(
        id=1, uuid="u", server=DB, kind="live-migration", status="error", source=NODE,
        target=SECOND,
    )  # fmt: skip
    site.cloud.nova.migrations.append(lost)
    site.cloud.nova.left_alone.add(lost.id)
    return site


KNOWN = Hardware.of(macs=["52:54:00:00:00:08"])


def blockers(site: Site) -> list[str]:
    plan = plan_request(site.world(), site.journal, ASKED)
    return [each.worry for each in plan.blockers]


def test_a_second_node_that_is_dead_by_the_same_proof_holds_nothing_up(tmp_path: Path) -> None:
    site = with_two_dead(tmp_path, KNOWN)

    site.well(ASKED)

    assert (site.hosts["db-01"], site.running) == ("compute-09", {"db-01": 1})
    assert site.power.ordered == []
    site.close()


def test_a_second_node_whose_device_may_be_anothers_holds_it_up(tmp_path: Path) -> None:
    site = with_two_dead(tmp_path)

    assert blockers(site) == ["evacuate/copy-unread"]
    site.close()


def test_the_run_that_has_fenced_the_second_node_is_a_proof_too(tmp_path: Path) -> None:
    site = with_two_dead(tmp_path)
    site.well(FenceRequest(node=SECOND, confirmed_off="INC-1", accept_outage=BOTH))

    assert blockers(site) == []
    site.close()


def test_a_second_node_that_answers_holds_it_up(tmp_path: Path) -> None:
    site = with_two_dead(tmp_path, KNOWN)
    site.shell.pinging.add(SECOND)

    assert blockers(site) == ["evacuate/copy-unread"]
    site.close()


@pytest.mark.parametrize("before", ["evacuate", "start_server"])
def test_nothing_is_sent_while_the_second_node_has_power_again(tmp_path: Path, before: str) -> None:
    site = with_two_dead(tmp_path, KNOWN)
    run, nova = site.approved(ASKED), site.cloud.nova
    moment = {"evacuate": "force_down", "start_server": "evacuate"}[before]
    own, sent = getattr(nova, moment), []

    def first(*given: str) -> str:
        sent.append(given)
        site.power.devices[SECOND].state = PowerState.ON
        return str(own(*given))

    setattr(nova, moment, first)
    ended = site.carry_out(run, Fate())

    expected = {"evacuate": ["create"], "start_server": ["create", "evacuate"]}[before]
    assert (ended.state, site.asked["db-01"]) == (RunState.STOPPED, expected)
    assert site.power.ordered == []
    assert sent
    site.close()
