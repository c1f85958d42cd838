"""What a look has read of the machine and of its guests: it is kept for when the machine is silent.

Nothing here judges. What was not reported, or is not understood, is left out: then a later look
does not have it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_interface

from stackward.answers import mapping, text, texts, understood
from stackward.errors import NotUnderstood
from stackward.facts.cluster import tree
from stackward.facts.domains import domains_of
from stackward.facts.services_on_node import Said
from stackward.model.domain import Domain
from stackward.model.survey import Board

_ADDRESS = re.compile(r"\d+:\s+(?P<card>\S+)\s+inet6?\s+(?P<at>\S+)")


def parse_board(told: Mapping[str, object], commands: Mapping[str, Said]) -> Board:
    """Return what the machine is known by; root's own reading, else what libvirt read as root."""
    own = mapping(told.get("machine", {}))
    by_libvirt = _of_libvirt(commands.get("machine")) if not told.get("container") else {}
    return Board(
        uuid=text(own.get("uuid", "")) or by_libvirt.get("uuid", ""),
        serial=text(own.get("serial", "")) or by_libvirt.get("serial", ""),
        macs=texts(own.get("macs", ())),
    )


def _of_libvirt(answer: Said | None) -> Mapping[str, str]:
    return {} if answer is None or answer["code"] != 0 else parse_sysinfo(answer["out"])


def parse_sysinfo(out: str) -> Mapping[str, str]:
    """Read `virsh sysinfo`: the entries of its part about the system, as firmware has them.

    Firmware may have anything there. That is no fault of the cloud: then nothing is known.
    """
    try:
        entries = tree(out).findall("system/entry")
    except ValueError:
        return {}
    return {one.get("name", ""): (one.text or "").strip() for one in entries}


def parse_addresses(commands: Mapping[str, Said]) -> tuple[str, ...]:
    """Return the addresses that the machine has; none where it did not report them."""
    answer = commands.get("addresses")
    return () if answer is None or answer["code"] != 0 else addresses_in(answer["out"])


def addresses_in(out: str) -> tuple[str, ...]:
    """Read `ip -o addr`: a line for each address, with its network."""
    return tuple(dict.fromkeys(_addresses_in(out)))


def _addresses_in(out: str) -> Iterator[str]:
    for line in filter(None, map(_ADDRESS.match, out.splitlines())):
        with suppress(ValueError):  # another kind of address than the two that are known
            yield str(ip_interface(line["at"]).ip)


def parse_guests(commands: Mapping[str, Said]) -> tuple[Domain, ...] | None:
    """Return the guests, with their disks; None where libvirt did not report all of it."""
    listed, facts = commands.get("guests"), commands.get("guest facts")
    if listed is None or facts is None or listed["code"] != 0 or facts["code"] != 0:
        return None
    try:
        with understood("`virsh list` or `virsh domstats`", facts["out"]):
            return domains_of(listed["out"], facts["out"])
    except NotUnderstood:
        return None
