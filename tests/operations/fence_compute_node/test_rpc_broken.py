"""While RabbitMQ is broken nodes that are well fall silent: a fence asks the others first."""

from pathlib import Path

import pytest

from dying import NODE
from operations.test_killed import with_one_that_died
from stackward.operations import plan_request
from stackward.requests.fence_compute_node import FenceRequest


@pytest.mark.parametrize(
    ("deaf", "blockers"),
    [
        pytest.param({"compute-08", "compute-09"}, ["fence/rpc-broken"], id="all of them"),
        pytest.param({"compute-08"}, [], id="one answers"),
        pytest.param(set(), [], id="both answer"),
    ],
)
def test_no_node_is_fenced_where_no_other_answers_a_call(
    deaf: set[str], blockers: list[str], tmp_path: Path
) -> None:
    site = with_one_that_died(tmp_path)
    site.cloud.nova.without_rpc = deaf

    plan = plan_request(site.world(), site.journal, FenceRequest(node=NODE))

    assert [each.worry for each in plan.blockers] == blockers
    site.close()
