"""Every worry that can stand against a plan, with its reason, its remedy, and why it is one.

The reference page is made from this list. `name` is stable: plans are compared by it.
"""

from dataclasses import dataclass

from stackward.masking import masked
from stackward.plan import Blocked, Warned
from stackward.ports.libvirt import INSTALL_VIRSH, NO_VIRSH, SEE_LIBVIRT


@dataclass(frozen=True, slots=True)
class Worry:
    """One rule's words; `{...}` is filled in where a verdict is made."""

    name: str
    reason: str
    remedy: str
    why: str

    def blocks(self, thing: str, thing_id: str = "", **words: object) -> Blocked:
        """Return the verdict that refuses approval."""
        reason, remedy = self._filled(thing, thing_id, words)
        return Blocked(thing, reason, remedy, thing_id, self.name)

    def warns(self, thing: str, thing_id: str = "", **words: object) -> Warned:
        """Return the verdict that is approved along with the plan."""
        reason, remedy = self._filled(thing, thing_id, words)
        return Warned(thing, reason, remedy, thing_id, self.name)

    def _filled(self, thing: str, thing_id: str, words: dict[str, object]) -> tuple[str, str]:
        said = {"thing": thing, "id": thing_id, **words}
        return masked(self.reason.format(**said)), masked(self.remedy.format(**said))


# --- the node -----------------------------------------------------------------------------------

