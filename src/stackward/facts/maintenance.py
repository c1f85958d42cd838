"""Read a node that was taken out of service: what keeps it off, whose it is, what moved away."""

import json
from dataclasses import replace
from functools import partial

from stackward.answers import understood
from stackward.errors import Uncertain, Unreachable
from stackward.facts.compute import read_compute_node, read_ha_hosts
from stackward.facts.evacuations import read_evacuations
from stackward.facts.moved import known_run, read_drained
from stackward.facts.named import find_node
from stackward.facts.observed import read_remembered
from stackward.facts.power_history import has_cut
from stackward.model.boot_gate import NO_GATE
from stackward.model.claim import read_claim
from stackward.model.compute_process import UNIT
from stackward.model.maintenance import (
    DROP_IN,
    HA_OFF,
    HA_ON,
    MAINTENANCE,
    MASKED,
    AwayServer,
    BringBackFacts,
    Holder,
    Marks,
    MovedServer,
    MovedServers,
    ReturningNode,
)
from stackward.model.power import PowerDevice
from stackward.model.run import Run, RunState, Settled
from stackward.model.unread import Hindrance, Unread, or_unread
from stackward.plan import Kinds
from stackward.plan.path import stage_of
from stackward.ports.compute_process import read_running_as
from stackward.ports.journal import Journal
from stackward.ports.shell import Shell
from stackward.ports.systemd import read_enabled
from stackward.ports.world import World
from stackward.requests.return_compute_node import ReturnRequest
from stackward.status.boot_gate import read_gate

_GOING = (RunState.QUEUED, RunState.RUNNING)
_LATEST = 1000  # runs in which those of a node are looked for
_NOT_DONE = (Settled.UNSENT, Settled.FAILED, Settled.FOREIGN)


def read_returning_node(
    world: World, journal: Journal, kinds: Kinds, asked: ReturnRequest, *, but: str | None
) -> ReturningNode:
    """Return all that the node's return to service must know, read now.

    `but` is the run that asks: it does not block itself.
    """
    here = world.cloud.identity().id
    remembered = read_remembered(world, journal)
    found = find_node(world, world.nova.services(), asked.node, remembered)
    service, node = found.service, found.match.node
    marks = read_marks(world.shell, node) if node else Unread(found.match.why, Hindrance.UNNAMED)
    claim = read_claim(service.disabled_reason)
    ha_hosts = read_ha_hosts(world.masakari, service.host)
    return ReturningNode(
        name=node or service.host,
        host=service.host,
        read_at=world.clock.now(),
        service=service,
        hypervisor=found.hypervisor,
        marks=marks,
        gate=read_gate(world.shell, node) if node else NO_GATE,
        running_as=read_running_as(world.shell, node) if node else None,
        is_claim_known=claim is None or known_run(journal, claim.run) is not None,
        holders=read_holders(journal, here, service.host, but=but),
        drained=read_drained(
            journal, kinds, here, service.host, run=asked.run, text=service.disabled_reason
        ),
        images=world.glance.images_called(asked.image)
        if asked.image
        else world.glance.public_images(),
        flavors=world.nova.flavors(),
        networks=world.neutron.networks_called(asked.network) if asked.network else (),
        ha_hosts=ha_hosts,
        is_ha_ours=bool(ha_hosts) and read_told_ha(journal, here, service.host) is not None,
        identified_at=found.match.seen_at,
        evacuations=read_evacuations(world, service.host, remembered),
        device=_device(world, node) if node and isinstance(marks, Unread) else None,
        has_device=node is not None and world.power.device(node) is not None,
        boot_within_s=asked.boot_within_s,
        has_cut=has_cut(journal, here, service.host, but=but),
    )


def _device(world: World, node: str) -> PowerDevice | Unread | None:
    if world.power.device(node) is None:
        return None
    return or_unread(partial(world.power.describe, node))


def read_told_ha(journal: Journal, cloud: str, host: str) -> str | None:
    """Return our run that last set maintenance in the instance-HA service, if one did.

    A run that found it set already has not done it; one whose answer was lost may have.
    """
    for run in journal.runs(limit=_LATEST, cloud=cloud):
        if host not in run.holds:
            continue
        for attempt in reversed(journal.attempts(run.id)):
            is_started = attempt.mark is not None and attempt.settled not in _NOT_DONE
            if is_started and (stage := stage_of(attempt.step)) in {HA_OFF, HA_ON}:
                if stage == HA_ON and attempt.settled is Settled.LOST:
                    continue  # nobody saw that it was set: it may be set again
                return run.id if stage == HA_OFF else None
    return None


def read_way_back(
    world: World, journal: Journal, name: str, drained: MovedServers, *, only: str | None = None
) -> BringBackFacts:
    """Return where the servers are that a run moved off the node; `only` the server of an id."""
    found = find_node(world, world.nova.services(), name, read_remembered(world, journal))
    return BringBackFacts(
        name=found.match.node or found.service.host,
        host=found.service.host,
        service=found.service,
        hypervisor=found.hypervisor,
        drained=drained,
        away=tuple(
            _away(world, journal, each)
            for each in drained.servers
            if only is None or each.id == only
        ),
        is_of_one=only is not None,
    )


def _away(world: World, journal: Journal, drained: MovedServer) -> AwayServer:
    server = world.nova.server(drained.id)
    if server is None or server.host is None or server.host != drained.target:
        return AwayServer(drained=drained, server=server)
    node = read_compute_node(world, server.host, only=server.id)
    if node.claim and (claiming := known_run(journal, node.claim.run)):
        node = replace(node, claiming_run=claiming.state)
    # It may have gone between the two looks.
    return (
        AwayServer(drained=drained, server=server, node=node)
        if node.servers
        else AwayServer(drained=drained, server=world.nova.server(drained.id))
    )


def read_marks(shell: Shell, node: str) -> Marks | Unread:
    """Return what on the node keeps its nova-compute off; or why that could not be read."""
    try:
        enabled = shell.run(node, ["systemctl", "is-enabled", UNIT])
        return Marks(
            has_file=_is_there(shell, node, MAINTENANCE),
            has_drop_in=_is_there(shell, node, DROP_IN),
            is_masked=read_enabled(enabled.out) in MASKED,
        )
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)


def _is_there(shell: Shell, node: str, path: str) -> bool:
    answer = shell.run(node, ["test", "-e", path])
    with understood(f"`test -e {path}`", answer.err):
        return {0: True, 1: False}[answer.code]


def read_holders(journal: Journal, cloud: str, host: str, *, but: str | None) -> tuple[Holder, ...]:
    """Return the runs that are going on and have the node for themselves."""
    return tuple(
        Holder(run=run.id, title=run.title, state=run.state.value)
        for run in journal.runs(limit=_LATEST, cloud=cloud)
        if host in run.holds and run.id != but and _is_going_on(journal, run)
    )


def _is_going_on(journal: Journal, run: Run) -> bool:
    if run.state is RunState.STOPPED:
        return any(attempt.is_in_flight for attempt in journal.attempts(run.id))
    return run.state in _GOING


def leaves_servers(run: Run) -> bool:
    """Say whether a drain was approved to leave servers on its node."""
    ends = json.loads(run.plan)["decisions"].get("ends", "empty")
    return bool(ends != "empty")
