"""A cloud and nodes whose caller may die before and after each change, and a run among them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from engine.fakes import DyingJournal, Fate
from fakes import FakeCloud, FakeShell
from stackward.adapters.openstack.polled import Poller
from stackward.adapters.store.journal import SqlJournal
from stackward.engine import Brakes, Workshop, carry_out
from stackward.kinds import KINDS
from stackward.model.run import Run
from stackward.operations import runbooks
from stackward.ports.shell import Answer
from stackward.ports.world import Acting, World

CHANGES = frozenset(
    {
        "disable_service",
        "enable_service",
        "set_guarded",
        "create_server",
        "delete_server",
        "live_migrate",
        "abort_migration",
        "stop_server",
        "cold_migrate",
        "confirm_resize",
        "start_server",
    }
)


class DyingCloud:
    """A cloud whose caller may die before and after each change."""

    def __init__(self, cloud: FakeCloud, fate: Fate) -> None:
        self._cloud, self._fate = cloud, fate

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the cloud has
        real = getattr(self._cloud, name)
        if name not in CHANGES:
            return real

        def change(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # same
            self._fate.point()
            answered = real(*given, **named)
            self._fate.point()
            return answered

        return change


class DyingShell:
    """Nodes whose caller may die before and after each command that changes something there."""

    def __init__(self, shell: FakeShell, fate: Fate) -> None:
        self._shell, self._fate = shell, fate

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a shell has
        return getattr(self._shell, name)

    def run(self, node: str, command: Sequence[str], /, **how: Any) -> Answer:  # noqa: ANN401  # same
        """Run it; what needs root, and only reads, is `virsh` alone."""
        if not how.get("as_root") or command[0] == "virsh":
            return self._shell.run(node, command, **how)
        self._fate.point()
        answer = self._shell.run(node, command, **how)
        self._fate.point()
        return answer


def carried_out(run: Run, world: World, journal: SqlJournal, fate: Fate) -> Run:
    """Carry a run out by the real operations, in a world and with a journal that share a fate."""
    shop: Workshop[World] = Workshop(
        journal=DyingJournal(journal, fate),
        runbooks=runbooks(journal),
        kinds=KINDS,
        clock=world.clock,
        world_of=lambda run: replace(world, acting=Acting(run.id, "ann", "bastion")),
        poll=Poller(),
        worker="one",
    )
    return carry_out(run.id, shop, Brakes())
