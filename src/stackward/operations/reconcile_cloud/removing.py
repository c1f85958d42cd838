"""The steps by which things that are left are removed, and what proves each: a stage for a kind."""

from collections.abc import Iterator, Sequence

from stackward.checks.agreement import HoldNothing
from stackward.checks.left_behind import AgentsGone, AttachmentsGone, PortsGone, ServicesGone
from stackward.model.identity import spelled_as
from stackward.model.orphan import Orphan, OrphanKind, read_word
from stackward.model.unread import Unread
from stackward.operations.reconcile_cloud.facts import ORPHAN, ReconcileFacts
from stackward.operations.reconcile_cloud.stages import REPAIRS
from stackward.plan import Check, Move, Stage, Step
from stackward.ports.world import World
from stackward.steps.left_behind import RemoveAgent, RemovePort, RemoveService
from stackward.steps.volumes import RemoveAttachment
from stackward.wording import in_utc

# Allocations first: the service of a node is deleted last, when nothing is held of its provider.
_ORDER = (
    OrphanKind.ALLOCATION,
    OrphanKind.VOLUME,
    OrphanKind.PORT,
    OrphanKind.AGENT,
    OrphanKind.SERVICE,
)


def stages_of_removal(facts: ReconcileFacts, removed: Sequence[Orphan]) -> Iterator[Stage[World]]:
    """Return a stage for each kind, with a move for each thing that is removed."""
    for kind in _ORDER:
        moves = tuple(_move(facts, one) for one in removed if one.kind is kind)
        if moves:
            yield Stage(name=kind.value, moves=moves, goes_on=True)


def _move(facts: ReconcileFacts, orphan: Orphan) -> Move[World]:
    since = in_utc(orphan.since) if orphan.since else "not known"
    owner = orphan.owner or "not known"
    return Move(
        thing=orphan.name,
        thing_id=f"{orphan.id}.{orphan.server}" if orphan.kind is OrphanKind.VOLUME else orphan.id,
        how=orphan.kind.value,
        steps=tuple(_steps(facts, orphan)),
        expects={"says": f"{orphan.says}; owner {owner}; since {since}"},
    )


def _steps(facts: ReconcileFacts, orphan: Orphan) -> Iterator[Step[World]]:
    host = next(iter(orphan.hosts), "")
    match orphan.kind:
        case OrphanKind.ALLOCATION:
            [case] = [
                one for one in facts.found.cases if (one.name, one.thing_id) == (ORPHAN, orphan.id)
            ]
            yield REPAIRS[ORPHAN](facts, case)
        case OrphanKind.VOLUME:
            yield from _of_volume(facts, orphan)
        case OrphanKind.PORT:
            yield RemovePort(port=orphan.id, name=orphan.name, server=orphan.server or "")
        case OrphanKind.AGENT:
            yield RemoveAgent(agent=orphan.id, name=orphan.name, host=host)
        case OrphanKind.SERVICE:
            yield RemoveService(service=orphan.id, binary=orphan.name, host=host)


def _of_volume(facts: ReconcileFacts, orphan: Orphan) -> Iterator[Step[World]]:
    """Return a step for each attachment: the volume itself stays, with its data."""
    attachments = facts.found.testimony.attachments
    for one in attachments if isinstance(attachments, tuple) else ():
        if (one.volume, one.server) == (orphan.id, orphan.server):
            yield RemoveAttachment(
                attachment=one.id,
                volume=orphan.id,
                server=orphan.server or "",
                name=orphan.server or "",
            )


def proofs_of_removal(facts: ReconcileFacts, words: Sequence[str]) -> Iterator[Check[World]]:
    """Prove all that the plan names: what others have removed since counts as well."""
    read = [read_word(word) for word in words]
    pairs = {
        kind: tuple((one.id, one.about) for one in read if one.kind is kind) for kind in _ORDER
    }
    if consumers := tuple(id_ for id_, _ in pairs[OrphanKind.ALLOCATION]):
        yield HoldNothing(consumers=consumers)
    if volumes := pairs[OrphanKind.VOLUME]:
        yield AttachmentsGone(volumes=volumes)
    if ports := pairs[OrphanKind.PORT]:
        yield PortsGone(ports=ports)
    if agents := pairs[OrphanKind.AGENT]:
        # Nova is asked for its servers, by each name that it may have for the host of an agent.
        hosts = {one.host for one in facts.left.services} if facts.left else set()
        yield AgentsGone(
            agents=tuple(
                (agent, each)
                for agent, host in agents
                for each in sorted({host, *spelled_as(host, hosts)})
            )
        )
    if services := pairs[OrphanKind.SERVICE]:
        trees = [facts.trees.get(service) for service, _ in services]
        providers = (
            provider
            for one in trees
            if one is not None and not isinstance(one, Unread)
            for provider in one.providers
        )
        yield ServicesGone(services=services, providers=tuple(providers))
