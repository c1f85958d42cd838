"""What of a disagreement is left alone by a repair, and why: its own rules.

They are warnings: the rest is repaired. Where that is nothing, and for a guest that was named to be
ended, they are blockers.
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
# --- guests that are ended ----------------------------------------------------------------------

NOT_NAMED = Rule(
    "reconcile/not-named",
    "is left alone: a guest is ended only where `--kill-domain` names it",
    "see what it does there (`virsh domstate {id}`); then name it: `--kill-domain {where}/{id}`",
    "What is in the memory of a guest is lost with it.",
)
NO_SUCH_GUEST = Rule(
    "reconcile/no-such-guest",
    "`--kill-domain {given}` names no guest of the classes that are repaired",
    "give the node and the id as `stackward cloud reconcile` shows them, `NODE/ID`, and the class "
    "by `--repair`; or leave that flag out",
    "A guest that was meant for another server is not passed over.",
)
OWN_GUEST = Rule(
    "reconcile/own-guest",
    "its guest on `{where}` is not ended: Nova has the server there",
    "name the guest on the other node; if that one has the data that counts, ask "
    "the server's owner first: Nova has no command that takes over a guest from another node",
    "nova-compute starts again what is ended on the node where Nova has the server.",
)
NOT_PROVED_TO_RUN = Rule(
    "reconcile/not-proved-to-run",
    "its guest on `{where}` is not ended, because no other is proved to run: {says}",
    "look first what the guest on `{where}` does (`virsh domstate {id}` there). If it runs, start "
    "no second one: both would write to its disks. If it is off, start the server where Nova has "
    "it (`stackward server reboot {id} --hard`), see that it is the right one, then plan again",
    "The guest that is left may be the only one that runs.",
)
WITNESSES_DIFFER = Rule(
    "reconcile/witnesses-differ",
    "its guest on `{where}` is not ended, because the witnesses do not agree where the server "
    "lives: {says}",
    "settle that first: `stackward cloud reconcile` shows what each has; then plan again",
    "One living copy is known only where Nova, libvirt, placement, Neutron and Cinder all have it.",
)
NOT_DELETED = Rule(
    "reconcile/not-deleted",
    "its guest on `{where}` is not ended, because nobody is known to have deleted the server: "
    "{says}",
    "ask its owner; the disk of the guest may be all that is left of the server",
    "A database that was restored from a backup has no row of newer servers, which live. Nova "
    "keeps the action log of a deleted server until its rows are archived.",
)
MAY_NOT_END = Rule(
    "reconcile/may-not-end",
    "its guest on `{where}` may not be ended by this login: {why}",
    "look first what that guest does (`virsh domstate {id}` there); then let the login use libvirt "
    "there (the group `libvirt`, which is as good as root), and plan again",
    "`virsh --connect qemu:///system uri` was refused there.",
)
GUEST_ENDED = Rule(
    "reconcile/guest-ended",
    "libvirt on `{where}` has a guest of it ({state}): its power is cut there; the disk stays",
    "",
    "`--kill-domain` was given. What is in the memory of that guest is lost.",
)

NO_UNDO = Rule(
    "reconcile/no-undo",
    "is a repair, which nothing takes back: what it removed was of no use",
    "there is nothing to do; `stackward cloud reconcile` shows whether all agree now",
    "The move that needs allocations and bindings makes them.",
)
