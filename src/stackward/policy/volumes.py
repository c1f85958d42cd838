"""Whether a server's volumes are at rest: what Nova and Cinder say of each, and its remedy.

Nova lists the volume as attached, so that Cinder must have it `in-use`, by this server. Each other
pair of their words has its remedy here. A remedy that resets or removes something begins with a
look at the guest, the third witness. A volume that the guest has open is in use, even if the
records differ.

After cinder 26.0 (2025.1): `objects/fields.py` VolumeStatus, `volume/api.py` begin_detaching
(wants `in-use`), reset_status; nova 31.0: `cmd/manage.py` VolumeAttachmentCommands (refresh wants a
stopped server).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stackward.model.server import Server
from stackward.model.volume import Volume
from stackward.plan import Verdict
from stackward.policy.rule import Rule

VOLUME_BUSY = Rule(
    "volume-busy",
    "its volume {volume} is `{status}`",
    "{remedy}; then plan again; or pass `--leave-behind {id}`",
    "A volume that is changing would be attached to a moved server wrongly or not at all.",
)
NO_VOLUME_SERVICE = Rule(
    "no-volume-service",
    "has volumes, and {why}",
    "use a login that is scoped to a project (`project_name` in clouds.yaml), because one that is "
    "scoped to the system has no endpoint with a project's id in it; `openstack catalog list` "
    "shows what is there; then plan again, or pass `--leave-behind {id}`",
    "Stackward asks Cinder for the state of each volume before its server moves.",
)
VOLUME_MIGRATES = Rule(
    "volume-migrates",
    "Cinder moves its volume {volume} between backends ({status})",
    "wait until its `migration_status` is `success` or `error` (`openstack volume show {volume}`); "
    "if it does not change for hours, see the log of cinder-volume; then plan again; "
    "or pass `--leave-behind {id}`",
    "The server would be connected to a volume that is about to be exchanged.",
)
VOLUME_APART = Rule(
    "volume-apart",
    "Nova has volume {volume} attached to it, but Cinder has it `{status}`, attached to {holders}",
    "{remedy}; then plan again; or pass `--leave-behind {id}`",
    "They disagree, and neither changes its record by itself: Cinder would give the volume to "
    "another server, and Nova would fail to connect it on the other node.",
)
VOLUME_IN_ERROR = Rule(
    "volume-in-error",
    "its volume {volume} is `{status}`",
    "{remedy}; then plan again; or pass `--leave-behind {id}`",
    "Cinder leaves no such state by itself, and connects no volume in it on another node.",
)
VOLUME_GONE = Rule(
    "volume-gone",
    "Cinder does not know its volume {volume}",
    "see whether that is so (`openstack volume show {volume}` as an administrator); then Cinder's "
    "record has to come back from a backup of its database: Nova has no call that forgets such a "
    "volume (`openstack server remove volume` ends with 404); or pass `--leave-behind {id}`",
    "Nova would fail to connect it on the other node. nova 31.0 "
    "api/openstack/compute/volume_attachments.py asks Cinder for it before it detaches anything.",
)


_LOOK = (
    "look first whether the guest has it: `virsh dumpxml {id}` on its node names it in `<serial>`"
)
_WORKS_ON_IT = (
    "wait until it is `in-use`; it never will be if nothing works on it, which "
    "`openstack server event list {id}` and `openstack volume service list` show: then "
    "{look}; then `openstack volume set --state in-use {volume}`; if the guest does not have it, "
    "also `openstack server remove volume {id} {volume}`"
)
_TAKE_BACK = (
    "wait 3 minutes: so long Nova tries to take it out of the guest. If it is not over then, the "
    "call was lost: look first who has the volume (`stackward volume list --server {id}`); "
    "`stackward volume reattach {id} {volume}` plans how to take the detach back, and asks you"
)
_ONLY_CINDER = (
    "wait until it is `in-use`; it never will be if the cinder-volume that works on it has died "
    "(`openstack volume service list`, and its log): then {look}, and if it has, "
    "`openstack volume set --state in-use {volume}`"
)
_REPAIR = (
    "waiting changes nothing; {look}; see `nova-manage volume_attachment show {id} {volume}`, stop "
    "the server with its owner's consent, and make the attachment again: "
    "`nova-manage volume_attachment refresh {id} {volume} CONNECTOR`, with the file that "
    "`nova-manage volume_attachment get_connector --json` writes on its node; if the guest did "
    "not have it, then `openstack server remove volume {id} {volume}`; start the server"
)
# The other server's attachment is Cinder's: what is reset at the end is the word that Nova changed.
_SETTLE = (
    "waiting changes nothing; {look}, and whether the guest of the server that Cinder names has "
    "it; if both have it, they write over each other: stop one at once with its owner's "
    "consent; if this one does not have it, `openstack server remove volume {id} {volume}`, and "
    "then `openstack volume set --state in-use {volume}`"
)
_RESET = (
    "waiting changes nothing; {look}; then `openstack volume set --state in-use {volume}`; if the "
    "guest does not have it, also `openstack server remove volume {id} {volume}`"
)
_SEE_WHY = (
    "waiting changes nothing; see why (`openstack volume message list`, the log of cinder-volume) "
    "and {look}; if the storage is well and the guest has it, "
    "`openstack volume set --state in-use {volume}`"
)
_ASK_OWNER = (
    "waiting changes nothing; its data may be incomplete: ask its owner to check it; "
    "then `openstack volume set --state in-use {volume}`"
)


@dataclass(frozen=True, slots=True)
class VolumeState:
    """One of Cinder's words on a volume that Nova lists as attached."""

    status: str
    rule: Rule
    remedy: str

    @property
    def advice(self) -> str:
        """Return the remedy with its look, as far as it needs no names."""
        return self.remedy.replace("{look}", _LOOK)


