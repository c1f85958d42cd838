"""An evacuation whose order was lost: given again, and carried out under the older record."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import an_id
from dying import NODE, Site
from fakes.nodes import sample
from killing import Fate
from operations.test_killed import with_one_that_died
from stackward.checks.compute import NoArrivals
from stackward.model.identity import Known
from stackward.model.migration import Migration
from stackward.model.run import RunState
from stackward.model.server import ActionEvent, ServerAction
from stackward.operations import plan_request
from stackward.plan import Holds
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.evacuate_compute_node import EvacuateRequest

DB = an_id("db-01")
AGAIN = EvacuateRequest(node=NODE, reason="again", only=(DB,), reset_state=(DB,), start=(DB,))
LOST = Migration(
    id=90, uuid=an_id("lost"), server=DB, kind="evacuation", status="accepted", source=NODE,
    target="compute-08",
)  # fmt: skip
LATER = replace(
    LOST, id=91, uuid=an_id("later"), server=an_id("db-09"), status="done", target="compute-09"
)


def with_a_lost_order(place: Path) -> Site:
    """Given a dead node, and an evacuation of a server that no conductor has taken up."""
    site = with_one_that_died(place)
    nova, shell = site.cloud.nova, site.shell
    hosts = (*nova.hosts, "ctl")
    shell.inventory = tuple(Known(name=host, address=host) for host in hosts)
    shell.surveys["ctl"] = sample("ctl")
    stamp = (nova.now - timedelta(hours=1)).replace(tzinfo=None).isoformat()
    nova.migrations += [replace(LOST, created=stamp), LATER]
    nova.left_alone.add(LOST.id)
    nova.known[DB] = replace(nova.known[DB], status="REBUILD", task_state="rebuilding")
    nova.actions[DB] = [
        ServerAction(action="evacuate", request_id="req-lost", user="ops", started=stamp)
    ]
    return site


def queue(site: Site, messages: int, consumers: int) -> None:
    """Let the conductor's queue be so."""
    told: Any = site.shell.surveys["ctl"]
    out = told["commands"]["rabbitmq queues"]["out"].splitlines()
    kept = [line for line in out if line.partition("\t")[0] != "conductor"]
    lines = [*kept, f"conductor\t{messages}\t{consumers}\tclassic"]
    told["commands"]["rabbitmq queues"]["out"] = "\n".join(lines) + "\n"


def blockers(site: Site, asked: EvacuateRequest = AGAIN) -> list[str]:
    plan = plan_request(site.world(), site.journal, asked)
    return [each.worry for each in plan.blockers]


def test_it_is_carried_out_under_the_older_record_which_the_run_follows(tmp_path: Path) -> None:
    site = with_a_lost_order(tmp_path)

    ended = site.carry_out(site.approved(AGAIN), Fate())

    records = {one.id: one.status for one in site.cloud.nova.migrations_of_server(DB)}
    assert (ended.state, records) == (RunState.SUCCEEDED, {90: "done", 92: "accepted"})
    assert site.hosts["db-01"] != NODE
    assert site.running == {"db-01": 1}
    site.close()


def test_once_it_is_carried_out_the_server_is_on_its_way_no_more(tmp_path: Path) -> None:
    """The record of the second order stays `accepted`: it holds up no later operation."""
    site = with_a_lost_order(tmp_path)
    site.carry_out(site.approved(AGAIN), Fate())
    there = site.hosts["db-01"] or ""

    drained = plan_request(site.world(), site.journal, DrainRequest(node=there, reason="fans"))
    evacuated = plan_request(
        site.world(), site.journal, EvacuateRequest(node=there, reason="burned")
    )

    named = {each.worry for each in (*drained.blockers, *evacuated.blockers)}
    assert named & {"incoming-migration", "stuck-migration", "evacuate/rebuilding"} == set()
    assert isinstance(NoArrivals(host=there).ask(site.world()), Holds)
    site.close()


def test_its_plan_names_the_record_and_what_proves_it_lost(tmp_path: Path) -> None:
    site = with_a_lost_order(tmp_path)

    plan = plan_request(site.world(), site.journal, AGAIN)

    [said] = [each for each in plan.warnings if each.worry == "evacuate/order-lost"]
    assert "record 90, accepted" in said.reason
    site.close()


def test_without_the_flag_it_is_refused_and_the_flag_is_named(tmp_path: Path) -> None:
    site = with_a_lost_order(tmp_path)

    plan = plan_request(site.world(), site.journal, replace(AGAIN, reset_state=(), start=()))

    assert [each.worry for each in plan.blockers] == ["evacuate/rebuilding"]
    assert f"`--reset-state {DB}`" in plan.blockers[0].remedy
    site.close()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda site: queue(site, 1, 2), id="it waits in the queue"),
        pytest.param(lambda site: queue(site, 0, 0), id="nobody reads the queue"),
        pytest.param(lambda site: site.shell.surveys.clear(), id="RabbitMQ cannot be asked"),
        pytest.param(
            lambda site: setattr(site.cloud.nova, "has_conductor", False), id="no conductor is up"
        ),
        pytest.param(
            lambda site: site.cloud.nova.migrations.remove(LATER), id="nothing came after it"
        ),
        pytest.param(
            lambda site: site.cloud.nova.events.update(
                {"req-lost": (ActionEvent(name="rebuild_server", started=site.cloud.nova.now),)}
            ),
            id="the conductor has started it",
        ),
    ],
)
def test_what_may_come_yet_is_not_given_a_second_time(change: Any, tmp_path: Path) -> None:  # noqa: ANN401  # a change of a site
    site = with_a_lost_order(tmp_path)
    change(site)

    assert "evacuate/order-may-come" in blockers(site)
    site.close()


def test_an_order_that_a_later_one_has_overtaken_is_set_aside_and_not_repeated(
    tmp_path: Path,
) -> None:
    site = with_one_that_died(tmp_path)
    nova, own = site.cloud.nova, site.cloud.nova.evacuate

    def evacuate(server: str, target: str, /) -> str:
        request = own(server, target)
        at = (nova.now + timedelta(seconds=1)).replace(tzinfo=None).isoformat()
        nova.migrations[-1] = replace(nova.migrations[-1], created=at)
        nova.left_alone.add(nova.migrations[-1].id)
        nova.migrations.append(LATER)
        nova.events.clear()
        return request

    nova.evacuate = evacuate  # type: ignore[method-assign]  # RabbitMQ loses it
    ended = site.carry_out(site.approved(EvacuateRequest(node=NODE, reason="burned")), Fate())

    assert (ended.state, site.asked) == (RunState.STOPPED, {"db-01": ["evacuate"]})
    assert "the conductor has started nothing for its request (record 1, accepted)" in str(
        ended.ending
    )
    site.close()
