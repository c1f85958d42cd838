"""How servers come home to a node that is closed now, and will be open when they go."""

from dataclasses import replace

from stackward.model.maintenance import BringBackFacts
from stackward.model.node import ComputeNode
from stackward.model.placement import DISABLED, Candidate, Need, Provider


def once_open(home: BringBackFacts, account: Provider, zone: str) -> BringBackFacts:
    """Return the way home as it will be once the node is in service.

    Placement offers a disabled node to nobody. So the node's own account there is taken as the
    answer that placement will give. Just before each move begins, it is judged again by the real
    answer.
    """
    away = tuple(
        replace(each, node=_offering(each.node, home, account, zone)) if each.node else each
        for each in home.away
    )
    return replace(home, away=away)


def _offering(node: ComputeNode, home: BringBackFacts, account: Provider, zone: str) -> ComputeNode:
    traits = account.traits - {DISABLED}
    itself = Candidate(
        provider=account.id,
        name=home.hypervisor.name,
        host=home.host,
        capacity={name: each.capacity for name, each in account.inventories.items()},
        used=account.usages,
        traits=traits,
    )

    def fits(need: Need) -> bool:
        is_in_zone = need.zone in {None, zone}
        return is_in_zone and {*need.required} <= traits and not traits & {*need.forbidden}

    offered = {
        need: (*(each for each in found if each.provider != account.id), itself)
        if fits(need)
        else found
        for need, found in node.candidates.items()
    }
    return replace(node, candidates=offered)
