"""One cause, one finding: which finding explains which, so that the cause is shown once.

A finding is put under what explains it, and never hidden. `CAUSES` are the rules, each tried by
itself; what explains a finding may be explained in turn, so what is shown is the cause that nothing
explains. What a person did on purpose, and what a machine has of itself, nothing explains.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from stackward.anatomy import MACHINE, Anatomy, Component
from stackward.health.presence import Presence, deployed_as
from stackward.health.raft import quorums
from stackward.model.cloud_state import CloudState
from stackward.model.health import Finding, State
from stackward.model.survey import Survey

Place: TypeAlias = tuple[str, str | None]  # a component, and a node or the whole cloud
Present: TypeAlias = Mapping[tuple[str, str], Presence]

# What is so at a process itself comes before what is seen of it from elsewhere.
_SEEN_FROM = {
    "port-closed": 1,
    "connection-missing": 1,
    "connection-half-open": 1,
    "ovsdb-member-lost": 1,
    "pacemaker-member-offline": 1,
    "pacemaker-member-unclean": 1,
    "own-queue-missing": 2,
    "own-queue-unread": 2,
    "own-queue-unbound": 2,
    "own-queue-down": 2,
    "rpc-deaf": 3,
    "heartbeat-lost": 4,
    "record-missing": 4,
    "login-unanswered": 5,
    "login-failed": 5,
    "list-unanswered": 5,
    "list-failed": 5,
    "token-not-accepted": 5,
    "call-failed": 5,
    "endpoint-unanswered": 6,
    "endpoint-failed": 6,
}
_DOWN = {"unit-down", "trigger-down", "socket-down", "gate-shut", "unit-ended", "container-down"}
_AT_PROCESS = {
    *_DOWN,
    "unit-restarting", "switched-off",
    "masked-and-fallen",
    "switched-off-here",
    "process-stopped", "process-silent", "process-ill", "off-the-bus",
    "rabbitmq-silent", "rabbitmq-takes-no-clients", "mariadb-silent", "memcached-silent",
    "libvirt-silent", "not-one-active", "cluster-stopped", "cluster-failed",
    "pacemaker-silent",
}  # fmt: skip
_SILENT = {name for name in _AT_PROCESS if name.endswith("-silent")}
_LEADERLESS = {"ovsdb-no-leader", "ovsdb-cut-off"}
SOFT = {"memcached"}  # without it all goes on, if slowly
_ON_PURPOSE = {"switched-off", "switched-off-here", "masked-but-runs", "not-at-boot"}
_APIS = {name for name, rank in _SEEN_FROM.items() if rank >= 5}  # noqa: PLR2004  # as above
_DEAD = {"node-unreachable", "node-silent"}
_FULL = {"disk-full", "inodes-out", "read-only", "disk-error"}
_FILLING = {"disk-filling", "inodes-short"}
_EXPIRED = {"certificate-expired", "certificate-expires"}
_IN_MEMORY = ("/run", "/tmp", "/dev/shm")  # noqa: S108  # all write there
_FAR = {"clock-astray", "conntrack-full"}  # show on other nodes too
NODES_LOST = "nodes-lost"
# Each names many of another kind at once.
TOGETHER = {
    NODES_LOST: _DEAD,
    "nodes-unseen": {"ssh-lost", "node-late"},
    "clocks-astray": {"clock-astray"},
    "host-keys-unknown": {"host-key-unknown"},
    "host-keys-changed": {"host-key-changed"},
    "ssh-settings-wrong": {"ssh-setting-wrong"},
    "logins-refused": {"login-refused"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that the rules look at."""

    findings: Sequence[Finding]
    states: Mapping[str, State]
    anatomy: Anatomy
    state: CloudState
    present: Present
    needs: dict[Place, set[Place]] = field(default_factory=dict)

    def lost_controllers(self) -> tuple[int, ...]:
        """Return the findings on dead machines that may have run what the cloud needs.

        Nobody can say what ran there. If the machine with Keystone's address is dead, it is that
        one. Otherwise, if many machines died at once, it is the one finding on them. Otherwise it
        is each dead machine that the cloud itself does not report as a compute node.
        """
        dead = {one.node: at for at, one in enumerate(self.findings) if one.rule in _DEAD}
        together = tuple(at for at, one in enumerate(self.findings) if one.rule == NODES_LOST)
        if self.state.keystone_on in dead:
            return (dead[self.state.keystone_on],)
        if together:
            return together
        computes = {
            self.state.nodes.get(one.host)
            for one in self.state.heartbeats
            if _is_of_compute(one.binary)
        }
        return tuple(at for node, at in dead.items() if node not in computes)

    def needed(self, place: Place) -> set[Place]:
        """Return what a component needs; each is found once, for there may be many findings."""
        if place not in self.needs:
            self.needs[place] = needed(place, self.anatomy)
        return self.needs[place]

    def runs_at(self, component: str, node: str | None) -> bool:
        """Say whether a component was seen on a node."""
        return node is not None and (component, node) in self.present

    def is_seen(self, component: str) -> bool:
        """Say whether a component was seen anywhere."""
        return any(name == component for name, _ in self.present)


