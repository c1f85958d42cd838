"""Change the boot gate of a compute node: put it there, take it away, or open it for this boot.

Not if a container runs nova-compute: a container asks no unit of systemd. Nor if an instance-HA
service looks after the node: it would take a node that waits at its gate for dead.
"""

from collections.abc import Iterator

from stackward.checks.boot_gate import GateStands
from stackward.checks.service import IsUp
from stackward.model.boot_gate import FRESH_S
from stackward.model.unread import Unread
from stackward.operations.change_boot_gate.facts import GatedNode
from stackward.operations.change_boot_gate.rules import judge_gate
from stackward.plan import Blocked, Check, Move, Plan, Stage, Step, Warned
from stackward.policy.node import judge_identity
from stackward.ports.world import World
from stackward.requests.change_boot_gate import GateRequest
from stackward.steps.boot_gate import InstallGate, OpenGate, RemoveGate
from stackward.steps.service import BringUp

INSTALLED, REMOVED, OPEN = "installed", "removed", "open"
_HOW = {INSTALLED: "install", REMOVED: "remove", OPEN: "open"}


def plan_gate(facts: GatedNode, asked: GateRequest) -> Plan[World]:
    """Plan the change from facts alone."""
    verdicts = (*judge_identity(facts), *judge_gate(facts, asked))
    how = _HOW[asked.to]
    return Plan(
        title=f"{how} the boot gate of `{facts.name}`",
        request=asked,
        holds=(facts.host,),
        facts={
            "node": facts.name,
            "host": facts.host,
            "gate": "not read" if isinstance(facts.gate, Unread) else facts.gate.words,
            "read at": facts.read_at.isoformat(timespec="seconds"),
        },
        notices=tuple(_notices(facts, asked)),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=(
            Stage(
                name="gate",
                moves=(Move(thing=facts.host, how=how, steps=tuple(_steps(facts, asked))),),
            ),
        ),
        verify=tuple(_proofs(facts, asked)),
    )


def _steps(facts: GatedNode, asked: GateRequest) -> Iterator[Step[World]]:
    match asked.to:
        case "installed":
            yield InstallGate(node=facts.name)
        case "removed":
            yield RemoveGate(node=facts.name)
        case _:
            yield OpenGate(node=facts.name)
            yield BringUp(node=facts.name, host=facts.host)


def _proofs(facts: GatedNode, asked: GateRequest) -> Iterator[Check[World]]:
    yield GateStands(node=facts.name, is_there=asked.to != REMOVED)
    if asked.to == OPEN:
        yield IsUp(host=facts.host)


def _notices(facts: GatedNode, asked: GateRequest) -> Iterator[str]:
    match asked.to:
        case "installed":
            if not isinstance(facts.gate, Unread) and facts.gate.is_any:
                yield "a part of a gate, or one of another version, is there: it is replaced"
            yield (
                "after a crash its nova-compute stays off until `stackward node return` or "
                "`stackward node gate open`; after a planned reboot, up again within "
                f"{FRESH_S // 60} minutes, it starts by itself"
            )
        case "removed":
            yield "after any boot its nova-compute starts by itself"
        case _:
            yield (
                "at its start nova-compute removes the guests and the disks of servers that were "
                "evacuated from this node"
            )
