"""Remedies carried out on a real lab: their commands are run as they are printed.

Each goes where its words send it: `openstack` and `stackward` run here, all else runs as root on
a node.
"""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.drains import Drains
from real_lab import STACKWARD, RealLab, until
from stackward.lab.client import environment

# python-openstackclient, which remedies name; `make .venv-bench/.ready` installs it.
OPENSTACK = Path(__file__).parents[2] / ".venv-bench" / "bin" / "openstack"
HERE = {"openstack": str(OPENSTACK), "stackward": STACKWARD}
COMMAND_S = 180
_QUOTED = re.compile(r"`([^`]+)`")


def printed(remedy: str, begins: str) -> str:
    """Return the one command of a remedy that begins so; it must have it."""
    [found] = {each for each in _QUOTED.findall(remedy) if each.startswith(begins)}
    return str(found)


def carry_out(
    lab: RealLab, remedy: str, begins: str, *, on: str = "ctl", also: Sequence[str] = ()
) -> str:
    """Run the command of a remedy that begins so, and return what it said.

    `also` follows its words: what the remedy leaves to the operator to name.
    """
    return run(lab, [*shlex.split(printed(remedy, begins)), *also], on=on)


def run(lab: RealLab, words: Sequence[str], *, on: str = "ctl") -> str:
    """Run one command where its first word sends it; it must end well."""
    if words[0] not in HERE:
        return lab.on(on, shlex.join(words))
    ended = subprocess.run(
        [HERE[words[0]], *words[1:]],
        env={**os.environ, **environment(lab.spec)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert ended.returncode == 0, f"{shlex.join(words)}: {ended.stderr}"
    return ended.stdout


def blockers(drains: Drains, node: str, *flags: str) -> list[dict[str, Any]]:
    """Return what stands against a drain of a node, as a look shows it."""
    asked = ["node", "drain", node, "--reason", "tested", "--dry-run", "-f", "json", *flags]
    ended = drains.call(*asked)
    assert ended.stdout, ended.stderr
    found: list[dict[str, Any]] = json.loads(ended.stdout)["blockers"]
    return found


def advice(drains: Drains, node: str, rule: str, *, within_s: float = 120) -> str:
    """Return what to do about the one thing that stands against a drain of the node."""
    [found] = until(lambda: blockers(drains, node), within_s=within_s)
    assert found["worry"] == rule, found
    return str(found["remedy"])


def is_free(drains: Drains, node: str) -> bool:
    """Say whether nothing stands against a drain of the node."""
    return blockers(drains, node) == []


def return_advice(drains: Drains, node: str, rule: str) -> str:
    """Return what to do about the one thing that stands against a return of the node."""
    ended = drains.call("node", "return", node, "--dry-run", "-f", "json")
    assert ended.stdout, ended.stderr
    [found] = json.loads(ended.stdout)["blockers"]
    assert found["worry"] == rule, found
    return str(found["remedy"])