def explain(known: Known) -> list[Finding]:
    """Put each finding under the cause that nothing explains, if there is one."""
    lost = known.lost_controllers()
    near, wide = _where_to_look(known, lost)
    direct = {
        at: _direct(at, [*near.get(one.node, ()), *wide], known, lost)
        for at, one in enumerate(known.findings)
    }
    return [
        _under(one, _first(_roots(at, direct), known), known)
        for at, one in enumerate(known.findings)
    ]


def _where_to_look(
    known: Known, lost: Iterable[int]
) -> tuple[dict[str | None, list[int]], list[int]]:
    """Return the causes by their nodes, and those that may explain something on any node.

    In a large cloud there are thousands of findings, and few of them reach beyond their node.
    """
    near: dict[str | None, list[int]] = {}
    wide = [*lost]
    for at, one in enumerate(known.findings):
        is_broken = known.states.get(one.component) is State.BROKEN and one.component != MACHINE
        if one.node is None or is_broken or one.rule in _FAR:
            wide.append(at)
        else:
            near.setdefault(one.node, []).append(at)
    return near, list(dict.fromkeys(wide))


def _direct(at: int, candidates: Iterable[int], known: Known, lost: Collection[int]) -> list[int]:
    """Return those of some findings that explain one; all are named by their place."""
    finding = known.findings[at]
    if finding.rule in _ON_PURPOSE:
        return []
    return [
        one
        for one in candidates
        if one != at
        and (
            any(rule(known.findings[one], finding, known) for rule in CAUSES)
            or (one in lost and _was_there(known.findings[one], finding, known))
        )
    ]


def _roots(at: int, direct: Mapping[int, Sequence[int]]) -> set[int]:
    """Return the causes of a finding that nothing explains."""
    seen, ahead, roots = {at}, [*direct[at]], set()
    while ahead:
        one = ahead.pop()
        if one in seen:
            continue
        seen.add(one)
        if direct[one]:
            ahead += direct[one]
        else:
            roots.add(one)
    return roots


def _first(roots: Iterable[int], known: Known) -> Finding | None:
    """Choose of several causes the one that a site restores first.

    What all goes on without, if slowly, is chosen only where nothing else explains it.
    """
    causes = [known.findings[at] for at in roots]
    return min(causes, key=lambda one: (one.component in SOFT, *_order(one, known)), default=None)


def _order(one: Finding, known: Known) -> tuple[bool, int, int, str, str]:
    component = known.anatomy.components.get(one.component)
    return (
        one.rule not in TOGETHER,
        component.restore if component else 0,
        one.state.rank,
        one.component,
        one.node or "",
    )


def _under(finding: Finding, cause: Finding | None, known: Known) -> Finding:
    """Name the cause: by its component alone where that works nowhere, and is another."""
    if cause is None:
        return finding
    is_whole = known.states.get(cause.component) is State.BROKEN and cause.component != MACHINE
    name = cause.component if is_whole and cause.component != finding.component else cause.where
    return replace(finding, under=name, by=cause.rule)


# --- the rules: does this finding explain that one? ---------------------------------------------


def _many_at_once(cause: Finding, finding: Finding, known: Known) -> bool:  # noqa: ARG001  # a rule
    return finding.rule in TOGETHER.get(cause.rule, ())


def _dead_machine(cause: Finding, finding: Finding, known: Known) -> bool:  # noqa: ARG001  # a rule
    is_its = finding.node == cause.node and finding.component != MACHINE
    return cause.rule in _DEAD and cause.node is not None and is_its


