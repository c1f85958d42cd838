"""Evacuate a compute node: prove it dead, and bring its servers up elsewhere, each once.

The node must be dead; a living one is drained. Not undone: once the node is back and well, its
servers are migrated there.
"""

from stackward.checks.compute import NoServersOn
from stackward.checks.server import OneGuestEach
from stackward.moving.fencing import device_of, proofs_at_the_end
from stackward.operations.evacuate_compute_node.copies import (
    hosts_off_too,
    judge_ended,
    proofs_of_others,
)
from stackward.operations.evacuate_compute_node.facts import EvacuationFacts
from stackward.operations.evacuate_compute_node.judging import (
    judge_flags,
    judge_left,
    judge_servers,
)
from stackward.operations.evacuate_compute_node.others import judge_cloud
from stackward.operations.evacuate_compute_node.placing import locked_disks
from stackward.operations.evacuate_compute_node.shown import notices
from stackward.operations.evacuate_compute_node.stages import moves_of, stages_of
from stackward.operations.evacuate_compute_node.starting import (
    judge_coming,
    start_stages,
    they_run,
    who_comes,
)
from stackward.operations.evacuate_compute_node.without_device import (
    judge_death,
    judge_locks,
    whose_word,
)
from stackward.plan import Blocked, Plan, Warned
from stackward.policy.fence import signs_in_words
from stackward.policy.node import judge_identity
from stackward.ports.world import World
from stackward.requests.evacuate_compute_node import EvacuateRequest


def plan_evacuation(facts: EvacuationFacts, asked: EvacuateRequest) -> Plan[World]:
    """Plan the evacuation from facts alone."""
    fence, leaving = facts.fence, facts.leaving
    judged, packing = judge_servers(leaving, asked)
    moves = tuple(moves_of(judged, packing, facts, asked))
    coming = who_comes(facts, asked, moves)
    targets = {each.thing_id: str(each.expects["target"]) for each in moves}
    verdicts = (
        *judge_identity(fence),
        *judge_death(fence, asked.fence),
        *judge_locks(fence, asked.fence, locked_disks(leaving)),
        *judge_cloud(leaving),
        *judge_flags(leaving, asked),
        *judge_ended(leaving, asked),
        *(verdict for each in judged for verdict in each.verdicts),
        *packing.left_out,
        *judge_left(leaving, asked),
        *judge_coming(coming, facts, asked),
    )
    whose = whose_word(fence, asked.fence)
    gone = {each.thing_id for each in moves}
    left = tuple(each.id for each in leaving.node.servers if each.id not in gone)
    return Plan(
        title=f"evacuate `{fence.name}`",
        request=asked,
        holds=(fence.host,),
        decisions={"proof": whose.value},
        facts={
            "node": fence.name,
            "host": fence.host,
            "it is": fence.life.value,
            "signs": signs_in_words(fence),
            "device": device_of(fence),
            "servers": len(leaving.node.servers),
            "evacuated": len(moves),
            "read at": fence.read_at.isoformat(timespec="seconds"),
        },
        notices=tuple(notices(facts, asked, moves, coming)),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=(
            *stages_of(facts, asked, moves, whose),
            *start_stages(coming, facts, asked, targets, whose),
        ),
        verify=(
            *proofs_at_the_end(fence, whose, asked.confirmed_off),
            NoServersOn(host=fence.host, except_for=left),
            *proofs_of_others(leaving, sorted(gone)),
            OneGuestEach(
                servers=tuple(sorted(gone)),
                but_for=fence.host,
                also_off=hosts_off_too(leaving, sorted(gone)),
            ),
            *they_run(coming, fence.host),
        ),
    )
