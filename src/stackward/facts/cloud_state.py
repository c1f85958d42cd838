"""Look at a whole cloud: all nodes side by side, and at the same time its APIs; then its RPC."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeAlias
from urllib.parse import urlsplit

from stackward.anatomy import Anatomy
from stackward.errors import BadInput, Refused
from stackward.facts.survey import survey_node
from stackward.model.cloud_state import (
    REPORTED_TO,
    Answered,
    Catalog,
    CloudState,
    Endpoint,
    Failed,
    Failure,
    Heartbeat,
    Rpc,
    RpcAnswer,
)
from stackward.model.compute import NOVA_COMPUTE, Hypervisor
from stackward.model.identity import Directory, Hosts, Machine, Match, are_all_ironic, decide
from stackward.model.survey import Blind, Survey, Unseen
from stackward.ports.lookout import Lookout
from stackward.ports.machines import find_machine, machine_of

USUAL_S = 8.0
RPC_S = 5.0
MOST_UNANSWERED = 2  # each holds a worker of nova-api for a minute
MOST_RPC_AT_ONCE = 16
MOST_AT_ONCE = 200  # nodes: an ssh each
LEEWAY_S = 1.0  # after its own deadline a question is given up from outside
NOVA, HYPERVISORS = "compute", "hypervisors"

_Answer: TypeAlias = Answered | Failed | datetime | Sequence[Heartbeat] | Sequence[Hypervisor]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What the operator asked for."""

    only: str | None = None  # one node
    within_s: float = USUAL_S  # for each question
    interfaces: tuple[str, ...] = ("public", "internal", "admin")
    tables: bool = False
    rpc: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ApisSeen:
    """What the APIs told."""

    login: Answered | Failed
    login_at: str = ""  # the host of Keystone's URL
    catalog: Catalog | None = None
    probes: Mapping[str, Answered | Failed] = field(default_factory=dict)
    reached: Mapping[str, Answered | Failed] = field(default_factory=dict)
    certificates: Mapping[str, datetime | Failed] = field(default_factory=dict)
    heartbeats: tuple[Heartbeat, ...] = ()
    heartbeats_unread: Mapping[str, Failed] = field(default_factory=dict)
    hypervisors: tuple[Hypervisor, ...] = ()
    hypervisors_unread: str = ""


def node_called(lookout: Lookout, word: str) -> str:
    """Return the node that the inventory or Nova calls so.

    Raises BadInput where the inventory names none, and Refused where two may be meant, or where
    it is not reached by ssh.
    """
    if word in lookout.nodes:
        return word
    match = find_machine(lookout.shell, Machine(host=word, addresses=(word,)))
    if match.node is None and not match.doubtful and (known := _machine_in_nova(lookout, word)):
        match = find_machine(lookout.shell, known)
    if match.doubtful:
        raise Refused(
            f"cannot tell which machine `{word}` is: {match.why}",
            hint="name it as the inventory does: `stackward node list`",
        )
    if match.node is None:
        raise BadInput(
            f"the inventory does not name `{word}`",
            hint="`stackward node list` shows what is in it",
        )
    if match.node in lookout.left_out:
        raise Refused(
            f"cannot check `{match.node}`: Ansible reaches it by "
            f"`{lookout.left_out[match.node]}`, and Stackward uses ssh",
            hint="if it has ssh, set `ansible_connection` to `ssh` in the inventory",
        )
    return match.node


def _machine_in_nova(lookout: Lookout, word: str) -> Machine | None:
    """Return the compute node that Nova calls so: its hypervisor has further names of it."""
    _, catalog = lookout.apis.log_in(within_s=USUAL_S)
    endpoint = catalog.endpoint((NOVA,)) if catalog else None
    if endpoint is None:
        return None
    found = lookout.apis.hypervisors(endpoint, within_s=USUAL_S)
    if isinstance(found, Failed):
        return None
    called = Hosts(one.host for one in found).called(word)
    own = [one for one in found if one.host in called]
    return machine_of(own[0]) if len(own) == 1 else None


