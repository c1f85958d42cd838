"""Flavors: what a server was built as, and what servers can be built with now."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """What a server was built as; Nova keeps it with the server, so it outlives the flavor."""

    name: str
    vcpus: int
    ram_mib: int
    disk_gib: int = 0
    ephemeral_gib: int = 0
    swap_mib: int = 0
    extra_specs: tuple[tuple[str, str], ...] = ()  # sorted: equal flavors are equal values

    def spec(self, name: str) -> str | None:
        """Return an extra spec, or None if the flavor has none of that name."""
        return dict(self.extra_specs).get(name)


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
