"""A build and a live migration in the logs: a story has each service, a tail has each line once.

The logs of both nodes are rotated while they are followed. What there is to see is found by `grep`
on all nodes.
"""

from collections.abc import Generator
from dataclasses import dataclass

from lab.logs import (
    ROTATE,
    Reader,
    about,
    doubled,
    end,
    events_of,
    lines_about,
    missing,
    places_in,
    places_of,
    ports_of,
    remove_copies,
    requests_of,
)
from lab.stage import Stage, scene
from real_lab import until
from stackward.lab import proof


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A server that was built on a node and moved to another, and what logs tell of it."""

    nodes: tuple[str, str]
    written: list[str]
    tailed: list[str]
    tail_code: int
    tail_said: str
    places: set[tuple[str, str]]  # nodes and logs that have one of its ids
    followed: set[tuple[str, str]]
    follow_code: int
    follow_said: str


@scene(budget_s=100, is_later=True)
def logged(stage: Stage) -> Generator[Logged]:
    """Follow the logs of a build and a live migration, and tell its story afterwards."""
    lab, drains = stage.lab, stage.drains
    first, second, _ = stage.nodes
    stage.all_in_service()
    drains.remove_left_over("logs-")
    reader = Reader(drains)
    stage.begins()

    with reader.tail("nova-compute") as tail:
        server = drains.boot("logs-0", first)
        proof.wait_active(lab.cloud, server)
        ports = ports_of(lab, server)
        lab.on(first, ROTATE)
        lab.cloud.compute.live_migrate_server(server, host=second, block_migration="auto")
        until(lambda: lab.server(server).hypervisor_hostname == second)
        proof.wait_active(lab.cloud, server)
        lab.on(second, ROTATE)
        requests = requests_of(lab, server)
        drains.remove(server)

        def all_are_shown() -> list[str] | None:
            lines = [line for node in (first, second) for line in lines_about(lab, node, server)]
            return None if missing(lines, about(events_of(tail), server)) else lines

        written = until(all_are_shown)
        ended = end(tail)
    places = places_of(lab, (server, *ports, *sorted(requests)))
    follow, story = reader.follow(server)
    yield Logged(
        nodes=(first, second),
        written=written,
        tailed=about(events_of(tail), server),
        tail_code=ended.code,
        tail_said=ended.said,
        places=places,
        followed=places_in(story),
        follow_code=follow.code,
        follow_said=follow.said,
    )
    remove_copies(lab, (first, second))


def test_a_tail_shows_each_line_once_although_logs_are_rotated(logged: Logged) -> None:
    assert len(logged.written) > 5
    assert missing(logged.written, logged.tailed) == []
    assert doubled(logged.written, logged.tailed) == []


def test_a_tail_ends_well_and_names_nothing_that_was_lost(logged: Logged) -> None:
    assert logged.tail_code == 0, logged.tail_said
    assert "missing" not in logged.tail_said


def test_a_story_has_every_service_whose_log_has_one_of_its_ids(logged: Logged) -> None:
    assert {node for node, _ in logged.places} >= set(logged.nodes)
    assert logged.places - logged.followed == set()


def test_a_story_is_read_from_all_nodes(logged: Logged) -> None:
    assert logged.follow_code == 0, logged.follow_said
