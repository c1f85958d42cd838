"""What evacuations on a real lab need: servers on volumes, a node that comes back, its power."""

from dataclasses import dataclass
from typing import Any

from lab.drains import INSTANCES, Drains
from real_lab import RealLab, until
from stackward.lab.guest import FILE_SYSTEM_MIB, Tick, read_console

BOOT_VOLUME = {
    "boot_index": 0,
    "source_type": "image",
    "destination_type": "volume",
    "volume_size": 1,
    "delete_on_termination": True,
}
SECTOR = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the last guest that ran from a volume has written on it, with each of its ticks."""

    boots: int  # of that volume
    boot: str
    tick: int


def on_a_volume(lab: RealLab, name: str, node: str) -> str:
    """Boot a server that has a volume and no other disk; return its id."""
    cloud: Any = lab.cloud
    image = cloud.image.find_image("guest", ignore_missing=False).id
    network = cloud.network.find_network("lab-net", ignore_missing=False).id
    server = cloud.compute.create_server(
        name=name,
        flavor_id=cloud.compute.find_flavor("tiny", ignore_missing=False).id,
        networks=[{"uuid": network}],
        host=node,
        block_device_mapping_v2=[{**BOOT_VOLUME, "uuid": image}],
    )
    return str(server.id)


def last_tick(lab: RealLab, node: str, server: str) -> Tick | None:
    """Return a guest's last sign of life from its node, whose nova-compute shows no console now."""
    return read_console(lab.on(node, f"cat {INSTANCES}/{server}/console.log")).last_tick


def written(lab: RealLab, server: str) -> Written:
    """Read the volume of a server, whoever has it open: no node is asked.

    The second of the guest's records: guest_image/disk.sh.
    """
    [volume] = lab.cloud.compute.volume_attachments(server)
    [file] = (lab.folder / "shared" / "volumes").rglob(f"volume-{volume.volume_id}")
    with file.open("rb") as disk:
        disk.seek(FILE_SYSTEM_MIB * 2**20 + SECTOR)
        boots, boot, tick = disk.read(SECTOR).decode().split()
    return Written(boots=int(boots), boot=boot, tick=int(tick))


def power_of(lab: RealLab, node: str) -> str:
    """Return whether a node has power, by the machine that the lab is on."""
    [found] = [each for each in lab.read_whatever("status")["nodes"] if each["node"] == node]
    return str(found["power"])


def bring_back(drains: Drains, node: str) -> None:
    """Switch a node on that was evacuated, and have it in service again.

    Its nova-compute ends its records as it starts, one of each server; only then Nova calls it up.
    """
    lab = drains.lab
    lab.run("power", "on", node)
    until(lambda: node in lab.births_of_living())
    compute: Any = lab.cloud.compute

    def is_settled() -> bool:
        answer = compute.get(f"/os-migrations?source_compute={node}&migration_type=evacuation")
        return not [each for each in answer.json()["migrations"] if each["status"] == "done"]

    until(is_settled)
    body = {"forced_down": False}
    service = drains.service(node).id
    compute.put(f"/os-services/{service}", json=body, microversion="2.53").raise_for_status()
    drains.put_back(node)


def asked_of(lab: RealLab, server: str) -> list[str]:
    """Return what Nova was asked to do with a server, in the order of time."""
    found = lab.cloud.compute.server_actions(server)
    return [action for _, action in sorted((one.start_time, one.action) for one in found)]


def restart_compute(drains: Drains, node: str) -> None:
    """Restart nova-compute, and wait until it has done all that it does as it starts."""
    drains.lab.on(node, "systemctl stop nova-compute")
    last = drains.service(node).updated_at
    drains.lab.on(node, "systemctl start nova-compute")
    until(lambda: drains.reports_anew(node, last))


def mark_of(tick: Tick) -> str | None:
    """Return the mark that a guest has found on its first disk, or made there at its first boot."""
    disk = tick.disk("vda")
    return disk.mark if disk else None
