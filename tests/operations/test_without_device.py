"""A dead node that no device switches: a person's word, and every witness before each request."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dying import NODE, Site
from killing import Fate
from operations.test_killed import with_one_that_died
from stackward.errors import Unreachable
from stackward.model.run import Run, RunState
from stackward.model.service import ComputeService
from stackward.operations import plan_request
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.requests.fence_compute_node import FenceRequest

ASKED = EvacuateRequest(node=NODE, reason="its board burned", confirmed_off="INC-4711")
WAKE = Callable[[Site], object]


def without_device(place: Path) -> Site:
    """Given a dead node of which the inventory names no device."""
    site = with_one_that_died(place)
    del site.power.devices[NODE]
    return site


def called_up(site: Site) -> None:
    computes = site.cloud.nova.computes
    computes[NODE] = replace(computes[NODE], is_forced_down=False)


def does_not_answer(_: str) -> None:
    raise Unreachable("no answer")


def blockers(site: Site, asked: EvacuateRequest | FenceRequest = ASKED) -> list[str]:
    plan = plan_request(site.world(), site.journal, asked)
    return [each.worry for each in plan.blockers]


def evacuated(site: Site, wake: WAKE | None = None, at: str = "evacuate/") -> Run:
    """Evacuate it; as the first request is about to be sent, something of it may wake.

    Or else once a step of another stage has begun.
    """
    own = site.cloud.nova.services
    left = [wake] if wake else []

    def services() -> tuple[ComputeService, ...]:
        begun = [each.step for each in site.journal.attempts(run.id)]
        if left and any(each.startswith(at) for each in begun):
            left.pop()(site)
        return own()

    run = site.approved(ASKED)
    site.cloud.nova.services = services  # type: ignore[method-assign]  # whoever is at the machine
    return site.carry_out(run, Fate())


def test_by_a_persons_word_its_servers_are_brought_up_elsewhere(tmp_path: Path) -> None:
    site = without_device(tmp_path)

    ended = evacuated(site)

    assert (ended.state, site.asked) == (RunState.SUCCEEDED, {"db-01": ["evacuate"]})
    assert site.power.ordered == []
    site.close()


def test_the_word_is_kept_with_the_run_and_its_power_is_not_cut(tmp_path: Path) -> None:
    site = without_device(tmp_path)

    plan = plan_request(site.world(), site.journal, ASKED)

    assert [each.name for each in plan.stages] == [
        "claim",
        "instance HA off",
        "force down",
        "evacuate",
    ]
    assert [each.kind for each in plan.stages[2].needs] == ["is-confirmed-off", "no-sign-of-life"]
    assert "INC-4711" in plan.stages[2].needs[0].summary
    assert plan.warnings[0].worry == "evacuate/by-word"
    site.close()


def test_without_the_word_it_is_refused_and_the_word_is_named(tmp_path: Path) -> None:
    site = without_device(tmp_path)

    plan = plan_request(
        site.world(), site.journal, EvacuateRequest(node=NODE, reason="its board burned")
    )

    assert [each.worry for each in plan.blockers] == ["fence/no-device"]
    assert "--confirmed-off REFERENCE" in plan.blockers[0].remedy
    site.close()


def test_a_word_does_not_stand_for_a_device_that_does_not_answer(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    site.power.devices[NODE].is_deaf = True

    assert "fence/device-unread" in blockers(site)
    site.close()


def test_a_fence_needs_a_device_whatever_a_person_says(tmp_path: Path) -> None:
    site = without_device(tmp_path)

    assert blockers(site, FenceRequest(node=NODE, confirmed_off="INC-4711")) == ["fence/no-device"]
    site.close()


@pytest.mark.parametrize(
    "wake",
    [
        pytest.param(lambda site: site.shell.pinging.add(NODE), id="it answers ping"),
        pytest.param(
            lambda site: site.cloud.neutron.agents.update({NODE: ("ovn-controller",)}),
            id="Neutron hears from it",
        ),
        pytest.param(called_up, id="somebody has called it up"),
    ],
)
def test_a_sign_of_life_before_a_request_stops_the_run(wake: WAKE, tmp_path: Path) -> None:
    site = without_device(tmp_path)

    ended = evacuated(site, wake)

    assert (ended.state, site.asked) == (RunState.STOPPED, {})
    assert "shows a sign of life" in str(ended.ending)
    assert f"stackward run cancel {ended.id}" in str(ended.ending)
    site.close()


def test_what_has_answered_once_is_not_believed_to_be_dead_by_a_resume(tmp_path: Path) -> None:
    site = without_device(tmp_path)
    run = evacuated(site, lambda one: one.shell.pinging.add(NODE))
    site.shell.pinging.clear()

    ended = site.carry_out(site.journal.run(run.id), Fate())

    assert (ended.state, site.asked) == (RunState.STOPPED, {})
    assert "has shown a sign of life since its evacuation started" in str(ended.ending)
    site.close()


def test_nor_is_what_has_answered_before_a_stage_and_no_request_was_to_be_sent(
    tmp_path: Path,
) -> None:
    site = without_device(tmp_path)
    run = evacuated(site, lambda one: one.shell.pinging.add(NODE), at="claim/")
    site.shell.pinging.clear()

    ended = site.carry_out(site.journal.run(run.id), Fate())

    assert "stage `force down` was not begun: `compute-07` shows a sign of life" in str(run.ending)
    assert (ended.state, site.asked) == (RunState.STOPPED, {})
    assert "has shown a sign of life since its evacuation started" in str(ended.ending)
    assert not site.cloud.nova.computes[NODE].is_forced_down
    site.close()


@pytest.mark.parametrize(
    ("wake", "why"),
    [
        pytest.param(
            lambda site: site.cloud.nova.unheard.clear(),
            "Nova's record of its nova-compute was changed",
            id="Nova hears from it",
        ),
        pytest.param(
            lambda site: setattr(site.cloud.neutron, "network_agents_on", does_not_answer),
            "its network agents: no answer",
            id="Neutron does not answer",
        ),
    ],
)
def test_what_is_not_known_to_be_silent_gets_no_request(
    wake: WAKE, why: str, tmp_path: Path
) -> None:
    site = without_device(tmp_path)

    ended = evacuated(site, wake)

    assert (ended.state, site.asked) == (RunState.STOPPED, {})
    assert f"lives is not known: {why}" in str(ended.ending)
    site.close()
