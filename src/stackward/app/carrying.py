"""What this process needs to carry out runs; the main thread looks on."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from platform import node
from typing import Any

from stackward.adapters.openstack.polled import Poller
from stackward.engine import Brakes, WorkerContext, carry_out
from stackward.kinds import KINDS
from stackward.model.health import Unwell
from stackward.model.run import Run
from stackward.operations import operations_in_run
from stackward.ports.journal import Journal
from stackward.ports.world import Acting, World
from stackward.status.run import asked_by_run, worker_here

LOOK_S = 0.5  # between two looks at a run that is carried out here


def carry_on(
    run_id: str,
    context: WorkerContext[Any],
    brakes: Brakes,
    meanwhile: Callable[[], None] = lambda: None,
    *,
    seen: int | None = None,
) -> Run:
    """Carry out a run: from its beginning, or from the point at which a dead process left it.

    It does not start if the epoch of the run is not the one at which the run was `seen`. This
    thread calls `meanwhile` again and again while the run goes on, and once when it has ended. An
    error inside is raised here, in whichever thread it happened.
    """
    # The pool is left last: an error in `meanwhile` must not abandon the run.
    with ThreadPoolExecutor(1) as aside:
        carried = aside.submit(carry_out, run_id, context, brakes, seen=seen)
        while wait([carried], timeout=LOOK_S).not_done:
            meanwhile()
        meanwhile()
        return carried.result()


def worker_context(world: World, journal: Journal) -> WorkerContext[World]:
    """Return what this process needs to carry out runs."""
    machine = node()

    def acting(run: Run) -> World:
        asked = partial(asked_by_run, journal, run.id)
        acting = Acting(run.id, run.approval.by, machine, run.chain, asked)
        return replace(world, acting=acting)

    return WorkerContext(
        journal=journal,
        operations=operations_in_run(journal),
        kinds=KINDS,
        clock=world.clock,
        world_of=acting,
        cloud=world.cloud.identity(),
        looks=_looked_at if world.health else None,
        with_children=lambda world, children: replace(world, children=children),
        poll=Poller(),
        worker=worker_here(machine),
    )


def _looked_at(world: World, but: Collection[str]) -> Sequence[Unwell]:
    """Return why the cloud is not well, apart from these hosts."""
    assert world.health is not None, "only where something looks at it"  # noqa: S101  # a slip
    return world.health.of_cloud(but=but)
