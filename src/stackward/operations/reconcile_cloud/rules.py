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
API_UNREAD = Rule(
    "reconcile/api-unread",
    "is left alone: what {who} has of it is not known",
    "see why that does not answer (`stackward cloud check`), then plan again",
    "A removal is proved by the other witnesses: one that cannot be read proves nothing.",
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
# --- what is left of servers and nodes that are gone ---------------------------------------------

NO_SUCH_ORPHAN = Rule(
    "reconcile/no-such-orphan",
    "`--remove {given}` names nothing that is left: {says}",
    "name what `stackward cloud reconcile --orphans` lists, as KIND/ID; or leave that flag out",
    "What lives is not removed, and what was meant for something else is not passed over.",
)
KIND_UNREAD = Rule(
    "reconcile/kind-unread",
    "is not known: {why}",
    "see why it does not answer (`stackward cloud check`), then plan again",
    "What cannot be read is neither left nor gone.",
)
TOO_YOUNG = Rule(
    "reconcile/too-young",
    "is left alone: it is left since {since} only, which is less than {hours} h",
    "plan again once it is old enough, or give a lower `--min-age`",
    "A machine that is repaired or installed again comes back. The age counts from the deletion of "
    "the server, or from the last report of the service or agent.",
)
AGE_UNKNOWN = Rule(
    "reconcile/age-unknown",
    "is left alone: since when it is left is not known",
    "find out whose it is, and whether it is wanted; then name it: `--remove {named}`",
    "Nova keeps the action log of a deleted server until its rows are archived. A database that "
    "was restored from a backup does not have newer servers at all, and they live.",
)
ONLY_BY_ID = Rule(
    "reconcile/only-by-id",
    "is left alone: {says}",
    "ask its owner (project {owner}); then name it: `--remove {named}`",
    "Nova gives the ports that it makes no name. A port with a name, and any volume, was made by a "
    "person, who may want it back.",
)
CHANGED = Rule(
    "reconcile/changed",
    "is left alone: it was not so at the first look, or somebody has changed it since",
    "find out who acts on it, then plan again",
    "Only what both looks see is left.",
)
GONE_NODE_FIRST = Rule(
    "reconcile/gone-node-first",
    "is left alone: guests of `{host}` cannot be read, and the inventory does not name that node",
    "if that machine is gone for good, remove its service first: `stackward cloud reconcile "
    "--orphans --remove service/{service}`. Otherwise name it in the inventory. Then plan again",
    "A guest that runs on a machine nobody can ask may use the port or the volume.",
)
NODE_HAS_SERVERS = Rule(
    "reconcile/node-has-servers",
    "is left alone: Nova has {count} on `{host}`",
    "recover these servers elsewhere first: `openstack server list --all-projects --host {host}` "
    "lists them; then plan again",
    "Nova 31.0 refuses to delete the service of such a host; the agent has their ports.",
)
NODE_HAS_MOVE = Rule(
    "reconcile/node-has-move",
    "is left alone: the record {record} of a move from or to `{host}` is open",
    "see what becomes of that move: `openstack server migration list --host {host}`; then plan "
    "again",
    "Nova 31.0 refuses to delete the service of a host that a move in progress names.",
)
NODE_HOLDS = Rule(
    "reconcile/node-holds",
    "is left alone: {count} allocations of this node at placement, one of them {consumer}",
    "see whose they are: `openstack resource provider allocation show {consumer}`. Where "
    "`stackward cloud reconcile --orphans` lists it, `--remove allocation/{consumer}` removes what "
    "it holds. Where it does not, ask whose it is before `openstack resource provider allocation "
    "delete {consumer}`. Then plan again",
    "Nova 31.0 deletes such a service all the same, and says nothing where placement keeps its "
    "provider.",
)
NO_PROVIDER = Rule(
    "reconcile/no-provider",
    "is left alone: Nova lists no hypervisor of `{host}`, and no provider at placement has its "
    "name: what is held of it is not known",
    "see in `openstack resource provider list` that no provider is of that machine; then name its "
    "service: `--remove {named}`",
    "Nova 31.0 does not list the hypervisor of a host that is mapped to no cell, and deletes such "
    "a service all the same.",
)
NODE_EVACUATED = Rule(
    "reconcile/node-evacuated",
    "is left alone: the evacuation {record} from `{host}` is open until that node returns",
    "only if that machine never comes back: `openstack compute service delete {id}`",
    "Evacuated servers keep their allocations on the dead node until its nova-compute starts. Nova "
    "31.0 takes them away as it deletes the service; what other consumers hold there, it leaves.",
)
NODE_LIVES = Rule(
    "reconcile/node-lives",
    "is left alone: Neutron hears from the {agent} on `{host}`",
    "name that node in the inventory, and see why its service is down: `stackward node check`",
    "A node that is gone reports to nobody.",
)
NOT_ALL_NAMED = Rule(
    "reconcile/not-all-named",
    "is left alone: nova-compute is up on other hosts that the inventory does not name: {hosts}",
    "use an inventory that names every compute node, by Nova's name for it or with its address: "
    "`stackward node list` shows what was read; then plan again",
    "That an inventory does not name a node proves nothing, if it does not name all that live.",
)
CLAIMED = Rule(
    "reconcile/claimed",
    "is left alone: nova-compute of `{host}` is disabled for a run of Stackward: {claim}",
    "see that this run is over (`stackward run show {run}`, on the machine that is named), and "
    "that the machine is gone for good. Then end its claim: `openstack compute service set "
    "--enable {host} nova-compute`. Nova dates the service by that: plan again with `--min-age 0`",
    "A drain or an evacuation claims its node until it is returned to service.",
)
NAME_ALONE = Rule(
    "reconcile/name-alone",
    "is left alone: only its name, `{host}`, says that the inventory does not have this machine",
    "see that no node of the inventory is that machine; then name it: `--remove {named}`",
    "Without a nova-compute, only its name shows which machine a host is.",
)
DISABLED = Rule(
    "reconcile/disabled",
    "is left alone: somebody has taken `{host}` out of service: {said}",
    "ask who did that whether the machine comes back; if it does not, name it: `--remove {named}`",
    "A machine that is away for a repair looks like one that is gone for good.",
)
SERVICE_GOES = Rule(
    "reconcile/service-goes",
    "with it Nova takes `{host}` out of its aggregates and zone, and deletes its provider; a "
    "machine that returns has none of them",
    "",
    "`--remove` was given. Nova 31.0: delete in api/openstack/compute/services.py.",
)
PORT_GOES = Rule(
    "reconcile/port-goes",
    "its addresses are free for others once it is deleted; a floating IP is taken off it",
    "",
    "`--remove` was given. Nobody can give the same address back for certain.",
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
    "Stackward's login has no right to end its guest on `{where}`: {why}",
    "look first what that guest does (`virsh domstate {id}` there, as root); then let the login "
    "use libvirt there (the group `libvirt`, which is as good as root), and plan again",
    "`virsh --connect qemu:///system uri` was refused there.",
)
GUEST_ENDED = Rule(
    "reconcile/guest-ended",
    "libvirt on `{where}` has a guest of it ({state}): its power will be cut there, as "
    "`--kill-domain` asks; its disk stays",
    "",
    "`--kill-domain` was given. What is in the memory of that guest is lost.",
)

NO_UNDO = Rule(
    "reconcile/no-undo",
    "is a repair, which nothing takes back: what it removed was of no use",
    "there is nothing to do; `stackward cloud reconcile` shows whether all agree now",
    "The move that needs allocations and bindings makes them.",
)
