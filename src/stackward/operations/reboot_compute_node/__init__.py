"""Reboot a compute node: its servers are stopped before, and started again; or it is empty."""

from dataclasses import replace

from stackward.facts.moved import Did
from stackward.moving.bringing_up import STARTS
from stackward.operations import Operation
from stackward.operations.reboot_compute_node.facts import read_reboot, read_reboot_after
from stackward.operations.reboot_compute_node.rules import NO_UNDO, judge_server
from stackward.operations.reboot_compute_node.stages import STOP
from stackward.operations.reboot_compute_node.together import plan_reboot, plan_reboots
from stackward.plan import Blocked, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.reboot_compute_node import RebootNodeRequest
from stackward.requests.undo_run import UndoRequest


def _judge(
    world: World, journal: Journal, asked: RebootNodeRequest, move: Move[World]
) -> Blocked | None:
    """Judge a server again before it is stopped; all else is looked at by its own steps."""
    if move.how != STOP:
        return None
    facts = read_reboot(world, journal, asked, None, move.thing_id)
    verdicts = (
        each for server in facts.node.servers for each in judge_server(facts, server, asked)
    )
    return next((each for each in verdicts if isinstance(each, Blocked)), None)


def _undo(did: Did, asked: UndoRequest) -> Blocked:  # noqa: ARG001 # for any request
    """Refuse: a boot is not taken back, and what ran before runs again."""
    node = str(did.plan.facts.get("node"))
    return NO_UNDO.blocks(did.run.id, did.run.id, node=node)


OPERATION = Operation(
    request=RebootNodeRequest,
    read=read_reboot,
    plan=plan_reboot,
    judge=_judge,
    together=plan_reboots,
    read_after=read_reboot_after,
    columns=replace(STARTS, outcome=("Server", "ID", "How", "State", "Seconds", "Downtime")),
    undo=_undo,
)
