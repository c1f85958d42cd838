"""Which node may get a boot gate, lose it, or have it opened."""

from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, a_service
from operations.return_compute_node.test_after_evacuation import one_open
from stackward.model.boot_gate import NO_GATE, BootGate
from stackward.model.compute_process import ComputeProcess, RunningAs
from stackward.model.instance_ha import HaHost
from stackward.model.maintenance import Holder, Marks
from stackward.model.unread import Unread
from stackward.operations.change_boot_gate import rules
from stackward.operations.change_boot_gate.facts import GatedNode
from stackward.operations.change_boot_gate.plan import plan_gate
from stackward.policy.maintenance import HELD, NODE_SILENT
from stackward.policy.rule import Rule
from stackward.requests.change_boot_gate import GateRequest

HOST = "compute-07"
INSTALL, REMOVE, OPEN = (GateRequest(node=HOST, to=to) for to in ("installed", "removed", "open"))
OPENED = BootGate(
    has_script=True, has_drop_in=True, is_as_shipped=True, is_asked=True, is_open=True
)
SHUT = replace(OPENED, is_open=False)
DEAF = Unread("no route to host")
NOTHING = Marks(has_file=False, has_drop_in=False, is_masked=False)
IN_A_CONTAINER = RunningAs(processes=(ComputeProcess(pid=8, container="docker 4f5e6a7b8c9d"),))


def facts(**changes: Any) -> GatedNode:  # noqa: ANN401  # its fields
    """Return a node that is well, and has no gate."""
    well = GatedNode(
        name=HOST,
        host=HOST,
        read_at=NOW,
        service=a_service(),
        gate=NO_GATE,
        marks=NOTHING,
        running_as=RunningAs(),
        systemd=257,
    )
    return replace(well, **changes)


def steps(node: GatedNode, asked: GateRequest) -> list[str]:
    return [step.kind for _, move in plan_gate(node, asked).moves() for step in move.steps]


@pytest.mark.parametrize(
    ("node", "asked", "does"),
    [
        (facts(), INSTALL, ["install-gate"]),
        (facts(gate=replace(OPENED, is_as_shipped=False)), INSTALL, ["install-gate"]),
        (facts(gate=BootGate(has_script=True)), INSTALL, ["install-gate"]),
        (facts(gate=replace(OPENED, is_asked=False)), INSTALL, ["install-gate"]),
        (facts(gate=OPENED), REMOVE, ["remove-gate"]),
        (facts(gate=replace(OPENED, is_as_shipped=False)), REMOVE, ["remove-gate"]),
        (facts(gate=SHUT), OPEN, ["open-gate", "bring-up"]),
    ],
)
def test_what_is_done(node: GatedNode, asked: GateRequest, does: list[str]) -> None:
    plan = plan_gate(node, asked)

    assert (plan.blockers, plan.warnings, steps(node, asked)) == ((), (), does)


REFUSED: list[tuple[Rule, GatedNode, GateRequest]] = [
    (HELD, facts(holders=(Holder(run="01D", title="drain", state="running"),)), INSTALL),
    (NODE_SILENT, facts(gate=DEAF), INSTALL),
    (NODE_SILENT, facts(gate=SHUT, marks=DEAF), OPEN),
    (rules.GUARDED, facts(ha_hosts=(HaHost(id="e", segment="s", host=HOST),)), INSTALL),
    (rules.HA_UNSEEN, facts(ha_hosts=DEAF), INSTALL),
    (rules.NOT_SEEN, facts(running_as=DEAF), INSTALL),
    (rules.NO_UNIT, facts(running_as=RunningAs(unit_load="not-found")), INSTALL),
    (rules.CONTAINER, facts(running_as=IN_A_CONTAINER), INSTALL),
    (rules.OLD_SYSTEMD, facts(systemd=242), INSTALL),
    (rules.SYSTEMD_UNSEEN, facts(systemd=DEAF), INSTALL),
    (rules.THERE, facts(gate=OPENED), INSTALL),
    (rules.THERE, facts(gate=SHUT), INSTALL),
    (rules.NO_GATE, facts(), REMOVE),
    (rules.NO_GATE, facts(), OPEN),
    (rules.IS_OPEN, facts(gate=OPENED), OPEN),
    (rules.KEPT_OFF, facts(gate=SHUT, marks=replace(NOTHING, is_masked=True)), OPEN),
    (rules.EVACUATIONS_UNREAD, facts(gate=SHUT, evacuations=DEAF), OPEN),
    *(
        (rules.EVACUATIONS_OPEN, facts(gate=SHUT, evacuations=(one_open(lives_on=host),)), OPEN)
        for host in ("compute-08", None)  # None: it was deleted
    ),
]


@pytest.mark.parametrize(("rule", "node", "asked"), REFUSED)
def test_what_is_refused(rule: Rule, node: GatedNode, asked: GateRequest) -> None:
    assert [each.worry for each in plan_gate(node, asked).blockers] == [rule.name]


def test_the_first_systemd_that_has_the_condition_will_do() -> None:
    assert plan_gate(facts(systemd=243), INSTALL).blockers == ()


def test_a_shut_gate_is_taken_away_with_a_warning() -> None:
    plan = plan_gate(facts(gate=SHUT), REMOVE)

    assert [each.worry for each in plan.warnings] == [rules.SHUT.name]
