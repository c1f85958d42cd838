"""Nodes that answer a look as those of a lab once did, word for word (`tests/facts/samples`)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackward.errors import Unreachable
from stackward.facts.pings import script
from stackward.model.identity import Directory, Itself, Known
from stackward.model.unread import Unread
from stackward.ports.root import Words, must_be_declared
from stackward.ports.shell import Answer, Rights

SAMPLES = Path(__file__).parents[1] / "facts/samples"


NO_ROUTE = Unreachable(
    "cannot log in to `c01`",
    service="ssh",
    says="ssh: connect to host 10.77.1.11 port 22: No route to host",
)


def sample(node: str) -> dict[str, Any]:
    """Return what a node once told."""
    told: dict[str, Any] = json.loads((SAMPLES / f"node-{node}.json").read_text())
    return told


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

    def failure_domain(self, node: str, /) -> str | Unread | None:
        return None

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


def refused(says: str) -> Unreachable:
    """Return what comes of a login that is not let in."""
    return Unreachable("cannot log in", service="ssh", says=says)
