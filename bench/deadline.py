"""A look ends in time, whatever hangs: each kind of hang beside a look without one.

    python bench/deadline.py [NODES] [SILENT]

The ssh is a stand-in on this machine: it answers with what a real node once told, or hangs in one
of the ways in which a real one does. The APIs are a small OpenStack over HTTP, or a server that
hangs. All else is the product's own, with real processes, threads and sockets.
"""

import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from typing_extensions import override

import hanging
from fakes.nodes import sample
from http_cloud import HttpCloud, Reply
from stackward.app.probes import open_probes
from stackward.errors import Refused
from stackward.facts.cloud_state import CheckRequest, time_for
from stackward.health.looking import check_cloud, check_node
from stackward.model.inventory import Inventory, Node
from stackward.model.survey import Survey
from stackward.settings import read_settings

NODES, SILENT = 500, 20
PACE_S = 1.0  # what a look takes on a node
LATE_S = 1.0  # beyond the end, for two busy processors and for closing the connections
MOST_CPU = 1.5  # of a look with silent nodes, against one without
SSH = """\
#!/bin/sh
case "$*" in *" -O exit "*) exit 0;; esac
while [ "$1" != "--" ]; do shift; done
case "$3" in *"python3 -I "*) cat > /dev/null; printf '{{"version": 1, "told": {{}}}}'; exit;; esac
case " $SILENT " in *" $2 "*) {hangs};; esac
cat > /dev/null
sleep {pace}
exec cat "{folder}/$2"
"""
# In which ways an ssh hangs: at connecting, at its banner and at logging in it is the same here.
SSH_HANGS = {
    "an ssh that hangs": "exec sleep 300",
    "an ssh that stops in the midst of its answer": "printf '{{\"version\"'; exec sleep 300",
    "an ssh that heeds no signal": "trap '' TERM INT HUP; sleep 300; exit",
    "an ssh that leaves a process behind": "sleep 300 & exit",
    "an ssh that trickles": "while :; do printf x; sleep 0.1; done",
    "an ssh that writes without end": "exec cat /dev/zero",
}
API_HANGS = {
    "the list of images": "/image/v2/images",
    "what reports to Nova": "/compute/v2.1/os-services",
    "Nova's hypervisors": "/compute/v2.1/os-hypervisors",
    "every API after the login": "/",
}


@dataclass
class SlowCloud(HttpCloud):
    """A small OpenStack of which some paths are not answered."""

    silent: str = "nothing"
    over: Event = field(default_factory=Event)

    @override
    def answer(self, method: str, url: str, headers: Any, given: bytes) -> Reply:
        """Answer one request, or hang until the measurement is over."""
        if self.silent in url and "/identity/" not in url:
            self.over.wait()
        return super().answer(method, url, headers, given)


@dataclass
class Bench:
    """Nodes behind a stand-in for ssh, and looks at them."""

    folder: Path

    def look(
        self, names: list[str], url: str, *, hangs: str = "", silent: str = "", only: str = ""
    ) -> tuple[float, float, int]:
        """Look once; return the seconds, those of processors, and how many nodes were seen."""
        ssh = self.folder / "ssh"
        script = SSH.format(hangs=hangs.format() or ":", pace=PACE_S, folder=self.folder)
        ssh.write_text(script)
        ssh.chmod(0o755)
        os.environ |= {"SILENT": silent, "OS_AUTH_URL": url}
        known = Inventory(
            source="bench", nodes=tuple(Node(name=name, address=name) for name in names)
        )
        settings = read_settings(os.environ, is_root=os.geteuid() == 0)
        began, cpu = perf_counter(), cpu_s()
        seen = 0
        with open_probes(known, None, settings) as probes:
            try:
                look = check_node(probes, only, CheckRequest()) if only else None
                _, state = look or check_cloud(probes, CheckRequest())
                seen = sum(isinstance(one, Survey) for one in state.surveys.values())
            except Refused as error:  # it is not known in time which node is meant
                if not only:
                    raise
                print(f"    refused: {error.message}")
        return perf_counter() - began, cpu_s() - cpu, seen


