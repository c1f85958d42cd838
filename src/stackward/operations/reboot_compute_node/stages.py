"""The stages of a reboot in place, in their order: closed, written down, stopped, up, started.

It is uncordoned once it is seen to work; then exactly who ran is started again.
"""

from collections.abc import Iterator

from stackward.checks.compute import IsCordoned, NoArrivals
from stackward.checks.node_reboot import NothingRuns
from stackward.checks.service import (
    HasInventory,
    IsUp,
    LibvirtAnswers,
    NetworkAgentsAlive,
    ServesRpc,
)
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.model.who_ran import STOPPING
from stackward.moving.bringing_up import START
from stackward.moving.instance_ha import telling_instance_ha
from stackward.operations.reboot_compute_node.facts import RebootFacts
from stackward.plan import Check, Move, Stage, Step
from stackward.policy.on_node import foreign_consumers
from stackward.policy.waves import Wave, waves_of
from stackward.ports.world import World
from stackward.requests.reboot_compute_node import RebootNodeRequest
from stackward.steps.node_reboot import ListWhoRuns, RebootNode, StartAgain, StopForReboot
from stackward.steps.service import BringUp, Cordon, Uncordon

STOP, REBOOT = "stop", "reboot"


def stages_of(facts: RebootFacts, asked: RebootNodeRequest) -> tuple[Stage[World], ...]:
    """Return all that is done to the node and its servers."""
    return tuple(_stages(facts, asked))


def _stages(facts: RebootFacts, asked: RebootNodeRequest) -> Iterator[Stage[World]]:
    node = facts.node
    host, provider = node.host, node.provider.id
    is_cordoned = IsCordoned(host=host, provider=provider)
    nothing_comes = NoArrivals(host=host, provider=provider, left_over=foreign_consumers(node))
    waves = waves_of(facts.running, facts.tags, asked.tiers)
    tells = _tells_ha(facts)
    if tells:
        # Before anything else: what goes off on purpose must not look like a failure.
        yield telling_instance_ha(host, is_in_maintenance=True)
    yield of_node(facts, "cordon", Cordon(host=host, provider=provider, reason=asked.reason))
    listing = ListWhoRuns(
        node=node.name,
        host=host,
        known=tuple(each.id for each in node.servers),
        runs=tuple(each.id for each in facts.running),
    )
    yield of_node(facts, "list who runs", listing, needs=(is_cordoned, nothing_comes))
    for wave in reversed(waves):
        yield Stage(
            name=f"{STOPPING}{wave.name}",
            moves=tuple(_stop(facts, server, wave) for server in wave.servers),
            at_once=asked.at_once,
            needs=(is_cordoned,),
        )
    reboot = RebootNode(node=node.name, host=host, within_s=asked.boot_within_s)
    yield of_node(
        facts, REBOOT, reboot, needs=(is_cordoned, NothingRuns(host=host, node=node.name))
    )
    # As for a node that is down: only a report after this is from the process of this boot.
    bring_up = BringUp(node=node.name, host=host, is_forced_down=True)
    yield of_node(facts, START, bring_up)
    works: tuple[Check[World], ...] = (
        IsUp(host=host),
        ServesRpc(host=host, hypervisor=provider),
        LibvirtAnswers(host=host, node=node.name),
        HasInventory(host=host, provider=provider),
        NetworkAgentsAlive(host=host),
    )
    uncordon = Uncordon(host=host, provider=provider, claim=None, is_own=True)
    yield of_node(facts, "uncordon", uncordon, needs=works)
    for wave in waves:
        yield Stage(
            name=wave.name,
            moves=tuple(_start(facts, asked, server, wave) for server in wave.servers),
            at_once=asked.at_once,
            goes_on=True,
        )
    if tells:
        yield telling_instance_ha(host, is_in_maintenance=False)


def of_node(
    facts: RebootFacts, name: str, step: Step[World], needs: tuple[Check[World], ...] = ()
) -> Stage[World]:
    """Return a stage that does one thing to the node itself."""
    move = Move(thing=facts.node.host, how=name, steps=(step,))
    return Stage(name=name, moves=(move,), needs=needs)


def _stop(facts: RebootFacts, server: Server, wave: Wave) -> Move[World]:
    host = facts.node.host
    step = StopForReboot(server=server.id, name=server.label, host=host, node=facts.node.name)
    return _of_server(facts, STOP, server, wave, step)


def _start(facts: RebootFacts, asked: RebootNodeRequest, server: Server, wave: Wave) -> Move[World]:
    host = facts.node.host
    step = StartAgain(
        server=server.id,
        name=server.label,
        host=host,
        node=facts.node.name,
        within_s=asked.within_s,
    )
    return _of_server(facts, START, server, wave, step)


def _of_server(
    facts: RebootFacts, how: str, server: Server, wave: Wave, step: Step[World]
) -> Move[World]:
    return Move(
        thing=server.label,
        thing_id=server.id,
        how=how,
        steps=(step,),
        expects={"host": facts.node.host, "wave": wave.name},
    )


def _tells_ha(facts: RebootFacts) -> bool:
    """Say whether to report to the instance-HA service: not if others have done so already."""
    entries = facts.node.ha_hosts
    if isinstance(entries, Unread):
        return False
    return bool(entries) and not all(each.is_in_maintenance for each in entries)
