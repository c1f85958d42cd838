"""An image, as Glance has it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image, as Glance has it."""

    id: str
    name: str
    status: str
    disk_format: str | None  # None until it has content
    size_bytes: int  # of the file
    virtual_bytes: int | None = None  # of the disk in it; None where Glance has not looked
    min_ram_mib: int = 0
    min_disk_gib: int = 0
    is_public: bool = True
    is_hidden: bool = False
