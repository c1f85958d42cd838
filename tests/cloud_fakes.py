"""A cloud to look at: three real nodes as they once answered, and APIs that say what they are told.

The nodes are the controller and two computes of a lab, word for word (`tests/facts/samples`).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fakes import FakeClock, OneByOne
from stackward.anatomy import read_anatomy
from stackward.errors import Unreachable
from stackward.facts.cloud_state import CheckRequest
from stackward.facts.pings import script
from stackward.looking import check_cloud
from stackward.model.cloud_state import (
    Answered,
    Catalog,
    Endpoint,
    Failed,
    Failure,
    Heartbeat,
    Rpc,
    RpcAnswer,
)
from stackward.model.health import Health
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import Directory, Itself, Known
from stackward.model.login import Login
from stackward.model.unread import Unread
from stackward.ports.lookout import Lookout
from stackward.ports.root import Words, must_be_declared
from stackward.ports.shell import Answer, Rights

SAMPLES = Path(__file__).parent / "facts/samples"
CTL = "http://10.77.1.10"
ENDPOINTS = tuple(
    Endpoint(kind=kind, region="RegionOne", interface=interface, url=url)
    for kind, url in (
        ("identity", f"{CTL}:5000/v3/"),
        ("image", f"{CTL}:9292"),
        ("placement", f"{CTL}:8778"),
        ("compute", f"{CTL}:8774/v2.1"),
        ("network", f"{CTL}:9696"),
        ("volumev3", f"{CTL}:8776/v3"),
    )
    for interface in ("public", "internal", "admin")
)
LOGGED_IN = Answered(took_s=0.1)
NO_ROUTE = Unreachable(
    "cannot log in to `c01`",
    service="ssh",
    says="ssh: connect to host 10.77.1.11 port 22: No route to host",
)


def sample(node: str) -> dict[str, Any]:
    """Return what a node once told."""
    told: dict[str, Any] = json.loads((SAMPLES / f"node-{node}.json").read_text())
    return told


def beat(binary: str, host: str, **more: Any) -> Heartbeat:  # noqa: ANN401  # its fields
    """Return a heartbeat, three seconds old."""
    fields = {"host": host.partition("@")[0], "name": host, "is_up": True, "age_s": 3.0}
    return Heartbeat(binary=binary, **{**fields, **more})


def of_lab() -> dict[str, list[Heartbeat] | Failed]:
    """Return what reports in the lab, by the API that it reports to."""
    return {
        "compute": [
            beat("nova-conductor", "ctl"),
            beat("nova-scheduler", "ctl"),
            beat("nova-compute", "c01"),
            beat("nova-compute", "c02"),
        ],
        "network": [beat("ovn-controller", "c01"), beat("ovn-controller", "c02")],
        "block-storage": [beat("cinder-scheduler", "ctl"), beat("cinder-volume", "ctl@nfs")],
    }


@dataclass
class FakeNodes:
    """Nodes that answer with a document, or not at all."""

    told: dict[str, dict[str, Any] | Exception]
    asked: list[str] = field(default_factory=list)
    said: dict[str, Answer] = field(default_factory=dict)  # instead of a document
    # What services answer over RPC, by their queues: they are not set to answer, unless told.
    pings: dict[str, dict[str, Any]] = field(default_factory=dict)
    pinged: list[tuple[str, str]] = field(default_factory=list)  # the node, and the queue
    cannot_ping: Answer | None = None
    addresses: dict[str, str] = field(default_factory=lambda: {"ctl": "10.77.1.10"})
    asked_names: list[str] = field(default_factory=list)

    def directory(self) -> Directory:
        known = Directory(
            Known(name=name, address=self.addresses.get(name, name)) for name in self.told
        )
        said = {each: one for each in self.asked_names if (one := self._said_by(each))}
        return known.with_said(said) if said else known

    def itself(self, node: str, /, *, within_s: float | None = None) -> Itself | None:
        self.asked_names.append(node)
        return self._said_by(node)

    def _said_by(self, node: str) -> Itself | None:
        told = self.told[node]
        return Itself(names=(told["hostname"],)) if isinstance(told, dict) else None

    def groups_of(self, node: str, /) -> tuple[str, ...]:
        return ()

    def rights(self, node: str, commands: Sequence[Words], /) -> Rights:
        return Rights("ops")

    def run(
        self,
        node: str,
        command: Sequence[str],
        /,
        *,
        as_root: bool = False,
        given: str = "",
        within_s: float | None = None,
    ) -> Answer:
        if as_root:
            must_be_declared(command)
        if given == script():
            return self._ping(node, json.loads(command[-1]))
        self.asked.append(node)
        if node in self.said:
            return self.said[node]
        told = self.told[node]
        if isinstance(told, Exception):
            raise told
        return Answer(0, json.dumps(told))

    def _ping(self, node: str, asked: dict[str, Any]) -> Answer:
        called = [target for group in asked["groups"] for target in group["targets"]]
        queues = [f"{one['topic']}.{one['server']}" for one in called]
        self.pinged += [(node, queue) for queue in queues]
        if self.cannot_ping:
            return self.cannot_ping
        told = {queue: self.pings.get(queue, {"outcome": "not enabled"}) for queue in queues}
        return Answer(0, json.dumps({"told": told}))


@dataclass
class FakeApis:
    """APIs that answer at once, unless told otherwise."""

    login: Answered | Failed = LOGGED_IN
    endpoints: tuple[Endpoint, ...] = ENDPOINTS
    region: str = "RegionOne"
    interfaces: tuple[str, ...] = ("public",)
    lists: dict[str, Answered | Failed] = field(default_factory=dict)  # by type in the catalog
    reports: dict[str, list[Heartbeat] | Failed] = field(default_factory=of_lab)
    doors: dict[str, Answered | Failed] = field(default_factory=dict)  # by URL
    certificates: dict[str, datetime | Failed] = field(default_factory=dict)
    rpc: dict[str, RpcAnswer] = field(default_factory=dict)  # by host
    called: list[str] = field(default_factory=list)  # over RPC
    calls: dict[str, RpcAnswer] = field(default_factory=dict)  # by path
    called_by_api: list[str] = field(default_factory=list)  # paths
    unusable: Exception | None = None  # what is wrong with the settings
    of_computes: list[Hypervisor] | Failed | None = None  # None: one of each nova-compute

    login_url = f"{CTL}:5000/v3"

    def load(self) -> None:
        if self.unusable:
            raise self.unusable

    def log_in(self, *, within_s: float) -> tuple[Answered | Failed, Catalog | None]:
        if isinstance(self.login, Failed):
            return self.login, None
        return self.login, Catalog(
            endpoints=self.endpoints, region=self.region, interfaces=self.interfaces
        )

    def ask(
        self, endpoint: Endpoint, path: str, *, version: str | None, within_s: float
    ) -> Answered | Failed:
        return self.lists.get(endpoint.kind, Answered(took_s=0.25))

    def reach(self, url: str, *, within_s: float) -> Answered | Failed:
        return self.doors.get(url, Answered(took_s=0.05))

    def expiry(self, host: str, port: int, *, within_s: float) -> datetime | Failed:
        return self.certificates[f"{host}:{port}"]

    def heartbeats(
        self, endpoint: Endpoint, kind: str, *, within_s: float
    ) -> Sequence[Heartbeat] | Failed:
        return self.reports[kind]

    def hypervisors(self, endpoint: Endpoint, *, within_s: float) -> Sequence[Hypervisor] | Failed:
        if self.of_computes is not None:
            return self.of_computes
        return [
            Hypervisor(id=f"id-{one.host}", name=one.host, host=one.host, kind="QEMU")
            for one in self.computes()
        ]

    def call(self, endpoint: Endpoint, path: str, *, answer: str, within_s: float) -> RpcAnswer:
        self.called_by_api.append(path)
        return self.calls.get(path, RpcAnswer(outcome=Rpc.ANSWERED, took_s=0.5))

    def uptime(self, endpoint: Endpoint, hypervisor: str, *, within_s: float) -> RpcAnswer:
        host = hypervisor.removeprefix("id-")
        self.called.append(host)
        return self.rpc.get(host, RpcAnswer(outcome=Rpc.ANSWERED, took_s=0.5))

    def computes(self) -> list[Heartbeat]:
        found = self.reports["compute"]
        return [] if isinstance(found, Failed) else [o for o in found if o.binary == "nova-compute"]


@dataclass
class Site:
    """A cloud that is well, until somebody changes it."""

    nodes: FakeNodes = field(
        default_factory=lambda: FakeNodes({node: sample(node) for node in ("ctl", "c01", "c02")})
    )
    apis: FakeApis = field(default_factory=FakeApis)
    together: OneByOne = field(default_factory=OneByOne)
    clock: FakeClock = field(default_factory=FakeClock)

    unknown: dict[str, str] = field(default_factory=dict)  # nodes, and why
    left_out: dict[str, str] = field(default_factory=dict)  # nodes, and how they are reached
    logins: dict[str, Login] = field(default_factory=dict)  # nodes, and how one logs in to them

    remembered: dict[str, Itself] | Unread = field(default_factory=dict)  # of earlier plans

    def lookout(self) -> Lookout:
        """Return the ports over it."""
        return Lookout(
            clock=self.clock,
            shell=self.nodes,
            apis=self.apis,
            together=self.together,
            nodes=tuple(node for node in self.nodes.told if node not in self.left_out),
            unknown=self.unknown,
            left_out=self.left_out,
            logins=self.logins,
            remember=lambda _cloud: self.remembered,
        )

    def look(self, **asked: Any) -> Health:  # noqa: ANN401  # fields of the request
        """Look at it once."""
        return check_cloud(self.lookout(), CheckRequest(**asked))[0]

    def told(self, node: str) -> dict[str, Any]:
        """Return the document of a node, to be changed."""
        told = self.nodes.told[node]
        assert isinstance(told, dict)
        return told

    def grow(self, count: int) -> list[str]:
        """Add so many compute nodes, each as c01 once answered, and return their names."""
        names = [f"n{number:03}" for number in range(count)]
        reports, rabbit = self.apis.reports["compute"], self.told("ctl")["commands"]
        agents = self.apis.reports["network"]
        assert isinstance(reports, list)
        assert isinstance(agents, list)
        one = sample("c01")
        for name in names:
            self.nodes.told[name] = {**one, "hostname": name}
            reports.append(beat("nova-compute", name))
            agents.append(beat("ovn-controller", name))
            rabbit["rabbitmq queues"]["out"] += f"compute.{name}\t0\t1\tclassic\n"
            rabbit["rabbitmq bindings"]["out"] += f"nova\tcompute.{name}\tcompute.{name}\n"
        return names

    # --- what may go wrong ---

    def unit(self, node: str, unit: str, **facts: str) -> None:
        """Change what systemd on a node says of a unit."""
        answer = self.told(node)["commands"]["units"]
        blocks = answer["out"].split("\n\n")
        found = [n for n, block in enumerate(blocks) if f"Id={unit}" in block.splitlines()]
        assert found, f"{node} has no {unit}"
        for at in found:
            for name, value in facts.items():
                blocks[at] = re.sub(rf"(?m)^{name}=.*$", f"{name}={value}", blocks[at])
        answer["out"] = "\n\n".join(blocks)

    def stop(self, node: str, unit: str) -> None:
        """Stop a unit that is to run."""
        self.unit(node, unit, ActiveState="inactive", SubState="dead")

    def cut(self, node: str, port: int) -> None:
        """End every connection of a node to a port."""
        sockets = self.told(node)["sockets"]
        kept = [line for line in sockets["out"].splitlines() if f":{port} " not in _far(line)]
        sockets["out"] = "\n".join(kept)

    def command(self, node: str, name: str, code: int | None, out: str = "", err: str = "") -> None:
        """Let a command on a node answer otherwise."""
        self.told(node)["commands"][name] = {"code": code, "out": out, "err": err}

    def silence(self, binary: str, host: str, **more: Any) -> None:  # noqa: ANN401  # its fields
        """Let a process report no longer, or otherwise."""
        for reports in self.apis.reports.values():
            assert not isinstance(reports, Failed)
            for at, one in enumerate(reports):
                if (one.binary, one.host) == (binary, host):
                    fields = {"is_up": False, "age_s": 95.0, **more}
                    reports[at] = beat(binary, one.name, **fields)

    def forget(self, binary: str, host: str) -> None:
        """Let the list of an API have no record of a process."""
        for reports in self.apis.reports.values():
            assert isinstance(reports, list)
            reports[:] = [one for one in reports if (one.binary, one.host) != (binary, host)]


def _far(line: str) -> str:
    words = line.split()
    return f"{words[4]} " if len(words) > 4 else ""


def refused(says: str) -> Unreachable:
    """Return what comes of a login that is not let in."""
    return Unreachable("cannot log in", service="ssh", says=says)


def no_answer(says: str = "Connection refused", *, is_late: bool = False) -> Failed:
    """Return what comes of a closed door, or of one behind which nobody answers in time."""
    return Failed(how=Failure.NO_ANSWER, says=says, is_late=is_late)


def soon(days: int) -> datetime:
    """Return a day so many days from the time of the look."""
    return FakeClock().now().astimezone(UTC) + timedelta(days=days, hours=1)


ANATOMY = read_anatomy()
