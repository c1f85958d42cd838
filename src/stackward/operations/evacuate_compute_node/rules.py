"""Whether the servers of a dead node may be brought up elsewhere: its own rules.

What nobody knows blocks. A server is never brought up where it may run already, nor on a disk that
is not its own, unless somebody has given that disk up by name.
"""

from stackward.policy.rule import Rule

_LEAVE = "or pass `--leave-behind {id}`"

# --- the cloud ----------------------------------------------------------------------------------

TOO_OLD = Rule(
    "evacuate/too-old",
    "this Nova starts each server that it evacuates: it is older than 2.95 (2023.1)",
    "upgrade Nova; until then run `openstack server evacuate` yourself, one server at a time, and "
    "check the disk of each",
    "A server that starts at once runs before anybody has seen which disk it has.",
)
HA_UNREAD = Rule(
    "evacuate/ha-unread",
    "whether the instance-HA service acts on it cannot be read: {why}",
    "let this login read it (`openstack notification list`), then plan again",
    "It resets a server that Nova is at work on, and evacuates it a second time.",
)
HA_ACTS = Rule(
    "evacuate/ha-acts",
    "the instance-HA service is still working on it: notification {notification} is `{status}`",
    "wait until it is `finished` or `ignored` (`openstack notification show {notification}`); if "
    "it stays `error` or `failed`, see the log of masakari-engine first; then plan again",
    "If two services evacuate one node, one server gets two guests.",
)
CLAIMED_BY_OTHERS = Rule(
    "evacuate/claimed",
    "it is disabled already: {text}",
    "ask the person who disabled it, then "
    "`openstack compute service set --enable {host} nova-compute` and plan again",
    "The disabled reason is a claim. Stackward never takes over the claim of somebody else.",
)
# --- a server's state ---------------------------------------------------------------------------

STATE = Rule(
    "evacuate/state",
    "is {status}: Nova evacuates only servers that are ACTIVE, SHUTOFF or in ERROR",
    "pass `--leave-behind {id}`, and look after it once the node is back",
    "nova 31.0 compute/api.py, evacuate. A reset would lose its state.",
)
MEMORY_LOST = Rule(
    "evacuate/memory-lost",
    "is {status}: Nova evacuates no such server, and its memory was lost with the node",
    "pass `--reset-state {id}`: it is set to active, evacuated with its own disk, and left off, "
    "for its owner to start; " + _LEAVE,
    "nova 31.0 compute/api.py, evacuate: ACTIVE, STOPPED, ERROR. Its owner put it into this state, "
    "so its owner decides when it starts.",
)
RESIZED = Rule(
    "evacuate/resized",
    "waits for the confirmation of a resize: Nova evacuates no such server",
    "ask its owner, then `openstack server resize confirm {id}`: the node that it came from does "
    "that, and the resize cannot be reverted afterwards; then plan again; " + _LEAVE,
    "nova 31.0 compute/api.py, confirm_resize: it is cast to the source of the resize. A revert is "
    "cast to the node that is dead.",
)
IN_ERROR = Rule(
    "evacuate/in-error",
    "is in ERROR: Nova would leave it running after the evacuation",
    "see why (`openstack server show {id}` has the fault); then pass `--reset-state {id}`, "
    + _LEAVE,
    "nova 31.0 compute/manager.py, _do_rebuild_instance.",
)
TASK = Rule(
    "evacuate/task",
    "Nova was at work on it ({task}), and nothing works on that any more",
    "see who asked for it (`openstack server event list {id}`); then pass `--reset-state {id}`, "
    + _LEAVE,
    "Nova accepts no second request until the first one ends (409).",
)
REBUILDING = Rule(
    "evacuate/rebuilding",
    "is being evacuated or rebuilt already (record {record}, {status}, {to})",
    "if `stackward run list` shows its run, `stackward run resume` continues it; otherwise find "
    "out who started it (`openstack server event list {id}`) and wait for its end; `--reset-state "
    "{id}` passes over a record that is `pre-migrating` once no nova-compute runs on its target, "
    "and libvirt there has no guest of it. It passes over one that is `accepted` once its request "
    "is proved lost; " + _LEAVE,
    "A second request during the first one makes two guests of one server.",
)
ORDER_MAY_COME = Rule(
    "evacuate/order-may-come",
    "its evacuation {to} (record {record}, accepted) may still be carried out: {why}",
    "wait until it is; if the conductor never starts it, make sure that each nova-conductor is up "
    "and that RabbitMQ can be read, let a later move be carried out, then plan again; " + _LEAVE,
    "A request counts as lost only with evidence: the conductor has started nothing for it. Each "
    "nova-conductor is up, its queue is empty and has a reader, and a later request was carried "
    "out.",
)
ORDER_LOST = Rule(
    "evacuate/order-lost",
    "its evacuation {to} (record {record}, {status}) is lost: the conductor has started "
    "nothing for it, its queue is empty, and a later request was carried out",
    "before you approve, check with `ps` that no process of nova-conductor hangs",
    "`--reset-state` was given. Nova carries out the new request under that older record, and "
    "leaves the new record `accepted`: it ends when the node returns.",
)
PASSED_OVER = Rule(
    "evacuate/passed-over",
    "its evacuation {to} (record {record}, {status}) will be passed over, as `--reset-state` "
    "asks: no nova-compute runs there, and {guest}",
    "do not start nova-compute there before this run has ended",
    "`--reset-state` was given. Only the nova-compute of its target carries out the request.",
)
RESET = Rule(
    "evacuate/reset",
    "is {status}, {task}: the run will first reset its state to active, as `--reset-state` asks",
    "",
    "`--reset-state` was given; the database of runs keeps its old state.",
)
NOT_HERE = Rule(
    "evacuate/not-here",
    "`{flag}` names `{given}`, which Nova does not have there",
    "take an id from `openstack server list --all-projects --host {host}`",
    "The flag may be meant for another server or another node, so it is not ignored.",
)
UNNEEDED = Rule(
    "evacuate/unneeded",
    "`{flag} {id}` was given, and it is not needed: {why}",
    "leave that flag out",
    "A flag that is not needed may be meant for another server.",
)

