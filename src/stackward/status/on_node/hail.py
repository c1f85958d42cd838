"""Call addresses of another machine, and report which answer; run on a node with its own python3.

It is sent over ssh as it is: standard library only, no later Python than 3.7 needed, nothing
written, nothing installed, no root. A port that refuses has answered too: the kernel there says so.
"""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
import threading

SSH = 22
NOT_HERE = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPERM, errno.EACCES)


def is_own(address: str) -> bool:
    """Say whether this node has the address itself: then no other machine has it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def knock(address: str, within_s: float) -> str:
    """Return what came of a connection to its ssh, or why none was tried."""
    try:
        with socket.create_connection((address, SSH), timeout=within_s):
            return "open"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno in NOT_HERE:
            return "not sent: " + str(error)
        return "silent"


def ping(address: str, within_s: float) -> bool | None:
    """Say whether it answers an echo request; None where that cannot be asked from here."""
    words = ["ping", "-n", "-c", "2", "-i", "0.5", "-W", str(int(within_s)), address]
    try:
        asked = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=2 * within_s + 2,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {0: True, 1: False}.get(asked.returncode)


def hail(address: str, within_s: float, told: dict[str, object]) -> None:
    """Note what came of both."""
    pinged = []  # type: list[bool | None]
    aside = threading.Thread(target=lambda: pinged.append(ping(address, within_s)), daemon=True)
    aside.start()
    knocked = knock(address, within_s)
    aside.join()
    told[address] = {"own": is_own(address), "ssh": knocked, "ping": pinged[0]}


def main(asked: dict[str, object]) -> None:
    """Call all of them side by side, and print what came of it."""
    told = {}  # type: dict[str, object]
    within_s = float(str(asked["within_s"]))
    calls = [
        threading.Thread(target=hail, args=(str(each), within_s, told), daemon=True)
        for each in list(asked["addresses"])  # type: ignore[call-overload]
    ]
    for each in calls:
        each.start()
    for each in calls:
        each.join()
    sys.stdout.write("\n" + json.dumps({"version": 1, "told": told}) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