NODE_DOWN = Worry(
    "node-down",
    "its nova-compute is down, although the machine answers",
    "repair nova-compute there (`systemctl status nova-compute`), then plan again",
    "A drain needs the node's nova-compute: it sends the servers away.",
)
NODE_DEAD = Worry(
    "node-dead",
    "its nova-compute is down and the machine cannot be asked ({why})",
    "{way}; if it is dead, fence it and evacuate its servers; else repair it, then plan again",
    "Servers of a node that may be dead are never moved without a fence: two copies could run.",
)
FORCED_DOWN = Worry(
    "forced-down",
    "its service was forced down",
    "`openstack compute service set --up {host} nova-compute`, once it is certain what runs there",
    "Somebody told Nova that the node is fenced: its servers may be running elsewhere already.",
)
CLAIMED = Worry(
    "claimed",
    "it is disabled already: {text}",
    "settle it with whoever disabled it, then "
    "`openstack compute service set --enable {host} nova-compute` and plan again",
    "The reason of a disabled service is its owner's claim; another's claim is never taken over.",
)
RUN_UNFINISHED = Worry(
    "run-unfinished",
    "run `{run}` of {operator} has it, and is {state}",
    "`stackward run resume {run}` carries that run on",
    "A node is one run's at a time, and that one can still end what it began.",
)
RUN_GOES_ON = Worry(
    "run-goes-on",
    "run `{run}` of {operator} has it, and goes on",
    "`stackward run watch {run}` follows it to its end; then plan again",
    "A node is one run's at a time.",
)
CAME_BACK = Worry(
    "came-back",
    "is on `{node}`, which run `{run}` of {operator} on {machine} took out of service",
    "see there that the run is over (`stackward run show {run}`); then "
    "`stackward node return {node}` and drain it again; or pass `--leave-behind {id}`",
    "A node in maintenance is expected to be empty; whoever put a server there must know of it.",
)
IDENTITY_REMEMBERED = Worry(
    "identity-remembered",
    "it does not answer; it is taken for Nova's `{host}` by what it called itself at {at}",
    "make sure that it is that machine: its console shows the host name; then give it Nova's name "
    "or `host_ip` in the inventory",
    "What a node said while it lived may be out of date: the machine may have been replaced.",
)
RIGHT_MISSING = Worry(
    "right-missing",
    "`{login}` may not run there as root all that the plan has to, of {right} ({why})",
    "install the shipped sudoers file there (guide `Without root`), or add the line "
    "`{line}`; then plan again",
    "It would be refused in the middle of the run, after servers have moved.",
)
RIGHTS_UNREAD = Worry(
    "rights-unread",
    "whether the login may run there as root what the plan has to could not be asked: {why}",
    "see there `sudo -n -l`",
    "Where a right is missing the run stops midway.",
)
DOMAINS_UNREAD = Worry(
    "domains-unread",
    "its guests cannot be read: {why}",
    f"{SEE_LIBVIRT}; then plan again",
    "What libvirt runs is compared with what Nova believes before anything is moved.",
)
DOMAINS_UNREACHED = Worry(
    "domains-unreached",
    "Nova hears from it, but its guests cannot be read: {why}",
    "{way}; then plan again",
    "What libvirt runs is compared with what Nova believes before anything is moved.",
)
VIRSH_MISSING = Worry(
    "virsh-missing",
    f"its guests cannot be read: {NO_VIRSH}",
    f"{INSTALL_VIRSH}; then plan again",
    "What libvirt runs is compared with what Nova believes before anything is moved. It is asked "
    "with `virsh --readonly`, which needs no rights.",
)
STRAY_DOMAIN = Worry(
    "stray-domain",
    "libvirt has the guest {domain} ({state}), which is not a server of this node",
    "look first whose it is and where else it runs (`openstack server show {server}`, "
    "`virsh list --uuid` there); only one that Nova does not know, or of which the server's own "
    "node runs another, is shut down with `virsh shutdown {domain}`, and where it does not obey "
    "ended with `virsh destroy {domain}`; then plan again",
    "Moving the servers would not move it, and a power-off would end it.",
)
INCOMING = Worry(
    "incoming-migration",
    "migration {migration} of server {server} is on its way here ({status})",
    "wait until it has ended, then plan again; one that never will is named by a plan five minutes "
    "later",
    "It would arrive in the middle of the drain.",
)
STUCK_MIGRATION = Worry(
    "stuck-migration",
    "migration {migration} of server {server} is `{status}`, but that server is not migrating",
    "plan again in five minutes: what goes on will have ended, and what does not is named then, "
    "if libvirt on both nodes answers",
    "Either it is about to end, or it is the trace of a lost message.",
)
STUCK = Worry(
    "stuck",
    "is stuck ({state}): {reason}",
    "{remedy}; then plan again",
    "A move that nobody works on never ends by itself; see the stuck states.",
)
STALE_RECORD = Worry(
    "stale-record",
    "{server}: {reason}",
    "",
    "Nova has no call that closes it, and nothing of Nova acts on it; libvirt has no job.",
)
AWAITS_CONFIRMATION = Worry(
    "awaits-confirmation",
    "{server} was resized away from here and is not confirmed",
    "ask its owner whether it works: `openstack server resize confirm {server_id}` removes what is "
    "here, `openstack server resize revert {server_id}` brings it back; then plan again",
    "Confirming needs this node's nova-compute, and its old disk is still here.",
)
UNKNOWN_LEFT_BEHIND = Worry(
    "unknown-left-behind",
    "`--leave-behind {given}` names no server that it could be meant for",
    "give the id of a server of the plan, or leave the flag out",
    "An id that matches nothing is a slip.",
)
NO_SERVER_OF_PROJECT = Worry(
    "no-server-of-project",
    "no server of the project `{project}` ({project_id}) is here",
    "name with `--projects` only projects that have servers here "
    "(`openstack server list --all-projects --host {thing}`), or leave the flag out",
    "A project that matches nothing is a slip.",
)
PROJECT_GONE = Worry(
    "project-gone",
    "Keystone has no project `{project}` any more; its servers here: {count}",
    "",
    "The id that was given is known by the servers that are of that project: nobody else can be "
    "asked about them.",
)
ONLY_PROJECTS = Worry(
    "only-projects",
    "only servers of {projects} move: those of others stay, so the node will not be empty and "
    "must not be powered off",
    "",
    "`--projects` was given.",
)
UNKNOWN_TARGET = Worry(
    "unknown-target",
    "`--target {target}` is not a node on which servers could run now",
    "name an enabled node whose nova-compute is up, or leave the flag out",
    "A target that is down, disabled or unknown cannot take a server.",
)
NOT_A_UNIT = Worry(
    "not-a-unit",
    "nova-compute cannot be kept off: {what}",
    "pass `--keep-service`; once the node is empty, stop nova-compute by what manages it there",
    "A drain stops and masks the unit nova-compute.service. systemd also masks a unit that does "
    "not exist, and what runs outside it goes on.",
)
KEEPING_OFF_UNSEEN = Worry(
    "keeping-off-unseen",
    "whether its nova-compute can be kept off could not be read: {why}",
    "see `ps` and `systemctl status nova-compute` there; or pass `--keep-service`",
    "Off is proved by its processes: those in containers are seen by no unit.",
)
HAS_ROLE = Worry(
    "has-role",
    "it is also: {role}; {effect}",
    "{remedy}",
    "Moving the servers away does not move what else the machine does.",
)
INSTANCE_HA = Worry(
    "instance-ha",
    "the instance-HA service could not be asked about it, and may evacuate a node that goes down "
    "on purpose: {why}",
    "tell it: `openstack segment host update --on_maintenance True SEGMENT {host}` "
    "(`openstack segment list` has its SEGMENT)",
    "Robots that restart servers fight planned work.",
)
HA_UNSEEN = Worry(
    "ha-unseen",
    "the instance-HA service could not be asked whether it leaves the node alone still: {why}",
    "see `openstack segment list` for its SEGMENT, then `openstack segment host list SEGMENT`; "
    "`openstack segment host update --on_maintenance False SEGMENT {host}` ends it",
    "It would not restart the servers of this node, should it fail.",
)
FOREIGN_ALLOCATION = Worry(
    "foreign-allocation",
    "placement keeps {amount} there for {consumer}, which is neither a server of it nor a move",
    "see `nova-manage placement audit`; twice, some minutes apart",
    "The node would not be empty in the books, and the final proof would say so.",
)

