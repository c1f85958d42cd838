"""A worker: a process that carries out queued runs, with all that it needs from outside."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from platform import node
from typing import Any

from stackward.adapters.clock import SystemClock
from stackward.adapters.wakeup import SocketWakeup
from stackward.app.journal import open_journal
from stackward.engine import (
    Brakes,
    Rhythm,
    WorkerConfig,
    WorkerContext,
    carry_out_taken,
    worker_named,
)
from stackward.engine import work as work_as
from stackward.errors import BadInput
from stackward.model.cloud import CloudIdentity
from stackward.model.run import Run
from stackward.plan import from_json, left_to_operators
from stackward.ports.journal import Journal
from stackward.settings import Settings
from stackward.status.visits import tell_of_once


def work(  # noqa: PLR0913  # what a worker is
    settings: Settings,
    name: str | None,
    open_context: Callable[[Journal], AbstractContextManager[WorkerContext[Any]]],
    brakes: Brakes,
    say: Callable[[str], None],
    *,
    at_once: int,
    once: bool = False,
    rhythm: Rhythm | None = None,
) -> None:
    """Take queued runs and carry them out, until the brakes are pressed.

    With `once`: until no run is due. The journal keeps that this worker was here, for the operators
    who queue runs.
    """
    clock = SystemClock()
    me = worker_named(name or node(), node(), clock)
    with open_journal(settings, brakes) as journal:
        # What cannot be opened is said before a run is taken.
        with open_context(journal) as context:
            kinds, cloud = context.kinds, context.cloud
        me = replace(me, cloud=cloud.id if cloud else None)
        if once and cloud is not None:
            tell_of_once(journal, cloud.id, me)

        def why_not(run: Run) -> str | None:
            try:
                plan = from_json(run.plan, kinds)
            except BadInput:
                return "its plan is of another version of Stackward"
            return None if cloud is None else left_to_operators(plan, cloud)

        def reach() -> CloudIdentity | None:
            with open_context(journal) as context:
                return context.cloud

        def carry(run: Run) -> Run:
            # Opened for each run: inventory and credentials as they are now.
            with open_context(journal) as context:
                return carry_out_taken(run, context, brakes)

        with closing(SocketWakeup()) as wakeup, journal.heard(me.life, wakeup.wake, say) as hears:
            brakes.when_pressed(wakeup.wake)
            work_as(
                WorkerConfig(
                    me=me,
                    journal=journal,
                    clock=clock,
                    why_not=why_not,
                    carry=carry,
                    cloud=cloud,
                    reach=reach,
                    brakes=brakes,
                    say=say,
                    wakeup=wakeup,
                    hears=hears,
                    at_once=at_once,
                    once=once,
                    rhythm=rhythm or Rhythm(),
                )
            )
