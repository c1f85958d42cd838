"""What proves at its end that a node is empty, cordoned and kept off."""

from stackward.checks.compute import (
    IsCordoned,
    NoAllocations,
    NoDomains,
    NoInstanceDirs,
    NoServersOn,
)
from stackward.checks.instance_ha import InstanceHaKnows
from stackward.checks.service import IsKeptOff
from stackward.model.domain import BlockStorage
from stackward.model.node import ComputeNode
from stackward.operations.drain_compute_node.undone import tells_ha
from stackward.plan import Check
from stackward.policy.compute import by_filesystem, own_directories
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest


def proofs_of(facts: ComputeNode, asked: DrainRequest) -> tuple[Check[World], ...]:
    """Return the checks; servers that stay by the request are no fault."""
    kept, of = asked.how.leave_behind, asked.project_ids
    host, provider = facts.host, facts.provider.id
    return (
        NoServersOn(host=host, except_for=kept, projects=of),
        NoDomains(host=host, node=facts.name, except_for=kept, projects=of),
        NoAllocations(host=host, provider=provider, except_for=kept, projects=of),
        NoInstanceDirs(
            host=host,
            node=facts.name,
            is_shared=by_filesystem(facts.instances_filesystem) is BlockStorage.SHARED,
            other_directories=own_directories(facts),
            except_for=kept,
            projects=of,
        ),
        IsCordoned(host=host, provider=provider),
        *((IsKeptOff(node=facts.name, host=host),) if asked.keeps_off else ()),
        *((InstanceHaKnows(host=host, is_in_maintenance=True),) if tells_ha(facts, asked) else ()),
    )