def _states(rule: Rule, remedy: str, *statuses: str) -> Iterator[tuple[str, VolumeState]]:
    yield from ((each, VolumeState(each, rule, remedy)) for each in statuses)


ALL: Mapping[str, VolumeState] = dict(
    [
        *_states(VOLUME_BUSY, _WORKS_ON_IT, "attaching"),
        *_states(VOLUME_BUSY, _TAKE_BACK, "detaching"),
        *_states(
            VOLUME_BUSY,
            _ONLY_CINDER,
            "extending", "retyping", "uploading", "backing-up", "restoring-backup", "maintenance",
        ),
        *_states(
            VOLUME_APART,
            _REPAIR,
            "available", "reserved", "awaiting-transfer", "creating", "downloading", "managing",
        ),
        *_states(VOLUME_IN_ERROR, _RESET, "error_detaching", "error_attaching"),
        *_states(
            VOLUME_IN_ERROR,
            _SEE_WHY,
            "error", "error_extending", "error_backing-up", "error_managing", "error_deleting",
            "deleting",
        ),
        *_states(VOLUME_IN_ERROR, _ASK_OWNER, "error_restoring"),
    ]
)  # fmt: skip

# Cinder has the attachment, and its word on the volume was changed: by hand, mostly.
ONLY_THE_WORD = VolumeState("available, with its attachment", VOLUME_APART, _RESET)
# Cinder calls it in use, and not by this server.
OF_ANOTHER = VolumeState("in-use, without its attachment", VOLUME_APART, _SETTLE)
BY_NOBODY = VolumeState("in-use, without an attachment", VOLUME_APART, _REPAIR)
UNKNOWN = VolumeState("(any other)", VOLUME_IN_ERROR, _SEE_WHY)

_AT_REST = {None, "", "none", "success", "error"}


def judge_volumes(server: Server) -> Iterator[Verdict]:
    """Ask whether each volume is at rest, and whether Nova and Cinder agree on it."""
    if server.volume_ids and server.volumes_unread:
        yield NO_VOLUME_SERVICE.blocks(server.label, server.id, why=server.volumes_unread)
        return
    known = {volume.id: volume for volume in server.volumes}
    for volume_id in server.volume_ids:
        volume = known.get(volume_id)
        if volume is None:
            yield VOLUME_GONE.blocks(server.label, server.id, volume=volume_id)
        elif volume.status != "in-use" or not _is_attached(volume, server):
            yield _judge(volume, server)
        elif volume.migration_status not in _AT_REST:
            yield VOLUME_MIGRATES.blocks(
                server.label, server.id, volume=volume.id, status=volume.migration_status
            )


def _judge(volume: Volume, server: Server) -> Verdict:
    found = _state_of(volume, server)
    names = {"id": server.id, "volume": volume.id}
    holders = ", ".join(f"`{each}`" for each, _ in volume.attached) or "no server"
    return found.rule.blocks(
        server.label,
        server.id,
        volume=volume.id,
        status=volume.status,
        holders=holders,
        remedy=found.advice.format(**names),
    )


def _state_of(volume: Volume, server: Server) -> VolumeState:
    is_attached = _is_attached(volume, server)
    if volume.status == "in-use":
        return OF_ANOTHER if volume.attached else BY_NOBODY
    if volume.status in {"available", "reserved"} and is_attached:
        return ONLY_THE_WORD
    return ALL.get(volume.status, UNKNOWN)


def _is_attached(volume: Volume, server: Server) -> bool:
    return any(holder == server.id for holder, _ in volume.attached)
