"""The bundle of ports that steps and checks are given.

What knows no OpenStack (plans, the engine) is written for any world that has a clock: `W`. Where
no world is named, `Plan` and its parts are those of `World`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from typing_extensions import TypeVar

from stackward.ports.children import Children
from stackward.ports.cinder import Cinder
from stackward.ports.clock import Clock
from stackward.ports.cloud import Cloud
from stackward.ports.glance import Glance
from stackward.ports.health_check import HealthCheck
from stackward.ports.keystone import Keystone
from stackward.ports.masakari import Masakari
from stackward.ports.neutron import Neutron
from stackward.ports.nova import Nova
from stackward.ports.placement import Placement
from stackward.ports.power import Power
from stackward.ports.shell import Shell
from stackward.ports.together import Together


class Timed(Protocol):
    """The least that a world has: a clock."""

    @property
    def clock(self) -> Clock:
        """Return the clock."""
        ...


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts: a claim on a node says so."""

    run: str
    operator: str
    machine: str
    chain: str | None = None  # that started the run
    # The requests that the run has made so far, by the journal: each later worker knows them.
    asked: Callable[[], frozenset[str]] = frozenset


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All ports, as `app` chose them."""

    clock: Clock
    cloud: Cloud
    nova: Nova
    placement: Placement
    neutron: Neutron
    cinder: Cinder
    glance: Glance
    keystone: Keystone
    masakari: Masakari
    shell: Shell
    power: Power
    together: Together
    health: HealthCheck | None = None  # None: nothing here looks at the cloud as a whole
    acting: Acting | None = None  # set by the engine for the run; reading and planning need none
    children: Children | None = None  # same, for a chain


W = TypeVar("W", bound=Timed, default=World)
W_contra = TypeVar("W_contra", contravariant=True, default=World)
