"""What of a disagreement is left alone by a repair, and why: its own rules.

They are warnings: the rest is repaired.
"""

from stackward.policy.rule import Rule

GUEST_FIRST = Rule(
    "reconcile/guest-first",
    "is left alone: {says}",
    "find out where its guest belongs: `stackward cloud reconcile` shows it; then plan again",
    "Which allocations are right depends on where the guest runs; while that is in doubt, none is.",
)
UNREAD = Rule(
    "reconcile/unread",
    "is left alone: what {who} of `{host}` has is not known",
    "make it answer (`stackward node check {host}`), then plan again",
    "A repair is proved by the other witnesses: one that cannot be read proves nothing.",
)
OTHER_CONSUMER = Rule(
    "reconcile/other-consumer",
    "is left alone: it is a consumer of the kind {kind}, which is not Nova's",
    "ask the operator of that service; `openstack resource provider allocation show {id}` has what "
    "it holds",
    "Nova's consumers are of the kinds INSTANCE and MIGRATION; other services may have their own.",
)
STRANGER = Rule(
    "reconcile/stranger",
    "is left alone: placement does not say of which kind it is, and Nova has no record that it was "
    "a server",
    "find out whose it is: a container of Zun holds allocations like that. "
    "`openstack resource provider allocation show {id}` has what it holds",
    "A service that speaks an older placement API gives no kind: Nova does, and Zun. Nova keeps "
    "the action log of a deleted server until its rows are archived.",
)
NOT_READ = Rule(
    "reconcile/account-unread",
    "is left alone: what it holds cannot be read: {why}",
    "see why placement does not answer, then plan again",
    "Only what was read is removed.",
)
NO_UNDO = Rule(
    "reconcile/no-undo",
    "is a repair, which nothing takes back: what it removed was of no use",
    "there is nothing to do; `stackward cloud reconcile` shows whether all agree now",
    "The move that needs allocations and bindings makes them.",
)
