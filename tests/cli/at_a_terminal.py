"""Drain a node of a cloud of fakes by the command line, at the terminal that is its stdin.

A process of its own, because signals come to a whole process: python at_a_terminal.py DIRECTORY
The file `under-way` appears when a move is; it settles once there is a file `go-on`.
"""

import fcntl
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

from builders import a_server  # noqa: E402  # found by the line above
from fakes.cloud import FakeCloud  # noqa: E402
from fakes.shell import FakeShell  # noqa: E402
from fakes.world import a_world  # noqa: E402
from stackward.cli import main  # noqa: E402
from stackward.model.inventory import Inventory  # noqa: E402
from stackward.ports.world import World  # noqa: E402

WAITS = 20  # until a move settles that may go on: a signal has long arrived by then


@dataclass
class Watch:
    """The real time, in which the cloud goes on when it is told to."""

    cloud: FakeCloud
    place: Path
    waits: list[int] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.02))
        if self.cloud.nova.migrations:
            (self.place / "under-way").touch()
        if not self.cloud.nova.migrations or (self.place / "go-on").exists():
            self.waits.append(1)
        if len(self.waits) > WAITS:
            self.cloud.nova.pass_time()


def drain_at_this_terminal(place: Path) -> int:
    fcntl.ioctl(sys.stdin, termios.TIOCSCTTY, 0)
    cloud = FakeCloud()
    cloud.nova.add(a_server(name="db-01"), a_server(name="db-02"))

    @contextmanager
    def open_world(_known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        world = a_world(cloud, FakeShell(cloud))
        yield replace(world, clock=Watch(cloud, place), acting=None)

    arguments = ("node", "drain", "compute-07", "--reason", "bad DIMM", "--parallel", "1", "--yes")
    return main(arguments, open_world=open_world)


if __name__ == "__main__":
    sys.exit(drain_at_this_terminal(Path(sys.argv[1])))
