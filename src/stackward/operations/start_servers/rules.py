"""Whether the nodes of servers that are to be started let them: rules of a start alone."""

from collections.abc import Iterator

from stackward.operations.start_servers.facts import StartFacts
from stackward.plan import Verdict
from stackward.policy.maintenance import HELD
from stackward.policy.rule import Rule

NODE_DOWN = Rule(
    "start/node-down",
    "its nova-compute is down",
    "repair nova-compute there (`systemctl status nova-compute`), then plan again; if the machine "
    "is dead, see the guide of a node that has died",
    "The request would wait in its queue, and the server would be busy for that time.",
)
FORCED_DOWN = Rule(
    "start/forced-down",
    "the service of its node was forced down",
    "`openstack compute service set --up {host} nova-compute`, once it is certain what runs there",
    "Somebody told Nova that the node is fenced: the server may be running elsewhere already.",
)
NODE_OUT = Rule(
    "start/node-out",
    "is out of service, and servers are started there: {text}",
    "settle it with whoever disabled the node, if it is about to be switched off",
    "A start moves no server: it needs nothing of the scheduler.",
)
NO_UNDO = Rule(
    "start/no-undo",
    "has started servers, and nothing is known of who would want them off again",
    "stop those that are to be off, each by `openstack server stop`",
    "A server that runs is its owner's: a stop is decided for each.",
)


def judge_nodes(facts: StartFacts) -> Iterator[Verdict]:
    """Ask whether the nodes are alive, and nobody else's at the moment."""
    for host, service in facts.services.items():
        if service is not None and service.is_forced_down:
            yield FORCED_DOWN.blocks(host, host=host)
        elif service is None or not service.is_up:
            yield NODE_DOWN.blocks(host)
        for holder in facts.holders[host]:
            yield HELD.blocks(host, run=holder.run, title=holder.title, state=holder.state)
        if service is not None and not service.is_enabled:
            yield NODE_OUT.warns(host, text=service.disabled_reason or "without a reason")
