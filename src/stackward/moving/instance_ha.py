"""The stages that report to the instance-HA service that servers leave a node, or may come."""

from stackward.model.maintenance import HA_OFF, HA_ON
from stackward.plan import Move, Stage
from stackward.ports.world import World
from stackward.steps.instance_ha import TellInstanceHa

TELL = "tell"  # how it is reported to that service


def telling_instance_ha(host: str, *, is_in_maintenance: bool) -> Stage[World]:
    """Return the stage: before anything goes off on purpose; after the node has proved itself.

    Else the service takes the maintenance for a failure, or a failure for maintenance.
    """
    tell = TellInstanceHa(host=host, is_in_maintenance=is_in_maintenance)
    return Stage(
        name=HA_OFF if is_in_maintenance else HA_ON,
        moves=(Move(thing=host, how=TELL, steps=(tell,)),),
    )