# --- one living copy ----------------------------------------------------------------------------

LIVING_COPY = Rule(
    "evacuate/living-copy",
    "libvirt on `{where}` has a guest of it ({state})",
    "never start it a second time: look first what that guest does (`virsh domstate {id}` on "
    "`{where}`). If it is only left over from a move, pass `--kill-domain {where}/{id}`: its power "
    "is cut there, its disk stays; " + _LEAVE,
    "Two guests that write to one disk destroy it.",
)
MAY_NOT_END = Rule(
    "evacuate/may-not-end",
    "Stackward's login has no right to end its guest on `{where}` ({state}): {why}",
    "look first what that guest does (`virsh domstate {id}` on `{where}`, as root); then let the "
    "login use libvirt there (the group `libvirt`, which is as good as root), or have root end it "
    "by hand (`virsh destroy {id}`, `virsh undefine --keep-nvram {id}`: its disk stays); then "
    "plan again",
    "`virsh --connect qemu:///system uri` was refused there.",
)
GUEST_ENDED = Rule(
    "evacuate/guest-ended",
    "libvirt on `{where}` has a guest of it ({state}): its power will be cut there, as "
    "`--kill-domain` asks; its disk stays",
    "",
    "`--kill-domain` was given. What is in the memory of that guest is lost.",
)
NO_SUCH_GUEST = Rule(
    "evacuate/no-such-guest",
    "`--kill-domain {given}` names no guest of a server that is evacuated from there",
    "give the node and the id as the plan names them, `NODE/ID`, or leave that flag out",
    "The flag may be meant for another server, so it is not ignored.",
)
COPY_UNREAD = Rule(
    "evacuate/copy-unread",
    "its record {record} ({kind}, {status}) names `{where}`, which cannot be read now: {why}",
    "make libvirt there answer; or fence that node first (`stackward node fence {where}`); "
    "then plan again; " + _LEAVE,
    "A move that did not end may have left its guest there, running.",
)

