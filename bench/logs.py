"""The scanner of logs beside ripgrep, a window beside a file of its own, merging beside `sort -m`.

    python bench/logs.py [MEGABYTES]

The logs are those that tests/logs/samples has of a lab, repeated and shifted in time. The scanner
is asked as a node asks it: a process of its own. All figures are CPU time, as ratios of one run;
but of many nodes it is the time that passes, for they are read side by side. What is short is done
several times by turns, and the medians count.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import monotonic, process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from facts.test_scan import asked
from ssh_stand_in import put_ssh
from stackward.adapters.clock import SystemClock
from stackward.adapters.ssh import Ssh
from stackward.adapters.together import Threads
from stackward.anatomy import read_anatomy
from stackward.facts.logs import IN_ALL, read_logs, script
from stackward.facts.node_logs import NodeLogs
from stackward.facts.talks import script as talking
from stackward.logs.event import Event, Level
from stackward.logs.order import in_order
from stackward.logs.reading import Query
from stackward.model.inventory import Inventory, Node
from stackward.ports.log_source import as_given
from stackward.ports.root import BOOTSTRAP

SAMPLES = Path(__file__).parents[1] / "tests/logs/samples"
MEGABYTES = 1024
START = datetime(2026, 11, 20, tzinfo=UTC)
WINDOW = timedelta(minutes=10)
EVENTS = 1_000_000
STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}(?= \d+ [A-Z]+ )", re.MULTILINE)
LEAST_ERRORS = 0.25  # of ripgrep's rate, which only finds the word
LEAST_HEADERS = 0.06
MOST_MEMORY_MIB = 200
MOST_WINDOW = 3.0  # of the CPU time of a file that has the window alone
MOST_MERGE = 10.0  # of `sort -m`
NODES = 50
ROUNDS = 5  # of what takes less than a second: one slow round decides nothing
MOST_SIDE_BY_SIDE = 3.0  # of the time of one node


def make_log(path: Path, megabytes: int) -> tuple[datetime, datetime]:
    """Write lines of services of so many megabytes, ten seconds a round; return their times.

    Every hundredth round has errors: of real logs about 0.3% of the lines are such.
    """
    usual = _lines("build/*/var/log/nova/*.log")
    with_errors = usual + _lines("errors/*/var/log/nova/*.log")
    at, wanted, number = START, megabytes << 20, 0
    with path.open("w") as file:
        while file.tell() < wanted:
            stamp = f"{at:%Y-%m-%d %H:%M:%S}.000"
            lines = usual if number % 100 else with_errors
            file.write("".join(STAMP.sub(stamp, line) for line in lines))
            at, number = at + timedelta(seconds=10), number + 1
    return START, at


def _lines(pattern: str) -> list[str]:
    return [
        line
        for file in sorted(SAMPLES.glob(pattern))
        for line in file.read_text().splitlines(keepends=True)
        if STAMP.match(line)
    ]


def cpu_of(words: Sequence[str], given: str = "") -> tuple[float, int, str]:
    """Run a program; return its CPU time in seconds, its most memory in MiB, and what it wrote."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as asking:
        asking.write(given)
        asking.seek(0)
        process = subprocess.Popen(words, stdin=asking, stdout=out, env={**os.environ, "TZ": "UTC"})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, text


def scan(folder: Path, **others: object) -> tuple[float, int, Mapping[str, Any]]:
    """Run the scanner over a folder."""
    request = json.dumps(asked(folder, within_s=600.0, **others))
    took, memory, out = cpu_of([sys.executable, "-I", "-c", BOOTSTRAP], as_given(script(), request))
    return took, memory, json.loads(out)


