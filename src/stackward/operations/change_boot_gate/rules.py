"""The blockers and warnings of a change of a node's boot gate."""

from collections.abc import Iterator

from stackward.model.boot_gate import SYSTEMD, BootGate
from stackward.model.compute_process import UNIT
from stackward.model.unread import Unread
from stackward.operations.change_boot_gate.facts import GatedNode
from stackward.plan import Verdict
from stackward.policy.evacuations import judge_lives_on_source
from stackward.policy.maintenance import HELD, NODE_SILENT
from stackward.policy.rule import Rule
from stackward.ports.login import way_to
from stackward.requests.change_boot_gate import GateRequest
from stackward.wording import count_of

GUARDED = Rule(
    "gate/guarded",
    "the instance-HA service looks after it (segment {segment}): it would fence a node that waits "
    "at its gate, and evacuate its servers",
    "use no gate; or remove the node from the segment: `openstack segment host delete "
    "{segment} {entry}`, then plan again",
    "To Masakari's monitors, a nova-compute that stays off is dead.",
)
HA_UNSEEN = Rule(
    "gate/ha-unseen",
    "an instance-HA service may look after it; this could not be read: {why}",
    "make `openstack segment list` work, then plan again",
    "It would fence a node that waits at its gate.",
)
NOT_SEEN = Rule(
    "gate/processes-unseen",
    "how its nova-compute runs could not be read: {why}",
    "see `ps -ef` and `systemctl status nova-compute` there; then plan again",
    "A gate is part of the unit: it does not stop a nova-compute that starts in another way.",
)
NO_UNIT = Rule(
    "gate/no-unit",
    f"its systemd has no unit `{UNIT}`",
    "a node without that unit needs no gate; name another node",
    "A gate is a drop-in of that unit.",
)
CONTAINER = Rule(
    "gate/container",
    "its nova-compute runs {what}: the gate of a unit does not stop it",
    "use no gate there: `stackward node fence` keeps the node off, and shows what comes back",
    "A container is started by its own engine at boot.",
)
OLD_SYSTEMD = Rule(
    "gate/old-systemd",
    "its systemd is {version}; a gate needs " + str(SYSTEMD),
    "use no gate until the node has a newer release of its distribution",
    "systemd's NEWS: `ExecCondition=` came with 243; an older one ignores it, and starts the unit.",
)
SYSTEMD_UNSEEN = Rule(
    "gate/systemd-unseen",
    "the version of its systemd could not be read: {why}",
    "run `systemctl --version` on the node: it must answer this login; then plan again",
    "An old systemd ignores the gate.",
)
THERE = Rule(
    "gate/there",
    "has its gate already",
    "there is nothing to do",
    "A gate that is there is not written again.",
)
NO_GATE = Rule(
    "gate/none",
    "has no boot gate",
    "there is nothing to do; `stackward node gate install {thing}` puts one there",
    "A gate that is not there cannot be opened or removed.",
)
IS_OPEN = Rule(
    "gate/open",
    "its gate is open already",
    "see why its nova-compute does not run: `stackward node check {thing}`",
    "A gate that is open stops nothing.",
)
KEPT_OFF = Rule(
    "gate/kept-off",
    "not only its gate keeps nova-compute stopped: the node was also drained or fenced",
    "`stackward node return {thing}` ends both, and checks that the node works",
    "A drain or a fence keeps nova-compute stopped; only a return ends that.",
)
SHUT = Rule(
    "gate/shut",
    "its gate is shut: without it, the next start of nova-compute removes the guests and disks of "
    "servers that were evacuated from here",
    "see `openstack server migration list --host {host} --type evacuation`; it is safer to return "
    "the node first: `stackward node return {thing}`",
    "nova 31.0 compute/manager.py, `_destroy_evacuated_instances`: it is done at each start.",
)
EVACUATIONS_OPEN = Rule(
    "gate/evacuations-open",
    "{count} evacuated from it, and their records are still open ({names}): the start of its "
    "nova-compute destroys their guests and disks there",
    "`stackward node return {host} --dry-run` shows whether each living disk is safe; its return "
    "opens the gate too",
    "nova 31.0 compute/manager.py, _destroy_evacuated_instances: on shared storage that is the "
    "disk of the living server, where its destination does not see it.",
)
EVACUATIONS_UNREAD = Rule(
    "gate/evacuations-unread",
    "the records of its evacuations cannot be read: {why}",
    "make Nova answer (`stackward cloud check`), then plan again; `stackward node return "
    "{host} --dry-run` names each record",
    "They decide which guests and disks its nova-compute destroys when it starts.",
)
NO_UNDO = Rule(
    "gate/no-undo",
    "opened a boot gate, which cannot be undone",
    "there is nothing to do: the next boot shuts it",
    "nova-compute has started since.",
)