OFF_TOO = Rule(
    "evacuate/off-too",
    "its record {record} ({kind}, {status}) names `{where}`, which has no power too: {how}",
    "keep that node off until this run has ended",
    "A node without power runs no guest. Its power is read again just before each request.",
)

# --- its disks ----------------------------------------------------------------------------------

LOCAL_DISK = Rule(
    "evacuate/local-disk",
    "has its own disk on this node only: {seen}",
    "bring that disk to the target first (repair the node, or put its disks into another machine); "
    "or, if its owner agrees, give up its data: `--accept-data-loss {id}`; " + _LEAVE,
    "No node that may take it sees its disk. Nova would build a blank one, and say so in a log.",
)
DATA_LOST = Rule(
    "evacuate/data-lost",
    "will lose the data on its own disk, as `--accept-data-loss` allows ({seen}); it gets a new "
    "disk from its image",
    "",
    "`--accept-data-loss` was given. The old disk is destroyed when nova-compute there starts.",
)
DISK_BROKEN = Rule(
    "evacuate/disk-broken",
    "`{where}` has a directory of this server without a whole disk: {why}",
    "repair the files of its disk on `{where}`; or, if the directory is only left over, rename it; "
    "then plan again; " + _LEAVE,
    "Nova only looks for the directory: it would take it for shared, and build a blank disk.",
)
DISK_APART = Rule(
    "evacuate/disk-apart",
    "`{where}` has a disk of this server in {path}. It may be an old copy: {why}; and nothing "
    "proves that it is on storage which the dead node shared. The disk on its own node: {seen}",
    "find out which disk is the newest (`ls -l {path}` on `{where}`); if that one is old, rename "
    "its directory, then plan again; if its owner agrees to use it as it is, pass "
    "`--accept-data-loss {id}`; " + _LEAVE,
    "Nova uses any directory that is there. A move back, or a nova-compute that was stopped while "
    "a node came back, leaves a whole old disk; a move that fails leaves a part of one. The newer "
    "one is destroyed later.",
)
COPY_TAKEN = Rule(
    "evacuate/copy-taken",
    "will be rebuilt on `{where}` with the disk that is there in {path}, as `--accept-data-loss` "
    "allows; that disk may be an old copy: {why}",
    "",
    "`--accept-data-loss` was given. Its own disk is destroyed when nova-compute there starts.",
)
LOCKED = Rule(
    "evacuate/locked",
    "a guest has its disk open ({disks}), though its node has no power: `{where}` sees the lock",
    "wait 90 s after the node has lost its power (a lease of NFSv4), then plan again. If the lock "
    "stays, find the node whose QEMU has that file open (`virsh list --all`, `lslocks` on each), "
    "and its guest; " + _LEAVE,
    "QEMU locks an image as long as it has it open: the process with the lock is alive, or was "
    "just now.",
)
DISK_UNREAD = Rule(
    "evacuate/disk-unread",
    "whether `{where}` has the disk of this server could not be read: {why}",
    "the user that Stackward logs in with must be able to read `/var/lib/nova/instances` there, "
    "and `python3` must be installed there; then plan again; or pass `--leave-behind {id}`: the "
    "server then stays without a node",
    "This decides whether Nova keeps the disk of the server.",
)
TPM = Rule(
    "evacuate/tpm",
    "has an emulated TPM, whose secrets are on this node",
    "pass `--leave-behind {id}`; or ask its owner to build it again",
    "nova 31.0 keeps the TPM's state in /var/lib/libvirt/swtpm of the node.",
)
VOLUME_SERVICE = Rule(
    "evacuate/volume-service",
    "the cinder-volume of its volume {volume} ran on this node ({backend})",
    "start that cinder-volume elsewhere (`openstack volume service list`; `cinder-manage volume "
    "update_host` gives its volumes the new host), then plan again; " + _LEAVE,
    "Without it, no other node can connect the volume.",
)
LEFT_BINDING = Rule(
    "evacuate/left-binding",
    "its port {port} has a binding on `{left_on}`, left behind by a move",
    "look first that no guest of it is there (`virsh domstate {id}`), then remove the binding: "
    "DELETE /v2.0/ports/{port}/bindings/{left_on} of Neutron's API; then plan again; " + _LEAVE,
    "A port that is bound twice proves no evacuation.",
)

