"""Whether anything of a machine lives, if no device shows its power: every witness is asked.

It is asked just before each request that rests on it. Only what all witnesses say is silence; a
witness that cannot be asked leaves it unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stackward.errors import StackwardError
from stackward.model.service import NOVA_COMPUTE, ComputeService
from stackward.model.utc_time import utc_time_or_none
from stackward.model.witness import Sign
from stackward.ports.world import World
from stackward.status.witnesses import hail
from stackward.wording import in_utc

# Nova's default is a report every 10 s; an interval of a minute is in use. So three of those must
# have been left out.
REPORTS_WITHIN_S = 200.0
# In the journal: a run that has seen one sends nothing more.
SIGN_OF_LIFE = "shows a sign of life"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeSeen:
    """Whether a witness has seen life, and which."""

    sign: Sign
    why: str


def look_for_life(
    world: World, host: str, addresses: Sequence[str], peers: Sequence[str]
) -> LifeSeen:
    """Ask Nova and Neutron, and call all addresses from other nodes; the first sign decides."""
    told = [
        _by_nova(world, host),
        _by_neutron(world, host),
        _by_nodes(world, addresses, peers),  # last: its answer is the freshest
    ]
    for sign in (Sign.YES, Sign.UNKNOWN):
        found = next((each for each in told if each.sign is sign), None)
        if found is not None:
            return found
    return LifeSeen(sign=Sign.NO, why="; ".join(each.why for each in told))


def _by_nodes(world: World, addresses: Sequence[str], peers: Sequence[str]) -> LifeSeen:
    called = hail(world, addresses, peers)
    return LifeSeen(sign=called.sign, why=called.text)


def _by_neutron(world: World, host: str) -> LifeSeen:
    try:
        agents = world.neutron.network_agents_on(host)
    except StackwardError as error:
        return LifeSeen(sign=Sign.UNKNOWN, why=f"its network agents: {error.message}")
    alive = next((each for each in agents if each.is_alive), None)
    if alive is not None:
        return LifeSeen(sign=Sign.YES, why=f"Neutron hears from its agent ({alive.kind})")
    return LifeSeen(sign=Sign.NO, why="Neutron hears from no agent of it")


def _by_nova(world: World, host: str) -> LifeSeen:
    """Say whether Nova hears from its nova-compute, which is forced down since the claim."""
    try:
        services = world.nova.services()
    except StackwardError as error:
        return LifeSeen(sign=Sign.UNKNOWN, why=error.message)
    own = next((one for one in services if (one.host, one.binary) == (host, NOVA_COMPUTE)), None)
    if own is None:
        return LifeSeen(sign=Sign.UNKNOWN, why="Nova has no record of its nova-compute")
    if own.is_up or not own.is_forced_down:
        return LifeSeen(sign=Sign.YES, why="its nova-compute is not forced down any more")
    return _by_its_record(own, [each for each in services if each != own])


def _by_its_record(own: ComputeService, others: Sequence[ComputeService]) -> LifeSeen:
    """Compare the time of its last report with those of others: all are times of Nova.

    Nova calls a service down that is forced down, even if it hears from it: only its record shows
    the truth.
    """
    if own.updated is None:
        return LifeSeen(sign=Sign.NO, why="Nova has never heard from its nova-compute")
    last = utc_time_or_none(own.updated)
    known = (utc_time_or_none(one.updated) for one in others if one.is_known and one.is_up)
    newest = max((at for at in known if at is not None), default=None)
    at = in_utc(own.updated)
    if newest is None:
        why = "Nova hears from no other service"
    elif last is None or (newest - last).total_seconds() <= REPORTS_WITHIN_S:
        why = (
            f"Nova's record of its nova-compute was changed at {at}: "
            f"{REPORTS_WITHIN_S:.0f} s later it shows whether it reports"
        )
    else:
        return LifeSeen(sign=Sign.NO, why=f"Nova has not heard from its nova-compute since {at}")
    return LifeSeen(sign=Sign.UNKNOWN, why=why)
