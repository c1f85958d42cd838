"""What a verdict on a homecoming advises settles it: every rule that it can raise.

What blocks a drain keeps one server away here, and no other; its remedy is that of a drain. So the
cases of a drain are followed here too, with the node as the one that the server has come to.
"""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from builders import a_candidate, a_node, a_server, a_service, agreed, claimed
from operations.drain_compute_node.test_remedies import (
    FOLLOWED as FOLLOWED_BY_A_DRAIN,
)
from operations.drain_compute_node.test_remedies import (
    LEAVE,
    WELL,
    Case,
    in_zone,
)
from raising import assert_settled, raised_by, rules_of
from stackward.model.maintenance import AwayServer, BringBackFacts, MovedServer, MovedServers
from stackward.model.node import ComputeNode
from stackward.model.run import RunState
from stackward.operations.bring_back_servers.plan import plan_bring_back
from stackward.plan import Plan, Warned
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.how_to_move import HowToMove

OF_SERVERS = rules_of("moving", "policy.node")  # what a drain asks of a node and its servers


def coming(node: ComputeNode, **changes: Any) -> BringBackFacts:  # noqa: ANN401  # any field
    """Return the way home to `compute-08` of the one server of a node."""
    [server] = node.servers
    moved = MovedServer(id=server.id, name="db-01", target=server.host, source="compute-08")
    home = BringBackFacts(
        name="compute-08",
        host="compute-08",
        service=a_service("compute-08"),
        hypervisor=replace(WELL.hypervisor, name="compute-08", host="compute-08"),
        drained=MovedServers(run="01RUN", servers=(moved,)),
        away=(AwayServer(drained=moved, server=server, node=node),),
    )
    return replace(home, **changes)


def planned(home: BringBackFacts, **how: Any) -> Plan[World]:  # noqa: ANN401  # any field
    return plan_bring_back(
        home, BringBackRequest(node="compute-08", run="01RUN", how=HowToMove(**how))
    )


def on_the_way_home(case: Case, **how: Any) -> tuple[int, list[Warned]]:  # noqa: ANN401  # any field
    """Return how many servers come home from the node of a case, and who stays away, and why."""
    plan = planned(coming(case.before), **how)

    assert plan.blockers == ()
    return len([*plan.moves()]), [each for each in plan.warnings if each.worry == "stays-away"]


# --- what keeps one server away ---

# Where the remedy leads to, if that is another world than after a drain: a server must be there.
OTHERWISE = {
    "run-unfinished": claimed(a_server(), claiming_run=RunState.SUCCEEDED),
    "run-goes-on": claimed(a_server(), claiming_run=RunState.SUCCEEDED),
    "shelved": WELL,
    "soft-deleted": WELL,
    "anti-affinity": WELL,
    "zone": in_zone((a_candidate(),)),
}
NOT_OF_A_HOMECOMING = {
    "has-accelerator": "its one remedy is to leave it where it is",
    "affinity": "its one remedy is to leave it where it is",
    "busy": "it is left alone while it is busy, and not judged",
    "stuck": "it is left alone while it is busy, and not judged",
    "not-on-target": "no flag has said where it goes; it is followed below",
    "identity-remembered": "it warns of a node, which is not moved",
}
KEEPS_AWAY = {
    name: case
    for name, case in FOLLOWED_BY_A_DRAIN.items()
    if name in OF_SERVERS and name not in NOT_OF_A_HOMECOMING
} | {
    "claim-unknown": Case(
        before=claimed(a_server(), claiming_run=None), advice="settle that", after=WELL
    )
}


@pytest.mark.parametrize("name", KEEPS_AWAY)
def test_what_is_followed_for_a_drain_lets_one_server_come_home_too(name: str) -> None:
    case = KEEPS_AWAY[name]
    after = OTHERWISE.get(name, case.after or case.before)
    how = {flag: value for flag, value in case.asks_then.items() if flag != "keep_service"}

    stays, [_] = on_the_way_home(case)
    comes, away = on_the_way_home(replace(case, before=after), **how)

    assert (stays, comes, away) == (0, 1, [])


BY_FLAG = {
    name: case
    for name, case in KEEPS_AWAY.items()
    if case.asks_then and case.after is None and case.asks_then != LEAVE
}


@pytest.mark.parametrize("name", BY_FLAG)
def test_flags_that_let_a_server_leave_are_named_for_its_way_home(name: str) -> None:
    """Whatever blocker of a drain is settled by a flag alone; `--leave-behind` settles nothing."""
    _, [warned] = on_the_way_home(BY_FLAG[name])

    assert BY_FLAG[name].advice.partition("=")[0].split()[0] in warned.remedy


# --- what stands against all of it, or is warned of ---


@dataclass(frozen=True, kw_only=True)
class HomeCase:
    """A verdict, and the homecoming or the flags once its remedy was followed."""

    before: BringBackFacts
    advice: str  # a part of the remedy
    after: BringBackFacts | None = None  # None: the same
    how: dict[str, Any] | None = None


FOLLOWED = {
    "home-closed": HomeCase(
        before=coming(WELL, service=a_service("compute-08", is_enabled=False)),
        advice="node return compute-08", after=coming(WELL),
    ),
    "unknown-left-behind": HomeCase(
        before=coming(WELL), advice="leave the flag out", how={"leave_behind": ("nonsense",)},
    ),
    "unknown-consent": HomeCase(
        before=coming(WELL), advice="leave the flag out", how=agreed(),
    ),
    "stays-away": HomeCase(
        before=coming(a_node(a_server("RESCUE"))), advice="node return compute-08 --bring-back",
        after=coming(WELL),
    ),
}  # fmt: skip

PASSES = "it is a warning of a server that comes home all the same"
NOT_FOLLOWED = {
    **NOT_OF_A_HOMECOMING,
    **dict.fromkeys(["stops", "stops-when-slow", "wish-cold", "consented", "locked"], PASSES),
    **dict.fromkeys(["disk-copied", "disk-unknown", "left-binding", "port-leaves"], PASSES),
    **dict.fromkeys(["capabilities-unseen", "may-find-no-host", "zone-unknown"], PASSES),
    "no-allocation": PASSES,
    "right-missing": "`sudo` on the node is asked: tests/cli/test_rights.py",
    "rights-unread": "`sudo` on the node is asked: tests/cli/test_rights.py",
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_its_remedy_settles_a_verdict(name: str) -> None:
    case = FOLLOWED[name]

    before, then = planned(case.before, **(case.how or {})), planned(case.after or case.before)

    assert_settled(name, case.advice, before, then)
    assert len([*then.moves()]) == 1


def test_a_server_that_placement_does_not_offer_its_home_stays_until_it_does() -> None:
    elsewhere = a_node(a_server(), candidates=(a_candidate("compute-09"),))

    plan = planned(coming(elsewhere))

    [warned] = [each for each in plan.warnings if each.worry == "stays-away"]
    assert "cannot go to `compute-08`" in warned.reason
    assert len([*planned(coming(WELL)).moves()]) == 1


def test_each_rule_is_followed_or_says_why_not() -> None:
    known = [*KEEPS_AWAY, *FOLLOWED, *NOT_FOLLOWED]

    assert sorted(known) == sorted(raised_by("bring_back_servers"))
