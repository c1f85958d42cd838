"""Whether the nova-compute that took an evacuation up is gone: nobody ends that evacuation then.

Nova writes the new host of a server only at the end (nova 31.0, compute/manager.py,
rebuild_instance). A nova-compute that dies before it, and is started again, knows nothing of the
server: its guest may run there, and Nova does not end it.
"""

from stackward.errors import Uncertain, Unreachable
from stackward.model.unread import Unread
from stackward.model.utc_time import utc_time_or_none
from stackward.ports.compute_process import read_ages
from stackward.ports.machines import machine_in, machine_of
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of, newest_report, service_of

PRE_MIGRATING = "pre-migrating"  # the target has taken it up, and is building the server
# After so long, a nova-compute that is called down has died, or cannot reach RabbitMQ: one that
# only waits for a conductor, or misses a beat, reports again sooner. This does not give work that
# it has accepted a second time.
DOWN_S = 300.0
_ROUNDED_S = 2.0  # ages are whole seconds, and are read after the record


def is_down(world: World, host: str) -> bool:
    """Say whether Nova calls the nova-compute of a host down."""
    service = service_of(world.nova, host)
    return service is not None and not service.is_up


def silent_s(world: World, host: str) -> float | None:
    """Return for how many seconds the nova-compute of a host has not reported; None: not known.

    By Nova's clock: until the newest report of any service that is up.
    """
    service = service_of(world.nova, host)
    reported = utc_time_or_none(service.updated) if service else None
    newest = newest_report(world.nova.services())
    return (newest - reported).total_seconds() if newest and reported else None


def was_started_since(world: World, host: str, quiet_s: float) -> bool | Unread:
    """Say whether each nova-compute there, which Nova calls up, is younger than that.

    Or why that is not known: one that is up has a process, whether we recognize it or not.
    """
    hypervisor = hypervisor_of(world.nova, host)
    if hypervisor is None:
        return Unread(f"no hypervisor of `{host}` was found")
    if not hypervisor.has_domains:
        return Unread("it has no guests")
    found = machine_in(world, machine_of(hypervisor))
    if found.node is None:
        return Unread(found.why)
    try:
        ages = read_ages(world.shell, found.node)
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    return ages if isinstance(ages, Unread) else all(age < quiet_s - _ROUNDED_S for age in ages)
