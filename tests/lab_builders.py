"""Labs for tests that need no lab: say only what matters."""

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from stackward.lab.claims import Claims
from stackward.lab.spec import Lab

# Its addresses are none that a real lab of this machine can have.
A_LAB = Lab(
    name="lab",
    number=98,
    profile="small",
    computes=2,
    fake_computes=3,
    shared_instances=False,
    release="trixie",
    network="192.0.2.0/24",
    folder=Path("/somewhere/labs/lab"),
    cache=Path("/somewhere/cache"),
)


def a_lab(folder: Path | None = None, **changes: Any) -> Lab:  # noqa: ANN401  # a field's own type
    """Return the lab `lab`, small, with two compute nodes; stored in `folder` if that is given."""
    if folder is None:
        return replace(A_LAB, **changes)
    name = changes.get("name", A_LAB.name)
    places = {"folder": folder / "labs" / name, "cache": folder / "cache"}
    lab = replace(A_LAB, **{**places, **changes})
    lab.folder.mkdir(parents=True)
    (lab.folder / "lab.json").write_text(lab.to_json())
    return lab


class FakeHost:
    """A machine with these interfaces and these networks in use."""

    def __init__(self, *interfaces: str, used: tuple[str, ...] = ()) -> None:
        self.present, self.used = list(interfaces), used

    def interfaces(self) -> list[str]:
        return self.present

    def what_uses(self, network: IPv4Network, /) -> str | None:
        return next(
            (f"{used} on `eth0`" for used in self.used if IPv4Network(used).overlaps(network)), None
        )


def claims_in(folder: Path, host: FakeHost | None = None) -> Claims:
    """Return the claims of a machine whose labs lie where `a_lab(folder)` puts them."""
    return Claims(folder / "labs", folder / "cache", host or FakeHost())