# --- a node that returns ------------------------------------------------------------------------

NOTHING_TO_RETURN = Worry(
    "nothing-to-return",
    "is in service: it is enabled, and nothing on it keeps its nova-compute off",
    "there is nothing to do; `stackward node drain {thing}` takes it out",
    "A return undoes a drain, and this node is not out of service.",
)
FOREIGN_CLAIM = Worry(
    "foreign-claim",
    "is disabled, and not by Stackward: {text}",
    "settle it with whoever disabled it: "
    "`openstack compute service set --enable {host} nova-compute`",
    "The reason of a disabled service is its owner's claim; another's claim is never taken over.",
)
CLAIM_UNKNOWN = Worry(
    "claim-unknown",
    "run `{run}` of {operator} on {machine} has it since {since}; the journal here does not know "
    "that run",
    "ask {operator} whether that run is over; then `stackward node return {node} --run {run}`",
    "It may go on at this moment: only the journal of its own machine tells.",
)
NODE_SILENT = Worry(
    "node-silent",
    "does not answer: {why}",
    "switch it on if it is off; {way}; then plan again",
    "Its nova-compute is started there, and libvirt is asked there.",
)
HELD = Worry(
    "held",
    "is held by run {run} ({title}), which is {state}",
    "`stackward run watch {run}` follows one that goes on, `stackward run resume {run}` carries on "
    "one that stopped, `stackward run cancel {run}` ends either; then plan again",
    "Two runs at work on one node would undo each other.",
)
RUNS_ALTHOUGH_OFF = Worry(
    "runs-although-off",
    "its nova-compute runs {what}, although its drain keeps it off",
    "find who started it; the return goes on from there",
    "What a drain keeps off was started past it: servers may have been put there since.",
)
SECOND_COMPUTE = Worry(
    "second-compute",
    "its nova-compute runs {what}; the return would start a second one as the unit "
    "`nova-compute.service`",
    "if the unit is not wanted there, take away what keeps it off (`systemctl unmask "
    "nova-compute`, {marks}), and see that it does not start at the next boot (`systemctl disable "
    "nova-compute`); else stop the other one; then plan again",
    "Two nova-computes of one host would both carry out its orders.",
)
PROCESSES_UNSEEN = Worry(
    "processes-unseen",
    "whether a nova-compute runs there already, outside its unit, could not be read: {why}",
    "see `ps -ef` there as root; approve only if no container and no other unit runs one",
    "The return starts the unit; two nova-computes of one host would both carry out its orders.",
)
NO_UNIT_TO_START = Worry(
    "no-unit-to-start",
    "no nova-compute runs there, and systemd has no unit `nova-compute.service` to start",
    "start it by what manages it there (a container, say), then plan again",
    "A return starts that unit only.",
)
NO_PORT = Worry(
    "no-port",
    "its acceptance server is booted without a port: networking is not proved",
    "name a network with `--network`",
    "A port is made in a network of the operator's choice, never in a guessed one.",
)

HOME_CLOSED = Worry(
    "home-closed",
    "is not in service: no server can come home",
    "`stackward node return {thing}`, then plan again",
    "Placement offers a disabled node to nobody, and a node that is down takes no server.",
)

# --- a run that is to be undone -----------------------------------------------------------------

