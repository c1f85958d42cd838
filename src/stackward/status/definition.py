"""How libvirt defines a guest, and what a start that made it again has changed in it.

Nova makes the definition again at each start and at each hard reboot (nova 31.0
virt/libvirt/driver.py, `_hard_reboot`): from its records, by its version, with the settings of the
node. So it may differ from the one that ran: another machine type, another model of a card, a
device in another slot. The definition of before is kept in the journal, as the mark of the step.
"""

import re
from collections.abc import Mapping
from difflib import unified_diff

from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.masking import masked
from stackward.model.unread import Unread
from stackward.model.values import Json
from stackward.plan.step import REDEFINED
from stackward.ports.libvirt import read_definition, refused
from stackward.ports.shell import VIRSH
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of
from stackward.status.proof import Row, on_its_node
from stackward.status.stalled import NO_DOMAIN
from stackward.wording import count_of

# As it is started next: without numbers of this boot. What is secret libvirt leaves out.
DUMP = (*VIRSH, "dumpxml", "--inactive")

_DEFINITION, _UNREAD = "definition", "definition unread"  # in the mark
_IS_NEW_EACH_TIME = re.compile(r"<nova:creationTime>|<!--|^\s*-->")
_UEFI = re.compile(r"<nvram|<os firmware=.efi|type=.pflash")
_SHOWN = 40


def definition_of(world: World, server: str, host: str) -> str | Unread | None:
    """Return how libvirt on the host defines a guest; None where it has none, or no libvirt."""
    name = "definition"
    asked = on_its_node(world, hypervisor_of(world.nova, host), [*DUMP, server], name)
    if isinstance(asked, Row):
        return Unread(asked.unread) if asked.unread else None
    if asked.code != 0:
        return None if NO_DOMAIN in asked.err else refused(asked, "dumpxml")
    try:
        return masked(read_definition(asked.out))
    except (NotUnderstood, Unreachable, Uncertain) as error:
        return Unread.of(error)


def marked(world: World, server: str, host: str) -> dict[str, Json]:
    """Return the definition for the mark of a step, or why it cannot be read."""
    found = definition_of(world, server, host)
    if isinstance(found, Unread):
        return {_UNREAD: found.why}
    return {_DEFINITION: found}


def compared(world: World, server: str, host: str, mark: Mapping[str, Json]) -> dict[str, Json]:
    """Return what has changed since the mark, line by line, as evidence of the step."""
    if _DEFINITION not in mark:
        return {_DEFINITION: f"not compared: {why}"} if (why := mark.get(_UNREAD)) else {}
    before, now = mark[_DEFINITION], definition_of(world, server, host)
    if isinstance(now, Unread):
        return {_DEFINITION: f"not compared: {now.why}"}
    if not isinstance(before, str) or now is None:
        return {}
    if not (changed := changes(before, now)):
        return {_DEFINITION: "as before"}
    return {
        _DEFINITION: count_of(len(changed), "line differs", "lines differ"),
        REDEFINED: changed,
    }


def changes(before: str, now: str) -> tuple[str, ...]:
    """Return the lines that went and that came, in their order; none where nothing has changed."""
    old, new = (
        [line.strip() for line in one.splitlines() if not _IS_NEW_EACH_TIME.search(line)]
        for one in (before, now)
    )
    found = [line for line in unified_diff(old, new, n=0, lineterm="") if _is_change(line)]
    if len(found) <= _SHOWN:
        return tuple(found)
    return (*found[:_SHOWN], f"and {len(found) - _SHOWN} more")


def _is_change(line: str) -> bool:
    return line[:1] in {"+", "-"} and not line.startswith(("+++", "---"))


def is_uefi(definition: str | Unread | None) -> bool:
    """Say whether a guest boots by UEFI, which keeps its boot entries next to its disks."""
    return isinstance(definition, str) and bool(_UEFI.search(definition))
