"""Bring a lab up, down, or back to its first state.

Each can die at any point and be called again.
"""

import contextlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from stackward.errors import Refused
from stackward.lab import bmcs, fakes, fence_agent, host, network, ready, ssh
from stackward.lab.bake import Baked, Progress, bake_cloud, find_baked, get_baked
from stackward.lab.cgroups import Cgroup
from stackward.lab.claims import USUAL_COMPUTES, Asked, Claims
from stackward.lab.client import clouds
from stackward.lab.command import run, succeeds, write_private
from stackward.lab.configuration import LOGIN, own_files
from stackward.lab.images import Cache, check_mirror, host_mirror, remove_tree
from stackward.lab.machine import Machine, System, each, make_disk, wait_until_let_go
from stackward.lab.proof import prove
from stackward.lab.spec import Lab, Node

SHARED_GIB = 8
GIVING_UP = "giving-up-disks"  # there while disks are being removed


def bring_up(
    claims: Claims, asked: Asked, progress: Progress, *, mirror: str | None, install: bool
) -> Lab:
    """Bring the lab up that was asked for and prove that it works; what is up stays as it is.

    Raises Refused when this machine or the lab does not allow it, StepFailed when something of it
    does not come up.
    """
    host.require_root()
    host.require_programs(install=install)
    host.require_kernel()
    is_new = not (claims.folder / asked.name / "lab.json").exists()
    if is_new:
        cache = claims.cache_of(asked)
        host.require_room(
            {"cache": cache, "lab": claims.folder},
            computes=asked.computes or USUAL_COMPUTES,
            is_cold=not any(cache.glob("layers/cloud-*")),
        )
    lab = claims.claim(asked)
    with claims.changing(lab):
        try:
            start(lab, progress, mirror)
        except Refused:
            # Nothing of a refused lab stays: it would block the next try.
            if is_new and not (lab.folder / "nodes").exists():
                remove_tree(lab.folder)
            raise
    return lab


def start(lab: Lab, progress: Progress, mirror: str | None) -> None:
    """Start all that is not running, and prove that the cloud works if anything was started."""
    if (lab.folder / GIVING_UP).exists():
        give_up_disks(lab)
    baked = layers_for(lab, progress, mirror)
    with progress.phase("power on"):
        was_on = switch_on(lab, baked)
    if was_on and is_proved(lab):
        return
    wait_and_prove(lab, progress)


def layers_for(lab: Lab, progress: Progress, mirror: str | None) -> Baked:
    """Return the layers that the lab uses; for a lab without disks, those that it will use.

    Disks hold differences to their layers: a lab that has them never changes to newer layers.
    """
    standing = lab.folder / "standing.json"
    with progress.phase("look into the cache"):
        if standing.exists():
            baked = get_baked(lab, keys_in(standing))
            if baked is None:
                raise Refused(
                    f"the lab `{lab.name}` needs layers that are no longer in the cache",
                    stands="nothing was changed",
                    hint=f"`stackward lab reset --name {lab.name}` starts it from the beginning",
                )
            return baked
        baked = find_baked(lab)
    # What runs without a disk is left of a bake that died: no node of this lab.
    machines = [Machine(lab, node) for node in lab.nodes]
    bare = [machine for machine in machines if not (machine.folder / "disk.img").exists()]
    each([machine for machine in bare if machine.is_on()], Machine.cut_power)
    if baked is None:
        network.require_free(lab)  # as powering on does: not only after minutes of building
        chosen = mirror or host_mirror()
        check_mirror(chosen, lab.release, lab.cache)
        logs = lab.folder / "logs"
        logs.mkdir(exist_ok=True)
        baked = bake_cloud(lab, chosen, progress, logs)
    write_private(standing, json.dumps(baked.keys))
    return baked


def keys_in(standing: Path) -> dict[str, str]:
    """Read which layers a lab uses.

    Raises Refused when the file does not show it.
    """
    try:
        keys = json.loads(standing.read_text())
        return {"base": keys.pop("base"), "cloud": keys.pop("cloud"), **keys}
    except (ValueError, KeyError, AttributeError) as broken:
        raise Refused(
            f"the layers of a lab's disks cannot be read: {standing}",
            stands="nothing was changed",
            hint="`stackward lab reset` starts the lab from the beginning",
        ) from broken


