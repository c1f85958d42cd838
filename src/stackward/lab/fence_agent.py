"""A fence agent for the nodes of a lab: a power strip that has an outlet for each node.

`python -m stackward.lab.fence_agent FOLDER` works as all fence agents do. It reads `key=value`
lines, and ends with 0. For a status it ends with 2 if the outlet is off. It switches the machine
itself; the node's BMC takes no part in it.
"""

import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol
from xml.etree.ElementTree import Element, SubElement, tostring

from stackward.errors import StackwardError
from stackward.lab.command import python_module
from stackward.lab.machine import Machine
from stackward.lab.spec import Lab, from_json

NAME = "fence_lab"
# How a fence agent ends: FenceAgentAPI.md of ClusterLabs/fence-agents.
DONE, FAILED, OFF = 0, 1, 2
_ACTIONS = ("on", "off", "reboot", "status", "monitor", "list", "metadata")


class Outlet(Protocol):
    """A machine that an outlet feeds."""

    def is_on(self) -> bool:
        """Say whether it has power."""

    def power_on(self) -> None:
        """Give it power."""

    def cut_power(self) -> None:
        """Take its power away."""


def program_of(lab: Lab) -> Path:
    """Return where the program of a lab is, as an inventory names it."""
    return lab.folder / NAME


def write_program(lab: Lab) -> None:
    """Write the program of a lab, for the interpreter of this process."""
    words = shlex.join(python_module("stackward.lab.fence_agent", lab.folder))
    unfinished = lab.folder / f"{NAME}.new"
    unfinished.write_text(f"#!/bin/sh\nexec {words}\n")
    unfinished.chmod(0o755)
    unfinished.rename(program_of(lab))


def answer(
    given: Iterable[str],
    plugs: Iterable[str],
    outlet_of: Callable[[str], Outlet],
    tell: Callable[[str], object],
) -> int:
    """Do what the lines ask for; return how the program ends. `tell` writes to its stdout.

    Raises ValueError where they ask for what there is not, StackwardError where it is not done.
    """
    options = dict(line.strip().split("=", 1) for line in given if "=" in line)
    action, plug, known = options.get("action", "reboot"), options.get("plug"), [*plugs]
    if action not in _ACTIONS:
        msg = f"there is no action `{action}`"
        raise ValueError(msg)
    if action == "metadata":
        tell(_metadata())
        return DONE
    if action == "list":
        tell("".join(f"{each},\n" for each in known))
        return DONE
    if action == "monitor":
        return DONE
    if plug not in known:
        msg = f"there is no outlet `{plug}`: there are {', '.join(known)}"
        raise ValueError(msg)
    outlet = outlet_of(plug)
    if action == "status":
        is_on = outlet.is_on()
        tell(f"Status: {'ON' if is_on else 'OFF'}\n")
        return DONE if is_on else OFF
    _switch(outlet, action)
    return DONE


def _switch(outlet: Outlet, action: str) -> None:
    if action in {"off", "reboot"} and outlet.is_on():
        outlet.cut_power()
    if action in {"on", "reboot"} and not outlet.is_on():
        outlet.power_on()


def _metadata() -> str:
    agent = Element("resource-agent", name=NAME, shortdesc="The power strip of a lab")
    plug = SubElement(SubElement(agent, "parameters"), "parameter", name="plug", required="1")
    SubElement(plug, "shortdesc", lang="en").text = "The name of a node."
    actions = SubElement(agent, "actions")
    for each in _ACTIONS:
        SubElement(actions, "action", name=each)
    return tostring(agent, encoding="unicode", xml_declaration=True) + "\n"


def main() -> int:
    """Answer the standard input, for the lab whose folder is named."""
    try:
        lab = from_json(Path(sys.argv[1], "lab.json").read_text())
        plugs = [node.name for node in lab.nodes]
        return answer(sys.stdin, plugs, lambda name: Machine(lab, lab.node(name)), sys.stdout.write)
    except (OSError, ValueError, StackwardError) as error:
        sys.stderr.write(f"{NAME}: {error}\n")
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
