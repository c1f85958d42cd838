"""Repair how the volumes of a server are attached, each with the smallest change that does it.

What only Cinder holds is released first; then Nova reboots the server, or detaches and attaches.
`os-reset_status` is never asked for. In the end, each attached volume has its device again.
"""

from collections.abc import Iterator
from dataclasses import replace

from stackward.checks.volumes import VolumesAgree
from stackward.operations.reattach_volumes.acts import Act, Chosen, choose
from stackward.operations.reattach_volumes.facts import ReattachFacts
from stackward.operations.reattach_volumes.rules import judge_server, judge_volumes
from stackward.operations.reattach_volumes.stages import stages_of
from stackward.plan import Blocked, Plan, Warned
from stackward.ports.world import World
from stackward.requests.reattach_volumes import ReattachRequest


def plan_reattach(facts: ReattachFacts, asked: ReattachRequest) -> Plan[World]:
    """Plan the repair from facts alone. The request is kept with the ids that it is about."""
    server = facts.server
    verdicts = tuple(judge_server(facts))
    is_judged = not any(isinstance(each, Blocked) for each in verdicts)
    chosen = _chosen(facts) if is_judged else ()
    verdicts += tuple(judge_volumes(facts, asked, chosen))
    mended = tuple(one for one in chosen if one.is_mended)
    named = facts.wanted or tuple(one.volume for one in mended)
    return Plan(
        title=f"repair the volumes of server `{server.label}`",
        request=replace(asked, server=server.id, volumes=named),
        holds=(server.host,) if server.host else (),
        facts={
            "server": server.label,
            "id": server.id,
            "host": server.host,
            "status": server.status,
            "volumes": len(facts.look.rows),
            "read at": facts.look.at.isoformat(timespec="seconds"),
        },
        notices=tuple(_notices(mended)),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=stages_of(server, asked, mended),
        verify=tuple(_proofs(facts, chosen)),
    )


def _chosen(facts: ReattachFacts) -> tuple[Chosen, ...]:
    """Return what is done for each volume that was named; where none was, for all."""
    rows = [one for one in facts.look.rows if not facts.wanted or one.volume in facts.wanted]
    return tuple(choose(one, facts.server, in_run=facts.in_run) for one in rows)


def _notices(mended: tuple[Chosen, ...]) -> Iterator[str]:
    if not mended:
        yield "nothing: all three witnesses agree"
    elif all(one.main is Act.NONE for one in mended):
        yield "nothing: its guest and what it has attached are not touched"
    if any(one.main in {Act.REATTACH, Act.ATTACH} for one in mended):
        yield "what is attached again is a new disk to the guest, with its serial and device"


def _proofs(facts: ReattachFacts, chosen: tuple[Chosen, ...]) -> Iterator[VolumesAgree]:
    whole = [one for one in chosen if one.why is None]
    if not whole:
        return
    yield VolumesAgree(
        server=facts.server.id,
        name=facts.server.label,
        attached=tuple((one.volume, one.device or "") for one in whole if one.row.of_nova),
        free=tuple(one.volume for one in whole if not one.row.of_nova),
    )
