"""Several nodes for one command: by name, by group or by aggregate; they are a chain then."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer

from stackward.cli.options import InventoryChoice, ManyNodes
from stackward.cli.outside import inventory_here
from stackward.errors import BadInput
from stackward.wording import count_of

if TYPE_CHECKING:
    from stackward.plan import Request
    from stackward.ports.world import World


def asked_of_nodes(  # noqa: PLR0913, PLR0917  # what is done, to which nodes, and how
    context: typer.Context,
    what: str,
    named: Sequence[str],
    many: ManyNodes,
    choice: InventoryChoice,
    asked_of: "Callable[[World, str], Request]",
) -> "Callable[[World], Request]":
    """Return what is asked: of one node that is named alone a request, of all else a chain."""
    _refuse_unclear(named, many)
    bounds = (many.group, many.aggregate, many.at_once, many.canary)
    if len(named) == 1 and not any(bounds):
        return lambda world: asked_of(world, named[0])

    def asked(world: "World") -> "Request":
        from stackward.plan import dump
        from stackward.requests.chain import ChainItem, ChainRequest

        nodes = _nodes(context, named, many, choice, world)
        if many.canary is not None and many.canary >= len(nodes):
            raise BadInput(
                f"`--canary {many.canary}` leaves none of {count_of(len(nodes), 'node')}",
                hint="the canary is fewer than all: leave it out, or name more nodes",
            )
        items = [ChainItem(name=node, asked=dump(asked_of(world, node))) for node in nodes]
        return ChainRequest(
            what=what, items=tuple(items), at_once=many.at_once or 1, canary=many.canary or 0
        )

    return asked


def _refuse_unclear(named: Sequence[str], many: ManyNodes) -> None:
    ways = [bool(named), many.group is not None, many.aggregate is not None]
    if sum(ways) != 1:
        raise BadInput(
            "no node is named" if not any(ways) else "nodes are named in more than one way",
            hint="name nodes, or one `--group`, or one `--aggregate`",
        )
    twice = [node for node in dict.fromkeys(named) if named.count(node) > 1]
    if twice:
        raise BadInput(f"`{twice[0]}` is named twice", hint="name each node once")


def _nodes(
    context: typer.Context,
    named: Sequence[str],
    many: ManyNodes,
    choice: InventoryChoice,
    world: "World",
) -> Sequence[str]:
    from stackward.report.inventory import nodes_in

    if many.group is not None:
        return [node.name for node in nodes_in(inventory_here(context, choice), many.group)]
    if many.aggregate is not None:
        from stackward.facts.aggregates import read_hosts_of

        return read_hosts_of(world.nova, many.aggregate)
    return named
