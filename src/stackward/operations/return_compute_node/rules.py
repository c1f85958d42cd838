"""Whether a node may return to service, and what is warned of."""

from collections.abc import Iterator

from stackward.model.maintenance import DROP_IN, MAINTENANCE, Marks, ReturningNode
from stackward.model.unread import Unread
from stackward.plan import Verdict
from stackward.policy.maintenance import HELD, NODE_SILENT, claimed_elsewhere
from stackward.policy.node import FORCED_DOWN, judge_identity
from stackward.policy.rule import Rule
from stackward.ports.login import way_to

NOTHING_TO_RETURN = Rule(
    "nothing-to-return",
    "is in service: it is enabled, and nothing on it keeps its nova-compute off",
    "there is nothing to do; `stackward node drain {thing}` takes it out",
    "A return undoes a drain, and this node is not out of service.",
)
FOREIGN_CLAIM = Rule(
    "foreign-claim",
    "is disabled, and not by Stackward: {text}",
    "settle it with whoever disabled it: "
    "`openstack compute service set --enable {host} nova-compute`",
    "The reason of a disabled service is its owner's claim; another's claim is never taken over.",
)
RUNS_ALTHOUGH_OFF = Rule(
    "runs-although-off",
    "its nova-compute runs {what}, although its drain keeps it off",
    "find who started it; the return goes on from there",
    "What a drain keeps off was started past it: servers may have been put there since.",
)
SECOND_COMPUTE = Rule(
    "second-compute",
    "its nova-compute runs {what}; the return would start a second one as the unit "
    "`nova-compute.service`",
    "if the unit is not wanted there, take away what keeps it off (`systemctl unmask "
    "nova-compute`, {marks}), and see that it does not start at the next boot (`systemctl disable "
    "nova-compute`); else stop the other one; then plan again",
    "Two nova-computes of one host would both carry out its orders.",
)
PROCESSES_UNSEEN = Rule(
    "processes-unseen",
    "whether a nova-compute runs there already, outside its unit, could not be read: {why}",
    "see `ps -ef` there as root; approve only if no container and no other unit runs one",
    "The return starts the unit; two nova-computes of one host would both carry out its orders.",
)
NO_UNIT_TO_START = Rule(
    "no-unit-to-start",
    "no nova-compute runs there, and systemd has no unit `nova-compute.service` to start",
    "start it by what manages it there (a container, say), then plan again",
    "A return starts that unit only.",
)
HA_UNSEEN = Rule(
    "ha-unseen",
    "the instance-HA service could not be asked whether it leaves the node alone still: {why}",
    "see `openstack segment list` for its SEGMENT, then `openstack segment host list SEGMENT`; "
    "`openstack segment host update --on_maintenance False SEGMENT {host}` ends it",
    "It would not restart the servers of this node, should it fail.",
)
NO_PORT = Rule(
    "no-port",
    "its acceptance server is booted without a port: networking is not proved",
    "name a network with `--network`",
    "A port is made in a network of the operator's choice, never in a guessed one.",
)


def judge_return(node: ReturningNode, over: str | None = None) -> Iterator[Verdict]:
    """Ask whether the node is out of service, by us, and can be reached.

    `over` is a run whose claim may be lifted although the journal here does not know that run.
    """
    service = node.service
    yield from judge_identity(node)
    if service.is_forced_down:
        yield FORCED_DOWN.blocks(node.name, host=node.host)
    if isinstance(node.marks, Unread):
        yield NODE_SILENT.blocks(node.name, why=node.marks.why, way=way_to(node.marks))
    elif isinstance(node.gate, Unread):
        yield NODE_SILENT.blocks(node.name, why=node.gate.why, way=way_to(node.gate))
    elif service.is_enabled and not _is_kept_off(node) and node.unproved is None:
        yield NOTHING_TO_RETURN.blocks(node.name)
    yield from _judge_processes(node)
    if not service.is_enabled and node.claim is None:
        text = service.disabled_reason or "without a reason"
        yield FOREIGN_CLAIM.blocks(node.name, host=node.host, text=text)
    if node.claim and not node.is_claim_known and node.claim.run != over:
        yield claimed_elsewhere(node.claim, node.name)
    for holder in node.holders:
        yield HELD.blocks(node.name, run=holder.run, title=holder.title, state=holder.state)


def _is_kept_off(node: ReturningNode) -> bool:
    """Say whether anything on the node keeps its nova-compute off."""
    return node.is_gate_shut or (isinstance(node.marks, Marks) and node.marks.is_any)


def _judge_processes(node: ReturningNode) -> Iterator[Verdict]:
    """Look for a nova-compute that runs although the node was to be kept off."""
    running, marks = node.running_as, node.marks
    if running is None or isinstance(marks, Unread):
        return
    if isinstance(running, Unread):
        yield PROCESSES_UNSEEN.warns(node.name, why=running.why)
        return
    if running.unit_load == "not-found" and not running.processes:
        yield NO_UNIT_TO_START.blocks(node.name)
    if not (marks.is_any and running.processes):
        return
    if elsewhere := running.outside:
        yield SECOND_COMPUTE.blocks(
            node.name, what=elsewhere[0].words, marks=f"`rm -f {MAINTENANCE} {DROP_IN}`"
        )
    else:
        yield RUNS_ALTHOUGH_OFF.warns(node.name, what=running.processes[0].words)


def is_run_elsewhere(node: ReturningNode) -> bool:
    """Say whether something else than the unit runs nova-compute there: it is not for us to start.

    A drain of such a node has left it running.
    """
    running = node.running_as
    if running is None or isinstance(running, Unread):
        return False
    has_marks = not isinstance(node.marks, Unread) and node.marks.is_any
    return bool(running.outside) and not has_marks
