"""What Pacemaker runs is judged by Pacemaker, and not by what systemd enables."""

from collections.abc import Iterator
from dataclasses import dataclass

from stackward.anatomy import Anatomy, Component
from stackward.health import symptoms
from stackward.health.gaps import gap_of
from stackward.model.blind import Blind
from stackward.model.cloud_state import CloudState
from stackward.model.cluster import Cluster, Member, Resource
from stackward.model.health import Finding, Gap, Note
from stackward.model.identity import Likeness, compare
from stackward.model.survey import ACTIVE, Survey, Unit, Unseen

PACEMAKER = "pacemaker"
_OF_SYSTEMD = ("systemd", "service", "lsb")
_RDO = "openstack-"  # begins the names of RDO's units
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Managed:
    """The resources of Pacemaker that are a component, as a node sees them."""

    cluster: Cluster
    member: Member | None  # the node itself
    resources: tuple[Resource, ...]

    @property
    def runs_here(self) -> bool:
        """Say whether Pacemaker says that it runs on this node."""
        return self.member is not None and any(
            self.member.name in one.nodes for one in self.resources
        )

    @property
    def runs(self) -> bool:
        """Say whether Pacemaker says that it runs anywhere."""
        return any(one.nodes for one in self.resources)


def unit_of(agent: str) -> str | None:
    """Return the unit of systemd that an agent starts; None where it starts something else."""
    kind, _, name = agent.partition(":")
    return f"{name.removesuffix('.service')}.service" if kind in _OF_SYSTEMD else None


def is_of(resource: Resource, component: Component) -> bool:
    """Say whether a resource is a component: by its unit, or by its agent in the anatomy."""
    units = {unit for deployed in component.flavours.values() for unit in deployed.units}
    if unit := unit_of(resource.agent):
        return unit in units or unit.removeprefix(_RDO) in units
    return resource.agent.rpartition(":")[2] in component.agents


def managed_here(component: Component, survey: Survey) -> Managed | None:
    """Return what Pacemaker on a node says of a component; None where it does not run that."""
    if not isinstance(survey.cluster, Cluster):
        return None
    own = tuple(one for one in survey.cluster.resources if is_of(one, component))
    names = frozenset({survey.node, *survey.itself.names})
    return Managed(survey.cluster, survey.cluster.member(names), own) if own else None


def is_left_to_cluster(component: Component, survey: Survey, unit: Unit) -> bool:
    """Say whether the word of Pacemaker counts for a unit, and not that of systemd.

    Pacemaker must start what runs; the boot must not. A unit that does not run is missed only if
    Pacemaker says that it runs. If Pacemaker cannot be asked, nobody knows what it runs.
    """
    if isinstance(survey.cluster, Unseen):
        return not unit.is_wanted and unit.load != "masked"
    managed = managed_here(component, survey)
    if managed is None:
        return False
    return unit.active == ACTIVE or not managed.runs_here


def judge_clusters(state: CloudState, anatomy: Anatomy) -> Iterator[Finding]:
    """Judge what Pacemaker says of its resources; each of its nodes says the same."""
    told: set[tuple[str, str | None, str]] = set()
    for survey in state.surveys.values():
        if not isinstance(survey, Survey) or isinstance(survey.units, Unseen):
            continue
        if isinstance(survey.cluster, Unseen) and survey.cluster.kind is Blind.SILENT:
            yield symptoms.PACEMAKER_SILENT.found(PACEMAKER, survey.node, why=survey.cluster.why)
        if not isinstance(survey.cluster, Cluster):
            continue
        for found in _judge_cluster(survey.cluster, state, anatomy):
            key = (found.component, found.node, found.reason)
            if key not in told and state.only in {None, found.node, survey.node}:
                told.add(key)
                yield found


