"""Before a node is given up, others are asked for their part of RabbitMQ and MariaDB."""

import json
from collections.abc import Callable

import pytest

from fakes.nodes import NO_ROUTE
from fakes.site import Site
from health.test_elsewhere import galera
from health.test_judge import stop_mariadb, stop_rabbitmq
from stackward.health.members import Members, read_members


def found_of(site: Site) -> Members:
    return read_members(site.nodes, site.clock, site.together, ["ctl"])


def split(site: Site) -> None:
    answer = site.told("ctl")["commands"]["rabbitmq cluster"]
    told = {"partitions": {"rabbit@ctl": ["rabbit@ctl2"]}}
    answer["out"] = json.dumps({**json.loads(answer["out"]), **told})


def without_quorum(site: Site) -> None:
    galera(site, 1)
    answer = site.told("ctl")["commands"]["mariadb"]
    answer["out"] = answer["out"].replace("Primary", "non-Primary")


def one_is_missing(site: Site) -> None:
    answer = site.told("ctl")["commands"]["rabbitmq cluster"]
    told = {"disk_nodes": ["rabbit@ctl", "rabbit@ctl2"]}
    answer["out"] = json.dumps({**json.loads(answer["out"]), **told})


@pytest.mark.parametrize(
    ("harm", "rules"),
    [
        pytest.param(lambda _: None, [], id="all is well"),
        pytest.param(split, ["rabbitmq-partition"], id="RabbitMQ is split"),
        pytest.param(without_quorum, ["galera-not-ready"], id="Galera has no quorum"),
        pytest.param(one_is_missing, [], id="another member does not run: it may be the dead node"),
        pytest.param(stop_rabbitmq, ["unit-down"], id="RabbitMQ does not run"),
        pytest.param(stop_mariadb, ["unit-down"], id="MariaDB does not run"),
        pytest.param(
            lambda site: site.unit("ctl", "nova-api.service", ActiveState="failed"),
            [],
            id="another component is none of this",
        ),
    ],
)
def test_what_is_broken_of_them(harm: Callable[[Site], object], rules: list[str]) -> None:
    site = Site()
    harm(site)

    found = found_of(site)

    assert [each.rule for each in found.broken] == rules
    assert found.unread == ()


def test_a_node_that_does_not_answer_is_not_known_to_be_well() -> None:
    site = Site()
    site.nodes.told["ctl"] = NO_ROUTE

    found = found_of(site)

    assert found.broken == ()
    assert found.unread[0].startswith("`ctl`: ")
    assert found.unread[1:] == ("rabbitmq was seen on no node", "mariadb was seen on no node")


def test_a_tool_that_may_not_be_asked_leaves_it_unknown() -> None:
    site = Site()
    site.told("ctl")["commands"].pop("rabbitmq cluster", None)
    site.command("ctl", "rabbitmq cluster", 1, err="sudo: a password is required")

    found = found_of(site)

    assert found.broken == ()
    assert all("rabbitmq" in each for each in found.unread)


def test_another_question_that_hangs_on_a_node_keeps_nobody_from_asking_for_its_members() -> None:
    site = Site()
    site.together.hanging.add("ctl")

    assert found_of(site) == Members()
