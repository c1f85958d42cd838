"""What a command takes now, beside the version before, in turn: nothing may have become slower.

    python bench/before.py [COMMIT]

The version before is taken out of Git into a temporary folder, where it makes its environment as
`make` does; so Git must have the whole history. Both run the same commands, against the same small
OpenStack over HTTP, with the tests' fake cloud behind it and an `ssh` that answers out of that
cloud. So the whole command is measured: the processes and their pace are the product's own, only
what they talk to is not real.

Both take turns, and who begins changes each time: a busy moment falls on both. A ratio is the
median of the ratios of the pairs. Imports are the modules that `node drain --dry-run` has at its
end, imported in the same order by a Python that does nothing else. The 20 drains are queued first,
and timed from the start of the workers until the last has ended. Needs Debian's packages bash,
git and postgresql.
"""

import itertools
import json
import os
import shlex
import shutil
import signal
import socketserver
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from typing_extensions import override
from workers import TimedNova

import http_cloud
from builders import a_flavor, a_server
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from http_cloud import HttpCloud, Reply
from postgres import Server as Postgres
from postgres import a_server as a_postgres

HERE = Path(__file__).parents[1]
# The last one with DBOS, and before one folder held all of an operation.
BEFORE = "620a589216537c25646609e737d3263034ff9130"
SHORT, RUNS, LONG = 11, 5, 3  # rounds, odd, so that the median is one of them
PLANNED, DRAINED = 20, 100  # servers of one drain
AT_ONCE = 20  # of the 100
DRAINS, WORKERS, RUNS_AT_ONCE, SERVERS, PARALLEL = 20, 4, 5, 6, 3
MIGRATION_S = 2.0
WITHIN_S = 600.0  # a guard against hanging
LOOK_S = 0.1
MOST = 1.05  # of the time and processors of whole commands: the machine is not alone
MOST_IMPORT = 1.02
QUICKER_S = 1.0

HOST, ROOMS = "compute-07", tuple(f"room-{n}" for n in range(10))
DRAIN = ("node", "drain", HOST, "--reason", "bench")

SSH = """\
#!/bin/bash
case "$*" in *" -O exit "*) exit 0;; esac
exec 3<>/dev/tcp/127.0.0.1/{port}
printf '%s\\0' "${{@: -2}}" >&3
read -r code <&3
IFS= read -r says <&3
[ -z "$says" ] || echo "$says" >&2
cat <&3
exit "$code"
"""

# Runs a script of Python as it is, and keeps which modules it had at its end.
WATCHED = """\
import json, runpy, sys
kept, *sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    json.dump([name for name in sys.modules if name != "__main__"], open(kept, "w"))
"""
# The kernel's `ru_maxrss` begins with what the process that started it had; this one does not.
IMPORTS = """\
import importlib, json, sys
for name in json.load(open(sys.argv[1])):
    try:
        importlib.import_module(name)
    except ImportError:  # a name that a package gives to something else
        pass
for line in open("/proc/self/status"):
    if line.startswith("VmHWM"):
        print(line.split()[1])
"""


# --- the two versions --------------------------------------------------------------------------


@dataclass
class Version:
    """A version of Stackward, and where it keeps its things."""

    name: str
    programs: Path
    place: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place.mkdir()

    def command(self, *words: str) -> list[str]:
        """Return a command of it."""
        return [str(self.programs / "stackward"), *words]

    def python(self, script: str, *words: str) -> list[str]:
        """Return a script for its Python."""
        return [str(self.programs / "python"), "-c", script, *words]


