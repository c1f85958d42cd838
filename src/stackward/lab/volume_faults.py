"""Faults of volumes: what a call that was lost leaves at Cinder, as if an hour ago.

Each makes a volume of its own, in the project of the server, and takes it away again.
"""

from typing import Any

from stackward.errors import StepFailed
from stackward.lab.client import connect
from stackward.lab.load import attach_volume, wait_volume
from stackward.lab.scene import Scene

_ATTACHMENTS = "3.54"  # the microversion at which an attachment is made and completed
# Cinder writes the time by itself. What is in transition is stuck only once that is long ago.
_AGE = (
    'mariadb cinder -e "UPDATE volumes SET updated_at = UTC_TIMESTAMP() - INTERVAL 1 HOUR '
    "WHERE id = '{volume}'\""
)


def attach_by_cinder_alone(scene: Scene) -> None:
    """Let Cinder attach a volume to the server, and nobody else: an attach that was lost."""
    server, owner = scene.server(), _owner(scene)
    volume = owner.block_storage.create_volume(name="lab-one-sided", size=1)
    scene.remembered["volume"] = str(volume.id)
    wait_volume(owner, volume.id, "available")
    host = server.hypervisor_hostname
    made = _ask(
        scene,
        "/attachments",
        {
            "attachment": {
                "volume_uuid": volume.id,
                "instance_uuid": server.id,
                "connector": {
                    "host": host,
                    "ip": scene.lab.node(host).address,
                    "platform": "x86_64",
                    "os_type": "linux",
                    "multipath": False,
                    "mountpoint": "/dev/vdz",
                },
            }
        },
    )
    attachment = made["attachment"]["id"]
    _ask(scene, f"/attachments/{attachment}/action", {"os-complete": {}})
    wait_volume(scene.cloud, volume.id, "in-use")
    scene.on("ctl", _AGE.format(volume=volume.id))


def is_attached_by_cinder_alone(scene: Scene) -> bool:
    """Say whether Cinder has the volume attached to the server, and Nova does not."""
    volume = _volume(scene)
    by_nova = scene.cloud.compute.volume_attachments(scene.target)
    return (
        volume is not None
        and any(one["server_id"] == scene.target for one in volume.attachments)
        and all(one.volume_id != volume.id for one in by_nova)
    )


def lose_detach(scene: Scene) -> None:
    """Attach a volume to the server, and begin a detach at Cinder that nobody carries out."""
    volume = attach_volume(_owner(scene), scene.server())
    scene.remembered["volume"] = str(volume.id)
    _act(scene, "os-begin_detaching")
    scene.on("ctl", _AGE.format(volume=volume.id))


def is_detaching(scene: Scene) -> bool:
    """Say whether Cinder calls the volume detaching."""
    volume = _volume(scene)
    return volume is not None and bool(volume.status == "detaching")


def remove_volume(scene: Scene) -> None:
    """Take the volume away again, in any way in which it is attached by now."""
    volume = _volume(scene)
    if volume is None:
        return
    if volume.status == "detaching":
        _act(scene, "os-roll_detaching")
        wait_volume(scene.cloud, volume.id, "in-use")
    by_nova = scene.cloud.compute.volume_attachments(scene.target)
    if any(one.volume_id == volume.id for one in by_nova):
        scene.cloud.compute.delete_volume_attachment(scene.target, volume.id)
    else:
        for one in volume.attachments:
            _ask(scene, f"/attachments/{one['attachment_id']}", None)
    wait_volume(scene.cloud, volume.id, "available")
    scene.cloud.block_storage.delete_volume(volume.id)


def has_no_volume(scene: Scene) -> bool:
    """Say whether Cinder has the volume no more."""
    return _volume(scene) is None


def _owner(scene: Scene) -> Any:  # noqa: ANN401  # the SDK's own
    """Return the cloud for the owner of the server: Nova attaches only volumes of its project."""
    if scene.server().project_id == scene.cloud.current_project_id:
        return scene.cloud
    return connect(scene.lab, project="demo")


def _volume(scene: Scene) -> Any:  # noqa: ANN401  # as above
    known = scene.remembered.get("volume")
    every = scene.cloud.block_storage.volumes(all_projects=True)
    return next((one for one in every if one.id == known), None)


def _act(scene: Scene, action: str) -> None:
    _ask(scene, f"/volumes/{scene.remembered['volume']}/action", {action: {}})


def _ask(scene: Scene, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """Change something at Cinder; without a body, delete it."""
    cinder = scene.cloud.block_storage
    answer = (
        cinder.delete(path, microversion=_ATTACHMENTS)
        if body is None
        else cinder.post(path, json=body, microversion=_ATTACHMENTS)
    )
    if not answer.ok:
        raise StepFailed(f"Cinder refuses {path}", says=answer.text)
    told: dict[str, Any] = answer.json() if answer.content else {}
    return told
