"""The acceptance server, which shows that a node works: what it is made of, what it is called."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedFlavor:
    """A flavor that servers can be built with now."""

    id: str
    name: str
    vcpus: int
    ram_mib: int
    disk_gib: int = 0  # 0: as large as the image
    is_public: bool = True
    is_disabled: bool = False
    extra_specs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network, as Neutron has it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewServer:
    """A server to be made on one host."""

    name: str
    host: str
    zone: str
    image: str
    flavor: str
    network: str | None  # None: no port at all
    metadata: tuple[tuple[str, str], ...] = ()


def acceptance_name(run: str) -> str:
    """Return what the acceptance server of a run is called: that is how it is found again."""
    return f"stackward-acceptance-{run.lower()}"
