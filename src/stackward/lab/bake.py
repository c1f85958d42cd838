"""Bake a cloud: boot its nodes once, fill its databases, and keep the result as a layer.

The layer holds a controller with all databases made and the catalog, image and network in them,
compute nodes that are known to Nova, and the guest image. It is the same for every lab with as
many compute nodes: what is a lab's own is written when its nodes first boot.
"""

import shutil
import time
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from stackward.errors import StepFailed, Unreachable
from stackward.lab import network, ssh
from stackward.lab.configuration import LOGIN, etc_of, filled, own_files, package_tar, template
from stackward.lab.declared import declared
from stackward.lab.images import (
    APT,
    Cache,
    Chroot,
    Layer,
    build_base,
    build_image,
    image_key,
    key_of,
    remove_tree,
    sources_digest,
)
from stackward.lab.machine import Machine, System, each
from stackward.lab.spec import Lab
from stackward.lab.waiting import wait_until

# What has to change for a bake to be out of date, besides the packages.
SOURCES = ("etc", "bake", "bake.py", "guest_image", "declared.toml", "configuration.py", "spec.py")
CAPABILITIES = "/var/cache/libvirt/qemu/capabilities"
START_TO_BAKE = (
    "systemd-networkd",
    "ssh",
    "mariadb",
    "rabbitmq-server",
    "memcached",
    "ovn-central",
)


class Progress(Protocol):
    """Somebody who is told what is being done."""

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Say that `name` begins now and, at the end of the block, how long it took."""

    def tell(self, text: str) -> None:
        """Say something that takes no time."""


@dataclass(frozen=True, slots=True)
class Baked:
    """The layers that a lab's nodes stand on."""

    base: Layer
    images: dict[str, Layer]
    cloud: Layer

    def below(self, image: str) -> tuple[Path, ...]:
        """Return the layers of a node of that image, the topmost first."""
        return (self.cloud.tree / image, self.images[image].tree, self.base.tree)

    @property
    def has_login(self) -> bool:
        """Say whether its nodes have the operators' login: layers of older versions have root's."""
        return (self.cloud.tree / "control/home" / LOGIN).is_dir()

    @property
    def keys(self) -> dict[str, str]:
        """The key of every layer by its name: what a lab must remember to find them again."""
        return {layer.name: layer.key for layer in (self.base, *self.images.values(), self.cloud)}


def find_baked(lab: Lab) -> Baked | None:
    """Return what the cache holds for this lab, or None when a part is missing.

    Raises Refused when a part is damaged.
    """
    keys = {name: image_key(image, lab.release) for name, image in declared().images.items()}
    return get_baked(lab, {**keys, "cloud": cloud_key(lab)})


def get_baked(lab: Lab, keys: dict[str, str]) -> Baked | None:
    """Return the layers with these keys by name, or None when one is missing.

    Raises Refused when one is damaged.
    """
    cache = Cache(lab.cache)
    with ThreadPoolExecutor(max_workers=len(keys)) as pool:
        found = list(pool.map(lambda layer: cache.get(*layer), keys.items()))
    layers = {layer.name: layer for layer in found if layer is not None}
    if len(layers) < len(keys):
        return None
    base, cloud = layers.pop("base"), layers.pop("cloud")
    return Baked(base, layers, cloud)


def cloud_key(lab: Lab) -> str:
    """Return the cache key of the baked cloud."""
    images = declared().images
    return key_of(
        [image_key(image, lab.release) for image in images.values()],
        sources_digest(*SOURCES),
        [node.name for node in lab.compute_nodes],
    )


def bake_cloud(lab: Lab, mirror: str, progress: Progress, logs: Path) -> Baked:
    """Build all that is missing in the cache; the lab's nodes must be off.

    Raises StepFailed with the failing program's words; the whole of them is in `logs`.
    """
    cache = Cache(lab.cache)
    with progress.phase("base root file system"):
        base = build_base(cache, lab.release, mirror, logs / "base.log")

    def one_image(name: str) -> Layer:
        with progress.phase(f"packages of {name}"):
            return build_image(cache, name, lab.release, base, logs / f"{name}.log")

    names = [name for name in declared().images if name != "base"]
    with progress.phase("packages"), ThreadPoolExecutor() as pool:
        images = dict(zip(names, pool.map(one_image, names), strict=True))
    key = cloud_key(lab)
    with cache.locked("cloud"):
        found = cache.get("cloud", key)
        if found is None:
            with cache.building("cloud", key) as folder:
                CloudBake(
                    lab=lab,
                    cache=cache,
                    base=base,
                    images=images,
                    folder=folder,
                    progress=progress,
                    logs=logs,
                ).run()
    return Baked(base, images, cache.layer("cloud", key))


