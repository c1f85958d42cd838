"""Runs of a lab with a bug in one function of a service: its logs, and what they are taken for.

`soak/diagnose/bugs.toml` declares the functions. Which kind of bug each gets, and whether rules may
be made by it or it is only counted, is drawn by a seed. Each run puts its bug in, asks for what
meets it, and keeps what was logged since: a folder for each node, as an operator would hand it on.
"""

import base64
import io
import json
import random
import subprocess
import tarfile
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from real_lab import STACKWARD, RealLab, widened
from stackward.errors import StackwardError
from stackward.lab import proof
from stackward.lab.client import connect
from stackward.lab.method_faults import is_put, put_script, read_method, take_script
from stackward.lab.scene import Scene, looks
from stackward.lab.waiting import wait_until

BUGS = Path(__file__).parent / "soak/diagnose/bugs.toml"
WELL = ("boot", "volume", "attach", "network", "image", "migrate")  # traffic without a bug
STARTS_S = 40
SETTLES_S = 2.0  # a service may log an error just after the answer that tells of it
TOP = 3
_LOGS = "find /var/log/{nova,neutron,cinder,keystone,glance,placement} -name '*.log' 2>/dev/null"


@dataclass(frozen=True, kw_only=True)
class Bug:
    """A bug in one function, and the traffic that meets it."""

    method: str
    kind: str  # of the fault: `method-raises`
    traffic: str
    is_kept_apart: bool  # no rule was made by it

    @property
    def module(self) -> str:
        """Return the path within the package of the module that it is in."""
        return f"{read_method(self.method).module.replace('.', '/')}.py"


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was kept of one run."""

    folder: Path
    traffic: str
    since: str
    noticed: str  # what the user noticed; empty: nothing
    bug: Bug | None = None

    @property
    def has_errors(self) -> bool:
        """Say whether anything logged an ERROR in that time."""
        since = self.since.replace("T", " ")[:19]
        return any(
            line[:19] >= since and any(f" {level} " in line[:60] for level in ("ERROR", "CRITICAL"))
            for log in self.folder.rglob("*.log")
            for line in log.read_text("utf-8", errors="replace").splitlines()
        )

    def causes(self) -> list[dict[str, Any]]:
        """Return the causes that are named by these logs alone."""
        asked = ["diagnose", "--from", str(self.folder), "--since", self.since, "-f", "json"]
        ended = subprocess.run(
            [STACKWARD, *asked], capture_output=True, text=True, check=False, timeout=120
        )
        assert ended.stdout, ended.stderr
        found: list[dict[str, Any]] = json.loads(ended.stdout)["causes"]
        return found


def drawn(path: Path = BUGS) -> list[Bug]:
    """Return all bugs in a drawn order; every other one is kept apart."""
    told = tomllib.loads(path.read_text("utf-8"))
    chance = random.Random(told["seed"])  # noqa: S311  # the same ones each time
    kinds: dict[str, int] = told["kinds"]
    found = []
    for one in told["bug"]:
        may_be = [kind for kind in kinds if one.get("has_argument", True) or "loses" not in kind]
        [kind] = chance.choices(may_be, [kinds[each] for each in may_be])
        exception = chance.choice([*told["any"], *one.get("raises", ()), *one.get("raises", ())])
        method = f"{one['method']}={exception}" if kind == "method-raises" else one["method"]
        found.append((method, kind, one["traffic"]))
    chance.shuffle(found)
    return [
        Bug(method=method, kind=kind, traffic=traffic, is_kept_apart=bool(number % 2))
        for number, (method, kind, traffic) in enumerate(found)
    ]


# --- a lab that is used -------------------------------------------------------------------------


class Player:
    """Plays runs on a lab: one bug goes as the next one comes, by one restart."""

    def __init__(self, lab: RealLab, folder: Path) -> None:
        """Take a lab that is well; the runs are kept in the folder."""
        self.lab, self.folder = lab, folder
        self.cloud = connect(lab.spec, project="demo")
        self.admin = connect(lab.spec)
        self.bug: Bug | None = None
        self.server = ""
        self.volumes: list[str] = []

    def prepare(self, volumes: int) -> None:
        """Make a server and volumes that later traffic needs; all is well by then."""
        self.admin.set_volume_quotas("demo", volumes=volumes + 40)  # some are left by failures
        made = [
            self.cloud.block_storage.create_volume(name=f"bug-{number}", size=1)
            for number in range(volumes)
        ]
        self.volumes = [one.id for one in made]
        self.server = self._booted("bug-base").id
        proof.wait_active(self.cloud, self.server)

    def clean_up(self) -> None:
        """Take the last bug out, and remove what was made."""
        self._put(None)
        self._ready(None)
        admin = self.admin
        for server in _ours(self.cloud.compute.servers()):
            self._reset(server.id)
            self.cloud.compute.delete_server(server.id)
        wait_until(self._has_no_server, within_s=60, every_s=1)
        for volume in _ours(self.cloud.block_storage.volumes()):
            path = f"/volumes/{volume.id}/action"
            admin.block_storage.post(path, json={"os-force_delete": {}})
        admin.delete_volume_quotas("demo")
        for port in _ours(self.cloud.network.ports()):
            self.cloud.network.delete_port(port.id)
        for network in _ours(self.cloud.network.networks()):
            for port in list(admin.network.ports(network_id=network.id)):
                admin.network.delete_port(port.id)
            self.cloud.network.delete_network(network.id)
        for image in _ours(self.cloud.image.images()):
            self.cloud.image.delete_image(image.id)

    def _reset(self, server: str) -> None:
        """Have Nova call a server ACTIVE, with nothing being done to it."""
        path = f"/servers/{server}/action"
        self.admin.compute.post(path, json={"os-resetState": {"state": "active"}})

    def _has_no_server(self) -> bool:
        return not _ours(self.cloud.compute.servers())

    def play(self, bug: Bug | None, traffic: str, name: str) -> Run:
        """Play one run; raises StackwardError where the bug could not be put in."""
        sizes = {node.name: self._sizes(node.name) for node in self.lab.spec.nodes}
        since = datetime.now(UTC)
        self._put(bug)
        self._ready(bug)
        if traffic in {"attach", "migrate", "reboot"}:
            self._base_is_well()
        time.sleep(0.1)
        if traffic != "token":  # services ask for tokens all the time: they meet that bug at once
            since = datetime.now(UTC)
        noticed = self._noticed(traffic, name)
        time.sleep(SETTLES_S)
        folder = self.folder / name
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: self._collect(folder, node, sizes[node]), sizes))
        run = Run(
            folder=folder,
            traffic=traffic,
            since=f"{since - timedelta(milliseconds=50):%Y-%m-%dT%H:%M:%S.%f}Z",
            noticed=noticed,
            bug=bug,
        )
        kept = {**asdict(run), "folder": str(folder)}
        (self.folder / f"{name}.json").write_text(json.dumps(kept, indent=1))
        return run

    # --- bugs ---

    def _put(self, bug: Bug | None) -> None:
        """Put a bug in and take the last one out, and restart what runs either."""
        scripts: dict[str, list[str]] = {}
        units: dict[str, set[str]] = {}
        last, self.bug = self.bug, bug
        for one, script_of in ((last, take_script), (bug, put_script)):
            if one is None:
                continue
            method = read_method(one.method)
            for node, those in method.places(self.lab.spec).items():
                script = script_of(method, _kind(one), those, restarts=False)
                scripts.setdefault(node, []).append(script)
                units.setdefault(node, set()).update(those)
        with ThreadPoolExecutor() as pool:
            done = [
                pool.submit(self.lab.on, node, "\n".join([*texts, _restart(units[node])]))
                for node, texts in scripts.items()
            ]
            for one_done in done:
                one_done.result()

    def _ready(self, bug: Bug | None) -> None:
        """Wait until the bug is loaded and all answers that could; a bug may hinder that."""
        scene = Scene(self.lab.spec, bug.method if bug else "")
        if bug is not None:
            is_there = is_put(_kind(bug))
            wait_until(lambda: looks(is_there, scene), within_s=STARTS_S, every_s=0.5)
        wait_until(lambda: looks(self._answers, scene), within_s=STARTS_S, every_s=0.5)

    def _answers(self, scene: Scene) -> bool:
        paths = {
            "compute": "/servers?limit=1",
            "network": "/networks?limit=1",
            "block_storage": "/volumes?limit=1",
            "image": "/images?limit=1",
        }
        answered = all(
            getattr(self.admin, name).get(path).status_code == 200 for name, path in paths.items()
        )
        nodes = [node.name for node in self.lab.spec.compute_nodes]
        with ThreadPoolExecutor() as pool:
            return answered and all(pool.map(scene.serves_rpc, nodes))

    def _base_is_well(self) -> None:
        server = self.cloud.compute.get_server(self.server)
        if server.status != "ACTIVE" or server.task_state:
            self._reset(self.server)

    # --- traffic ---

    def _noticed(self, traffic: str, name: str) -> str:
        ask: Callable[[str], str] = getattr(self, f"_{traffic}")
        try:
            return ask(f"bug-{name}")
        except (StackwardError, OSError, ValueError, KeyError) as failed:
            return f"{type(failed).__name__}: {failed}"

    def _booted(self, name: str) -> Any:  # noqa: ANN401  # the SDK's own
        cloud = self.cloud
        return cloud.compute.create_server(
            name=name,
            flavor_id=cloud.compute.find_flavor(proof.FLAVOR, ignore_missing=False).id,
            image_id=cloud.image.find_image("guest", ignore_missing=False).id,
            networks=[{"uuid": cloud.network.find_network("lab-net", ignore_missing=False).id}],
        )

    def _boot(self, name: str) -> str:
        server = self._booted(name).id
        said = self._becomes(
            lambda: self.cloud.compute.get_server(server),
            lambda one: one.status == "ACTIVE" and one.task_state is None,
            lambda one: one.status == "ERROR",
            30,
        )
        self.cloud.compute.delete_server(server)
        return said

    def _volume(self, name: str) -> str:
        volume = self.cloud.block_storage.create_volume(name=name, size=1).id
        return self._becomes(
            lambda: self.cloud.block_storage.get_volume(volume),
            lambda one: one.status == "available",
            lambda one: one.status == "error",
            15,
        )

    def _attach(self, name: str) -> str:
        del name
        volume = self.volumes.pop()
        self.cloud.compute.create_volume_attachment(self.server, volume_id=volume)
        began = time.monotonic()
        return self._becomes(
            lambda: self.cloud.block_storage.get_volume(volume),
            lambda one: one.status == "in-use",
            lambda one: one.status == "available" and time.monotonic() - began > 6,
            15,
        )

    def _migrate(self, name: str) -> str:
        del name
        source = self.admin.compute.get_server(self.server).hypervisor_hostname
        self.admin.compute.live_migrate_server(self.server, host=None, block_migration="auto")
        return self._becomes(
            lambda: self.admin.compute.get_server(self.server),
            lambda one: one.hypervisor_hostname != source and one.task_state is None,
            lambda one: one.status == "ERROR" or one.task_state is None,
            30,
        )

    def _reboot(self, name: str) -> str:
        del name
        self.cloud.compute.reboot_server(self.server, "HARD")
        return self._becomes(
            lambda: self.cloud.compute.get_server(self.server),
            lambda one: one.status == "ACTIVE" and one.task_state is None,
            lambda one: one.status == "ERROR",
            25,
        )

    def _port(self, name: str) -> str:
        network = self.cloud.network.find_network("lab-net", ignore_missing=False).id
        port = self.cloud.network.create_port(network_id=network, name=name)
        has_address = bool(port.fixed_ips)
        self.cloud.network.delete_port(port.id)
        return "" if has_address else "the port has no address"

    def _network(self, name: str) -> str:
        network = self.cloud.network.create_network(name=name)
        self.cloud.network.create_subnet(
            network_id=network.id, name=name, ip_version=4, cidr="192.0.2.0/24"
        )
        self.cloud.network.delete_network(network.id)
        return ""

    def _image(self, name: str) -> str:
        image = self.cloud.image.create_image(
            name, data=b"x" * 1024, disk_format="raw", container_format="bare"
        )
        status = self.cloud.image.get_image(image.id).status
        self.cloud.image.delete_image(image.id)
        return "" if status == "active" else f"the image is {status}"

    def _token(self, name: str) -> str:
        del name
        return "" if connect(self.lab.spec).compute.get("/servers?limit=1").ok else "no token"

    @staticmethod
    def _becomes(
        ask: Callable[[], Any],
        is_so: Callable[[Any], bool],
        is_lost: Callable[[Any], bool],
        within_s: float,
    ) -> str:
        """Wait for a state; return how it is instead."""
        seen: list[Any] = []

        def settled() -> bool:
            seen.append(ask())
            return is_so(seen[-1]) or is_lost(seen[-1])

        wait_until(settled, within_s=widened(within_s), every_s=0.5)
        return "" if is_so(seen[-1]) else f"it is {seen[-1].status}"

    # --- logs ---

    def _sizes(self, node: str) -> dict[str, int]:
        said = self.lab.on(node, f"bash -c \"{_LOGS}\" | xargs -r stat -c '%s %n'")
        return {name: int(size) for size, name in (one.split() for one in said.splitlines())}

    def _collect(self, folder: Path, node: str, sizes: dict[str, int]) -> None:
        now = self._sizes(node)
        files = [name for name, size in now.items() if size > sizes.get(name, 0)]
        if not files:
            return
        place = "/run/lab-bug-logs"
        script = [f"rm -rf {place}; mkdir -p {place}; cd {place}"]
        for name in files:
            kept = name.removeprefix("/var/log/")
            script.append(
                f"mkdir -p $(dirname {kept}); tail -c +{sizes.get(name, 0) + 1} {name} > {kept}"
            )
        script.append(f"tar -C {place} -cz . | base64; rm -rf {place}")
        packed = base64.b64decode(self.lab.on(node, "\n".join(script)))
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(folder / node, filter="data")


def _ours(found: Iterable[Any]) -> list[Any]:
    return [one for one in found if (one.name or "").startswith("bug-")]


def _kind(bug: Bug) -> str:
    return bug.kind.removeprefix("method-")


def _restart(units: set[str]) -> str:
    return f"systemctl daemon-reload; systemctl restart --no-block {' '.join(sorted(units))}"


def read_runs(folder: Path) -> list[Run]:
    """Return the runs that are kept in a folder."""
    found = []
    for file in sorted(folder.glob("*.json")):
        told = json.loads(file.read_text())
        bug = Bug(**told.pop("bug")) if told["bug"] else told.pop("bug")
        found.append(Run(**{**told, "folder": Path(told["folder"]), "bug": bug}))
    return found


# --- what it comes to ---------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How often the module of the bug was named."""

    runs: int
    first: int
    among: int  # the first three
    missed: tuple[str, ...]


def counted(runs: Sequence[Run]) -> Counted:
    """Count over runs whose user noticed something, and which have logged an ERROR."""
    first = among = 0
    missed = []
    for run in runs:
        assert run.bug is not None
        named = [one["module"] for one in run.causes()[:TOP]]
        first += named[:1] == [run.bug.module]
        among += run.bug.module in named
        if named[:1] != [run.bug.module]:
            missed.append(f"{run.folder.name}: {run.bug.method} {run.bug.kind}: {named}")
    return Counted(runs=len(runs), first=first, among=among, missed=tuple(missed))


def sure_of_nothing(runs: Sequence[Run]) -> Iterator[str]:
    """Return the causes that are called more than possible where nobody noticed anything."""
    for run in runs:
        for one in run.causes():
            if one["certainty"] != "possible":
                yield f"{run.folder.name}: {one['certainty']}: {one['cause']}"
