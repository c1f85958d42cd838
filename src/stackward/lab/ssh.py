"""The lab's SSH: a key for root, a host key for each node, and a configuration that knows them."""

import os
import subprocess
from collections.abc import Mapping, Sequence

from stackward.errors import StepFailed, Unreachable
from stackward.lab.command import last_lines, run
from stackward.lab.spec import Lab

TRANSPORT_FAILED = 255


def make_keys(lab: Lab) -> None:
    """Make the keys that are missing and write the configuration."""
    folder = lab.ssh_config.parent
    (folder / "hosts").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for key in (folder / "id_ed25519", *(folder / "hosts" / node.name for node in lab.nodes)):
        if not key.exists():
            comment = f"stackward-lab-{lab.name}"
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", key])
    known, hosts = [], []
    for node in lab.nodes:
        host_key = (folder / "hosts" / f"{node.name}.pub").read_text().split()[:2]
        known.append(f"{node.name},{node.address} {' '.join(host_key)}\n")
        hosts.append(
            f"Host {node.name} {node.address}\n"
            f"    HostName {node.address}\n"
            f"    HostKeyAlias {node.name}\n"
        )
    (folder / "known_hosts").write_text("".join(known))
    lab.ssh_config.write_text(
        "".join(hosts) + "Host *\n"
        "    User root\n"
        f"    IdentityFile {folder}/id_ed25519\n"
        "    IdentitiesOnly yes\n"
        f"    UserKnownHostsFile {folder}/known_hosts\n"
        "    StrictHostKeyChecking yes\n"
        "    BatchMode yes\n"
        "    ConnectTimeout 5\n"
        "    ServerAliveInterval 5\n"
        "    ServerAliveCountMax 3\n"
        "    LogLevel ERROR\n"
    )


def ssh_command(
    lab: Lab, node: str, command: Sequence[str] = (), *, terminal: bool = False
) -> list[str]:
    """Return the OpenSSH call for `command`, which the node's shell will read."""
    tty = ["-t"] if terminal else []
    return ["ssh", "-F", str(lab.ssh_config), *tty, node, *(["--", *command] if command else [])]


def on_node(
    lab: Lab, node: str, script: str, *, ok: Sequence[int] = (0,), timeout_s: float = 120
) -> str:
    """Run a shell script on a node as root and return what it wrote to stdout.

    Raises Unreachable when the node cannot be reached, StepFailed when the script ends with an
    exit code that is not in `ok` or takes longer than `timeout_s` seconds.
    """
    try:
        ended = subprocess.run(
            ssh_command(lab, node, ["sh", "-s"]),
            input=script,
            text=True,
            errors="replace",
            capture_output=True,
            check=False,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        raise StepFailed(f"a command on `{node}` did not end within {timeout_s:g} s") from None
    if ended.returncode == TRANSPORT_FAILED:
        raise Unreachable(
            f"`{node}` cannot be reached by SSH", says=last_lines(ended.stderr) or None
        )
    if ended.returncode not in ok:
        raise StepFailed(
            f"a command on `{node}` failed (exit code {ended.returncode})",
            says=last_lines(ended.stderr or ended.stdout) or None,
        )
    return ended.stdout


def hand_over(command: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Become `command`, found on the PATH of `environment`: what the operator works in by hand."""
    os.execvpe(command[0], list(command), environment)  # noqa: S606  # a list, no shell in between
