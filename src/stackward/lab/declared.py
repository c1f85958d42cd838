"""Read what is declared in `declared.toml`: images, roles, profiles and replacements."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from stackward.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A root file system: packages on top of another image."""

    name: str
    on: str | None
    packages: tuple[str, ...]
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A kind of node."""

    name: str
    image: str
    names: str
    first_address: int
    groups: tuple[str, ...]
    disk_gib: int
    data_network: bool
    start: tuple[str, ...]

    def node_names(self, count: int) -> tuple[str, ...]:
        """Return the names of `count` nodes of this role."""
        return tuple(self.names.format(number) for number in range(1, count + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How many nodes of which role make a lab."""

    name: str
    says: str
    nodes: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """Something that the lab cannot have, and what it has instead."""

    name: str
    instead_of: str
    is_: str
    so: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A service of the controller that runs once it is asked for."""

    name: str
    says: str
    unit: str
    port: int
    path: str  # of its endpoint
    catalog_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Everything in `declared.toml`."""

    images: dict[str, Image]
    roles: dict[str, Role]
    profiles: dict[str, Profile]
    stand_ins: tuple[StandIn, ...]
    extras: dict[str, Extra]
    never_start: tuple[str, ...]

    def profile(self, name: str) -> Profile:
        """Return the profile called `name`.

        Raises BadInput when there is none.
        """
        if name not in self.profiles:
            raise BadInput(
                f"there is no lab profile `{name}`",
                hint="profiles: " + ", ".join(f"`{known}`" for known in self.profiles),
            )
        return self.profiles[name]


@cache
def declared() -> Declared:
    """Return what the lab can be made of."""
    toml = tomllib.loads(files(__package__).joinpath("declared.toml").read_text())
    return Declared(
        images={
            name: Image(
                name=name,
                on=entry.get("on"),
                packages=tuple(entry["packages"]),
                without=tuple(entry.get("without", ())),
            )
            for name, entry in toml["image"].items()
        },
        roles={
            name: Role(
                name=name,
                image=entry["image"],
                names=entry["names"],
                first_address=entry["first_address"],
                groups=tuple(entry["groups"]),
                disk_gib=entry["disk_gib"],
                data_network=entry["data_network"],
                start=tuple(entry["start"]),
            )
            for name, entry in toml["role"].items()
        },
        profiles={
            name: Profile(name=name, says=entry["says"], nodes=dict(entry["nodes"]))
            for name, entry in toml["profile"].items()
        },
        stand_ins=tuple(
            StandIn(name=name, instead_of=entry["instead_of"], is_=entry["is"], so=entry["so"])
            for name, entry in toml["stand_in"].items()
        ),
        extras={name: Extra(name=name, **entry) for name, entry in toml["extra"].items()},
        never_start=tuple(toml["never_start"]),
    )
