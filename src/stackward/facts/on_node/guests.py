"""Run on a compute node: report which guests libvirt has there, with their disks. Changes nothing.

All is read with `virsh --readonly`: it needs no rights beyond a login. Standard library only.
"""

import json
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree as ET

VIRSH = ("virsh", "--readonly", "--connect", "qemu:///system")
WITHIN_S = 20
NOVA = "{http://openstack.org/xmlns/libvirt/nova/"  # of each version: 1.0, 1.1


def main() -> None:
    """Print what was read, as one document."""
    told: dict[str, Any] = {"version": 1, "guests": [], "unread": None}
    try:
        states = states_in(asked("domstats", "--state", "--raw"))
        for line in asked("list", "--all", "--uuid", "--name").splitlines():
            if line.strip():
                uuid, _, name = line.strip().partition(" ")
                told["guests"].append(guest(uuid, name.strip(), states))
    except FileNotFoundError:
        told["unread"] = "lacking"
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        told["unread"] = str(getattr(error, "stderr", None) or error).strip()
    sys.stdout.write(json.dumps(told) + "\n")


def asked(*words: str) -> str:
    """Return what virsh answers."""
    done = subprocess.run(
        [*VIRSH, *words], capture_output=True, check=True, timeout=WITHIN_S, text=True
    )
    return done.stdout


def states_in(out: str) -> "dict[str, str]":
    """Return the number of the state of each guest, by its name."""
    states, name = {}, ""
    for line in map(str.strip, out.splitlines()):
        if line.startswith("Domain: '"):
            name = line[9:-1]
        elif line.startswith("state.state="):
            states[name] = line.partition("=")[2]
    return states


def guest(uuid: str, name: str, states: "dict[str, str]") -> "dict[str, Any]":
    """Return a guest; of one that goes away during that, no disks are known."""
    told: dict[str, Any] = {"uuid": uuid, "name": name, "state": states.get(name), "disks": None}
    try:
        root = ET.fromstring(asked("dumpxml", uuid))  # noqa: S314  # libvirt wrote it
    except (ET.ParseError, subprocess.SubprocessError):
        return {**told, "novas": None}
    told["novas"] = any(one.tag.startswith(NOVA) for one in root.iter())
    told["disks"] = [disk for one in root.iter("disk") for disk in disks_of(one)]
    return told


def disks_of(one: ET.Element) -> "list[dict[str, Any]]":
    """Return a disk of a guest, by its device."""
    target, source, serial = one.find("target"), one.find("source"), one.find("serial")
    if target is None:
        return []
    paths = [] if source is None else [source.get(each) for each in ("file", "dev", "name")]
    return [
        {
            "device": target.get("dev"),
            "path": next((each for each in paths if each), None),
            "serial": None if serial is None else serial.text,
        }
    ]


main()
