"""Others act while a drain goes on: they enable its node, they delete its servers."""

from collections.abc import Iterator

import pytest

from lab.drains import Drains
from real_lab import until
from stackward.errors import ExitCode


@pytest.fixture
def servers(drains: Drains, nodes: tuple[str, str, str]) -> Iterator[list[str]]:
    """Given two servers that run on a node."""
    drains.remove_left_over("others-")
    made = [drains.boot(f"others-{number}", nodes[1]) for number in (1, 2)]
    drains.wait_for_guests(made)
    yield made
    drains.remove(*(each for each in made if drains.lab.cloud.compute.find_server(each)))


def moving(drains: Drains, servers: list[str]) -> list[str]:
    """Return the servers that are being moved."""
    return [each for each in servers if drains.lab.server(each).task_state == "migrating"]


def test_no_further_server_moves_once_the_node_was_enabled_and_resume_cordons_it_again(
    drains: Drains, servers: list[str], nodes: tuple[str, str, str]
) -> None:
    going = drains.begin(nodes[1], "--parallel", "1")
    until(lambda: bool(moving(drains, servers)), within_s=60)

    drains.lab.cloud.compute.enable_service(drains.service(nodes[1]).id)
    ended = going.ended()
    left = drains.servers_on(nodes[1])
    resumed = drains.resume()

    assert ended.code == ExitCode.STOPPED, ended.said
    assert "is no longer cordoned: somebody else has enabled its service" in ended.said
    assert left
    assert resumed.code == 0, resumed.said
    assert drains.servers_on(nodes[1]) == []


def test_a_server_deleted_before_its_move_is_gone_and_it_is_said_by_whom(
    drains: Drains, servers: list[str], nodes: tuple[str, str, str]
) -> None:
    going = drains.begin(nodes[1], "--parallel", "1")
    until(lambda: bool(moving(drains, servers)), within_s=60)
    [waiting] = set(servers) - set(moving(drains, servers))

    drains.lab.cloud.compute.delete_server(waiting)
    ended = going.ended()

    assert ended.code == 0, ended.said
    assert "gone: it was deleted at " in ended.said
    assert f"by user {drains.lab.cloud.current_user_id}" in ended.said
