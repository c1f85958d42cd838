"""Which guests libvirt on a node has, with the volumes among their disks: one round trip."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from stackward.answers import (
    document,
    mapping,
    rows,
    shortly,
    text,
    text_or_none,
    truth,
    understood,
    whole,
    why,
)
from stackward.errors import NotUnderstood, StackwardError
from stackward.facts.domains import state_called
from stackward.model.domain import Disk, Domain
from stackward.model.unread import Hindrance, Unread
from stackward.ports.libvirt import NO_VIRSH, read_id
from stackward.ports.shell import Shell

_WITHIN_S = 60.0
_BEGINS = '{"version"'
_LACKING = "lacking"


@cache
def script() -> str:
    """Return what is run on the node."""
    return files(__package__).joinpath("on_node/guests.py").read_text("utf-8")


def read_guests_of(shell: Shell, node: str) -> tuple[Domain, ...] | Unread:
    """Return the guests of a node; or why they could not be read."""
    try:
        answer = shell.run(node, ["python3", "-"], given=script(), within_s=_WITHIN_S)
        if answer.code != 0:
            said = answer.err.strip().splitlines()
            return Unread(said[-1] if said else f"it ended with {answer.code}")
        return parse_guests_of(answer.out)
    except NotUnderstood as error:
        return Unread(why(error))
    except StackwardError as error:
        return Unread.of(error)


def parse_guests_of(out: str) -> tuple[Domain, ...] | Unread:
    """Read what the script printed; what a login's shell writes before it is no part of that."""
    with understood("the script that looks for guests", out):
        told = document(out[max(0, out.find(_BEGINS)) :])
        unread = text_or_none(told["unread"])
        if unread == _LACKING:
            return Unread(NO_VIRSH, Hindrance.LACKING)
        if unread is not None:
            return Unread(f"`virsh` says: {shortly(unread)}")
        return tuple(_domain(mapping(one)) for one in rows(told["guests"]))


def _domain(told: Mapping[str, object]) -> Domain:
    state, disks, novas = text_or_none(told["state"]), told["disks"], told["novas"]
    return Domain(
        server=read_id(text(told["uuid"])),
        name=text(told["name"]),
        state=state_called(None if state is None else str(whole(state))),
        disks=() if disks is None else tuple(_disk(mapping(one)) for one in rows(disks)),
        is_novas=novas is not None and truth(novas),
        has_known_disks=disks is not None,
    )


def _disk(told: Mapping[str, object]) -> Disk:
    return Disk(
        device=text(told["device"]),
        path=text_or_none(told["path"]),
        serial=text_or_none(told["serial"]),
    )
