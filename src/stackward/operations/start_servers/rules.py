"""Whether the nodes of servers to start allow the start: rules of a start alone."""

from collections.abc import Iterator

from stackward.operations.start_servers.facts import StartFacts
from stackward.plan import Verdict
from stackward.policy.maintenance import HELD
from stackward.policy.rule import Rule

NODE_DOWN = Rule(
    "start/node-down",
    "its nova-compute is down",
    "repair nova-compute there (`systemctl status nova-compute`), then plan again; if the machine "
    "is dead, see the guide `A node has died`",
    "The request would wait in its queue, and the server would be busy for that time.",
)
FORCED_DOWN = Rule(
    "start/forced-down",
    "the service of its node was forced down",
    "`openstack compute service set --up {host} nova-compute`, once it is certain what runs there",
    "The mark means that the node is fenced: the server may already run elsewhere.",
)
NODE_OUT = Rule(
    "start/node-out",
    "is out of service, and servers will be started there: {text}",
    "ask the person who disabled the node whether it will be switched off soon",
    "A start moves no server, so it does not need the scheduler.",
)
NO_UNDO = Rule(
    "start/no-undo",
    "has started servers; Stackward does not know which of them should be off again",
    "stop each server that should be off, with `openstack server stop`",
    "The owner of a running server decides whether to stop it.",
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
