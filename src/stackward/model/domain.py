"""The guest of a server, as libvirt on its node knows it, and its disks."""

from dataclasses import dataclass
from enum import StrEnum

INSTANCES = "/var/lib/nova/instances"
OFF = frozenset({"shut off", "crashed"})  # states of a guest that does not run


class BlockStorage(StrEnum):
    """Where a server's own disks are."""

    NONE = "none"  # it has only volumes
    LOCAL = "local"  # files or devices of this node
    SHARED = "shared"  # a network file system, or Ceph
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A guest as libvirt on the node knows it."""

    server: str  # its UUID is the server's
    name: str
    state: str  # running, paused, shut off, ...
    disks: tuple["Disk", ...] = ()
    has_known_disks: bool = True
    is_novas: bool = True  # False: what defined it was not Nova, or that is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk of a domain."""

    device: str
    path: str | None
    used_bytes: int = 0  # what a copy has to carry
    size_bytes: int = 0
    serial: str | None = None  # Nova gives a disk of Cinder's the id of its volume

    def directory_of(self, server: str) -> str | None:
        """Return the directory of instances that has this disk; None where it is no file of one.

        Nova names a file `<instances_path>/<id>/disk`, a logical volume `/dev/<group>/<id>_disk`,
        an image of Ceph `<pool>/<id>_disk`.
        """
        place, found, _ = (self.path or "").rpartition(f"/{server}/")
        return place if found and place.startswith("/") else None
