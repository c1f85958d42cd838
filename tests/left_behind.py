"""What a lab that is down has left on this machine: nothing, if all is well."""

from collections.abc import Iterator
from pathlib import Path

from stackward.lab.machine import Machine
from stackward.lab.spec import Lab


def left_behind(lab: Lab) -> list[str]:
    """Name each process, mount, interface, loop device and cgroup of a lab that is there."""
    return [*processes(lab), *mounts(lab), *interfaces(lab), *loop_devices(lab), *cgroups(lab)]


def processes(lab: Lab) -> Iterator[str]:
    """Name each process whose command line names the lab's folder, or that is in its cgroup."""
    place = str(Machine(lab, lab.control).cgroup.path.parent.name)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().replace("\0", " ")
            inside = (folder / "cgroup").read_text()
            is_dead = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:  # it ended meanwhile
            continue
        if is_dead:  # it waits for this machine's init to look at it
            continue
        if f"{lab.folder}/" in words or words.endswith(str(lab.folder)) or place in inside:
            yield f"process {folder.name}: {words}"


def mounts(lab: Lab) -> Iterator[str]:
    """Name each mount of the host in the lab's folder."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        if f"{lab.folder}/" in line:
            yield f"mount {line}"


def interfaces(lab: Lab) -> Iterator[str]:
    """Name each bridge and cable."""
    names = {lab.bridge, lab.data_bridge}
    for node in lab.nodes:
        names |= {node.host_interface, node.host_data_interface or lab.bridge}
    for link in Path("/sys/class/net").iterdir():
        if link.name in names:
            yield f"interface {link.name}"


def loop_devices(lab: Lab) -> Iterator[str]:
    """Name each loop device over one of the lab's files."""
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        if backing.read_text().startswith(f"{lab.folder}/"):
            yield f"loop device {backing.parts[3]}"


def cgroups(lab: Lab) -> Iterator[str]:
    """Name each cgroup of the lab."""
    top = Machine(lab, lab.control).cgroup.path.parent
    if top.exists():
        yield f"cgroup {top}"