UNDO_TOO_EARLY = Worry(
    "undo-too-early",
    "is {state}: what it does cannot be undone while it goes on",
    "`stackward run watch {run}` follows it to its end, `stackward run cancel {run}` ends it; "
    "then undo it",
    "Two runs at work on one node would undo each other.",
)
UNDO_ELSEWHERE = Worry(
    "undo-cloud-not-said",
    "was planned by an older version, which did not write down of which cloud it is",
    "see that it is the one that this plan names",
    "Nodes of two clouds may have the same names.",
)
UNDO_UNFINISHED = Worry(
    "undo-unfinished",
    "has left something unfinished: {what}",
    "`stackward run cancel {run}`, then `stackward run resume {run}`: it ends what it left, and "
    "begins nothing more; then undo it",
    "What may still be under way has no place yet from which it could be brought back.",
)
UNDO_GOES_ON = Worry(
    "undo-goes-on",
    "is being undone by run `{by}`, which is {state}",
    "`stackward run resume {by}` goes on with that, `stackward run watch {by}` follows it; "
    "`stackward run cancel {by}` ends it: then plan again",
    "A run is undone by one other at a time.",
)
UNDONE = Worry(
    "undone",
    "was undone by run `{by}`",
    "there is nothing to do; `stackward run show {by}` tells what that one did",
    "What it did is undone, but for what the plan of that other run told to leave.",
)
NOTHING_TO_UNDO = Worry(
    "nothing-to-undo",
    "has left nothing that can be undone: {why}",
    "there is nothing to do",
    "Only what a run did itself, and what is still its doing, is undone.",
)
NO_WAY_BACK = Worry(
    "no-way-back",
    "is itself an undo: it is not undone in turn",
    "do again what it undid, by a drain or a return: {again}",
    "The run that it undid is over, and a new plan is judged by what is so now.",
)
UNKNOWN_KIND = Worry(
    "unknown-kind",
    "is of the kind `{kind}`: how such a run is undone is not known here",
    "`stackward run show {thing} --events` tells what it has changed; take that back by hand",
    "Only what is known to be the run's own doing is undone.",
)
NOT_MOVED_BACK = Worry(
    "not-moved-back",
    "stays on `{host}`: {because}",
    "{advice}, then {way}",
    "One server that cannot move keeps none of the others away.",
)

# --- a server -----------------------------------------------------------------------------------

