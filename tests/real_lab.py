"""A real lab for tests: ordered through the product's own command, seen from the world."""

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from stackward.errors import StackwardError
from stackward.health.presence import STARTING_S
from stackward.lab import ssh
from stackward.lab.claims import Claims
from stackward.lab.client import connect
from stackward.lab.guest import Console, Tick, read_console
from stackward.lab.spec import Lab
from stackward.lab.waiting import wait_until
from stackward.settings import read_settings

SHARED = "test"
OF_ITS_OWN = "test-end"
WITH_ONE_PATH = "test-shared"
OF_TESTS = (SHARED, OF_ITS_OWN, WITH_ONE_PATH)
STACKWARD = str(Path(sys.executable).with_name("stackward"))
LAST_TO_START = "neutron-ovn-maintenance-worker.service"  # by the lab's neutron-late.timer
# The longest: a cold build of everything.
COMMAND_S = 1200
MOST_BUSY = 4.0  # times: what takes longer than that does not come
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class RealLab:
    """One lab of this machine, by its name."""

    name: str

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `stackward lab ...` on this lab, whatever comes of it."""
        environment = {**os.environ, "STACKWARD_LAB": self.name, "COLUMNS": "200"}
        return subprocess.run(
            [STACKWARD, "lab", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )

    def run(self, *words: str) -> str:
        """Run `stackward lab ...` on this lab, which must do it, and return its stdout."""
        ended = self.call(*words)
        wrong = ended.stderr[
            max(ended.stderr.rfind("error: "), 0) :
        ]  # what it told before is progress
        assert ended.returncode == 0, f"lab {' '.join(words)}: {wrong}"
        return ended.stdout

    def timed(self, *words: str) -> float:
        """Run it and return the seconds that it took."""
        began = time.monotonic()
        self.run(*words)
        return time.monotonic() - began

    def read(self, *words: str) -> Any:  # noqa: ANN401  # JSON
        """Run it and return the JSON that it prints."""
        return json.loads(self.run(*words, "-f", "json"))

    def read_whatever(self, *words: str) -> Any:  # noqa: ANN401  # JSON
        """Return the JSON that it prints, whatever it thinks of the lab's health."""
        return json.loads(self.call(*words, "-f", "json").stdout)

    @property
    def folder(self) -> Path:
        """Where the lab is stored, if it is there."""
        return read_settings(os.environ, is_root=True).state_dir / "labs" / self.name

    @property
    def spec(self) -> Lab:
        """What the lab is, as it is stored."""
        settings = read_settings(os.environ, is_root=True)
        return Claims(self.folder.parent, settings.cache_dir / "lab").get(self.name)

    @cached_property
    def cloud(self) -> Any:  # noqa: ANN401  # the SDK's own
        """The lab's cloud, for its administrator."""
        return connect(self.spec)

    def on(self, node: str, script: str) -> str:
        """Run a shell script on a node and return its stdout."""
        return ssh.on_node(self.spec, node, script)

    def active_for(self, node: str, unit: str) -> float:
        """Return for how many seconds a unit has been active; 0 where it is not."""
        script = (
            f"systemctl is-active --quiet {unit} || {{ echo 0; exit 0; }}\n"
            f"echo $(( $(cut -d. -f1 /proc/uptime) - "
            f"$(systemctl show -P ActiveEnterTimestampMonotonic {unit}) / 1000000 ))"
        )
        return float(self.on(node, script))

    def wait_until_all_is_old_enough(self) -> None:
        """Wait until what a lab starts last, two minutes after its boot, is old enough to judge."""
        until(lambda: self.active_for("ctl", LAST_TO_START) > STARTING_S, within_s=240)

    def births(self) -> dict[str, str]:
        """Return when PID 1 of each node was started: another number is another boot."""
        return {
            node.name: self.on(node.name, "cut -d' ' -f22 /proc/1/stat").strip()
            for node in self.spec.nodes
        }

    def births_of_living(self) -> dict[str, str]:
        """Return the same of the nodes that answer."""
        found = {}
        for node in self.spec.nodes:
            with suppress(StackwardError):
                found[node.name] = self.on(node.name, "cut -d' ' -f22 /proc/1/stat").strip()
        return found

    def server(self, server_id: str) -> Any:  # noqa: ANN401  # as above
        """Return a server as Nova sees it."""
        return self.cloud.compute.get_server(server_id)

    def console(self, server_id: str) -> Console:
        """Return what a server's guest has told.

        Asked in this process: a command for each look would take the guests' time from them.
        """
        return read_console(self.cloud.compute.get_server_console_output(server_id)["output"] or "")

    def tick(self, server_id: str, so: Callable[[Tick], bool] = lambda _: True) -> Tick:
        """Wait until the last tick of a server's guest is `so`, and return it."""

        def last() -> Tick | None:
            tick = self.console(server_id).last_tick
            return tick if tick and so(tick) else None

        return until(last)

    def domains(self, node: str) -> dict[str, str]:
        """Return the state of each domain that libvirt has on a node, by its name."""
        listing = self.on(node, "virsh list --all").splitlines()[2:]
        lines = [line.split(maxsplit=2) for line in listing if line.strip()]
        return {name: state for _, name, state in lines}

    def compute_state(self, node: str) -> str:
        """Return what Nova says of a node's nova-compute: up or down."""
        [service] = self.cloud.compute.services(binary="nova-compute", host=node)
        return str(service.state)


def widened(limit_s: float) -> float:
    """Return a limit that was measured on an idle machine, as it is on one as busy as this."""
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return limit_s * min(max(1.0, busy), MOST_BUSY)


def until(ask: Callable[[], Seen | None], *, within_s: float = 120) -> Seen:
    """Ask until there is an answer that counts, and return it.

    `within_s` is for an idle machine; a busy one is given longer.
    """
    seen: list[Seen] = []
    within_s = widened(within_s)

    def has_answer() -> bool:
        answer = ask()
        if answer:
            seen.append(answer)
        return bool(answer)

    if not wait_until(has_answer, within_s=within_s, every_s=0.5):
        asked = traceback.extract_stack(limit=2)[0]
        msg = f"not within {within_s:.0f} s: {Path(asked.filename).name}:{asked.lineno}"
        raise AssertionError(msg)
    return seen[0]


def allow_bindings(lab: RealLab) -> None:
    """Give the lab's administrator the role by which Neutron lets bindings be made and removed."""
    lab.cloud.grant_role("service", user="admin", project="admin")