def taken_out(commit: str, place: Path) -> Path:
    """Take a commit out of Git, make its environment, and return where its programs are."""
    git = [program("git"), "-C", str(HERE)]
    asked = [*git, "cat-file", "-e", f"{commit}^{{commit}}"]
    known = subprocess.run(asked, check=False, capture_output=True, text=True)
    if known.returncode:
        leave(
            f"this copy of the repository does not have the commit {commit[:12]}, the version "
            "before, with which this one is compared",
            said=known.stderr,
            hint="fetch the whole history: `git fetch --unshallow`; "
            "or name another commit: `python bench/before.py COMMIT`",
        )
    place.mkdir()
    packing = subprocess.Popen([*git, "archive", commit], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=packing.stdout, mode="r|") as packed:
        packed.extractall(place, filter="data")
    if packing.wait():
        leave(f"git cannot take out the commit {commit[:12]}")
    # As everybody makes it: by its own hashes, and with the same Python as this one.
    python = getattr(sys, "_base_executable", sys.executable)
    words = [program("make"), "-s", "-C", str(place), f"PYTHON={python}", ".venv/.ready"]
    made = subprocess.run(
        words, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if made.returncode:
        leave(
            f"the environment of the commit {commit[:12]} cannot be made",
            said=made.stdout,
            hint="the index of Python packages that pip uses must have what it asks for",
        )
    return place / ".venv/bin"


def program(name: str) -> str:
    """Return where a program is."""
    found = shutil.which(name)
    if found is None:
        leave(f"there is no `{name}` here", hint=f"on Debian and Ubuntu: apt-get install {name}")
    return found


def leave(message: str, *, said: str = "", hint: str = "") -> NoReturn:
    """Leave with an error, as the product does."""
    lines = [f"error: {message}", *said.strip().splitlines()[-5:]]
    sys.exit("\n".join([*lines, "", f"hint: {hint}"] if hint else lines))


# --- what they talk to -------------------------------------------------------------------------


@dataclass
class Site(HttpCloud):
    """A small OpenStack and its nodes, one call at a time."""

    lock: threading.Lock = field(default_factory=threading.Lock)

    def fill(self, hosts: Mapping[str, int], takes_s: float = MIGRATION_S) -> None:
        """Begin anew, with so many servers on each of these hosts, and room on others."""
        nova = TimedNova(hosts=(*hosts, *ROOMS), takes_s=takes_s)
        for host, count in hosts.items():
            nova.add(
                *(
                    a_server(name=f"{host}-{n}", host=host, flavor=a_flavor(ram_mib=64))
                    for n in range(count)
                )
            )
        with self.lock:
            self.cloud = FakeCloud(nova)
            self.shell = FakeShell(self.cloud)
            self.asked.clear()
            self.queries.clear()
            self.versions.clear()

    @override
    def answer(self, method: str, url: str, headers: Mapping[str, Any], given: bytes) -> Reply:
        """Answer one request."""
        with self.lock:
            self.cloud.nova.go_on()  # type: ignore[attr-defined]  # it was filled
            reply = super().answer(method, url, headers, given)
            self.cloud.nova.go_on()  # type: ignore[attr-defined]  # same
            return reply

    def on_node(self, node: str, command: str) -> tuple[int, str, str]:
        """Run a command on a node; return its code, and what it writes on stderr and stdout."""
        words = shlex.split(command)[2:]  # `env LC_ALL=C`
        if words == ["id", "-u"]:
            return 0, "", "0\n"
        with self.lock:
            self.cloud.nova.go_on()  # type: ignore[attr-defined]  # same
            answer = self.shell.run(node, words)
        return answer.code, answer.err, answer.out


@contextmanager
def a_site(place: Path) -> Iterator[tuple[Site, dict[str, str]]]:
    """Serve a site; return it, and the variables with which a command finds it."""
    http_cloud.PAGE = 1000  # as the services have it, not as tests need it
    site = Site()

    class Node(socketserver.StreamRequestHandler):
        @override
        def handle(self) -> None:
            given = b""
            while given.count(b"\0") < 2:  # noqa: PLR2004  # a node and a command
                given += self.request.recv(1 << 16)
            node, command, _ = given.decode().split("\0")
            code, says, out = site.on_node(node, command)
            self.wfile.write(f"{code}\n{' '.join(says.split())}\n{out}".encode())

    class Nodes(socketserver.ThreadingTCPServer):
        request_queue_size = 100
        daemon_threads = True

    programs = place / "programs"
    programs.mkdir()
    with Nodes(("127.0.0.1", 0), Node) as nodes, site.served() as url:
        threading.Thread(target=nodes.serve_forever, args=(0.02,), daemon=True).start()
        (programs / "ssh").write_text(SSH.format(port=nodes.server_address[1]))
        (programs / "ssh").chmod(0o755)
        yield (
            site,
            {
                "PATH": f"{programs}:/usr/bin:/bin",
                "HOME": str(place),
                "LC_ALL": "C.UTF-8",
                "COLUMNS": "120",
                "STACKWARD_INVENTORY": str(place / "inventory"),
                "OS_AUTH_URL": url,
                "OS_USERNAME": "admin",
                "OS_PASSWORD": "hush-hush-1",
                "OS_PROJECT_NAME": "admin",
                "OS_USER_DOMAIN_ID": "default",
                "OS_PROJECT_DOMAIN_ID": "default",
                "OS_REGION_NAME": "RegionOne",
            },
        )
        nodes.shutdown()


# --- one measurement ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """What one command has taken."""

    seconds: float
    cpu_s: float
    out: str


def run(command: list[str], variables: Mapping[str, str]) -> Taken:
    """Run a command to its good end."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        too_long = threading.Timer(WITHIN_S, process.kill)
        too_long.start()
        try:
            cpu_s = cpu_of(process)
        except BaseException:  # told to stop: it is not left behind
            process.kill()
            process.wait()
            raise
        finally:
            too_long.cancel()
        seconds = time.perf_counter() - begun
        out.seek(0)
        err.seek(0)
        if process.returncode:
            shown = shlex.join(command)[:200]
            sys.exit(f"`{shown}` ended with {process.returncode}:\n{err.read()}{out.read()}")
        return Taken(seconds, cpu_s, out.read())


def cpu_of(process: "subprocess.Popen[bytes]") -> float:
    """Wait for a process; return the seconds of processors that it and its children took."""
    _, ended, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(ended)
    return used.ru_utime + used.ru_stime


@dataclass
class Table:
    """What was measured, a row each, printed as it comes."""

    is_over: bool = False

    def __post_init__(self) -> None:
        print(f"{'':<34} {'before':>9} {'now':>9}   ratio  at most", flush=True)

    def add(self, what: str, unit: str, pairs: list[tuple[float, float]], most: float) -> None:
        """Add what was taken in pairs, each before and now; judge their ratio."""
        ratio = statistics.median(now / before for before, now in pairs)
        self._show(what, unit, pairs, f"{ratio:>7.3f}  {most}", is_over=ratio > most)

    def add_quicker(self, what: str, pairs: list[tuple[float, float]], least: float) -> None:
        """Add what must be quicker by so many seconds."""
        quicker = statistics.median(before - now for before, now in pairs)
        limit = f"quicker by {quicker:.2f} s, at least {least}"
        self._show(what, "s", pairs, limit, is_over=quicker < least)

    def _show(
        self, what: str, unit: str, pairs: list[tuple[float, float]], limit: str, *, is_over: bool
    ) -> None:
        before, now = (statistics.median(each) for each in zip(*pairs, strict=True))
        self.is_over = self.is_over or is_over
        mark = "  TOO MUCH" if is_over else ""
        shown = f"{what:<34} {before:>9.3f} {now:>9.3f} {unit}"
        print(f"{shown:<56}{limit}{mark}", flush=True)


@dataclass
class Bench:
    """Both versions, and the site that they are tried on."""

    versions: tuple[Version, Version]
    site: Site
    place: Path
    table: Table = field(default_factory=Table)

    def in_turn(
        self, rounds: int, take: Callable[[Version], Taken], *, is_warm: bool = False
    ) -> list[tuple[Taken, Taken]]:
        """Take both, so many times; after once that does not count, where they are not warm."""
        for version in () if is_warm else self.versions:
            take(version)  # compiles, and fills the file cache
        pairs = []
        for n in range(rounds):
            order = self.versions if n % 2 == 0 else tuple(reversed(self.versions))
            taken = {version.name: take(version) for version in order}
            pairs.append((taken["before"], taken["now"]))
        return pairs

    def add(self, what: str, pairs: list[tuple[Taken, Taken]], most: float = MOST) -> None:
        """Add what a whole command took."""
        self.table.add(what, "s", [(a.seconds, b.seconds) for a, b in pairs], most)
        cpu = [(a.cpu_s, b.cpu_s) for a, b in pairs]
        self.table.add("  its processors", "s", cpu, most)

    # --- the commands ---

    def commands(self) -> None:
        """Measure what only reads."""
        self.site.fill({HOST: PLANNED})
        self.add("--help", self.asked("--help"))
        self.add("run list", self.asked("run", "list"))
        self.add(f"node drain --dry-run, {PLANNED} servers", self.asked(*DRAIN, "--dry-run"))

    def asked(self, *words: str) -> list[tuple[Taken, Taken]]:
        """Run a command of both, in turn."""
        return self.in_turn(SHORT, lambda each: run(each.command(*words), each.variables))

    def drains(self) -> None:
        """Measure drains that are carried out by the command itself."""
        one = self.in_turn(RUNS, lambda each: self.drained(each, 1, 1, takes_s=0))
        self.table.add_quicker(
            "a carried run: a drain of 1 server",
            [(a.seconds, b.seconds) for a, b in one],
            QUICKER_S,
        )
        many = self.in_turn(
            LONG,
            lambda each: self.drained(each, DRAINED, AT_ONCE, takes_s=MIGRATION_S),
            is_warm=True,
        )
        self.add(f"a drain of {DRAINED} servers, {AT_ONCE} at once", many)

    def drained(self, version: Version, count: int, at_once: int, *, takes_s: float) -> Taken:
        """Drain a node of so many servers; make sure that it has happened."""
        self.site.fill({HOST: count}, takes_s)
        words = version.command(*DRAIN, "--yes", "--parallel", str(at_once))
        taken = run(words, version.variables)
        if any(each.host == HOST for each in self.site.cloud.nova.known.values()):
            sys.exit(f"a drain by the version {version.name} has not moved all servers")
        return taken

    # --- what a plan imports ---

    def imports(self) -> None:
        """Measure the modules that a plan needs."""
        self.site.fill({HOST: PLANNED})
        kept = {each.name: each.place / "modules.json" for each in self.versions}
        own = {}
        for version in self.versions:
            at = kept[version.name]
            words = version.command(*DRAIN, "--dry-run")
            run(version.python(WATCHED, str(at), *words), version.variables)
            names = json.loads(at.read_text())
            own[version.name] = sum(name.split(".")[0] == "stackward" for name in names)
        pairs = self.in_turn(
            SHORT,
            lambda each: run(each.python(IMPORTS, str(kept[each.name])), each.variables),
        )
        counts = f"{own['before']} and {own['now']} of ours"
        cpu = [(a.cpu_s, b.cpu_s) for a, b in pairs]
        self.table.add(f"imports of a plan, {counts}", "s", cpu, MOST_IMPORT)
        memory = [(int(a.out) / 1024, int(b.out) / 1024) for a, b in pairs]
        self.table.add("  their memory at most", "MiB", memory, MOST_IMPORT)

    # --- the workers ---

    def workers(self, postgres: Postgres) -> None:
        """Measure many drains at once over workers."""
        hosts = {f"rack-{n}": SERVERS for n in range(DRAINS)}
        queued = {version.name: self.queue(version, postgres, hosts) for version in self.versions}
        numbers = itertools.count()

        def take(version: Version) -> Taken:
            name = f"round_{next(numbers)}"
            postgres.sql(f"CREATE DATABASE {name} TEMPLATE {queued[version.name]}")
            self.site.fill(hosts)
            return self.carried_out(version, postgres, name, hosts)

        pairs = self.in_turn(LONG, take, is_warm=True)
        self.add(f"{DRAINS} drains over {WORKERS} workers", pairs)

    def queue(self, version: Version, postgres: Postgres, hosts: Mapping[str, int]) -> str:
        """Queue a drain of each host in a new database; return its name."""
        url = postgres.new_database()
        self.site.fill(hosts)
        with at_work(version, url, 1) as workers:  # makes the tables that only workers have
            # The version before says it in other words.
            workers.wait_until(
                lambda: any(one in workers.said() for one in ("at a time", "takes up to"))
            )
        for host, room in zip(hosts, itertools.cycle(ROOMS), strict=False):
            # To a room each: what goes to a node that is drained next needs an approval of its own.
            words = ["node", "drain", host, "--reason", "bench", "--target", room]
            words += ["--parallel", str(PARALLEL)]
            variables = {**version.variables, "STACKWARD_DATABASE": url}
            run(version.command(*words, "--yes", "--queue"), variables)
        return url.partition("?")[0].rpartition("/")[2]

    def carried_out(
        self, version: Version, postgres: Postgres, name: str, hosts: Mapping[str, int]
    ) -> Taken:
        """Let workers carry out what is queued; return what it took them."""
        going = "SELECT count(*) FROM runs WHERE ended_at IS NULL"
        with at_work(version, postgres.url(name), WORKERS) as workers:
            workers.wait_until(lambda: postgres.sql(going, name) == [(0,)])
            seconds = time.perf_counter() - workers.begun
        if postgres.sql("SELECT DISTINCT state FROM runs", name) != [("succeeded",)]:
            sys.exit(f"not all drains by the version {version.name} succeeded:\n{workers.said()}")
        if any(each.host in hosts for each in self.site.cloud.nova.known.values()):
            sys.exit(f"the drains by the version {version.name} have not moved all servers")
        return Taken(seconds, workers.cpu_s, "")


@dataclass
class Workers:
    """Workers of a version, and what they say."""

    log: Path
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    begun: float = field(default_factory=time.perf_counter)
    cpu_s: float = 0.0

    def said(self) -> str:
        """Return all that they have said."""
        return self.log.read_text()

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Look until it is so, as long as all of them work."""
        until = time.monotonic() + WITHIN_S
        while not is_so():
            if time.monotonic() > until or any(each.poll() is not None for each in self.processes):
                sys.exit(f"a worker has left, or it takes for ever:\n{self.said()}")
            time.sleep(LOOK_S)


@contextmanager
def at_work(version: Version, url: str, count: int) -> Iterator[Workers]:
    """Start workers, and end them again."""
    workers = Workers(version.place / "workers.log")
    variables = {**version.variables, "STACKWARD_DATABASE": url}
    with workers.log.open("w") as log:
        try:
            for n in range(count):
                words = version.command("worker", "--name", f"w{n}", "--at-once", str(RUNS_AT_ONCE))
                workers.processes.append(
                    subprocess.Popen(
                        words, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                    )
                )
            yield workers
        finally:
            for each in workers.processes:
                each.terminate()
            left = [each for each in workers.processes if each.returncode is None]
            workers.cpu_s = sum(cpu_of(each) for each in left)


def main(commit: str = BEFORE) -> int:
    """Measure and compare."""
    # Told to stop, it leaves neither workers nor a server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        programs = taken_out(commit, place / "earlier")
        with a_site(place) as (site, variables), a_postgres("max_connections = 300") as postgres:
            hosts = (HOST, *(f"rack-{n}" for n in range(DRAINS)), *ROOMS)
            (place / "inventory").write_text("".join(f"{each}\n" for each in hosts))
            versions = (
                Version("before", programs, place / "before"),
                Version("now", Path(sys.executable).parent, place / "now"),
            )
            for each in versions:
                each.variables = {**variables, "STACKWARD_STATE_DIR": str(each.place)}
            bench = Bench(versions, site, place)
            bench.drains()
            bench.commands()
            bench.imports()
            bench.workers(postgres)
    return int(bench.table.is_over)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