def _was_there(cause: Finding, finding: Finding, known: Known) -> bool:
    """Say whether something is missed that no machine has that was seen: the dead one may have."""
    if finding.rule not in _SEEN_FROM or finding.node == cause.node is not None:
        return False
    places = known.needed((finding.component, finding.node))
    lacking = {name for name, node in places if node is None and name != MACHINE}
    if finding.rule in _APIS:
        lacking.add(finding.component)
    return any(not known.is_seen(name) for name in lacking)


def _is_of_compute(binary: str) -> bool:
    return binary == "nova-compute" or binary.endswith(("-agent", "ovn-controller"))


def _full_disk(cause: Finding, finding: Finding, known: Known) -> bool:
    """Say whether a component writes to a disk that takes no more, or as good as no more."""
    if finding.node != cause.node or finding.component in {MACHINE, ""} or not cause.about:
        return False
    if cause.rule in _FILLING:
        if finding.rule != "rabbitmq-alarm" and not _tells_of_room(finding):
            return False  # the others find room
    elif cause.rule not in _FULL:
        return False
    return cause.about in _IN_MEMORY or cause.about in _mounts_of(finding, known)


def _tells_of_room(finding: Finding) -> bool:
    words = " ".join((finding.reason, *finding.evidence)).lower()
    return any(each in words for each in ("no space left", "enospc", "disk full", "disk space"))


def _mounts_of(finding: Finding, known: Known) -> set[str]:
    """Return the mounts of a node to which a component writes."""
    survey = known.state.surveys.get(finding.node or "")
    component = known.anatomy.components.get(finding.component)
    if not isinstance(survey, Survey) or component is None:
        return set()
    mounts = sorted((one.mount for one in survey.filesystems), key=len, reverse=True)
    found: set[str] = set()
    for path in written_by(component, known.present.get((component.name, survey.node))):
        above = next((mount for mount in mounts if _is_below(path, mount)), None)
        found |= {above} if above else set()
        found |= {mount for mount in mounts if _is_below(mount, path)}
    return found


def written_by(component: Component, here: Presence | None) -> tuple[str, ...]:
    """Return where a component writes: its data and its logs."""
    deployed = deployed_as(component, here.units if here else ())
    return (*deployed.writes, *deployed.logs)


def _is_below(path: str, mount: str) -> bool:
    return path == mount or path.startswith(mount.rstrip("/") + "/")


def _same_disk(cause: Finding, finding: Finding, known: Known) -> bool:
    """Say whether a file system is another one seen again, such as a folder of it mounted aside."""
    if finding.rule != cause.rule or cause.rule not in _FULL | _FILLING:
        return False
    survey = known.state.surveys.get(finding.node or "")
    if finding.node != cause.node or not isinstance(survey, Survey):
        return False
    rooms = {one.mount: (one.size, one.free, one.inodes_free) for one in survey.filesystems}
    is_first = (len(cause.about), cause.about) < (len(finding.about), finding.about)
    room = rooms.get(cause.about)
    return is_first and room is not None and room == rooms.get(finding.about)


def _wrong_clock(cause: Finding, finding: Finding, known: Known) -> bool:
    """Say whether times are compared with a clock that is off: of a report, or of a token."""
    if cause.rule not in {"clock-astray", "clocks-astray"}:
        return False
    node = cause.node
    match finding.rule:
        case "heartbeat-lost":
            component = known.anatomy.components.get(finding.component)
            asked = {f"{component.service}-api"} if component else set()
            return node in {None, finding.node} or any(known.runs_at(one, node) for one in asked)
        case "token-not-accepted":
            runs = known.runs_at(finding.component, node) or known.runs_at("keystone", node)
            return node is None or runs
        case "login-failed":
            return node is None or known.runs_at("keystone", node)
        case _:
            return False


def _no_connection_more(cause: Finding, finding: Finding, known: Known) -> bool:
    """Say whether a machine that drops new connections makes something unreachable."""
    if cause.rule != "conntrack-full":
        return False
    if finding.node is None:
        return finding.rule in _APIS and known.runs_at(finding.component, cause.node)
    return finding.rule in _SEEN_FROM and finding.node == cause.node


def _expired(cause: Finding, finding: Finding, known: Known) -> bool:
    """Say whether one certificate that has expired shows at many places, or keeps clients away."""
    if cause.rule not in _EXPIRED:
        return False
    if finding.rule == cause.rule:
        shown = [one for one in known.findings if one.rule == cause.rule]
        same = [one for one in shown if one.about == finding.about]
        return min(same, key=lambda one: _order(one, known)) is cause
    is_refused = cause.rule == "certificate-expired" and finding.component == cause.component
    return is_refused and finding.rule in {
        "login-unanswered", "list-unanswered", "endpoint-unanswered", "endpoint-failed",
    }  # fmt: skip


