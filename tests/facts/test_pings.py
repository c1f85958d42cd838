"""The script that calls services over RPC, and how it is sent."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.apis import FakeApis
from fakes.clock import FakeClock
from fakes.nodes import NO_ROUTE
from fakes.together import OneByOne
from late import late_s
from stackward.facts.pings import begin_pings, script
from stackward.model.cloud_state import UNREACHED, PingTarget, Rpc, RpcAnswer
from stackward.ports.deadline import Deadline
from stackward.ports.probes import Probes
from stackward.ports.shell import Answer

CONDUCTOR = PingTarget(
    node="ctl",
    settings=("/etc/nova/nova.conf", "/etc/nova/nova.conf.d"),
    exchange="nova",
    topic="conductor",
    server="ctl",
)
IN_KOLLA = replace(CONDUCTOR, engine="podman", container="nova_conductor", server="ctl2")


class Commands:
    """A node that takes commands, and answers all in one way."""

    def __init__(self, answer: Answer | Exception) -> None:
        self.answer = answer
        self.commands: list[Sequence[str]] = []

    def run(self, node: str, command: Sequence[str], /, **_: object) -> Answer:
        self.commands.append(command)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def ping(shell: Commands, *targets: PingTarget) -> dict[str, RpcAnswer]:
    ports: dict[str, Any] = {"clock": FakeClock(), "shell": shell, "together": OneByOne()}
    looks = Probes(**ports, apis=FakeApis(), nodes=("ctl",))
    deadline = Deadline.after(looks.clock, 9.0)
    return begin_pings(looks, targets, deadline, within_s=5.0).told(within_s=9.0)


def test_it_tells_by_itself_that_the_library_is_not_there() -> None:
    asked = json.dumps({"within_s": 1.0, "least_s": 0.5, "ends_s": 4.0, "groups": []})

    told = subprocess.run(
        [sys.executable, "-I", "-", asked],
        input=script(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(told.stdout)["why"] == "ModuleNotFoundError"


OSLO = {
    "oslo_messaging.py": """
import time
class MessagingTimeout(Exception): pass
class RemoteError(Exception): pass
class Target:
    def __init__(self, **more): self.server = more["server"]
class Client:
    def __init__(self, transport, target, timeout, retry):
        self.target, self.timeout = target, timeout
    def call(self, context, name):
        if self.target.server == "frozen":
            time.sleep(self.timeout)
            raise MessagingTimeout
get_rpc_client = Client
def get_rpc_transport(settings): return "there"
""",
    "oslo_config.py": """
class cfg:
    class DuplicateOptError(Exception): pass
    class NoSuchOptError(Exception): pass
    class NoSuchGroupError(Exception): pass
    def BoolOpt(name, default): return None
    class CONF:
        rpc_ping_enabled, control_exchange = True, "nova"
        def register_opt(self, one): pass
        def __call__(self, *words, **more): pass
        def set_default(self, *words): pass
        def set_override(self, *words, **more): pass
    CONF = CONF()
""",
}


@pytest.mark.parametrize(
    ("ends_s", "least_s", "frozen"),
    [
        pytest.param(6.0, 1.5, "silent", id="no answer within a fair time"),
        pytest.param(2.0, 2.0, "not asked", id="no answer within less: that proves nothing"),
    ],
)
def test_an_answer_counts_however_little_time_it_had_but_silence_does_not(
    tmp_path: Path, ends_s: float, least_s: float, frozen: str
) -> None:
    for name, stand_in in OSLO.items():
        (tmp_path / name).write_text(stand_in)
    targets = [{"topic": "conductor", "server": each} for each in ("frozen", "well")]
    group = {"exchange": "nova", "settings": ["/etc/hostname"], "targets": targets}
    times = {"within_s": 3.0, "least_s": least_s, "ends_s": ends_s}  # a busy machine starts it late
    asked = {name: late_s(each) for name, each in times.items()} | {"groups": [group]}
    there = script().replace(
        "import sys\n", f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n", 1
    )

    told = subprocess.run(
        [sys.executable, "-", json.dumps(asked)],
        input=there,
        capture_output=True,
        text=True,
        check=True,
    )

    came = json.loads(told.stdout)["told"]
    assert came["conductor.well"]["outcome"] == "answered", came
    assert came["conductor.frozen"]["outcome"] == frozen


def test_what_runs_in_a_container_is_called_from_in_there() -> None:
    shell = Commands(Answer(0, json.dumps({"told": {}})))

    ping(shell, CONDUCTOR, IN_KOLLA)

    plain, inside = shell.commands
    assert plain[:3] == ["python3", "-I", "-"]
    assert inside[:7] == ["podman", "exec", "-i", "nova_conductor", "python3", "-I", "-"]
    [group] = json.loads(inside[7])["groups"]
    assert group["targets"] == [{"topic": "conductor", "server": "ctl2"}]


def test_no_words_of_an_error_come_home_but_its_kind() -> None:
    told = {"conductor.ctl": {"outcome": "not asked", "why": "MessageDeliveryFailure"}}

    [answer] = ping(Commands(Answer(0, json.dumps({"told": told}))), CONDUCTOR).values()

    assert answer.outcome is Rpc.NOT_ASKED
    assert answer.why == "RabbitMQ cannot be reached with its settings"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(Answer(0, json.dumps({"told": {}})), "no answer in time", id="late"),
        pytest.param(Answer(1, "", "Killed"), "Killed", id="broken"),
        pytest.param(NO_ROUTE, f"{UNREACHED}: cannot log in to `c01`", id="no way there"),
    ],
)
def test_what_was_not_called_says_why(answer: Answer | Exception, why: str) -> None:
    [told] = ping(Commands(answer), CONDUCTOR).values()

    assert (told.outcome, told.why) == (Rpc.NOT_ASKED, why)
