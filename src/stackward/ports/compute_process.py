"""What is read of nova-compute's processes on a node, for every room that asks."""

from stackward.errors import Uncertain, Unreachable
from stackward.model.compute_process import (
    PROCESSES,
    UNIT,
    ComputeProcess,
    RunningAs,
    parse_processes,
)
from stackward.model.unread import Unread
from stackward.ports.shell import Shell

# For how many seconds each of the processes has run whose ids follow. Needs a login only.
AGES = ("ps", "-o", "etimes=", "-p")
_LOAD_STATE = ("systemctl", "show", "--property=LoadState", UNIT)


def read_processes(shell: Shell, node: str) -> tuple[ComputeProcess, ...] | Unread:
    """Return nova-compute's processes; or why they could not be seen, though the node answered."""
    answer = shell.run(node, PROCESSES)
    if answer.code != 0:
        return Unread(f"`ps` on `{node}`: {answer.err.strip() or f'code {answer.code}'}")
    return parse_processes(answer.out)


def read_ages(shell: Shell, node: str) -> tuple[float, ...] | Unread:
    """Return for how many seconds each process of nova-compute there has run, by the node's clock.

    Or why that could not be read, though the node answered; never none of them.
    """
    processes = read_processes(shell, node)
    if isinstance(processes, Unread):
        return processes
    if not processes:
        return Unread(f"`ps` on `{node}` shows no process of nova-compute")
    pids = ",".join(str(one.pid) for one in processes)
    answer = shell.run(node, (*AGES, pids))
    words = answer.out.split()
    # `ps` ends with 1 where all have ended.
    if answer.code not in {0, 1} or not all(word.isdecimal() for word in words):
        return Unread(f"`ps` on `{node}`: {answer.err.strip() or f'code {answer.code}'}")
    if len(words) != len(processes):
        return Unread(f"a nova-compute on `{node}` ended, while its age was read")
    return tuple(float(word) for word in words)


def read_running_as(shell: Shell, node: str) -> RunningAs | Unread:
    """Return how nova-compute runs there; or why that could not be read."""
    try:
        processes = read_processes(shell, node)
        load = shell.run(node, _LOAD_STATE)
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    if isinstance(processes, Unread):
        return processes
    told = dict(line.split("=", 1) for line in load.out.splitlines() if "=" in line)
    state = told.get("LoadState")
    if load.code != 0 or not state:
        return Unread(f"`systemctl` on `{node}`: {load.err.strip() or f'code {load.code}'}")
    return RunningAs(unit_load=state, processes=processes)
