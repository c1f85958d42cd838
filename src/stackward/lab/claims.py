"""Which labs there are on this machine, and what each has claimed: its name, number and network."""

import contextlib
import fcntl
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Protocol

from stackward.errors import BadInput, Locked, Refused
from stackward.lab import network
from stackward.lab.declared import declared
from stackward.lab.spec import DATA_NETWORK, Lab, from_json

PLACE = re.compile(r"[A-Za-z0-9/._+@=-]+")
NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
MOST_LABS = 99
MOST_COMPUTES = 9
MOST_FAKE_COMPUTES = 200


# what a new lab has, unless something else is asked for
USUAL_PROFILE = "small"
USUAL_COMPUTES = 2
USUAL_FAKE_COMPUTES = 3
USUAL_RELEASE = "trixie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What `lab up` was asked for; None: as the lab is, or for a new one as is usual."""

    name: str = "lab"
    profile: str | None = None
    computes: int | None = None
    fake_computes: int | None = None
    shared_instances: bool | None = None
    release: str | None = None
    network: str | None = None
    cache: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be a lab."""
        if not NAME.fullmatch(self.name):
            raise BadInput(
                f"`{self.name}` cannot be the name of a lab",
                hint="at most 20 small letters, digits and hyphens, a letter first",
            )
        if self.profile is not None:
            declared().profile(self.profile)
        if self.computes is not None and not 1 <= self.computes <= MOST_COMPUTES:
            raise BadInput(f"a lab has 1 to {MOST_COMPUTES} compute nodes, not {self.computes}")
        if self.fake_computes is not None and not 1 <= self.fake_computes <= MOST_FAKE_COMPUTES:
            raise BadInput(
                f"a lab has 1 to {MOST_FAKE_COMPUTES} fake computes, not {self.fake_computes}"
            )
        if self.release is not None and not re.fullmatch(r"[a-z]+", self.release):
            raise BadInput(f"`{self.release}` cannot be the name of a Debian release")
        if self.network is not None:
            parse_network(self.network)


def _refuse_place(folder: Path, variable: str) -> None:
    """Refuse a path that ssh, mount or systemd-nspawn would read as more than a path."""
    if not PLACE.fullmatch(str(folder)):
        raise BadInput(
            f"a lab cannot be in `{folder}`",
            hint=f"set {variable} to a path of letters, digits and `/ . _ + @ = -` only",
        )


class HostNetwork(Protocol):
    """What is asked of this machine before a network is claimed."""

    def interfaces(self) -> list[str]:
        """Return the names of its interfaces."""

    def what_uses(self, network: IPv4Network, /) -> str | None:
        """Say which of its routes overlaps `network`, or None."""


class Claims:
    """The folder in which every lab has its own folder."""

    def __init__(self, folder: Path, cache: Path, host: HostNetwork = network) -> None:
        self.folder, self.cache, self.host = folder, cache, host

    def get(self, name: str) -> Lab:
        """Return the lab called `name`.

        Raises BadInput when there is none, Refused when its file cannot be read.
        """
        if not NAME.fullmatch(name) or not (self.folder / name / "lab.json").exists():
            makes = (
                f"`stackward lab up --name {name}`"
                if NAME.fullmatch(name)
                else "`stackward lab up`"
            )
            there = ", ".join(f"`{lab.name}`" for lab in self.all())
            raise BadInput(
                f"there is no lab `{name}` on this machine",
                hint=(f"name one that is there with `--name`: {there}; or " if there else "")
                + f"{makes} makes one",
            )
        return self._read(name)

    def all(self) -> list[Lab]:
        """Return all labs of this machine whose files can be read."""
        found = []
        for file in sorted(self.folder.glob("*/lab.json")):
            # One that cannot be read says so when it is named; it is in nobody's way.
            with contextlib.suppress(Refused):
                found.append(self._read(file.parent.name))
        return found

    def claim(self, asked: Asked) -> Lab:
        """Return the lab that was asked for, claimed now when it is new.

        Raises Refused when the lab of that name is not as asked for, or no network is free.
        """
        _refuse_place(self.folder, "STACKWARD_STATE_DIR")
        _refuse_place(self.cache, "STACKWARD_CACHE_DIR")
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (self.folder / asked.name / "lab.json").exists():
                return self._same(self._read(asked.name), asked)
            number, chosen = self._free_network(asked)
            lab = Lab(
                name=asked.name,
                number=number,
                profile=asked.profile or USUAL_PROFILE,
                computes=asked.computes or USUAL_COMPUTES,
                fake_computes=asked.fake_computes or USUAL_FAKE_COMPUTES,
                shared_instances=bool(asked.shared_instances),
                release=asked.release or USUAL_RELEASE,
                network=str(chosen),
                folder=self.folder / asked.name,
                cache=self.cache_of(asked),
            )
            lab.folder.mkdir(mode=0o700, exist_ok=True)
            unfinished = lab.folder / "lab.json.new"
            unfinished.write_text(lab.to_json())
            unfinished.rename(lab.folder / "lab.json")
            return lab

    def cache_of(self, asked: Asked) -> Path:
        """Return the cache that a new lab uses."""
        return asked.cache or self.cache

    @contextlib.contextmanager
    def changing(self, lab: Lab) -> Iterator[None]:
        """Let one command at a time change what runs of a lab.

        Raises Locked when another one does, Refused when the lab has just been removed.
        """
        with ExitStack() as held:
            try:
                lock = held.enter_context((lab.folder / ".lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Locked(
                    f"another command is changing the lab `{lab.name}`",
                    hint="wait until it is done",
                ) from None
            except FileNotFoundError:
                raise self._is_gone(lab) from None
            if not (lab.folder / "lab.json").exists():  # removed while we came to the lock
                raise self._is_gone(lab)
            yield

    def _is_gone(self, lab: Lab) -> Refused:
        return Refused(f"the lab `{lab.name}` has just been removed", hint="call it again")

    def _read(self, name: str) -> Lab:
        file = self.folder / name / "lab.json"
        try:
            return from_json(file.read_text())
        except (OSError, ValueError) as broken:
            raise Refused(
                f"the lab `{name}` cannot be read: {file}",
                says=str(broken),
                hint=f"`stackward lab down --purge --name {name}` removes it",
            ) from broken

    def _same(self, lab: Lab, asked: Asked) -> Lab:
        """Return `lab` when it is what was asked for, as far as that was said."""
        differs = [
            f"{what}: is {has}, asked for {wanted}"
            for what, has, wanted in (
                ("profile", lab.profile, asked.profile),
                ("computes", lab.computes, asked.computes),
                ("fake computes", lab.fake_computes, asked.fake_computes),
                ("shared instances", lab.shared_instances, asked.shared_instances),
                ("release", lab.release, asked.release),
                ("network", lab.network, asked.network),
                ("cache", lab.cache, asked.cache),
            )
            if wanted not in (None, has)
        ]
        if differs:
            raise Refused(
                f"the lab `{lab.name}` is there, and not as asked for",
                details=differs,
                stands="nothing was changed",
                hint=f"`stackward lab up --name {lab.name}` takes it as it is. Or choose another"
                f" `--name`, or remove it: `stackward lab down --purge --name {lab.name}`",
            )
        return lab

    def _free_network(self, asked: Asked) -> tuple[int, IPv4Network]:
        """Return a number that no lab and no bridge has, and a network that nothing uses."""
        labs = self.all()
        claimed = [IPv4Network(lab.network) for lab in labs]
        present = set(self.host.interfaces())
        numbers = [
            number
            for number in range(1, MOST_LABS + 1)
            if number not in {lab.number for lab in labs} and f"swbr{number}" not in present
        ]
        if not numbers:
            raise Refused(
                f"this machine has {MOST_LABS} labs already",
                hint="remove one with `stackward lab down --purge`",
            )
        if asked.network is not None:
            wanted = parse_network(asked.network)
            owners = [lab.name for lab in labs if IPv4Network(lab.network).overlaps(wanted)]
            user = self.host.what_uses(wanted) or (f"lab `{owners[0]}`" if owners else None)
            if user:
                raise Refused(
                    f"the network {wanted} is in use: {user}",
                    stands="nothing was changed",
                    hint="name another with `--network`, or none: a free one is found",
                )
            return numbers[0], wanted
        for number in numbers:
            chosen = IPv4Network(f"10.77.{number}.0/24")
            if self.host.what_uses(chosen) is None and not any(map(chosen.overlaps, claimed)):
                return number, chosen
        raise Refused(
            "no network is free for another lab",
            stands="nothing was changed",
            hint="remove a lab with `stackward lab down --purge`,"
            " or name a network with `--network`",
        )


def parse_network(text: str) -> IPv4Network:
    """Read a network that has room for a lab.

    Raises BadInput when it is no IPv4 network, or no private one of 256 addresses.
    """
    try:
        parsed = IPv4Network(text)
    except ValueError as wrong:
        raise BadInput(f"`{text}` is not an IPv4 network: {wrong}") from wrong
    if parsed.prefixlen != 24 or not parsed.is_private:  # noqa: PLR2004  # a /24
        raise BadInput(
            f"`{text}` cannot be a lab's network",
            hint="a private one of 256 addresses: 10.99.1.0/24",
        )
    if parsed == DATA_NETWORK:
        raise BadInput(
            f"`{text}` cannot be a lab's network: the guests' tunnels use it inside",
            hint="another private one of 256 addresses: 10.99.1.0/24",
        )
    return parsed