@dataclass(slots=True, kw_only=True)
class CloudBake:
    """One bake of the cloud layer, in an unfinished folder of the cache."""

    lab: Lab
    cache: Cache
    base: Layer
    images: dict[str, Layer]
    folder: Path
    progress: Progress
    logs: Path
    machines: list[Machine] = field(default_factory=list)
    writable: dict[str, Path] = field(default_factory=dict)
    capabilities: list[tuple[str, bytes]] = field(default_factory=list)

    def run(self) -> None:
        """Bake; whatever happens, no node is left running."""
        ssh.make_keys(self.lab)
        for image in self.images:
            (self.folder / image / "upper").mkdir(parents=True)
        try:
            network.make_bridges(self.lab)
            self._configure()
            self._make_guest()
            self._bake_controller()
            self._introduce_computes()
            self._stop()
        except (StepFailed, Unreachable) as failed:
            # What cannot be copied must not hide what failed.
            with suppress(OSError):
                self._keep_node_logs()
            raise StepFailed(
                failed.message,
                details=failed.details,
                says=failed.says,
                stands="the bake is undone; what was built before it stays in the cache",
                hint=f"the nodes' own logs are kept in {self.logs}/nodes",
            ) from failed
        finally:
            for machine in self.machines:
                machine.cut_power()
        with self.progress.phase("freeze"):
            for image in self.images:
                self._chroot(image).run(["sh", "-s"], stdin=self._units(image))
                (self.folder / image / "upper").rename(self.folder / "tree" / image)

    def _keep_node_logs(self) -> None:
        """Copy what the nodes logged to where it outlives the bake."""
        remove_tree(self.logs / "nodes")
        for machine in self.machines:
            logs = self.writable[machine.name] / "upper/var/log"
            if logs.exists():
                shutil.copytree(logs, self.logs / "nodes" / machine.name, symlinks=True)

    def _chroot(self, image: str) -> Chroot:
        return Chroot(
            self.cache,
            (self.images[image].tree, self.base.tree),
            self.folder / image,
            name=image,
            log=self.logs / f"bake-{image}.log",
            upper="upper",
        )

    def _configure(self) -> None:
        """Write the configuration files and say what starts at boot."""
        with self.progress.phase("configuration"):
            for image in self.images:
                chroot = self._chroot(image)
                chroot.run(
                    ["tar", "--extract", "--no-overwrite-dir", "--directory=/"],
                    stdin=etc_of(image),
                )
                chroot.run(["sh", "-s"], stdin=template(f"bake/{image}.sh"))
                chroot.run(["sh", "-s"], stdin=template("bake/login.sh"))
            units = units_script(START_TO_BAKE)
            self._chroot("control").run(["sh", "-s"], stdin=units)
            self._chroot("compute").run(["sh", "-s"], stdin=self._units("compute"))

    def _units(self, image: str) -> str:
        """Return the script that makes exactly the declared units start."""
        return units_script(declared().roles[image].start)

    def _make_guest(self) -> None:
        """Make the guest image with the compute image's tools, for the controller to upload."""
        with self.progress.phase("guest image"):
            maker = self._chroot("compute")
            maker.run([*APT, "update"])
            maker.run(["tar", "--extract", "--directory=/root"], stdin=package_tar("guest_image"))
            maker.run(["sh", "/root/guest_image/build.sh", "/root/guest.img"])
            image = self.folder / "compute/upper/root/guest.img"
            self._chroot("control").put("/root/guest.img", image.read_bytes())
            maker.run(["sh", "-c", "rm -rf /root/guest.img /root/guest_image /var/lib/apt/lists/*"])

    def _boot(self, name: str, system: System) -> Machine:
        machine = Machine(self.lab, self.lab.node(name))
        machine.cut_power()
        machine.set_up(system, own_files(self.lab, machine.node, baking=True))
        self.machines.append(machine)
        self.writable[name] = system.writable
        machine.power_on()
        if not wait_until(machine.answers_ssh, within_s=120, every_s=0.1):
            raise StepFailed(f"`{name}` does not answer by SSH", hint=f"see {machine.console}")
        return machine

    def _bake_controller(self) -> None:
        with self.progress.phase("boot the controller"):
            below = (self.images["control"].tree, self.base.tree)
            self._boot("ctl", System(layers=below, writable=self.folder / "control", disk=None))
        with self.progress.phase("databases and services"):
            run_tasks(self.lab, self.logs)

    def _introduce_computes(self) -> None:
        """Boot the compute nodes once, so that Nova, Placement and OVN know them."""
        with self.progress.phase("compute nodes introduce themselves"):
            below = (
                self.folder / "compute/upper", self.images["compute"].tree, self.base.tree,
            )  # fmt: skip
            names = [node.name for node in self.lab.compute_nodes]
            with ThreadPoolExecutor(max_workers=len(names)) as pool:
                systems = {
                    name: System(layers=below, writable=self.folder / "boots" / name, disk=None)
                    for name in names
                }
                for booted in [pool.submit(self._boot, *pair) for pair in systems.items()]:
                    booted.result()
            ssh.on_node(self.lab, "ctl", map_hosts_script(len(names)), timeout_s=240)
            # libvirt asks QEMU about its abilities for ten seconds when it first starts.
            kept = self.folder / "boots" / names[0] / "upper" / CAPABILITIES.lstrip("/")
            if not wait_until(lambda: any(kept.glob("*.xml")), within_s=60):
                raise StepFailed("libvirt wrote down no capabilities of QEMU")
            self.capabilities = [(file.name, file.read_bytes()) for file in kept.glob("*.xml")]

    def _stop(self) -> None:
        with self.progress.phase("stop"):
            control = next(machine for machine in self.machines if machine.name == "ctl")
            computes = [machine for machine in self.machines if machine.name != "ctl"]
            # The computes are not asked: a clean stop would only write more into databases.
            each(computes, Machine.cut_power)
            ssh.on_node(self.lab, "ctl", template("bake/settle.sh"), timeout_s=120)
            control.shut_down()
            chroot = self._chroot("compute")
            for name, content in self.capabilities:
                chroot.put(f"{CAPABILITIES}/{name}", content)