def _lost_cell(cause: Finding, finding: Finding, known: Known) -> bool:  # noqa: ARG001  # a rule
    return cause.rule == "cell-down" and finding.rule == "host-in-down-cell"


def _same_process(cause: Finding, finding: Finding, known: Known) -> bool:
    """Say whether what is so at a process shows in what others see of it."""
    if cause.component != finding.component or cause.state is not State.BROKEN:
        return False
    rank, least = _SEEN_FROM.get(finding.rule), _SEEN_FROM.get(cause.rule)
    if cause.rule in _AT_PROCESS:
        least = 0
    if rank is None or least is None or least >= rank:
        return False
    # What is seen of all is explained where none of it works.
    is_none = finding.node is None and known.states.get(cause.component) is State.BROKEN
    return cause.node in {None, finding.node} or is_none


def _needs_it(cause: Finding, finding: Finding, known: Known) -> bool:
    """Say whether a component needs another that is broken: on its machine, or everywhere."""
    places = known.needed((finding.component, finding.node))
    if is_lacking(cause, finding.component, places, is_whole=False):
        return True
    # What does not run has ended by itself, or somebody has stopped it: a service that it needs
    # elsewhere does not do that, and a cache never does.
    if _is_stopped(finding, known) or (
        cause.component in SOFT and finding.rule in _AT_PROCESS - _SILENT
    ):
        return False
    is_whole = known.states.get(cause.component) is State.BROKEN
    return is_lacking(cause, finding.component, places, is_whole=is_whole)


def is_lacking(
    cause: Finding, component: str, places: Collection[Place], *, is_whole: bool
) -> bool:
    """Say whether something broken is among the places that a component needs.

    Elsewhere than on its own node it counts only where it is broken as a whole.
    """
    if cause.state is not State.BROKEN or cause.component in {MACHINE, component}:
        return False
    if cause.node is not None and (cause.component, cause.node) in places:
        return True
    return is_whole and (cause.component, None) in places


def _nobody_reads(cause: Finding, finding: Finding, known: Known) -> bool:
    """Say whether messages wait because none of those works that should read them."""
    return (
        finding.rule == "queues-unread"
        and cause.component == finding.about
        and cause.state is State.BROKEN
        and known.states.get(cause.component) is State.BROKEN
    )


def _is_stopped(finding: Finding, known: Known) -> bool:
    """Say whether a unit was stopped, and has not failed."""
    here = known.present.get((finding.component, finding.node or ""))
    return (
        finding.rule in _DOWN
        and here is not None
        and any(one.active == "inactive" for one in here.units)
    )


def _lost_majority(cause: Finding, finding: Finding, known: Known) -> bool:
    """Say whether members that do not run, on this node among others, are why there is no leader.

    One of three does not explain it: the other two would go on.
    """
    if finding.rule not in _LEADERLESS or not _keeps_away(cause, finding):
        return False
    lost = {one.node for one in known.findings if _keeps_away(one, finding)}
    return any(
        cause.node in away and members - len(away & lost) < needed
        for members, needed, away in quorums(known.state, known.present)
    )


def _keeps_away(cause: Finding, finding: Finding) -> bool:
    """Say whether what runs as a component on another node cannot be heard from there."""
    is_its = cause.component == finding.component and cause.rule in _AT_PROCESS
    return (is_its or cause.rule in _DEAD) and cause.node not in {None, finding.node}


CAUSES: tuple[Callable[[Finding, Finding, Known], bool], ...] = (
    _many_at_once,
    _dead_machine,
    _full_disk,
    _same_disk,
    _wrong_clock,
    _no_connection_more,
    _expired,
    _lost_cell,
    _lost_majority,
    _same_process,
    _needs_it,
    _nobody_reads,
)


def needed(place: Place, anatomy: Anatomy) -> set[Place]:
    """Return all that a component needs, with the node where that must be on the same."""
    if place[0] not in anatomy.components:
        return set()
    seen: set[Place] = set()
    ahead = [place]
    while ahead:
        name, node = ahead.pop()
        component = anatomy[name]
        below: list[Place] = [(each, None) for each in component.depends_on]
        below += [(each, node) for each in component.rests_on if node]
        new = [each for each in below if each not in seen]
        seen |= set(new)
        ahead += new
    return seen - {place}
