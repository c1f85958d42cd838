"""What a node sees of the disks of a server that is not there."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSeen:
    """The directory of a server on another node, as Nova would find it there."""

    path: str | None = None  # None: there is none
    is_writable: bool | None = None  # for nova; None: not known
    disks: tuple[tuple[str, str], ...] = ()  # each with why it is not whole; "": it is
    locked: tuple[str, ...] = ()  # of them: those that some guest has open, wherever it runs
    written: datetime | None = None  # when one of them was written last, by the clock there
    storage: str | None = None  # type and source of its file system: "nfs4 nas:/instances"
    place: str | None = None  # the directory's path in that file system
    unread: str | None = None  # why nothing is known

    def lacks(self, *, with_root: bool) -> str:
        """Say why the directory is of no use: Nova would take it, and build a blank disk in it."""
        if not self.disks or (with_root and "disk" not in dict(self.disks)):
            return "it holds no disk"
        return next((said for _, said in self.disks if said), "")