def cpu_s() -> float:
    """Return the seconds of processors that this process and those that it ended have taken."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


@contextmanager
def apis(silent: str = "nothing") -> Iterator[str]:
    """Serve APIs, and return where Keystone is."""
    small = SlowCloud(silent=silent)
    try:
        with small.served() as url:
            yield url
            small.over.set()
    finally:
        small.over.set()


@contextmanager
def hung(serve: Callable[[], AbstractContextManager[int]]) -> Iterator[str]:
    """Serve a Keystone that hangs."""
    with serve() as port:
        yield f"http://127.0.0.1:{port}/v3"


def kinds() -> Iterator[tuple[str, AbstractContextManager[str], str]]:
    """Return each kind of hang: its name, the APIs, and what the ssh of one node does."""
    for name, hangs in SSH_HANGS.items():
        yield name, apis(), hangs
    for name, path in API_HANGS.items():
        yield f"{name}: no answer", apis(path), ""
    for name, behaves in hanging.HANGS.items():
        yield f"Keystone {name}", hung(lambda behaves=behaves: hanging.server(behaves)), ""  # type: ignore[misc]
    yield "Keystone is not connected to", hung(hanging.full), ""
    yield "all at once", hung(lambda: hanging.server(hanging.never_answers)), "exec sleep 300"


def searches() -> Iterator[tuple[str, AbstractContextManager[str], str, list[str]]]:
    """Return each way in which the search for one node hangs: its name, the APIs, word and nodes.

    None of the nodes answers.
    """
    yield "one node may be meant", apis("/"), "c01.example.org", ["ctl", "c01", "c02"]
    yield "two may be meant", apis("/"), "c01", ["c01.a.example", "c01.b.example", "ctl"]
    yield "Nova alone may know it, and hangs", apis("/"), "compute-07", ["ctl", "c01"]
    silent = hung(lambda: hanging.server(hanging.never_answers))
    yield "Nova alone may know it, Keystone hangs", silent, "compute-07", ["ctl", "c01"]


def main() -> int:
    """Measure, compare, and say whether all ended in time."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else NODES
    silent = int(sys.argv[2]) if len(sys.argv) > 2 else SILENT  # noqa: PLR2004  # the second word
    login = {"USERNAME": "admin", "PASSWORD": "hush-hush-1", "PROJECT_NAME": "admin",
             "USER_DOMAIN_ID": "default", "PROJECT_DOMAIN_ID": "default",
             "REGION_NAME": "RegionOne"}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        os.environ |= {f"OS_{name}": value for name, value in login.items()}
        os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
        for node in ("ctl", "c01", "c02"):
            (bench.folder / node).write_text(json.dumps(sample(node)))
        # The small OpenStack complains of each who has left before its answer.
        with redirect_stderr(StringIO()):
            return max(small_cloud(bench), large_cloud(bench, count, silent))


def small_cloud(bench: Bench) -> int:
    """Compare a look at three nodes in which one thing hangs to one in which nothing does."""
    names = ["ctl", "c01", "c02"]
    with apis() as url:
        bench.look(names, url)  # what is loaded once
        usual, _, seen = min(bench.look(names, url) for _ in range(3))
    if seen != len(names):
        sys.exit(f"only {seen} of {len(names)} nodes answered")
    most, worst = time_for(len(names)) + LATE_S, 0.0
    print(f"three nodes, nothing hangs: {usual:.2f} s")
    for name, served, hangs in kinds():
        with served as url:
            took, _, _ = bench.look(names, url, hangs=hangs, silent="c01" if hangs else "")
        worst = max(worst, took)
        print(f"  {name}: {took:.2f} s, ratio {took / usual:.1f}")
    for name, served, word, at in searches():
        with served as url:
            took, _, _ = bench.look(at, url, hangs="exec sleep 300", silent=" ".join(at), only=word)
        worst = max(worst, took)
        print(f"  {name}: {took:.2f} s, ratio {took / usual:.1f}")
    print(f"the worst: {worst:.2f} s (at most {most:.1f})")
    return int(worst > most)


def large_cloud(bench: Bench, count: int, silent: int) -> int:
    """Compare a look at many nodes of which some do not answer to one in which all do."""
    names = [f"n{number:03}" for number in range(count)]
    for name in names:
        (bench.folder / name).write_text(json.dumps({**sample("c01"), "hostname": name}))
    deaf = names[:: max(1, count // silent)][:silent]
    with apis() as url:
        usual, cpu, seen = bench.look(names, url)
        took, more, heard = bench.look(names, url, hangs="exec sleep 300", silent=" ".join(deaf))
    most = time_for(count) + LATE_S
    print(f"{count} nodes, all answer ({seen} seen): {usual:.1f} s, {cpu:.1f} s of processors")
    print(f"{silent} of them do not ({heard} seen): {took:.1f} s, {more:.1f} s of processors")
    print(f"ratio: {took / usual:.2f} (at most {most:.1f} s), of processors: {more / cpu:.2f} "
          f"(at most {MOST_CPU})")  # fmt: skip
    if (seen, heard) != (count, count - silent):
        return 1
    return int(took > most or more / cpu > MOST_CPU)


if __name__ == "__main__":
    sys.exit(main())
