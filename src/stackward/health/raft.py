"""How clusters of a database are: what their members say of themselves and of one another.

Only a leader hears from every member all the time. Members that follow have nothing to say to each
other, so the time since their last word proves nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from stackward.anatomy import RAFT, Question
from stackward.health import symptoms
from stackward.health.presence import Presence
from stackward.health.processes import Present, ago
from stackward.health.questions import Outcome, is_loopback, outcome, restart_for
from stackward.model.cloud_state import CloudState
from stackward.model.health import Finding
from stackward.model.raft import (
    CUT_OFF,
    FAILED,
    JOINING,
    LEAVING,
    LEFT,
    MEMBER,
    Member,
    Peer,
    majority,
)
from stackward.model.survey import ACTIVE, Survey, Unseen

# A leader asks for a word of each member three times in the time after which a new one is chosen.
MISSED, UNHEARD_S = 2, 5.0
_GONE = {Outcome.SILENT, Outcome.REFUTED, Outcome.PROVED}
# Entries of the log: with so many messages that wait, Open vSwitch gives up a connection.
MANY = 500


@dataclass(frozen=True, slots=True)
class Told:
    """A member, and where it was asked."""

    here: Presence
    number: int
    member: Member

    @property
    def node(self) -> str:
        """Return its node."""
        return self.here.node

    @property
    def question(self) -> Question:
        """Return what it was asked."""
        return self.here.component.questions[self.number]

    @property
    def says(self) -> str:
        """Say in short what it says."""
        one = self.member
        return f"`{self.node}`: {one.status}, {one.role}, leader {one.leader or 'unknown'}"


@dataclass(frozen=True, slots=True)
class Members:
    """One cluster: which members reported it, and all that belong to it."""

    told: tuple[Told, ...]
    state: CloudState
    present: Present

    @property
    def peers(self) -> tuple[Peer, ...]:
        """Return all members, by the word of the leader, or of all members that reported."""
        leader = self.leader
        seen = [leader] if leader else self.told
        return tuple({one.server: one for each in seen for one in each.member.peers}.values())

    @property
    def leader(self) -> Told | None:
        """Return the leader; one of an earlier term has not heard yet that it is none."""
        return max(self.leaders, key=lambda one: one.member.term, default=None)

    @property
    def leaders(self) -> list[Told]:
        """Return all who say that they lead."""
        return [one for one in self.told if one.member.leads]

    @property
    def leaderless(self) -> list[Told]:
        """Return the members that know no leader."""
        known = {MEMBER, CUT_OFF}
        return [one for one in self.told if one.member.status in known and not one.member.leader]

    def may_be_led(self, peers: Iterable[Peer]) -> list[Peer]:
        """Return the members that did not report themselves that they look for a leader."""
        without = {one.member.short for one in self.leaderless}
        return [one for one in peers if one.server not in without]

    def told_of(self, peer: Peer) -> Told | None:
        """Return what a member itself reported, if it was asked."""
        return next((one for one in self.told if one.member.short == peer.server), None)

    def node_of(self, peer: Peer) -> str | None:
        """Return the node on which a member runs: by its own word, or by its address."""
        if told := self.told_of(peer):
            return told.node
        if node := self.state.members_at.get(peer.host):
            return node
        for name, survey in self.state.surveys.items():
            if isinstance(survey, Survey) and peer.host in _addresses(survey):
                return name
        return None

    def is_gone(self, peer: Peer) -> bool:
        """Say whether its node shows that it can lead nobody.

        It does not run, does not answer, or answers as no member of a cluster.
        """
        told, node = self.told[0], self.node_of(peer)
        survey = self.state.surveys.get(node or "")
        if node is None or not isinstance(survey, Survey) or isinstance(survey.units, Unseen):
            return False
        here = self.present.get((told.here.component.name, node))
        if here is None:
            return not survey.unread  # what runs in containers may not have been reported
        if not _runs(here, told.question):
            return True
        key = (told.here.component.name, told.number)
        came = outcome(told.question, survey.answers.get(key))
        return came in _GONE and key not in survey.members


def _runs(here: Presence, question: Question) -> bool:
    """Say whether the very process that is asked runs; its component may have several."""
    names = {question.unit, question.container}
    own = [unit for unit in here.units if unit.name in names] or here.units
    return any(unit.active == ACTIVE for unit in own)


def _addresses(survey: Survey) -> set[str]:
    """Return the addresses of a node by which others may know it."""
    seen = {one.near for one in survey.links} | {one.address for one in survey.listeners}
    return {one for one in seen if not is_loopback(one)}


def all_told(present: Present) -> list[Told]:
    """Return every member that was asked and understood."""
    return [
        Told(here, number, member)
        for here in present.values()
        for number, question in enumerate(here.component.questions)
        if question.reads == RAFT
        and isinstance(member := here.survey.members.get((here.component.name, number)), Member)
    ]


def clusters(state: CloudState, present: Present) -> list[Members]:
    """Return each cluster; one inventory may have several of one database."""
    found: dict[tuple[str, str], list[Told]] = {}
    for one in all_told(present):
        if one.member.cluster is not None:
            found.setdefault((one.member.database, one.member.cluster), []).append(one)
    return [Members(tuple(those), state, present) for those in found.values()]


def judge_members(state: CloudState, present: Present) -> Iterator[Finding]:
    """Judge the members by their own words, then each cluster."""
    for one in all_told(present):
        yield from _judge_own(one)
    for cluster in clusters(state, present):
        yield from _judge_leaders(cluster)
        yield from _judge_lost(cluster)


def _judge_own(one: Told) -> Iterator[Finding]:
    """Judge what a member says of itself, without regard to the others."""
    name, member, what = one.here.component.name, one.member, one.question.what
    if member.status == JOINING:
        yield symptoms.OVSDB_JOINING.found(
            name, one.node, [one.says], what=what, log=one.here.log,
            remotes=", ".join(member.remotes) or "nobody",
        )  # fmt: skip
    elif member.status == FAILED:
        yield symptoms.OVSDB_FAILED.found(
            name, one.node, [one.says], what=what, log=one.here.log,
            restart=restart_for(one.here, one.question),
        )  # fmt: skip
    elif member.status in {LEAVING, LEFT}:
        how = "has left it" if member.status == LEFT else "is leaving it"
        yield symptoms.OVSDB_LEAVING.found(name, one.node, [one.says], what=what, how=how)
    if member.status != MEMBER or not member.leader:
        return  # what waits, waits for that
    waits = {"committed": member.uncommitted, "applied": member.unapplied}
    done, count = max(waits.items(), key=lambda each: each[1])
    if count >= MANY:
        says = [f"Entries not yet {each}: {number}" for each, number in waits.items()]
        yield symptoms.OVSDB_BEHIND.found(
            name, one.node, says, what=what, count=count, done=f"not yet {done}"
        )


def _judge_leaders(cluster: Members) -> Iterator[Finding]:
    """Judge whether there is exactly one leader, and everybody knows it."""
    first, leader = cluster.told[0], cluster.leader
    name, what, says = first.here.component.name, first.question.what, _words(cluster.told)
    without = cluster.leaderless
    if leader:
        # By their ids: an inventory may name one machine twice.
        of_term = {
            one.member.server: one.node
            for one in cluster.leaders
            if one.member.term == leader.member.term
        }
        if len(of_term) > 1:
            nodes = ", ".join(of_term.values())
            yield symptoms.OVSDB_LEADERS.found(
                name, None, says, what=what, count=len(of_term), nodes=nodes
            )
    stuck = [one for one in without if one.member.status == CUT_OFF]
    of, needed = len(cluster.peers), majority(len(cluster.peers))
    is_known = leader is not None or any(one.member.leader for one in cluster.told)
    if stuck and not is_known and _may_lead(cluster) < needed:
        yield symptoms.OVSDB_NO_LEADER.found(
            name, None, says, what=what, of=of, needed=needed,
            missing=_named(cluster, cluster.peers) or "none of them",
        )  # fmt: skip
        return
    for one in stuck:
        others = _named(cluster, [each for each in one.member.peers if not each.is_self])
        yield symptoms.OVSDB_CUT_OFF.found(
            name, one.node, [one.says], what=what, others=others or "the others", log=one.here.log
        )
    # Looks are not at one moment: where others know a leader, this one is about to hear of it.
    electing = [] if is_known else [one for one in without if one not in stuck]
    if electing and not stuck:
        where = electing[0].node if len(electing) == 1 else None
        timer = f"{electing[0].member.election_s:g} s"
        yield symptoms.OVSDB_ELECTING.found(name, where, _words(electing), what=what, timer=timer)


def _may_lead(cluster: Members) -> int:
    """Return how many members may have a leader among them, by all that is known."""
    return sum(not cluster.is_gone(peer) for peer in cluster.may_be_led(cluster.peers))


def _named(cluster: Members, peers: Iterable[Peer]) -> str:
    """Name members that did not report themselves that they look for a leader."""
    return ", ".join(_name(cluster, one) for one in cluster.may_be_led(peers))


def _name(cluster: Members, peer: Peer) -> str:
    node = cluster.node_of(peer)
    return f"`{node}` ({peer.address})" if node else f"`{peer.address}`"


def _words(told: Sequence[Told]) -> list[str]:
    return [one.says for one in told]


def _judge_lost(cluster: Members) -> Iterator[Finding]:
    """Judge the members that the leader does not hear, or that are far behind it."""
    leader = cluster.leader
    if leader is None:
        return
    name, what, log = leader.here.component.name, leader.question.what, leader.here.log
    others = [one for one in leader.member.peers if not one.is_self]
    lost = [one for one in others if is_unheard(one, leader.member)]
    for peer in lost:
        told = cluster.told_of(peer)
        if told and told.member.status != MEMBER:
            continue  # it says itself what is wrong with it
        heard = len(others) + 1 - len(lost)
        age = "since it leads" if peer.heard_s is None else f"for {ago(peer.heard_s)}"
        says = [leader.says, *([told.says] if told else [])]
        yield symptoms.OVSDB_MEMBER_LOST.found(
            name, cluster.node_of(peer), says, what=what, leader=leader.node, age=age, log=log,
            address=peer.address, heard=heard, of=len(others) + 1,
            needed=majority(len(others) + 1),
        )  # fmt: skip
    for peer in others:
        behind = leader.member.last - (leader.member.last if peer.matched is None else peer.matched)
        if peer not in lost and behind >= MANY and not _is_new(leader.member):
            yield symptoms.OVSDB_BEHIND.found(
                name, cluster.node_of(peer), [leader.says], what=what, count=behind,
                done=f"not yet at {peer.address}, by the word of its leader",
            )  # fmt: skip


def limit_s(leader: Member) -> float:
    """Return for how long a leader may hear nothing from a member that is well."""
    return max(UNHEARD_S, MISSED * leader.election_s)


def is_unheard(peer: Peer, leader: Member) -> bool:
    """Say whether a member is lost to its leader; a new leader may not have heard it yet."""
    if peer.heard_s is not None:
        return peer.heard_s > limit_s(leader)
    return peer.server not in leader.linked and not _is_new(leader)


def _is_new(leader: Member) -> bool:
    return leader.leads_s is not None and leader.leads_s <= limit_s(leader)


def quorums(state: CloudState, present: Present) -> list[tuple[int, int, frozenset[str]]]:
    """Return of each cluster without a leader its size, its majority, and where others are.

    "Others" are the nodes of members that did not report themselves that they look for a leader.
    """
    found = []
    for cluster in clusters(state, present):
        if cluster.leader is None and cluster.leaderless:
            away = [cluster.node_of(one) for one in cluster.may_be_led(cluster.peers)]
            of = len(cluster.peers)
            found.append((of, majority(of), frozenset(node for node in away if node)))
    return found
