"""Since when a server was down, and since when it is up again: by Nova's own action log.

Nova writes when each part of an action began and ended, in whole seconds by its conductor's clock.
*Down* is when it began to stop the guest, *up* is when it had switched the guest on. So the figure
contains the guest's shutdown, but not the time that the guest itself needs to boot. What Nova does
not say is not measured, and no move waits or fails for it.
"""

from datetime import timedelta

from stackward.errors import Uncertain, Unreachable
from stackward.model.server import ActionEvent, ServerAction
from stackward.ports.world import World

_WRITTEN_WITHIN = timedelta(seconds=60)  # the end of an event, after what the event has done

# nova 31.0 compute/manager.py, wrap_instance_event: what stops a guest, and what switches it on.
_DOWN = {"stop": "compute_stop_instance", "migrate": "compute_resize_instance"}
_UP = {"start": "compute_start_instance", "migrate": "compute_finish_resize"}


def down_since(world: World, server: str, action: ServerAction | None) -> str | None:
    """Return when the action began to stop the guest; None: Nova does not say."""
    event = _event(world, server, action, _DOWN)
    return event.started.isoformat() if event else None


def up_since(world: World, server: str, action: ServerAction | None) -> str | None:
    """Return when the action had switched the guest on; None: Nova does not say."""
    event = _event(world, server, action, _UP)
    return event.finished.isoformat() if event and event.finished else None


def is_being_written(world: World, server: str, action: ServerAction | None) -> bool:
    """Say whether Nova will probably say in a moment when the guest was switched on."""
    event = _event(world, server, action, _UP)
    if event is None or event.finished is not None:
        return False
    return world.clock.now() - event.started < _WRITTEN_WITHIN


def of_move(world: World, server: str) -> dict[str, str | None]:
    """Return since when the last cold migration had a running server down, and up again."""
    try:
        actions = world.nova.actions_of(server)
    except (Unreachable, Uncertain):
        return {}
    action = next((each for each in actions if each.action == "migrate"), None)
    return {
        "down_since": down_since(world, server, action),
        "up_since": up_since(world, server, action),
    }


def _event(
    world: World, server: str, action: ServerAction | None, names: dict[str, str]
) -> ActionEvent | None:
    if action is None:
        return None
    try:
        events = world.nova.action_events(server, action.request_id)
    except (Unreachable, Uncertain):
        return None
    return next((each for each in events if each.name == names.get(action.action)), None)
