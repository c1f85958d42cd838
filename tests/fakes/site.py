"""A cloud to look at that is well, until somebody changes it."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fakes.apis import FakeApis, beat
from fakes.clock import FakeClock
from fakes.nodes import FakeNodes, sample
from fakes.power import FakePower
from fakes.together import OneByOne
from stackward.anatomy import read_anatomy
from stackward.facts.cloud_state import CheckRequest
from stackward.health.looking import check_cloud
from stackward.model.cloud_state import Failed
from stackward.model.health import Health
from stackward.model.identity import Itself
from stackward.model.login import Login
from stackward.model.unread import Unread
from stackward.ports.probes import Probes


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
    power: FakePower = field(default_factory=FakePower)

    def probes(self) -> Probes:
        """Return the ports over it."""
        return Probes(
            clock=self.clock,
            shell=self.nodes,
            apis=self.apis,
            together=self.together,
            nodes=tuple(node for node in self.nodes.told if node not in self.left_out),
            unknown=self.unknown,
            left_out=self.left_out,
            logins=self.logins,
            remember=lambda _cloud: self.remembered,
            power=self.power,
        )

    def look(self, **asked: Any) -> Health:  # noqa: ANN401  # fields of the request
        """Look at it once."""
        return check_cloud(self.probes(), CheckRequest(**asked))[0]

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


def soon(days: int) -> datetime:
    """Return a day so many days from the time of the look."""
    return FakeClock().now().astimezone(UTC) + timedelta(days=days, hours=1)


ANATOMY = read_anatomy()