def judge_gate(node: GatedNode, asked: GateRequest) -> Iterator[Verdict]:
    """Ask whether the gate may change so; what is not known blocks."""
    for holder in node.holders:
        yield HELD.blocks(node.name, run=holder.run, title=holder.title, state=holder.state)
    if isinstance(node.gate, Unread):
        yield NODE_SILENT.blocks(node.name, why=node.gate.why, way=way_to(node.gate))
        return
    match asked.to:
        case "installed":
            yield from _judge_installed(node, node.gate)
        case "removed":
            yield from _judge_removed(node, node.gate)
        case _:
            yield from _judge_opened(node, node.gate)


def _judge_installed(node: GatedNode, gate: BootGate) -> Iterator[Verdict]:
    if gate.is_whole:
        yield THERE.blocks(node.name)
    if isinstance(node.systemd, Unread):
        yield SYSTEMD_UNSEEN.blocks(node.name, why=node.systemd.why)
    elif node.systemd < SYSTEMD:
        yield OLD_SYSTEMD.blocks(node.name, version=node.systemd)
    if isinstance(node.ha_hosts, Unread):
        yield HA_UNSEEN.blocks(node.name, why=node.ha_hosts.why)
    else:
        for one in node.ha_hosts:
            yield GUARDED.blocks(node.name, segment=one.segment, entry=one.id)
    running = node.running_as
    if isinstance(running, Unread):
        yield NOT_SEEN.blocks(node.name, why=running.why)
    elif running.outside:
        yield CONTAINER.blocks(node.name, what=running.outside[0].words)
    elif running.unit_load == "not-found":
        yield NO_UNIT.blocks(node.name)


def _judge_removed(node: GatedNode, gate: BootGate) -> Iterator[Verdict]:
    if not gate.is_any:
        yield NO_GATE.blocks(node.name)
    elif gate.is_shut:
        yield SHUT.warns(node.name, host=node.host)


def _judge_opened(node: GatedNode, gate: BootGate) -> Iterator[Verdict]:
    if not gate.is_any:
        yield NO_GATE.blocks(node.name)
    elif gate.is_open:
        yield IS_OPEN.blocks(node.name)
    if isinstance(node.marks, Unread):
        yield NODE_SILENT.blocks(node.name, why=node.marks.why, way=way_to(node.marks))
    elif node.marks.is_any:
        yield KEPT_OFF.blocks(node.name)
    yield from _judge_evacuations(node)


def _judge_evacuations(node: GatedNode) -> Iterator[Verdict]:
    """Ask what the start of nova-compute there would destroy: only a return looks further."""
    open_ = node.evacuations
    if isinstance(open_, Unread):
        yield EVACUATIONS_UNREAD.blocks(node.name, host=node.host, why=open_.why)
        return
    yield from judge_lives_on_source(open_, starts_compute=True)
    away = {one.record.server: one.label for one in open_ if not one.is_home}
    if away:
        count = count_of(len(away), "server was", "servers were")
        names = ", ".join(sorted(away.values()))
        yield EVACUATIONS_OPEN.blocks(node.name, host=node.host, count=count, names=names)
