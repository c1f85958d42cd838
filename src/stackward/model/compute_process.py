"""How nova-compute runs on a node: the processes of it, and what each belongs to.

A unit alone does not show it. `systemctl mask` accepts a unit that does not exist: it then reads as
masked and inactive, while a container runs nova-compute.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from stackward.answers import lines, understood, whole, why
from stackward.errors import NotUnderstood
from stackward.model.service import NOVA_COMPUTE
from stackward.model.unread import Unread

UNIT = "nova-compute.service"

# Needs no rights beyond a login. `ps` (procps 3.3 and later) cuts a cgroup without a width.
PROCESSES = ("ps", "-e", "-ww", "-o", "pid=", "-o", "cgroup:512=", "-o", "args=")

_MODULE = "nova.cmd.compute"  # what the script nova-compute imports
_INTERPRETER = re.compile(r"-?(python|platform-python|(ba|da|k|z)?sh\b).*")  # a login's has a `-`
_FIRST = 1  # the process that every login sees, unless /proc hides those of others
_OWN = re.compile(rf"^(/[^/]+\.slice)*/{re.escape(UNIT)}(/|$)")
_CONTAINER = re.compile(
    r"(?P<engine>docker|libpod|crio|cri-containerd|lxc\.payload|lxc)(-payload)?[-/.]"
    r"(?P<name>[\w-]+)"
)
_SERVICE = re.compile(r"([^/]+\.service)(/|$)")
_ENGINES = {"libpod": "podman", "lxc.payload": "lxc", "cri-containerd": "containerd"}
_SHOWN = 12  # of a container's id, as its engine shows it


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeProcess:
    """A process of nova-compute, and what it belongs to."""

    pid: int
    unit: str | None = None  # of systemd
    container: str | None = None  # in words: "docker 4f5e6a7b8c9d"

    @property
    def is_of_the_unit(self) -> bool:
        """Say whether it is nova-compute.service that runs it: what is kept off is that unit."""
        return self.unit == UNIT and self.container is None

    @property
    def words(self) -> str:
        """Say what it belongs to."""
        if self.container:
            return f"in a container ({self.container}), as process {self.pid}"
        if self.unit:
            return f"by the unit `{self.unit}`, as process {self.pid}"
        return f"by no unit of systemd, as process {self.pid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningAs:
    """What runs nova-compute on a node, and whether its unit exists."""

    unit_load: str = "loaded"  # systemd's `LoadState`: loaded, masked, not-found, ...
    processes: tuple[ComputeProcess, ...] = ()

    @property
    def outside(self) -> tuple[ComputeProcess, ...]:
        """Return the processes that stopping the unit does not end."""
        return outside(self.processes)


def outside(processes: tuple[ComputeProcess, ...]) -> tuple[ComputeProcess, ...]:
    """Return the processes that are not those of the unit nova-compute.service."""
    return tuple(each for each in processes if not each.is_of_the_unit)


def parse_processes(listed: str) -> tuple[ComputeProcess, ...] | Unread:
    """Read what `PROCESSES` prints; unread where the processes of others are hidden."""
    rows = [row.split(None, 2) for row in lines(listed)]
    try:
        with understood("`ps`", listed):
            seen = {whole(pid) for pid, *_ in rows}
    except NotUnderstood as error:
        return Unread(why(error))
    if _FIRST not in seen:
        return Unread("`ps` shows no process of others there (is /proc mounted with `hidepid`?)")
    return tuple(_of_compute(rows))


def _of_compute(rows: list[list[str]]) -> Iterator[ComputeProcess]:
    for row in rows:
        if len(row) == 3 and row[0].isdigit() and _is_compute(row[2]):  # noqa: PLR2004  # as asked for
            yield _placed(int(row[0]), row[1])


def _is_compute(arguments: str) -> bool:
    """Say whether a process carries out nova-compute: itself, or through an interpreter.

    Which word of an interpreter is its script depends on its flags, so any word counts. If that is
    one process too many, the operator looks at it. If one is missed, the node would count as off.
    """
    program, *others = (word.rpartition("/")[2] for word in arguments.split())
    if program.rstrip(":") == NOVA_COMPUTE:  # a title that a process gives itself ends so
        return True
    return bool(_INTERPRETER.fullmatch(program)) and any(
        word == NOVA_COMPUTE or word.removeprefix("-m") == _MODULE for word in others
    )


def _placed(pid: int, cgroups: str) -> ComputeProcess:
    """Say what a process belongs to, by its paths in all hierarchies: `0::/a,1:name=systemd:/b`."""
    paths = [each.rpartition(":")[2] for each in cgroups.split(",")]
    if any(_OWN.match(path) for path in paths):
        return ComputeProcess(pid=pid, unit=UNIT)
    for path in paths:
        if found := _CONTAINER.search(path):
            engine = _ENGINES.get(found["engine"], found["engine"])
            return ComputeProcess(pid=pid, container=f"{engine} {found['name'][:_SHOWN]}")
    units = [found[1] for path in paths if (found := _SERVICE.search(path))]
    return ComputeProcess(pid=pid, unit=units[0] if units else None)
