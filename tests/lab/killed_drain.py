"""Carry out a stored plan, or a run, with a worker that kills itself at a point of its life.

A process of its own, because it dies: python killed_drain.py PLAN-FILE|RUN POINT [freezes]
With the last word it is frozen there instead, and goes on once it is thawed (SIGCONT).
POINT is the name of one in POINTS, or the number of a point of its life, counted from 1: each is
just before or just after a write to the journal or a change in the cloud. Any of them can be given
by its words too: `before settle kill-domain`, `after keep_allocations`.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openstack
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.models import Response
from typing_extensions import override

from stackward.adapters.openstack import OpenStackCloud
from stackward.app.carrying import carry_on, worker_context
from stackward.app.inventory import read_inventory
from stackward.app.journal import open_journal
from stackward.app.world import open_world
from stackward.engine import Brakes, approve
from stackward.kinds import KINDS, read_plan
from stackward.model.run import Approval
from stackward.ports.journal import Journal
from stackward.settings import read_settings

WRITES = {"add", "take_up", "intend", "answered", "settle", "found_done", "tell", "end"}
# By service: what the operations that are killed here ask it for.
CHANGES = {
    "nova": {
        *("disable_service", "live_migrate", "cold_migrate", "confirm_resize"),
        *("reboot_server", "attach_volume", "detach_volume"),
    },
    "placement": {"keep_allocations"},
    "neutron": {"remove_binding", "delete_port"},
    "cinder": {"remove_attachment", "unreserve", "roll_detaching"},
}
ENDS = {"destroy", "undefine"}  # what `virsh` is told, of a guest


def die() -> None:
    """End here, as by a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()


@dataclass
class Fate:
    """Says when the worker dies."""

    point: str
    freezes: bool = False
    lived: int = 0

    def meets(self, *moment: str) -> None:
        """Live through a moment, unless it is the last."""
        self.lived += 1
        named = POINTS.get(self.point, tuple(self.point.split(" ")))
        if self.point != str(self.lived) and named != moment:
            return
        if not self.freezes:
            die()
        self.freezes, self.point = False, ""  # once
        # This thread itself: of a signal to the process another thread may take note first, and
        # this one would send its request before it stops.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


# Each is a moment: when, which call, and for a write of the journal of which kind of step.
POINTS = {
    "intended": ("before", "live_migrate"),
    "unread": ("unread", "os-migrateLive"),
    "answered": ("before", "answered", "live-migrate"),
    "verify-resize": ("before", "settle", "cold-migrate"),
    "confirm": ("before", "confirm_resize"),
    "confirm-unread": ("unread", "confirmResize"),
    "power-off-unanswered": ("before", "answered", "power-off"),
    "force-down-unanswered": ("before", "answered", "force-down"),
    "evacuate-unread": ("unread", "evacuate"),
    "start-unread": ("unread", "os-start"),
    "before-stop": ("before", "intend", "keep-off"),
    "before-evacuate": ("before", "intend", "evacuate"),
    # Of a chain of reboots: its own process carries out its runs.
    "run-unmade": ("before", "add"),
    "run-unsettled": ("before", "settle", "carry-out-run"),
    "stop-unanswered": ("before", "answered", "stop-for-reboot"),
    "reboot-unanswered": ("before", "answered", "reboot-node"),
    "before-uncordon": ("before", "intend", "uncordon"),
    "restart-unanswered": ("before", "answered", "start-again"),
}


WordsOf = Callable[[tuple[Any, ...]], tuple[str, ...] | None]


class Dying:
    """A port whose worker may die before and after each call of some names.

    `words_of` returns what a call is called by, or None where it changes nothing.
    """

    def __init__(self, port: Any, names: set[str], fate: Fate, words_of: WordsOf) -> None:  # noqa: ANN401  # any port
        self._port, self._names, self._fate, self._words_of = port, names, fate, words_of

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # any method
        real = getattr(self._port, name)
        if name not in self._names:
            return real

        def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # as above
            words = self._words_of(given)
            if words is None:
                return real(*given, **named)
            which = (name, *words)
            self._fate.meets("before", *which)
            answer = real(*given, **named)
            self._fate.meets("after", *which)
            return answer

        return call


class DiesUnread(HTTPAdapter):
    """Sends the request at which the worker dies, and dies once the answer is there to be read."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self._action = action.encode()

    @override
    def send(self, request: PreparedRequest, *given: Any, **named: Any) -> Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if not isinstance(body, bytes):
            return super().send(request, *given, **named)
        if request.method == "POST" and body.startswith(b'{"' + self._action):
            to = urlsplit(request.url or "")
            connection = HTTPConnection(str(to.hostname), to.port)
            connection.request("POST", to.path, body, dict(request.headers))
            select.select([connection.sock], [], [])
            die()
        return super().send(request, *given, **named)


def main(given: str, point: str, *how: str) -> None:
    """Carry it out until the end comes."""
    settings = read_settings(os.environ, is_root=True)
    fate = Fate(point, freezes=how == ("freezes",))
    connection = openstack.connect(app_name="stackward")
    when, which, *_ = POINTS.get(point, ("", ""))
    if when == "unread":
        connection.session.session.mount("http://", DiesUnread(which))
    cloud = OpenStackCloud(connection)
    services: dict[str, Any] = {
        name: Dying(getattr(cloud, name), changes, fate, lambda _: ())
        for name, changes in CHANGES.items()
    }
    known = read_inventory(settings.inventory)
    with open_journal(settings) as journal, open_world(known, None, settings) as world:
        if Path(given).exists():
            plan = read_plan(Path(given).read_text())
            given_by = Approval(by="tester", at=datetime.now(UTC), how="--yes")
            run = approve(plan, given_by, journal, kinds=KINDS)
        else:
            run = journal.run(given)
        dying: Any = Dying(journal, WRITES, fate, kinds_in(journal))
        services["shell"] = Dying(world.shell, {"run"}, fate, ending)
        context = worker_context(replace(world, **services), dying)
        carry_on(run.id, context, Brakes())
    sys.stdout.write(f"lived through {fate.lived} moments\n")


def ending(given: tuple[Any, ...]) -> tuple[str, ...] | None:
    """Return by which word a command on a node ends a guest; None of any other command."""
    _, command, *_ = given
    return next(((word,) for word in command if command[0] == "virsh" and word in ENDS), None)


def kinds_in(journal: Journal) -> WordsOf:
    """Return what finds the kind of the step that a write is about, in a run or in a chain's."""

    @cache
    def kinds_of(run: str) -> Mapping[str, str]:
        return {
            f"{stage.name}/{move.key}/{place}": step.kind
            for stage, move in read_plan(journal.run(run).plan).moves()
            for place, step in enumerate(move.steps)
        }

    def kind_of(given: tuple[Any, ...]) -> tuple[str, ...]:
        run, *words = (getattr(each, "step", each) for each in given)
        if not isinstance(run, str):
            return ()  # it is made by this write
        kinds = kinds_of(run)
        found = (kinds[each] for each in words if isinstance(each, str) and each in kinds)
        return tuple(found)[:1]

    return kind_of


if __name__ == "__main__":
    main(*sys.argv[1:])
