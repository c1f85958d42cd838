"""What the owners of servers wish, and what a wish allows or forbids.

A wish narrows what is done to a server, or allows its downtime; one that says not to move it is
never passed over in silence, and one that is not understood blocks.
"""

from collections.abc import Iterator

from stackward.model.server import Server
from stackward.model.wish import WISH, Consent, Wish
from stackward.plan import Verdict
from stackward.policy.rule import Rule

WISH_ASK = Rule(
    "wish-ask",
    "its owner wishes to be asked first: user {user}, project {project}",
    "ask them (`openstack user show {user}`, `openstack project show {project}`), then pass "
    "`--consent {id}=REFERENCE` with where their word can be read; or pass `--leave-behind {id}`",
    "`stackward:maintenance=ask` in its metadata: the owner has a say in its maintenance.",
)
WISH_LEAVE = Rule(
    "wish-leave",
    "its owner wishes that it is left where it is: user {user}, project {project}",
    "pass `--leave-behind {id}`: the node will not be empty; or get their word "
    "(`openstack user show {user}`) and pass `--consent {id}=REFERENCE`",
    "`stackward:maintenance=leave` in its metadata; an owner alone must not decide that a node "
    "that somebody will power off is not empty.",
)
WISH_UNKNOWN = Rule(
    "wish-unknown",
    "its owner has a wish that is not known: `{written}`, where {known} are",
    "have its owner say what is meant "
    "(`openstack server set --property stackward:maintenance=ask {id}`), then plan again; "
    "or pass `--leave-behind {id}`",
    "`stackward:maintenance` in its metadata: a wish that is not understood is not passed over.",
)
CONSENTED = Rule(
    "consented",
    "will be moved: its owner wrote `{wish}`, and has agreed to this move: {reference}",
    "",
    "`--consent` was given; its reference is kept with the plan and the run.",
)


def wish_of(server: Server) -> Wish | None:
    """Return what the owner wishes; None where nothing that is known is written."""
    written = wish_written(server)
    return Wish(written) if written is not None and written in {*Wish} else None


def needs_consent(server: Server) -> bool:
    """Say whether the owner must agree before the server is moved."""
    return wish_of(server) in {Wish.ASK, Wish.LEAVE}


def may_be_stopped(server: Server) -> bool:
    """Say whether the owner allows downtime; the operator's flags do not count here."""
    return wish_of(server) in {Wish.COLD, Wish.STOP}


def judge_wish(server: Server, consent: Consent | None) -> Iterator[Verdict]:
    """Ask whether the owner lets the server be moved at all."""
    wish = wish_of(server)
    if wish is None and (written := wish_written(server)) is not None:
        yield WISH_UNKNOWN.blocks(server.label, server.id, written=written, known=", ".join(Wish))
    elif needs_consent(server) and consent is not None:
        yield CONSENTED.warns(server.label, server.id, wish=wish, reference=consent.reference)
    elif wish is Wish.ASK:
        yield WISH_ASK.blocks(server.label, server.id, project=server.project, user=server.user)
    elif wish is Wish.LEAVE:
        yield WISH_LEAVE.blocks(server.label, server.id, project=server.project, user=server.user)


def wish_written(server: Server) -> str | None:
    """Return what is written where a wish belongs, known or not."""
    return dict(server.metadata).get(WISH)
