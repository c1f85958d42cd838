"""The order in which volumes are repaired: first by Cinder, then by Nova."""

from collections.abc import Iterator

from stackward.model.server import Server
from stackward.operations.reattach_volumes.acts import Act, Chosen
from stackward.operations.reattach_volumes.rules import in_order
from stackward.plan import Move, Stage, Step
from stackward.ports.world import World
from stackward.requests.reattach_volumes import ReattachRequest
from stackward.steps.awaiting import AwaitPrompt
from stackward.steps.server_power import RebootServer
from stackward.steps.volumes import (
    AttachVolume,
    DetachVolume,
    RemoveAttachment,
    RollBackDetaching,
    UnreserveVolume,
)


def stages_of(
    server: Server, asked: ReattachRequest, mended: tuple[Chosen, ...]
) -> tuple[Stage[World], ...]:
    """Return what Cinder gives free, a move for each volume; then one move of the server.

    A hard reboot deletes what only Cinder has by itself: that is removed before it, and proved.
    """
    released = tuple(_release(server, one) for one in mended if one.release is not Act.NONE)
    stages = [Stage(name="release", moves=released)] if released else []
    if steps := tuple(_steps(server, asked, mended)):
        by_nova = [one for one in mended if one.main is not Act.NONE]
        acts = dict.fromkeys(one.main.value for one in by_nova)
        move: Move[World] = Move(
            thing=server.label,
            thing_id=server.id,
            how=", ".join(acts),
            steps=steps,
            expects={"volumes": ", ".join(one.volume for one in by_nova)},
        )
        stages.append(Stage(name="mend", moves=(move,)))
    return tuple(stages)


def _release(server: Server, one: Chosen) -> Move[World]:
    return Move(
        thing=server.label,
        thing_id=one.volume,
        how=one.release.value,
        steps=tuple(_release_steps(server, one)),
        expects={"volumes": one.volume},
    )


def _release_steps(server: Server, one: Chosen) -> Iterator[Step[World]]:
    if one.release is Act.ROLL_BACK:
        yield RollBackDetaching(volume=one.volume, name=server.label)
    elif one.release is Act.UNRESERVE:
        yield UnreserveVolume(volume=one.volume, name=server.label)
    for attachment in one.stale:
        yield RemoveAttachment(
            attachment=attachment, volume=one.volume, server=server.id, name=server.label
        )


def _steps(
    server: Server, asked: ReattachRequest, mended: tuple[Chosen, ...]
) -> Iterator[Step[World]]:
    """Return the steps of the server: what is detached goes last first, and comes first first."""
    host = server.host or ""
    again = in_order([one for one in mended if one.main is Act.REATTACH])
    attached = in_order([one for one in mended if one.main in {Act.REATTACH, Act.ATTACH}])
    if any(one.main in {Act.REBOOT, Act.ATTACH} for one in mended):
        deletes = tuple(one.volume for one in mended if one.main is Act.ATTACH)
        yield RebootServer(
            server=server.id, name=server.label, host=host, is_hard=True, deletes=deletes
        )
    if attached and asked.waits_for_prompt and server.status == "ACTIVE":
        yield AwaitPrompt(server=server.id, name=server.label, pattern=asked.pattern)
    for one in reversed(again):
        yield DetachVolume(
            server=server.id,
            name=server.label,
            volume=one.volume,
            host=host,
            device=one.device or "",
        )
    for one in attached:
        record = one.row.of_nova
        yield AttachVolume(
            server=server.id,
            name=server.label,
            volume=one.volume,
            host=host,
            device=one.device or "",
            tag=record.tag if record else None,
            is_deleted_with_server=bool(record and record.is_deleted_with_server),
        )
