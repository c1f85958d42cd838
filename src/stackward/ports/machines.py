"""Which node of the inventory a machine of the cloud is: the rule of `model/identity`, asked for.

Only candidates are asked, and only where the names leave a doubt.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from stackward.errors import Uncertain, Unreachable
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import Itself, Machine, Match, decide, has_its_name
from stackward.ports.deadline import Deadline
from stackward.ports.shell import Shell
from stackward.ports.together import Together
from stackward.ports.world import World

Ask: TypeAlias = Callable[[Sequence[str]], Mapping[str, Itself | None]]

# Of nova-compute; the later one prevails.
NOVA_SETTINGS = (
    "/etc/nova/nova.conf",
    "/etc/nova/nova-compute.conf",
    "/etc/kolla/nova-compute/nova.conf",
)
_SETTINGS = " ".join(NOVA_SETTINGS)

_NAMES = "=names="  # a separate line: what a login prints by itself comes before it

# Needs no rights beyond a login, and prints no other setting than the one that is asked for.
ASK_NAMES = (
    "sh",
    "-c",
    f"echo; echo {_NAMES}; uname -n; timeout 3 hostname -f 2>/dev/null; echo; "  # noqa: ISC003  # one script
    + rf"grep -hs -E '^[[:space:]]*(\[|host[[:space:]]*=)' {_SETTINGS}; true",
)
_WITHIN_S = 12.0
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.:-]{0,252})")
_SETTING = re.compile(r"host\s*=\s*(?P<host>\S+)")


def machine_of(hypervisor: Hypervisor) -> Machine:
    """Return a compute node as Nova knows it."""
    return Machine(
        host=hypervisor.host,
        also=(hypervisor.name,),
        addresses=(hypervisor.address,) if hypervisor.address else (),
    )


def find_machine(
    shell: Shell,
    machine: Machine,
    remembered: Mapping[str, Itself] | None = None,
    *,
    ask: Ask,
) -> Match:
    """Return which node a machine is; `remembered` is what nodes once said of themselves.

    `ask` asks the candidates what they call themselves, all at the same time.
    """
    once = remembered or {}
    directory = shell.directory().with_said(once) if once else shell.directory()
    candidates = directory.candidates(machine)
    if not candidates or has_its_name(candidates):
        return decide(machine, candidates, {})
    names = [each.node for each in candidates]
    told = ask(names)
    return decide(machine, candidates, {name: told.get(name) or once.get(name) for name in names})


def machine_in(
    world: World, machine: Machine, remembered: Mapping[str, Itself] | None = None
) -> Match:
    """Return which node a machine is, in the time of one question, however many do not answer."""
    by = Deadline.after(world.clock, _WITHIN_S)
    return find_machine(
        world.shell, machine, remembered, ask=ask_together(world.shell, world.together, by)
    )


def ask_together(shell: Shell, together: Together, by: Deadline) -> Ask:
    """Return a way to ask nodes side by side; a node that is late has said nothing."""

    def ask(nodes: Sequence[str]) -> Mapping[str, Itself | None]:
        left_s = by.left_s()
        if not left_s:
            return dict.fromkeys(nodes)
        told = together.ask(
            {("itself", each): partial(shell.itself, each, within_s=left_s) for each in nodes},
            within_s=left_s,
        )
        return {each: told[("itself", each)] for each in nodes}

    return ask


def read_itself(shell: Shell, node: str, within_s: float | None = None) -> Itself | None:
    """Ask a node what it calls itself; None where it cannot be asked."""
    try:
        answer = shell.run(node, ASK_NAMES, within_s=within_s or _WITHIN_S)
    except (Unreachable, Uncertain):
        return None
    return parse_itself(answer.out)


def is_name(word: object) -> bool:
    """Say whether it can be the name of a host: any other word there says nothing."""
    return isinstance(word, str) and _NAME.fullmatch(word) is not None


def parse_itself(out: str) -> Itself | None:
    """Read the answer: its names, an empty line, then sections and `host` of its settings.

    What comes before the mark is not the answer: a login may greet with the name of any host.
    """
    _, mark, answer = out.rpartition(f"\n{_NAMES}\n")
    if not mark:
        return None
    named, _, settings = answer.partition("\n\n")
    names = tuple(dict.fromkeys(word for word in named.split() if is_name(word)))
    configured = _configured(settings)
    return Itself(names=names, configured=configured) if names or configured else None


def _configured(settings: str) -> str | None:
    """Return `[DEFAULT] host`, the last one given; None where it is filled in elsewhere."""
    section, found = "", None
    for line in map(str.strip, settings.splitlines()):
        if line.startswith("["):
            section = line
        elif section == "[DEFAULT]" and (given := _SETTING.fullmatch(line)):
            found = given["host"].strip("'\"")
    return found if is_name(found) else None
