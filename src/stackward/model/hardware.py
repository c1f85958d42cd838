"""What distinguishes a machine from all others, and whether two of them are the same."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from stackward.wording import count_of

_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What firmware has where nobody has filled it in: many machines have the same.
_NOBODYS_UUIDS = frozenset({"03000200-0400-0500-0006-000700080009"})
_NOBODYS_SERIALS = re.compile(
    r"|(to be filled.*|(system )?serial( number)?|default( string)?|not (specified|available|"
    r"applicable)|none|null|unknown|n/?a|empty|o\.?e\.?m\.?|chassis.*|0?123456789.*|"
    r"(?P<one>.)(?P=one)*)"
)
_EVERYBODYS_MACS = ("00:00:00:", "ff:ff:ff:", "00:00:5e:")  # none, all, and those of VRRP


class Alike(StrEnum):
    """Whether two descriptions are of the same machine."""

    SAME = "same"
    DIFFERENT = "different"
    UNTOLD = "untold"  # they have nothing in common that could be compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """A machine by what it was built with. What many machines have alike is left out by `of`."""

    uuid: str | None = None  # of its board, as SMBIOS has it; lower case
    serial: str | None = None
    macs: frozenset[str] = frozenset()  # lower case, with colons

    @classmethod
    def of(cls, *, uuid: str = "", serial: str = "", macs: Iterable[str] = ()) -> Self:
        """Return what identifies: spelled in one way, without what nobody has filled in."""
        spelled = {mac.strip().lower().replace("-", ":") for mac in macs}
        return cls(
            uuid=_own_uuid(uuid.strip().lower()),
            serial=None if _NOBODYS_SERIALS.fullmatch(serial.strip().lower()) else serial.strip(),
            macs=frozenset(
                mac for mac in spelled if _MAC.fullmatch(mac) and not _is_everybodys(mac)
            ),
        )

    def __bool__(self) -> bool:
        """Say whether it identifies anything at all."""
        return bool(self.uuid or self.serial or self.macs)

    def compare(self, other: "Hardware") -> Alike:
        """Say whether both are the same machine.

        One UUID, or one MAC in common is enough: a BMC knows only some of a machine's network
        cards, and some have a UUID of their own. A serial number is enough only where nothing
        else could be compared: the nodes of one chassis may share it.
        """
        if self.agreeing(other):
            return Alike.SAME
        may_be_compared = (
            (self.uuid and other.uuid) or (self.macs and other.macs)
            or (self.serial and other.serial)
        )  # fmt: skip
        return Alike.DIFFERENT if may_be_compared else Alike.UNTOLD

    def agreeing(self, other: "Hardware") -> tuple[str, ...]:
        """Return in words what proves that both are the same machine; empty: nothing proves it."""
        found = []
        if self.uuid and other.uuid and other.uuid in {self.uuid, _other_order(self.uuid)}:
            found.append("UUID")
        if common := self.macs & other.macs:
            found.append(count_of(len(common), "MAC address", "MAC addresses"))
        is_serial_alone = not (self.uuid and other.uuid) and not (self.macs and other.macs)
        if self.serial and self.serial == other.serial and (found or is_serial_alone):
            found.append("serial number")
        return tuple(found)


def _own_uuid(text: str) -> str | None:
    is_nobodys = text in _NOBODYS_UUIDS or len(set(text) - {"-"}) == 1
    return text if _UUID.fullmatch(text) and not is_nobodys else None


def _is_everybodys(mac: str) -> bool:
    return mac.startswith(_EVERYBODYS_MACS)


def _other_order(uuid: str) -> str:
    """Return it as firmware before SMBIOS 2.6 spells it: the first three fields' bytes reversed."""
    first, second, third, *rest = uuid.split("-")
    turned = (bytes.fromhex(part)[::-1].hex() for part in (first, second, third))
    return "-".join((*turned, *rest))