def look_at_cloud(
    lookout: Lookout, anatomy: Anatomy, asked: CheckRequest
) -> tuple[CloudState, Mapping[str, str]]:
    """Look at nodes and APIs side by side; return also the id of each machine's hypervisor."""
    began = lookout.clock.monotonic()
    read_at = lookout.clock.now()
    names = [asked.only] if asked.only else lookout.nodes
    questions: dict[str, Callable[[], Survey | Unseen | ApisSeen]] = {
        f"node {name}": _survey(lookout, anatomy, name, asked) for name in names
    }
    questions["apis"] = lambda: _look_at_apis(lookout, anatomy, asked)
    # A login, then the APIs: two rounds. A very large cloud takes more, for its nodes.
    rounds = 1 + -(-len(questions) // MOST_AT_ONCE)
    told = lookout.together.ask(
        questions, within_s=rounds * (asked.within_s + LEEWAY_S), at_once=MOST_AT_ONCE
    )
    late = Unseen(f"no answer within {asked.within_s:g} s", Blind.SILENT)
    answers = {name: told[f"node {name}"] for name in names}
    surveys = {
        name: answer if isinstance(answer, Survey | Unseen) else late
        for name, answer in answers.items()
    }
    apis = told["apis"]
    if not isinstance(apis, ApisSeen):
        apis = ApisSeen(login=_late(asked))
    directory = _directory(lookout, surveys)
    matches = _matches(directory, apis)
    bare_metal = _bare_metal(apis.hypervisors)
    state = CloudState(
        read_at=read_at,
        took_s=lookout.clock.monotonic() - began,
        surveys=surveys,
        login=apis.login,
        catalog=apis.catalog,
        probes=apis.probes,
        reached=apis.reached,
        certificates=apis.certificates,
        heartbeats=apis.heartbeats,
        heartbeats_unread=apis.heartbeats_unread,
        nodes={host: match.node for host, match in matches.items()},
        bare_metal=bare_metal,
        hypervisors_unread=apis.hypervisors_unread,
        unnamed={host: match.why for host, match in matches.items() if match.node is None},
        keystone_on=_match(directory, Machine(host=apis.login_at, addresses=(apis.login_at,))).node
        if apis.login_at
        else None,
        only=asked.only,
    )
    computes = {one.host for one in apis.heartbeats if one.binary == NOVA_COMPUTE}
    own = {one.host: one.id for one in apis.hypervisors if one.host in computes - bare_metal}
    return state, own


def _directory(lookout: Lookout, surveys: Mapping[str, Survey | Unseen]) -> Directory:
    """Return the nodes by all that they may be known by, what they have just said included."""
    said = {name: one.itself for name, one in surveys.items() if isinstance(one, Survey)}
    return lookout.shell.directory().with_said(said)


def _matches(directory: Directory, apis: ApisSeen) -> dict[str, Match]:
    """Return which node each host is that something reports from; nobody is asked again."""
    own: dict[str, list[Hypervisor]] = {}
    for one in apis.hypervisors:
        own.setdefault(one.host, []).append(one)
    bare_metal = _bare_metal(apis.hypervisors)
    found = {}
    for host in dict.fromkeys(one.host for one in apis.heartbeats):
        machine = Machine(host=host)
        if len(own.get(host, ())) == 1 and host not in bare_metal:
            machine = machine_of(own[host][0])
        found[host] = _match(directory, machine)
    return found


def _match(directory: Directory, machine: Machine) -> Match:
    return decide(machine, directory.candidates(machine), directory.said)


def _bare_metal(hypervisors: Iterable[Hypervisor]) -> frozenset[str]:
    """Return the hosts that are no machines: all of their hypervisors are Ironic's."""
    kinds: dict[str, set[str]] = {}
    for one in hypervisors:
        kinds.setdefault(one.host, set()).add(one.kind)
    return frozenset(host for host, those in kinds.items() if are_all_ironic(those))


def _survey(
    lookout: Lookout, anatomy: Anatomy, node: str, asked: CheckRequest
) -> Callable[[], Survey | Unseen]:
    def look() -> Survey | Unseen:
        if node in lookout.unknown:
            return Unseen(lookout.unknown[node], Blind.UNKNOWN)
        return survey_node(
            lookout.shell,
            lookout.clock,
            anatomy,
            node,
            within_s=asked.within_s,
            tables=asked.tables,
        )

    return look


def _look_at_apis(lookout: Lookout, anatomy: Anatomy, asked: CheckRequest) -> ApisSeen:
    login, catalog = lookout.apis.log_in(within_s=asked.within_s)
    login_at = urlsplit(lookout.apis.login_url).hostname or ""
    if catalog is None:
        return ApisSeen(login=login, login_at=login_at)
    questions = dict(_questions(lookout, anatomy, asked, catalog))
    told = lookout.together.ask(questions, within_s=asked.within_s + LEEWAY_S)
    answers = {key: _late(asked) if one is None else one for key, one in told.items()}
    lists = {name: one for (what, name), one in answers.items() if what == "heartbeats"}
    return ApisSeen(
        login=login,
        login_at=login_at,
        catalog=catalog,
        probes=_picked(answers, "probe"),
        reached=_picked(answers, "reach"),
        certificates={
            name: one
            for (what, name), one in answers.items()
            if what == "certificate" and isinstance(one, datetime | Failed)
        },
        heartbeats=tuple(
            one
            for found in lists.values()
            if isinstance(found, Sequence)
            for one in found
            if isinstance(one, Heartbeat)
        ),
        heartbeats_unread={
            component.name: one
            for kind, one in lists.items()
            if isinstance(one, Failed) and (component := anatomy.of_catalog(kind))
        },
        hypervisors=_hypervisors(answers.get((HYPERVISORS, NOVA))),
        hypervisors_unread=_why_unread(answers.get((HYPERVISORS, NOVA))),
    )


def _questions(
    lookout: Lookout, anatomy: Anatomy, asked: CheckRequest, catalog: Catalog
) -> Iterable[tuple[tuple[str, str], Callable[[], _Answer]]]:
    """Return every question to the APIs, by what it is about."""
    apis, within_s = lookout.apis, asked.within_s
    for component in anatomy.components.values():
        endpoint = catalog.endpoint(component.catalog_types)
        if endpoint is None or component.catalog is None:
            continue
        probe = component.probe
        if probe.kind in {"list", "account"} and not asked.only:
            yield (
                ("probe", component.name),
                partial(apis.ask, endpoint, probe.path, version=probe.version, within_s=within_s),
            )
        if component.catalog in REPORTED_TO:
            yield (
                ("heartbeats", component.catalog),
                partial(apis.heartbeats, endpoint, component.catalog, within_s=within_s),
            )
        if component.catalog == NOVA:
            yield (HYPERVISORS, NOVA), partial(apis.hypervisors, endpoint, within_s=within_s)
    if asked.only:
        return
    chosen = [one for one in catalog.endpoints if one.interface in asked.interfaces]
    for url in dict.fromkeys(one.url for one in chosen):
        yield ("reach", url), partial(apis.reach, url, within_s=within_s)
    for place in dict.fromkeys(filter(None, map(secured_place, chosen))):
        host, _, port = place.rpartition(":")
        yield ("certificate", place), partial(apis.expiry, host, int(port), within_s=within_s)


def secured_place(endpoint: Endpoint) -> str | None:
    """Return the host and port that show a certificate; None where nothing is secured."""
    parts = urlsplit(endpoint.url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    return f"{parts.hostname}:{parts.port or 443}"


def _picked(answers: Mapping[tuple[str, str], _Answer], what: str) -> dict[str, Answered | Failed]:
    return {
        name: one
        for (kind, name), one in answers.items()
        if kind == what and isinstance(one, Answered | Failed)
    }


def _hypervisors(given: _Answer | None) -> tuple[Hypervisor, ...]:
    if not isinstance(given, Sequence):
        return ()
    return tuple(one for one in given if isinstance(one, Hypervisor))


def _why_unread(given: _Answer | None) -> str:
    return given.says if isinstance(given, Failed) else ""


def _late(asked: CheckRequest) -> Failed:
    return Failed(how=Failure.NO_ANSWER, says=f"no answer within {asked.within_s:g} s")


def ask_rpc(
    lookout: Lookout,
    catalog: Catalog | None,
    hypervisors: Mapping[str, str],
    *,
    within_s: float = RPC_S,
) -> dict[str, RpcAnswer]:
    """Have Nova call each of these nova-computes over RPC, and return what came of it, by host.

    Carefully: an answer that stays away holds a worker of nova-api. So it begins with two at a
    time, goes faster while all answer, and stops at the second that does not.
    """
    endpoint = catalog.endpoint((NOVA,)) if catalog else None
    if endpoint is None:
        return {}
    waiting = list(hypervisors.items())
    told: dict[str, RpcAnswer] = {}
    at_once = 2
    while waiting and unanswered(told) < MOST_UNANSWERED:
        now, waiting = waiting[:at_once], waiting[at_once:]
        questions = {
            host: _ask_uptime(lookout, endpoint, hypervisor, within_s) for host, hypervisor in now
        }
        answers = lookout.together.ask(questions, within_s=within_s + LEEWAY_S)
        silent = RpcAnswer(outcome=Rpc.SILENT, took_s=within_s)
        told |= {host: answer or silent for host, answer in answers.items()}
        at_once = min(2 * at_once, MOST_RPC_AT_ONCE) if not unanswered(told) else 1
    spared = f"{unanswered(told)} calls over RPC are unanswered already, and each holds a worker"
    left = {host: RpcAnswer(outcome=Rpc.NOT_ASKED, why=spared) for host, _ in waiting}
    return {**told, **left}


def unanswered(told: Mapping[str, RpcAnswer]) -> int:
    """Return how many calls have had no answer."""
    return sum(1 for one in told.values() if one.outcome is Rpc.SILENT)


def _ask_uptime(
    lookout: Lookout, endpoint: Endpoint, hypervisor: str, within_s: float
) -> Callable[[], RpcAnswer]:
    return lambda: lookout.apis.uptime(endpoint, hypervisor, within_s=within_s)
