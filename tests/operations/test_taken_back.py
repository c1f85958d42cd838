"""A node that was taken back while its evacuation had stopped: a resume never cuts its power."""

from collections.abc import Callable
from pathlib import Path

from dying import NODE, Site
from killing import Fate
from operations.test_killed import with_one_that_died
from operations.test_power_again import ASKED
from stackward.engine import ask_cancel
from stackward.kinds import KINDS
from stackward.model.run import Run, RunState
from stackward.model.server import ServerAction
from stackward.requests.return_compute_node import ReturnRequest

RESUMED = 4  # times


def stopped(site: Site) -> Run:
    """Evacuate it, and have the run stop before its first request: no target sees the disk."""
    nova, own = site.cloud.nova, site.cloud.nova.force_down

    def force_down(service: str, /) -> str:
        site.shell.shares_instances = False
        return own(service)

    nova.force_down = force_down  # type: ignore[method-assign]  # the storage fails just then
    ended = site.carry_out(site.approved(ASKED), Fate())
    assert (ended.state, site.asked) == (RunState.STOPPED, {})
    nova.force_down = own  # type: ignore[method-assign]  # it is mended
    site.shell.shares_instances = True
    site.power.ordered.clear()
    return ended


def test_a_resume_after_a_return_cuts_no_power_and_claims_nothing(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    run = stopped(site)
    site.well(ReturnRequest(node=NODE))
    site.power.ordered.clear()

    for _ in range(RESUMED):
        ended = site.carry_out(site.journal.run(run.id), Fate())

        assert ended.state is RunState.STOPPED
        assert f"stackward run cancel {run.id}" in str(ended.ending)
        assert (site.power.ordered, site.asked, site.is_in_service(NODE)) == ([], {}, True)
        assert not site.cloud.nova.computes[NODE].is_forced_down
    cancelled, left = ask_cancel(run.id, "ann", site.clock.now(), site.journal, KINDS)
    assert (cancelled.state, left) == (RunState.CANCELLED, ())
    site.close()


def test_a_service_that_was_called_up_by_hand_is_not_forced_down_again(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    run = stopped(site)
    service = next(one for one in site.cloud.nova.services() if one.host == NODE)
    site.cloud.nova.force_up(service.id)
    site.power.order_on(NODE)
    site.power.ordered.clear()

    for _ in range(RESUMED):
        ended = site.carry_out(site.journal.run(run.id), Fate())

        assert ended.state is RunState.STOPPED
        assert "is not forced down any more" in str(ended.ending)
        assert not site.cloud.nova.computes[NODE].is_forced_down
        assert (site.power.ordered, site.asked) == ([], {})
    site.close()


def test_a_node_that_was_switched_on_and_answers_is_not_cut(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    run = stopped(site)
    site.power.order_on(NODE)
    site.power.ordered.clear()

    ended = site.carry_out(site.journal.run(run.id), Fate())

    assert (ended.state, site.power.ordered, site.asked) == (RunState.STOPPED, [], {})
    assert "its device says On, and" in str(ended.ending)
    assert "stackward run cancel" in str(ended.ending)
    site.close()


def once_marked(site: Site, does: Callable[[], None]) -> Run:
    """Evacuate it; something is done after its stage was begun, before the request is judged."""
    nova, own, left = site.cloud.nova, site.cloud.nova.actions_of, [does]

    def actions_of(server: str, /) -> tuple[ServerAction, ...]:
        if nova.computes[NODE].is_forced_down and left:
            left.pop()()
        return own(server)

    run = site.approved(ASKED)
    nova.actions_of = actions_of  # type: ignore[method-assign]  # somebody at the machine
    return site.carry_out(run, Fate())


def test_one_that_boots_between_the_proof_and_the_request_is_not_cut(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)

    def boots() -> None:
        site.power.order_on(NODE)
        site.power.ordered.clear()

    ended = once_marked(site, boots)

    assert (ended.state, site.power.ordered, site.asked) == (RunState.STOPPED, [], {})
    assert "has power, and was returned to service: it answers ssh" in str(ended.ending)
    assert f"stackward run cancel {ended.id}" in str(ended.ending)
    site.close()
