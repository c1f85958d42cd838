"""Read what Nova and Cinder have attached to a server: what only one of them has, Nova deletes."""

from stackward.answers import why
from stackward.errors import NotInCatalog, StackwardError
from stackward.model.attachments import Attachments
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.ports.world import World


def read_attachments(world: World, server: Server) -> Attachments:
    """Return the attachments of a server by both."""
    return Attachments(nova=server.volume_ids, cinder=_in_cinder(world, server))


def _in_cinder(world: World, server: Server) -> tuple[tuple[str, str], ...] | Unread:
    try:
        return world.cinder.attachments_of(server.id)
    except NotInCatalog as error:
        # Without Cinder there is nothing that the two could disagree on.
        return Unread(error.message) if server.volume_ids else ()
    except StackwardError as error:
        return Unread(why(error))
