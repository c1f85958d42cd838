"""What the plan of a reboot shows: what users will notice, and what may be down with its node."""

from collections.abc import Iterator, Mapping

from stackward.model.unread import Unread
from stackward.operations.reboot_compute_node.facts import RebootFacts
from stackward.plan import DOMAIN, Json
from stackward.requests.reboot_compute_node import RebootNodeRequest
from stackward.wording import count_of

_TIMEOUT = "os_shutdown_timeout"  # of an image: after so long Nova cuts a guest off


def beside_told(facts: RebootFacts, asked: RebootNodeRequest) -> Mapping[str, Json]:
    """Return the failure domain of the node, if others may be down with it."""
    is_alone = asked.nodes_at_once == 1
    return {} if is_alone or isinstance(facts.domain, Unread) else {DOMAIN: facts.domain}


def notices_of(facts: RebootFacts) -> Iterator[str]:
    """Say what users will notice, and who is left as it is."""
    if running := facts.running:
        yield (
            f"{count_of(len(running), 'server is', 'servers are')} off, each from its stop to its "
            "start; Nova cuts off a guest that does not shut down within 60 s, or the time "
            "that it is set to"
        )
    for server in running:
        if given := dict(server.image_properties or ()).get(_TIMEOUT):
            yield f"`{server.label}` has {given} s to shut down, by its image"
    for each in facts.unseen:
        if each.run is None:
            group = each.here.group.name if each.here.group else ""
            yield (
                f"`{each.here.label}` is of the group `{group}`, which keeps its members apart: "
                f"where {count_of(each.count, 'member runs', 'members run')} is not known, as "
                "their cell is down"
            )
    for server in facts.node.servers:
        if server not in running:
            yield f"`{server.label}` stays as it is ({server.status})"
