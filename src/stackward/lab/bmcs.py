"""The BMCs of one lab: which there are, their password, and the process that serves them.

Run as `python -m stackward.lab.bmcs FOLDER` it is that process.
"""

import contextlib
import secrets
import sys
from functools import partial
from pathlib import Path

from stackward.errors import StepFailed
from stackward.lab.bmc import Bmc, write_auth_file
from stackward.lab.cgroups import Cgroup
from stackward.lab.command import python_module, tail_of, write_private
from stackward.lab.machine import Machine, port_open
from stackward.lab.spec import BMC_PORT, BMC_USER, Lab, Node, from_json
from stackward.lab.waiting import wait_until

START_S = 30


def folder_of(lab: Lab) -> Path:
    """Return where the BMCs' files lie."""
    return lab.folder / "bmc"


def bmc_of(lab: Lab, node: Node) -> Bmc:
    """Return the BMC of a node."""
    return Bmc(
        node=node.name,
        address=node.bmc_address,
        port=BMC_PORT,
        system_uuid=node.system_uuid,
        user=BMC_USER,
        auth_file=folder_of(lab) / "htpasswd",
        fault_file=folder_of(lab) / f"{node.name}.fault",
        macs=node.macs,
    )


def password_of(lab: Lab) -> str:
    """Return the password of the lab's BMCs, made when there is none."""
    file = folder_of(lab) / "password"
    if not file.exists():
        file.parent.mkdir(mode=0o700, exist_ok=True)
        write_private(file, secrets.token_urlsafe(12))
    return file.read_text()


def write_logins(lab: Lab) -> None:
    """Write the file by which Stackward logs in to the BMCs, if there is none."""
    if not lab.bmc_logins.exists():
        line = f"default login {BMC_USER} password {password_of(lab)}\n"
        write_private(lab.bmc_logins, line)


def cgroup_of(lab: Lab) -> Cgroup:
    """Return the cgroup of the serving process: all of it, and nothing else, is in there."""
    return Cgroup(lab.folder, "bmcs")


def start(lab: Lab) -> None:
    """Start serving, unless it is served already; returns at once."""
    cgroup = cgroup_of(lab)
    if cgroup.is_populated():
        return
    write_auth_file(folder_of(lab) / "htpasswd", BMC_USER, password_of(lab))
    cgroup.start(python_module("stackward.lab.bmcs", lab.folder), log=folder_of(lab) / "log")


def wait_for(lab: Lab) -> None:
    """Wait until every BMC takes connections.

    Raises StepFailed when one does not.
    """
    for node in lab.nodes:
        if not wait_until(partial(port_open, node.bmc_address, BMC_PORT), within_s=START_S):
            raise StepFailed(
                f"the BMC of `{node.name}` does not answer at {node.bmc_address}:{BMC_PORT}",
                says=tail_of(folder_of(lab) / "log", 800).strip() or None,
            )


def stop(lab: Lab) -> None:
    """Stop serving; returns once the process is gone."""
    cgroup_of(lab).kill()
    for node in lab.nodes:
        with contextlib.suppress(FileNotFoundError):
            (folder_of(lab) / f"{node.name}.fault").unlink()


def main() -> None:
    """Serve the BMCs of the lab whose folder is named on the command line."""
    from stackward.lab.bmc_server import serve  # noqa: PLC0415  # a web framework: only this process needs it

    lab = from_json(Path(sys.argv[1], "lab.json").read_text())
    serve(
        [bmc_of(lab, node) for node in lab.nodes],
        lambda name: Machine(lab, lab.node(name)),
    )


if __name__ == "__main__":
    main()