def _judge_cluster(cluster: Cluster, state: CloudState, anatomy: Anatomy) -> Iterator[Finding]:
    if not cluster.has_quorum:
        yield symptoms.PACEMAKER_NO_QUORUM.found(PACEMAKER)
    for member in cluster.members:
        where = _node(state, member.name)
        if member.is_unclean:
            yield symptoms.PACEMAKER_UNCLEAN.found(PACEMAKER, where, member=member.name)
        elif not (member.is_online or _is_set_aside(member, cluster)):
            yield symptoms.PACEMAKER_OFFLINE.found(PACEMAKER, where, member=member.name)
    for name in dict.fromkeys(one.name for one in cluster.resources):
        own = [one for one in cluster.resources if one.name == name]
        component = next((c for c in anatomy.components.values() if is_of(own[0], c)), None)
        where = component.name if component else PACEMAKER
        says = [one.says for one in cluster.failed if one.resource == name][:SHOWN]
        ill = [one for one in own if one.is_failed or one.is_blocked]
        if not any(one.nodes for one in own):
            why = _why_nowhere(own, cluster, says)
            yield symptoms.CLUSTER_STOPPED.found(where, None, says, resource=name, why=why)
        elif ill:
            for node in dict.fromkeys(node for one in ill for node in (one.nodes or ("",))):
                yield symptoms.CLUSTER_FAILED.found(
                    where, _node(state, node), says, resource=name,
                    how="blocked" if any(one.is_blocked for one in ill) else "failed",
                )  # fmt: skip


def _is_set_aside(member: Member, cluster: Cluster) -> bool:
    """Say whether somebody has said that it need not run anything: then it may be away."""
    return member.is_standby or member.is_in_maintenance or cluster.is_in_maintenance


def _node(state: CloudState, member: str) -> str | None:
    """Return the node that the cluster calls so; its own word for it where it is none of ours."""
    for name, survey in state.surveys.items():
        names = (name, *(survey.itself.names if isinstance(survey, Survey) else ()))
        if any(compare(member, each) in {Likeness.SAME, Likeness.ALIKE} for each in names):
            return name
    return member or None


def _why_nowhere(own: list[Resource], cluster: Cluster, says: list[str]) -> str:
    if any(one.is_off for one in own):
        return "it was disabled there"
    if not any(one.is_online and not one.is_standby for one in cluster.members):
        return "every node is in standby or offline"
    if says:
        return "it failed, and is not tried again until that is cleaned up"
    if not cluster.has_quorum:
        return "the cluster has no quorum"
    return "Pacemaker gives no reason"


def notes_of_clusters(state: CloudState, anatomy: Anatomy) -> Iterator[Note]:
    """Report what Pacemaker leaves alone, or keeps off a node, because somebody said so."""
    for survey in state.surveys.values():
        if not isinstance(survey, Survey) or not isinstance(survey.cluster, Cluster):
            continue
        cluster, names = survey.cluster, frozenset({survey.node, *survey.itself.names})
        member = cluster.member(names)
        if cluster.is_in_maintenance:
            yield Note(where=PACEMAKER, says="the cluster is in maintenance: nothing is restarted")
        elif member and member.is_in_maintenance:
            yield Note(where=survey.node, says="Pacemaker has it in maintenance")
        if member and member.is_standby:
            yield Note(where=survey.node, says="Pacemaker has it in standby")
        for name in dict.fromkeys(one.name for one in cluster.resources if not one.is_managed):
            if not cluster.is_in_maintenance:
                yield Note(where=PACEMAKER, says=f"`{name}` is unmanaged: it is not restarted")
        for component in anatomy.components.values():
            managed = managed_here(component, survey)
            if managed and managed.runs and not managed.runs_here:
                places = sorted({node for one in managed.resources for node in one.nodes})
                says = f"{component.name} is run by Pacemaker on {', '.join(places)}"
                yield Note(where=survey.node, says=says)


def gaps_of_clusters(state: CloudState) -> Iterator[Gap]:
    """Name the nodes on which Pacemaker runs and could not be asked."""
    for survey in state.surveys.values():
        if not isinstance(survey, Survey) or not isinstance(survey.cluster, Unseen):
            continue
        if survey.cluster.kind not in {Blind.SILENT, Blind.ODD}:  # those are findings
            yield gap_of(survey, "what Pacemaker runs", survey.cluster, PACEMAKER)
