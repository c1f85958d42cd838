"""What the plan of a return shows: the facts that it keeps, and its notices."""

from collections.abc import Iterator, Mapping

from stackward.model.evacuation import OLD_COPIES
from stackward.model.maintenance import Marks, ReturningNode
from stackward.model.unread import Unread
from stackward.operations.return_compute_node.acceptance import Parts
from stackward.plan import Json
from stackward.policy.node import identity_told


def facts_shown(facts: ReturningNode, parts: Parts) -> Mapping[str, Json]:
    """Return the facts that the plan keeps, by the names under which they are stored."""
    return {
        "node": facts.name,
        "host": facts.host,
        **identity_told(facts),
        "zone": facts.service.zone,
        "read at": facts.read_at.isoformat(timespec="seconds"),
        "claim": facts.service.disabled_reason,
        "kept off by": list(_kept_off_by(facts.marks)),
        "image": parts.image.name,
        "flavor": parts.flavor.name,
        "network": parts.network.name if parts.network else None,
        **_evacuated(facts),
    }


def _evacuated(facts: ReturningNode) -> Mapping[str, Json]:
    """Return its open evacuations, each with where its server lives; of a node without: nothing."""
    if isinstance(facts.evacuations, Unread) or not facts.evacuations:
        return {}
    return {OLD_COPIES: [one.words for one in facts.evacuations]}


def _kept_off_by(marks: Marks | Unread) -> Iterator[str]:
    if isinstance(marks, Unread):
        return
    if marks.has_file:
        yield "maintenance file"
    if marks.has_drop_in:
        yield "drop-in"
    if marks.is_masked:
        yield "mask"


def notices(facts: ReturningNode) -> Iterator[str]:
    """Say what users of the cloud will notice, and what is left alone."""
    yield from _of_evacuations(facts)
    if facts.unproved:
        yield f"started by run `{facts.unproved}`, which has not proved that the node works"
    if facts.is_gate_shut:
        yield "its boot gate is opened for this boot: its nova-compute starts"
    yield f"after the uncordon, new servers are placed on `{facts.name}` again"
    yield "one acceptance server is booted there and removed again"
    for run in facts.left_servers:
        yield f"the acceptance server that run `{run}` has left is removed"
    if facts.is_foreseen:
        yield "the servers that its drain has moved away come home in a run of their own"
    elif facts.drained is None:
        yield "the database of runs here has no drain of it: there is nothing to bring back"
    elif facts.drained.servers:
        names = ", ".join(server.name for server in facts.drained.servers)
        yield f"moved away by run `{facts.drained.run}`, and home with `--bring-back`: {names}"
    if not isinstance(facts.ha_hosts, Unread) and not facts.is_ha_ours:
        for entry in facts.ha_hosts:
            if entry.is_in_maintenance:
                yield (
                    f"the instance-HA service has `{entry.host}` in maintenance, not by Stackward: "
                    "that is left as it is"
                )


def _of_evacuations(facts: ReturningNode) -> Iterator[str]:
    if facts.is_silent and facts.is_to_be_switched_on:
        yield f"`{facts.name}` is switched on; it has {facts.boot_within_s:.0f} s to answer"
    if not isinstance(facts.evacuations, Unread):
        for one in facts.evacuations:
            yield f"evacuated from it: {one.words}"
