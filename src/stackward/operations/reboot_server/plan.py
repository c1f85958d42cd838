"""Reboot a server where it is, and prove that another boot of its guest runs.

Not for a server that was stopped, which a hard reboot would start, nor for one whose guest may run
elsewhere. A reboot is not undone.
"""

from collections.abc import Iterator
from dataclasses import replace

from stackward.checks.server import RunsAnew
from stackward.model.unread import Unread
from stackward.operations.reboot_server.facts import RebootFacts
from stackward.operations.reboot_server.rules import judge_reboot
from stackward.plan import Blocked, Move, Plan, Stage, Warned
from stackward.ports.world import World
from stackward.requests.reboot_server import RebootRequest
from stackward.steps.server_power import RebootServer

HARD, SOFT = "hard", "soft"


def plan_reboot(facts: RebootFacts, asked: RebootRequest) -> Plan[World]:
    """Plan the reboot from facts alone. The request is kept with the server's id.

    The run has the node for itself: a drain that began during it would move the server under it.
    """
    server, how = facts.server, HARD if asked.is_hard else SOFT
    verdicts = tuple(judge_reboot(facts, asked))
    return Plan(
        title=f"{'hard-reboot' if asked.is_hard else 'reboot'} server `{server.label}`",
        request=replace(asked, server=server.id),
        holds=(server.host,) if server.host else (),
        facts={
            "server": server.label,
            "id": server.id,
            "project": server.project,
            "host": server.host,
            "status": server.status,
            "read at": facts.read_at.isoformat(timespec="seconds"),
        },
        notices=tuple(_notices(facts, asked)),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=tuple(_stages(facts, asked, how)),
        verify=(
            RunsAnew(
                server=server.id,
                name=server.label,
                before=None if isinstance(facts.boot, Unread) else facts.boot,
            ),
        ),
    )


def _stages(facts: RebootFacts, asked: RebootRequest, how: str) -> Iterator[Stage[World]]:
    server = facts.server
    if server.host is None:
        return
    deletes = tuple(
        each for each in facts.attachments.deleted_by_reboot if each in asked.delete_attachments
    )
    step = RebootServer(
        server=server.id,
        name=server.label,
        host=server.host,
        is_hard=asked.is_hard,
        deletes=deletes,
    )
    move: Move[World] = Move(
        thing=server.label,
        thing_id=server.id,
        how=f"{how}, deletes attachments" if deletes else how,
        steps=(step,),
        expects={"host": server.host},
    )
    yield Stage(name="reboot", moves=(move,))


def _notices(facts: RebootFacts, asked: RebootRequest) -> Iterator[str]:
    name = facts.server.label
    if asked.is_hard:
        yield (
            f"`{name}` is switched off at once and on again: what its guest has not written to its "
            "disks is lost"
        )
    else:
        yield f"the guest of `{name}` is asked to shut down, and started again"
        yield (
            "should it not obey within Nova's `[libvirt] wait_soft_reboot_seconds` (120), it is "
            "switched off as by `--hard`"
        )
    if asked.is_hard and facts.has_domains:
        yield (
            "Nova creates its definition in libvirt again: the run keeps the one of before, and "
            "says what has changed"
        )
    if not facts.has_domains and facts.server.host:
        yield "its hypervisor is not libvirt: that it has rebooted is known by Nova's word alone"