def units_script(start: Iterable[str]) -> str:
    """Return a script that makes exactly the units `start` start at boot."""
    never = declared().never_start
    return f"set -- {' '.join(start)} -- {' '.join(never)}\n" + template("bake/units.sh")


def map_hosts_script(count: int) -> str:
    """Return a script that waits until `count` compute nodes are in Nova's cell and in OVN."""
    return (
        "for i in $(seq 60); do\n"
        "  chassis=$(ovn-sbctl --no-leader-only --bare --columns=name list chassis | grep -c .)\n"
        "  mapped=$(su -s /bin/sh nova -c 'nova-manage cell_v2 discover_hosts --by-service"
        " >/dev/null; nova-manage cell_v2 list_hosts' | grep -cE '\\| +c[0-9]+ ')\n"
        f'  [ "$mapped" -ge {count} ] && [ "$chassis" -ge {count} ] && exit 0\n'
        "  sleep 0.5\n"
        "done\n"
        f'echo "of {count} compute nodes $mapped are mapped and $chassis are chassis" >&2\n'
        "exit 1\n"
    )


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that is done on the controller while baking."""

    name: str
    after: tuple[str, ...]
    script: str


def tasks() -> tuple[Task, ...]:
    """Read `bake/tasks.toml`."""
    read = tomllib.loads(files(__package__).joinpath("bake/tasks.toml").read_text())
    return tuple(
        Task(
            name,
            tuple(entry.get("after", ())),
            filled(entry["run"]) if "run" in entry else python_script(entry["script"]),
        )
        for name, entry in read.items()
    )


def python_script(name: str) -> str:
    """Return a shell script that runs a Python file of `bake/` as the cloud's administrator."""
    source = template("bake/" + name)
    return f"{ADMIN_ENVIRONMENT}python3 - <<'END_OF_PYTHON'\n{source}\nEND_OF_PYTHON\n"


ADMIN_ENVIRONMENT = "".join(
    f"export OS_{name}={value}\n"
    for name, value in {
        "AUTH_URL": "http://ctl:5000/v3",
        "USERNAME": "admin",
        "PASSWORD": filled("@{password}"),
        "PROJECT_NAME": "admin",
        "USER_DOMAIN_NAME": "Default",
        "PROJECT_DOMAIN_NAME": "Default",
        "REGION_NAME": "RegionOne",
    }.items()
)


def run_tasks(lab: Lab, logs: Path) -> None:
    """Run all tasks on the controller, each as soon as those before it are done.

    Raises the first task's error; the tasks that run then are waited for.
    """
    in_order(
        tasks(),
        lambda task: time_task(lab, task, logs),
    )


def in_order(all_tasks: Iterable[Task], do: Callable[[Task], None]) -> None:
    """Call `do` for every task after all that it comes after, several at a time."""
    waiting = {task.name: task for task in all_tasks}
    done: set[str] = set()
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(max_workers=8) as pool:
        while waiting or running:
            for name in [name for name, task in waiting.items() if done.issuperset(task.after)]:
                running[pool.submit(do, waiting.pop(name))] = name
            if not running:
                raise StepFailed(f"these bake tasks wait for each other: {', '.join(waiting)}")
            for ended in wait(running, return_when=FIRST_COMPLETED).done:
                ended.result()
                done.add(running.pop(ended))


def time_task(lab: Lab, task: Task, logs: Path) -> None:
    """Run one task and write down how long it took."""
    began = time.monotonic()
    try:
        said = ssh.on_node(lab, "ctl", "set -e\n" + task.script, timeout_s=300)
    except StepFailed as failed:
        raise StepFailed(f"the bake task `{task.name}` failed", says=failed.says) from failed
    with (logs / "bake-tasks.log").open("a") as log:
        log.write(f"{task.name}: {time.monotonic() - began:.1f} s\n{said}")