def switch_on(lab: Lab, baked: Baked) -> bool:
    """Start networks, BMCs and nodes; say whether everything ran already."""
    machines = [Machine(lab, node) for node in lab.nodes]
    bmcs.write_logins(lab)
    login = LOGIN if baked.has_login else "root"
    if not lab.inventory_with_agent.exists():  # of a lab that an earlier version has started
        write_inventory_with_agent(lab, login)
    if (
        all(machine.is_on() for machine in machines)
        and bmcs.cgroup_of(lab).is_populated()
        and network.has_bridges(lab)
        and is_mounted(lab.folder / "shared")
    ):
        return True
    network.make_bridges(lab)
    ssh.make_keys(lab)
    mount_shared(lab, baked)
    write_private(lab.clouds_yaml, yaml.safe_dump(clouds(lab), sort_keys=False))
    lab.inventory.write_text(yaml.safe_dump(inventory(lab, login), sort_keys=False))
    write_inventory_with_agent(lab, login)
    bmcs.start(lab)
    (lab.folder / "proved").unlink(missing_ok=True)

    def one(machine: Machine) -> None:
        if not machine.is_on():
            set_up(lab, machine, baked)
            machine.power_on()

    each(machines, one)
    return False


def set_up(lab: Lab, machine: Machine, baked: Baked) -> None:
    """Say what a node boots."""
    shared = [(lab.folder / "shared", "/srv/shared")]
    if machine.node.role == "compute" and lab.shared_instances:
        shared.append((lab.folder / "shared/instances", "/var/lib/nova/instances"))
    system = System(
        layers=baked.below(machine.node.kind.image),
        writable=machine.folder / "disk",
        disk=machine.folder / "disk.img",
        shared=tuple(shared),
        own_instances=machine.node.role == "compute" and not lab.shared_instances,
    )
    own = own_files(lab, machine.node)
    if not baked.has_login:
        own = [file for file in own if file["owner"] != f"{LOGIN}:{LOGIN}"]
    machine.set_up(system, own)


def wait_and_prove(lab: Lab, progress: Progress) -> None:
    """Wait for the cloud to be complete, then boot a server on each node and remove it."""
    with progress.phase("nodes answer"):
        ready.wait_for_nodes(lab)
    with ThreadPoolExecutor() as pool:
        faked = pool.submit(fakes.start, lab)
        with progress.phase("APIs answer"):
            ready.wait_for_apis(lab)
        faked.result()
    kept_off = ready.in_maintenance(lab)
    for name in kept_off:
        progress.tell(f"{name} is in maintenance: its nova-compute is off on purpose")
    with progress.phase("compute nodes are up"):
        ready.wait_for_computes(lab, kept_off)
    bmcs.wait_for(lab)
    takes_servers = ready.in_service(lab)
    if not takes_servers:
        progress.tell("no compute node is in service: no server was booted")
        return
    with progress.phase("a server on each node becomes ACTIVE"):
        prove(lab, takes_servers)
    (lab.folder / "proved").touch()


def is_proved(lab: Lab) -> bool:
    """Say whether this boot of the lab has been proved to work."""
    return (lab.folder / "proved").exists()


def shut_down(lab: Lab) -> None:
    """Shut everything down and leave nothing of it running or mounted; the disks stay."""
    bmcs.stop(lab)
    each([Machine(lab, node) for node in lab.nodes], Machine.shut_down)
    clear_host(lab.folder)


def cut_down(lab: Lab) -> None:
    """Stop everything at once, as a power cut would, for a lab whose disks are given up."""
    bmcs.stop(lab)
    each([Machine(lab, node) for node in lab.nodes], Machine.cut_power)
    clear_host(lab.folder)


def clear_host(folder: Path) -> None:
    """Take away what the lab whose files are in `folder` put on the host besides files."""
    network.remove_bridges(folder)
    (folder / "proved").unlink(missing_ok=True)
    if is_mounted(folder / "shared"):
        run(["umount", folder / "shared"])
    Cgroup(folder, "none").remove()
    # The mounts of nodes that have just ended go a moment after their last process.
    wait_until_let_go(folder / "shared.img")


