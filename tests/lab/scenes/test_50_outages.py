"""A drain of a cloud in trouble: what blocks it is named, and what passes is waited out."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from lab.drains import Drains, Ended, new
from lab.stage import Stage, scene
from real_lab import until
from stackward.errors import ExitCode
from texts import folded

GROUP = "faulty-apart"
# Keystone accepts no token any more that it gave out before, and nobody remembers one as good;
# Nova's API is away for a minute.
NEW_KEYS_AND_NO_API = """
systemctl stop nova-api
systemd-run --quiet --on-active=60 systemctl start nova-api
for time in 1 2 3 4; do keystone-manage fernet_rotate; done
systemctl restart memcached
"""


@dataclass(frozen=True, kw_only=True)
class Outages:
    """Plans that were blocked, and a drain that had to wait."""

    in_error: Ended
    nowhere_to_go: Ended
    wish: tuple[Ended, Ended]  # without and with the owner's consent
    server: str
    ended: Ended
    events: list[dict[str, Any]]
    moves: dict[str, list[tuple[str, str]]]


@scene(budget_s=190)
def outages(stage: Stage) -> Generator[Outages]:
    """Drain a node while Nova's API is down for a minute, and all tokens are void."""
    lab, drains, (_, node, other) = stage.lab, stage.drains, stage.nodes
    compute = lab.cloud.compute
    stage.all_in_service()
    drains.remove_left_over("faulty-")
    for left in [each for each in compute.server_groups() if each.name == GROUP]:
        compute.delete_server_group(left.id)
    group = compute.create_server_group(name=GROUP, policy="anti-affinity")
    apart = {"scheduler_hints": {"group": group.id}}
    server = drains.boot("faulty-1", node, **apart)
    partner = drains.boot("faulty-2", other, **apart)
    drains.wait_for_guests([server, partner])
    stage.begins()

    compute.reset_server_state(server, "error")
    in_error, _ = drains.plan(node)
    compute.reset_server_state(server, "active")
    nowhere_to_go = with_one_target_away(drains, node, stage.nodes[0])
    wish = with_a_wish(drains, node, server)

    records = drains.records([server])
    going = drains.begin(node)
    until(lambda: lab.server(server).task_state == "migrating", within_s=300)
    lab.on("ctl", NEW_KEYS_AND_NO_API)
    ended = going.ended()

    yield Outages(
        in_error=in_error,
        nowhere_to_go=nowhere_to_go,
        wish=wish,
        server=server,
        ended=ended,
        events=drains.events,
        moves=new(records, drains.records([server])),
    )
    drains.remove(server, partner)
    compute.delete_server_group(group.id)
    stage.all_in_service()


def with_one_target_away(drains: Drains, node: str, target: str) -> Ended:
    """Plan a drain while the only node that its server could go to is not in service."""
    compute, service = drains.lab.cloud.compute, drains.service(target)
    compute.disable_service(service.id, disabled_reason="a test of drains")
    planned, _ = drains.plan(node)
    compute.enable_service(service.id)
    until(lambda: drains.is_in_service(target))
    return planned


def with_a_wish(drains: Drains, node: str, server: str) -> tuple[Ended, Ended]:
    """Plan a drain of a server whose owner wishes to be asked, without consent and with it."""
    compute = drains.lab.cloud.compute
    compute.set_server_metadata(server, **{"stackward:maintenance": "ask"})
    refused, _ = drains.plan(node)
    agreed, _ = drains.plan(node, "--consent", f"{server}=TICKET-7")
    compute.delete_server_metadata(server, ["stackward:maintenance"])
    return refused, agreed


def test_a_server_in_error_blocks_the_drain_and_is_named(outages: Outages) -> None:
    assert outages.in_error.code == ExitCode.BLOCKED
    assert "faulty-1 is in ERROR" in folded(outages.in_error.said)


def test_a_pair_that_must_stay_apart_blocks_the_drain_when_two_nodes_are_left(
    outages: Outages,
) -> None:
    said = folded(outages.nowhere_to_go.said)

    assert outages.nowhere_to_go.code == ExitCode.BLOCKED
    assert f"faulty-1 must stay apart from its group `{GROUP}`" in said


def test_an_owner_who_wishes_to_be_asked_is_asked(outages: Outages) -> None:
    refused, agreed = outages.wish

    assert refused.code == ExitCode.BLOCKED
    assert f"--consent {outages.server}=" in refused.said
    assert agreed.code == 0, agreed.said
    assert "TICKET-7" in agreed.said


def test_a_drain_waits_for_an_api_that_is_down_and_outlives_its_tokens(outages: Outages) -> None:
    assert outages.ended.code == 0, outages.ended.said
    assert "waiting" in {event["What"] for event in outages.events}
    assert outages.moves == {outages.server: [("live-migration", "completed")]}
