"""The command as a process: whatever hangs, it ends in time and leaves no process behind."""

import os
import subprocess  # noqa: TID251  # the command as a process
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import hanging
from processes import runs
from stackward.lab.waiting import wait_until

SSH = """\
#!/bin/sh
echo $$ >> {noted}
case "$*" in *" -O exit "*) exit 0;; esac
{does}
"""
DOES = {
    "ssh hangs": "sleep 300 & echo $! >> {noted}; trap '' TERM INT HUP; wait",
    "ssh writes without end": "exec cat /dev/zero",
    "ssh trickles": "while :; do printf x; sleep 0.1; done",
}
SERVES: dict[str, Callable[[], AbstractContextManager[int]]] = {
    "Keystone is not connected to": hanging.full,
    "Keystone never answers": lambda: hanging.server(hanging.never_answers),
    "Keystone trickles": lambda: hanging.server(hanging.body_by_bytes),
}
MAIN = "from stackward.cli import main; raise SystemExit(main())"
MOST_S = 30.0  # the look takes 3; starting Python on a busy machine takes long


@pytest.mark.parametrize(
    ("does", "serve"), list(zip(DOES.values(), SERVES.values(), strict=True)), ids=[*DOES]
)
def test_a_check_in_which_all_hangs_ends_and_leaves_nothing(
    tmp_path: Path, does: str, serve: Callable[[], AbstractContextManager[int]]
) -> None:
    noted, ssh, inventory = tmp_path / "noted", tmp_path / "ssh", tmp_path / "cloud.ini"
    ssh.write_text(SSH.format(noted=noted, does=does.replace("{noted}", str(noted))))
    ssh.chmod(0o755)
    inventory.write_text("[compute]\nc01\nc02\n")
    with serve() as port:
        began = time.monotonic()
        ended = subprocess.run(  # noqa: S603  # ours
            [sys.executable, "-c", MAIN, "cloud", "check", "--timeout", "1",
             "--inventory", str(inventory)],
            env=login_at(f"http://127.0.0.1:{port}/v3", tmp_path),
            capture_output=True,
            text=True,
            timeout=MOST_S * 4,
            check=False,
        )  # fmt: skip

    assert time.monotonic() - began < MOST_S
    assert ended.returncode == 8, ended.stdout + ended.stderr  # nothing was reached
    assert "keystone" in ended.stdout
    pids = [int(pid) for pid in noted.read_text().split()]
    assert len(pids) >= 2  # each node was asked
    assert wait_until(lambda: not any(map(runs, pids)), within_s=5, every_s=0.05)


def login_at(url: str, folder: Path) -> dict[str, str]:
    """Return an environment with a login, and the stand-in for `ssh`."""
    return {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "HOME": str(folder),
        "OS_AUTH_URL": url,
        "OS_USERNAME": "admin",
        "OS_PASSWORD": "hush-hush-1",
        "OS_PROJECT_NAME": "admin",
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_REGION_NAME": "RegionOne",
    }
