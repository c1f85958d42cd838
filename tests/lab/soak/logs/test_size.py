"""Ten million lines in one log of a node: what is asked of them is found, all of it, and no more.

They are a day of a service that logs much, rotated away. Of each 10,000 lines one is an error, and
one has the word for it in its body alone. To read all of them takes a node about 3 s of one
processor, at the lowest priority. Where others leave it too little of that for its 20 s, it must
say so, and is asked again.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from lab.drains import Drains
from lab.logs import LOG, Logged, Reader
from real_lab import STACKWARD, RealLab, until
from stackward.errors import ExitCode
from stackward.lab import ssh

ROTATED = f"{LOG}.9"
EACH_S, SECONDS = 125, 80_000
LINES = EACH_S * SECONDS
EVERY_S = 80  # an error, of 10,000 lines
REQUEST = "req-5ca1ab1e-0000-4000-8000-00000000f00d"
AT = (0, 39_999, 79_999)  # seconds at which there is a line of that request
WINDOW = (40_000, 40_600)  # seconds
MODULE = "stackward.soak.size"
MOST_KIB = 200 << 10
WRITE_S = 900
# What one second holds is written once; the lines of each have another time.
WRITE = f"""python3 - <<'PYTHON'
import datetime, os
begin = datetime.datetime.fromisoformat("%s")
head, none = "%%s.000 183 ", "[None req-11111111-2222-4333-8444-555555555555 - - - - -]"
usual = head + "DEBUG nova.compute.resource_tracker " + none + " Final resource view: " + "x" * 90
body = head + "DEBUG nova.compute.resource_tracker " + none + " the word ERROR is in this one"
wrong = head + "ERROR {MODULE} " + none + " it did not boot, try %%d"
asked = head + "INFO {MODULE} [None {REQUEST} - - - - -] it was asked for"
with open("{ROTATED}", "w") as file:
    for number in range({SECONDS}):
        lines = [usual] * {EACH_S}
        if number %% {EVERY_S} == 0:
            lines[7], lines[8] = wrong.replace("%%d", str(number)), body
        if number in {AT}:
            lines[9] = asked
        stamp = (begin + datetime.timedelta(seconds=number)).isoformat(sep=" ")
        file.write("\\n".join(lines).replace("%%s", stamp) + "\\n")
end = (begin + datetime.timedelta(seconds={SECONDS})).timestamp()
os.utime("{ROTATED}", (end, end))
PYTHON
chown nova: {ROTATED}
wc -l < {ROTATED}
"""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a command said of the large log, and how much memory it took here at most."""

    code: int
    said: str
    told: list[Logged]
    memory_kib: int

    @property
    def was_cut(self) -> bool:
        """Say whether it names the log as one for which there was no time."""
        return "the time was over before" in self.said and ROTATED in self.said


@dataclass(frozen=True, kw_only=True)
class Large:
    """A node with a log of ten million lines."""

    drains: Drains
    node: str
    begin: datetime

    def at(self, second: int) -> datetime:
        """Return the time of its lines of that second."""
        return self.begin + timedelta(seconds=second)

    def whole(self, command: str, *words: str) -> Asked:
        """Run a command on all lines, again until there was time for all; each time it says so."""

        def ended() -> Asked | None:
            asked = self.asked(command, *words)
            assert asked.code == (ExitCode.DEGRADED if asked.was_cut else 0), asked.said
            return None if asked.was_cut else asked

        return until(ended, within_s=WRITE_S)

    def asked(self, command: str, *words: str, between: tuple[int, int] = (0, SECONDS)) -> Asked:
        """Run a command on the lines between two seconds of that log."""
        since, until = (self.at(each).isoformat() for each in between)
        measured = [
            "/usr/bin/python3", "-c", MEASURED, STACKWARD, "log", command, *words,
            "--since", since, "--until", until, "--node", self.node, "-f", "json",
            *Reader(self.drains).flags,
        ]  # fmt: skip
        ended = subprocess.run(
            measured,
            env=self.drains.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WRITE_S,
            check=False,
        )
        *told, memory = ended.stdout.splitlines()
        return Asked(
            code=ended.returncode,
            said=ended.stderr,
            told=[json.loads(line) for line in told],
            memory_kib=int(memory),
        )


MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], check=False).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def large(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    """Given a node with a log of ten million lines, older than all that its service has logged."""
    node = lab.spec.compute_nodes[2].name
    first = lab.on(node, f"head -c 10 {LOG}")
    begin = datetime.fromisoformat(first).replace(tzinfo=UTC) - timedelta(days=1)
    try:
        written = ssh.on_node(
            lab.spec, node, WRITE % begin.replace(tzinfo=None).isoformat(), timeout_s=WRITE_S
        )
        assert int(written) == LINES
        yield Large(drains=Drains(lab, tmp_path_factory.mktemp("size")), node=node, begin=begin)
    finally:
        lab.on(node, f"rm -f {ROTATED}")


def test_all_errors_of_ten_million_lines_are_found_and_no_others(large: Large) -> None:
    asked = large.whole("errors", "--component", "nova-compute")
    [group] = asked.told

    assert (group["module"], group["count"]) == (MODULE, SECONDS // EVERY_S)
    assert [datetime.fromisoformat(group[each]) for each in ("first", "last")] == [
        pytest.approx(large.at(each), abs=timedelta(seconds=1)) for each in (0, SECONDS - EVERY_S)
    ]  # but for the offset of its clock
    assert asked.memory_kib < MOST_KIB


def test_a_window_of_ten_minutes_has_its_own_errors_alone(large: Large) -> None:
    asked = large.asked("errors", "--component", "nova-compute", between=WINDOW)
    [group] = asked.told

    assert asked.code == 0, asked.said
    assert group["count"] == len([each for each in range(*WINDOW) if each % EVERY_S == 0])


def test_a_request_is_followed_from_the_first_line_to_the_last(large: Large) -> None:
    asked = large.whole("follow", REQUEST)
    times = [datetime.fromisoformat(one["at"]) for one in asked.told]

    assert times == [pytest.approx(large.at(each), abs=timedelta(seconds=1)) for each in AT]
    assert {one["message"] for one in asked.told} == {"it was asked for"}
    assert asked.memory_kib < MOST_KIB
