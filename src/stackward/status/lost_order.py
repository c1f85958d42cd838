"""Whether the order of an evacuation is lost: its record stays `accepted`, and nobody acts on it.

Evidence decides, never time alone. If an order is only late and is given a second time, one server
has two guests. The conductor takes any record of the server that is `accepted` (nova 31.0,
conductor/manager.py, rebuild_instance).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stackward.errors import StackwardError
from stackward.model.evacuation import EVACUATION
from stackward.model.migration import Migration
from stackward.model.server import ServerAction
from stackward.model.stalled_move import CONDUCTOR
from stackward.model.survey import Queue
from stackward.model.unread import Unread
from stackward.model.utc_time import utc_time_or_none
from stackward.ports.world import World
from stackward.status.lookups import newest_report
from stackward.wording import count_of

ACCEPTED = "accepted"
QUEUE = "conductor"  # its topic: orders wait there until a conductor takes them
QUIET_S = 180.0  # an order that waits no longer than that may only be slow
_ORDER = "evacuate"
# A conductor has started a move in one of these; in others it may never have.
_TAKEN_UP = {
    "queued",
    "preparing",
    "running",
    "pre-migrating",
    "post-migrating",
    "done",
    "completed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSeen:
    """All that shows whether an order may still be carried out."""

    record: Migration
    begun: bool | Unread  # the conductor has started an event of it
    conductors: tuple[bool, ...]  # each: whether it is known to be up
    queues: tuple[Queue, ...] | Unread  # of that topic
    later: Migration | None  # a newer move that a conductor has started
    quiet_s: float | None  # by Nova's clock, since the record was written


def why_not_lost(seen: OrderSeen) -> str | None:
    """Say what speaks for it that the order is carried out still; None where it is lost."""
    if isinstance(seen.begun, Unread):
        return f"what the conductor did for it cannot be read: {seen.begun.why}"
    if seen.begun:
        return "the conductor has started it"
    if not seen.conductors or not all(seen.conductors):
        return "not every nova-conductor is up: one that comes back may carry it out"
    return _why_it_may_come(seen)


def _why_it_may_come(seen: OrderSeen) -> str | None:
    """Say why it may be on its way to a conductor, all of which are up."""
    if seen.quiet_s is None or seen.quiet_s < QUIET_S:
        return f"it was given less than {QUIET_S:.0f} s ago"
    if (waits := _why_it_waits(seen.queues)) is not None:
        return waits
    if seen.later is None:
        return "no later request is known to have been carried out"
    return None


def _why_it_waits(queues: tuple[Queue, ...] | Unread) -> str | None:
    if isinstance(queues, Unread):
        return f"RabbitMQ's queue `{QUEUE}` cannot be read: {queues.why}"
    for one in queues:
        if one.is_down:
            return f"RabbitMQ's queue `{QUEUE}` is down"
        if not one.consumers:
            return f"nobody reads RabbitMQ's queue `{QUEUE}`"
        if one.messages:
            messages = count_of(one.messages, "message waits", "messages wait")
            return f"{messages} in RabbitMQ's queue `{QUEUE}`"
    return None if queues else f"RabbitMQ has no queue `{QUEUE}`"


def read_order(world: World, record: Migration, queues: tuple[Queue, ...] | Unread) -> OrderSeen:
    """Read it of a record; the queues are read once for all."""
    services = world.nova.services()
    conductors = [one for one in services if one.binary == CONDUCTOR]
    newest = newest_report(services)
    written = utc_time_or_none(record.updated or record.created)
    return OrderSeen(
        record=record,
        begun=has_begun(world, record),
        conductors=tuple(one.is_known and one.is_up for one in conductors),
        queues=queues,
        later=later_move(world, record),
        quiet_s=(newest - written).total_seconds() if newest and written else None,
    )


def has_begun(world: World, record: Migration) -> bool | Unread:
    """Say whether Nova has started anything for the order of a record; it records that first."""
    try:
        orders = [one for one in world.nova.actions_of(record.server) if one.action == _ORDER]
        order = _order_of(record, orders)
        if order is None:
            return Unread("Nova has no request of it in the server's action log")
        return bool(world.nova.action_events(record.server, order.request_id))
    except StackwardError as error:
        return Unread.of(error)


def _order_of(record: Migration, orders: Sequence[ServerAction]) -> ServerAction | None:
    """Return the newest order that is no younger than the record: it is written just before it."""
    written = utc_time_or_none(record.created)
    if written is None:
        return None
    return next(
        (one for one in orders if (at := utc_time_or_none(one.started)) and at <= written), None
    )


def later_move(world: World, record: Migration) -> Migration | None:
    """Return a newer evacuation from or to the same node that a conductor has started.

    Nova writes the record of an evacuation before it casts the order; those of other moves it
    writes after, so that their numbers say nothing of the order of casts.
    """
    newer = world.nova.newest_migrations(record.source)
    return next(
        (
            one
            for one in newer
            if one.id > record.id and one.kind == EVACUATION and one.status in _TAKEN_UP
        ),
        None,
    )


def is_accepted(record: Migration) -> bool:
    """Say whether a record is of an evacuation that no conductor has started."""
    return record.kind == EVACUATION and record.status == ACCEPTED
