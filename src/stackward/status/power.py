"""Whether a node has no power: its device must say Off twice.

Some say Off once they have taken the order; and what is read once may be a moment.
"""

from datetime import datetime

from stackward.model.power import PowerState
from stackward.ports.world import World

AGAIN_S = 5.0  # between the two times


def says_off_twice(world: World, node: str) -> tuple[datetime, datetime] | None:
    """Return when the device of a node said Off, and said so again; None: it said On.

    Raises what the port raises if the device does not say.
    """
    if world.power.state(node) is not PowerState.OFF:
        return None
    first = world.clock.now()
    world.clock.wait(AGAIN_S)
    if world.power.state(node) is not PowerState.OFF:
        return None
    return first, world.clock.now()
