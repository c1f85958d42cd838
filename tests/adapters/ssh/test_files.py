"""However few files this machine lets us open, a look is not lost, and nobody is accused."""

import resource
import subprocess  # noqa: TID251  # a process with a limit of its own
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackward.adapters.clock import SystemClock
from stackward.adapters.ssh import Ssh
from stackward.adapters.ssh.processes import MOST_FILES
from stackward.anatomy import read_anatomy
from stackward.facts.survey import survey_node
from stackward.model.blind import Blind
from stackward.model.inventory import Inventory, Node
from stackward.model.survey import Unseen

NODES = Inventory(source="inventory", nodes=(Node(name="c01", address="192.0.2.11"),))
AT_ONCE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))
from stackward.adapters.ssh.processes import Processes
from stackward.adapters.together import Threads
run = Processes().run
told = Threads().ask(
    {{number: lambda: run(["sleep", "1"], "given", 50) for number in range({at_once})}},
    within_s=60, at_once={at_once},
)
sys.exit(sum(one is None or one.code != 0 for one in told.values()))
"""


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """Return how many files may be open; what a test changes is put back."""
    kept = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield kept
    resource.setrlimit(resource.RLIMIT_NOFILE, kept)


def test_as_many_files_as_may_be_are_open_at_once(limits: tuple[int, int]) -> None:
    _, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))

    Ssh(NODES).close()

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(hard, MOST_FILES), hard)


def test_processes_that_are_started_at_once_need_no_more_files_than_those_that_run() -> None:
    """200 nodes under a limit of 1024 are half of that here."""
    ended = subprocess.run(  # noqa: S603  # ours
        [sys.executable, "-c", AT_ONCE.format(files=320, at_once=100)], check=False, timeout=90
    )

    assert ended.returncode == 0


def test_a_node_that_this_machine_cannot_ask_is_not_asked(limits: tuple[int, int]) -> None:
    ssh = Ssh(NODES)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())), limits[1])
    )

    seen = survey_node(ssh, SystemClock(), read_anatomy(), "c01", within_s=5)

    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    ssh.close()
    why = "this machine cannot run `ssh`: Too many open files"
    assert seen == Unseen(why, Blind.NOT_ASKED)
