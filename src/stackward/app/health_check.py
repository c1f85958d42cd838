"""How the cloud is, for a run that asks: the look of `cloud check`, made again each time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from stackward.app.probes import memory_of, open_probes
from stackward.errors import StackwardError
from stackward.facts.cloud_state import CheckRequest
from stackward.health.looking import check_cloud, check_node
from stackward.health.well import not_well
from stackward.model.health import Unwell
from stackward.model.inventory import Inventory
from stackward.settings import Settings


@dataclass(frozen=True, slots=True)
class Looks:
    """Looks at a cloud and at the nodes of an inventory."""

    known: Inventory
    os_cloud: str | None
    settings: Settings

    def of_cloud(self, *, but: Collection[str]) -> Sequence[Unwell]:
        """Return why the cloud is not well, apart from some hosts of Nova."""
        try:
            with open_probes(self.known, self.os_cloud, self.settings) as probes:
                remembers = replace(probes, remember=memory_of(self.settings))
                health, state = check_cloud(remembers, CheckRequest())
        except StackwardError as error:
            return (_unseen("the cloud", error),)
        # A host of Nova has another name where the inventory gives it one.
        names = {state.nodes.get(host) or host for host in but}
        return not_well(health, {*names, *but})

    def of_node(self, node: str, /) -> Sequence[Unwell]:
        """Return why a node is not well."""
        try:
            with open_probes(self.known, self.os_cloud, self.settings) as probes:
                remembers = replace(probes, remember=memory_of(self.settings))
                health, _ = check_node(remembers, node, CheckRequest())
        except StackwardError as error:
            return (_unseen(node, error),)
        return not_well(health)


def _unseen(where: str, error: StackwardError) -> Unwell:
    return Unwell(
        where=where,
        reason=f"it cannot be looked at: {error.message}",
        remedy=error.hint or "",
        is_known=False,
    )
