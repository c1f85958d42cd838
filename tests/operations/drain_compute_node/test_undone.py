"""What a drain plans for a node that another run has taken out before: what is lacking, no more.

One row is one way in which a node may stand, and one way in which the run that claims it may.
"""

from dataclasses import dataclass, replace
from itertools import product

import pytest
from typing_extensions import override

from builders import NOW, a_server, asking, claimed, kept_off
from stackward.model.instance_ha import HaHost
from stackward.model.node import ComputeNode
from stackward.model.placement import DISABLED
from stackward.model.run import RunState
from stackward.model.unread import Hindrance, Unread
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.plan import Plan
from stackward.ports.world import World
from stackward.steps.service import Cordon

SILENT = Unread("no route to host", Hindrance.WAY)
ENDED = {
    "succeeded": {"claiming_run": RunState.SUCCEEDED},
    "failed": {"claiming_run": RunState.FAILED},
    "unverified": {"claiming_run": RunState.UNVERIFIED},
    "cancelled or given up": {"claiming_run": RunState.CANCELLED},
    "stopped, with nothing open": {"claiming_run": RunState.STOPPED, "is_claim_idle": True},
    "stopped, with something open": {"claiming_run": RunState.STOPPED},
    "queued": {"claiming_run": RunState.QUEUED},
    "running": {"claiming_run": RunState.RUNNING},
    "not known here": {"claiming_run": None},
}
GOES_ON = {
    "stopped, with something open": "run-unfinished",
    "queued": "run-unfinished",
    "running": "run-goes-on",
}
PROVED = {"succeeded", "not known here"}
COMPUTE = ("runs", "is kept off", "is down, and not for good", "is silent")


@dataclass(frozen=True)
class Row:
    """How the run that claims the node ended, and how the node stands."""

    ended: str
    compute: str
    has_server: bool
    has_trait: bool
    is_told: bool | None  # None: no instance-HA service looks after it

    @override
    def __str__(self) -> str:
        """Name the row."""
        server = "a server" if self.has_server else "empty"
        trait = "trait" if self.has_trait else "no trait"
        told = {True: "HA told", False: "HA not told", None: "no HA"}[self.is_told]
        return f"{self.ended}: nova-compute {self.compute}, {server}, {trait}, {told}"

    @property
    def node(self) -> ComputeNode:
        """Return the node of it."""
        servers = [a_server()] if self.has_server else []
        node = claimed(*servers) if self.compute == "runs" else kept_off(*servers)
        if self.compute == "is down, and not for good":
            node = replace(node, is_kept_off=False)
        if self.compute == "is silent":
            node = replace(node, is_kept_off=SILENT, domains=SILENT, running_as=SILENT)
        if not self.has_trait:
            traits = node.provider.traits - {DISABLED}
            node = replace(node, provider=replace(node.provider, traits=traits))
        if self.is_told is not None:
            entry = HaHost(id="e", segment="s", host="h", is_in_maintenance=self.is_told)
            node = replace(node, ha_hosts=(entry,))
        return replace(node, **ENDED[self.ended])  # type: ignore[arg-type]  # its fields

    @property
    def expected(self) -> str | list[str]:
        """Return the rule that blocks, or the kinds of the steps; none: only proofs."""
        runs, is_off = self.compute == "runs", self.compute == "is kept off"
        is_silent = self.compute == "is silent"
        steps = [
            *(["tell-instance-ha"] if self.is_told is False else []),
            "cordon",
            *(["live-migrate"] if self.has_server else []),
            *([] if is_off else ["keep-off"]),
        ]
        is_all_there = self.has_trait and not self.has_server and self.is_told is not False
        for holds, what in (
            (self.ended in GOES_ON, GOES_ON.get(self.ended, "")),
            (self.has_server and self.ended in PROVED, "came-back"),
            (is_all_there and (is_off or (is_silent and self.ended in PROVED)), []),
            (self.ended == "not known here", "drain/left-undone"),
            (is_silent and self.has_server, "node-dead"),
            (is_silent, "drain/left-undone"),
            (not runs and (self.has_server or not self.has_trait), "drain/left-undone"),
        ):
            if holds:
                return what
        return steps


ROWS = [
    Row(*each)
    for each in product(ENDED, COMPUTE, (False, True), (True, False), (None, True, False))
]


def planned(plan: Plan[World]) -> str | list[str]:
    """Return the first rule that blocks, but for what blocks beside it; or the steps' kinds."""
    beside = {"node-down", "node-dead"}
    rules = sorted((each.worry for each in plan.blockers), key=lambda rule: rule in beside)
    return rules[0] if rules else [step.kind for _, move in plan.moves() for step in move.steps]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_drain_does_what_is_lacking_whichever_run_left_it_undone(row: Row) -> None:
    plan = plan_drain(row.node, asking())

    assert planned(plan) == row.expected


def test_the_table_has_each_combination_once() -> None:
    names = [str(row) for row in ROWS]

    assert len(set(names)) == len(ENDED) * len(COMPUTE) * 2 * 2 * 3
    assert {str(row.expected) for row in ROWS} >= {
        "[]",
        "drain/left-undone",
        "came-back",
        "node-dead",
        "run-goes-on",
        "run-unfinished",
        "['cordon', 'keep-off']",
        "['tell-instance-ha', 'cordon', 'live-migrate', 'keep-off']",
        "['tell-instance-ha', 'cordon']",
    }


@pytest.mark.parametrize("row", [row for row in ROWS if isinstance(row.expected, list)], ids=str)
def test_whatever_is_done_there_takes_over_the_claim(row: Row) -> None:
    plan = plan_drain(row.node, asking())

    cordons = [step for _, move in plan.moves() for step in move.steps if isinstance(step, Cordon)]
    said = any("taken over from run `01J8` of ann" in each for each in plan.notices)
    assert [each.replaces for each in cordons] == (["01J8"] if row.expected else [])
    assert said == bool(row.expected)


def test_a_drain_that_keeps_the_service_does_not_miss_that_it_is_kept_off() -> None:
    node = claimed(claiming_run=RunState.CANCELLED)

    plan = plan_drain(node, asking(keep_service=True))

    assert (plan.stages, plan.blockers) == ((), ())


def test_what_is_lacking_is_named_where_it_cannot_be_done() -> None:
    row = Row("cancelled or given up", "is kept off", True, False, False)  # noqa: FBT003  # a row

    [blocker] = plan_drain(row.node, asking()).blockers

    assert blocker.reason == (
        "run `01J8` of ann did not finish: 1 server is still there; placement does not have the "
        "trait COMPUTE_STATUS_DISABLED; maintenance was not reported to the instance-HA service; "
        "this cannot be done now: its nova-compute is down, and that needs it"
    )
    assert row.node.read_at == NOW