BUSY = Worry(
    "busy",
    "is busy ({task})",
    "wait until it is done, then plan again; if it never is, `openstack server event list {id}` "
    "tells who asked for it",
    "Nova refuses a second task (409).",
)
ERROR = Worry(
    "in-error",
    "is in ERROR",
    "repair it (`openstack server show {id}` has the fault), or pass `--leave-behind {id}`",
    "Nova moves no server in ERROR: what it holds must be looked at first.",
)
RESCUED = Worry(
    "rescued",
    "is in RESCUE",
    "`openstack server unrescue {id}`, then plan again; or pass `--leave-behind {id}`",
    "Nova moves no server that runs from its rescue disk.",
)
SUSPENDED = Worry(
    "suspended",
    "is SUSPENDED: its memory is kept on this node",
    "`openstack server resume {id}`, then plan again; or pass `--leave-behind {id}`",
    "nova 31.0 (2025.1) compute/api.py: live for ACTIVE and PAUSED, cold for ACTIVE and STOPPED.",
)
SHELVED = Worry(
    "shelved",
    "is SHELVED and not offloaded yet",
    "look first whether its snapshot is `active` "
    "(`openstack image list --name {thing}-shelved`), then have it offloaded: `nova shelve-offload "
    "{id}`, the action `shelveOffload` of Nova's API; or ask its owner and have it back: "
    "`openstack server unshelve {id}`; then plan again; or pass `--leave-behind {id}`",
    "Its snapshot is in the image service; offloading removes what is here. `openstack server "
    "shelve --offload` (10.5) ends well and does nothing for a server that is SHELVED already.",
)
BUILDING = Worry(
    "building",
    "is still being built",
    "wait until it is ACTIVE, then plan again; if it never is (`openstack server event list "
    "{id}`), its owner may delete it",
    "It has no state that could be moved.",
)
VERIFY_RESIZE = Worry(
    "verify-resize",
    "awaits the confirmation of a resize",
    "ask its owner whether it works: `openstack server resize confirm {id}` removes what it was "
    "resized from, `openstack server resize revert {id}` brings it back; then plan again",
    "Nova moves no server between a resize and its confirmation.",
)
SOFT_DELETED = Worry(
    "soft-deleted",
    "is deleted, but can still be brought back",
    "ask its owner: `openstack server restore {id}` brings it back, "
    "`openstack server delete --force {id}` removes it and its disk for ever; "
    "or pass `--leave-behind {id}`",
    "Its disk stays on this node until it is reclaimed.",
)
UNKNOWN_STATUS = Worry(
    "unknown-status",
    "is in {status}",
    "bring it to ACTIVE, PAUSED or SHUTOFF, then plan again; or pass `--leave-behind {id}`",
    "What is not known to be movable blocks.",
)
STATES_DISAGREE = Worry(
    "states-disagree",
    "Nova calls it {status}, but its vm_state is {vm_state} and its power state {power}",
    "wait for Nova's next look (10 minutes), which takes over what libvirt says; where they still "
    "disagree then, look first what the guest does (`virsh domstate --reason {id}` on its node), "
    "then `openstack server reboot --hard {id}` and plan again; or pass `--leave-behind {id}`",
    "A move would carry a state that nobody can vouch for.",
)
NO_DOMAIN = Worry(
    "no-domain",
    "Nova calls it {status}, but libvirt on the node has no such guest, {nor}",
    "{look}`openstack server reboot --hard {id}` makes the guest anew, then plan again; "
    "or pass `--leave-behind {id}`",
    "It runs nowhere: a live migration would fail midway.",
)
GUEST_ELSEWHERE = Worry(
    "guest-elsewhere",
    "Nova calls it {status} here, but its guest is {state} on `{where}`",
    "never start or reboot the server now: a second guest would write to its disks; shut the guest "
    "down there (`virsh shutdown {id}` on `{where}`; `virsh destroy {id}` ends one that does not "
    "obey) and take its definition away (`virsh undefine --keep-nvram {id}`); unless storage is "
    "shared, copy its disks from there back to this node (`/var/lib/nova/instances/{id}`, by "
    "default) and rename that directory there: Nova moves no server to a node that has it; then "
    "`openstack server reboot --hard {id}` and plan again; or pass `--leave-behind {id}`",
    "It is the trace of a live migration that libvirt ended and Nova did not.",
)
GUEST_UNSEEN = Worry(
    "guest-unseen",
    "Nova calls it {status}, but libvirt on the node has no such guest, and whether another has "
    "it could not be read: {why}",
    "{way}; then plan again; or pass `--leave-behind {id}`",
    "It may run where a migration left it: what is started then runs twice.",
)
DOMAIN_DISAGREES = Worry(
    "domain-disagrees",
    "Nova calls it {status}, but its guest is {state}",
    "look first why (`virsh domstate --reason {id}` on its node: a full disk pauses guests); then "
    "`openstack server reboot --hard {id}`, or stop it, and plan again; "
    "or pass `--leave-behind {id}`",
    "Nova and libvirt must agree before a move, or the proof after it means nothing.",
)
HOLDS_PCI = Worry(
    "holds-pci",
    "holds a PCI device ({what})",
    "pass `--allow-downtime`: it is stopped while it moves; or pass `--leave-behind {id}`",
    "nova 31.0 conductor/tasks/live_migrate.py moves only devices declared `live_migratable`, "
    "which the API does not tell.",
)
HAS_TPM = Worry(
    "has-tpm",
    "has an emulated TPM",
    "pass `--allow-downtime`: it is stopped while it moves; or pass `--leave-behind {id}`",
    "nova 31.0 compute/api.py, reject_vtpm_instances: no live migration with a TPM.",
)
ENCRYPTED_MEMORY = Worry(
    "encrypted-memory",
    "has encrypted memory (SEV)",
    "pass `--allow-downtime`: it is stopped while it moves; or pass `--leave-behind {id}`",
    "nova 31.0 compute/api.py, reject_sev_instances: no live migration with SEV.",
)
HAS_VGPU = Worry(
    "has-vgpu",
    "holds a virtual GPU, and QEMU here is older than 8.1",
    "pass `--allow-downtime`: it is stopped while it moves; or pass `--leave-behind {id}`",
    "nova 31.0 virt/libvirt/driver.py: live migration of vGPUs needs QEMU 8.1 and libvirt 8.6.",
)
NO_SUCH_CPU = Worry(
    "no-such-cpu",
    "no node with room has its CPU's features: {lacking} is lacking",
    "pass `--allow-downtime`: it starts anew on the other CPU; or pass `--leave-behind {id}`",
    "libvirt refuses a running guest on a CPU that lacks what it was started with.",
)
PAUSED_AND_BOUND = Worry(
    "paused-and-bound",
    "is PAUSED, and cannot move live: {because}",
    "`openstack server unpause {id}`, then plan again with `--allow-downtime`; "
    "or pass `--leave-behind {id}`",
    "nova 31.0 compute/api.py: a cold migration takes ACTIVE and STOPPED servers only.",
)
HAS_ACCELERATOR = Worry(
    "has-accelerator",
    "holds an accelerator ({what})",
    "pass `--leave-behind {id}`; or have its owner build it anew elsewhere",
    "nova 31.0 compute/api.py, block_accelerators and block_port_accelerators: no move at all.",
)
UNKNOWN_PORT = Worry(
    "unknown-port",
    "has a port of the type `{what}` (port {port})",
    "ask its owner whether it can do without; then detach it "
    "(`openstack server remove port {id} {port}`) and plan again; "
    "or pass `--leave-behind {id}`",
    "What is not known to be movable blocks.",
)
PORT_ELSEWHERE = Worry(
    "port-elsewhere",
    "its port {port} is not well bound here (host {host}, {vif})",
    "look first whether its guest runs here, and nowhere else (`virsh domstate {id}`); then bind "
    "the port anew: `openstack port set --host {here} {port}`, and plan again; "
    "or pass `--leave-behind {id}`",
    "It is the trace of an earlier move that did not end well; a new one would fail on it.",
)
LEFT_BINDING = Worry(
    "left-binding",
    "its port {port} has an inactive binding on `{left_on}`, left behind by a move: it is removed "
    "before this one, for which newer Neutrons want the role `service`",
    "",
    "nova 31.0 removes it only with the move that made it; a port bound twice proves no move.",
)
BINDING_LEFT = Worry(
    "binding-left",
    "its port {port} has an inactive binding on `{left_on}`, left behind by a move",
    "`stackward run cancel {run}`, then drain the node again: the new plan removes it first",
    "No move of it could be proved: a port has one binding, on the node where its server is.",
)
VOLUME_BUSY = Worry(
    "volume-busy",
    "its volume {volume} is `{status}`",
    "{remedy}; then plan again; or pass `--leave-behind {id}`",
    "A volume in transition is attached to a moved server wrongly or not at all.",
)
CELL_DOWN = Worry(
    "cell-down",
    "is in a cell that is down: Nova does not know how it is",
    "mend that cell (`nova-manage cell_v2 list_cells` names its database and its message queue), "
    "then plan again; or pass `--leave-behind {id}`",
    "Nova answers with a few fields and the status UNKNOWN while the cell's database is away.",
)
GROUP_UNKNOWN = Worry(
    "group-unknown",
    "its group {group} has members in a cell that is down; where they are is not known: {count}",
    "mend that cell (`nova-manage cell_v2 list_cells` names its database and its message queue), "
    "then plan again; or pass `--leave-behind {id}`",
    "Where the others are decides where it may go.",
)
ZONE_UNKNOWN = Worry(
    "zone-unknown",
    "may be bound to its zone `{zone}`, which this Nova is too old to say: room is counted there "
    "alone",
    "",
    "Nova says so from microversion 2.96 (2024.1) on. Its scheduler keeps to the zone that a "
    "server was asked for, whatever is known here.",
)
NO_VOLUME_SERVICE = Worry(
    "no-volume-service",
    "has volumes, and {why}",
    "use a login that is scoped to a project (`project_name` in clouds.yaml), for one that is "
    "scoped to the system has no endpoint with a project's id in it; `openstack catalog list` "
    "shows what is there; then plan again, or pass `--leave-behind {id}`",
    "Whether a volume is at rest is asked of Cinder before its server moves.",
)
VOLUME_MIGRATES = Worry(
    "volume-migrates",
    "Cinder moves its volume {volume} between backends ({status})",
    "wait until its `migration_status` is `success` or `error` (`openstack volume show {volume}`); "
    "where it does not change for hours, see the log of cinder-volume; then plan again; "
    "or pass `--leave-behind {id}`",
    "The server would be connected to a volume that is about to be exchanged.",
)
VOLUME_APART = Worry(
    "volume-apart",
    "Nova has volume {volume} attached to it, and Cinder has it `{status}`, attached to {holders}",
    "{remedy}; then plan again; or pass `--leave-behind {id}`",
    "They disagree, and neither changes its word by itself: Cinder would give the volume to "
    "another server, and Nova would fail to connect it on the other node.",
)
VOLUME_IN_ERROR = Worry(
    "volume-in-error",
    "its volume {volume} is `{status}`",
    "{remedy}; then plan again; or pass `--leave-behind {id}`",
    "Cinder leaves no such state by itself, and connects no volume in it on another node.",
)
VOLUME_GONE = Worry(
    "volume-gone",
    "Cinder does not know its volume {volume}",
    "see whether that is so (`openstack volume show {volume}` as an administrator); then Cinder's "
    "record has to come back from a backup of its database: Nova has no call that forgets such a "
    "volume (`openstack server remove volume` ends with 404); or pass `--leave-behind {id}`",
    "Nova would fail to connect it on the other node. nova 31.0 "
    "api/openstack/compute/volume_attachments.py asks Cinder for it before it detaches anything.",
)
LOCKED = Worry(
    "locked",
    "is locked ({why}); a lock does not bind an administrator",
    "ask its owner, if that is your custom",
    "nova 31.0 compute/api.py: check_instance_lock lets administrators through.",
)
DISK_COPIED = Worry(
    "disk-copied",
    "has {size} on a disk of this node: it is copied over the network",
    "",
    "Without shared storage a move carries the disk, and takes its time.",
)
DISK_UNKNOWN = Worry(
    "disk-unknown",
    "whether its disk is on shared storage cannot be seen from here",
    "",
    "Nova itself tests for it, and copies the disk where it must.",
)
PORT_LEAVES = Worry(
    "port-leaves",
    "its port {port} ({what}) is unplugged while it moves",
    "see that the guest has a bond or can do without it for that time",
    "nova 31.0 moves SR-IOV ports live by detaching and attaching them.",
)
STOPS = Worry(
    "stops",
    "is stopped while it moves ({because})",
    "",
    "`--allow-downtime` was given: it is moved cold.",
)
STOPS_WHEN_SLOW = Worry(
    "stops-when-slow",
    "is stopped, moved cold and started again, should its live migration take longer than "
    "{after} s ({word})",
    "",
    "`--when-slow stop-server` was given, or `stackward:maintenance=stop` is in its metadata.",
)
STOPS_NO_MORE = Worry(
    "stops-no-more",
    "may no longer be stopped; the plan would stop it if its live migration is slow",
    "plan again",
    "An owner who writes `stackward:maintenance=live` meanwhile is heard.",
)
WISH_ASK = Worry(
    "wish-ask",
    "its owner wishes to be asked first: user {user}, project {project}",
    "ask them (`openstack user show {user}`, `openstack project show {project}`), then pass "
    "`--consent {id}=REFERENCE` with where their word can be read; or pass `--leave-behind {id}`",
    "`stackward:maintenance=ask` in its metadata: the owner has a say in its maintenance.",
)
WISH_LEAVE = Worry(
    "wish-leave",
    "its owner wishes that it is left where it is: user {user}, project {project}",
    "pass `--leave-behind {id}`: the node will not be empty; or get their word "
    "(`openstack user show {user}`) and pass `--consent {id}=REFERENCE`",
    "`stackward:maintenance=leave` in its metadata; an owner alone must not decide that a node "
    "that somebody will power off is not empty.",
)
WISH_LIVE = Worry(
    "wish-live",
    "its owner wishes that it is never stopped, and it cannot move live: {because}",
    "have its owner agree (`openstack server set --property stackward:maintenance=cold {id}`), "
    "then plan again; or pass `--leave-behind {id}`",
    "`stackward:maintenance=live` in its metadata; `--allow-downtime` does not override an owner.",
)
WISH_UNKNOWN = Worry(
    "wish-unknown",
    "its owner has a wish that is not known: `{written}`, where {known} are",
    "have its owner say what is meant "
    "(`openstack server set --property stackward:maintenance=ask {id}`), then plan again; "
    "or pass `--leave-behind {id}`",
    "`stackward:maintenance` in its metadata: a wish that is not understood is not passed over.",
)
WISH_COLD = Worry(
    "wish-cold",
    "is stopped while it moves, as its owner allows by `{wish}`",
    "",
    "`stackward:maintenance=cold` in its metadata; or `stop`, where it cannot move live.",
)
CONSENTED = Worry(
    "consented",
    "moves although its owner wrote `{wish}`, by their consent: {reference}",
    "",
    "`--consent` was given; its reference is kept with the plan and the run.",
)
UNKNOWN_CONSENT = Worry(
    "unknown-consent",
    "`--consent {given}=...` names no server that would move and whose owner wishes to be asked",
    "give the id of such a server (its blocker names it), or leave the flag out",
    "A consent that nobody asked for is a slip: it may be meant for another server.",
)
LEFT_BEHIND = Worry(
    "left-behind",
    "stays on the node: the node will not be empty and must not be powered off",
    "",
    "`--leave-behind` was given.",
)
NO_ALLOCATION = Worry(
    "no-allocation",
    "has no allocation at placement for this node",
    "`nova-manage placement heal_allocations --instance {id}`",
    "Its room is promised to others: the node is fuller than its books say.",
)
AFFINITY = Worry(
    "affinity",
    "must stay with its group `{group}`, which is on this node",
    "pass `--leave-behind {id}`",
    "nova 31.0 scheduler/filters/affinity_filter.py: the group's hosts hold the node itself, so "
    "the scheduler finds no other.",
)
ANTI_AFFINITY = Worry(
    "anti-affinity",
    "must stay apart from its group `{group}`, which is on every node with room",
    "bring another node with room into service, then plan again; or pass `--leave-behind {id}`",
    "nova 31.0 scheduler/filters/affinity_filter.py: so many of it on a node, and no more.",
)
ZONE = Worry(
    "zone",
    "was asked for in the zone `{zone}`{unsaid}, which has no other node with room",
    "bring another node of that zone into service, then plan again; or pass `--leave-behind {id}`",
    "A server that named its zone stays in it.",
)
AGGREGATE = Worry(
    "aggregate",
    "aggregates keep it off every node with room ({why})",
    "bring a fitting node into service, or change the aggregate, then plan again; "
    "or pass `--leave-behind {id}`",
    "nova 31.0 scheduler/filters: aggregates keep nodes for projects (`filter_tenant_id`) and "
    "flavors (`aggregate_instance_extra_specs`). These keys have no other use, and the node that "
    "it is on fulfils them: they are taken to be in force.",
)
MAY_FIND_NO_HOST = Worry(
    "may-find-no-host",
    "Nova may find no host for it: aggregates may keep it off every node with room ({why})",
    "see `enabled_filters` and `[scheduler]` in the nova.conf of the schedulers: where they have "
    "`{by}`, bring a fitting node into service first",
    "Which filters are on cannot be seen from here; Nova's default has none of those that read "
    "aggregates.",
)
CAPABILITIES_UNSEEN = Worry(
    "capabilities-unseen",
    "its flavor wants {wanted} of a node, which cannot be compared from here",
    "compare the nodes that it may go to: {look}",
    "nova 31.0 scheduler/filters/compute_capabilities_filter.py, which is on by default: where no "
    "other node has that, Nova finds no host.",
)
CPU_POLICY = Worry(
    "cpu-policy",
    "Nova refuses to place it anywhere: {why}",
    "have its owner resize it to a flavor that agrees with its image, then plan again; "
    "or pass `--leave-behind {id}`",
    "nova 31.0 virt/hardware.py, get_cpu_policy_constraint and those beside it: the scheduler asks "
    "them for every move.",
)
NOT_ON_TARGET = Worry(
    "not-on-target",
    "cannot go to `{target}`: {why}",
    "leave `--target` out, or name a node with room; or pass `--leave-behind {id}`",
    "The target that was asked for is not among those that Nova would take.",
)
CHANGED = Worry(
    "changed",
    "is {status} by now; the plan would move it {how}",
    "plan again",
    "A server that its owner starts or stops meanwhile is not moved in the way that was approved.",
)
NOT_TO_MOVE = Worry(
    "not-to-move",
    "is not to move: it is left behind, or of a project that was not named",
    "plan again",
    "Asked again just before each move: the request alone says whose servers move.",
)
NO_ROOM = Worry(
    "no-room",
    "has no room elsewhere: needs {needs}; {has}; short of {short}",
    "make room or bring another node into service, then plan again; or pass `--leave-behind {id}`",
    "Placement offers no node, or the room of those it offers goes to the other servers.",
)

STAYS_AWAY = Worry(
    "stays-away",
    "stays on `{host}`: {because}",
    "{advice}, then {way}",
    "One server that cannot move keeps none of the others away.",
)

ALL = tuple(each for each in list(globals().values()) if isinstance(each, Worry))
