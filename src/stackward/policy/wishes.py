"""What the owners of servers wish, and what a wish allows or forbids.

A wish narrows what is done to a server, or allows its downtime; one that says not to move it is
never passed over in silence, and one that is not understood blocks.
"""

from collections.abc import Iterator

from stackward.model.server import Server
from stackward.model.wish import WISH, Consent, Wish
from stackward.plan import Verdict
from stackward.policy import worries


def wish_of(server: Server) -> Wish | None:
    """Return what the owner wishes; None where nothing that is known is written."""
    written = _written(server)
    return Wish(written) if written is not None and written in {*Wish} else None


def needs_consent(server: Server) -> bool:
    """Say whether the owner must agree before the server is moved."""
    return wish_of(server) in {Wish.ASK, Wish.LEAVE}


def may_be_stopped(server: Server) -> bool:
    """Say whether the owner allows downtime, whatever the operator's flags say."""
    return wish_of(server) in {Wish.COLD, Wish.STOP}


def judge_wish(server: Server, consent: Consent | None) -> Iterator[Verdict]:
    """Ask whether the owner lets the server be moved at all."""
    wish = wish_of(server)
    if wish is None and (written := _written(server)) is not None:
        yield worries.WISH_UNKNOWN.blocks(
            server.label, server.id, written=written, known=", ".join(Wish)
        )
    elif needs_consent(server) and consent is not None:
        yield worries.CONSENTED.warns(
            server.label, server.id, wish=wish, reference=consent.reference
        )
    elif wish is Wish.ASK:
        yield worries.WISH_ASK.blocks(
            server.label, server.id, project=server.project, user=server.user
        )
    elif wish is Wish.LEAVE:
        yield worries.WISH_LEAVE.blocks(
            server.label, server.id, project=server.project, user=server.user
        )


def _written(server: Server) -> str | None:
    return dict(server.metadata).get(WISH)
