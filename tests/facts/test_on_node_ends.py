"""The scripts on a node end by themselves, whatever hangs there, and tell what they have."""

import json
import os
import signal
import subprocess  # noqa: TID251  # the scripts as processes
import sys
import time
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from late import late_s
from stackward.facts import pings, survey
from stackward.facts.services_on_node import TIMED_OUT
from stackward.lab.waiting import wait_until

WITHIN_S = 2.0  # on an idle machine; a busy one starts a process late
UNIT = "Id=nova-compute.service\nActiveState=active\n"
WORKS = {
    "systemctl": f"printf '{UNIT}'",
    "ss": "head -c 1000000 /dev/zero | tr '\\0' x",
    "ps": "exit 0",
}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., "tuple[dict[str, Any], float]"]:
    """Return what runs the script where programs are stand-ins: what it told, and how long."""

    def look(asked: dict[str, Any] | None = None, **programs: str) -> tuple[dict[str, Any], float]:
        for name, does in {**WORKS, **programs}.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
            (tmp_path / name).chmod(0o755)
        usual = {"units": ["nova-compute.service"], "paths": [], "settings": []}
        began = time.monotonic()
        ended = subprocess.run(  # noqa: S603  # ours
            [
                sys.executable,
                "-",
                json.dumps({**usual, "within_s": late_s(WITHIN_S), **(asked or {})}),
            ],
            input=survey.script(),
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60 + late_s(WITHIN_S),
        )
        return json.loads(ended.stdout), time.monotonic() - began

    return look