def merge_ratio(folder: Path) -> float:
    """Return the CPU time of merging the events of 20 nodes, against `sort -m` of their lines."""
    chance = random.Random(1)  # noqa: S311  # no secret
    one = Event(
        at=START, node="", component="nova-compute", file="/x.log", offset=0, format="oslo",
        level=Level.INFO, message="x", request=None,
    )  # fmt: skip
    events: list[Event] = []
    files: list[str] = []
    for node in range(20):
        steps = sorted(chance.random() * 3600 for _ in range(EVENTS // 20))
        own = [
            replace(one, at=START + timedelta(seconds=at), node=f"c{node}", offset=number)
            for number, at in enumerate(steps)
        ]
        events += own
        path = folder / f"{node}.txt"
        path.write_text("".join(f"{each.at.isoformat()} {each.node} {'x' * 200}\n" for each in own))
        files.append(str(path))
    began = process_time()
    in_order(events)
    ours = process_time() - began
    theirs, _, _ = cpu_of(["env", "LC_ALL=C", "sort", "-m", "-o", "/dev/null", *files])
    return ours / theirs


# Says the time as `facts/on_node/clock.py` does, so many seconds after it was asked to begin; in
# whole seconds, for what finer ones need takes three times as long to load.
CLOCK = r"""
binmode STDIN;
read STDIN, my $script, scalar <STDIN>;
select undef, undef, undef, $ARGV[0];
syswrite STDOUT, "\n=stackward talks=\n";
while (read(STDIN, my $head, 4) == 4) {
    my $size = unpack "N", $head or next;
    read STDIN, my $said, $size;
    syswrite STDOUT, pack "N/a*", time;
}
"""


def side_by_side(folder: Path) -> float:
    """Return how long it takes to read the errors of all nodes, against those of one.

    A node is a process of its own that answers over the way to it as the scanner of a node has, and
    as a node's clock does, each after as long as that took. So only the work of this side is of
    this machine: no interpreter is started here that a node would start.
    """
    nodes = stand_ins(folder.parent / "way", folder, level=40)
    one, every = (_seconds(nodes[:number]) for number in (1, NODES))
    print(f"1 node {one:.1f} s, {NODES} nodes {every:.1f} s")
    return every / one


def stand_ins(way: Path, folder: Path, **wanted: object) -> tuple[Node, ...]:
    """Return nodes that answer as the scanner and a clock do, after as long as those take."""
    began = monotonic()
    _, _, told = scan(folder, bytes=IN_ALL // NODES, **wanted)
    took_s = monotonic() - began
    began = monotonic()
    cpu_of([sys.executable, "-I", "-c", BOOTSTRAP], as_given(talking("clock"), ""))
    begun_s = monotonic() - began
    way.mkdir()
    (way / "answer").write_text(json.dumps(told))
    (way / "clock").write_text(CLOCK)
    answers = f"cat > /dev/null; sleep {took_s}; exec cat {way}/answer"
    says = f"exec perl {way}/clock {begun_s}"
    put_ssh(
        way,
        'for last; do :; done; case "$last" in '
        f"*timeout*) {answers};; *python3*) {says};; *) exit 9;; esac",
    )
    os.environ["PATH"] = f"{way}:{os.environ['PATH']}"
    print(f"a scan takes {took_s:.1f} s, to begin a clock {begun_s:.2f} s")
    return tuple(Node(name=f"c{number}", address=f"10.0.0.{number}") for number in range(NODES))


def _seconds(nodes: tuple[Node, ...]) -> float:
    """Return how long it takes to read the errors of these nodes."""
    shell = Ssh(Inventory(source="bench", nodes=nodes))
    source = NodeLogs(shell, SystemClock(), [one.name for one in nodes])
    began = monotonic()
    reading = read_logs(source, Threads(), read_anatomy(), Query(level=Level.ERROR), within_s=600)
    took_s = monotonic() - began
    shell.close()
    unread = [one.unread for one in reading.nodes.values() if one.unread or one.offset is None]
    if unread or not reading.events:
        raise SystemExit(f"not all nodes were read, or not their clocks: {unread}")
    return took_s


def main(arguments: Sequence[str]) -> int:
    """Measure, show and fail over the thresholds."""
    if shutil.which("rg") is None:
        print("there is no `rg`: install Debian's ripgrep")
        return 1
    megabytes = int(arguments[0]) if arguments else MEGABYTES
    with tempfile.TemporaryDirectory(prefix="stackward-bench-") as name:
        top = Path(name)
        folder, alone = top / "all", top / "alone"
        folder.mkdir()
        alone.mkdir()
        first, last = make_log(folder / "nova.log", megabytes)
        size = (folder / "nova.log").stat().st_size
        words = ["rg", "-F", "-c", " ERROR ", str(folder / "nova.log")]
        turns = [
            (scan(alone, level=40)[0], cpu_of(words)[0], scan(folder, level=40))
            for _ in range(ROUNDS)
        ]
        empty = median(began for began, _, _ in turns)  # what it takes to begin
        ripgrep = median(theirs for _, theirs, _ in turns)
        errors = median(ours for _, _, (ours, _, _) in turns)
        _, memory, told = turns[-1][2]
        headers, more, _ = scan(folder)
        middle = first + (last - first) / 2
        window = {"since": middle.timestamp(), "until": (middle + WINDOW).timestamp()}
        within, _, found = scan(folder, **window)
        lines = "".join(f"{each[3]}\n" for one in found["files"] for each in one["events"])
        (alone / "nova.log").write_text(lines)
        by_itself, _, _ = scan(alone, **window)
        merge = merge_ratio(top)
        nodes = side_by_side(folder)
    figures = (
        ("errors, of ripgrep's rate", ripgrep / max(errors - empty, 0.001), LEAST_ERRORS, True),
        ("headers, of ripgrep's rate", ripgrep / max(headers - empty, 0.001), LEAST_HEADERS, True),
        ("memory in MiB", float(max(memory, more)), MOST_MEMORY_MIB, False),
        ("a window, of a file with it alone", within / by_itself, MOST_WINDOW, False),
        ("merging, of `sort -m`", merge, MOST_MERGE, False),
        (f"{NODES} nodes side by side, of one", nodes, MOST_SIDE_BY_SIDE, False),
    )
    number = sum(len(one["events"]) + one.get("lost", 0) for one in told["files"])
    print(f"{size >> 20} MiB, {number} errors; rg {ripgrep:.2f} s, the scanner {errors:.2f} s")
    wrong = 0
    for what, figure, limit, is_least in figures:
        holds = figure >= limit if is_least else figure <= limit
        wrong += not holds
        word = "at least" if is_least else "at most"
        print(f"{'ok  ' if holds else 'FAIL'} {what}: {figure:.2f} ({word} {limit})")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
