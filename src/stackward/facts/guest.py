"""Look at a server's guest on its node: one script is sent, and its one answer is read."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from stackward.answers import (
    document,
    figure,
    mapping,
    rows,
    text,
    text_or_none,
    texts,
    truth,
    understood,
    whole,
    why,
)
from stackward.errors import NotUnderstood, StackwardError
from stackward.masking import masked
from stackward.model.guest_seen import (
    ConsoleOfGuest,
    Denied,
    DiskOfGuest,
    DomainSeen,
    GuestSeen,
    Holder,
    Space,
)
from stackward.model.unread import Unread
from stackward.ports.clock import Clock
from stackward.ports.log_source import as_given
from stackward.ports.root import SCAN_LOGS
from stackward.ports.shell import Shell, refusal

WITHIN_S = 25.0
_WAY_S = 10.0
_BEGINS = '{"version"'
_NO_PYTHON = 127
_NO_SUCH_DOMAIN = ("failed to get domain", "Domain not found")


@cache
def script() -> str:
    """Return what is run on the node."""
    return files(__package__).joinpath("on_node/guest.py").read_text("utf-8")


def read_guest(shell: Shell, clock: Clock, node: str, server: str) -> GuestSeen | Unread:
    """Return the guest of a server as it is on its node; or why that could not be seen.

    It is looked at as root, if sudo allows what `log` needs too. If not, it is looked at as the
    login user, and the result names what that user may not read.
    """
    given = as_given(script(), json.dumps({"server": server, "within_s": WITHIN_S}))
    within_s = WITHIN_S + _WAY_S
    try:
        answer = shell.run(node, SCAN_LOGS, as_root=True, given=given, within_s=within_s)
        if refusal(answer) is not None:
            answer = shell.run(node, SCAN_LOGS, given=given, within_s=within_s)
        if answer.code == _NO_PYTHON:
            return Unread("there is no `/usr/bin/python3` on it")
        if answer.code != 0:
            said = answer.err.strip().splitlines()
            return Unread(masked(said[-1]) if said else f"the look ended with {answer.code}")
        return parse_guest(answer.out, clock.now())
    except NotUnderstood as error:
        return Unread(why(error))
    except StackwardError as error:
        return Unread.of(error)


def parse_guest(out: str, at: datetime) -> GuestSeen:
    """Read what the script printed; what a login's shell writes before it is no part of that.

    Raises NotUnderstood where it has another shape.
    """
    given = out[max(0, out.find(_BEGINS)) :]
    with understood("the look at the guest", given[:1000]):
        told = document(given)
        libvirt = mapping(told["libvirt"])
        says = None
        domain, no_domain, unread = None, "", list(texts(told["unread"]))
        if libvirt["code"] is None:  # it was not run to its end: that proves nothing about libvirt
            unread.append(f"libvirt: {_first(text(libvirt['err'])) or '`virsh` did not end'}")
        elif libvirt["code"] != 0:
            says = _first(text(libvirt["err"])) or f"`virsh version` ended with {libvirt['code']}"
        if told["domain"] is not None:
            found = mapping(told["domain"])
            if truth(found["is_there"]):
                domain = _domain(found)
            elif any(word in text(found["err"]) for word in _NO_SUCH_DOMAIN):
                no_domain = _first(text(found["err"]))
            else:
                unread.append(f"its domain: {text(found['err'])}")
        return GuestSeen(
            at=at,
            is_root=truth(told["is_root"]),
            libvirt_says=says,
            is_libvirt_known=libvirt["code"] is not None,
            domain=domain,
            no_domain=no_domain,
            own_disk=None if told["own_disk"] is None else _disk(mapping(told["own_disk"])),
            space=tuple(_space(mapping(one)) for one in rows(told["space"])),
            memory_available=_whole(told["memory_available"]),
            unread=tuple(masked(each) for each in unread),
        )


def _domain(given: Mapping[str, object]) -> DomainSeen:
    if "disks" not in given:  # its XML was not understood
        return DomainSeen(name="", state="", why="", bridges={}, pci={}, secrets={})
    cpu = None if given["cpu"] is None else mapping(given["cpu"])
    return DomainSeen(
        name=text(given["name"]),
        state=text(given["state"]),
        why=text(given["why"]),
        is_bios=truth(given["is_bios"]),
        boots_from_disks=truth(given["boots_from_disks"]),
        has_huge_pages=truth(given["has_huge_pages"]),
        machine=text(given["machine"]),
        knows_machine=_truth(given["knows_machine"]),
        emulator=text(given["emulator"]),
        has_emulator=_truth(given["has_emulator"]),
        cpu_code=None if cpu is None else _whole(cpu["code"]),
        cpu_says="" if cpu is None else _first(text(cpu["says"])),
        disks=tuple(_disk(mapping(one)) for one in rows(given["disks"])),
        bridges=_there(given["bridges"], "name"),
        pci=_there(given["pci"], "address"),
        secrets=_there(given["secrets"], "uuid"),
        console=None if given["console"] is None else _console(mapping(given["console"])),
        started_s=None if given["started_s"] is None else figure(given["started_s"]),
    )


def _disk(given: Mapping[str, object]) -> DiskOfGuest:
    info = None if given["info"] is None else mapping(given["info"])
    denied = None if given["denied"] is None else mapping(given["denied"])
    return DiskOfGuest(
        device=text(given["device"]),
        kind=text(given["kind"]),
        path=text(given["path"]),
        serial=text(given["serial"]),
        network=text_or_none(given["network"]),
        is_there=_truth(given["is_there"]),
        unread=text(given["unread"]),
        image_code=None if info is None else _whole(info["code"]),
        image_says="" if info is None else masked(text(info["err"])),
        missing=text_or_none(given["missing"]),
        sharing=whole(given["sharing"]),
        denied=None
        if denied is None
        else Denied(user=text(denied["user"]), path=text(denied["path"]), why=text(denied["why"])),
        held_by=tuple(
            Holder(pid=whole(one["pid"]), program=text(one["program"]))
            for one in map(mapping, rows(given["held_by"]))
        ),
        sector=text_or_none(given["sector"]),
    )


def _console(given: Mapping[str, object]) -> ConsoleOfGuest:
    written = given["written"]
    return ConsoleOfGuest(
        path=text(given["path"]),
        lines=tuple(map(masked, texts(given["lines"]))),
        first_line=whole(given["first_line"]),
        written=None if written is None else datetime.fromtimestamp(figure(written), UTC),
        unread=text(given["unread"]),
    )


def _space(given: Mapping[str, object]) -> Space:
    return Space(
        path=text(given["path"]), free=_whole(given["free"]), inodes=_whole(given["inodes"])
    )


def _there(given: object, name: str) -> Mapping[str, bool]:
    return {text(one[name]): truth(one["is_there"]) for one in map(mapping, rows(given))}


def _truth(given: object) -> bool | None:
    return None if given is None else truth(given)


def _whole(given: object) -> int | None:
    return None if given is None else whole(given)


def _first(said: str) -> str:
    """Return the words of `virsh`, without those that say only that there was an error."""
    plain = [line.removeprefix("error: ") for line in said.splitlines() if line.strip()]
    return masked(plain[-1] if plain else "")
