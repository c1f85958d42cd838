"""Which servers are started, in which waves, and what stands against it."""

from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, a_flavor, a_server, a_service, an_id
from stackward.model.bringing_up import ServerToBringUp
from stackward.model.maintenance import Holder
from stackward.model.migration import Migration
from stackward.model.stalled_move import Guest
from stackward.model.unread import Unread
from stackward.operations.start_servers.facts import StartFacts
from stackward.operations.start_servers.plan import plan_start
from stackward.requests.start_servers import StartRequest

HOST = "compute-07"
ASKED = StartRequest(servers=("db-01",), tiers=("network", "database"))
OFF = Guest(node=HOST, state="shut off")
EVACUATION = Migration(
    id=7, uuid="m", server=an_id("db-01"), kind="evacuation", status="done", source="compute-08",
    target=HOST,
)  # fmt: skip


def one(status: str = "SHUTOFF", name: str = "db-01", **changes: Any) -> ServerToBringUp:  # noqa: ANN401  # any field
    """Return a server that is off, but for what is told; fields of the server come with `__`."""
    own = {key[2:]: changes.pop(key) for key in [*changes] if key.startswith("__")}
    known = ServerToBringUp(server=a_server(status, name, **own), guest=OFF, known=("req-1",))
    return replace(known, **changes)


def facts(*servers: ServerToBringUp, **changes: Any) -> StartFacts:  # noqa: ANN401  # same
    """Return servers that are off on a node that works, but for what is told."""
    known = StartFacts(
        servers=servers or (one(),),
        read_at=NOW,
        services={HOST: a_service()},
        holders={HOST: ()},
    )
    return replace(known, **changes)


def down(**changes: Any) -> StartFacts:  # noqa: ANN401  # same
    return facts(services={HOST: a_service(is_up=False, **changes)})


# What is so; the blockers, the warnings.
CASES: dict[str, tuple[StartFacts, list[str], list[str]]] = {
    "it is off": (facts(), [], []),
    "it runs": (facts(one("ACTIVE")), ["wrong-status"], []),
    "it is paused": (facts(one("PAUSED")), ["wrong-status"], []),
    "it is rescued": (facts(one("RESCUE")), ["wrong-status"], []),
    "it awaits a confirmation": (facts(one("VERIFY_RESIZE")), ["wrong-status"], []),
    "it is in ERROR": (facts(one("ERROR")), ["in-error"], []),
    "it is in a status that nobody knows": (facts(one("SINGING")), ["wrong-status"], []),
    "its status and its vm_state differ": (
        facts(one(__vm_state="paused")), ["wrong-status"], [],
    ),
    "its cell is down": (facts(one("UNKNOWN", __host=None)), ["wrong-status"], []),
    "Nova works on it": (facts(one(__task_state="powering-on")), ["busy"], []),
    "it is on no node": (facts(one("SHELVED_OFFLOADED", __host=None)), ["nowhere"], []),
    "it is locked": (facts(one(__is_locked=True)), [], ["locked"]),
    "its guest runs, and Nova does not know": (
        facts(one(guest=replace(OFF, state="running"))), ["guest-runs"], [],
    ),
    "its guest cannot be read": (facts(one(guest=Unread("no route"))), ["guest-unread"], []),
    "its guest runs elsewhere": (
        facts(one(elsewhere=(Guest(node="compute-08", state="running"),))),
        ["guest-elsewhere"], [],
    ),
    "its guest is off elsewhere": (
        facts(one(elsewhere=(Guest(node="compute-08", state="shut off"),))), [], [],
    ),
    "its guest may run elsewhere": (
        facts(one(elsewhere=Unread("no route"))), ["guest-unseen"], [],
    ),
    "its evacuation is not over": (facts(one(evacuation=EVACUATION)), ["evacuated"], []),
    "its nova-compute is down": (down(), ["node-down"], []),
    "Nova has no service there": (facts(services={HOST: None}), ["node-down"], []),
    "its node was forced down": (down(is_forced_down=True), ["forced-down"], []),
    "a run has its node": (
        facts(holders={HOST: (Holder(run="01D", title="drain", state="running"),)}), ["held"], [],
    ),
    "its node is out of service": (
        facts(services={HOST: a_service(is_enabled=False, disabled_reason="fan")}),
        [], ["node-out"],
    ),
    "its tier is not known": (
        facts(one(__flavor=a_flavor(stackward__tier="singing"))), [], ["unknown-tier"],
    ),
    "its priority is no number": (
        facts(one(__metadata=(("stackward:priority", "high"),))), [], ["bad-priority"],
    ),
    "the tags of its project cannot be read": (
        facts(tags={"demo": Unread("503")}), [], ["tags-unread"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_stands_against_a_start(name: str) -> None:
    given, blockers, warnings = CASES[name]

    plan = plan_start(given, ASKED)

    assert [each.worry.rpartition("/")[2] for each in plan.blockers] == blockers
    assert [each.worry.rpartition("/")[2] for each in plan.warnings] == warnings


def test_each_wave_is_a_stage_and_a_failure_holds_up_no_other() -> None:
    servers = (
        one(name="web"),
        one(name="db", __flavor=a_flavor(stackward__tier="database")),
        one(name="router", __flavor=a_flavor(stackward__tier="network")),
    )

    plan = plan_start(facts(*servers), replace(ASKED, at_once=3, within_s=60.0))

    assert [(each.name, each.at_once, each.goes_on) for each in plan.stages] == [
        ("tier network, priority none", 3, True),
        ("tier database, priority none", 3, True),
        ("tier none, priority none", 3, True),
    ]
    assert [[move.thing for move in each.moves] for each in plan.stages] == [
        ["router"], ["db"], ["web"],
    ]  # fmt: skip
    assert plan.holds == (HOST,)


def test_the_request_is_kept_with_the_ids_of_the_servers() -> None:
    plan = plan_start(facts(), ASKED)

    assert plan.request == replace(ASKED, servers=(an_id("db-01"),))


def test_that_all_run_is_proved_on_each_host() -> None:
    servers = (one(), one(name="db-02", __host="compute-08"))

    plan = plan_start(facts(*servers), ASKED)

    assert [each.summary for each in plan.verify] == [
        "1 server runs on `compute-07`",
        "1 server runs on `compute-08`",
    ]
