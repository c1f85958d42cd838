"""Look at 50 nodes side by side: at most three times as long as one takes.

    python bench/check.py [NODES] [MOST]

Every node is a real sshd on this machine, reached by the real ssh client through the product's own
fan-out. What a node would do with its own processors is not done here, where all share two: each
sshd answers with what a real controller once told, after the second that such a one takes for it.
What is measured is thus what grows with the nodes: connecting, sending, reading, judging.
Needs root and the package openssh-server.
"""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fakes.apis import FakeApis, no_answer
from stackward.adapters.clock import SystemClock
from stackward.adapters.ssh import Ssh
from stackward.adapters.together import Threads
from stackward.facts.cloud_state import CheckRequest
from stackward.health.looking import check_cloud
from stackward.model.inventory import Inventory, Node, SshAccess
from stackward.model.survey import Survey
from stackward.ports.probes import Probes

NODES, MOST = 50, 3.0
PACE_S = 1.0  # what a look takes on a node: python3, systemctl, ss, rabbitmqctl
# OpenSSH 9.2's default exchange costs 75 ms of CPU on each side, which would all be ours here; that
# of 9.9 and later is as quick as this one.
KEX = "curve25519-sha256"
TOLD = Path(__file__).parents[1] / "tests/facts/samples/node-c01.json"
SSHD = """\
ListenAddress 127.0.0.1
KexAlgorithms {kex}
HostKey {key}
AuthorizedKeysFile {authorized}
StrictModes no
UsePAM no
PidFile none
SetEnv HOME={folder}
ForceCommand cat > /dev/null; sleep {pace}; cat {told}
"""


@contextmanager
def sshds(count: int, folder: Path) -> Iterator[Inventory]:
    """Start so many sshds, and end them again."""
    sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if sshd is None:
        sys.exit("error: there is no `sshd` here\n\nhint: apt-get install openssh-server")
    for name in ("host", "login"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True)
    authorized = folder / "authorized"
    authorized.write_text((folder / "login.pub").read_text())
    config = folder / "sshd_config"
    config.write_text(
        SSHD.format(
            key=folder / "host",
            authorized=authorized,
            folder=folder,  # as a home: whoever runs this may have a slow `.bashrc`
            kex=KEX,
            pace=PACE_S,
            told=TOLD,
        )
    )
    ports = free_ports(count)
    host_key = " ".join((folder / "host.pub").read_text().split()[:2])
    known = folder / "known_hosts"
    known.write_text("".join(f"[127.0.0.1]:{port} {host_key}\n" for port in ports))
    running = [subprocess.Popen([sshd, "-D", "-f", str(config), "-p", str(port)]) for port in ports]
    access = {
        "user": getpass.getuser(),
        "key_file": str(folder / "login"),
        "options": ("-F", "none", "-o", f"UserKnownHostsFile={known}"),
    }
    try:
        for port, process in zip(ports, running, strict=True):
            wait_for(port, process)
        nodes = tuple(
            Node(name=f"n{n:02}", address="127.0.0.1", ssh=SshAccess(port=port, **access))  # type: ignore[arg-type]
            for n, port in enumerate(ports)
        )
        yield Inventory(source="bench", nodes=nodes)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return once it listens."""
    while True:
        if process.poll() is not None:
            sys.exit(f"error: an sshd ended at its start, with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            sleep(0.05)
        else:
            return


def time_of(known: Inventory) -> float:
    """Look once at all nodes of an inventory, over new connections; return the seconds."""
    shell = Ssh(known)
    probes = Probes(
        clock=SystemClock(),
        shell=shell,
        apis=FakeApis(login=no_answer()),
        together=Threads(),
        nodes=tuple(node.name for node in known.nodes),
    )
    began = perf_counter()
    _, state = check_cloud(probes, CheckRequest(within_s=60))
    taken = perf_counter() - began
    seen = [one for one in state.surveys.values() if isinstance(one, Survey)]
    if len(seen) != len(known.nodes):
        sys.exit(f"only {len(seen)} of {len(known.nodes)} nodes answered: {state.surveys}")
    shell.close()
    return taken


def main() -> int:
    """Measure and compare."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else NODES
    most = float(sys.argv[2]) if len(sys.argv) > 2 else MOST  # noqa: PLR2004  # the second word
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own, gone at each boot
    with tempfile.TemporaryDirectory() as folder, sshds(count, Path(folder)) as known:
        one = Inventory(source="bench", nodes=known.nodes[:1])
        alone = min(time_of(one) for _ in range(3))
        together = min(time_of(known) for _ in range(3))
    print(f"one node: {alone:.2f} s; {count} nodes side by side: {together:.2f} s")
    print(f"ratio: {together / alone:.2f} (at most {most})")
    return int(together / alone > most)


if __name__ == "__main__":
    sys.exit(main())
