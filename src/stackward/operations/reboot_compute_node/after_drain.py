"""A node that is emptied, rebooted and returned, and whose servers come home: runs of one item."""

from dataclasses import replace

from stackward.plan import Request
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.reboot_compute_node import RebootNodeRequest
from stackward.requests.return_compute_node import ReturnRequest


def drained_and_back(
    drain: DrainRequest, reboot: RebootNodeRequest, returned: ReturnRequest
) -> tuple[Request, ...]:
    """Return what is asked of a node, in order; which run drains it is not known yet."""
    # What owners have agreed to for the drain holds for the way home too.
    back = BringBackRequest(node=drain.node, run="", how=replace(drain.how, consents=()))
    return (drain, reboot, returned, back)
