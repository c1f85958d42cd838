"""Requests as stored: their fields are flat, and those of every version before."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stackward import requests
from stackward.errors import BadInput
from stackward.kinds import KINDS
from stackward.plan import Plan
from stackward.plan.stored import from_mapping, to_mapping

STORED = json.loads(Path(__file__).with_name("requests.json").read_text())
CAME_LATER: dict[str, dict[str, object]] = {
    "drain-compute-node": {"away_at_once": 0},
    "return-compute-node": {"discard_old_disks": False, "boot_within_s": 600.0},
}
EARLIER = Path(__file__).parent  # databases and plan files of earlier versions


def plan_of(request: object) -> dict[str, Any]:
    """Return a stored plan of a stored request, with nothing else in it."""
    return {
        **to_mapping(Plan(title="t", request=requests.KINDS["reboot-server"](server="s"))),
        "request": request,
    }


def read_and_written(request: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    """Return a stored request, once it was read and written again."""
    return to_mapping(from_mapping(plan_of(request), KINDS))["request"]


def plans_of_earlier_versions() -> Iterator[dict[str, Any]]:
    for file in sorted(EARLIER.glob("journal-*/*.plan")):
        yield json.loads(file.read_text())
    for file in sorted(EARLIER.glob("journal-*/*.sql")):
        with closing(sqlite3.connect(":memory:")) as database:
            database.executescript(file.read_text())
            for (plan,) in database.execute("SELECT plan FROM runs ORDER BY id"):
                yield json.loads(plan)


def test_every_kind_of_request_is_among_those_that_are_tried() -> None:
    assert [each["kind"] for each in STORED] == sorted(requests.KINDS)


@pytest.mark.parametrize("request_", STORED, ids=[each["kind"] for each in STORED])
def test_a_stored_request_is_read_and_written_the_same(request_: dict[str, Any]) -> None:
    assert read_and_written(request_) == request_


def test_an_evacuation_from_before_it_started_servers_is_read() -> None:
    [now] = [each for each in STORED if each["kind"] == "evacuate-compute-node"]
    newer = {"start", "leave_off", "tiers", "starts_at_once", "within_s"}
    earlier = {name: value for name, value in now.items() if name not in newer}

    read = read_and_written(earlier)

    assert {name: read[name] for name in earlier} == earlier
    assert (read["start"], read["leave_off"], read["tiers"]) == ([], [], [])


def test_an_item_of_a_chain_that_an_earlier_version_stored_is_one_run() -> None:
    [stored] = [each for each in STORED if each["kind"] == "chain"]
    item = {name: value for name, value in stored["items"][0].items() if name != "then"}

    again = read_and_written({**stored, "items": [item]})

    assert again["items"] == [{**item, "then": []}]


def test_a_chain_that_an_earlier_version_stored_looks_at_nothing_between_its_items() -> None:
    [stored] = [each for each in STORED if each["kind"] == "chain"]
    earlier = {name: value for name, value in stored.items() if name != "needs_well"}

    assert read_and_written(earlier) == {**earlier, "needs_well": False}


def test_a_repair_that_an_earlier_version_stored_ends_no_guest_and_removes_nothing() -> None:
    [stored] = [each for each in STORED if each["kind"] == "reconcile-cloud"]
    came_later = {"kill_domain": [], "remove": [], "min_age_s": 86_400.0, "orphans": None}
    earlier = {name: value for name, value in stored.items() if name not in came_later}

    assert read_and_written(earlier) == {**earlier, **came_later}


def test_the_requests_that_earlier_versions_have_stored_are_written_the_same() -> None:
    found = [each["request"] for each in plans_of_earlier_versions()]

    assert {each["kind"] for each in found} == {*requests.KINDS} - {
        "chain",
        "change-boot-gate",
        "reattach-volumes",
        "reboot-compute-node",
        "reboot-server",
        "evacuate-compute-node",
        "fence-compute-node",
        "reconcile-cloud",
        "recover-compute-node",
        "start-servers",
    }
    for each in found:
        assert read_and_written(each) == {**CAME_LATER.get(each["kind"], {}), **each}


@pytest.mark.parametrize(
    "field", ["allow_downtime", "leave_behind", "consents", "at_once", "slow_after_s", "when_slow"]
)
@pytest.mark.parametrize("kind", ["bring-back-servers", "drain-compute-node", "undo-run"])
def test_how_servers_move_is_what_is_usual_where_a_stored_request_does_not_say(
    kind: str, field: str
) -> None:
    [stored] = [each for each in STORED if each["kind"] == kind]
    usual = {
        "allow_downtime": False,
        "leave_behind": [],
        "consents": [],
        "at_once": 2,
        "slow_after_s": 1800.0,
        "when_slow": "wait",
    }

    short = {name: value for name, value in stored.items() if name != field}

    assert read_and_written(short) == stored | {field: usual[field]}


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("at_once", "2", "at_once: input should be a valid integer"),
        ("consents", [{"server": 7}], "consents.0.server: input should be a valid string"),
        ("how", {"at_once": 2}, "has unknown fields: how"),
        ("sudo", True, "has unknown fields: sudo"),
    ],
)
@pytest.mark.parametrize("kind", ["bring-back-servers", "drain-compute-node", "undo-run"])
def test_a_field_that_is_not_understood_is_named_as_it_is_stored(
    kind: str, field: str, value: object, says: str
) -> None:
    [stored] = [each for each in STORED if each["kind"] == kind]

    with pytest.raises(BadInput) as refused:
        from_mapping(plan_of(stored | {field: value}), KINDS)

    assert f"`{kind}` {says}" in refused.value.message