def the_script() -> ModuleType:
    """Load the script."""
    path = Path(survey.__file__).parent / "on_node/gather.py"
    spec = spec_from_file_location("gather_ends", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Run = Callable[..., tuple[dict[str, Any], float]]


@pytest.mark.parametrize("tool", ["rabbitmqctl", "virsh", "systemctl"])
def test_a_tool_that_hangs_is_given_up_and_the_rest_is_told(run: Run, tool: str) -> None:
    units = UNIT + "\nId=libvirtd.service\nActiveState=active\n"
    told, took = run(**{"systemctl": f"printf '{units}'", tool: "exec sleep 300"})

    # Where a busy machine gives the look more time than the tool has, timeout(1) ends the tool.
    given_up = [one for one in told["commands"].values() if one["code"] in {None, *TIMED_OUT}]
    assert given_up
    assert {one["err"] for one in given_up if one["code"] is None} <= {
        "no answer in time",
        "no time was left for it in this look",
    }
    assert told["memory"]
    assert took < late_s(WITHIN_S) + late_s()


@pytest.mark.parametrize("hears", ["", "trap '' TERM; "], ids=["that ends", "deaf to a signal"])
def test_a_tool_that_hangs_is_not_left_behind(run: Run, tmp_path: Path, hears: str) -> None:
    """Seen of Docker's client: with each look of a node there was one more."""
    noted = tmp_path / "noted"

    run(rabbitmqctl=f"{hears}echo $$ >>{noted}; while :; do sleep 0.2; done")

    left = [Path(f"/proc/{pid}") for pid in noted.read_text().split()]
    assert left
    assert wait_until(lambda: not any(map(is_alive, left)), within_s=late_s())


def is_alive(process: Path) -> bool:
    """Say whether a process runs: one that nobody has asked for its code does not."""
    try:
        return process.joinpath("stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_what_another_tells_meanwhile_is_read_to_its_end(run: Run) -> None:
    """More than a pipe holds: until somebody reads it, that command cannot end."""
    told, _ = run(systemctl="exec sleep 300")

    assert len(told["sockets"]["out"]) == 1_000_000


QUESTION = {
    "name": "nova-compute 0",
    "ask": ["hears"],
    "tool": "hears",
    "is_for_root": False,
    "container": "",
    "inside": [],
    "units": ["nova-compute.service"],
}


@pytest.mark.parametrize(
    ("within_s", "units_after_s", "says"),
    [
        pytest.param(3.0, 0, "no answer in time", id="a fair time"),
        pytest.param(1.0, 0, "no time was left for it in this look", id="a node asked late"),
        pytest.param(3.0, 1.5, "no time was left for it in this look", id="a slow systemd"),
    ],
)
def test_silence_is_told_only_of_what_had_a_fair_time(
    run: Run, within_s: float, units_after_s: float, says: str
) -> None:
    """Which processes run is told late on a busy node: what is asked then only seems silent."""
    slow = f"sleep {units_after_s}; printf '{UNIT}'"
    is_fair = says == "no answer in time"

    told, _ = run(
        {"questions": [QUESTION], "within_s": late_s(within_s) if is_fair else within_s},
        systemctl=slow,
        hears="exec sleep 300",
    )

    assert told["commands"]["question nova-compute 0"] == {"code": None, "out": "", "err": says}


@pytest.mark.parametrize(
    ("does", "err"), [("echo well", ""), ("exec sleep 300", "no answer in time")]
)
def test_an_engine_of_containers_that_hangs_hides_nothing_that_runs_as_a_unit(
    run: Run, does: str, err: str
) -> None:
    # Half of a second is all that is left over of 4 s, which a busy machine needs for itself.
    asked = {"questions": [QUESTION], "within_s": late_s()}

    told, _ = run(asked, docker="exec sleep 300", hears=does)

    assert told["commands"]["question nova-compute 0"]["err"] == err


@pytest.mark.parametrize(("within_s", "soon_s"), [(3.0, 0.5), (5.0, 2.5), (20.0, 10.0)])
def test_an_engine_that_hangs_leaves_the_others_a_fair_part_of_the_time(
    within_s: float, soon_s: float
) -> None:
    """Seen: of 17 s it took 14.5, and no time was left to ask an API over HTTP."""
    gather = the_script()
    commands = gather.Commands(within_s)
    waited: list[float] = []

    class Hangs:
        def join(self, for_s: float) -> None:
            waited.append(for_s)

    commands.began["containers of docker"] = time.monotonic()
    commands.reading["containers of docker"] = Hangs()

    assert commands.soon("containers of docker") == {}
    assert waited == [pytest.approx(soon_s, abs=0.2)]


def test_a_process_that_somebody_has_stopped_is_told_by_the_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gather = the_script()
    commands = gather.Commands(5.0)
    process = subprocess.Popen(["/bin/sleep", "60"])
    block = "Id={id}.service\nActiveState=active\nMainPID={pid}\nFreezerState={frozen}"
    try:
        out = [
            block.format(id="goes-on", pid=os.getpid(), frozen="running"),
            block.format(id="stopped", pid=process.pid, frozen="running"),
            block.format(id="frozen", pid=os.getpid(), frozen="frozen"),
            block.format(id="has-none", pid=0, frozen="running"),
            block.format(id="of-init-d", pid=0, frozen="running") + "\nControlGroup=/of-init-d",
        ]
        commands.ended["units"] = {"code": 0, "out": "\n\n".join(out), "err": ""}
        procs = {"/sys/fs/cgroup/of-init-d/cgroup.procs": f"{process.pid}\n"}
        kernel = gather.read
        monkeypatch.setattr(gather, "read", lambda path: procs.get(path) or kernel(path))
        before = gather.stopped(commands)
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        after = gather.stopped(commands)
    finally:
        process.kill()
        process.wait()

    assert before == ["frozen.service"]
    assert after == ["stopped.service", "frozen.service", "of-init-d.service"]


def test_what_runs_in_the_containers_of_an_engine_that_hangs_is_told_by_the_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gather = the_script()
    files = {
        "/proc/7/cgroup": "0::/system.slice/docker-4f1c0e5b7d2a.scope\n",
        "/proc/7/comm": "haproxy\n",
        "/proc/8/cgroup": "0::/system.slice/ssh.service\n",
        "/proc/8/comm": "sshd\n",
        "/proc/9/cgroup": "1:cpu:/docker/4f1c0e5b7d2b9c3e\n",
        "/proc/9/comm": "beam.smp\n",
    }
    monkeypatch.setattr(gather, "read", lambda path: files.get(path, ""))
    monkeypatch.setattr(os, "listdir", lambda _: ["7", "8", "9", "self"])
    commands = gather.Commands(1.0)
    commands.ended["containers of docker"] = {"code": None, "out": "", "err": "no answer in time"}
    commands.ended["containers of podman"] = {"code": 0, "out": "", "err": ""}

    assert gather.contained(commands) == {"docker": ["beam.smp", "haproxy"]}


def test_an_answer_counts_however_little_time_it_had(run: Run) -> None:
    within_s = late_s(WITHIN_S)
    slow = f"sleep {within_s - 1.8}; printf '{UNIT}'"  # 2 s would be a fair time

    told, _ = run(
        {"questions": [QUESTION], "within_s": within_s}, systemctl=slow, hears="echo well"
    )

    answer = {"code": 0, "out": "well\n", "err": ""}
    assert told["commands"]["question nova-compute 0"] == answer


@pytest.mark.parametrize(
    ("script", "call"),
    [
        pytest.param(
            survey.script(),
            "container = lambda: time.sleep(300)\nmain({'within_s': 1, 'units': [], 'paths': []})",
            id="of the survey",
        ),
        pytest.param(
            pings.script(),
            "json.dumps = lambda *_: time.sleep(300)\n"
            "main({'within_s': 1, 'least_s': 0.5, 'ends_s': 1, 'groups': []})",
            id="of the calls over RPC",
        ),
    ],
)
def test_a_script_that_something_holds_is_ended_by_its_own_alarm(script: str, call: str) -> None:
    """A disk that has died: nobody at home could end it there."""
    functions = script.partition('if __name__ == "__main__":')[0]
    began = time.monotonic()

    ended = subprocess.run(  # noqa: S603  # ours
        [sys.executable, "-c", f"{functions}\n{call}"],
        env=dict(os.environ),
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == -signal.SIGALRM, ended.stderr
    assert time.monotonic() - began < 3 + late_s()
