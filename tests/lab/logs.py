"""What a real lab has logged of a server: as the product tells it, and as `grep` finds it."""

import json
import re
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.drains import Drains, Ended, Going
from real_lab import STACKWARD, RealLab, until

LOG = "/var/log/nova/nova-compute.log"
HEADER = re.compile(r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \d+ [A-Z]+ \S+ ")
# As logrotate does where a service keeps its log open. What is written between the two commands
# nobody has: so it is done while nothing is written.
ROTATE = f"""
cd {Path(LOG).parent}
until [ $(( $(date +%s) - $(stat -c %Y {LOG}) )) -ge 3 ]; do sleep 0.2; done
cp -p {LOG} {LOG}.1; truncate -s 0 {LOG}
"""
ROTATED = re.compile(r"\.\d+$")

Logged = dict[str, Any]


@dataclass(frozen=True)
class Reader:
    """The commands that read logs, with a login that may read all of them."""

    drains: Drains

    @property
    def flags(self) -> tuple[str, ...]:
        """The inventory: the login of an operator may not read these logs."""
        inventory = self.drains.folder / "inventory-as-root.yaml"
        given = Path(self.drains.environment["STACKWARD_INVENTORY"]).read_text()
        inventory.write_text(given.replace("ansible_user: ops", "ansible_user: root"))
        return ("--inventory", str(inventory))

    @contextmanager
    def tail(self, *words: str) -> Iterator[Going]:
        """Follow logs, from when they are followed on; it is ended if nobody has ended it."""
        asked = ["log", "tail", *words, "-n", "0", "-f", "json", *self.flags]
        tail = self.drains.start([STACKWARD, *asked])
        try:
            until(lambda: "note: following" in tail.log.read_text())
            yield tail
        finally:
            if tail.process.poll() is None:
                tail.process.kill()
                tail.process.wait()

    def follow(self, sought: str) -> tuple[Ended, list[Logged]]:
        """Return how it ended to follow a thing, and the events of its story."""
        asked = ("log", "follow", sought, "--since", "1h", "-f", "json")
        ended = self.drains.call(*asked, *self.flags)
        told = [json.loads(line) for line in ended.stdout.splitlines()]
        return Ended(code=ended.returncode, said=ended.stderr), told


def end(tail: Going) -> Ended:
    """End a command that goes on, as Ctrl-C does."""
    tail.process.send_signal(signal.SIGINT)
    return tail.ended()


def events_of(tail: Going) -> list[Logged]:
    """Return the events that a tail has written."""
    lines = tail.log.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]


def about(events: Iterable[Logged], server: str) -> list[str]:
    """Return the times and words of events in files about a server."""
    return [
        f"{str(one['at']).replace('T', ' ')[:23]} {one['message']}"
        for one in events
        if one["file"] != "journal"
        and (one["server_id"] == server or server in str(one["message"]))
    ]


def missing(written: Iterable[str], shown: Iterable[str]) -> list[str]:
    """Return the lines of a log that no event shows; a line is a time, a header and its words."""
    events = [*shown]
    return [line for line in written if not any(_is_of(line, each) for each in events)]


def doubled(written: Iterable[str], shown: Iterable[str]) -> list[str]:
    """Return what is shown more often than it was written: a service may say a thing twice."""
    lines = [*written]
    return [
        one
        for one, count in Counter(shown).items()
        if count > max(1, sum(_is_of(line, one) for line in lines))
    ]


def _is_of(line: str, event: str) -> bool:
    """Say whether an event, as `about` has it, shows that line."""
    return line[:23] == event[:23] and line.endswith(event[24:])


def lines_about(lab: RealLab, node: str, server: str) -> list[str]:
    """Return the lines with a header about a server, in the log of a node and in its copy."""
    found = lab.on(node, f"cat {LOG}.1 {LOG} 2>/dev/null | grep -F {server} || true").splitlines()
    return [line for line in found if HEADER.match(line)]


def places_of(lab: RealLab, words: Iterable[str]) -> set[tuple[str, str]]:
    """Return the nodes and the names of the logs that have one of these words."""
    any_of = "|".join(words)
    return {
        (node.name, name_of(path))
        for node in lab.spec.nodes
        for path in lab.on(
            node.name, f"grep -rlE '{any_of}' /var/log --include='*.log*' --exclude='*.gz' || true"
        ).splitlines()
    }


def places_in(events: Iterable[Logged]) -> set[tuple[str, str]]:
    """Return the nodes and the names of the logs that events are from."""
    return {(str(one["node"]), name_of(str(one["file"]))) for one in events}


def name_of(path: str) -> str:
    """Return the name of a log, without what rotation adds to it."""
    return ROTATED.sub("", Path(path).name)


def requests_of(lab: RealLab, server: str) -> set[str]:
    """Return the ids of the requests that Nova has of a server."""
    return {each.request_id for each in lab.cloud.compute.server_actions(server)}


def ports_of(lab: RealLab, server: str) -> list[str]:
    """Return the ids of a server's ports."""
    return [str(each.id) for each in lab.cloud.network.ports(device_id=server)]


def remove_copies(lab: RealLab, nodes: Sequence[str]) -> None:
    """Remove the copies that `ROTATE` has made."""
    for node in nodes:
        lab.on(node, f"rm -f {LOG}.1")
