"""What RabbitMQ and MariaDB say is read once more just before the power of a node is cut."""

import json
from pathlib import Path
from typing import Any

from dying import NODE
from fakes.nodes import sample
from killing import Fate
from operations.test_killed import with_one_to_fence
from stackward.model.identity import Known
from stackward.model.run import RunState
from stackward.model.service import ComputeService
from stackward.requests.evacuate_compute_node import EvacuateRequest


def test_a_broker_that_breaks_after_the_plan_leaves_the_node_its_power(tmp_path: Path) -> None:
    site = with_one_to_fence(tmp_path)
    shell, own = site.shell, site.cloud.nova.services
    shell.inventory = tuple(
        Known(name=host, address=host) for host in (*site.cloud.nova.hosts, "ctl")
    )
    shell.surveys["ctl"] = sample("ctl")
    run = site.approved(EvacuateRequest(node=NODE, reason="its board burned", kill_guests=1))

    def services() -> tuple[ComputeService, ...]:
        if any(each.step.startswith("claim/") for each in site.journal.attempts(run.id)):
            told: Any = shell.surveys["ctl"]
            answer = told["commands"]["rabbitmq cluster"]
            split = {"partitions": {"rabbit@ctl": ["rabbit@ctl2"]}}
            answer["out"] = json.dumps({**json.loads(answer["out"]), **split})
        return own()

    site.cloud.nova.services = services  # type: ignore[method-assign]  # as its network breaks
    ended = site.carry_out(run, Fate())

    assert (ended.state, site.power.ordered) == (RunState.STOPPED, [])
    assert "rabbitmq" in str(ended.ending)
    site.close()