def purge(claims: Claims, name: str) -> None:
    """Stop a lab at once and remove all its files; the cache stays.

    A lab whose file cannot be read is stopped and removed as far as its folder shows.
    """
    try:
        lab = claims.get(name)
    except Refused:
        Cgroup(claims.folder / name, "").kill()
        clear_host(claims.folder / name)
        remove_tree(claims.folder / name)
        return
    with claims.changing(lab):
        give_up_disks(lab)
        remove_tree(lab.folder)


def clear_cache(claims: Claims) -> tuple[list[str], list[str]]:
    """Remove the layers that no lab uses; return the names of those removed and those kept."""
    kept = set()
    for lab in claims.all():
        with contextlib.suppress(FileNotFoundError):
            keys = keys_in(lab.folder / "standing.json")
            kept |= {f"{name}-{key}" for name, key in keys.items()}
    return Cache(claims.cache).clear(except_for=kept), sorted(kept)


def reset(lab: Lab, progress: Progress, mirror: str | None) -> None:
    """Put the lab back to its first state: every disk is made new."""
    with progress.phase("power off"):
        give_up_disks(lab)
    start(lab, progress, mirror)


def give_up_disks(lab: Lab) -> None:
    """Cut the power and remove every disk of the lab.

    Nodes remember each other: once some disks are gone, the others are of no use. If this has died
    in a lab, the next command there finishes it first.
    """
    begun = lab.folder / GIVING_UP
    begun.touch()
    cut_down(lab)
    for node in lab.nodes:
        Machine(lab, node).forget()
    # After the disks: a lab that has some must know which layers they need.
    for left in ("standing.json", "shared.img", "faults.json"):
        (lab.folder / left).unlink(missing_ok=True)
    begun.unlink()


def mount_shared(lab: Lab, baked: Baked) -> None:
    """Mount the directory that is used instead of network storage, on a disk of stated size."""
    disk, place = lab.folder / "shared.img", lab.folder / "shared"
    if not disk.exists():
        make_disk(disk, SHARED_GIB)
    place.mkdir(exist_ok=True)
    if not is_mounted(place):
        run(["mount", "-o", "loop,noatime", disk, place])
    (place / "volumes").mkdir(mode=0o777, exist_ok=True)
    (place / "volumes").chmod(0o777)
    instances = place / "instances"
    instances.mkdir(exist_ok=True)
    nova = next(
        line.split(":")
        for line in (baked.images["compute"].tree / "etc/passwd").read_text().splitlines()
        if line.startswith("nova:")
    )
    shutil.chown(instances, int(nova[2]), int(nova[3]))


def is_mounted(place: Path) -> bool:
    """Say whether something is mounted there."""
    return succeeds(["mountpoint", "--quiet", place])


def write_inventory_with_agent(lab: Lab, login: str) -> None:
    """Write the inventory by which a fence agent switches the nodes, and that agent."""
    fence_agent.write_program(lab)
    text = yaml.safe_dump(inventory(lab, login, has_agent=True), sort_keys=False)
    lab.inventory_with_agent.write_text(text)


def inventory(lab: Lab, login: str = LOGIN, *, has_agent: bool = False) -> dict[str, object]:
    """Return the lab's inventory, in Ansible's YAML form: nodes are reached as an operator does.

    Their power is switched by their BMCs, or by the lab's fence agent.
    """
    groups: dict[str, dict[str, dict[str, object]]] = {}
    for node in lab.nodes:
        for group in node.kind.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][node.name] = {}
    return {
        "all": {
            "vars": {
                "ansible_user": login,
                "ansible_ssh_common_args": f"-F {lab.ssh_config}",
            },
            "hosts": {
                node.name: node_variables(lab, node, has_agent=has_agent) for node in lab.nodes
            },
            "children": groups,
        }
    }


def node_variables(lab: Lab, node: Node, *, has_agent: bool) -> dict[str, object]:
    """Return what the inventory says of a node; the BMC's password is not in it."""
    if has_agent:
        device = {
            "fence_agent": str(fence_agent.program_of(lab)),
            "fence_options": f"plug={node.name}",
        }
    else:
        bmc = bmcs.bmc_of(lab, node)
        device = {"bmc_url": f"{bmc.url}{bmc.system_path}"}
    return {"ansible_host": node.address, **device}
