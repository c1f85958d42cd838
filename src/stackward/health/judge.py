"""How a cloud is, by component: all findings gathered, and each put under what explains it.

`causes.py` says which finding explains which. What is explained is shown there, and never hidden.
What nothing has proved is no finding: it is a gap, with its reason.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from stackward.anatomy import MACHINE, REPORTED_TO, Anatomy, Component
from stackward.health.apis import gaps_of_doors, judge_doors
from stackward.health.belonging import Off, judge_switched_off, switched_off
from stackward.health.calls import gaps_of_calls, judge_calls, judge_failed, proof_of_calls
from stackward.health.causes import Known, explain
from stackward.health.clustered import gaps_of_clusters, judge_clusters, notes_of_clusters
from stackward.health.elsewhere import gaps_of_members
from stackward.health.messages import (
    ages,
    gaps_of_queues,
    gaps_of_rpc,
    judge_all_queues,
    judge_connections,
    judge_heartbeats,
    judge_on_source,
    judge_own_queues,
    judge_records,
    judge_rpc,
    judge_rpc_failed,
    node_of,
    notes_of_heartbeats,
    other_sides,
    queues_of,
)
from stackward.health.node_health import (
    gaps_of_machines,
    judge_machines,
    judge_together,
    notes_of_identities,
    notes_of_kernels,
)
from stackward.health.pings import gaps_of_pings, judge_pings, proof_of_pings
from stackward.health.presence import Presence, present
from stackward.health.processes import (
    gaps_of_tools,
    judge_ports,
    judge_stopped,
    judge_tools,
    judge_units,
    notes_of_masks,
    notes_of_tools,
    notes_of_units,
    takes_clients,
)
from stackward.health.proofs import (
    FUTURE_S,
    gap_of_place,
    proof_of_report,
    proved,
    unproved,
)
from stackward.health.questions import (
    gaps_of_answers,
    judge_answers,
    judge_one_of_all,
    proof_of_answers,
)
from stackward.health.raft import judge_members
from stackward.health.stores import gaps_of_stores, judge_stores
from stackward.health.symptoms import of_host
from stackward.health.web import gaps_of_web, judge_web, proof_of_web, shown_by
from stackward.masking import masked
from stackward.model.cloud_state import Answered, CloudState, Rpc
from stackward.model.health import ComponentHealth, Finding, Gap, Health, Kept, Note, State, worst
from stackward.model.survey import Broker, Cache, DatabaseServer, Survey, Unseen
from stackward.wording import count_of

Proof = tuple[str, float | None]  # what shows that a component works, and how long that took


def judge_cloud(state: CloudState, anatomy: Anatomy) -> Health:
    """Judge all that one look has read."""
    here = present(state, anatomy)
    works = proved(state, here, anatomy)
    off = list(switched_off(state, here, anatomy))
    hosts = {node: host for host, node in state.nodes.items() if node}
    told = list(_all_findings(state, here, anatomy, works, off))
    told += _stopped(here, told)
    findings = list(dict.fromkeys(of_host(one, hosts.get(one.node or "")) for one in told))
    findings += judge_together(state, findings)
    places = _places(state, here, anatomy, findings)
    found = {name: _state(nodes, findings, name) for name, nodes in places.items()}
    explained = explain(
        Known(findings=findings, states=found, anatomy=anatomy, state=state, present=here)
    )
    gaps, words = _gaps(state, here, anatomy, places, findings)
    components = [
        _component(
            name,
            worst([found[name], words.get(name, State.OK)]),
            nodes,
            explained,
            _proof(name, state, here, anatomy),
        )
        for name, nodes in places.items()
    ]
    components.sort(key=lambda one: _order(one, explained, anatomy))
    return Health(
        read_at=state.read_at,
        took_s=state.took_s,
        loading_s=state.loading_s,
        state=_overall(state, [*found.values()], gaps),
        components=tuple(components),
        token_s=state.login.took_s if isinstance(state.login, Answered) else None,
        gaps=tuple(map(_masked_gap, gaps)),
        is_blind=_is_blind(state),
        notes=tuple(dict.fromkeys(map(_masked_note, _all_notes(state, here, anatomy, works, off)))),
        only=state.only,
    )


def _all_findings(
    state: CloudState,
    here: Mapping[tuple[str, str], Presence],
    anatomy: Anatomy,
    works: Collection[tuple[str, str]],
    off: Iterable[Off],
) -> Iterator[Finding]:
    yield from judge_machines(state)
    has_seen_all = state.has_seen_all
    sides = other_sides(here, anatomy)
    for place, one in here.items():
        yield from judge_units(one, answers=place in works)
        yield from judge_ports(one)
        yield from judge_tools(one, here, has_seen_all=has_seen_all)
        yield from judge_stores(one)
        yield from judge_answers(one)
        yield from judge_web(one)
        yield from judge_connections(one, sides)
    yield from judge_switched_off(off)
    yield from judge_clusters(state, anatomy)
    for component in anatomy.components.values():
        yield from judge_one_of_all(component, here, has_seen_all=has_seen_all)
    yield from judge_members(state, here)
    yield from judge_own_queues(state, here, anatomy)
    yield from judge_all_queues(state, here, anatomy)
    yield from judge_heartbeats(state, here, anatomy)
    yield from judge_records(state, here, anatomy)
    yield from judge_on_source(state, anatomy)
    yield from judge_rpc(state, here, anatomy)
    yield from judge_pings(state, here, anatomy)
    yield from judge_calls(state, here, anatomy)
    yield from judge_rpc_failed(state, anatomy)
    yield from judge_failed(state, anatomy)
    yield from judge_doors(state, anatomy, {name for name, _ in here}, shown_by(here.values()))


def _stopped(
    here: Mapping[tuple[str, str], Presence], told: Iterable[Finding]
) -> Iterator[Finding]:
    """Find what somebody has stopped, and what no other finding names."""
    by_place: dict[tuple[str, str], list[Finding]] = {}
    for one in told:
        by_place.setdefault((one.component, one.node or ""), []).append(one)
    for place, presence in here.items():
        yield from judge_stopped(presence, by_place.get(place, ()))


def _gaps(
    state: CloudState,
    here: Mapping[tuple[str, str], Presence],
    anatomy: Anatomy,
    places: Mapping[str, tuple[str, ...]],
    findings: Iterable[Finding],
) -> tuple[tuple[Gap, ...], dict[str, State]]:
    """Return what was not shown, and how each component is by that alone.

    A gap that would only have proved something counts where nothing else has proved it. Of what
    has a finding it has been said how it is.
    """
    known = list(dict.fromkeys(_all_gaps(state, here, anatomy)))
    told = {(one.component, one.node) for one in findings}
    bare = [
        place
        for place in unproved(state, here, anatomy, places)
        if not {(place.component.name, place.node), (place.component.name, None)} & told
    ]
    open_ = {(place.component.name, place.node) for place in bare}
    gaps = [gap for gap in known if not gap.is_proof or (gap.component, gap.where) in open_]
    reasons = {(gap.component, gap.where) for gap in gaps}
    gaps += [
        gap_of_place(place)
        for place in bare
        if not {(place.component.name, each) for each in (place.node, place.component.name)}
        & reasons
    ]
    of_apis = {(name, name) for name, _ in open_}  # what holds wherever the component runs
    words: dict[str, State] = {}
    for gap in gaps:
        if (gap.component, gap.where) in open_ | of_apis:
            word = State.UNKNOWN if gap.kind.is_unknown else State.NOT_PROVED
            words[gap.component] = worst([word, words.get(gap.component, State.OK)])
    return tuple(gaps), words


def _masked_gap(gap: Gap) -> Gap:
    """Take secrets out of it: services and nodes have their words in it."""
    return replace(gap, what=masked(gap.what), why=masked(gap.why), cure=masked(gap.cure))


def _masked_note(note: Note) -> Note:
    return replace(note, says=masked(note.says))


def _overall(state: CloudState, found: Sequence[State], gaps: Iterable[Gap]) -> State:
    """Return how the whole is: what no finding is against is well only as far as it was asked.

    A missing right is no fault of the cloud. No way to it, or no time left, is no answer at all.
    """
    kinds = {gap.kind for gap in gaps}
    by_gaps = State.NOT_PROVED if kinds else State.OK
    if Kept.DEADLINE in kinds or _is_blind(state) or not _has_asked_an_api(state):
        by_gaps = State.UNKNOWN
    return worst([*found, by_gaps])


def _is_blind(state: CloudState) -> bool:
    """Say whether nothing was reached: no node, and no API except the login."""
    return not _has_asked_an_api(state) and all(
        isinstance(one, Unseen) for one in state.surveys.values()
    )


def _has_asked_an_api(state: CloudState) -> bool:
    """Say whether an API has answered anything: that we may not see it is an answer, too."""
    told = [*state.probes.values(), *state.heartbeats_unread.values()]
    answered = any(isinstance(one, Answered) or one.status is not None for one in told)
    return answered or bool(state.heartbeats) or bool(_lists_read(state))


def _lists_read(state: CloudState) -> set[str]:
    """Return the types of the services whose lists of processes were read, if only as empty."""
    known = {one.kind for one in (state.catalog.endpoints if state.catalog else ())}
    ours = {
        kind
        for kind in known & REPORTED_TO
        if state.catalog and state.catalog.endpoint((kind,)) is not None
    }
    return ours if not state.heartbeats_unread else set()


def _all_gaps(
    state: CloudState, here: Mapping[tuple[str, str], Presence], anatomy: Anatomy
) -> Iterator[Gap]:
    yield from gaps_of_machines(state)
    yield from gaps_of_clusters(state)
    yield from gaps_of_members(state, here)
    for one in here.values():
        yield from gaps_of_tools(one)
        yield from gaps_of_stores(one)
        yield from gaps_of_answers(one)
        yield from gaps_of_web(one)
    yield from gaps_of_queues(state, here, anatomy)
    yield from gaps_of_rpc(state, anatomy)
    yield from gaps_of_pings(state, here, anatomy)
    yield from gaps_of_calls(state, anatomy)
    yield from gaps_of_doors(state, anatomy, {name for name, _ in here})


def _all_notes(
    state: CloudState,
    here: Mapping[tuple[str, str], Presence],
    anatomy: Anatomy,
    works: Collection[tuple[str, str]],
    off: Iterable[Off],
) -> Iterator[Note]:
    found = {(one.node, unit.name) for one in off if one.belongs for unit in one.units}
    yield from notes_of_identities(state)
    yield from notes_of_kernels(state)
    yield from notes_of_heartbeats(state)
    yield from notes_of_clusters(state, anatomy)
    for place, one in here.items():
        yield from notes_of_units(one, answers=place in works)
        yield from notes_of_tools(one)
    for survey in state.surveys.values():
        if isinstance(survey, Survey):
            yield from notes_of_masks(survey, anatomy, found)


def _places(
    state: CloudState,
    here: Mapping[tuple[str, str], Presence],
    anatomy: Anatomy,
    findings: Iterable[Finding],
) -> dict[str, tuple[str, ...]]:
    """Return each component that this cloud has, with the nodes on which it was seen."""
    found: dict[str, dict[str, None]] = {MACHINE: dict.fromkeys(state.surveys)}
    for name, node in here:
        found.setdefault(name, {})[node] = None
    for heartbeat in state.heartbeats:
        component = anatomy.of_heartbeat(heartbeat.binary)
        node = node_of(state, heartbeat)
        if component and (state.only is None or node == state.only):
            found.setdefault(component.name, {})[node] = None
    for name in state.probes:
        found.setdefault(name, {})
    for finding in findings:
        nodes = found.setdefault(finding.component, {})
        if finding.node:
            nodes[finding.node] = None
    return {name: state.in_order(nodes) for name, nodes in found.items()}


def _state(nodes: tuple[str, ...], findings: Iterable[Finding], name: str) -> State:
    """Return how a component is: broken only where none of it works."""
    own = [finding for finding in findings if finding.component == name]
    broken = {finding.node for finding in own if finding.state is State.BROKEN}
    if None in broken or (broken and broken >= set(nodes)):
        return State.BROKEN
    if broken:
        return State.DEGRADED
    return worst([finding.state for finding in own])


def _component(
    name: str, state: State, nodes: tuple[str, ...], findings: Iterable[Finding], proof: Proof
) -> ComponentHealth:
    mine = (one for one in findings if one.component == name)
    own = tuple(sorted(mine, key=lambda one: one.state.rank))
    under = {one.under for one in own}
    return ComponentHealth(
        name=name,
        state=state,
        nodes=nodes,
        proof=proof[0],
        took_s=proof[1],
        under=own[0].under if own and None not in under else None,
        findings=own,
    )


def _order(
    one: ComponentHealth, findings: Iterable[Finding], anatomy: Anatomy
) -> tuple[bool, bool, int, int, int, str]:
    """Put the worst first, then what explains most; then what is explained; last what is well."""
    explains = sum(
        1 for each in findings if each.under and each.under.partition(" on ")[0] == one.name
    )
    known = anatomy.components.get(one.name)
    restore = known.restore if known else 0
    is_affected = one.under is not None
    return (one.state is State.OK, is_affected, one.state.rank, -explains, restore, one.name)


# --- what shows that it works -------------------------------------------------------------------


def _proof(
    name: str, state: CloudState, here: Mapping[tuple[str, str], Presence], anatomy: Anatomy
) -> Proof:
    component = anatomy.components.get(name)
    if component is None:
        return "", None
    answer = state.probes.get(name)
    if name == MACHINE:
        looks = list(state.surveys.values())
        seen = sum(1 for look in looks if not isinstance(look, Unseen))
        return f"{seen} of {len(looks)} answer over SSH", None
    if isinstance(answer, Answered):
        token = ""
        if component.catalog == "identity" and isinstance(state.login, Answered):
            token = f"token in {state.login.took_s:.2f} s, "
        return f"{token}{component.probe.shows} in {answer.took_s:.2f} s", answer.took_s
    if component.probe.kind == "rpc" and (said := _rpc_proof(state)):
        return said, None
    said = (
        proof_of_pings(component, state, here, anatomy)
        or proof_of_calls(component, state, anatomy)
        or proof_of_answers(component, here)
        or proof_of_web(name, here.values())
        or proof_of_report(component, state, here, anatomy)
    )
    if component.heartbeat and not said:
        said = _heartbeat_proof(component, state, here)
    return said or _process_proof(component, here), None


def _rpc_proof(state: CloudState) -> str:
    answered = [one for one in state.rpc.values() if one.outcome is Rpc.ANSWERED]
    if not answered:
        return ""
    slowest = max(one.took_s for one in answered)
    return f"{len(answered)} of {len(state.rpc)} answer over RPC, within {slowest:.2f} s"


def _heartbeat_proof(
    component: Component, state: CloudState, here: Mapping[tuple[str, str], Presence]
) -> str:
    known = ages(state, component.heartbeat or "")
    if not known:
        return ""
    is_odd = min(known) < FUTURE_S
    signs = ["heartbeat of no sure age" if is_odd else f"heartbeat {max(0.0, *known):.0f} s old"]
    queues = queues_of(here)
    own = [
        queues.get(f"{component.topic}.{one.name}")
        for one in state.heartbeats
        if one.binary == component.heartbeat
    ]
    if component.topic and own and all(queue and queue.consumers for queue in own):
        signs.append("its queue is read")
    if component.holds and any(name == component.name for name, _ in here):
        signs.append("connected")
    return f"looks alive: {', '.join(signs)}"


def _process_proof(component: Component, here: Mapping[tuple[str, str], Presence]) -> str:
    seen = [one for (name, _), one in here.items() if name == component.name]
    if not seen:
        return ""
    said = [words for one in seen if (words := _own_words(one))]
    if said:
        each = "; ".join(dict.fromkeys(said))
        is_asked = component.probe.kind == "libvirt"
        return f"{len(said)} of {len(seen)} answer: {each}" if is_asked else each
    running = sum(1 for one in seen if one.runs)
    return f"{'looks alive: ' if running else ''}{running} of {len(seen)} running"


def _own_words(one: Presence) -> str:
    """Return what its own tool says of a component, in short."""
    survey = one.survey
    match one.component.probe.kind:
        case "rabbitmq" if isinstance(survey.broker, Broker):
            running = (
                f"{len(survey.broker.running)} of {count_of(len(survey.broker.members), 'member')}"
            )
            queues, unread = survey.broker.queues, survey.broker.queues_unread
            least = "at least " if unread or survey.broker.vhosts is None else ""
            return (
                running if queues is None else f"{running}, {least}{count_of(len(queues), 'queue')}"
            )
        case "mariadb" if isinstance(survey.database, DatabaseServer):
            server = survey.database
            galera = f", Galera of {server.cluster_size}" if server.is_galera else ""
            return f"{server.connections} of {server.most_connections} connections{galera}"
        case "rabbitmq" | "mariadb" if takes_clients(one):
            return "answers its clients"
        case "memcached" if isinstance(survey.cache, Cache):
            return f"{survey.cache.connections} of {survey.cache.most_connections} connections"
        case "libvirt" if isinstance(survey.libvirt, str):
            return f"libvirt {survey.libvirt}"
        case _:
            return ""
