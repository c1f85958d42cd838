"""What runs where: the units and containers of a component that belong on a node.

A unit belongs where it exists and is enabled or wanted by another, or runs, or has failed: the
node itself says so, no guess does. What is switched off there is judged by `belonging.py`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from stackward.anatomy import WEB_SERVERS, Anatomy, Component, Deployed
from stackward.model.cloud_state import CloudState
from stackward.model.survey import ACTIVE, Survey, Unit, Unseen

DOCKER = "docker"
_OFF = {"inactive", "maintenance"}  # all else runs, has run until just now, or is about to
STARTING_S = 20.0  # a process just started need not listen or be connected yet


@dataclass(frozen=True, kw_only=True)  # without slots: what follows from its units is kept
class Presence:
    """A component on a node that was looked at."""

    component: Component
    survey: Survey
    units: tuple[Unit, ...]

    @property
    def node(self) -> str:
        """Return the node's name."""
        return self.survey.node

    @cached_property
    def owners(self) -> frozenset[str]:
        """Return the names under which its processes own sockets."""
        return frozenset(unit.name for unit in self.units)

    @cached_property
    def services(self) -> tuple[Unit, ...]:
        """Return the units that do its work: not sockets, which wait for them, and not helpers."""
        return tuple(
            unit
            for unit in self.units
            if not unit.name.endswith(".socket") and not self.is_helper(unit)
        )

    def is_helper(self, unit: Unit) -> bool:
        """Say whether it does its work without this one all the same."""
        return unit.is_container and unit.name in self.deployed.helpers

    @cached_property
    def runs(self) -> bool:
        """Say whether all of it runs, and has had time to begin its work."""
        return bool(self.services) and all(
            unit.active == ACTIVE
            and not unit.has_ended
            and (unit.up_s is None or unit.up_s >= STARTING_S)
            for unit in self.services
        )

    @property
    def main(self) -> str:
        """Return the unit that a person would restart."""
        # A socket is not restarted while what it has started runs.
        first = next(iter(self.services or self.units), None)
        return first.name.removesuffix(".service") if first else self.component.name

    @property
    def is_in_container(self) -> bool:
        """Say whether it runs in containers here."""
        return any(unit.is_container for unit in self.units)

    @property
    def restart(self) -> str:
        """Return the command that starts it again, and nothing else, for a remedy."""
        tool = self.engine if self.is_in_container else "systemctl"
        return self.deployed.restart or f"{tool} restart {self.main}"

    @property
    def engine(self) -> str:
        """Return what runs its containers here."""
        return engine_of(self.units)

    @property
    def deployed(self) -> Deployed:
        """Return how it is deployed here."""
        return deployed_as(self.component, self.units)

    @property
    def log(self) -> str:
        """Return where it writes, for a remedy."""
        return " or ".join(f"`{path}`" for path in self.deployed.logs[:2])


def processes_by(restart: str) -> str:
    """Return the command that shows, with what they wait for, the processes that one restarts."""
    tool, *_, name = restart.split()
    if tool == "systemctl":
        return f"ps -eo pid,stat,wchan:30,unit,cmd | grep {name}"
    return f"{tool} top {name} -eo pid,stat,wchan:30,cmd"


def restart_of(here: Presence | None, unit: str) -> str:
    """Return the command that restarts a component; one that was not seen has its usual unit."""
    return here.restart if here else f"systemctl restart {unit}"


def deployed_as(component: Component, units: Iterable[Unit]) -> Deployed:
    """Return the flavour that these units are of; the first if they do not show it."""
    flavours, there = list(component.flavours.values()), list(units)
    if not any(unit.is_container for unit in there):
        return flavours[0]
    own = next((one for one in flavours if one.containers), flavours[0])
    command = re.sub(rf"^{DOCKER}(?= )", engine_of(there), own.command)
    return replace(own, command=command)


def engine_of(units: Iterable[Unit]) -> str:
    """Return what runs these containers; Docker and Podman take the same words."""
    return next((unit.engine for unit in units if unit.engine), DOCKER)


def log_of(component: Component | None) -> str:
    """Return where a component writes as packages have it, where its node is not known."""
    if component is None:
        return "its log"
    return " or ".join(f"`{path}`" for path in deployed_as(component, ()).logs[:1])


def present(state: CloudState, anatomy: Anatomy) -> Mapping[tuple[str, str], Presence]:
    """Return every component that belongs on a node, by component and node."""
    found: dict[tuple[str, str], Presence] = {}
    for survey in state.surveys.values():
        if isinstance(survey, Unseen) or isinstance(survey.units, Unseen):
            continue
        for component in anatomy.components.values():
            if units := tuple(belonging(component, survey, survey.units)):
                key = (component.name, survey.node)
                found[key] = Presence(component=component, survey=survey, units=units)
    return found


def belonging(component: Component, survey: Survey, units: Mapping[str, Unit]) -> Iterable[Unit]:
    """Return the units of a component that belong on a node."""
    for name in units_named(component, survey):
        unit = units.get(name)
        if unit and (unit.is_container or unit.is_wanted or unit.active not in _OFF):
            yield unit


def units_named(component: Component, survey: Survey) -> Iterable[str]:
    """Return the names of all units and containers by which a component may be on a node."""
    names: dict[str, None] = {}
    for deployed in component.flavours.values():
        names |= dict.fromkeys((*deployed.units, *deployed.containers))
        if survey.paths & set(deployed.sites):
            names |= dict.fromkeys(WEB_SERVERS)
    return names


def masked(component: Component, units: Mapping[str, Unit]) -> Iterable[Unit]:
    """Return the units of a component that somebody has masked."""
    for deployed in component.flavours.values():
        for name in deployed.units:
            if name in units and units[name].load == "masked":
                yield units[name]
