"""In which order servers are brought up."""

from typing import Any

import pytest

from builders import a_flavor, a_server
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.policy.waves import judge_wave, waves_of

TIERS = ("network", "database")


def one(name: str, tier: str = "", priority: str = "", **changes: Any) -> Server:  # noqa: ANN401  # any field
    flavor = a_flavor(stackward__tier=tier) if tier else a_flavor()
    metadata = (("stackward:priority", priority),) if priority else ()
    return a_server("SHUTOFF", name, flavor=flavor, metadata=metadata, **changes)


def named(servers: list[Server], tags: Any = None) -> list[tuple[str, str, list[str]]]:  # noqa: ANN401  # any field
    return [
        (wave.tier, wave.priority, [each.name for each in wave.servers])
        for wave in waves_of(servers, tags or {}, TIERS)
    ]


def test_tiers_come_in_their_order_and_what_has_none_comes_last() -> None:
    servers = [one("web"), one("db", "database"), one("odd", "singing"), one("router", "network")]

    assert named(servers) == [
        ("network", "none", ["router"]),
        ("database", "none", ["db"]),
        ("none", "none", ["odd", "web"]),
    ]


def test_within_a_tier_the_lower_priority_comes_first_as_a_number() -> None:
    servers = [one("a", "database", "10"), one("b", "database", "9"), one("c", "database"),
               one("d", "database", "-1"), one("e", "database", "first")]  # fmt: skip

    assert named(servers) == [
        ("database", "-1", ["d"]),
        ("database", "9", ["b"]),
        ("database", "10", ["a"]),
        ("database", "none", ["c", "e"]),
    ]


def test_a_project_has_a_tier_by_its_tag_where_the_flavor_has_none() -> None:
    tags = {"demo": ("blue", "stackward:tier=network")}

    assert named([one("a"), one("b", "database")], tags) == [
        ("network", "none", ["a"]),
        ("database", "none", ["b"]),
    ]


@pytest.mark.parametrize(
    ("server", "tags", "rule", "said"),
    [
        (
            one("a", "singing"),
            {},
            "start/unknown-tier",
            "extra spec `stackward:tier` of the flavor",
        ),
        (one("a"), {"demo": ("stackward:tier=x",)}, "start/unknown-tier", "tag of its project"),
        (one("a", "network", "1st"), {}, "start/bad-priority", "set a whole number there"),
        (one("a"), {"demo": Unread("503")}, "start/tags-unread", "make Keystone answer"),
    ],
)
def test_what_has_no_order_is_named(server: Server, tags: Any, rule: str, said: str) -> None:  # noqa: ANN401  # any field
    [warned] = judge_wave(server, tags, TIERS)

    assert (warned.worry, warned.thing_id) == (rule, server.id)
    assert said in warned.remedy


def test_a_project_whose_tags_are_unread_does_not_matter_where_the_flavor_has_a_tier() -> None:
    assert [*judge_wave(one("a", "network", "+3"), {"demo": Unread("503")}, TIERS)] == []


def test_the_name_of_a_wave_has_no_part_of_a_path() -> None:
    [wave] = waves_of([one("a", "x/y", "1")], {}, ("x/y",))

    assert wave.name == "tier x-y, priority 1"