# --- where it goes ------------------------------------------------------------------------------

NO_TARGET = Rule(
    "evacuate/no-target",
    "no node with room for it may take it: {why}",
    "{way}, then plan again; " + _LEAVE,
    "A node takes servers only if everything that is judged of it can be read.",
)
TARGET_GONE = Rule(
    "evacuate/target-gone",
    "can no longer go to `{target}`",
    "cancel the run (`stackward run cancel`) and evacuate the node again: `stackward run resume` "
    "would not choose another target",
    "The target has changed since it was judged.",
)

# --- what is said -------------------------------------------------------------------------------

STAYS_OFF = Rule(
    "evacuate/stays-off",
    "was off, and will stay where it is, without a node",
    "`--with-stopped` evacuates it too",
    "Nova boots each evacuated server for some seconds, before it stops it.",
)
BOOTS_FOR_SECONDS = Rule(
    "evacuate/boots-for-seconds",
    "was off, and will boot for some seconds on its target before Nova stops it",
    "",
    "`--with-stopped` was given. nova 31.0 compute/manager.py, _do_rebuild_instance.",
)
NOT_STARTED = Rule(
    "evacuate/not-started",
    "will be left off on its target: whether it ran is not known: {because}",
    "ask its owner; then plan again with `--start {id}` or `--leave-off {id}`; once the run has "
    "succeeded, `stackward server start {id}` starts it",
    "A server that was off before must not be started; one witness alone may be wrong.",
)
BOTH_WAYS = Rule(
    "evacuate/both-ways",
    "is named by `--start` and by `--leave-off`",
    "leave one of the two out",
    "One of them must be a mistake.",
)
LEFT_BEHIND = Rule(
    "evacuate/left-behind",
    "will be left behind, without a node",
    "evacuate it with `stackward node evacuate {node} --only {id}`, and not with `openstack server "
    "evacuate`, which does not check its disk. Do so before {until}: after that, Nova may have "
    "removed the base image of its disk, if the disks are on shared storage",
    "nova 31.0 virt/libvirt/imagecache.py: bases that no host of the last 24 h uses are removed.",
)
POWER_AGAIN = Rule(
    "evacuate/power-again",
    "has power once more, after this run has cut it a second time",
    "find out what switches it on; then `stackward node fence {host}`, and resume the run",
    "No server is evacuated while its node may still run it.",
)
TAKEN_BACK = Rule(
    "evacuate/taken-back",
    "has power, and was returned to service: {why}",
    "{way}",
    "To cut its power now would kill the guests that it runs.",
)
BY_WORD = Rule(
    "evacuate/by-word",
    "no device switches it: only `--confirmed-off` says that it has no power: {reference}",
    "keep it off until this run has ended; every witness is asked before each request, and a sign "
    "of life ends the run",
    "If the word is wrong, a guest may run on two nodes, and destroy its disk. The word is kept "
    "with the run.",
)
NOT_SILENT = Rule(
    "evacuate/not-silent",
    "`--confirmed-off` was given ({reference}), but not all witnesses find it silent: {signs}",
    "look at the machine again: if it answers, it has power. If it is off, plan again in two "
    "minutes, because a heartbeat is only the last report; make each unknown witness answer",
    "Without a device, a person's word needs the silence of all witnesses.",
)
LIVES = Rule(
    "evacuate/lives",
    "has shown a sign of life since its evacuation started ({why})",
    "look at the machine to find out why; {way}",
    "No device reports its power. A node that answers once, and is silent again, may be cut off.",
)
NO_UNDO = Rule(
    "evacuate/no-undo",
    "an undo does not bring evacuated servers back",
    "once the node is well and in service again, migrate them there: `openstack server migrate "
    "--live-migration --host {host}`",
    "The node's own copies are destroyed when its nova-compute starts.",
)
