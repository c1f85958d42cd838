"""A diagnosis beside what it stands on: `log errors`, one node, and `cloud check` of a lab.

    python bench/diagnose.py STACKWARD [MEGABYTES]
    python bench/diagnose.py STACKWARD --lab LAB

The first reads collected logs of so many megabytes, of one node, which bench/logs.py makes; both
commands are processes of their own, run by turns, and the medians of their CPU time count. Then it
reads the failure of 50 nodes side by side, against that of one: the time that passes counts. A node
answers over the way to it as its scanner has, after as long as that took.

The second looks at a lab that is well, by turns with `cloud check`. Needs root.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import monotonic

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

import logs as bench
from stackward.adapters.clock import SystemClock
from stackward.adapters.ssh import Ssh
from stackward.adapters.together import Threads
from stackward.anatomy import read_anatomy
from stackward.diagnosis.reasoning import diagnose
from stackward.diagnosis.signs import LOOKED_FOR
from stackward.errors import ExitCode
from stackward.facts.failure import MOST_ALIKE, read_failure
from stackward.facts.logs import as_alike, read_logs
from stackward.facts.node_logs import NodeLogs
from stackward.lab.claims import Claims
from stackward.lab.client import environment
from stackward.logs.event import Level
from stackward.logs.reading import Query, Reading
from stackward.model.inventory import Inventory, Node
from stackward.settings import read_settings
from stackward.signatures import read_signatures

MOST_OF_ERRORS = 2.0  # of the CPU time of `log errors` over the same logs
MOST_SIDE_BY_SIDE = 3.0  # of the time of one node
MOST_OF_CHECK = 2.0  # of the time of `cloud check`
ROUNDS = 5


def of_errors(stackward: str, top: Path, megabytes: int) -> float:
    """Return the CPU time of a diagnosis of collected logs, against that of their errors."""
    folder = top / "collected/n1/var/log/nova"
    folder.mkdir(parents=True)
    first, last = bench.make_log(folder / "nova-compute.log", megabytes)
    place, middle = ["--from", str(top / "collected")], first + (last - first) / 2
    since = f"{middle:%Y-%m-%dT%H:%MZ}"
    words = ["log", "errors"], ["diagnose", "--since", since]
    turns = [[bench.cpu_of([stackward, *each, *place]) for each in words] for _ in range(ROUNDS)]
    errors, ours = (median(one[number][0] for one in turns) for number in (0, 1))
    memory = max(one[1][1] for one in turns)
    print(f"log errors {errors:.1f} s, diagnose {ours:.1f} s of CPU, {memory} MiB")
    return ours / errors


def side_by_side(top: Path) -> float:
    """Return how long the failure of all nodes takes to read and judge, against that of one."""
    folder = top / "collected/n1/var/log/nova"
    alike = as_alike(Query(most_alike=MOST_ALIKE), bench.NODES)
    words = list(LOOKED_FOR.words)
    wanted = {"level": int(Level.WARNING), "also": words, "traced": True, **alike}
    nodes = bench.stand_ins(top / "way", folder, **wanted)
    one, every = (_seconds(nodes[:count]) for count in (1, bench.NODES))
    print(f"1 node {one:.1f} s, {bench.NODES} nodes {every:.1f} s")
    return every / one


def _seconds(nodes: Sequence[Node]) -> float:
    shell = Ssh(Inventory(source="bench", nodes=tuple(nodes)))
    source = NodeLogs(shell, SystemClock(), [one.name for one in nodes])
    anatomy = read_anatomy()

    def read(asked: Query) -> Reading:
        return read_logs(source, Threads(), anatomy, asked, within_s=600)

    began = monotonic()
    asked = Query(since=datetime.now(UTC) - timedelta(hours=1))
    failure = read_failure(read, asked, LOOKED_FOR, before=timedelta(days=1))
    diagnose(failure, frozenset(anatomy.components), frozenset(), read_signatures())
    took_s = monotonic() - began
    shell.close()
    if not failure.events or failure.reading.is_blind:
        sys.exit("not all nodes were read")
    return took_s


def of_check(stackward: str, lab: str, top: Path) -> float:
    """Return the time of a diagnosis of a lab that is well, against that of a look at it.

    Both log in as root: the login of an operator may not read these logs.
    """
    settings = read_settings(os.environ, is_root=True)
    place = Claims(settings.state_dir / "labs", settings.cache_dir / "lab").get(lab)
    env = {**os.environ, **environment(place)}
    inventory = top / "inventory.yaml"
    given = Path(env["STACKWARD_INVENTORY"]).read_text()
    inventory.write_text(given.replace("ansible_user: ops", "ansible_user: root"))
    took: dict[str, list[float]] = {"cloud check": [], "diagnose": []}
    for _ in range(ROUNDS):
        for words, times in took.items():
            asked = [stackward, *words.split(), "--inventory", str(inventory), "-f", "json"]
            began = monotonic()
            ended = subprocess.run(asked, env=env, capture_output=True, check=False)
            times.append(monotonic() - began)
            told = json.loads(ended.stdout or "{}")
            # The hour before may hold how the lab came up: that is past, and possible at most.
            surer = [one for one in told.get("causes", ()) if one["certainty"] != "possible"]
            if surer or ended.returncode not in {ExitCode.DONE, ExitCode.DEGRADED}:
                sys.exit(f"`{words}` ended with {ended.returncode}: {ended.stderr.decode()}{surer}")
    check_s, ours_s = (median(times) for times in took.values())
    print(f"cloud check {check_s:.1f} s, diagnose {ours_s:.1f} s")
    return ours_s / check_s


def main(arguments: Sequence[str]) -> int:
    """Measure, show and fail over the thresholds."""
    stackward, *others = arguments
    if others[:1] == ["--lab"]:
        with tempfile.TemporaryDirectory(prefix="stackward-bench-") as name:
            of_look = of_check(stackward, others[1], Path(name))
        figures = [("of `cloud check`", of_look, MOST_OF_CHECK)]
    else:
        with tempfile.TemporaryDirectory(prefix="stackward-bench-") as name:
            megabytes = int(others[0]) if others else bench.MEGABYTES
            of_one = of_errors(stackward, Path(name), megabytes)
            figures = [
                ("of the CPU time of `log errors`", of_one, MOST_OF_ERRORS),
                (f"{bench.NODES} nodes, of one", side_by_side(Path(name)), MOST_SIDE_BY_SIDE),
            ]
    for what, figure, most in figures:
        print(f"{'ok  ' if figure <= most else 'FAIL'} {what}: {figure:.2f} (at most {most})")
    return int(any(figure > most for _, figure, most in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
