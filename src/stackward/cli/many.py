"""Several nodes for one command: by name, by group or by aggregate; they are a chain then."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from stackward.cli.options import InventoryChoice, ManyNodes
from stackward.cli.outside import inventory_here
from stackward.errors import BadInput
from stackward.wording import count_of

if TYPE_CHECKING:
    from stackward.plan import Request
    from stackward.ports.journal import Journal
    from stackward.ports.world import World


def asked_of_nodes(  # noqa: PLR0913, PLR0917  # what is done, to which nodes, and how
    context: typer.Context,
    what: str,
    named: Sequence[str],
    many: ManyNodes,
    choice: InventoryChoice,
    asked_of: "Callable[[World, Journal, str], Sequence[Request]]",
    *,
    needs_well: bool = False,
) -> "Callable[[World, Journal], Request]":
    """Return what is asked: of one node that is named alone a request, of all else a chain.

    Where several requests are asked of a node, one after the other, that is a chain too. A node of
    which nothing is asked is passed over. With `needs_well` each node is started only while the
    cloud is well.
    """
    _refuse_unclear(named, many)
    bounds = (many.group, many.aggregate, many.at_once, many.canary)

    def asked(world: "World", journal: "Journal") -> "Request":
        from stackward.facts.once import read_once
        from stackward.plan import dump
        from stackward.requests.chain import ChainItem, ChainRequest

        nodes = _nodes(context, named, many, choice, world)
        if many.canary is not None and many.canary >= len(nodes):
            raise BadInput(
                f"`--canary {many.canary}` leaves none of {count_of(len(nodes), 'node')}",
                hint="the canary is fewer than all: leave it out, or name more nodes",
            )
        shared = replace(world, nova=read_once(world.nova))
        every = {node: asked_of(shared, journal, node) for node in nodes}
        asked_of_each = [each for each in every.values() if each]
        nodes = [node for node, each in every.items() if each]
        if not nodes:
            raise typer.Exit(0)  # each was passed over, and it is said why
        if len(named) == 1 and not any(bounds) and len(asked_of_each[0]) == 1:
            return asked_of_each[0][0]
        items = []
        for node, requests in zip(nodes, asked_of_each, strict=True):
            first, *then = map(dump, requests)
            items.append(ChainItem(name=node, asked=first, then=tuple(then)))
        return ChainRequest(
            what=what,
            items=tuple(items),
            at_once=many.at_once or 1,
            canary=many.canary or 0,
            needs_well=needs_well and len(items) > 1,
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
